"""Which versions are installed, and which of them are known not to work together."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from importlib import metadata

# What a bug report needs: the numbers, then what draws them, then what shows them.
PACKAGES = (
    "reluquant",
    "numpy",
    "numba",
    "scipy",
    "matplotlib",
    "ipywidgets",
    "bqplot",
    "bqplot-gl",
    "anywidget",
    "ipykernel",
    "jupyterlab",
    "notebook",
    "torch",
)
_ABSENT = "not installed"


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """What :func:`reluquant.doctor` found.

    Parameters
    ----------
    versions : tuple of (str, str)
        Name and version of Python and of every relevant package; ``"not installed"`` where absent.
    problems : tuple of str
        One sentence for each known conflict: what breaks and what to type.
    """

    versions: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether no known conflict was found."""
        return not self.problems

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.versions)
        lines = [f"{name:<{width}}  {version}" for name, version in self.versions]
        if self.ok:
            return "\n".join([*lines, "", "No known conflicts."])
        return "\n".join([*lines, "", *(f"PROBLEM: {problem}" for problem in self.problems)])

    __repr__ = __str__


def doctor() -> DoctorReport:
    """Report the installed versions and the conflicts known among them.

    Reads package metadata only: nothing is imported, so it also works when an import fails.
    It does not look at the browser, nor at extensions that the user disabled.

    Returns
    -------
    DoctorReport
        With ``.versions``, ``.problems`` and ``.ok``; printing it gives a table for a bug report.

    Examples
    --------
    >>> import reluquant as rq
    >>> report = rq.doctor()
    >>> dict(report.versions)["reluquant"] == rq.__version__
    True
    """
    installed = {name: _version(name) for name in PACKAGES}
    versions = [("python", platform.python_version()), *((name, found or _ABSENT) for name, found in installed.items())]
    return DoctorReport(tuple(versions), tuple(_problems(installed)))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _problems(installed: dict[str, str | None]) -> list[str]:
    problems = []
    if installed["bqplot-gl"] is not None:
        # It brings a second copy of d3 into the page, and every drag handler then throws (bqplot #1369, #1520).
        problems.append(
            "bqplot-gl breaks the dragging of data points; type: pip uninstall bqplot-gl, and reload the page."
        )
    if installed["ipykernel"] is not None and _release(installed["ipykernel"]) == (7, 0, 0):
        problems.append(
            "ipykernel 7.0.0 loses messages sent from threads, so widgets freeze; type: pip install 'ipykernel>=7.1'."
        )
    for name, least in (("ipywidgets", "8"), ("bqplot", "0.13"), ("jupyterlab", "4"), ("notebook", "7")):
        found = installed[name]
        if found is not None and _release(found) < _release(least):
            problems.append(f"{name} {found} is too old; type: pip install '{name}>={least}'.")
    for name in ("ipywidgets", "bqplot", "anywidget"):
        if installed[name] is None:
            problems.append(f"{name} is missing, so rq.explore cannot draw; type: pip install {name}.")
    return problems


def _release(version: str) -> tuple[int, int, int]:
    """Return major, minor and patch number; a pre-release counts as the release it leads to."""
    # No dependency on `packaging` for this: suffixes like "rc1" or "+cpu" do not decide any check here.
    numbers = [int(digits) for digits in re.findall(r"\d+", re.split(r"[^0-9.]", version, maxsplit=1)[0])]
    major, minor, patch = ([*numbers, 0, 0, 0])[:3]
    return major, minor, patch

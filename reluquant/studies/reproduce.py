"""Every figure and number of the pages, made anew into one HTML report."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reluquant import datasets
from reluquant.dynamics.function_family import function_family
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.studies.active_report import active_neuron_report
from reluquant.studies.approximation_report import approximation_report
from reluquant.studies.claims import claims_report
from reluquant.studies.phase_report import phase_report
from reluquant.studies.regimes import scale_sweep
from reluquant.views.family_scene import by_frequency, family_scene
from reluquant.views.film import save_film
from reluquant.views.flow_scene import flow_scene
from reluquant.views.frames import window
from reluquant.views.regime_figures import scale_sweep_figure
from reluquant.views.scene_figure import scene_figure
from reluquant.views.time_view import time_grid

# Frames of a film: enough to see neurons turn, few enough for a page that is opened at once.
FRAMES, QUICK_FRAMES = 90, 20
# What a part's picture may be, in the order in which it is looked for.
_PICTURES = {".gif": "image/gif", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the report.

    Attributes
    ----------
    name : str
        Of its files.
    title : str
        A heading.
    make : callable
        Of a path without suffix and whether to be quick; writes a picture there and returns a text.
    """

    name: str
    title: str
    make: Callable[[Path, bool], str]


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What :func:`reproduce` made.

    Attributes
    ----------
    page : Path
        The report.
    made, kept : tuple of str
        Parts that were made now, and that were there from before.
    failures : dict of str to str
        What went wrong, by the name of the part.
    """

    page: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]
    failures: dict[str, str]

    @property
    def success(self) -> bool:
        """Whether every part is there."""
        return not self.failures


def reproduce(
    folder: str | Path,
    *,
    quick: bool = False,
    only: tuple[str, ...] = (),
    say: Callable[[str], object] = lambda sentence: None,
) -> Reproduction:
    """Make every figure and number of the pages anew, into one HTML page.

    Parameters
    ----------
    folder : path
        Where to; made if need be. Parts that are there already, from a call with the same ``quick``, are kept: a call
        that was interrupted goes on.
    quick : bool
        Smaller runs, in minutes.
    only : tuple of str
        Names of the parts to make; all by default.
    say : callable
        Called with a sentence when a part begins.

    Returns
    -------
    Reproduction
        A part that fails does not stop the others.

    Raises
    ------
    ValueError
        If there is no part of such a name.
    OSError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     reproduce(folder, quick=True, only=("family",)).made
    ('family',)
    """
    unknown = sorted(set(only) - {part.name for part in PARTS})
    if unknown:
        raise ValueError(f"There is no part {unknown[0]!r}; there are {', '.join(part.name for part in PARTS)}.")
    folder = Path(folder) / ("quick" if quick else "full")
    folder.mkdir(parents=True, exist_ok=True)
    made, kept, failures = [], [], {}
    parts = [part for part in PARTS if not only or part.name in only]
    for i, part in enumerate(parts, 1):
        text = folder / f"{part.name}.txt"
        if text.exists():
            kept.append(part.name)
            continue
        say(f"{i} of {len(parts)}: {part.title} …")
        began = time.perf_counter()
        try:
            found = part.make(folder / part.name, quick)
        except Exception as error:  # noqa: BLE001 - the other parts do not depend on it
            failures[part.name] = f"{type(error).__name__}: {error}"
            continue
        # Last, since it says that the part is whole.
        text.write_text(json.dumps({"text": found, "seconds": time.perf_counter() - began}), encoding="utf-8")
        made.append(part.name)
    page = folder / "report.html"
    page.write_text(_page(folder, parts, failures, quick), encoding="utf-8")
    return Reproduction(page, tuple(made), tuple(kept), failures)


# --- the parts -----------------------------------------------------------------------------------


def film(data: Dataset, path: Path, *, n_frames: int = FRAMES, n_neurons: int = 300) -> str:
    """Write the paper's animation of a data set on the line as a GIF, and return what happens in it.

    Parameters
    ----------
    data : Dataset
    path : Path
        Ends in ``.gif``.
    n_frames, n_neurons : int
    """
    net = ShallowReLU.balanced(n_neurons=n_neurons, scale=1e-6, rng=0)
    run = gradient_flow(net, data, progress=False)
    shown = window(data)
    moments = time_grid(run, n_frames)
    moments = moments[np.linspace(0, moments.size - 1, n_frames).round().astype(int)]
    save_film((flow_scene(run, float(t), shown=shown) for t in moments), path)
    return f"{data!r}, {n_neurons} neurons from scale 1e-6. {run.message}"


def _film(make: Callable[[], Dataset]) -> Callable[[Path, bool], str]:
    return lambda path, quick: film(make(), path.with_suffix(".gif"), n_frames=QUICK_FRAMES if quick else FRAMES)


def _scales(path: Path, quick: bool) -> str:
    scales = np.logspace(-8, 1, 4 if quick else 19)
    sweep = scale_sweep(
        datasets.zigzag(), scales=scales, n_neurons=100 if quick else 1000, n_seeds=1 if quick else 3, rng=0,
        progress=False,
    )  # fmt: skip
    scale_sweep_figure(sweep).savefig(path.with_suffix(".svg"))
    return repr(sweep)


def _family(path: Path, quick: bool) -> str:
    family = function_family(datasets.zigzag(), draws=20 if quick else 500, rng=0, progress=False)
    scene = family_scene(family, by_frequency(family)[0])
    scene_figure(scene).savefig(path.with_suffix(".svg"))
    return f"{family!r}\n{scene.sentence}"


def _phases(path: Path, quick: bool) -> str:
    smaller = {"scales": [1e-3, 1e-1, 10.0], "widths": [8, 32], "n_seeds": 1} if quick else {}
    report = phase_report(datasets.zigzag(), rng=0, **smaller)
    report.save_figure(path.with_suffix(".svg"))
    return str(report)


def _approximation(**target: object) -> Callable[[Path, bool], str]:
    def make(path: Path, quick: bool) -> str:
        report = approximation_report(quick=quick, progress=False, **target)
        report.save_figure(path.with_suffix(".svg"))
        return str(report)

    return make


def _active(path: Path, quick: bool) -> str:
    smaller = {"sizes": (10, 30, 100)} if quick else {}
    report = active_neuron_report(quick=quick, share=0.1, store=path.with_name("runs"), progress=False, **smaller)
    report.save_figure(path.with_suffix(".svg"))
    return str(report)


def _claims(path: Path, quick: bool) -> str:
    return str(claims_report())


PARTS = (
    Part("zigzag", "Zigzag: kinks gather on data points", _film(datasets.zigzag)),
    Part("sine", "Sine: close to the interpolant", _film(datasets.sine)),
    Part("family", "The finite set of functions", _family),
    Part("scales", "Quantisation over the scale of the start", _scales),
    Part("phases", "Lazy, critical, condensed", _phases),
    Part("approximation", "Error against the number of points, on the line", _approximation(dimension=1)),
    Part("approximation-plane", "Error against the number of points, in the plane", _approximation(dimension=2)),
    Part("labels", "Random labels do not generalise", _approximation(random_labels=True)),
    Part("active-neurons", "Active neurons of networks trained on digits", _active),
    Part("claims", "Claims, number by number", _claims),
)


# --- the page ------------------------------------------------------------------------------------


def _page(folder: Path, parts: list[Part], failures: dict[str, str], quick: bool) -> str:
    sections = "\n".join(_section(folder, part, failures.get(part.name)) for part in parts)
    note = " Quick runs, not to draw conclusions from." if quick else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>reluquant: the figures, made anew</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }}
img {{ max-width: 100%; background: white; }} pre {{ overflow-x: auto; font-size: 13px; }} .failed {{ color: #b00020; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #ededed; }} .failed {{ color: #ff8a80; }} }}
</style></head><body>
<h1>The figures, made anew</h1>
<p>Written by <code>reluquant reproduce</code>.{note}</p>
{sections}
</body></html>
"""


def _section(folder: Path, part: Part, failure: str | None) -> str:
    heading = f'<h2 id="{part.name}">{html.escape(part.title)}</h2>'
    if failure is not None:
        return f'{heading}\n<p class="failed">This part failed. {html.escape(failure)}</p>'
    found = json.loads((folder / f"{part.name}.txt").read_text(encoding="utf-8"))
    picture = "".join(
        f'<img alt="{html.escape(part.title)}" src="data:{kind};base64,{_base64(file)}">'
        for suffix, kind in _PICTURES.items()
        if (file := folder / f"{part.name}{suffix}").exists()
    )
    seconds = f"<p>Made in {found['seconds']:.0f} s.</p>"
    return f"{heading}\n{picture}\n<pre>{html.escape(found['text'])}</pre>\n{seconds}"


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")

"""What `tests.benchmarks.integrators` measured, as a Markdown page and a plot."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path

import numpy as np

OURS = "reluquant"
FUSED = "fused Numba descent"
TORCH = "torch descent (SGD)"
NOT_TRIED = "not tried: a looser setting took too long"
EXPLICIT = (FUSED, "diffrax Tsit5", "diffrax Dopri8", "scipy RK45", "scipy DOP853", "torchdiffeq dopri5")
PACKAGES = ("numba", "numpy", "scipy", "diffrax", "jax", "torchdiffeq", "torch")
# What "at this error" means in the goals.
ACCURATE = 1e-5
# A run that has come less far than one part in so many is not extrapolated.
FORESEEABLE = 1e3
# A run with a larger error has ended somewhere else, and its speed is no achievement.
SOMEWHERE_ELSE = 0.1
# Share of a core below which walls are those of other programs.
QUIET = 0.9
# From here on the alignment ends before f grows; at larger scales the flow is another one.
ASYMPTOTIC = 1e-8
# How far a wall may be off the line that is called affine: noise of a few milliseconds.
OFF_THE_LINE = 0.3
HEADER = (
    "| problem | method | setting | wall, median | fastest | error | ours at that error | ratio |\n"
    "|---|---|---|---|---|---|---|---|\n"
)
# Okabe & Ito's colours, which colour-blind readers tell apart; the markers differ as well.
LOOKS = {
    OURS: ("#000000", "o", "-"),
    FUSED: ("#D55E00", "s", "-"),
    TORCH: ("#E69F00", "D", "--"),
    "diffrax Tsit5": ("#0072B2", "^", "-"),
    "diffrax Dopri8": ("#56B4E9", "v", "-"),
    "diffrax Kvaerno5": ("#56B4E9", "P", ":"),
    "scipy RK45": ("#009E73", "<", "--"),
    "scipy DOP853": ("#009E73", ">", "--"),
    "scipy LSODA": ("#CC79A7", "X", "--"),
    "scipy Radau": ("#CC79A7", "*", ":"),
    "torchdiffeq dopri5": ("#999999", "p", "--"),
}


# ---------------------------------------------------------------------------------------------------- the numbers


def finished(rows: list[dict], *methods: str) -> list[dict]:
    """Rows of runs that came to the end, of these methods."""
    return [row for row in rows if row["error"] is not None and (not methods or row["method"] in methods)]


def fastest(rows: list[dict], at_most: float = np.inf) -> dict | None:
    """The row with the least wall among those with at most that error."""
    good = [row for row in rows if row["error"] is not None and row["error"] <= at_most]
    return min(good, key=lambda row: row["wall"], default=None)


def known_error(row: dict, rows: list[dict]) -> float | None:
    """The row's error. Torch's descent takes the very steps of the fused one: its error is known without waiting."""
    if row["error"] is None and row["method"] == TORCH and row["trouble"] == "capped":
        same = [other["error"] for other in finished(rows, FUSED) if other["rtol"] == row["rtol"]]
        return same[0] if same else None
    return row["error"]


def equal_error(row: dict, rows: list[dict]) -> dict | None:
    """Our fastest setting that is at least as accurate as this row; for a run given up, one within `ACCURATE`."""
    if row["method"] == OURS:
        return None
    if (error := known_error(row, rows)) is not None:
        return fastest(finished(rows, OURS), error)
    return fastest(finished(rows, OURS), ACCURATE) if row["trouble"] == "capped" else None


def lines(name: str, rows: list[dict], all_rows: list[dict]) -> str:
    """Rows of the table; settings that were not tried are one row together."""
    text = ""
    for (method, trouble), group in groupby(rows, key=lambda row: (row["method"], row["trouble"])):
        members = list(group)
        if trouble == NOT_TRIED:
            text += f"| {name} | {method} | {len(members)} tighter | – | – | {trouble} | – | – |\n"
        else:
            text += "".join(_line(name, row, all_rows) + "\n" for row in members)
    return text


def _is_endless(row: dict) -> bool:
    """Whether it is too early to extrapolate. Equal steps take equally long, so that theirs can always be."""
    return row["trouble"] == "capped" and row["symbol"] == "rtol" and row["projected"] > FORESEEABLE * row["wall"]


def _line(name: str, row: dict, rows: list[dict]) -> str:
    ours = equal_error(row, rows)
    wall = "–" if row["wall"] is None else seconds(row["wall"])
    ratio, error = "–", known_error(row, rows)
    if _is_endless(row):
        ratio = "–" if ours is None else f"> {multiple(row['wall'] / ours['wall'])}"
        wall = f"> {wall}; no end in sight"
    elif row["trouble"] == "capped":
        wall = f"> {wall}; ≈ {seconds(row['projected'])} extrapolated"
        ratio = "–" if ours is None else f"≈ {multiple(row['projected'] / ours['wall'])}"
    elif ours is not None:
        ratio = multiple(row["wall"] / ours["wall"])
    result = "; ".join(filter(None, [row["trouble"], "" if error is None else f"{error:.1e}"]))
    setting = "–" if row["rtol"] is None else f"{row['symbol']} {row['rtol']:g}"
    setting += f", atol {row['atol']:.0e}" if row["atol"] else ""
    at = "–" if ours is None else f"{seconds(ours['wall'])} ({ours['error']:.0e})"
    best = "–" if row["error"] is None else seconds(row["lowest"])
    return f"| {name} | {row['method']} | {setting} | {wall} | {best} | {result} | {at} | {ratio} |"


def goals(table: dict[str, list[dict]], scales: list[dict]) -> list[tuple[str, str, str, str]]:
    """Goal, what it says, what was reached, and whether that is enough."""
    found = []
    for name, wanted in (("A", (40, 250)), ("B1000", (150, 450)), ("B100000", (1000, 1000))):
        for rtol, factor in zip((1e-3, 1e-4), wanted, strict=True):
            if name in table:
                found.append(_against_adaptive(name, table[name], rtol, factor))
    for name in ("B1000 tail", "K7 tail"):
        if name in table:
            found += _tail(name, table[name])
    if "C" in table:
        found.append(_at_error("C", table["C"], ("diffrax Tsit5", "diffrax Dopri8"), 2e-2, 3))
    for name, rows in table.items():
        for error in (1e-3, 1e-4, ACCURATE):
            found.append(_at_error(name, rows, (FUSED,), error, 10 if (name, error) == ("C", 1e-3) else None))
    return [*found, *_scale(scales)]


def _against_adaptive(name: str, rows: list[dict], rtol: float, factor: float):
    """Against the fastest of diffrax and scipy at one rtol, whatever its method and atol."""
    what = f"{name}: diffrax/scipy at rtol {rtol:g}, ours within {ACCURATE:g}"
    peers = [row for row in rows if row["method"].startswith(("diffrax", "scipy")) and row["rtol"] == rtol]
    ours = fastest(finished(rows, OURS), ACCURATE)
    peer = fastest(peers, SOMEWHERE_ELSE)
    if peer is None:
        given_up = [row for row in peers if row["trouble"] == "capped" and not _is_endless(row)]
        peer = min(given_up, key=lambda row: row["projected"], default=None)
        return _verdict(what, factor, peer, ours, peer and peer["projected"], "extrapolated")
    return _verdict(what, factor, peer, ours, peer["wall"], f"error {peer['error']:.0e}")


def _at_error(name: str, rows: list[dict], methods: tuple[str, ...], error: float, factor: float | None):
    """Both within one error."""
    what = f"{name}: {' or '.join(methods)}, both within {error:g}"
    peer = fastest(finished(rows, *methods), error)
    return _verdict(what, factor, peer, fastest(finished(rows, OURS), error), peer and peer["wall"], "")


def _tail(name: str, rows: list[dict]):
    what = f"{name}: to stationary"
    ours = [row for row in finished(rows, OURS) if row["rtol"] == 1e-9]
    if ours:
        wall = ours[0]["wall"]
        yield f"{what}, rtol 1e-9", "≤ 5 ms", f"{seconds(wall)}, error {ours[0]['error']:.0e}", _mark(wall <= 5e-3)
    peers = finished(rows, *EXPLICIT)
    # Where none is within 1e-2, the most accurate: its error is printed.
    peer = fastest(peers, 1e-2) or min(peers, key=lambda row: row["error"], default=None)
    about = f"error {peer['error']:.0e}" if peer else ""
    yield _verdict(
        f"{what}, fastest explicit peer within 1e-2 or else the best, ours within {ACCURATE:g}", 100, peer,
        fastest(finished(rows, OURS), ACCURATE), peer and peer["wall"], about,
    )  # fmt: skip


def _verdict(what, factor, peer, ours, peer_wall, note):
    """One line of the goals."""
    wanted = "–" if factor is None else f"{factor}×"
    if peer is None or ours is None:
        missing = "no such run of a peer came to the end" if ours is not None else "no run of ours reaches that error"
        return what, wanted, missing, "–" if ours is not None else _mark(False)
    ratio = peer_wall / ours["wall"]
    note = f", {note}" if note else ""
    reached = f"{multiple(ratio)} ({peer['method']} {seconds(peer_wall)}{note}; ours {seconds(ours['wall'])})"
    return what, wanted, reached, "–" if factor is None else _mark(ratio >= factor)


def _scale(scales: list[dict]):
    """Whether cost is affine in log(1/scale): no point above the straight line by more than noise."""
    rows = [row for row in scales if not row["trouble"] and row["scale"] <= ASYMPTOTIC]
    if len(rows) < 3:
        return
    decades, walls = -np.log10([row["scale"] for row in rows]), np.array([row["wall"] for row in rows])
    slope, offset = np.polyfit(decades, walls, 1, w=1 / walls)
    worst = np.max(np.abs(walls / (offset + slope * decades) - 1))
    steps = [row["n_steps"] for row in rows]
    reached = (
        f"{seconds(walls[0])} at {rows[0]['scale']:g}, {seconds(walls[-1])} at {rows[-1]['scale']:g} ({steps[0]} and"
        f" {steps[-1]} steps), {seconds(slope)} a decade; at most {100 * worst:.0f} % off the straight line"
    )
    what = f"A to loss 0.2, scale {ASYMPTOTIC:g} … 1e-300"
    yield what, "affine in log(1/scale)", reached, _mark(worst <= OFF_THE_LINE)


def _mark(good: bool) -> str:
    return "reached" if good else "**short**"


def seconds(value: float) -> str:
    """A time to three digits."""
    if not np.isfinite(value):
        return "∞"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size or unit == "µs":
            return f"{value / size:.3g} {unit}" if value < 1e4 else f"{value:.2g} s"
    return ""


def multiple(value: float) -> str:
    """A ratio to two digits."""
    return f"{value:.2g}×" if value < 100 else f"{value:,.0f}×"


# ------------------------------------------------------------------------------------------------------- the page

# Counted with the processor's cycle counter around the parts of the kernels, on the machine of the goals.
BOUNDS = """## What bounds our walls

* **A**: the 36 steps and 380 switches take half a millisecond; arguments, groups and records a quarter in Python.
* **B**: 15 switches a neuron, but all after the alignment are those of three groups of merged neurons. What is left is
  the alignment, some 6 passages a neuron (0.2 µs one by one, some 10 ns in a crowd, and to write them down), and a
  hundred to two hundred steps of 12 to 18 µs, of which 15 to 20 have a heavy switch that cuts them. With 1000 neurons
  these steps are most of it. With 10⁵ a half is the alignment, the rest are copies of rows and switches.
* **K7, tails**: 20 to 120 implicit steps of 25 to 100 µs, each some Newton iterations on the residual at eight nodes.
* **C**: 117,000 switches in 6 dimensions, each found 1.8 times at 1.6 µs; neurons held by several samples, at 12 µs.
  Passes of the light neurons, one or two a step, are half of the work; those of the heavy ones, three a step, a fourth.
"""


def write(table: dict[str, list[dict]], scales: list[dict], options, folder: Path) -> str:
    """Write the page and the plot; return what is worth printing at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = _goal_table(table, scales) + "\n" + _compile_table(table) + "\n" + _scale_table(scales) + _quiet(table)
    rows = HEADER + "".join(lines(name, rows, rows) for name, rows in table.items())
    (folder / "integrators.md").write_text(_page(table, options, ends, rows))
    draw(table, scales, folder / "integrators.svg")
    return "\n" + ends


def _quiet(table) -> str:
    """What share of a core the runs got that use one thread: on a busy machine walls say little."""
    shares = [row["cores"] for rows in table.values() for row in finished(rows, OURS, FUSED)]
    if not shares or np.median(shares) > QUIET:
        return ""
    return f"\nThe machine was busy: runs of one thread got {100 * np.median(shares):.0f} % of a core. Measure again.\n"


def _page(table, options, ends: str, rows: str) -> str:
    times = [row["when"] for rows in table.values() for row in rows]
    days = sorted({time.strftime("%Y-%m-%d %H:%M", time.gmtime(when)) for when in (min(times), max(times))})
    when = " to ".join(days)
    return f"""# The flow beside other integrators

`python -m tests.benchmarks.integrators` measured and wrote this page: {when} UTC, {os.cpu_count()} cores,
Python {platform.python_version()}, {", ".join(_versions())};
at most {options.cap:g} s a run of a peer, medians of up to {options.repeats} warm runs. Timings on a shared machine are
noisy: trust ratios, and those to some tens of percent.

* Error: ‖θ − ref‖/‖ref‖ at the end. References: A by the oracle (DOP853 for every neuron, located switches, rtol
  1e-11); B, K7 and the tails by reluquant at rtol 1e-12 with explicit steps (10⁵ neurons 1e-10), which agrees with the
  oracle on B with 100 neurons and on K7 to t = 200, and to which descent converges in proportion to its step; C by
  Richardson extrapolation of descent. For 10⁴ neurons and more the error is that of the first 4000.
* Peers integrate the plain equations (the gradient almost everywhere), compiled where they can be, warm, with their
  default threads; reluquant and the fused descent use one thread. Ours is the whole call of `rq.gradient_flow`, with
  the record from which `Trajectory.at` answers; it ends early where the network is stationary.
* "Ours at that error" is our fastest setting that is at least as accurate; "ratio" the peer's wall over it. For a run
  that was given up it is the extrapolated wall over our fastest within {ACCURATE:g}.
* A run is given up at the cap, or after a sixth of it when it is then projected (from the share of the time span that
  it has covered) to need more than twice the cap. Tighter settings are then not tried.

![Work against precision](integrators.svg)

## Goals

{ends}
{BOUNDS}
## All rows

{rows}"""


def _versions() -> list[str]:
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found


def _goal_table(table, scales) -> str:
    text = "| goal | wanted | found | |\n|---|---|---|---|\n"
    return text + "".join(f"| {' | '.join(goal)} |\n" for goal in goals(table, scales))


def _compile_table(table) -> str:
    """Longest compilation of each method, which the walls leave out."""
    longest: dict[str, float] = {}
    for row in (row for rows in table.values() for row in rows if row["compile"]):
        longest[row["method"]] = max(longest.get(row["method"], 0.0), row["compile"])
    text = "| before the first run (import, compilation or loading it from a cache) | at most |\n|---|---|\n"
    return text + "".join(f"| {method} | {value:.1f} s |\n" for method, value in longest.items())


def _scale_table(scales) -> str:
    text = "| A to loss 0.2, rtol 1e-9: scale | wall | steps | switches | t |\n|---|---|---|---|---|\n"
    for row in scales:
        text += f"| {row['scale']:g} | {seconds(row['wall'])} | {row['n_steps']} | {row['n_switches']} |"
        text += f" {row['trouble'] or format(row['t'], '.5g')} |\n"
    return text


# ------------------------------------------------------------------------------------------------------- the plot


def draw(table: dict[str, list[dict]], scales: list[dict], path: Path) -> None:
    """Seconds against error, a panel a problem, and cost against scale."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    names = [name for name, rows in table.items() if finished(rows)]
    n_panels = len(names) + 2
    columns = min(3, n_panels)
    style = {"font.size": 9, "svg.hashsalt": "reluquant", "axes.grid": True, "grid.color": "#dddddd"}
    with plt.rc_context(style):
        n_rows = -(-n_panels // columns)
        figure, axes = plt.subplots(n_rows, columns, figsize=(3.4 * columns, 2.7 * n_rows), layout="constrained")
        figure.set_facecolor("white")
        axes = np.atleast_1d(axes).ravel()
        for name, ax in zip(names, axes, strict=False):
            _panel(ax, name, table[name])
        _scale_panel(axes[len(names)], scales)
        for ax in axes[len(names) + 1 :]:
            ax.axis("off")
        handles = {label: h for ax in axes for h, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        axes[len(names) + 1].legend(handles.values(), handles.keys(), loc="center", frameon=False)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _panel(ax, name: str, rows: list[dict]) -> None:
    for method, (colour, marker, dash) in LOOKS.items():
        points = sorted((row["error"], row["wall"]) for row in finished(rows, method))
        if points:
            errors, walls = zip(*points, strict=True)
            width = 2.0 if method == OURS else 1.0
            ax.plot(errors, walls, dash, color=colour, marker=marker, markersize=5, linewidth=width, label=method)
    ax.set(xscale="log", yscale="log", title=name, xlabel="relative error at the end", ylabel="seconds")
    # The most accurate on the right, as work grows with precision.
    ax.invert_xaxis()


def _scale_panel(ax, scales: list[dict]) -> None:
    rows = [row for row in scales if not row["trouble"]]
    ax.plot([-np.log10(row["scale"]) for row in rows], [1e3 * row["wall"] for row in rows], "-o", color="black")
    ax.set(title="A to loss 0.2, against the scale", xlabel="log₁₀(1/scale)", ylabel="milliseconds", ylim=(0, None))


if __name__ == "__main__":
    sys.exit("Run: python -m tests.benchmarks.integrators")

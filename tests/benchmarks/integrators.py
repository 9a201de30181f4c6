"""The flow beside other integrators: seconds against error, in one run.

``python -m tests.benchmarks.integrators`` prints a Markdown table and writes it, with a plot, to ``docs/benchmarks``.

Options: ``--problems A,B1000``, ``--cap 120`` (seconds a run of a peer may take), ``--repeats 5``, ``--only-ours``,
``--fresh``.
Finished rows are kept in ``.cache/benchmarks``, so that a run can be interrupted and continued; a change of what was
measured (kernels, problem, reference, peer, version, cap) makes them void. Compare rows that were measured together.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import multiprocessing
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path

import reluquant as rq
from tests.benchmarks import report
from tests.benchmarks.peers import PEERS, Peer, RefusedError, Reluquant, Setting
from tests.benchmarks.problems import PROBLEMS, SCALES, error, problem_a, reference

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "benchmarks"
# Repeats of one row stop after so many seconds in all: a long run is less noisy anyway. Short runs are repeated more
# often than asked for, up to so many seconds and so many times that: one interruption doubles a run of a millisecond.
LONGEST_ROW, SHORTEST_ROW, MOST_REPEATS = 5.0, 0.5, 20
# Import, compilation and one step that cannot be interrupted may take so long on top of the cap.
GRACE = 300.0
# When one setting of a peer was given up, tighter ones are; when it took this share of the cap, ten times tighter ones.
LONG_SHARE = 0.1
METHODS = (Reluquant, *PEERS)
SCALE_STUDY = "A, scales"
# Between the plateaus at 0.32 and below 0.1.
SCALE_STUDY_LOSS = 0.2


def main() -> None:
    """Measure what is asked for and write the report."""
    options = _options()
    table = {}
    sys.stdout.write(report.HEADER)
    for name in options.problems:
        table[name] = []
        for method in METHODS[:1] if options.only_ours else METHODS:
            rows = rows_of(name, method, options, table[name])
            table[name] += rows
            sys.stdout.write(report.lines(name, rows, table[name]))
            sys.stdout.flush()
    scales = cached(SCALE_STUDY, Reluquant, options, lambda: _scales(options))
    sys.stdout.write(report.write(table, scales, options, ROOT / "docs" / "benchmarks"))


def rows_of(name: str, method: type[Peer], options, so_far: list[dict]) -> list[dict]:
    """All rows of one method on one problem: cached, refused, or measured in a process of their own."""
    missing = [package for package in method.needs if importlib.util.find_spec(package) is None]
    if missing:
        return [_row(method, trouble=f"not installed: pip install {' '.join(method.needs)}")]
    if (narrower := _narrower(name)) is not None:
        before = _kept(narrower, method)
        if before and all(row["error"] is None for row in before):
            return [_row(method, trouble=f"not tried: no run finished on {narrower}")]
    arguments = name, method, options.cap, options.repeats
    return cached(name, method, options, lambda: measured(_measure, arguments, options.cap))


def cached(name: str, method: type[Peer], options, compute) -> list[dict]:
    """Rows from the cache, if they are of this very code, or computed and put there."""
    path, key = _path(name, method), _key(name, method, options)
    if path.exists() and not options.fresh:
        stored = json.loads(path.read_text())
        if stored["key"] == key:
            return stored["rows"]
    rows = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"key": key, "rows": rows}, indent=1))
    return rows


def measured(work, arguments, cap: float) -> list[dict]:
    """Run ``work`` in a fresh process, which sends its rows one by one; end it when it falls silent."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(theirs, *arguments))
    process.start()
    theirs.close()
    rows = []
    try:
        while ours.poll(2 * cap + GRACE):
            rows.append(ours.recv())
        process.kill()
        rows.append(dict(rows[-1], **_outcome(trouble="ended: it gave no sign of life")) if rows else {})
    except EOFError:
        pass
    process.join()
    if process.exitcode > 0 and not rows:
        raise RuntimeError(f"The process that measures {arguments} ended with {process.exitcode}; see above.")
    return [row for row in rows if row]


def _measure(pipe, name: str, method: type[Peer], cap: float, repeats: int) -> None:
    """Measure one method on one problem, in this process."""
    problem = PROBLEMS[name]()
    if refusal := method.refuses(problem):
        pipe.send(_row(method, trouble=refusal))
        return
    try:
        peer = method(problem)
    except RefusedError as refusal:
        pipe.send(_row(method, trouble=str(refusal)))
        return
    capped, long = [], []
    for setting in method.settings(problem):
        if any(setting.is_tighter(other) for other in capped) or any(setting.rtol < 0.2 * other.rtol for other in long):
            pipe.send(_row(method, setting, trouble=report.NOT_TRIED))
            continue
        cpu = time.process_time()
        first = peer.solve(setting, cap)
        walls = [first.wall]
        while first.theta is not None and _wants_more(walls, repeats):
            walls.append(peer.solve(setting, cap).wall)
        cpu = time.process_time() - cpu
        if first.trouble == "capped":
            capped.append(setting)
        elif first.wall > LONG_SHARE * cap and method is not Reluquant:
            long.append(setting)
        # The first run may still touch cold caches; with few repeats it counts.
        warm = walls[1:] if len(walls) > 3 else walls
        row = _row(
            method, setting, compile=peer.compile_seconds, wall=statistics.median(warm), trouble=first.trouble,
            projected=first.projected, error=None if first.theta is None else error(first.theta, name),
        )  # fmt: skip
        about = {"lowest": min(warm), "highest": max(warm), "repeats": len(warm), "cores": cpu / sum(walls)}
        pipe.send(row | about)


def _wants_more(walls: list[float], repeats: int) -> bool:
    """Whether to repeat a run once more."""
    if sum(walls) < SHORTEST_ROW:
        return len(walls) < MOST_REPEATS * repeats
    return len(walls) < repeats and sum(walls) < LONGEST_ROW


def _scales(options) -> list[dict]:
    return measured(_measure_scales, (options.cap, options.repeats), options.cap)


def _measure_scales(pipe, cap: float, repeats: int) -> None:
    """Our cost of problem A against the scale of the start, to a loss: the tail after it depends on little else."""
    for scale in SCALES:
        problem = problem_a(scale)
        walls, run = [], None
        while not walls or _wants_more(walls, repeats):
            began = time.perf_counter()
            run = rq.gradient_flow(problem.net, problem.data, stop_loss=SCALE_STUDY_LOSS, progress=False)
            walls.append(time.perf_counter() - began)
        trouble = "" if run.success else run.message
        about = {"scale": scale, "t": run.t[-1], "n_steps": run.t.size - 1, "n_switches": len(run.switches)}
        pipe.send(_row(Reluquant, wall=statistics.median(walls[1:]), trouble=trouble) | about)


def _row(method: type[Peer], setting: Setting | None = None, **values) -> dict:
    about = {"method": method.name, "symbol": method.symbol, "when": time.time()}
    tolerance = {"rtol": setting.rtol, "atol": setting.atol} if setting else {"rtol": None, "atol": None}
    return about | tolerance | _outcome(**values)


def _outcome(**values) -> dict:
    return {"wall": None, "error": None, "trouble": "", "projected": None, "compile": None} | values


def _narrower(name: str) -> str | None:
    """The same problem at a tenth of the width, if it is one of the problems."""
    digits = name.removeprefix("B")
    narrower = f"B{int(digits) // 10}" if digits.isdigit() else ""
    return narrower if narrower in PROBLEMS else None


def _kept(name: str, method: type[Peer]) -> list[dict]:
    path = _path(name, method)
    return json.loads(path.read_text())["rows"] if path.exists() else []


def _path(name: str, method: type[Peer]) -> Path:
    return CACHE / f"{name}-{method.name}.json".replace(" ", "_").replace(",", "")


def _key(name: str, method: type[Peer], options) -> str:
    """A hash of all that a row depends on."""
    here = Path(__file__).parent
    sources = [here / "problems.py", here / "peers.py", here / "integrators.py"]
    if method is Reluquant:
        rooms = [ROOT / "reluquant" / room for room in ("kernels", "dynamics", "structures")]
        sources += [source for room in rooms for source in sorted(room.glob("*.py"))]
    else:
        sources.append(here / "fused_descent.py")
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    if name in PROBLEMS:
        digest.update(reference(name).tobytes())
    about = [*(version(package) for package in method.needs), options.cap, options.repeats]
    digest.update(repr(about).encode())
    return digest.hexdigest()[:16]


def _options():
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.integrators", description=__doc__.split("\n")[0])
    parser.add_argument("--problems", default=",".join(PROBLEMS), help="names, with commas between")
    parser.add_argument("--cap", type=float, default=120.0, help="seconds that a run of a peer may take")
    parser.add_argument("--repeats", type=int, default=5, help="warm runs of one row")
    parser.add_argument("--only-ours", action="store_true", help="leave the peers out")
    parser.add_argument("--fresh", action="store_true", help="measure again what the cache has")
    options = parser.parse_args()
    options.problems = [name.strip() for name in options.problems.split(",")]
    if unknown := set(options.problems) - set(PROBLEMS):
        parser.error(f"there is no problem {', '.join(sorted(unknown))}; there are {', '.join(PROBLEMS)}")
    return options


if __name__ == "__main__":
    main()

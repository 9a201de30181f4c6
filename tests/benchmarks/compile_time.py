"""How long the first flow waits for the compiler: right after installation, and in every later process.

Run: ``python -m tests.benchmarks.compile_time``. Prints a Markdown table; a benchmark, not a test.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile

LATER = 5
CASES = {
    "one input": "rq.ShallowReLU.balanced(n_neurons=10, rng=0), rq.Dataset([-1.0, 0.3, 1.0], [1.0, -0.5, 1.0])",
    "several inputs": (
        "rq.ShallowReLU.balanced(n_features=2, n_neurons=10, rng=0),"
        " rq.Dataset([[1.0, 0.2], [-0.7, 1.0], [0.1, -1.0]], [1.0, -0.5, 1.0])"
    ),
}
PROGRAM = """
import json, time
began = time.perf_counter()
import reluquant as rq
imported = time.perf_counter()
net, data = {case}
problem, busy = time.perf_counter(), time.process_time()
try:
    rq.gradient_flow(net, data, progress=False)
except ValueError as refusal:
    print(json.dumps(str(refusal)))
else:
    first, busy = time.perf_counter(), time.process_time() - busy
    rq.gradient_flow(net, data, progress=False)
    print(json.dumps([imported - began, first - problem, busy, time.perf_counter() - first]))
"""


def measure(case: str, cache: str) -> list[float] | str:
    """Seconds of import, first flow (also of the processor) and second flow, or why there is none; a new process."""
    program = [sys.executable, "-c", PROGRAM.format(case=case)]
    run = subprocess.run(program, env=os.environ | {"NUMBA_CACHE_DIR": cache}, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"The first flow failed:\n{run.stderr}")
    return json.loads(run.stdout)


def main() -> None:
    """Measure and print."""
    sys.stdout.write("| flow of | process | import | first flow | processor busy | second flow |\n")
    sys.stdout.write("|---|---|---|---|---|---|\n")
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as cache:
            fresh = measure(case, cache)
            if isinstance(fresh, str):
                sys.stdout.write(f"| {name} | not there yet: {fresh} | – | – | – | – |\n")
                continue
            runs = [measure(case, cache) for _ in range(LATER)]
        later = [statistics.median(times) for times in zip(*runs, strict=True)]
        for process, times in (("first after installation", fresh), (f"median of {LATER} later", later)):
            imported, first, busy, second = times
            sys.stdout.write(f"| {name} | {process} | {imported:.2f} s | {first:.2f} s | {busy:.2f} s |")
            sys.stdout.write(f" {1e3 * second:.2f} ms |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

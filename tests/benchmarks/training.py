"""Training beside a bare loop in PyTorch: `python -m tests.benchmarks.training [--quick]`.

One full-batch step is an epoch. Both compute the same gradients in single precision; `rq.train` also chooses its step,
keeps the loss and takes snapshots.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np
import torch

import reluquant as rq

# Steps of which nearly each is a snapshot, on a grid of times that double every four.
EARLY = 12
SIZES = {"full": (60_000, 784, 1024, 10), "quick": (4_000, 784, 256, 10)}


def bare_seconds(data: rq.Dataset, width: int, steps: int, device: str) -> float:
    """Median of the steps of a loop as anybody would write it."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(data.n_features, width), torch.nn.ReLU(), torch.nn.Linear(width, data.y.shape[1], bias=False)
    ).to(device)
    x, y = (torch.tensor(part, dtype=torch.float32, device=device) for part in (data.X, data.y))
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-3)
    seconds = []
    for _ in range(steps + 1):
        began = time.perf_counter()
        optimiser.zero_grad()
        loss = 0.5 * (net(x) - y).square().sum() / len(x)
        loss.backward()
        optimiser.step()
        loss.item()
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:])


def our_seconds(data: rq.Dataset, width: int, steps: int, device: str) -> float:
    """Median of late steps of rq.train: of the first ones nearly each is a snapshot."""
    at = []
    rq.train(
        data, widths=(width,), scale=1e-2, max_steps=EARLY + steps, stop=0.0, rng=0, device=device,
        progress=lambda report: at.append(time.perf_counter()),
    )  # fmt: skip
    return median(np.diff(at[EARLY - 1 :]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4,000 samples and 256 neurons")
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    n, p, width, classes = SIZES["quick" if options.quick else "full"]
    draw = np.random.default_rng(0)
    data = rq.Dataset(draw.uniform(size=(n, p)), np.eye(classes)[draw.integers(classes, size=n)])
    device = "cuda" if torch.cuda.is_available() else "cpu"
    ours, bare = our_seconds(data, width, options.steps, device), bare_seconds(data, width, options.steps, device)
    print(f"{n:,} x {p}, width {width}, {device}, {torch.get_num_threads()} threads, medians of {options.steps} epochs")
    print(f"| rq.train | {ours:.3g} s |\n| bare PyTorch loop | {bare:.3g} s |\n| ratio | {ours / bare:.2f} |")


if __name__ == "__main__":
    main()

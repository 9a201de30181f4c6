"""Small IDX files for tests, written from the description of the format."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def idx_bytes(values) -> bytes:
    values = np.asarray(values, dtype=np.uint8)
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def images_and_labels(n: int = 200, *, seed: int = 0, side: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Random images whose first pixel is their class, so that tests see whose label an image got."""
    draw = np.random.default_rng(seed)
    images = draw.integers(0, 256, (n, side, side), dtype=np.uint8)
    labels = draw.integers(0, 10, n, dtype=np.uint8)
    images[:, 0, 0] = labels
    return images, labels


def write_set(folder: Path, images, labels, *, split: str = "train", compress: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, values in zip(NAMES[split], (images, labels), strict=True):
        content = idx_bytes(values)
        (folder / (stem + ".gz" * compress)).write_bytes(zipped(content) if compress else content)

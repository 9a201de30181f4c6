"""Which images of a set are taken, in which order, and what their labels are.

The order does not depend on how many are taken, so that studies over the number of images go from one to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, whole_number

# So do MNIST, Fashion-MNIST and the digits.
N_CLASSES = 10

Classes = Sequence[int] | NDArray[np.integer] | None
Binary = str | Sequence[int | Sequence[int]] | None


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Which images a user wants, and how their classes become labels.

    Attributes
    ----------
    n : int or None
        How many; None for all, in their own order.
    classes : tuple of int
        Those that are kept, in the order of the columns.
    positive : frozenset of int or None
        Those with label 1 where all others have -1; None for one column a class.
    balanced : bool
        Whether as many of each class, until there are no more of one.
    draw : numpy.random.Generator
        Which ones.
    """

    n: int | None
    classes: tuple[int, ...]
    positive: frozenset[int] | None
    balanced: bool
    draw: np.random.Generator

    @classmethod
    def of(cls, n: int | None, classes: Classes, binary: Binary, balanced: bool, rng: Rng) -> Selection:
        """Read what a user asked for.

        Raises
        ------
        TypeError, ValueError
            If it is not what :func:`reluquant.datasets.mnist` says.
        """
        number = None if n is None else whole_number(n, "n")
        return cls(number, *_labelling(classes, binary), bool(balanced), generator(rng))

    def dataset(self, pixels: NDArray, of_images: NDArray[np.integer], *, ink: int, name: str) -> Dataset:
        """Return the images that are taken, with their labels.

        Parameters
        ----------
        pixels : ndarray, shape (n_images, …)
            From 0 to ``ink``.
        of_images : ndarray of int, shape (n_images,)
            The class of every image.
        ink : int
            What becomes 1.
        name : str
            Title of the set, without the number of images.

        Raises
        ------
        ValueError
            If there are not so many images.
        """
        at = self.positions(of_images)
        X = pixels[at].reshape(at.size, -1) / ink
        return Dataset(X, self.labels(of_images[at]), name=f"{name} {at.size}")

    def labels(self, of_images: NDArray[np.integer]) -> Floats:
        """Labels of images of given classes: ±1, shape (n,), or one-hot, shape (n, n_classes)."""
        if self.positive is not None:
            return np.where(np.isin(of_images, list(self.positive)), 1.0, -1.0)
        return np.equal.outer(of_images, self.classes).astype(np.float64)

    def positions(self, of_images: NDArray[np.integer]) -> NDArray[np.intp]:
        """Positions of the images that are taken: an order that is that of ``n`` images for any more of them."""
        kept = np.flatnonzero(np.isin(of_images, self.classes))
        if kept.size == 0:
            raise ValueError(f"There are no images of the classes {self.classes}; ask for others.")
        if self.n is None:
            return kept
        if self.n > kept.size:
            raise ValueError(
                f"n must be at most {kept.size}, which is how many images there are of the classes {self.classes},"
                f" but it is {self.n}."
            )
        order = kept[self.draw.permutation(kept.size)]
        return (_in_rounds(order, of_images[order]) if self.balanced else order)[: self.n]


def _in_rounds(order: NDArray[np.intp], of_images: NDArray[np.integer]) -> NDArray[np.intp]:
    """The first image of every class, then the second of every class, …; within a round as they come."""
    turn = np.empty(order.size, dtype=np.intp)
    for one in np.unique(of_images):
        at = np.flatnonzero(of_images == one)
        turn[at] = np.arange(at.size)
    return order[np.argsort(turn, kind="stable")]


def _labelling(classes: Classes, binary: Binary) -> tuple[tuple[int, ...], frozenset[int] | None]:
    """The classes that are kept, and those of them with label 1 if labels are ±1."""
    kept = tuple(range(N_CLASSES)) if classes is None else _classes(classes, "classes")
    if len(kept) < 2:
        raise ValueError(f"classes must name at least two classes, but it is {classes!r}.")
    if binary is None:
        return kept, None
    if isinstance(binary, str):
        return kept, _parity(binary, kept)
    if classes is not None:
        raise ValueError("binary names the classes that are kept, so give either binary or classes.")
    negative, positive = _sides(binary)
    return negative + positive, frozenset(positive)


def _classes(values: object, name: str) -> tuple[int, ...]:
    wanted = f"{name} must be different integers from 0 to {N_CLASSES - 1}, such as (3, 8), but it is {values!r}."
    if isinstance(values, str) or not isinstance(values, Sequence | np.ndarray):
        raise TypeError(wanted)
    if any(isinstance(v, bool | np.bool_) or not isinstance(v, Integral) for v in values):
        raise TypeError(wanted)
    kept = tuple(int(v) for v in values)
    if len(set(kept)) < len(kept) or not all(0 <= v < N_CLASSES for v in kept):
        raise ValueError(wanted)
    return kept


def _parity(rule: str, kept: tuple[int, ...]) -> frozenset[int]:
    if rule != "parity":
        raise ValueError(f'binary must be "parity" or a pair such as (3, 8), but it is {rule!r}.')
    odd = frozenset(one for one in kept if one % 2)
    if len(odd) in (0, len(kept)):
        raise ValueError(f"Parity needs an even and an odd class, but classes is {kept}.")
    return odd


def _sides(pair: object) -> tuple[tuple[int, ...], tuple[int, ...]]:
    wanted = (
        'binary must be "parity" or a pair such as (3, 8) or ((0, 1), (2, 3)): class or classes with label -1, then'
        f" those with 1; but it is {pair!r}."
    )
    if not isinstance(pair, Sequence | np.ndarray):
        raise TypeError(wanted)
    if len(pair) != 2:
        raise ValueError(wanted)
    negative, positive = (
        _classes(side if isinstance(side, Sequence | np.ndarray) else (side,), "Each side of binary") for side in pair
    )
    if not negative or not positive or set(negative) & set(positive):
        raise ValueError(wanted)
    return negative, positive

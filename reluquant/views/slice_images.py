"""Data points that a slice goes through, with what a reader calls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.slice_frame import SliceFrame, slice_frame
from reluquant.structures.arrays import Floats
from reluquant.views.image_marks import picture_shape

CORNERS = ("A", "B", "C")
# Other points that are marked, the nearest first.
MOST_NEAR = 300
# Draws of three points before it is said that there are none that make a plane.
_DRAWS = 100


@dataclass(frozen=True, slots=True, eq=False)
class SliceImages:
    """The three data points of a slice, and those near it.

    Parameters
    ----------
    values : ndarray, shape (3, n_features)
        The points.
    titles : sequence of str
        What a reader calls each.
    shape : (int, int)
        Rows and columns of a picture of one.
    ends : (float, float)
        The least and the largest value of a feature.
    near : ndarray, shape (n, 2)
        Places of other points near the plane, the nearest first.
    near_titles : sequence of str
        What to call each.
    distance : float
        Within which they are.
    n_near : int
        How many there are, also those that are not marked.
    """

    values: Floats
    titles: Sequence[str]
    shape: tuple[int, int]
    ends: tuple[float, float]
    near: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    near_titles: Sequence[str] = ()
    distance: float = 0.0
    n_near: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class SliceData:
    """Data points as rows, their labels in words, and how one is drawn.

    Parameters
    ----------
    images : ndarray, shape (n_images, n_features)
        In the numbers that they came in: a copy of a large set in float64 would take its eightfold.
    labels : tuple of str, or None
        What each is.
    shape : (int, int)
        Rows and columns of a picture.
    ends : (float, float)
        The least and the largest value.
    """

    images: NDArray
    labels: tuple[str, ...] | None
    shape: tuple[int, int]
    ends: tuple[float, float]

    def frame(self, chosen: Sequence[int]) -> SliceFrame:
        """Return the plane through three of the points.

        Raises
        ------
        ValueError
            In a sentence, if there are no such points, or they lie on a line.
        """
        count = len(self.images)
        if len(chosen) != 3:
            raise ValueError(f"A plane goes through three data points, but {len(chosen)} were chosen.")
        for name, index in zip(CORNERS, chosen, strict=True):
            if not 0 <= index < count:
                raise ValueError(f"There is no data point {index} for {name}: they go from 0 to {count - 1:,}.")
        names = [f"{name} (data point {index})" for name, index in zip(CORNERS, chosen, strict=True)]
        return slice_frame(self.images[list(chosen)].astype(float), names)

    def first_three(self) -> tuple[int, int, int]:
        """Return the first of three labels, or the first three points that make a plane.

        Raises
        ------
        ValueError
            If all points lie on a line.
        """
        firsts = [] if self.labels is None else [self.labels.index(label) for label in dict.fromkeys(self.labels)]
        for chosen in (tuple(firsts[:3]), (0, 1, 2)):
            if self._plane(chosen):
                return chosen
        first = self.images[0].astype(float)
        away = np.abs(self.images - first).max(axis=1)
        for second in np.flatnonzero(away > 0)[:1].tolist():
            for third in range(len(self.images)):
                if self._plane((0, second, third)):
                    return 0, second, third
        raise ValueError("All data points lie on a line, so that there is no plane through three of them.")

    def shuffled(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """Return three points at random that make a plane, of three labels if there are as many."""
        labels = None if self.labels is None else np.array(self.labels)
        kinds = np.zeros(0) if labels is None else np.unique(labels)
        for _ in range(_DRAWS):
            if kinds.size >= 3:
                three = rng.choice(kinds, 3, replace=False)
                chosen = tuple(int(rng.choice(np.flatnonzero(labels == kind))) for kind in three)
            else:
                chosen = tuple(rng.choice(len(self.images), 3, replace=False).tolist())
            if self._plane(chosen):
                return chosen
        raise ValueError(f"{_DRAWS} draws of three data points made no plane; choose them by their numbers.")

    def _plane(self, chosen: Sequence[int]) -> bool:
        try:
            self.frame(chosen)
        except ValueError:
            return False
        return True

    def title(self, index: int) -> str:
        """Return what a reader calls a point."""
        if self.labels is None:
            return f"№ {index}"
        label = self.labels[index]
        return f"№ {index}, {f'label {label}' if label.isdigit() else label}"

    def around(self, frame: SliceFrame, chosen: Sequence[int], distance: float) -> SliceImages:
        """Return the chosen points, and the others within a distance of their plane, the nearest of them marked."""
        values = self.images[list(chosen)].astype(float)
        titles = [self.title(index) for index in chosen]
        if distance <= 0:
            return SliceImages(values, titles, self.shape, self.ends)
        places, away = frame.place(self.images)
        away[list(chosen)] = np.inf
        order = np.argsort(away, kind="stable")
        n_near = int(np.count_nonzero(away <= distance))
        order = order[: min(n_near, MOST_NEAR)]
        said = [f"{self.title(k)}, {away[k]:.3g} from the plane" for k in order.tolist()]
        return SliceImages(values, titles, self.shape, self.ends, places[order], said, distance, n_near)


def slice_data(images: ArrayLike, labels: ArrayLike | None = None, shape: Sequence[int] = ()) -> SliceData:
    """Return data points for a slice.

    Parameters
    ----------
    images : array_like, shape (n_images, n_features) or (n_images, height, width)
        At least three.
    labels : array_like, shape (n_images,), optional
        Numbers or text.
    shape : sequence of two int, optional
        Rows and columns of a picture.

    Returns
    -------
    SliceData

    Raises
    ------
    TypeError, ValueError
        In one sentence, if they are not such.

    Examples
    --------
    >>> from reluquant.views.slice_images import slice_data
    >>> data = slice_data([[0, 0], [1, 1], [2, 2], [0, 1]], [7.0, 7.0, 1.0, 1.0])
    >>> data.first_three(), data.title(3)
    ((0, 1, 3), '№ 3, label 1')
    """
    points = np.asarray(images)
    if points.dtype.kind not in "fiub":
        raise TypeError(f"images must hold real numbers, but they hold values of type {points.dtype}.")
    if points.ndim not in (2, 3) or len(points) < 3:
        raise ValueError(
            f"images must be at least three rows of features, or pictures of rows and columns, but got {points.shape}."
        )
    natural = points.shape[1:] if points.ndim == 3 else picture_shape(points.shape[1])
    points = points.reshape(len(points), -1)
    if points.shape[1] < 2:
        raise ValueError("A plane needs data points of at least two features, but these have one.")
    low, high = float(points.min()), float(points.max())
    # NaN passes through both.
    if not np.isfinite([low, high]).all():
        raise ValueError("images must be finite, but some values are NaN or infinite; remove or replace them.")
    shape = tuple(int(n) for n in shape) or tuple(natural)
    if len(shape) != 2 or min(shape) < 1 or shape[0] * shape[1] != points.shape[1]:
        raise ValueError(f"shape must be rows and columns of {points.shape[1]} features in all, but it is {shape}.")
    view = points.view()
    view.setflags(write=False)
    return SliceData(view, None if labels is None else _words(labels, len(points)), shape, (low, high))


def _words(labels: ArrayLike, count: int) -> tuple[str, ...]:
    found = np.asarray(labels)
    if found.shape != (count,):
        raise ValueError(f"labels must be one for each of {count:,} images, but their shape is {found.shape}.")
    if found.dtype.kind == "f" and np.all(found == np.round(found)):
        found = found.astype(np.int64)
    return tuple(map(str, found.tolist()))

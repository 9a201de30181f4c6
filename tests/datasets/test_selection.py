"""Which images are taken and what their labels are."""

from __future__ import annotations

import numpy as np
import pytest

from reluquant.datasets.selection import Selection

CLASSES = np.random.default_rng(5).choice(10, 400, p=np.arange(1, 11) / 55)
PIXELS = np.random.default_rng(6).integers(0, 17, (400, 3, 2))


def select(n=None, classes=None, binary=None, *, balanced=True, rng=0):
    return Selection.of(n, classes, binary, balanced, rng)


def counts(selection):
    return np.bincount(CLASSES[selection.positions(CLASSES)], minlength=10)


def test_by_default_all_are_taken_in_their_own_order():
    data = select().dataset(PIXELS, CLASSES, ink=16, name="some")
    assert data.name == "some 400"
    assert np.array_equal(data.X * 16, PIXELS.reshape(400, 6))
    assert np.array_equal(data.y @ np.arange(10), CLASSES)
    assert np.array_equal(data.y.sum(axis=1), np.ones(400))


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("wish", [{}, {"classes": (7, 2, 9)}, {"binary": (8, 3)}, {"binary": "parity"}])
def test_fewer_images_are_the_first_of_more(balanced, wish):
    most = select(**wish).positions(CLASSES).size
    longest = select(most, **wish, balanced=balanced, rng=4).positions(CLASSES)
    assert np.array_equal(np.sort(longest), select(**wish).positions(CLASSES))
    for n in range(1, most):
        shorter = select(n, **wish, balanced=balanced, rng=np.random.default_rng(4)).positions(CLASSES)
        assert np.array_equal(shorter, longest[:n])


def test_labels_do_not_decide_which_images_are_taken():
    def taken(**wish):
        return select(30, **wish).positions(CLASSES).tolist()

    assert taken() == taken(binary="parity") == taken(binary=((9, 1, 3, 5, 7), (0, 2, 4, 6, 8)))
    assert taken(classes=(3, 8)) == taken(classes=(8, 3)) == taken(binary=(3, 8)) == taken(binary=(8, 3))


def test_classes_are_balanced_until_they_run_out():
    there = np.bincount(CLASSES, minlength=10)
    for n in range(1, 401):
        taken = counts(select(n))
        assert taken.sum() == n
        # Whoever has fewer than the most has none left, or lacks the last one only.
        assert np.all((taken == there) | (taken >= taken.max() - 1))


def test_without_balance_all_images_are_equally_likely():
    taken = np.mean([counts(select(40, balanced=False, rng=seed)) for seed in range(500)], axis=0)
    expected = 40 * np.bincount(CLASSES, minlength=10) / 400
    # Hypergeometric: a standard deviation of at most sqrt(40/4), and 500 of them are averaged.
    assert np.abs(taken - expected).max() < 5 * np.sqrt(10 / 500)
    assert np.ptp(expected) > 5


def test_within_a_class_all_images_are_equally_likely():
    class_nine = np.flatnonzero(CLASSES == 9)
    hits = np.zeros(400)
    for seed in range(2000):
        hits[select(20, rng=seed).positions(CLASSES)] += 1
    # Two of each class every time, binomial for every image.
    share = 2 / class_nine.size
    assert hits[class_nine].sum() == 4000
    assert np.abs(hits[class_nine] - 2000 * share).max() < 5 * np.sqrt(2000 * share * (1 - share))


def test_columns_are_in_the_order_of_the_classes():
    data = select(classes=(7, 2, 9)).dataset(PIXELS, CLASSES, ink=16, name="some")
    kept = CLASSES[np.isin(CLASSES, (7, 2, 9))]
    assert data.y.shape == (kept.size, 3)
    for row, one in zip(data.y, kept, strict=True):
        assert row.tolist() == [one == 7, one == 2, one == 9]


@pytest.mark.parametrize(
    ("wish", "negative", "positive"),
    [
        ({"binary": (3, 8)}, {3}, {8}),
        ({"binary": [8, 3]}, {8}, {3}),
        ({"binary": np.array([1, 7])}, {1}, {7}),
        ({"binary": ((0, 1), (5, 9, 2))}, {0, 1}, {5, 9, 2}),
        ({"binary": (4, range(5, 10))}, {4}, {5, 6, 7, 8, 9}),
        ({"binary": "parity"}, {0, 2, 4, 6, 8}, {1, 3, 5, 7, 9}),
        ({"binary": "parity", "classes": (0, 1, 4)}, {0, 4}, {1}),
    ],
)
def test_binary_labels(wish, negative, positive):
    selection = select(**wish)
    kept = CLASSES[selection.positions(CLASSES)]
    data = selection.dataset(PIXELS, CLASSES, ink=16, name="some")
    assert data.y.tolist() == [-1.0 if one in negative else 1.0 for one in kept]
    assert set(kept.tolist()) == negative | positive


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"n": 0}, "n must be an integer of at least 1, but it is 0"),
        ({"n": 2.0}, "n must be an integer"),
        ({"n": True}, "n must be an integer"),
        ({"rng": "seed"}, "rng must be"),
        ({"classes": 3}, "classes must be different integers from 0 to 9, such as .3, 8., but it is 3"),
        ({"classes": "38"}, "classes must be different integers"),
        ({"classes": (0, 1.0)}, "classes must be different integers"),
        ({"classes": (True, False)}, "classes must be different integers"),
        ({"classes": (0, 10)}, "classes must be different integers from 0 to 9"),
        ({"classes": (-1, 1)}, "classes must be different integers from 0 to 9"),
        ({"classes": (1, 1)}, "classes must be different integers"),
        ({"classes": (3,)}, "classes must name at least two classes"),
        ({"classes": ()}, "classes must name at least two classes"),
        ({"binary": "odd"}, 'binary must be "parity" or a pair such as .3, 8., but it is \'odd\''),
        ({"binary": 3}, 'binary must be "parity" or a pair'),
        ({"binary": (3, 8, 9)}, 'binary must be "parity" or a pair'),
        ({"binary": (3, 3)}, 'binary must be "parity" or a pair'),
        ({"binary": ((1, 2), (2, 3))}, 'binary must be "parity" or a pair'),
        ({"binary": ((), (2, 3))}, 'binary must be "parity" or a pair'),
        ({"binary": (3, "8")}, "Each side of binary must be different integers from 0 to 9"),
        ({"binary": (3, 10)}, "Each side of binary must be different integers from 0 to 9"),
        ({"binary": (3, 8), "classes": (3, 8)}, "give either binary or classes"),
        ({"binary": "parity", "classes": (2, 4)}, "Parity needs an even and an odd class, but classes is"),
    ],
)
def test_what_cannot_be_meant_is_refused(wish, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        select(**wish)


def test_more_images_than_there_are_is_an_error_that_says_how_many_there_are():
    there = int(np.isin(CLASSES, (0, 1)).sum())
    with pytest.raises(ValueError, match=rf"n must be at most {there}, .* classes \(0, 1\), but it is {there + 1}"):
        select(there + 1, (0, 1)).positions(CLASSES)
    with pytest.raises(ValueError, match="There are no images of the classes .0, 1."):
        select(None, (0, 1)).positions(np.array([5, 5]))

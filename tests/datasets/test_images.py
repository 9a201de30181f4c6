"""MNIST, Fashion-MNIST and the digits: from small files, from the real ones where there are some."""

from __future__ import annotations

import hashlib
import os
import re
import sys

import numpy as np
import pytest

from reluquant import Dataset, datasets
from reluquant.datasets import images as image_sets
from reluquant.datasets.idx import read_labels
from reluquant.datasets.image_files import locate
from reluquant.structures.losses import check_labels, named
from tests.idx_files import NAMES, idx_bytes, images_and_labels, write_set

IMAGES, LABELS = images_and_labels()
MAKERS = {"mnist": datasets.mnist, "fashion-mnist": datasets.fashion_mnist}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    monkeypatch.setenv("RELUQUANT_OFFLINE", "1")


@pytest.fixture
def real() -> dict:
    """Arguments with which the real files of MNIST are found."""
    folder = os.environ.get("RELUQUANT_DATA")
    if not folder:
        pytest.skip("RELUQUANT_DATA names no folder, so the real files of MNIST are not looked at")
    try:
        locate(image_sets.MNIST, "train", root=folder, download=False)
        locate(image_sets.MNIST, "test", root=folder, download=False)
    except FileNotFoundError:
        pytest.skip("RELUQUANT_DATA holds no files of MNIST, so they are not looked at")
    return {"root": folder}


@pytest.mark.parametrize("name", MAKERS)
def test_images_are_rows_of_pixels_from_zero_to_one_with_one_column_a_class(tmp_path, name):
    write_set(tmp_path, IMAGES, LABELS, compress=True)
    data = MAKERS[name](root=tmp_path)
    assert isinstance(data, Dataset)
    assert data.name == {"mnist": "MNIST 200", "fashion-mnist": "Fashion-MNIST 200"}[name]
    assert np.array_equal(np.rint(data.X * 255), IMAGES.reshape(200, 16))
    assert np.array_equal(data.y, np.eye(10)[LABELS])
    assert data.bias


@pytest.mark.parametrize("name", MAKERS)
def test_every_image_keeps_its_label(tmp_path, name):
    write_set(tmp_path / name, IMAGES, LABELS, split="test")
    data = MAKERS[name](50, split="test", classes=(7, 2, 9), root=tmp_path, rng=3)
    # The first pixel of these images is their class.
    assert np.array_equal(np.rint(data.X[:, 0] * 255), data.y @ (7, 2, 9))
    data = MAKERS[name](50, split="test", binary="parity", root=tmp_path, rng=3)
    assert np.array_equal(np.rint(data.X[:, 0] * 255) % 2 * 2 - 1, data.y)
    assert data.name.endswith("test 50")


def test_arguments_reach_the_selection(tmp_path):
    write_set(tmp_path, IMAGES, LABELS)
    for maker in MAKERS.values():
        few, many = maker(20, root=tmp_path), maker(90, root=tmp_path)
        assert np.array_equal(many.X[:20], few.X)
        assert few.y.sum(axis=0).tolist() == [2.0] * 10
        other = maker(20, root=tmp_path, rng=1)
        assert not np.array_equal(other.X, few.X)
        assert maker(20, root=tmp_path, balanced=False).y.sum(axis=0).tolist() != [2.0] * 10


def test_splits_are_different_files(tmp_path):
    write_set(tmp_path, IMAGES, LABELS)
    write_set(tmp_path, *images_and_labels(30, seed=1), split="test")
    assert datasets.mnist(root=tmp_path).n_samples == 200
    assert datasets.mnist(split="test", root=tmp_path).n_samples == 30


def test_images_and_labels_must_fit(tmp_path):
    write_set(tmp_path, IMAGES, LABELS[:-1])
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte holds 200 images but .*train-labels.* 199 labels"):
        datasets.mnist(root=tmp_path)


def test_labels_are_classes(tmp_path):
    write_set(tmp_path, IMAGES, LABELS + 1)
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte must hold labels from 0 to 9, but one is 10"):
        datasets.mnist(root=tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    write_set(tmp_path, IMAGES, LABELS, compress=True)
    path = tmp_path / f"{NAMES['train'][0]}.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=f"{re.escape(str(path))} is cut off"):
        datasets.mnist(root=tmp_path)


def test_files_of_another_set_are_not_taken_for_this_one(tmp_path, monkeypatch):
    # All sets name their files alike, so only the content tells them apart.
    write_set(tmp_path, IMAGES, LABELS)
    digest = hashlib.md5(idx_bytes(LABELS), usedforsecurity=False).hexdigest()
    fashion = image_sets.FASHION_MNIST
    known = type(fashion)(fashion.name, fashion.folders, fashion.mirrors, fashion.checksums, frozenset({digest}))
    monkeypatch.setattr(image_sets, "FASHION_MNIST", known)
    assert datasets.fashion_mnist(root=tmp_path).n_samples == 200
    with pytest.raises(ValueError, match="belongs to Fashion-MNIST, not to MNIST; put the files of MNIST into"):
        datasets.mnist(root=tmp_path)


@pytest.mark.parametrize("maker", [*MAKERS.values(), datasets.digits])
def test_arguments_are_looked_at_before_any_file(maker):
    for wish, sentence in (
        ({"n": 0}, "n must be an integer of at least 1"),
        ({"split": "validation"}, "split must be 'train' or 'test'.*, but it is 'validation'"),
        ({"classes": (0, 10)}, "classes must be different integers"),
        ({"binary": "odd"}, "binary must be"),
        ({"rng": "seed"}, "rng must be"),
    ):
        with pytest.raises((TypeError, ValueError), match=sentence):
            maker(**wish)


def test_published_sets_name_a_checksum_for_each_file():
    for published in (image_sets.MNIST, image_sets.FASHION_MNIST):
        assert sorted(published.checksums) == sorted(f"{stem}.gz" for pair in NAMES.values() for stem in pair)
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", sum_) for sum_ in published.checksums.values())
        assert len(published.mirrors) > 1
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in published.mirrors)


def test_mnist_has_its_published_mean_and_deviation(real):
    data = datasets.mnist(**real)
    assert (data.name, data.X.shape, data.y.shape) == ("MNIST 60000", (60_000, 784), (60_000, 10))
    # The 0.1307 and 0.3081 with which everybody standardises.
    assert data.X.mean() == pytest.approx(0.13066, abs=5e-6)
    assert data.X.std() == pytest.approx(0.30811, abs=5e-6)
    assert (data.X.min(), data.X.max()) == (0, 1)
    assert data.y.sum(axis=0).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert (data.y[:5] @ np.arange(10)).tolist() == [5, 0, 4, 1, 9]


def test_mnist_has_its_published_test_half(real):
    data = datasets.mnist(split="test", **real)
    assert (data.name, data.X.shape) == ("MNIST test 10000", (10_000, 784))
    assert data.y.sum(axis=0).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (data.y[:5] @ np.arange(10)).tolist() == [7, 2, 1, 0, 4]


def test_a_thousand_of_mnist_are_a_hundred_of_each(real):
    data = datasets.mnist(1000, **real)
    assert data.y.sum(axis=0).tolist() == [100.0] * 10
    threes_and_eights = datasets.mnist(1000, binary=(3, 8), **real)
    assert (np.count_nonzero(threes_and_eights.y == -1), np.count_nonzero(threes_and_eights.y == 1)) == (500, 500)


def test_the_labels_of_mnist_are_recognised(real):
    with pytest.raises(ValueError, match="belongs to MNIST, not to Fashion-MNIST; put the files of Fashion-MNIST into"):
        datasets.fashion_mnist(root=locate(image_sets.MNIST, "train", download=False, **real)[1].parent)


def test_the_real_files_have_their_published_content(real):
    published = {  # SHA-256 of the uncompressed files
        "train": ("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                  "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        "test": ("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                 "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    }  # fmt: skip
    for split, sums in published.items():
        images, labels = locate(image_sets.MNIST, split, download=False, **real)
        values = image_sets.read_images(images), read_labels(labels)
        assert tuple(hashlib.sha256(idx_bytes(v)).hexdigest() for v in values) == sums


def test_the_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    data = datasets.digits()
    assert data.name == "digits 1797"
    assert np.array_equal(data.X * 16, images)
    assert np.array_equal(data.y, np.eye(10)[labels])
    assert (data.X.min(), data.X.max()) == (0, 1)


def test_the_halves_of_the_digits_are_all_of_them_and_each_has_all_classes():
    whole, train, test = (datasets.digits(split=split) for split in (None, "train", "test"))
    assert (train.n_samples, test.n_samples, test.name) == (1287, 510, "digits test 510")
    assert np.array_equal(np.concatenate([train.X, test.X]), whole.X)
    assert np.array_equal(np.concatenate([train.y, test.y]), whole.y)
    # All forms start with the same digits, and one starts here.
    assert np.array_equal(test.y[:36], train.y[:36])
    for half in (train, test):
        assert half.y.mean(axis=0).min() > 0.09
        assert half.y.mean(axis=0).max() < 0.11


def test_the_digits_are_drawn_like_other_images():
    few, many = datasets.digits(50, binary=(1, 7)), datasets.digits(300, binary=(1, 7))
    assert np.array_equal(many.X[:50], few.X)
    assert np.sum(few.y) == 0
    with pytest.raises(ValueError, match="n must be at most 361"):
        datasets.digits(362, binary=(1, 7))


def test_without_scikit_learn_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ModuleNotFoundError, match=r"scikit-learn.* run: pip install 'reluquant\[data\]'"):
        datasets.digits()


def test_labels_are_as_the_losses_take_them():
    check_labels(named("cross-entropy"), datasets.digits(40).y)
    check_labels(named("cross-entropy"), datasets.digits(40, classes=(4, 9)).y)
    check_labels(named("logistic"), datasets.digits(40, binary="parity").y)
    assert datasets.digits(40, binary="parity").y.ndim == 1

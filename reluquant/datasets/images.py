"""Handwritten digits and pieces of clothing: MNIST, Fashion-MNIST, and the digits of scikit-learn."""

from __future__ import annotations

import hashlib
import os

import numpy as np
from numpy.typing import NDArray

from reluquant.datasets.idx import Bytes, read_images, read_labels
from reluquant.datasets.image_files import ImageSet, locate
from reluquant.datasets.selection import N_CLASSES, Binary, Classes, Selection
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng

MNIST = ImageSet(
    name="MNIST",
    folders=("mnist", "MNIST/raw"),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    checksums={
        "train-images-idx3-ubyte.gz": "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    labels=frozenset({"a25bea736e30d166cdddb491f175f624", "27ae3e4e09519cfbb04c329615203637"}),
)
FASHION_MNIST = ImageSet(
    name="Fashion-MNIST",
    folders=("fashion-mnist", "FashionMNIST/raw"),
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    checksums={
        "train-images-idx3-ubyte.gz": "sha256:3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "sha256:a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "sha256:346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "sha256:67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    labels=frozenset({"9018921c3c673c538a1fc5bad174d6f9", "15d484375f8d13e6eb1aabb0c3f46965"}),
)

# The file is a row of forms that were filled in with the same 130 digits or so; here the eleventh begins.
_FIRST_TEST_DIGIT = 1287


def mnist(
    n: int | None = None,
    *,
    split: str = "train",
    classes: Classes = None,
    binary: Binary = None,
    balanced: bool = True,
    root: str | os.PathLike | None = None,
    download: bool = True,
    rng: Rng = 0,
) -> Dataset:
    """Handwritten digits, 28 by 28 pixels: 60,000 to train with and 10,000 to test with.

    Parameters
    ----------
    n : int, optional
        How many images, drawn by ``rng``; all by default, in the order of the files.
    split : {"train", "test"}
        Which half.
    classes : sequence of int, optional
        Only these digits, with one column of labels for each in the order given. All ten by default.
    binary : "parity" or pair, optional
        Labels -1 and 1. ``"parity"``: even -1, odd 1. ``(3, 8)``: only threes, -1, and eights, 1. Either side can be
        several digits: ``((0, 1, 2, 3, 4), (5, 6, 7, 8, 9))``.
    balanced : bool, default True
        Whether there are as many of each digit (up to one) as long as none runs out; otherwise all images are
        equally likely.
    root : path, optional
        The folder with the files, or with a subfolder ``mnist`` or ``MNIST/raw``. By default they are looked for in the
        folder that the environment variable RELUQUANT_DATA names, then in the cache, then downloaded into the cache.
    download : bool, default True
        Whether the network may be used. The environment variable RELUQUANT_OFFLINE=1 refuses it too.
    rng : int, numpy.random.Generator or None, default 0
        Which images; the same by default. With the same seed the images for a smaller ``n`` are the first of those
        for a larger one, whatever the labels.

    Returns
    -------
    Dataset
        ``X``, shape (n, 784): pixels row by row, from 0 (paper) to 1 (ink), neither centred nor standardised; 376 MB
        for all of them. ``y``: one-hot, shape (n, n_classes), as the squared loss and the cross-entropy take them; or
        ±1, shape (n,), with ``binary``.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, there are not ``n`` such images, or a file is damaged or of another set.
    FileNotFoundError, NotADirectoryError
        If there are no files and the network is refused, or a folder is none.
    ConnectionError, OSError
        If no mirror has a sound copy, or the cache cannot be written.

    Notes
    -----
    Files of one's own, with any number of images of any size in the same format and under the same names, are
    taken from ``root`` or RELUQUANT_DATA as they are; downloads are compared with published checksums.

    References
    ----------
    Y. LeCun, C. Cortes and C. Burges, *The MNIST database of handwritten digits*.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.mnist(1000)  # doctest: +SKIP
    Dataset('MNIST 1000', n_samples=1000, n_features=784)
    >>> rq.datasets.mnist(200, split="test", binary=(3, 8)).y.shape  # doctest: +SKIP
    (200,)
    """
    selection = Selection.of(n, classes, binary, balanced, rng)
    pixels, of_images = _load(MNIST, split, root, download)
    return selection.dataset(pixels, of_images, ink=255, name=_title("MNIST", split))


def fashion_mnist(
    n: int | None = None,
    *,
    split: str = "train",
    classes: Classes = None,
    binary: Binary = None,
    balanced: bool = True,
    root: str | os.PathLike | None = None,
    download: bool = True,
    rng: Rng = 0,
) -> Dataset:
    """Pieces of clothing in the format of MNIST, harder to tell apart.

    The classes are T-shirt or top (0), trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot (9).

    Parameters
    ----------
    n, split, classes, binary, balanced, root, download, rng
        As for :func:`reluquant.datasets.mnist`; the subfolders are ``fashion-mnist`` and ``FashionMNIST/raw``.

    Returns
    -------
    Dataset
        As from :func:`reluquant.datasets.mnist`.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, NotADirectoryError, ConnectionError, OSError
        As by :func:`reluquant.datasets.mnist`.

    References
    ----------
    Xiao, Rasul & Vollgraf (2017), arXiv:1708.07747.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.fashion_mnist(1000, binary=(2, 4))  # doctest: +SKIP
    Dataset('Fashion-MNIST 1000', n_samples=1000, n_features=784)
    """
    selection = Selection.of(n, classes, binary, balanced, rng)
    pixels, of_images = _load(FASHION_MNIST, split, root, download)
    return selection.dataset(pixels, of_images, ink=255, name=_title("Fashion-MNIST", split))


def digits(
    n: int | None = None,
    *,
    split: str | None = None,
    classes: Classes = None,
    binary: Binary = None,
    balanced: bool = True,
    rng: Rng = 0,
) -> Dataset:
    """Handwritten digits, 8 by 8 pixels, that scikit-learn brings along: 1797, without network.

    Parameters
    ----------
    n, classes, binary, balanced, rng
        As for :func:`reluquant.datasets.mnist`.
    split : {"train", "test"}, optional
        The first 1287 digits or the last 510, or all by default. The file is a row of forms, each in one hand, and no
        form is divided: the test digits are in other hands than those to train with.

    Returns
    -------
    Dataset
        ``X``, shape (n, 64): pixels row by row, from 0 (paper) to 1 (ink), not centred.
        ``y``: as from :func:`reluquant.datasets.mnist`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, or there are not ``n`` such images.
    ModuleNotFoundError
        If scikit-learn is not installed.

    References
    ----------
    E. Alpaydin & C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository: the
    test set.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.datasets.digits(200, split="train", binary="parity")
    >>> data, data.y[:4]
    (Dataset('digits 200', n_samples=200, n_features=64), array([-1.,  1.,  1.,  1.]))
    >>> rq.datasets.digits(classes=(0, 1)).y.sum(axis=0)
    array([178., 182.])
    """
    selection = Selection.of(n, classes, binary, balanced, rng)
    _check_split(split, ("train", "test", None))
    pixels, of_images = _sklearn_digits()
    part = {"train": slice(_FIRST_TEST_DIGIT), "test": slice(_FIRST_TEST_DIGIT, None), None: slice(None)}[split]
    return selection.dataset(pixels[part], of_images[part], ink=16, name=_title("digits", split))


def _check_split(split: object, allowed: tuple[str | None, ...]) -> None:
    if split not in allowed:
        raise ValueError(f"split must be {' or '.join(map(repr, allowed))}, but it is {split!r}.")


def _load(images: ImageSet, split: str, root: str | os.PathLike | None, download: bool) -> tuple[Bytes, Bytes]:
    """Images and their classes, which fit each other and are of no other set."""
    _check_split(split, ("train", "test"))
    image_path, label_path = locate(images, split, root=root, download=download)
    pixels, of_images = read_images(image_path), read_labels(label_path)
    if len(pixels) != len(of_images):
        raise ValueError(
            f"{image_path} holds {len(pixels)} images but {label_path} {len(of_images)} labels; put a pair that belongs"
            " together in their place."
        )
    if of_images.max() >= N_CLASSES:
        raise ValueError(
            f"{label_path} must hold labels from 0 to {N_CLASSES - 1}, but one is {of_images.max()}; give other files."
        )
    digest = _digest(of_images)
    for other in (MNIST, FASHION_MNIST):
        if other.name != images.name and digest in other.labels:
            raise ValueError(
                f"{label_path} belongs to {other.name}, not to {images.name}; put the files of {images.name} into a"
                f" subfolder {images.folders[0]}, or name their folder by root=."
            )
    return pixels, of_images


def _digest(labels: Bytes) -> str:
    """MD5 of the uncompressed file of given labels, by which sets are told apart; nothing depends on its strength."""
    header = b"\0\0\x08\x01" + len(labels).to_bytes(4)
    return hashlib.md5(header + labels.tobytes(), usedforsecurity=False).hexdigest()


def _sklearn_digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "digits come with the package scikit-learn, which is not installed; run: pip install 'reluquant[data]'."
        ) from error
    return load_digits(return_X_y=True)


def _title(name: str, split: str | None) -> str:
    return f"{name} test" if split == "test" else name

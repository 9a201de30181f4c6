"""Reading IDX files: what is right is read, and whatever is wrong is said with the path of the file."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from reluquant.datasets.idx import read_images, read_labels
from tests.idx_files import idx_bytes, images_and_labels, zipped

IMAGES, LABELS = images_and_labels(6)
PLAIN = idx_bytes(IMAGES)
ZIPPED = zipped(PLAIN)
PAGE = b"\n<!DOCTYPE html><html><body>404: not here</body></html>"


def damaged(at: int, content: bytes) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


@pytest.mark.parametrize("name", ["images", "images.gz"])
@pytest.mark.parametrize("content", [PLAIN, ZIPPED], ids=["plain", "zipped"])
def test_files_are_read_by_their_content_whatever_their_name(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert np.array_equal(read_images(path), IMAGES)
    assert read_images(path).dtype == np.uint8


def test_labels_are_read(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(LABELS))
    assert read_labels(path).tolist() == LABELS.tolist()


DAMAGES = {
    "empty": (b"", "is empty"),
    "an empty archive": (zipped(b""), "is empty"),
    "a page": (PAGE, "is a web page, saved under the name of a data file"),
    "a compressed page": (zipped(PAGE), "is a web page"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), "is no IDX file: it starts with 89 50 4e 47 and not with 00 00"),
    "two bytes": (PLAIN[:2], "is cut off within its header"),
    "half a header": (PLAIN[:10], "is cut off within its header"),
    "half of it": (PLAIN[: len(PLAIN) // 2], "is cut off: its header says 6 × 4 × 4 values, but only 40 follow"),
    "no values": (PLAIN[:16], "but only 0 follow"),
    "too much": (PLAIN + b"\0", "is damaged: its header says 6 × 4 × 4 values, but more follow"),
    "too much in the archive": (zipped(PLAIN + b"\0"), "but more follow"),
    "half an archive": (ZIPPED[: len(ZIPPED) // 2], "is cut off: its compressed data end too early"),
    "no checksum": (ZIPPED[:-8], "is cut off: its compressed data end too early"),
    "a wrong checksum": (damaged(len(ZIPPED) - 8, ZIPPED), "is damaged: it cannot be decompressed .CRC check failed"),
    "a damaged archive": (damaged(12, ZIPPED), "is damaged: it cannot be decompressed"),
    "rubbish behind an archive": (ZIPPED + b"rubbish", "is damaged: it cannot be decompressed"),
    "labels": (idx_bytes(LABELS), "holds labels, but images are expected"),
    "a matrix": (idx_bytes(IMAGES[0]), "holds arrays of 2 dimensions, but images are expected"),
    "floats": (struct.pack(">HBB3I", 0, 0x0D, 3, 1, 1, 1) + bytes(4), "holds values of type 0x0d, but unsigned bytes"),
    "no images": (struct.pack(">HBB3I", 0, 8, 3, 0, 28, 28), "is damaged: its header says 0 × 28 × 28 values"),
    "an absurd number": (struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**31, 28) + bytes(99), "is damaged: its header"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_named_with_the_path_and_what_to_do(tmp_path, damage):
    content, sentence = DAMAGES[damage]
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as error:
        read_images(path)
    assert str(error.value).startswith(str(path))
    assert str(error.value).endswith("; put a sound copy of the IDX file of images in its place.")


def test_images_are_no_labels(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(PLAIN)
    with pytest.raises(ValueError, match="holds images, but labels are expected; put a sound copy .* of labels"):
        read_labels(path)


@pytest.mark.parametrize("content", [PLAIN, ZIPPED], ids=["plain", "zipped"])
def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path, content):
    path = tmp_path / "images"
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match="put a sound copy"):
            read_images(path)


def test_an_archive_with_any_wrong_byte_is_refused_or_read_rightly(tmp_path):
    path, refused = tmp_path / "images.gz", 0
    for at in range(len(ZIPPED)):
        path.write_bytes(damaged(at, ZIPPED))
        try:
            found = read_images(path)
        except ValueError:
            refused += 1
        else:
            # The time and the system in the header of an archive say nothing about its content.
            assert np.array_equal(found, IMAGES)
    assert refused >= len(ZIPPED) - 10


def test_a_file_that_is_not_there_is_an_ordinary_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_images(tmp_path / "nowhere")

"""Where the files of an image set are: in a folder of the user, in the cache, or at a mirror."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# Names the folder in which files of images are looked for first.
DATA_FOLDER = "RELUQUANT_DATA"
# Anything but an empty text and 0 refuses the network.
OFFLINE = "RELUQUANT_OFFLINE"

# Seconds without an answer after which the next mirror is tried.
_PATIENCE = 20
_BY_HAND = f"name a folder that holds the files by root= or by the environment variable {DATA_FOLDER}"

_STEMS = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """A published set of images and labels, in four files.

    Attributes
    ----------
    name : str
        As in its publication.
    folders : tuple of str
        Subfolders where its files may lie, the usual ones of other libraries too. The first is its own in the cache.
    mirrors : tuple of str
        Addresses before the names of the files.
    checksums : dict
        Of the compressed files by name, as pooch wants them.
    labels : frozenset of str
        MD5 of the uncompressed files of labels, by which a set is recognised: all sets name their files alike.
    """

    name: str
    folders: tuple[str, ...]
    mirrors: tuple[str, ...]
    checksums: dict[str, str]
    labels: frozenset[str]


def locate(images: ImageSet, split: str, *, root: str | os.PathLike | None, download: bool) -> tuple[Path, Path]:
    """Return the paths of the files of images and of labels, which are downloaded if need be.

    Parameters
    ----------
    images : ImageSet
        Which set.
    split : {"train", "test"}
        Which half of it.
    root : path, optional
        The only folder to look in. By default the one that RELUQUANT_DATA names, then the cache, then the mirrors.
    download : bool
        Whether the network may be used.

    Raises
    ------
    FileNotFoundError
        If there are no files and the network may not be used, or only one of the two.
    TypeError, NotADirectoryError
        If ``root`` or RELUQUANT_DATA names no folder.
    ConnectionError
        If no mirror has a sound copy.
    OSError
        If the cache cannot be written.
    """
    import pooch

    if root is not None:
        folder = _folder(root, "root")
        if found := _pair(images, split, folder):
            return found
        raise FileNotFoundError(
            f"{' and '.join(_STEMS[split])} (.gz or not) of {images.name} are neither in {folder} nor in its"
            f" subfolders {' or '.join(images.folders)}; root must name the folder that holds them."
        )
    looked = []
    if named := os.environ.get(DATA_FOLDER):
        folder = _folder(named, DATA_FOLDER)
        if found := _pair(images, split, folder):
            return found
        looked.append(folder)
    cache = Path(pooch.os_cache("reluquant")).expanduser() / images.folders[0]
    if download and os.environ.get(OFFLINE, "0") in ("", "0"):
        return tuple(_fetched(images, f"{stem}.gz", cache) for stem in _STEMS[split])
    if found := _pair(images, split, cache):
        return found
    places = " and ".join(str(place) for place in (*looked, cache))
    raise FileNotFoundError(
        f"{' and '.join(_STEMS[split])} (.gz or not) of {images.name} are missing: looked in {places}, and the network"
        f" is refused by {'download=False' if not download else OFFLINE}; {_BY_HAND}, or allow"
        " the download."
    )


def _folder(named: str | os.PathLike, source: str) -> Path:
    if not isinstance(named, str | os.PathLike):
        raise TypeError(f"{source} must be the path of a folder, but it is {named!r}.")
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{source} must name a folder with files of images, but {str(named)!r} is none; mend the path."
        )
    return folder


def _pair(images: ImageSet, split: str, folder: Path) -> tuple[Path, Path] | None:
    """Both files from one place; never the images of one and the labels of another."""
    for place in (*(folder / sub for sub in images.folders), folder):
        found = [_file(place, stem) for stem in _STEMS[split]]
        if all(found):
            return tuple(found)
        if any(found):
            there, missing = _STEMS[split] if found[0] else _STEMS[split][::-1]
            raise FileNotFoundError(f"{place} holds {there} but no {missing} (.gz or not); put it there too.")
    return None


def _file(place: Path, stem: str) -> Path | None:
    # Some copies have a full stop before idx.
    names = [name + end for name in (stem, stem.replace("-idx", ".idx")) for end in ("", ".gz")]
    return next((place / name for name in names if (place / name).is_file()), None)


def _fetched(images: ImageSet, name: str, cache: Path) -> Path:
    """The file in the cache if its checksum is right, else from the first mirror that has it.

    A file has its name only when it has arrived whole, so the next call repeats a download that was interrupted.
    """
    import pooch
    from requests import RequestException

    downloader = pooch.HTTPDownloader(timeout=_PATIENCE)
    faults = []
    for mirror in images.mirrors:
        try:
            return Path(pooch.retrieve(mirror + name, images.checksums[name], name, cache, downloader=downloader))
        except RequestException as error:
            answered = getattr(error.response, "status_code", None)
            faults.append(f"{mirror}: {answered or type(error).__name__}")
        except ValueError:
            faults.append(f"{mirror}: another checksum than the published one")
        except OSError as error:
            raise OSError(f"{name} of {images.name} cannot be written into {cache} ({error}); {_BY_HAND}.") from error
    raise ConnectionError(
        f"{name} of {images.name} could not be downloaded into {cache} ({'; '.join(faults)}); try again, or {_BY_HAND}."
    )

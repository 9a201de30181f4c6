"""Where files of images come from: folders, the cache, and mirrors that fail in every way, served by this computer."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pooch
import pytest

from reluquant.datasets.image_files import ImageSet, locate
from tests.idx_files import NAMES, idx_bytes, images_and_labels, write_set, zipped

CONTENT = {
    f"{stem}.gz": zipped(idx_bytes(values)) for stem, values in zip(NAMES["train"], images_and_labels(), strict=True)
}
IMAGES, LABELS = CONTENT


class Mirror(BaseHTTPRequestHandler):
    """The first part of an address says how the mirror fails."""

    def do_GET(self):
        _, way, name = self.path.split("/")
        self.server.requests[way, name] += 1
        content = CONTENT[name]
        if way == "missing" or (way == "half" and name not in self.server.there):
            self.send_error(404)
            return
        if way == "cut":
            content = content[: len(content) // 2]
        if way == "page":
            content = b"<html>Welcome to the wireless network of this hotel</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if way == "interrupted" else content)

    def log_message(self, *_args):
        pass


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and none of the user's own settings."""
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.delenv("RELUQUANT_DATA", raising=False)
    monkeypatch.delenv("RELUQUANT_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache" / "reluquant" / "small"


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.requests, server.there = Counter(), {IMAGES}
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def small_set(server=None, *ways) -> ImageSet:
    place = f"http://127.0.0.1:{server.server_port if server else dead_port()}"
    return ImageSet(
        name="Small",
        folders=("small", "Small/raw"),
        mirrors=tuple(f"http://127.0.0.1:{dead_port()}/" if way == "dead" else f"{place}/{way}/" for way in ways),
        checksums={name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in CONTENT.items()},
        labels=frozenset(),
    )


def found(images, *, root=None, download=False, split="train"):
    return locate(images, split, root=root, download=download)


@pytest.mark.parametrize("faulty", ["cut", "interrupted", "missing", "dead", "page"])
def test_the_next_mirror_helps_when_one_fails(cache, server, faulty):
    paths = found(small_set(server, faulty, "good"), download=True)
    assert paths == (cache / IMAGES, cache / LABELS)
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert sorted(path.name for path in cache.iterdir()) == sorted(CONTENT)
    assert server.requests["good", IMAGES] == server.requests["good", LABELS] == 1
    if faulty != "dead":
        assert server.requests[faulty, IMAGES] == 1


def test_nothing_is_fetched_twice(cache, server):
    images = small_set(server, "good")
    assert found(images, download=True) == found(images, download=True) == found(images, download=False)
    assert set(server.requests.values()) == {1}


def test_a_damaged_file_in_the_cache_is_fetched_again(cache, server):
    images = small_set(server, "good")
    found(images, download=True)
    (cache / LABELS).write_bytes(CONTENT[LABELS][:20])
    found(images, download=True)
    assert (cache / LABELS).read_bytes() == CONTENT[LABELS]
    assert (server.requests["good", IMAGES], server.requests["good", LABELS]) == (1, 2)


def test_a_download_goes_on_where_it_failed(cache, server):
    images = small_set(server, "half")
    with pytest.raises(ConnectionError, match=LABELS):
        found(images, download=True)
    # The one that arrived stays, and of the other there is nothing.
    assert [path.name for path in cache.iterdir()] == [IMAGES]
    server.there.add(LABELS)
    found(images, download=True)
    assert (server.requests["half", IMAGES], server.requests["half", LABELS]) == (1, 2)


def test_when_all_mirrors_fail_the_sentence_says_how_each_did_and_what_to_do(cache, server):
    with pytest.raises(ConnectionError) as error:
        found(small_set(server, "cut", "interrupted", "missing", "dead", "page"), download=True)
    sentence = str(error.value)
    hows = "/cut/: another checksum .*; .*/interrupted/: .+; .*/missing/: 404; .*: ConnectionError; .*/page/: another"
    assert re.search(hows, sentence)
    for part in (IMAGES, str(cache), "root=", "RELUQUANT_DATA"):
        assert part in sentence
    assert list(cache.iterdir()) == []
    assert LABELS not in sentence


def test_a_cache_that_cannot_be_written_is_named(cache, server, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(OSError, match=f"{IMAGES} of Small cannot be written into {cache} .* by root= or by"):
        found(small_set(server, "good"), download=True)


@pytest.mark.parametrize(("offline", "refused"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_environment_can_refuse_the_network(cache, server, monkeypatch, offline, refused):
    monkeypatch.setenv("RELUQUANT_OFFLINE", offline)
    if refused:
        with pytest.raises(FileNotFoundError, match="the network is refused by RELUQUANT_OFFLINE"):
            found(small_set(server, "good"), download=True)
        assert not server.requests
    else:
        assert found(small_set(server, "good"), download=True)[0] == cache / IMAGES


def test_without_network_the_sentence_says_what_is_missing_where_and_what_to_do(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("RELUQUANT_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError) as error:
        found(small_set())
    assert str(error.value) == (
        "train-images-idx3-ubyte and train-labels-idx1-ubyte (.gz or not) of Small are missing: looked in"
        f" {tmp_path} and {cache}, and the network is refused by download=False; name a folder that holds the files by"
        " root= or by the environment variable RELUQUANT_DATA, or allow the download."
    )


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("sub", ["", "small", "Small/raw"])
@pytest.mark.parametrize("by", ["root", "RELUQUANT_DATA"])
def test_folders_of_the_user(cache, tmp_path, monkeypatch, by, sub, compress):
    write_set(tmp_path / "data" / sub, *images_and_labels(), compress=compress)
    if by == "RELUQUANT_DATA":
        monkeypatch.setenv(by, str(tmp_path / "data"))
    paths = found(small_set(), root=tmp_path / "data" if by == "root" else None)
    assert paths == tuple(tmp_path / "data" / sub / (stem + ".gz" * compress) for stem in NAMES["train"])


def test_a_folder_of_the_user_needs_no_network(cache, server, tmp_path, monkeypatch):
    write_set(tmp_path / "data", *images_and_labels())
    monkeypatch.setenv("RELUQUANT_DATA", str(tmp_path / "data"))
    found(small_set(server, "good"), download=True)
    # The other half is not there.
    with pytest.raises(FileNotFoundError, match="t10k-images"):
        found(small_set(server, "good"), split="test")
    assert not server.requests


def test_the_tilde_is_the_users_home(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_set(tmp_path / "data", *images_and_labels())
    assert found(small_set(), root="~/data")[0] == tmp_path / "data" / NAMES["train"][0]
    monkeypatch.setenv("RELUQUANT_DATA", "~/data")
    assert found(small_set())[0] == tmp_path / "data" / NAMES["train"][0]


def test_names_with_a_full_stop_are_known(cache, tmp_path):
    write_set(tmp_path, *images_and_labels())
    for stem in NAMES["train"]:
        (tmp_path / stem).rename(tmp_path / stem.replace("-idx", ".idx"))
    assert found(small_set(), root=tmp_path)[1].name == "train-labels.idx1-ubyte"


def test_the_subfolder_of_the_set_comes_first_and_both_files_come_from_one_place(cache, tmp_path):
    write_set(tmp_path, *images_and_labels())
    write_set(tmp_path / "small", *images_and_labels())
    assert {path.parent for path in found(small_set(), root=tmp_path)} == {tmp_path / "small"}
    (tmp_path / "small" / NAMES["train"][1]).unlink()
    with pytest.raises(FileNotFoundError, match=f"small holds {NAMES['train'][0]} but no {NAMES['train'][1]}"):
        found(small_set(), root=tmp_path)


def test_a_root_without_files_is_no_reason_to_look_elsewhere(cache, server, tmp_path):
    with pytest.raises(FileNotFoundError, match=f"neither in {tmp_path} nor in its subfolders small or Small/raw"):
        found(small_set(server, "good"), root=tmp_path, download=True)
    assert not server.requests


def test_what_is_no_folder_is_said_at_once(cache, tmp_path, monkeypatch):
    with pytest.raises(NotADirectoryError, match="root must name a folder with files of images"):
        found(small_set(), root=tmp_path / "nowhere")
    with pytest.raises(TypeError, match="root must be the path of a folder, but it is 3"):
        found(small_set(), root=3)
    monkeypatch.setenv("RELUQUANT_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(NotADirectoryError, match="RELUQUANT_DATA must name a folder"):
        found(small_set())

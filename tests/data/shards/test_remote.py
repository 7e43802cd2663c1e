"""Shards behind an address: downloads, the cache and its limit, damage on the way."""

import json
import os
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from shard_sets import EACH, copy_shards, open_shards, train_on
from stopping import contents
from tiny import refused_in_one_line

from ganvas.io.download import Published, download
from ganvas.io.files import ABANDONED


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that notes what it is asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path.rpartition("/")[2])
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in tests."""
    monkeypatch.setattr("ganvas.io.download.PAUSES", (0.0, 0.0))


@pytest.fixture
def server(packed: Path, tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """An address, the folder behind it, and what was asked for."""
    place, asked = copy_shards(packed, tmp_path / "served"), []
    handler = type("Asked", (Quiet,), {"asked": asked})
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(handler, directory=str(tmp_path))
    ) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/served/", place, asked
        serving.shutdown()
        thread.join()


def list_fetched(cache: Path) -> list[Path]:
    return sorted((cache / "shards").glob("*/*.tar"))


def test_shards_come_from_an_address(
    server: tuple[str, Path, list[str]], packed: Path, cache: Path
):
    address, _, asked = server
    dataset, local = open_shards(address), open_shards(packed)
    assert dataset.fingerprint == local.fingerprint
    assert asked == ["index.json"]
    np.testing.assert_array_equal(dataset.images[20], local.images[20])
    assert asked == ["index.json", "pets-000002.tar"]
    np.testing.assert_array_equal(dataset.images[:], local.images[:])
    assert len(asked) == 8

    again = open_shards(address + "index.json")
    np.testing.assert_array_equal(again.images[:], local.images[:])
    assert asked[8:] == ["index.json"]

    part = open_shards(address + "pets-{000000..000001}.tar")
    assert (len(part), len(list_fetched(cache))) == (2 * EACH, 7)


def test_the_cache_is_bounded(
    server: tuple[str, Path, list[str]], cache: Path, monkeypatch: pytest.MonkeyPatch
):
    address, place, asked = server
    size = (place / "pets-000000.tar").stat().st_size
    monkeypatch.setenv("GANVAS_SHARD_CACHE", str(int(2.5 * size)))
    monkeypatch.setattr("ganvas.data.shards.open.MEMORY", 1)  # two shards in memory
    images = open_shards(address).images
    for shard in (0, 1, 2):
        images[shard * EACH]
        os.utime(list_fetched(cache)[-1], (shard, shard))

    assert [path.name for path in list_fetched(cache)] == ["pets-000001.tar", "pets-000002.tar"]

    images[0]
    assert [path.name for path in list_fetched(cache)] == ["pets-000000.tar", "pets-000002.tar"]
    assert asked.count("pets-000000.tar") == 2

    # less than one shard: it is fetched all the same, and stays alone
    monkeypatch.setenv("GANVAS_SHARD_CACHE", "1k")
    images[3 * EACH]
    assert [path.name for path in list_fetched(cache)] == ["pets-000003.tar"]

    monkeypatch.setenv("GANVAS_SHARD_CACHE", "much")
    refused_in_one_line(
        lambda: images[4 * EACH], "GANVAS_SHARD_CACHE='much' is not a size; write e.g. 500M"
    )


def test_a_run_trains_on_more_than_its_cache_holds(
    server: tuple[str, Path, list[str]],
    packed: Path,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    address, place, _ = server
    size = (place / "pets-000000.tar").stat().st_size
    monkeypatch.setattr("ganvas.data.shards.open.MEMORY", 4 * EACH * 3 * 8 * 8)
    train_on(packed, tmp_path / "local")
    monkeypatch.setenv("GANVAS_SHARD_CACHE", str(3 * size))
    train_on(address, tmp_path / "afar")
    assert sum(path.stat().st_size for path in list_fetched(cache)) <= 3 * size
    assert contents(tmp_path / "afar") == contents(tmp_path / "local")


def test_damage_in_the_cache_is_mended(
    server: tuple[str, Path, list[str]], packed: Path, cache: Path
):
    address, _, asked = server
    np.testing.assert_array_equal(open_shards(address).images[0], open_shards(packed).images[0])
    (path,) = list_fetched(cache)
    path.write_bytes(b"x" * path.stat().st_size)
    np.testing.assert_array_equal(open_shards(address).images[0], open_shards(packed).images[0])
    assert asked.count("pets-000000.tar") == 2


def test_wrong_and_missing_files_behind_an_address(server: tuple[str, Path, list[str]]):
    address, place, _ = server
    images = open_shards(address).images
    content = (place / "pets-000001.tar").read_bytes()
    (place / "pets-000001.tar").write_bytes(content[:-1] + b"x")

    refused_in_one_line(
        lambda: images[EACH], r"cannot download the shard pets-000001\.tar .*its digest is"
    )

    (place / "pets-000001.tar").unlink()
    refused_in_one_line(lambda: images[EACH], r"cannot download the shard pets-000001\.tar .*404")
    assert images[0].any()

    (place / "index.json").unlink()
    refused_in_one_line(
        lambda: open_shards(address),
        "there is no index of the shards; write one .* with ganvas pack DATA --shards",
    )


def test_without_network_the_last_index_serves(packed: Path, tmp_path: Path, cache: Path):
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(type("Asked", (Quiet,), {"asked": []}), directory=str(packed))
    ) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{serving.server_address[1]}/"
        expected = open_shards(address).images[0]
        serving.shutdown()
        thread.join()
    offline = open_shards(address)

    assert "using the last copy of its index" in offline.report.notes[0]
    np.testing.assert_array_equal(offline.images[0], expected)
    refused_in_one_line(
        lambda: offline.images[EACH], r"cannot download the shard pets-000001\.tar .*refused"
    )
    refused_in_one_line(
        lambda: open_shards("http://127.0.0.1:9/faces/"),
        "cannot fetch http://127.0.0.1:9/faces/index.json: .*refu",
    )


def test_a_shard_that_another_process_evicts_is_downloaded_again(
    server: tuple[str, Path, list[str]],
    packed: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    address, _, asked = server
    evictions = iter([True, False, True, True, True])

    def download_and_lose(published: Published, folder: Path) -> None:
        download(published, folder)
        if next(evictions):
            for name in published.files:
                (folder / name).unlink()

    monkeypatch.setattr("ganvas.data.shards.remote.download", download_and_lose)
    images = open_shards(address).images
    np.testing.assert_array_equal(images[0], open_shards(packed).images[0])
    assert asked.count("pets-000000.tar") == 2
    refused_in_one_line(
        lambda: images[EACH], "removed right after its download: the cache is too small"
    )


def test_unfinished_downloads_are_evicted_when_nobody_writes_to_them(
    server: tuple[str, Path, list[str]], cache: Path, monkeypatch: pytest.MonkeyPatch
):
    address, place, _ = server
    monkeypatch.setenv("GANVAS_SHARD_CACHE", str((place / "pets-000000.tar").stat().st_size))
    images = open_shards(address).images
    images[0]
    folder = list_fetched(cache)[0].parent
    for name, age in ((".partial-1-old.tar", 2 * ABANDONED), (".partial-2-new.tar", 0)):
        (folder / name).write_bytes(b"x" * 1000)
        written = time.time() - age
        os.utime(folder / name, (written, written))
    images[EACH]

    assert {path.name for path in folder.iterdir()} == {
        "index.json",
        ".partial-2-new.tar",
        "pets-000001.tar",
    }


def test_lies_in_an_index_cost_other_sets_nothing(
    server: tuple[str, Path, list[str]], cache: Path, monkeypatch: pytest.MonkeyPatch
):
    address, place, _ = server
    size = (place / "pets-000000.tar").stat().st_size
    monkeypatch.setenv("GANVAS_SHARD_CACHE", str(2 * size))
    images = open_shards(address).images
    images[0], images[EACH]
    kept = list_fetched(cache)

    index = json.loads((place / "index.json").read_text())
    for size, message in {
        10**11: "says that pets-000002.tar has 93.1 GiB",
        9: "more than the 9 by",
    }.items():
        index["shards"][2]["bytes"] = size
        (place / "index.json").write_text(json.dumps(index))
        lying = open_shards(address).images
        refused_in_one_line(lambda lying=lying: lying[2 * EACH], message)
        assert list_fetched(cache) == kept

    for name in ("../x.tar", "x", "a\nb.tar", "x" * 300 + ".tar", ".x.tar", "a/b.tar"):
        index["shards"][2]["file"] = name
        (place / "index.json").write_text(json.dumps(index))
        refused_in_one_line(
            lambda: open_shards(address), r"index\.json is damaged: shards\.2\.file"
        )

"""What is kept between runs: listed, and removed where it is ours and not in use."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.errors import UserError
from ganvas.io.cache import cache_entry, load_or_make
from ganvas.io.files import partial_path, write_json, write_text
from ganvas.io.reading import read_json


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a packed set, a classifier, a download, and files of somebody else."""
    folder = tmp_path / "a cache"
    monkeypatch.setenv("GANVAS_CACHE", str(folder))
    store = cache_entry("packed", ["test", 1])
    store.mkdir(parents=True)
    np.save(store / "image.npy", np.zeros((4, 1, 8, 8), np.uint8))
    write_json(store / "about.json", {"report": {"spec": "./faces"}})
    load_or_make(cache_entry("sizes", 1, ".json"), lambda path: write_json(path, 64), read_json)
    (folder / "mnist").mkdir()
    (folder / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"12345")

    for foreign in ("packed/notes.txt", "mnist/mine.png", "mine/deadbeef.json", "readme"):
        (folder / foreign).parent.mkdir(exist_ok=True)
        (folder / foreign).write_text("mine")
    return folder


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


FOREIGN = {"packed/notes.txt", "mnist/mine.png", "mine/deadbeef.json", "readme"}


def test_it_is_listed(place: Path, capsys: pytest.CaptureFixture[str]):
    found = {entry.kind: entry for entry in ganvas.cache()}
    assert found.keys() == {"packed", "sizes", "mnist"}
    assert (found["packed"].name, found["mnist"].name) == (
        "./faces",
        "train-images-idx3-ubyte.gz",
    )
    assert found["packed"].bytes == sum(
        file.stat().st_size for file in found["packed"].path.iterdir()
    )
    assert [entry.kind for entry in ganvas.cache("mnist", "sizes")] == ["mnist", "sizes"]

    before = list_files(place)
    main(["cache"])
    printed = capsys.readouterr().out
    assert "./faces" in printed and f"{place}: 3 entries, " in printed
    main(["cache", "mnist", "--json"])
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["bytes"], entry["removed"]) == (5, False)
    assert list_files(place) == before


def test_it_is_emptied_by_kind_and_whole(place: Path, capsys: pytest.CaptureFixture[str]):
    main(["cache", "sizes", "--empty"])
    assert "removed 1 entry, " in capsys.readouterr().out
    assert {entry.kind for entry in ganvas.cache()} == {"packed", "mnist"}
    assert all(entry.removed for entry in ganvas.cache(empty=True))
    assert list_files(place) == FOREIGN
    assert ganvas.cache() == []


def test_unknown_kinds_are_refused(place: Path):
    with pytest.raises(UserError, match="did you mean packed"):
        ganvas.cache("paked", empty=True)
    assert len(ganvas.cache()) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is open")
def test_what_is_in_use_stays(place: Path):
    images = np.load(cache_entry("packed", ["test", 1]) / "image.npy", mmap_mode="r")
    with (place / "mnist" / "train-images-idx3-ubyte.gz").open("rb"):
        entries = {entry.kind: entry for entry in ganvas.cache(empty=True)}
        assert {kind for kind, entry in entries.items() if entry.removed} == {"sizes"}
    assert images.sum() == 0
    del images
    assert all(entry.removed for entry in ganvas.cache(empty=True))


def test_unfinished_files_of_living_processes_stay(place: Path):
    mine = partial_path(cache_entry("references", 1, ".safetensors"))
    write_text(mine.parent / "x", "")  # makes the folder
    mine.write_text("half")
    dead = mine.with_name(mine.name.replace(f"-{os.getpid()}-", "-4194999-"))
    dead.write_text("half")
    assert {entry.path: entry.removed for entry in ganvas.cache("references", empty=True)} == {
        mine: False,
        dead: True,
    }


def test_a_cache_that_cannot_be_read_is_told_in_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    real = Path.iterdir

    def refuse(folder: Path):  # the administrator may read everything, so the system's no is played
        if folder.parent == place:
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    refused_in_one_line(ganvas.cache, f"{place} cannot be read: Permission denied")
    main(["about"])
    printed = " ".join(capsys.readouterr().out.split())
    assert f"{place}, unknown" in printed and "cannot be read: Permission denied" in printed


def test_links_are_left_alone(place: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("mine")
    link = cache_entry("packed", "link")
    link.symlink_to(elsewhere)
    (place / "references").symlink_to(elsewhere)
    ganvas.cache(empty=True)
    assert (link / "precious").read_text() == "mine"
    assert (place / "references").is_symlink()


def test_the_last_use_is_noted(place: Path):
    entry = cache_entry("sizes", 1, ".json")
    os.utime(entry, (0, time.time() - 10**6))
    assert time.time() - ganvas.cache("sizes")[0].used.timestamp() > 10**5
    load_or_make(entry, lambda path: None, read_json)
    assert time.time() - ganvas.cache("sizes")[0].used.timestamp() < 100


def test_every_kind_of_our_cache_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What opening a set and drawing its sheet leave there is listed, and nothing is left over."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    images = tmp_path / "images"
    images.mkdir()
    for number in range(60):
        Image.new("L", (8, 8), number).save(images / f"{number}.png")
    main(["data", str(images), "--size", "8"])
    assert {entry.kind for entry in ganvas.cache()} == {"packed", "contact-sheets"}
    ganvas.cache(empty=True)
    assert list_files(tmp_path / "cache") == set()

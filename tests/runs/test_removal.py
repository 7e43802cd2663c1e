"""What a run removes from its folder: its own files alone, and nothing behind a link."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from run_files import newest_checkpoint, train

import ganvas
from ganvas.data.shards.remote import evict_shards
from ganvas.errors import UserError
from ganvas.io.files import find_leftovers, partial_path, remove, write_text
from ganvas.runs.folder import lock_folder
from ganvas.runs.log import read_log
from ganvas.runs.record import read_run
from ganvas.training.trainer import Trainer


def test_resume_removes_only_grids_that_the_log_names(run: Path):
    samples = run / "samples"
    grid = (samples / "000000000018.png").read_bytes()
    own = [
        "20261128.png",
        "favourite.png",
        "000000000030.png",
        ".partial-mine.png",
        "000000000024 (copy).png",
    ]
    for name in (*own, "000000000024.png", ".partial-7-0a-000000000024.png"):
        (samples / name).write_bytes(grid)
    (samples / "000000000042.png").mkdir()  # a folder, and a link, of the user's with a grid's name
    (samples / "000000000048.png").symlink_to(samples / "favourite.png")
    with (run / "log.jsonl").open("a") as log:
        # a killed process had come so far; the second was not written any more
        for images in (24, 36, 42, 48):
            log.write(json.dumps({"images": images, "kind": "samples"}) + "\n")
    before = {path.name for path in samples.iterdir()} - {
        "000000000024.png",
        ".partial-7-0a-000000000024.png",
    }
    train(run, 18)

    assert {path.name for path in samples.iterdir()} == before
    page = (run / "summary.html").read_text(encoding="utf-8")
    assert not re.search(r"\b24 images(?!/s)", page)  # a speed may have the number, too

    train(run, 24)
    named = [entry["images"] for entry in read_log(run / "log.jsonl") if entry["kind"] == "samples"]
    assert named == [0, 12, 18, 24]


def test_nothing_is_removed_through_a_link(run: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    (run / "samples").rename(elsewhere)
    (run / "samples").symlink_to(elsewhere)
    shutil.copy(elsewhere / "000000000018.png", elsewhere / "000000000024.png")
    (elsewhere / ".partial-7-0a-000000000024.png").write_bytes(b"mine")
    with (run / "log.jsonl").open("a") as log:
        log.write('{"images": 24, "kind": "samples"}\n')
    there = {path.name for path in elsewhere.iterdir()}
    train(run, 18)
    assert {path.name for path in elsewhere.iterdir()} == there


def test_checkpoints_have_twelve_digits_and_all_else_stays(run: Path, tmp_path: Path):
    folder = run / "checkpoints"
    own = [
        "000000000018 (copy)",
        "000000000018.bak",
        "00000000000018",
        "18",
        "٠٠٠٠٠٠٠٠٠٠١٨",
        ".partial-mine",
    ]
    for name in own:
        shutil.copytree(newest_checkpoint(run), folder / name)
    (folder / "000000000001").write_text("a file")
    shutil.copytree(newest_checkpoint(run), tmp_path / "linked")
    (folder / "000000000006").symlink_to(tmp_path / "linked")
    (folder / ".partial-7-0a-000000000024").mkdir()

    assert newest_checkpoint(run).name == "000000000018"
    assert ganvas.load(run).about["images"] == 18

    train(run, 48)
    kept = {path.name for path in folder.iterdir()}
    assert kept == {*own, "000000000001", "000000000006", "000000000042", "000000000048"}
    assert all(
        len(list(path.iterdir())) == 6
        for path in [*(folder / name for name in own), tmp_path / "linked"]
    )
    assert read_run(run).checkpoint == folder / "000000000048"


def test_checkpoints_behind_a_link_are_not_pruned(run: Path, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    (run / "checkpoints").rename(elsewhere)
    (elsewhere / ".partial-7-0a-000000000024").mkdir()
    (run / "checkpoints").symlink_to(elsewhere)
    there = {path.name for path in elsewhere.iterdir()}
    train(run, 30)
    assert {path.name for path in elsewhere.iterdir()} == there | {"000000000024", "000000000030"}


def test_a_folder_of_the_users_stays_when_a_run_is_refused(tmp_path: Path):
    made, empty, target = tmp_path / "made", tmp_path / "empty", tmp_path / "target"
    empty.mkdir()
    target.mkdir()
    link = tmp_path / "link"
    link.symlink_to(target)
    for folder in (made, empty, link):
        with lock_folder(folder):
            pass
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "target", "link"}
    assert not list(empty.iterdir())
    assert not list(target.iterdir())


def test_a_link_is_removed_as_a_link(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link").symlink_to(tmp_path / "folder")
    remove(tmp_path / "link")
    remove(tmp_path / "other")

    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "file"]

    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "folder" / ".partial-7-0a-x").write_text("left")
    assert find_leftovers(tmp_path / "link", "x") == []
    assert [path.name for path in find_leftovers(tmp_path / "folder", "x")] == [".partial-7-0a-x"]
    assert (
        find_leftovers(tmp_path / "folder", "y") == find_leftovers(tmp_path / "nowhere", "x") == []
    )


def test_making_room_removes_only_what_was_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache = tmp_path / "cache"
    monkeypatch.setenv("GANVAS_CACHE", str(cache))
    monkeypatch.setenv("GANVAS_SHARD_CACHE", "1k")
    fetched, own, elsewhere = (
        cache / "shards" / ("0a" * 16),
        cache / "shards" / "mine",
        tmp_path / "elsewhere",
    )
    for folder in (fetched, own, elsewhere):
        folder.mkdir(parents=True)
        (folder / "a.tar").write_bytes(bytes(2_000))
        os.utime(folder / "a.tar", (0, 0))
    (cache / "shards" / ("0b" * 16)).symlink_to(elsewhere)
    evict_shards(keep=fetched / "b.tar")

    assert [folder.name for folder in (fetched, own, elsewhere) if (folder / "a.tar").exists()] == [
        "mine",
        "elsewhere",
    ]


def name_of_dead(path: Path) -> Path:
    """Where a process of this machine that has ended would have left a file unfinished."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    partial = partial_path(path)
    return partial.with_name(partial.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))


def test_what_killed_processes_left_goes_when_the_file_is_written_again(tmp_path: Path):
    file = tmp_path / "summary.html"
    dead, other = name_of_dead(file), name_of_dead(tmp_path / "mine.html")
    foreign = tmp_path / ".partial-1-0a-summary.html"  # of another machine
    old = tmp_path / ".partial-2-0a-summary.html"
    alive = partial_path(file)
    for path in (dead, other, foreign, old, alive):
        path.write_text("half")
    os.utime(old, (0, 0))

    write_text(file, "whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"summary.html", other.name, foreign.name, alive.name}


def test_leftovers_in_a_run_folder_go_at_the_next_start(run: Path):
    dead = [name_of_dead(run / name) for name in ("summary.html", "losses.png", "log.jsonl")]
    other = name_of_dead(run / "my own notes.txt")
    for path in (*dead, other):
        path.write_text("half")
    with lock_folder(run):
        pass
    assert [path for path in dead if path.exists()] == []
    assert other.exists()


def test_a_refused_folder_stays_as_it_was(tmp_path: Path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="is not a run folder"), lock_folder(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_run_whose_folder_goes_ends(run: Path, replaced: bool, monkeypatch: pytest.MonkeyPatch):
    """Someone removes or replaces the run folder while the run trains."""
    original = Trainer.step

    def step(self: Trainer) -> dict[str, torch.Tensor]:
        if self.state.clock.images == 24:
            run.rename(run.with_name("moved"))
            if replaced:
                shutil.copytree(run.with_name("moved"), run)
        return original(self)

    monkeypatch.setattr(Trainer, "step", step)
    message = "was replaced while" if replaced else "was removed or moved while"
    with pytest.raises(UserError, match=message):
        train(run, 48)
    assert run.exists() == replaced

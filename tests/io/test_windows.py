"""What is otherwise on Windows, as far as another system can show it."""

import io
import multiprocessing
import os
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from short_runs import train_mlp

import ganvas
from ganvas.inference import inputs
from ganvas.io import files
from ganvas.studio.jobs import clean_name
from ganvas.training.engine import Engine

fcntl = pytest.importorskip("fcntl", reason="on Windows itself all other tests show it")


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders cannot be opened, and only what is open for writing can be flushed."""
    usual_open, usual_sync = os.open, os.fsync

    def open_file(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", str(path))
        return usual_open(path, flags, mode)

    def sync(handle: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(9, "Bad file descriptor")
        usual_sync(handle)

    monkeypatch.setattr(files, "WINDOWS", True)
    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(os, "fsync", sync)


def test_files_and_folders_are_written(strict: None, tmp_path: Path):
    files.write_json(tmp_path / "a.json", {"a": 1})
    files.write_json(tmp_path / "a.json", {"a": 2})
    assert '"a": 2' in (tmp_path / "a.json").read_text()
    with files.atomic_path(tmp_path / "folder") as partial:
        (partial / "deep").mkdir(parents=True)
        (partial / "deep" / "x").write_text("x")
    assert (tmp_path / "folder" / "deep" / "x").read_text() == "x"


@pytest.mark.parametrize(
    ("name", "portable"),
    [
        ("a cat.png", "a cat.png"),
        ("猫.png", "猫.png"),
        ("C:", "C-"),
        ("why?.png", "why-.png"),
        ("a. ", "a"),
        ("...", "-"),
        ("CON", "_CON"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("com1.png", "_com1.png"),
        ("console.png", "console.png"),
        ("com10.png", "com10.png"),
    ],
)
def test_names_are_portable(name: str, portable: str):
    assert files.portable_name(name) == portable
    assert files.portable_name(portable) == portable


def test_runs_of_the_studio_have_portable_names():
    assert clean_name("con") == "_con"
    assert clean_name("my faces!") == "my-faces"
    assert clean_name("!?") == ""


def test_names_in_zips_stay_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("C:\\windows\\aux.png", "..\\..\\b.png", "ok/c.png"):
            archive.writestr(zipfile.ZipInfo(name), file.getvalue())
    assert {name for name, _ in inputs.InputFiles((tmp_path / "a.zip",))} == {
        "C:/windows/aux",
        "ok/c",
    }
    monkeypatch.setattr(inputs, "WINDOWS", True)
    assert {name for name, _ in inputs.InputFiles((tmp_path / "a.zip",))} == {
        "C-/windows/_aux",
        "ok/c",
    }


def test_the_memory_of_a_process_may_be_unknown(monkeypatch: pytest.MonkeyPatch):
    assert Engine("cpu").memory() > 0
    monkeypatch.setitem(sys.modules, "resource", None)
    assert Engine("cpu").memory() == 0


@pytest.mark.slow
def test_a_spawned_process_trains(tmp_path: Path):
    """The only way in which Windows starts processes; nothing may rely on what a fork copies."""
    process = multiprocessing.get_context("spawn").Process(
        target=train_mlp, args=(tmp_path / "run", 12)
    )
    process.start()
    process.join(300)
    assert process.exitcode == 0
    assert ganvas.load(tmp_path / "run", device="cpu").about["images"] == 12

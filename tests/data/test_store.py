"""The packed store: built once, rebuilt when it must be, safe for two."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.data import View, open_dataset
from ganvas.data.dataset import fingerprint
from ganvas.data.store import CHECKED
from ganvas.errors import UserError

VIEW = View(size=16)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packed"


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(200):
        Image.fromarray(random.integers(0, 256, (20, 24, 3), np.uint8)).save(
            folder / f"{number:03}.png"
        )
    return folder


def test_packed_once(folder, cache):
    first = open_dataset(str(folder), VIEW)
    (stored,) = cache.iterdir()
    written = (stored / "image.npy").stat().st_mtime_ns
    second = open_dataset(str(folder), VIEW)
    assert (stored / "image.npy").stat().st_mtime_ns == written
    assert isinstance(second.images, np.memmap)
    assert first.fingerprint == second.fingerprint == fingerprint(second.columns, {})
    assert first.report == second.report
    batch = second.batch(np.array([5, 1, 5]))["image"]
    assert torch.equal(batch[0], batch[2])
    assert np.array_equal(batch[1], second.images[1])


def test_changes_are_seen(folder, cache):
    first = open_dataset(str(folder), VIEW)
    os.utime(folder / "000.png", (1, 1))
    assert open_dataset(str(folder), VIEW).fingerprint == first.fingerprint
    Image.new("RGB", (20, 24)).save(folder / "000.png")
    assert open_dataset(str(folder), VIEW).fingerprint != first.fingerprint
    (folder / "000.png").unlink()
    assert len(open_dataset(str(folder), VIEW)) == 199
    assert open_dataset(str(folder), View(size=16, channels=1)).channels == 1
    assert len(list(cache.iterdir())) == 5


def flip_bit(file: Path) -> None:
    """Change one bit in the middle of a file, and neither its size nor its time."""
    state = file.stat()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("damage", ["cut", "json", "gone", "bit"])
def test_damaged_stores_are_rebuilt(folder, cache, damage):
    first = open_dataset(str(folder), VIEW).fingerprint
    (stored,) = cache.iterdir()
    if damage == "cut":
        os.truncate(stored / "image.npy", 5000)
    elif damage == "bit":
        flip_bit(stored / "image.npy")
        CHECKED.clear()  # as in another process
    elif damage == "json":
        (stored / "about.json").write_text('{"classes": [')
    else:
        (stored / "image.npy").unlink()
    again = open_dataset(str(folder), VIEW)
    assert again.fingerprint == first == fingerprint(again.columns, {})


@pytest.mark.slow
def test_two_builders_at_once(folder, cache):
    code = (
        "import sys; from ganvas.data import View, open_dataset; print('ready', flush=True);"
        "sys.stdin.readline();"
        "print(open_dataset(sys.argv[1], View(size=16)).fingerprint)"
    )
    command = [sys.executable, "-c", code, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    builders = [subprocess.Popen(command, **pipes) for _ in range(2)]

    for builder in builders:
        assert builder.stdout.readline() == "ready\n"

    for builder in builders:
        builder.stdin.write("go\n")
        builder.stdin.flush()
    answers = [builder.communicate() for builder in builders]

    assert [builder.returncode for builder in builders] == [0, 0]
    assert answers[0] == answers[1]
    assert len(list(cache.iterdir())) == 1


def test_leftovers_of_dead_builders_go(folder, cache):
    name = "0" * 32
    old, new = cache / f".partial-1-ab-{name}", cache / f".partial-2-cd-{name}"
    other = cache / ".partial-1-mine"  # not ours
    for partial in (old, new, other):
        partial.mkdir(parents=True)
    for partial in (old, other):
        os.utime(partial, (time.time() - 7200,) * 2)
    open_dataset(str(folder), VIEW)
    assert not old.exists()
    assert new.exists() and other.exists()


def test_a_cache_that_cannot_be_written(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot write .*packed.*set GANVAS_CACHE"):
        open_dataset(str(folder), VIEW)


def test_full_disk(folder, cache):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(UserError, match=r"cannot write .*File too large; .*set GANVAS_CACHE"):
            open_dataset(str(folder), VIEW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(cache.iterdir()) == []


def test_torch_keeps_its_threads(folder):
    before = torch.get_num_threads()
    open_dataset(str(folder), VIEW)
    assert torch.get_num_threads() == before

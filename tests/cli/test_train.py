"""`ganvas train` from the command line: folders, lengths, signals, a full disk."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import FAST, PROGRAM, Command
from stopping import interrupted_after

from ganvas.runs.locate import find_checkpoints


def test_first_run_on_built_in_data(
    ganvas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    status, _, error = ganvas("train", *FAST[:-1], "--set", "report_every=50")
    assert status == 0, error

    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("-digits")
    for name in (
        "recipe.json",
        "data.json",
        "log.jsonl",
        "losses.png",
        "timelapse.gif",
        "timelapse.webp",
        "summary.html",
    ):
        assert (folder / name).stat().st_size > 0, name
    assert "done: 100 images; see " in error
    assert f"watch: open {folder.relative_to(tmp_path)}/summary.html" in error


def test_fresh_folders_do_not_collide(
    ganvas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert ganvas("train", *FAST)[0] == ganvas("train", *FAST)[0] == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_dry_run_writes_nothing(ganvas: Command, tmp_path: Path):
    status, output, _ = ganvas(
        "train", "digits", "--dry-run", "--out", tmp_path / "run", "--epochs", "2"
    )
    assert status == 0
    assert "images = 3524" in output  # 35 of the 1,797 are held out
    assert "1,797 images" in output
    assert "generator 165,825" in output
    assert "memory:" in output
    assert "time:" in output
    assert not (tmp_path / "run").exists()


def test_epochs_are_passes_through_the_data(ganvas: Command, tmp_path: Path):
    arguments = [argument for argument in FAST if argument not in ("--images", "100")]
    assert (
        ganvas("train", "digits", "--out", tmp_path / "run", "--epochs", "0.1", *arguments)[0] == 0
    )
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000200"


def test_a_stopped_training_says_how_to_resume(ganvas: Command, tmp_path: Path):
    with interrupted_after(1, tmp_path / "run"):
        status, _, error = ganvas("train", "--out", tmp_path / "run", *FAST)
    assert status == 128 + signal.SIGTERM
    assert "to resume:\n  ganvas train --out" in error
    assert find_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "000000000050"
    assert (tmp_path / "run" / "summary.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_finishes_the_step_saves_and_says_how_to_resume(
    number: signal.Signals, tmp_path: Path
):
    command = [*PROGRAM, "train", "--out", str(tmp_path / "run"), "--device", "cpu"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    while not list(tmp_path.glob("run/samples/*.png")):
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)

    assert process.returncode == 128 + number
    assert "to resume:\n  ganvas train --out" in error
    assert "stopping, saving ...\n" in error

    (newest,) = find_checkpoints(tmp_path / "run" / "checkpoints")[-1:]
    assert newest.name != "000000300000"
    assert (tmp_path / "run" / "summary.html").exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a Linux")
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_full_disk_is_one_line_and_keeps_what_was_there(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("may not mount a small disk here")
    try:
        command = [
            *PROGRAM,
            "train",
            "--out",
            str(disk / "run"),
            "--images",
            "3000",
            "--device",
            "cpu",
        ]
        answer = subprocess.run(
            [*command, "--set", "checkpoint_every=300"], capture_output=True, text=True
        )

        assert answer.returncode == 2
        assert "No space left on device" in answer.stderr.splitlines()[-1]
        assert "Traceback" not in answer.stderr

        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        again = subprocess.run(
            [*command, "--set", "checkpoint_every=300"], capture_output=True, text=True
        )

        assert again.returncode == 0, again.stderr
        assert "resumed from" in again.stderr
    finally:
        subprocess.run(["umount", "-l", disk], check=True)

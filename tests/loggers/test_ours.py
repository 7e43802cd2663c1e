"""TensorBoard, Weights & Biases, Trackio and SwanLab get a run, offline, and hold it."""

import os
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM
from written_runs import losses, write_log, write_run

from ganvas.loggers.replay import replay_run

GRIDS = [0, 250, 500, 750, 1000]
REPORTS = list(range(100, 1001, 100))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = write_run(tmp_path / "run")
    entries = [losses(images, images / 1000) for images in REPORTS]
    entries += [{"images": images, "kind": "samples"} for images in GRIDS]
    write_log(folder, sorted(entries, key=lambda entry: entry["images"]))
    return folder


def needs(package: str) -> None:
    pytest.importorskip(package, reason=f'needs pip install "ganvas[{package}]"')


def test_tensorboard(run: Path):
    needs("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    replay_run(run, ["tensorboard"])
    found = EventAccumulator(str(run / "loggers" / "tensorboard"), {"images": 0})  # 0: all
    found.Reload()
    scalars = [(event.step, event.value) for event in found.Scalars("losses/discriminator")]
    assert scalars == [(images, pytest.approx(images / 1000)) for images in REPORTS]
    assert "losses/discriminator/real" in found.Tags()["scalars"]

    pictures = found.Images("samples")
    grid = (run / "samples" / "000000000250.png").read_bytes()
    assert [picture.step for picture in pictures] == GRIDS
    assert pictures[1].encoded_image_string == grid
    assert (pictures[1].width, pictures[1].height) == (90, 60)


def replay_alone(run: Path, name: str, folder: Path, **variables: str) -> None:
    """Replay in a process of its own: these packages leave threads and processes behind."""
    import subprocess

    # No key and no setting of this machine: nothing may be sent.
    kept = {"PATH", "PYTHONPATH", "GANVAS_CACHE", "LANG", "SYSTEMROOT"}
    environment = {key: value for key, value in os.environ.items() if key in kept}
    environment |= {"HOME": str(folder), "OMP_NUM_THREADS": "1"} | variables
    command = [*PROGRAM, "log", str(run), "--to", name]
    answer = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    assert f"{name}: sent the numbers of 10 moments, 5 grids" in answer.stdout


@pytest.mark.slow
def test_wandb(run: Path, tmp_path: Path):
    needs("wandb")
    from wandb.proto import wandb_internal_pb2  # pyright: ignore[reportMissingImports]

    replay_alone(run, "wandb", tmp_path)
    (file,) = (run / "loggers" / "wandb").rglob("*.wandb")
    history: dict[int, dict[str, Any]] = {}
    for content in read_records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        items = {"/".join(item.nested_key) or item.key: item for item in record.history.item}
        if items:
            history[record.history.step.num] = items
    assert sorted(history) == sorted({*GRIDS, *REPORTS})
    values = [float(history[images]["losses/discriminator"].value_json) for images in REPORTS]
    assert values == [images / 1000 for images in REPORTS]
    assert all(history[images]["images"].value_json == str(images) for images in REPORTS)
    assert len(list(file.parent.rglob("*.png"))) == len(GRIDS)
    assert not list(file.parent.rglob("requirements.txt")), "it was told what is installed"


def read_records(content: bytes) -> Iterator[bytes]:
    """The records of a .wandb file: LevelDB's format, in blocks of 32 KiB."""
    place, whole = 7, b""
    while place + 7 <= len(content):
        left = 32768 - place % 32768
        if left < 7:  # too little for a head
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        whole += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield whole
            whole = b""


@pytest.mark.slow
def test_trackio(run: Path, tmp_path: Path):
    needs("trackio")
    replay_alone(run, "trackio", tmp_path, TRACKIO_DIR=str(tmp_path / "trackio"))
    with sqlite3.connect(tmp_path / "trackio" / "ganvas.db") as base:
        rows = base.execute("select step, metrics from metrics").fetchall()
    with_losses = [step for step, metrics in rows if b"losses/discriminator" in metrics]
    with_grids = [step for step, metrics in rows if b"trackio.image" in metrics]
    assert sorted(with_losses) == REPORTS
    assert sorted(with_grids) == GRIDS
    assert len(list((tmp_path / "trackio" / "media").rglob("*.png"))) == len(GRIDS)


@pytest.mark.slow
def test_swanlab(run: Path, tmp_path: Path):
    needs("swanlab")
    replay_alone(run, "swanlab", tmp_path)
    (file,) = (run / "loggers" / "swanlab").rglob("*.swanlab")
    # In its messages of protobuf, a name of 20 characters, and then the step.
    assert file.read_bytes().count(b"\n\x14losses/discriminator\x10") == len(REPORTS)
    assert len(list(file.parent.rglob("*.png"))) == len(GRIDS)
    assert "hostname" not in (file.parent / "files" / "swanlab-metadata.json").read_text()

"""Which real images a run is compared with, and how often they are decoded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.data import View, open_dataset
from ganvas.evaluation.evaluate import evaluate
from ganvas.io import image_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve colour images of 8x8, and a run trained on them without naming channels."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "set").mkdir()
    for number, pixels in enumerate(
        np.random.default_rng(0).integers(0, 255, (12, 8, 8, 3), dtype=np.uint8)
    ):
        Image.fromarray(pixels).save(tmp_path / "set" / f"{number}.png")

    settings = {"size": 8, "channels": None, "batch": 4, "options.width": 2, "held_out": 2}
    ganvas.train(
        "digits",
        data=tmp_path / "set",
        out=tmp_path / "run",
        images=8,
        settings=settings,
        device="cpu",
        quiet=True,
    )
    return tmp_path


def test_what_training_packed_is_not_packed_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    decoded: list[bytes] = []
    read = image_files.read_frames

    def record(content: bytes, *more: Any, **others: Any) -> Iterator[image_files.Picture]:
        decoded.append(content)
        return read(content, *more, **others)

    monkeypatch.setattr(image_files, "read_frames", record)
    found = evaluate(folder / "run", metrics=["fd"], features="pixels", count=8, device="cpu")
    assert found.protocol["reference"]["channels"] == 3
    # another place with the same files
    (folder / "set").rename(folder / "moved")
    again = evaluate(
        folder / "run",
        data=folder / "moved",
        metrics=["fd"],
        features="pixels",
        count=8,
        device="cpu",
    )
    assert again.values == found.values
    assert not any("fingerprints differ" in note for note in again.notes)
    assert not decoded
    # of another size they are: the test sees it
    open_dataset(str(folder / "moved"), View(size=4))
    assert len(decoded) == 12


def test_other_data_is_brought_to_what_the_run_generates(folder: Path):
    (folder / "grey").mkdir()
    for number in range(4):
        pixels = np.full((20, 20), 50 * number, np.uint8)
        Image.fromarray(pixels).save(folder / "grey" / f"{number}.png")

    for given in ({"against": folder / "grey"}, {"data": folder / "grey"}):
        found = evaluate(
            folder / "run", **given, metrics=["fd"], features="pixels", count=8, device="cpu"
        )
        assert found.protocol["reference"]["channels"] == 3
        assert any("fingerprints differ" in note for note in found.notes) == ("data" in given)


def test_the_test_split_judges_unless_another_is_asked_for(tmp_path: Path):
    for split, count in {"train": 8, "test": 4, "val": 3}.items():
        (tmp_path / "set" / split).mkdir(parents=True)
        random = np.random.default_rng(count)
        for number in range(count):
            pixels = random.integers(0, 255, (8, 8), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / split / f"{number}.png")
    settings = {"size": 8, "batch": 4, "options.width": 2}
    ganvas.train(
        "digits",
        data=tmp_path / "set",
        out=tmp_path / "run",
        images=8,
        settings=settings,
        quiet=True,
    )

    given = {"metrics": ["fd"], "features": "pixels", "count": 8, "device": "cpu"}
    for split, name, count in (
        (None, "images-test:set", 4),
        ("val", "images-val:set", 3),
        ("train", "set", 8),
    ):
        view = {} if split is None else {"split": split}
        reference = evaluate(tmp_path / "run", view=view, **given).protocol["reference"]
        assert (reference["name"], reference["count"]) == (name, count)

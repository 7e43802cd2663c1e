"""Points from known modes, Stacked MNIST, and how points are drawn."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from idx_files import write_idx
from PIL import Image

from ganvas.data import Dataset, View, open_dataset
from ganvas.data.builtin import stacked_mnist as stacked
from ganvas.data.builtin.points import COUNT, GRID, MIXTURES, RINGS, mode_discs
from ganvas.data.inspect import examine_data, print_examination, run_doctor
from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.io.console import PlainConsole
from ganvas.io.images import to_float, to_uint8
from ganvas.io.scatter import FOOT, MARGIN, SIDE, draw_points, draw_sheet
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.training.engine import Engine

names = pytest.mark.parametrize("name", MIXTURES)


def labelled(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 2) and labels (N,)."""
    assert dataset.labels is not None
    return dataset.images.reshape(-1, 2), dataset.labels


# The protocol


def test_the_published_modes():
    angles = np.pi / 4 * np.arange(8)
    np.testing.assert_allclose(
        RINGS.centres / RINGS.scale, np.stack([np.cos(angles), np.sin(angles)], 1), atol=1e-12
    )
    assert RINGS.std / RINGS.scale == pytest.approx(0.01)
    wanted = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {(round(x, 9), round(y, 9)) for x, y in GRID.centres / GRID.scale} == wanted
    assert GRID.std / GRID.scale == pytest.approx(0.05)


@names
def test_points_lie_around_the_modes_that_they_come_from(name: str):
    source, dataset = MIXTURES[name], open_dataset(name, View())
    points, labels = labelled(dataset)
    modes, share = len(source.centres), COUNT / len(source.centres)

    assert dataset.classes == tuple(str(mode) for mode in range(modes))
    assert dataset.report.classes == {str(mode): (labels == mode).sum() for mode in range(modes)}

    offsets = points - source.centres[labels]
    for mode in range(modes):
        mine = offsets[labels == mode]
        assert abs(len(mine) - share) < 5 * share**0.5
        assert np.abs(mine.mean(0)).max() < 5 * source.std / len(mine) ** 0.5
        np.testing.assert_allclose(mine.std(0), source.std, rtol=5 / (2 * len(mine)) ** 0.5)

    within = (np.linalg.norm(offsets, axis=1) < 3 * source.std).mean()
    assert within == pytest.approx(1 - np.exp(-4.5), abs=5 * (0.0111 / COUNT) ** 0.5)


@names
def test_points_are_images_of_one_pixel_and_always_the_same(name: str):
    first, second = open_dataset(name, View()), open_dataset(name, View(size=1, channels=2))
    assert (first.images.shape, first.images.dtype) == ((COUNT, 2, 1, 1), np.float32)
    assert (first.size, first.channels, first.kind) == (1, 2, "point")
    assert first.describe() == "points"
    assert 0.8 < np.abs(first.images).max() < 0.9
    assert len(np.unique(first.images.reshape(-1, 2), axis=0)) == COUNT
    assert first.fingerprint == second.fingerprint
    np.testing.assert_array_equal(first.images, second.images)


def test_each_set_has_its_fingerprint():
    assert open_dataset("rings", View()).fingerprint != open_dataset("grid", View()).fingerprint


def test_a_batch_holds_the_points_as_they_are():
    rings = open_dataset("rings", View())
    rows = np.array([70, 3, 99_999])
    batch = rings.batch(rows)
    assert batch["image"].dtype == torch.float32
    np.testing.assert_array_equal(batch["image"].numpy(), rings.images[rows])
    assert torch.equal(to_float(batch["image"]), batch["image"])
    assert torch.equal(to_uint8(batch["image"]), batch["image"])
    shown = Loader(
        rings, change(get_recipe("rings"), {"batch": 50}).sampling, Engine("cpu").placement
    )
    image = shown.at(0)["image"]
    np.testing.assert_array_equal(image.numpy(), rings.images[shown.indices(0)])


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        ({"size": 8}, "rings holds points in the plane, not images: size=8 does not apply"),
        ({"size": 28, "channels": 1}, "size=28, channels=1 does not apply"),
        ({"fit": "pad"}, "fit=pad"),
        ({"background": "black"}, "background=black"),
        ({"labels": "folders"}, "rings carries its own labels"),
    ],
)
def test_what_points_do_not_have_is_refused(view: dict, reason: str):
    with pytest.raises(UserError, match=reason):
        open_dataset("rings", View(**view))


def test_images_have_no_two_channels():
    with pytest.raises(
        UserError, match=r"channels=2 with size=1 is only for points \(rings and grid\)"
    ):
        open_dataset("digits", View(channels=2, size=1))


@names
def test_the_doctor_sees_points(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    examination, _ = examine_data(name, View())
    assert examination.copies == []

    written = io.StringIO()
    print_examination(examination, PlainConsole(file=written, width=80))
    for words in (
        "100,000 points; 100,000 can be used",
        "points in [-1, 1] x [-1, 1]",
        "copies         none",
    ):
        assert words in written.getvalue()

    run_doctor(name, View(), tmp_path / "sheet.png", strict=False, json=True)
    assert json.loads(capsys.readouterr().out)["channels"] == 2
    with Image.open(tmp_path / "sheet.png") as drawn:
        assert drawn.size == (SIDE + 2 * MARGIN, SIDE + 2 * MARGIN)


# Drawing


def at(points: list[tuple[float, float]]) -> torch.Tensor:
    return torch.tensor(points).reshape(-1, 2, 1, 1)


def colour_at(drawn: Image.Image, x: float, y: float) -> tuple[int, int, int]:
    return drawn.getpixel((round(MARGIN + (x + 1) / 2 * SIDE), round(MARGIN + (1 - y) / 2 * SIDE)))  # pyright: ignore


def test_a_point_is_where_it_belongs():
    drawn = draw_points(at([(0.5, 0.25)] * 20))
    red, green, blue = colour_at(drawn, 0.5, 0.25)
    assert blue > 150 > green > red
    for x, y in ((-0.5, 0.25), (0.5, -0.25), (0.25, 0.5)):
        assert colour_at(drawn, x, y) == (255, 255, 255)


@names
def test_the_modes_of_known_data_are_behind(name: str):
    plain, known = draw_points(at([])), draw_points(at([]), discs=mode_discs(name))
    for x, y in MIXTURES[name].centres:
        if abs(x) > 0.01 and abs(y) > 0.01:
            assert colour_at(plain, x, y) == (255, 255, 255)
        red, _, blue = colour_at(known, x, y)
        assert red > blue + 40


def test_a_drawing_follows_from_its_points():
    points = torch.rand(100, 2, 1, 1, generator=torch.Generator().manual_seed(0)) * 2 - 1
    first, second = (
        draw_sheet(points, 8, caption="round 1", discs=mode_discs("rings")) for _ in range(2)
    )
    assert first.tobytes() == second.tobytes()
    assert first.height == draw_sheet(points, 8).height + FOOT
    assert first.width == draw_sheet(at([(1, 1), (-1, -1)]), 8).width


def test_images_are_laid_out_in_a_grid():
    pictures = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    assert draw_sheet(pictures, 2).size == (2 * 60 + 4, 2 * 60 + 4)


# Stacked MNIST


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MNIST's training files, of which each image is as bright as its label says;

    500 images are stacked.
    """
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stacked, "COUNT", 500)
    monkeypatch.setattr(stacked, "PIECE", 64)
    labels = np.arange(60_000, dtype=np.uint8) % 10
    images = np.broadcast_to(labels[:, None, None] * 20, (60_000, 28, 28))
    (tmp_path / "mnist").mkdir()
    write_idx(tmp_path / "mnist" / "train-images-idx3-ubyte", np.ascontiguousarray(images))
    write_idx(tmp_path / "mnist" / "train-labels-idx1-ubyte", labels)
    return tmp_path / "mnist"


def test_a_class_is_its_three_digits(digits: Path):
    dataset = open_dataset(f"stacked-mnist:{digits}", View())
    assert (dataset.images.shape, dataset.images.dtype) == ((500, 3, 28, 28), np.uint8)
    assert isinstance(dataset.images, np.memmap)
    assert dataset.classes[407] == "407"
    assert len(dataset.classes) == 1000
    assert dataset.labels is not None
    for image, label in zip(dataset.images, dataset.labels):
        shown = [int(channel[0, 0]) // 20 for channel in image]
        assert dataset.classes[label] == "".join(map(str, shown))
    assert len(set(dataset.labels.tolist())) > 350  # of 500 draws from 1,000


def test_stacks_are_kept_and_found_again(digits: Path, monkeypatch: pytest.MonkeyPatch):
    first = open_dataset(f"stacked-mnist:{digits}", View())
    monkeypatch.setattr(stacked, "_write_stacks", None)  # not called again
    second = open_dataset(f"stacked-mnist:{digits}", View(size=28, channels=3))
    assert first.fingerprint == second.fingerprint
    moved = digits.rename(digits.with_name("moved"))
    assert open_dataset(f"stacked-mnist:{moved}", View()).report.spec == f"stacked-mnist:{moved}"


def test_stacks_of_another_size(digits: Path):
    dataset = open_dataset(f"stacked-mnist:{digits}", View(size=16))
    assert dataset.images.shape == (500, 3, 16, 16)
    assert "60,000 images shrunk to 16x16 (crop)" in dataset.report.steps


def test_one_channel_cannot_hold_three_digits(digits: Path):
    with pytest.raises(UserError, match="channels=1 is not possible"):
        open_dataset(f"stacked-mnist:{digits}", View(channels=1))
    with pytest.raises(UserError, match="carries its own labels"):
        open_dataset(f"stacked-mnist:{digits}", View(labels="folders"))

"""A loaded run: Pillow images, grids, walks, losses, and how it looks in a notebook."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from short_runs import train_digits, train_mlp, train_points
from tiny import refused_in_one_line

import ganvas
from ganvas.io.images import to_pil, to_uint8
from ganvas.runs.log import read_log


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_mlp(tmp_path_factory.mktemp("mlp") / "<i>run", 48, report_every=12)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_digits(tmp_path_factory.mktemp("digits") / "run")


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_points(tmp_path_factory.mktemp("points") / "run")


def test_pillow_images_are_the_samples(run: ganvas.Run):
    tensor, images = run.sample(3, seed=2), run.sample(3, seed=2, as_images=True)
    assert tensor.shape == (3, 1, 8, 8)
    expected = [to_pil(image) for image in to_uint8(tensor)]
    assert [image.tobytes() for image in images] == [image.tobytes() for image in expected]
    assert run.sample(0, as_images=True) == []


def test_losses_are_the_log(run: ganvas.Run):
    entries = [entry for entry in read_log(run.folder / "log.jsonl") if entry["kind"] == "losses"]
    losses = run.losses
    assert next(iter(losses)) == "images"
    assert list(losses["images"]) == [12, 24, 36, 48]
    for name in ("generator", "discriminator"):
        assert list(losses[name]) == [entry[name] for entry in entries]
    assert len({len(column) for column in losses.values()}) == 1


def test_a_checkpoint_elsewhere_has_no_losses(run: ganvas.Run, tmp_path: Path):
    shutil.copytree(run.path, tmp_path / "copy")
    copy = ganvas.load(tmp_path / "copy")
    assert len(copy.losses["images"]) == 0
    assert "data:image/png" in copy._repr_html_()  # drawn anew


# Grids


def test_grids_have_the_requested_shape(run: ganvas.Run, digits: ganvas.Run):
    assert run.grid(6, columns=6).width > 5 * run.grid(6, columns=1).width
    usual = digits.grid()  # six rows of ten classes
    assert usual.size == digits.grid(60, columns=10).size
    assert digits.grid(4, label=3).size == digits.grid(4).size
    refused_in_one_line(lambda: run.grid(0), "1 or more")
    refused_in_one_line(lambda: run.grid(3, columns=0), "1 or more")


def test_points_are_a_scatter_plot(points: ganvas.Run):
    assert points.grid().size == points.grid(3).size
    refused_in_one_line(lambda: points.sample(1, as_images=True), "makes points")
    refused_in_one_line(lambda: points.walk(2), "makes points")


def test_a_notebook_shows_the_grid_of_training(run: ganvas.Run):
    page = run._repr_html_()
    assert page.count("<img") == 1
    assert "48 images" in page
    assert "&lt;i&gt;run" in page
    assert "<i>" not in page


# Walks


def test_a_walk_is_closed_and_written(digits: ganvas.Run, tmp_path: Path):
    walk = digits.walk(12, label=3, seed=1)
    assert len(walk) == 12
    frames = [np.asarray(frame).astype(float) for frame in walk.frames]
    steps = [np.abs(one - other).mean() for one, other in pairwise(frames)]
    assert np.abs(frames[-1] - frames[0]).mean() <= 1.5 * max(steps)

    walk.save(tmp_path / "walk.webp")
    assert (tmp_path / "walk.webp").stat().st_size > 0
    refused_in_one_line(lambda: walk.save(tmp_path / "walk.png"), r"\.webp")
    refused_in_one_line(lambda: digits.walk(0), "--frames 0: give 1")


def test_classes_walk_side_by_side(digits: ganvas.Run):
    assert digits.walk(1).frames[0].width > 2 * 56 > 56
    assert digits.walk(1, label=3).frames[0].width == 128 + 8  # one image, enlarged, and its frame


def test_an_inverted_walk_swaps_dark_and_light(run: ganvas.Run):
    plain, turned = (run.walk(1, invert=value).frames[0] for value in (False, True))
    inside = (slice(4, -4), slice(4, -4))  # without the white frame
    sums = np.asarray(plain).astype(int)[inside] + np.asarray(turned)[inside]
    assert set(np.unique(sums)) <= {254, 255, 256}


def test_walks_of_one_seed_are_equal(run: ganvas.Run):
    one, other = run.walk(3, seed=4), run.walk(3, seed=4)
    assert [frame.tobytes() for frame in one.frames] == [frame.tobytes() for frame in other.frames]
    assert torch.equal(run.sample(2), run.sample(2))

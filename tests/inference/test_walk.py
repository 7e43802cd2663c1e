"""Walks: through which points they go, in which order, from class to class, and how large."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from short_runs import make_varied_run
from tiny import make_gan, refused_in_one_line

import ganvas
from ganvas.gans import GAN
from ganvas.inference.choice import AS_DRAWN, NoiseChoice
from ganvas.inference.walk import Walk, list_paths
from ganvas.io.animation import Animation

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def gan() -> GAN:
    return make_gan("cdcgan", classes=3)


@pytest.fixture(scope="module")
def digits() -> ganvas.Run:
    return make_varied_run()


def plan(
    gan: GAN, choice: NoiseChoice = AS_DRAWN, labels: tuple[int, ...] = (), **walk: Any
) -> list[list[tuple[object, int, int]]]:
    """Table, row and class of the points of each walk."""
    paths = list_paths(gan, CPU, Walk(**walk), choice, 4, labels)
    return [[(*point.latent.terms[0][:2], point.label) for point in path] for path in paths]


def test_classes_walk_side_by_side_through_six_rows(gan: GAN):
    assert plan(gan) == [[(4, row, label) for row in range(6)] for label in range(3)]
    assert plan(gan, labels=(1,), walks=2) == [
        [(4, row, 1) for row in range(6)],
        [(4, row, 1) for row in range(6, 12)],
    ]


def test_with_several_classes_the_noise_stays(gan: GAN):
    assert plan(gan, labels=(2, 0), walks=2) == [[(4, 0, 2), (4, 0, 0)], [(4, 1, 2), (4, 1, 0)]]
    assert plan(gan, NoiseChoice(seeds="8"), (2, 0)) == [[(8, 0, 2), (8, 0, 0)]]


def test_walks_through_seeds(gan: GAN):
    seeds = NoiseChoice(seeds="8,9")
    assert plan(gan, seeds, (2,), walks=2) == [[(8, 0, 2), (9, 0, 2)], [(8, 1, 2), (9, 1, 2)]]
    assert plan(gan, seeds, (2, 0)) == [[(8, 0, 2), (9, 0, 0)]]
    assert plan(gan, seeds)[2] == [(8, 0, 2), (9, 0, 2)]


def test_walks_through_files_take_their_classes(gan: GAN, tmp_path: Path):
    for name, label in (("a", 2), ("b", 1)):
        tensors = {"noise": torch.zeros(2, 5), "label": torch.tensor([label, 0])}
        save_file(tensors, tmp_path / f"{name}.safetensors")
    files = NoiseChoice(noise=[tmp_path / "a.safetensors", f"{tmp_path}/b.safetensors:2", "7"])
    (path,) = plan(gan, files)
    assert [(row, label) for _, row, label in path] == [(0, 2), (1, 0), (0, 0)]


def test_impossible_walks_are_refused(gan: GAN):
    seeds = NoiseChoice(seeds="1,2,3")
    refused_in_one_line(lambda: plan(gan, NoiseChoice(seeds="1")), "two or more")
    refused_in_one_line(lambda: plan(gan, seeds, (0, 1)), "3 images and 2 classes")
    refused_in_one_line(lambda: plan(gan, NoiseChoice(noise="1,2"), walks=2), "--walks 2")
    along = NoiseChoice(seeds="1,2", direction="1:0..2")
    refused_in_one_line(lambda: plan(gan, along, walks=2), "--walks 2 .* image of --seeds")
    along_file = NoiseChoice(noise="1", direction="1:0..2")
    refused_in_one_line(lambda: plan(gan, along_file, walks=2), "--walks 2 .* image of --noise")
    refused_in_one_line(
        lambda: plan(gan, labels=(0,), frames=10_000, walks=1000, scale=3), "GiB of memory"
    )
    refused_in_one_line(lambda: plan(gan, labels=(0,), scale=2000), "16000x16000 pixels")
    refused_in_one_line(lambda: Walk(frames=0), "--frames 0: give 1 to")
    refused_in_one_line(lambda: Walk(fps=0), "--fps 0: give 1 to")
    refused_in_one_line(lambda: Walk(walks=0), "--walks 0: give 1 to")


def frames(walk: Animation) -> np.ndarray:
    return np.stack([np.asarray(frame, int) for frame in walk.frames])


def test_an_open_walk_begins_and_ends_at_its_images(digits: ganvas.Run, tmp_path: Path):
    walk = digits.walk(5, seeds=[7, 3], label=4, loop=False, fps=50)
    assert (walk.milliseconds, walk.repeat) == (20, False)
    one, other = (digits.walk(1, label=[4, 4], seeds=[seed]) for seed in (7, 3))
    shown = frames(walk)
    assert abs(shown[0] - frames(one)[0]).max() <= 1
    assert abs(shown[-1] - frames(other)[0]).max() <= 1
    assert abs(shown[2] - shown[0]).max() > 1


def test_a_walk_from_class_to_class_is_smooth(digits: ganvas.Run):
    shown = frames(digits.walk(33, label="3,8", loop=False))
    steps = abs(np.diff(shown, axis=0)).mean((1, 2))
    assert 0 < steps.max() < abs(shown[-1] - shown[0]).mean() / 4
    for place, label in ((0, "3"), (-1, "8")):
        still = frames(digits.walk(1, label=[label, label]))[0]
        assert abs(shown[place] - still).max() <= 1


def test_walks_stand_side_by_side(digits: ganvas.Run):
    four = digits.walk(1, label=3, walks=4).frames[0]
    row = digits.walk(1, label=3, walks=4, columns=4).frames[0]
    assert four.size == (2 * 60 + 4, 2 * 60 + 4)
    assert row.size == (4 * 60 + 4, 60 + 4)
    assert digits.walk(1, label=3, scale=2).frames[0].size == (4 * 16 + 8, 4 * 16 + 8)
    classes = digits.walk(1, walks=2).frames[0]  # ten rows with their names
    assert classes.height == 10 * 60 + 4
    assert classes.width > 2 * 60 + 4

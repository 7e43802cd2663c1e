"""The side and the fit at which `auto` learns images of various sizes and shapes."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ganvas.data import open_dataset
from ganvas.data.folders.sizes import SizeSurvey
from ganvas.recipes.auto import auto_recipe
from ganvas.recipes.enough import enough_steps
from ganvas.recipes.registry import get_recipe
from ganvas.recipes.sides import Framing, RowsKind, choose_framing, choose_side, shrink_side
from ganvas.recipes.special import SPECIAL_RECIPES

CPU = torch.device("cpu")


def write(folder: Path, sizes: list[tuple[int, int]], clear: bool = False) -> Path:
    """Discs on noise, or on nothing, in the given sizes (width, height)."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for number, (width, height) in enumerate(sizes):
        noise = random.integers(0, 255, (height, width, 4 if clear else 3), dtype=np.uint8)
        image = Image.fromarray(noise * 0 if clear else noise)
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        ImageDraw.Draw(image).ellipse((2, 2, width - 3, height - 3), (*colour, 255)[: 3 + clear])
        image.save(folder / f"{number:03d}.png")
    return folder


def frame(sizes: dict[tuple[int, int], int], transparent: float = 0.0) -> Framing:
    """How images of a CPU's data set are framed, by how many there are of each size."""
    survey = SizeSurvey({"set": Counter(sizes)}, transparent)
    return choose_framing(survey, "cpu", "image", None)


def test_transparent_sprites_of_mixed_sizes_are_padded(tmp_path: Path):
    place = write(tmp_path / "sprites", [(68, 56), (40, 40), (30, 30)] * 20, clear=True)
    recipe = auto_recipe(str(place), {}, CPU)
    assert (recipe.size, recipe.fit) == (64, "pad")
    assert "transparent" in recipe.reasons["fit"]
    assert "40 images are smaller and not enlarged" in recipe.reasons["size"]
    assert len(open_dataset(str(place), recipe.view)) == 60


def test_small_images_of_one_size_keep_it(tmp_path: Path):
    recipe = auto_recipe(str(write(tmp_path / "set", [(32, 32)] * 60)), {}, CPU)
    assert (recipe.size, recipe.fit) == (32, "crop")


def test_photographs_are_cut(tmp_path: Path):
    place = write(tmp_path / "set", [(500, 375), (375, 500)] * 4)
    recipe = auto_recipe(str(place), {}, CPU)
    assert (recipe.size, recipe.fit) == (64, "crop")
    assert "larger images take too long on this device" in recipe.reasons["size"]


def test_one_small_image_is_enlarged_and_said_so(tmp_path: Path):
    place = write(tmp_path / "set", [(12, 12)] + [(64, 64), (70, 80)] * 100)
    recipe = auto_recipe(str(place), {}, CPU)
    assert recipe.size == 64
    assert "1 of 201 images is smaller and enlarged" in recipe.reasons["size"]
    assert len(open_dataset(str(place), recipe.view)) == 201


@pytest.mark.parametrize(
    ("sizes", "side", "fit"),
    [
        ({(28, 28): 10}, 28, "crop"),
        ({(37, 37): 10}, 32, "crop"),
        # more than a fifth is too small for the median's side, and still large enough to be seen
        ({(64, 64): 6, (40, 40): 4}, 40, "crop"),
        # the smaller ones are too small to be seen, so that all are shown whole
        ({(64, 64): 6, (20, 20): 4}, 64, "pad"),
        # banners: a square would lose half of them
        ({(200, 50): 5, (100, 100): 5}, 64, "pad"),
        # squares are whole in any way
        ({(48, 48): 10}, 48, "crop"),
    ],
)
def test_opaque_images(sizes: dict[tuple[int, int], int], side: int, fit: str):
    found = frame(sizes)
    assert (found.side, found.fit) == (side, fit)


def test_transparent_images():
    # a few larger ones are shrunk; the side is that of nine tenths
    assert frame({(40, 30): 95, (90, 90): 5}, transparent=1.0).side == 48
    assert frame({(40, 30): 95, (90, 90): 5}, transparent=0.3).fit == "crop"
    assert frame({(128, 128): 9}, transparent=1.0).fit == "crop"


def test_a_requested_fit_is_kept():
    survey = SizeSurvey({"set": Counter({(68, 56): 5, (30, 30): 5})}, 1.0)
    assert choose_framing(survey, "cpu", "image", "crop").fit == "crop"
    assert choose_framing(survey, "cpu", "image", "pad").fit_reason == ""


def test_parts_get_the_smallest_side():
    survey = SizeSurvey({"a": Counter({(64, 64): 3}), "b": Counter({(32, 32): 3})})
    assert choose_framing(survey, "cpu", "unpaired", None).side == 32


def test_nothing_is_shrunk_until_it_cannot_be_seen():
    assert [shrink_side(side) for side in (128, 64, 48, 32)] == [96, 48, None, None]


@pytest.mark.parametrize("kind", ["pairs", "unpaired", "attributes"])
@pytest.mark.parametrize(("own", "side"), [(5, 8), (10, 8), (14, 8), (36, 36), (50, 48), (90, 64)])
def test_translators_get_sides_that_they_can_halve_twice(kind: RowsKind, own: int, side: int):
    assert choose_side(own, "cpu", kind) == side


def test_translations_need_fewer_steps():
    """Their input shows most of what the output must be, with the paper's recipe or the quick."""
    steps = {kind: enough_steps(get_recipe(row.quick)) for kind, row in SPECIAL_RECIPES.items()}

    assert {steps[kind] for kind in ("pairs", "unpaired", "attributes")} == {500}
    assert steps["captions"] == enough_steps(get_recipe("avatars-fast")) == 1_000

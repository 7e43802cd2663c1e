"""How often `auto` decodes the files that it looks at."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.data import open_dataset
from ganvas.io import image_files
from ganvas.recipes import get_recipe
from ganvas.recipes.auto import auto_recipe
from ganvas.recipes.recipe import REQUESTED


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Counter[bytes]:
    """How often each file was decoded."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    counts = Counter[bytes]()
    read = image_files.read_frames

    def count(content: bytes, *more: Any, **others: Any) -> Iterator[image_files.Picture]:
        counts[content] += 1
        return read(content, *more, **others)

    monkeypatch.setattr(image_files, "read_frames", count)
    return counts


def write(folder: Path, shape: tuple[int, ...], count: int = 3) -> Path:
    """Images of a shape (height, width) or (height, width, 3), of other noise in each folder."""
    random = np.random.default_rng(len(folder.name) + ord(folder.name[-1]))
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = random.integers(0, 255, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


# 16: as they are; 50: no GAN generates it; 72: too large for a CPU
@pytest.mark.parametrize(("own", "size"), [(16, 16), (50, 48), (72, 64)])
@pytest.mark.parametrize("colours", [(), (3,)])
def test_auto_and_training_decode_each_image_once(
    tmp_path: Path, decoded: Counter[bytes], own: int, size: int, colours: tuple[int, ...]
):
    place = str(write(tmp_path / "set", (own, own, *colours)))
    recipe = auto_recipe(place, {}, torch.device("cpu"))
    assert open_dataset(place, recipe.view).size == recipe.size == size
    assert sorted(decoded.values()) == [1, 1, 1]


def test_grey_inputs_leave_the_colours_of_outputs(tmp_path: Path, decoded: Counter[bytes]):
    write(tmp_path / "set" / "A", (32, 32))
    write(tmp_path / "set" / "B", (32, 32, 3))
    place = f"pairs:{tmp_path / 'set'}"
    recipe = auto_recipe(place, {}, torch.device("cpu"))
    assert open_dataset(place, recipe.view).schema.channels == {"a": 1, "b": 3}
    assert sorted(decoded.values()) == [1] * 6


def test_domains_of_two_sizes_are_brought_to_the_smaller_one(
    tmp_path: Path, decoded: Counter[bytes]
):
    places = [write(tmp_path / "A", (64, 64, 3)), write(tmp_path / "B", (32, 32, 3))]
    recipe = auto_recipe(f"unpaired:{places[0]},{places[1]}", {}, torch.device("cpu"))
    assert recipe.size == 32
    assert sorted(decoded.values()) == [1] * 6


def test_the_load_scale_is_the_recipes_unless_one_is_given(tmp_path: Path):
    places = [write(tmp_path / "A", (64, 64, 3)), write(tmp_path / "B", (64, 64, 3))]
    spec = f"unpaired:{places[0]},{places[1]}"
    usual = auto_recipe(spec, {}, torch.device("cpu"))
    assert usual.load_scale == get_recipe("cyclegan-fast").load_scale
    assert usual.reasons["load_scale"] == "As in the recipe cyclegan-fast."
    given = auto_recipe(spec, {"load_scale": 1.0}, torch.device("cpu"))
    assert given.load_scale == 1.0
    assert given.reasons["load_scale"] == REQUESTED

"""Random pixels, and whatever else a recipe's GAN needs, for benchmarks."""

from collections.abc import Callable

import numpy as np
import torch
from plain import SCRIPTS, Pictures
from plain_quick import ROW_SCRIPTS

from ganvas.data.dataset import Dataset, fingerprint, single
from ganvas.data.report import DataReport
from ganvas.gans import GANS
from ganvas.io.images import to_float
from ganvas.recipes.recipe import Recipe

IMAGES = 4096
ROWS = 1024  # of data for translation
# columns of GANs whose options decide what they require
USUAL = {"gawwn-relativistic": ("image", "caption", "box")}
ATTRIBUTES = tuple("abcde")
CAPTIONS = 10, 128  # of an image, and letters in each


def random_data(recipe: Recipe) -> Dataset:
    """Random pixels, and what else the recipe's GAN needs; labels of ten classes with single
    images.
    """
    random = np.random.default_rng(0)
    size, channels = recipe.size, recipe.channels
    assert size and channels
    requires = USUAL.get(recipe.gan, GANS[recipe.gan].requires)
    count = ROWS if recipe.name in ROW_SCRIPTS else IMAGES
    report = DataReport(spec="random", found=count, used=count)

    def images() -> np.ndarray:
        return random.integers(0, 256, (count, channels, size, size), np.uint8)

    if recipe.name in SCRIPTS:
        return single(images(), random.integers(0, 10, count), tuple("0123456789"), report)
    make: dict[str, Callable[[], np.ndarray]] = {
        "image": images,
        "a": images,
        "b": images,
        "attributes": lambda: random.integers(0, 2, (count, len(ATTRIBUTES)), np.uint8),
        "caption": lambda: random.integers(97, 123, (count, *CAPTIONS), np.uint8),
        "box": lambda: random.random((count, 4), np.float32) * 0.4 + 0.1,
    }
    names = {"attributes": ATTRIBUTES} if "attributes" in requires else {}
    columns = {need: make[need]() for need in requires}
    beside = {"b": columns.pop("b")} if recipe.gan in ("cyclegan", "cut") else {}
    other = Dataset(beside, {}, fingerprint(beside, {}), report, size) if beside else None
    return Dataset(columns, names, fingerprint(columns, names), report, size, other)


def floats(dataset: Dataset, unit: bool) -> Pictures:
    """The same images as floats in memory, in [0, 1] if `unit`, else in [-1, 1]."""
    assert dataset.labels is not None
    images = to_float(torch.from_numpy(dataset.images))
    return Pictures((images + 1) / 2 if unit else images, torch.from_numpy(dataset.labels))

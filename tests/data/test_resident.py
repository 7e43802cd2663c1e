"""Loader made of columns that lie on the device equal those that are copied there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganvas.data.dataset import Dataset, fingerprint
from ganvas.data.loader import RESIDENT, Loader, fits
from ganvas.data.report import DataReport
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.training.engine import Engine

COUNT, SIDE, SIZE = 30, 20, 16
CPU = torch.device("cpu")


def columns_of_all_kinds() -> Dataset:
    """Images larger than training sees them, with all that may belong to an image, and another
    domain beside.
    """
    random = np.random.default_rng(0)
    names = {
        "label": ("0", "1"),
        "attributes": ("x", "y"),
        "keypoints": ("beak", "left eye", "right eye"),
    }

    def pictures() -> np.ndarray:
        return random.integers(0, 256, (COUNT, 3, SIDE, SIDE), np.uint8)

    columns = {
        "image": pictures(),
        "label": random.integers(0, 2, COUNT),
        "attributes": random.integers(0, 2, (COUNT, 2), np.uint8),
        "caption": random.integers(97, 123, (COUNT, 2, 9), np.uint8),
        "box": random.random((COUNT, 4), np.float32) * 0.4 + 0.1,
        "keypoints": random.random((COUNT, 3, 3), np.float32).round(2),
    }
    beside = {"b": pictures()[: COUNT - 7]}
    report = DataReport(spec="random", found=COUNT, used=COUNT)
    other = Dataset(beside, {}, fingerprint(beside, {}), report, SIZE)
    return Dataset(columns, names, fingerprint(columns, names), report, SIZE, other)


@pytest.mark.parametrize(
    "settings", [{}, {"replacement": True, "flip": False}], ids=["epochs", "replacement"]
)
def test_resident_batches_equal_copied_ones(settings):
    dataset = columns_of_all_kinds()
    recipe = change(
        get_recipe("digits"), {"batch": 8, "flip": True, "held_out": 5, "size": SIZE} | settings
    )
    copied, resident = (Loader(dataset, recipe.sampling, Engine("cpu").placement) for _ in range(2))
    for order in resident.orders:
        order.keep_on(CPU)
    seen = []
    for images in range(0, 80, 8):
        one, other = copied.at(images), resident.at(images)
        assert one.keys() == other.keys() == {*dataset.columns, "b"}
        assert all(
            torch.equal(one[name], other[name]) and one[name].dtype == other[name].dtype
            for name in one
        )
        assert one["image"].shape == (8, 3, SIZE, SIZE)
        seen.append(one["image"])

    assert len(torch.cat(seen).unique(dim=0)) > COUNT  # cut and mirrored, each time otherwise


def test_what_is_resident():
    dataset = columns_of_all_kinds()
    assert dataset.beside

    size = sum(
        column.nbytes for part in (dataset, dataset.beside) for column in part.columns.values()
    )
    enough = round(size / RESIDENT)

    assert fits(dataset, enough)
    assert not fits(dataset, enough - 8)
    assert not fits(dataset, 0)  # what a device without memory of its own has
    assert not fits(
        replace(
            dataset,
            beside=replace(dataset.beside, columns={"b": list(dataset.beside.columns["b"])}),
        ),
        2**40,
    )

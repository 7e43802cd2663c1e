"""Lengths and periods that are given in epochs, passes through the training data."""

import re
from collections.abc import Mapping
from typing import Any

from ganvas.data.dataset import Dataset
from ganvas.data.split import held_out_count
from ganvas.errors import UserError
from ganvas.recipes.recipe import PERIODS, Recipe, change

__all__ = ["read_periods", "set_length", "set_periods"]

IN_EPOCHS = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)?\s*epochs?\s*", re.ASCII | re.IGNORECASE)
KEYS = (*PERIODS, "evaluate_every", "measure_every")


def read_periods(changes: Mapping[str, Any]) -> dict[str, float]:
    """The periods among the requested settings that are in epochs, such as "1epoch", by key."""
    found = {}
    for key in KEYS:
        value = changes.get(key)
        match = IN_EPOCHS.fullmatch(value) if isinstance(value, str) else None
        if match:
            found[key] = float(match[1] or 1)
    return found


def set_length(recipe: Recipe, epochs: float, dataset: Dataset) -> Recipe:
    """The recipe with its length given in epochs.

    Raises:
        UserError: the number is not above 0.
    """
    if not 0 < epochs < float("inf"):
        raise UserError(f"--epochs {epochs:g}: ask for more than 0")
    return change(recipe, {"images": max(1, round(epochs * _count(recipe, dataset)))})


def set_periods(recipe: Recipe, periods: Mapping[str, float], dataset: Dataset) -> Recipe:
    """The recipe with periods given in epochs, by key.

    Raises:
        UserError: a period is not above 0.
    """
    for key, epochs in periods.items():
        if not epochs > 0:
            raise UserError(f"{key}={epochs:g}epoch: ask for more than 0")
    count = _count(recipe, dataset)
    return change(recipe, {key: max(1, round(value * count)) for key, value in periods.items()})


def _count(recipe: Recipe, dataset: Dataset) -> int:
    """The images of an epoch: those that are not held out."""
    return len(dataset) - held_out_count(len(dataset), recipe.held_out, dataset.report.test)

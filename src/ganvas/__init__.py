"""Ganvas: train, evaluate and use generative adversarial networks on your own images.

>>> import ganvas
>>> run = ganvas.train("digits", images=200, quiet=True)  # doctest: +SKIP
>>> images = run.sample(16, label=3)  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganvas.errors import UserError
    from ganvas.evaluation import Evaluation, evaluate
    from ganvas.gans import GANS
    from ganvas.inference.run import Run, load
    from ganvas.recipes import RECIPES
    from ganvas.recipes.recipe import Recipe
    from ganvas.training.signals import InterruptedRun
    from ganvas.training.trainer import train

# The module of each public name.
HOMES = {
    "train": "ganvas.training.trainer",
    "evaluate": "ganvas.evaluation",
    "Evaluation": "ganvas.evaluation",
    "load": "ganvas.inference.run",
    "Run": "ganvas.inference.run",
    "RECIPES": "ganvas.recipes",
    "GANS": "ganvas.gans",
    "Recipe": "ganvas.recipes.recipe",
    "UserError": "ganvas.errors",
    "InterruptedRun": "ganvas.training.signals",
}

__all__ = [
    "GANS",
    "RECIPES",
    "Evaluation",
    "InterruptedRun",
    "Recipe",
    "Run",
    "UserError",
    "evaluate",
    "load",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: torch is slow to import, and `--help` needs none."""
    if name in HOMES:
        return getattr(importlib.import_module(HOMES[name]), name)
    raise AttributeError(f"module 'ganvas' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names, also those that are not imported yet."""
    return sorted({*globals(), *HOMES})

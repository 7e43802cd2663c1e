"""Ganvas: train, judge and use generative adversarial networks on your own images.

>>> import ganvas
>>> run = ganvas.train("digits", images=200, quiet=True)  # doctest: +SKIP
>>> pictures = run.sample(16, label=3)  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganvas.errors import UserError
    from ganvas.evaluation import Evaluation, evaluate
    from ganvas.gans import GANS
    from ganvas.recipe import Recipe
    from ganvas.recipes import RECIPES
    from ganvas.sample import Run, load
    from ganvas.trainer import InterruptedRun, train

HOMES = {
    "train": "ganvas.trainer",
    "evaluate": "ganvas.evaluation",
    "Evaluation": "ganvas.evaluation",
    "load": "ganvas.sample",
    "Run": "ganvas.sample",
    "RECIPES": "ganvas.recipes",
    "GANS": "ganvas.gans",
    "Recipe": "ganvas.recipe",
    "UserError": "ganvas.errors",
    "InterruptedRun": "ganvas.trainer",
}

__all__ = ["GANS", "RECIPES", "Evaluation", "InterruptedRun", "Recipe", "Run", "UserError", "evaluate", "load", "train"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: torch is slow to import, and `--help` does without."""
    if name in HOMES:
        return getattr(importlib.import_module(HOMES[name]), name)
    raise AttributeError(f"module 'ganvas' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All names, those too that are not imported yet."""
    return sorted({*globals(), *HOMES})

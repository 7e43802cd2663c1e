"""What to train: one short function per experiment, with its measured result."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganvas.recipes.registry import RECIPES, get_recipe

# Imported at first use, below.
__all__ = ["RECIPES", "get_recipe"]


def __getattr__(name: str) -> Any:
    """Import the recipes at their first use: they need torch, which the list of them does not."""
    if name in __all__:
        return getattr(importlib.import_module("ganvas.recipes.registry"), name)
    raise AttributeError(f"module 'ganvas.recipes' has no attribute {name!r}")

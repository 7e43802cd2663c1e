"""Ganvas: train, evaluate and use generative adversarial networks on your own images.

>>> import ganvas
>>> run = ganvas.train("digits", images=200, quiet=True)  # doctest: +SKIP
>>> images = run.sample(16, label=3)  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganvas.api.about import About, about
    from ganvas.api.cache import CacheEntry, cache
    from ganvas.api.directions import directions
    from ganvas.api.inside import inside
    from ganvas.api.judging import evaluate, health
    from ganvas.api.making import restore, sample, translate
    from ganvas.api.sharing import push, zoo
    from ganvas.api.training import train
    from ganvas.data.inspect import Examination, data
    from ganvas.errors import UserError
    from ganvas.evaluation import Evaluation
    from ganvas.export.export import Exported, export
    from ganvas.gans import GANS
    from ganvas.inference.direction_survey import Directions
    from ganvas.inference.inside.look import Inside
    from ganvas.inference.results import Results
    from ganvas.inference.run import Run, load
    from ganvas.io.animation import Animation
    from ganvas.recipes import RECIPES
    from ganvas.recipes.recipe import Recipe
    from ganvas.runs.health import Health
    from ganvas.theory.course import Course
    from ganvas.theory.lab import theory
    from ganvas.training.signals import InterruptedRun
    from ganvas.whatif.comparison import Comparison
    from ganvas.whatif.lab import whatif

    __version__: str

# The module of each public name.
HOMES = {
    "train": "ganvas.api.training",
    "load": "ganvas.inference.run",
    "sample": "ganvas.api.making",
    "directions": "ganvas.api.directions",
    "inside": "ganvas.api.inside",
    "translate": "ganvas.api.making",
    "restore": "ganvas.api.making",
    "evaluate": "ganvas.api.judging",
    "health": "ganvas.api.judging",
    "push": "ganvas.api.sharing",
    "about": "ganvas.api.about",
    "cache": "ganvas.api.cache",
    "zoo": "ganvas.api.sharing",
    "Run": "ganvas.inference.run",
    "Results": "ganvas.inference.results",
    "Directions": "ganvas.inference.direction_survey",
    "Inside": "ganvas.inference.inside.look",
    "Animation": "ganvas.io.animation",
    "Evaluation": "ganvas.evaluation",
    "Health": "ganvas.runs.health",
    "Exported": "ganvas.export.export",
    "Examination": "ganvas.data.inspect",
    "Course": "ganvas.theory.course",
    "Comparison": "ganvas.whatif.comparison",
    "RECIPES": "ganvas.recipes",
    "GANS": "ganvas.gans",
    "Recipe": "ganvas.recipes.recipe",
    "UserError": "ganvas.errors",
    "InterruptedRun": "ganvas.training.signals",
    "About": "ganvas.api.about",
    "CacheEntry": "ganvas.api.cache",
}
CALLABLE = ("data", "export", "theory", "whatif")  # packages that are called like functions

__all__ = [
    "GANS",
    "RECIPES",
    "About",
    "Animation",
    "CacheEntry",
    "Comparison",
    "Course",
    "Directions",
    "Evaluation",
    "Examination",
    "Exported",
    "Health",
    "Inside",
    "InterruptedRun",
    "Recipe",
    "Results",
    "Run",
    "UserError",
    "about",
    "cache",
    "data",
    "directions",
    "evaluate",
    "export",
    "health",
    "inside",
    "load",
    "push",
    "restore",
    "sample",
    "theory",
    "train",
    "translate",
    "whatif",
    "zoo",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: torch is slow to import, and `--help` needs none."""
    if name in HOMES:
        return getattr(importlib.import_module(HOMES[name]), name)
    if name in CALLABLE:
        return importlib.import_module(f"ganvas.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("ganvas")
    raise AttributeError(f"module 'ganvas' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, also those that are not imported yet."""
    return sorted([*__all__, "__version__"])

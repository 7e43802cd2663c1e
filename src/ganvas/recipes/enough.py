"""How `auto` spends a short time: how many training steps it needs, and what makes them cheaper."""

from collections.abc import Collection
from typing import NamedTuple

from ganvas.gans import GANS
from ganvas.recipes.chosen import Fitted
from ganvas.recipes.recipe import Recipe
from ganvas.recipes.sides import shrink_side

__all__ = ["Saving", "enough_steps", "list_savings"]

ENOUGH = 1_000  # training steps of a GAN that begins with noise
ENOUGH_TRANSLATED = 500  # its input already shows most of what the output must be
SMALL_BATCH = 16  # images, of which a step still learns something
NARROW = 16  # channels of the narrowest network
# Seconds of a step by what is done to it, at a guess; the real ones are measured afterwards.
OVERHEAD = 1.2  # of smaller batches, whose steps take less time but not in proportion


class Saving(NamedTuple):
    """Settings of `auto` that make training steps cheaper.

    Attributes:
        fitted: the settings.
        share: of the time of a usual step that one takes with them, at a guess.
    """

    fitted: Fitted
    share: float


def enough_steps(recipe: Recipe) -> int:
    """The training steps after which samples of a recipe look like something, roughly."""
    # its input is an image: one of a pair or a domain, or one with other attributes
    translates = {"a", "attributes"} & set(GANS[recipe.gan].requires)
    return ENOUGH_TRANSLATED if translates else ENOUGH


def list_savings(recipe: Recipe, given: Collection[str], words: str) -> list[Saving]:
    """What `auto` may change so that enough steps fit into a time, the least change first.

    Args:
        recipe: that was chosen without a look at the time.
        given: settings by their dotted keys that were requested; they are kept.
        words: the time, for people.
    """
    fitted: dict[str, tuple[int, str]] = {}
    share = 1.0
    found = []

    if "batch" not in given and recipe.batch > SMALL_BATCH:
        reason = f"Smaller than usual, so that there are enough training steps in {words}."
        fitted["batch"] = (SMALL_BATCH, reason)
        share *= OVERHEAD * SMALL_BATCH / recipe.batch
        found.append(Saving(dict(fitted), share))

    side = recipe.size
    while "size" not in given and side and (smaller := shrink_side(side)):
        reason = f"At {side} pixels there would be too few training steps in {words}."
        fitted["size"] = (smaller, reason)
        share *= (smaller / side) ** 2
        side = smaller
        found.append(Saving(dict(fitted), share))

    width = recipe.options.get("width")
    if "options.width" not in given and isinstance(width, int) and width > NARROW:
        fitted["options.width"] = (NARROW, f"Narrower than usual, to be quicker in {words}.")
        share *= NARROW / width
        found.append(Saving(dict(fitted), share))
    return found

"""Give a recipe another length: all that is measured in images changes with it."""

from collections.abc import Collection
from typing import Any

from ganvas.recipes.recipe import PERIODS, Recipe, all_settings, change

__all__ = ["LENGTHS", "OFTENER", "RARER", "REPORT_STEPS", "WHOLE", "change_length", "take_length"]

PROPORTIONAL = "In proportion to the length."
WHOLE = "The run takes its whole time: no losses end it early."
OFTENER = "More often than usual, so that a long run can be watched."
RARER = "Rarer than usual, so that most of the time is left for training."
FITTED = frozenset((PROPORTIONAL, RARER, OFTENER, WHOLE))  # reasons of what follows from a length
REPORT_STEPS = 16  # training steps in a report at least: whole periods of the gradient penalties
# The settings that are lengths of a schedule, by the end of their keys.
LENGTHS = ("ema_burn_in", "options.burn_in", ".burn_in", ".decay_every")
LOOKS = (*PERIODS, "measure_every")  # periods of what looks at a run


def change_length(recipe: Recipe, images: int, reason: str, given: Collection[str] = ()) -> Recipe:
    """Copy a recipe with another length, and with everything in it that depends on the length.

    The half-life of the averaged weights keeps its share of the length, but never grows: an average
    over more than it was made for is no better. Burn-ins and staircases of the learning rates keep
    their shares; so do periods of reports, but a report covers at least `REPORT_STEPS` training
    steps, or as many as before. Low losses no longer end the run early. What the recipe leaves open
    follows from the length anyway.

    Args:
        recipe: any.
        images: the new length.
        reason: why it has this length.
        given: settings by their dotted keys that were requested; they are kept.
    """
    share = images / recipe.images
    changes: dict[str, tuple[Any, str]] = {"images": (images, reason)}

    def scale(key: str, why: str, at_least: int = 1, at_most: float = float("inf")) -> None:
        value = values.get(key)
        parts = key.split(".")
        kept = any(".".join(parts[:count]) in given for count in range(1, len(parts) + 1))
        if isinstance(value, int) and value > 0 and not kept:
            scaled = max(at_least, round(value * min(share, at_most)))
            if scaled != value:
                changes[key] = (scaled, why)

    values: dict[str, Any] = all_settings(recipe)
    scale("ema_halflife", PROPORTIONAL, at_most=1.0)
    for key in values:
        if key.endswith(LENGTHS):
            scale(key, PROPORTIONAL)
    for key in LOOKS:
        own = values.get(key)
        if own:
            scale(key, PROPORTIONAL, min(own, REPORT_STEPS * recipe.batch))

    # Looked at so often, low losses would end a run after its first steps.
    asked = any(key.partition(".")[0] == "stop_below" for key in given)
    if recipe.stop_below and not asked:
        changes["stop_below"] = ({}, WHOLE)

    changed = change(recipe, {key: value for key, (value, _) in changes.items()})
    reasons = changed.reasons | {key: why for key, (_, why) in changes.items()}
    return changed.model_copy(update={"reasons": reasons})


def take_length(recipe: Recipe, run: Recipe) -> Recipe:
    """Copy a recipe with the length of a run, and what `change_length` made of it there.

    So a run that was fitted to a given time is resumed by the name of its recipe, too.

    Args:
        recipe: that is asked for.
        run: the recipe of the run, as it was written.
    """
    values = all_settings(run)
    fitted = {
        key: reason for key, reason in run.reasons.items() if key == "images" or reason in FITTED
    }
    if recipe.name != run.name or not fitted or recipe.reasons:
        return recipe
    changed = change(recipe, {key: values[key] for key in fitted})
    return changed.model_copy(update={"reasons": fitted})

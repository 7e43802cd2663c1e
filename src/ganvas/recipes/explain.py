"""Explain in sentences what was chosen for a run, and why: `ganvas train auto`, `--minutes`."""

import re

from ganvas.recipes.auto import describe_setting
from ganvas.recipes.recipe import Recipe

__all__ = ["explain_choices", "explain_reasons"]

# The choices that a user should know of, as the beginnings of sentences; {} is the value.
CHOICES = {
    "gan": "The GAN is {}",
    "size": "Images are learned at {} pixels",
    "images": "The run shows {} images in all",
}
# Further ones of a run that begins with the weights of another.
FURTHER = {
    "optimizers": "Training is by {}",
    "options.augmentation": "The augmentation is {}",
}


def explain_choices(recipe: Recipe) -> list[str]:
    """The most important choices that were made for a run, each in a sentence with its reason.

    Args:
        recipe: of the run; one without reasons needs no sentence.
    """
    choices = CHOICES | FURTHER if recipe.origin else CHOICES
    return [
        f"{beginning.format(describe_setting(recipe, key))}: {_find_clause(recipe.reasons[key])}."
        for key, beginning in choices.items()
        if key in recipe.reasons
    ]


def explain_reasons(recipe: Recipe) -> list[str]:
    """Every setting that was chosen for a run, and below it the reason, in lines."""
    lines = []
    for key, reason in recipe.reasons.items():
        lines += [f"{key}: {describe_setting(recipe, key)}", f"  {reason}"]
    return lines


def _find_clause(reason: str) -> str:
    """The first sentence of a reason as a clause that follows a colon: without its full stop."""
    first = re.split(r"(?<=\.) (?=[A-Z0-9])", reason)[0].rstrip(".")
    return first[:1].lower() + first[1:]

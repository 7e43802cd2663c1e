"""Advice for a training that would take days: the quick recipe of its kind, time or size."""

import shlex

from ganvas.recipes.recipe import Recipe
from ganvas.recipes.registry import get_recipe

__all__ = ["LONG", "QUICKER", "advise_quicker"]

LONG = 24 * 3600  # seconds, from which a training is long
SMALLEST = 32  # pixels to which images are shrunk at least

# For recipes that take hours or days: the quick one of the same kind.
QUICKER = {
    "mnist-mlp": "mnist-fast",
    "mnist-mlp-deep": "mnist-fast",
    "mnist-cdcgan": "mnist-fast",
    "avatars-dcgan": "avatars-fast",
    "dcgan-64": "avatars-fast",
    "sngan": "avatars-fast",
    "wgan-gp": "avatars-fast",
    "ffhq-64-r3gan": "avatars-fast",
    "stacked-mnist": "stacked-mnist-fast",
    "stacked-mnist-r3gan": "stacked-mnist-fast",
    "pix2pix": "pix2pix-fast",
    "inpaint": "inpaint-fast",
    "cyclegan": "cyclegan-fast",
    "stargan": "stargan-fast",
    "gawwn-box": "gawwn-fast",
    "rings": "rings-fast",
    "grid": "grid-fast",
}


def advise_quicker(recipe: Recipe, seconds: float) -> list[str]:
    """What to do about a training that takes so many seconds, in lines; none if it is not long."""
    if seconds < LONG:
        return []

    advice = []
    if quick := QUICKER.get(recipe.name):
        words = ["ganvas", "train", quick]
        # A quick recipe may have data of its own.
        if recipe.data and recipe.data != get_recipe(quick).data:
            words += ["--data", recipe.data]
        advice.append(f"{shlex.join(words)}  # the quick recipe for this")
    advice.append("--minutes 60  # as much as can be learned in an hour")
    if recipe.size and recipe.size // 2 >= SMALLEST:
        half = recipe.size // 2 // 4 * 4  # some networks halve their maps twice
        advice.append(f"--size {half}  # smaller images, about four times as fast")
    return ["This is a long training. To make it shorter:", *(f"  {line}" for line in advice)]

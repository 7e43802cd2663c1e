"""The choices of `ganvas train auto` for data with several columns: pairs, captions and others."""

from typing import NamedTuple

from ganvas.io.console import count_noun
from ganvas.recipes.chosen import Choices
from ganvas.recipes.facts import DataFacts, Machine
from ganvas.recipes.recipe import Recipe
from ganvas.recipes.registry import get_recipe

__all__ = ["KIND_NAMES", "SPECIAL_RECIPES", "choose_special_gan", "find_special"]


class SpecialRecipes(NamedTuple):
    """The recipes that `auto` takes for a kind of data.

    Attributes:
        paper: on a GPU.
        quick: anywhere else.
    """

    paper: str
    quick: str


# For each kind of data but single images. A quicker recipe is entered here and nowhere else.
SPECIAL_RECIPES: dict[str, SpecialRecipes] = {
    "pairs": SpecialRecipes("pix2pix", "pix2pix-fast"),
    "unpaired": SpecialRecipes("cyclegan", "cyclegan-fast"),
    "attributes": SpecialRecipes("stargan", "stargan-fast"),
    "captions": SpecialRecipes("gawwn-box", "gawwn-fast"),
    "keypoints": SpecialRecipes("gawwn-keypoints", "gawwn-keypoints"),
    "points": SpecialRecipes("rings-fast", "rings-fast"),
}
KIND_NAMES = {
    "pairs": "pairs of images",
    "unpaired": "two unpaired domains",
    "attributes": "images with attributes",
    "captions": "captions and boxes",
    "keypoints": "captions and key points",
    "points": "points",
}


def find_special(kind: str, device: str) -> Recipe | None:
    """The recipe for a kind of data on a type of device; None for single images."""
    names = SPECIAL_RECIPES.get(kind)
    if names is None:
        return None
    return get_recipe(names.paper if device == "cuda" else names.quick)


def choose_special_gan(choices: Choices, facts: DataFacts, machine: Machine) -> None:
    """Choose the GAN for pairs, domains, attributes, captions or points, and its settings."""
    recipe = find_special(facts.kind, machine.device)
    assert recipe
    reason = f"As in the recipe {recipe.name}."
    choices.set("gan", recipe.gan, f"The data holds {KIND_NAMES[facts.kind]}.")

    values = recipe.model_dump()
    _keep_detail(choices, facts, recipe)
    # One by one, so that each option has a reason of its own.
    for option, value in values["options"].items():
        choices.set(f"options.{option}", value, reason)
    for key in ("optimizers", "ema_halflife", "load_scale", "flip", "images", "report_every"):
        if key not in choices.values and values[key] != Recipe.model_fields[key].default:
            choices.set(key, values[key], reason)

    half = max(1, facts.images // 2)
    if half < recipe.batch:
        choices.set("batch", half, f"Half of the {count_noun(facts.images, 'row')}.")
    else:
        choices.set("batch", recipe.batch, reason)


def _keep_detail(choices: Choices, facts: DataFacts, recipe: Recipe) -> None:
    """Choose no random crops out of images that would have to be enlarged for them, where a GAN
    learns detail that was taken away.
    """
    own, side = facts.framing.own, facts.view.size or 0
    if facts.degradation and own < side * recipe.load_scale:
        reason = f"The images have {own} pixels, and enlarged ones have no detail to learn."
        choices.set("load_scale", 1.0, reason)

"""One recipe in full: its description, settings and parameters."""

import inspect
import json

import torch

from ganvas.data.dataset import PICTURES
from ganvas.gans.options import build_gan
from ganvas.io.console import print_text
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.auto import AUTO, describe_auto
from ganvas.recipes.recipe import Recipe, all_settings, find_reasons
from ganvas.schema import Schema

__all__ = ["describe_counts", "parameter_counts", "print_recipe", "print_settings"]

MANY = 10  # classes, attributes and key points of data that is not known yet


def print_recipe(name: str) -> None:
    """Print a recipe's description, all its settings and its parameters; of auto how it chooses.

    Raises:
        UserError: the name is unknown.
    """
    if name == AUTO:
        print_text(*describe_auto())
        return

    recipe = get_recipe(name)
    # A paragraph is one line, which a terminal breaks where it must.
    paragraphs = (inspect.getdoc(RECIPES[name]) or "").split("\n\n")
    for line in [name, *(" ".join(paragraph.split()) for paragraph in paragraphs)]:
        print_text(line, "")
    print_settings(recipe)
    print_text(describe_counts(parameter_counts(recipe)))


def parameter_counts(recipe: Recipe) -> dict[str, int]:
    """Parameters of each network, counted without allocating them.

    The data is not known, so it has whatever a GAN may need: 10 classes, attributes and key points.
    """
    names = tuple(str(number) for number in range(MANY))
    schema = Schema(
        size=recipe.size or 64,
        channels=dict.fromkeys(PICTURES, recipe.channels or 3),
        names={"label": names, "attributes": recipe.attributes or names, "keypoints": names},
        # Bytes of a caption, numbers of a sentence encoder.
        widths={"caption": 128, "caption_features": 1024},
        boxes=True,
    )
    # Tensors on this device have shapes, but no memory.
    with torch.device("meta"):
        gan = build_gan(recipe.gan, schema, recipe.options)
    return gan.count_parameters()


def print_settings(recipe: Recipe) -> None:
    """Print every setting as `--set` takes it; below it its reason if it was chosen automatically.

    The reason of a group of settings stands at the first of them.
    """
    reasons = find_reasons(recipe)
    for key, value in all_settings(recipe).items():
        print_text(f"  {key} = {json.dumps(value)}")
        if key in reasons:
            print_text(f"    # {reasons[key]}")


def describe_counts(counts: dict[str, int]) -> str:
    """The parameters of each network in words: "parameters: generator 1,234, ..."."""
    return "parameters: " + ", ".join(f"{player} {count:,}" for player, count in counts.items())

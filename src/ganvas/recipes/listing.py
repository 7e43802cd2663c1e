"""What recipes there are, and what each of them is."""

import inspect
import json

import torch
from rich.console import Console
from rich.table import Table

from ganvas.data.dataset import PICTURES
from ganvas.gans.options import build
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.recipe import Recipe, all_settings
from ganvas.schema import Schema


def print_recipes() -> None:
    """One row a recipe: picture size, data, parameters, measured result."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("recipe", "size", "data", "parameters", "measured"):
        table.add_column(heading, no_wrap=heading in ("recipe", "size"))
    for name in RECIPES:
        recipe = get_recipe(name)
        where = recipe.data or "your pictures"
        table.add_row(name, seen(recipe), where, f"{sum(parameter_counts(recipe).values()):,}", measured(name))
    Console().print(table)


def print_recipe(name: str) -> None:
    """A recipe whole: what it is, its settings, its GAN's options and parameters."""
    recipe = get_recipe(name)
    print(f"{name}\n\n{inspect.getdoc(RECIPES[name])}\n")
    print_settings(recipe)
    print_counts(parameter_counts(recipe))


def seen(recipe: Recipe) -> str:
    """What a recipe makes, as short as a table wants it: "28 grey"."""
    return "points" if recipe.channels == 2 else f"{recipe.size} {'grey' if recipe.channels == 1 else 'rgb'}"


def measured(name: str) -> str:
    """The recipe's measured result: the sentence of its docstring that begins with "Measured:"."""
    text = " ".join((inspect.getdoc(RECIPES[name]) or "").split())
    return text.partition("Measured: ")[2].partition(". ")[0].rstrip(".") or "-"


def parameter_counts(recipe: Recipe) -> dict[str, int]:
    """Parameters of each player, without making them; for data with all that a GAN may want, ten of each."""
    names = tuple(str(number) for number in range(10))
    schema = Schema(
        size=recipe.size or 64,
        channels=dict.fromkeys(PICTURES, recipe.channels or 3),
        names={"label": names, "attributes": recipe.attributes or names, "keypoints": names},
        widths={"caption": 128, "caption_features": 1024},
        boxes=True,
    )
    with torch.device("meta"):
        gan = build(recipe.gan, schema, recipe.options)
    return {player: sum(p.numel() for p in values) for player, values in gan.players().items()}


def print_settings(recipe: Recipe) -> None:
    """Every setting as `--set` takes it, with the reason if it was chosen automatically; that of a group at its first setting."""
    reasons = dict(recipe.reasons)
    for key, value in all_settings(recipe).items():
        reason = reasons.pop(key, None) or reasons.pop(key.partition(".")[0], None)
        print(f"  {key} = {json.dumps(value)}" + (f"  # {reason}" if reason else ""))


def print_counts(counts: dict[str, int]) -> None:
    print("parameters: " + ", ".join(f"{player} {count:,}" for player, count in counts.items()))

"""What recipes there are, and what each of them is."""

import inspect
import json

import torch
from rich.table import Table

from ganvas.data.dataset import PICTURES
from ganvas.gans.options import build
from ganvas.io.console import PlainConsole, print_text
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.auto import AUTO, describe_auto
from ganvas.recipes.recipe import Recipe, all_settings, find_reasons
from ganvas.schema import Schema, kind_of_channels


def print_recipes() -> None:
    """One row a recipe: picture size, data, parameters, measured result."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("recipe", "size", "data", "parameters", "measured"):
        table.add_column(heading, no_wrap=heading in ("recipe", "size"))
    table.add_row(
        AUTO, "any", "your pictures", "depends", "chosen for data and machine: ganvas recipes auto"
    )
    for name in RECIPES:
        recipe = get_recipe(name)
        where = recipe.data or "your pictures"
        table.add_row(
            name, seen(recipe), where, f"{sum(parameter_counts(recipe).values()):,}", measured(name)
        )
    PlainConsole().print(table)


def print_recipe(name: str) -> None:
    """A recipe whole: what it is, its settings, its GAN's options and parameters; of auto what it
    chooses from.
    """
    if name == AUTO:
        print_text(*describe_auto())
        return
    recipe = get_recipe(name)
    print_text(name, "", *(inspect.getdoc(RECIPES[name]) or "").splitlines(), "")
    print_settings(recipe)
    print_counts(parameter_counts(recipe))


def seen(recipe: Recipe) -> str:
    """What a recipe makes, as short as a table wants it: "28 grey"."""
    return (
        "points"
        if kind_of_channels(recipe.channels) == "point"
        else f"{recipe.size} {'grey' if recipe.channels == 1 else 'rgb'}"
    )


def measured(name: str) -> str:
    """The recipe's measured result: the sentence of its docstring that begins with "Measured:"."""
    text = " ".join((inspect.getdoc(RECIPES[name]) or "").split())
    return text.partition("Measured: ")[2].partition(". ")[0].rstrip(".") or "-"


def parameter_counts(recipe: Recipe) -> dict[str, int]:
    """Parameters of each player, without making them; for data with all that a GAN may want, ten of
    each.
    """
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
    """Every setting as `--set` takes it, with the reason if it was chosen automatically; that of a
    group at its first setting.
    """
    reasons = find_reasons(recipe)
    for key, value in all_settings(recipe).items():
        print_text(
            f"  {key} = {json.dumps(value)}" + (f"  # {reasons[key]}" if key in reasons else "")
        )


def print_counts(counts: dict[str, int]) -> None:
    print_text(
        "parameters: " + ", ".join(f"{player} {count:,}" for player, count in counts.items())
    )

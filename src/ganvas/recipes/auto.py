"""`ganvas train auto`: a recipe for data and a machine that are not known in advance."""

from collections.abc import Mapping
from typing import Any

import torch

from ganvas.data import find_kind
from ganvas.errors import UserError
from ganvas.recipes.choices import KIND_NAMES, PLAYERS, SPECIAL_RECIPES, decide_settings
from ganvas.recipes.facts import inspect_machine, survey_data
from ganvas.recipes.recipe import Adam, Recipe, all_settings, change
from ganvas.recipes.registry import get_recipe

__all__ = ["AUTO", "auto_recipe", "describe_auto", "describe_setting"]

AUTO = "auto"  # the recipe's name


def auto_recipe(
    spec: str | None, given: Mapping[str, Any], device: torch.device, progress: bool = False
) -> Recipe:
    """Choose a recipe for data and a machine, with the reason of each choice in `reasons`.

    Args:
        spec: the data set, as `open_dataset` takes it.
        given: requested settings by their dotted keys; they are kept.
        device: the device that will train.
        progress: show a progress bar while the data is opened.

    Returns:
        A recipe with the name "auto".

    Raises:
        UserError: there is no data, it cannot be opened, or a GAN was requested.
    """
    if not spec:
        raise UserError(
            "auto chooses settings for your data: give a folder, a zip or the name of a data set "
            "with --data"
        )
    if "gan" in given:
        raise UserError(
            f"gan={given['gan']!r}: auto chooses the GAN itself; to train another one, name its "
            "recipe (ganvas recipes lists them)"
        )

    machine = inspect_machine(device)
    # The data is opened as training will open it, so that it is packed only once.
    kind = find_kind(spec)
    special = SPECIAL_RECIPES.get(kind.rows) if kind else None
    view = {"load_scale": get_recipe(special).load_scale} if special else {}
    facts = survey_data(spec, view | dict(given), machine.device, progress)
    choices = decide_settings(facts, machine, given)
    # The numbers here are all replaced; `change` reports values that are not allowed.
    base = Recipe(
        name=AUTO,
        gan=choices.values["gan"],
        batch=2,
        images=2,
        optimizers=dict.fromkeys(PLAYERS, Adam(lr=1e-3)),
        data=spec,
    )
    return change(base, choices.values).model_copy(update={"reasons": choices.reasons})


def describe_auto() -> list[str]:
    """What `ganvas recipes auto` prints, a line each."""
    # The GANs come from the recipes, so that this text cannot be wrong.
    kinds = [
        f"  {KIND_NAMES[kind]}: {get_recipe(name).gan}" for kind, name in SPECIAL_RECIPES.items()
    ]
    return [
        AUTO,
        "",
        "Chooses all settings for your data and this machine, each with its reason.",
        "It needs your data: --data FOLDER.",
        "",
        "The kind of data decides the GAN:",
        "  single images: r3gan on a GPU, otherwise relativistic",
        *kinds,
        "The other settings depend on the images (size, colours, classes, symmetry, number)",
        "and on the device with its memory.",
        "Settings that you give, such as --size 32 or --set batch=16, are kept.",
        "",
        "  ganvas train auto --data FOLDER --dry-run  # show the choices without training",
        "  ganvas train auto --data FOLDER            # train",
    ]


def describe_setting(recipe: Recipe, key: str) -> str:
    """A setting in a few words; of the optimizers their rate and betas."""
    if key == "optimizers":
        adam = next(iter(recipe.optimizers.values()))
        return f"Adam {adam.lr:g}, betas {adam.beta1:g} and {adam.beta2:g}"

    # true and false are integers of Python, too.
    value = all_settings(recipe).get(key)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

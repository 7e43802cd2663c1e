"""`ganvas train auto`: a recipe for data and a machine that are not known in advance."""

from collections.abc import Mapping
from typing import Any

import torch

from ganvas.data import find_kind
from ganvas.errors import UserError
from ganvas.recipes.choices import PLAYERS, decide_settings
from ganvas.recipes.chosen import Fitted
from ganvas.recipes.facts import inspect_machine, survey_data
from ganvas.recipes.recipe import Adam, Recipe, all_settings, change
from ganvas.recipes.special import KIND_NAMES, SPECIAL_RECIPES, find_special

__all__ = ["AUTO", "auto_recipe", "describe_auto", "describe_setting"]

AUTO = "auto"  # the recipe's name


def auto_recipe(
    spec: str | None,
    given: Mapping[str, Any],
    device: torch.device,
    progress: bool = False,
    fitted: Fitted | None = None,
) -> Recipe:
    """Choose a recipe for data and a machine, with the reason of each choice in `reasons`.

    Args:
        spec: the data set, as `open_dataset` takes it.
        given: requested settings by their dotted keys; they are kept.
        device: the device that will train.
        progress: show a progress bar while the data is opened.
        fitted: settings that are smaller than usual, so that training fits into a given time.

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
    special = find_special(kind.rows, machine.device) if kind else None
    usual = {"load_scale": special.load_scale} if special else {}
    if fitted and "size" in fitted:
        usual["size"] = fitted["size"][0]
    facts = survey_data(spec, given, machine.device, progress, usual)
    choices = decide_settings(facts, machine, given, fitted)
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
    # The recipes come from the table, so that this text cannot be wrong.
    kinds = []
    for kind, names in SPECIAL_RECIPES.items():
        gpu = f"; {names.paper} on a GPU" if names.paper != names.quick else ""
        kinds.append(f"  {KIND_NAMES[kind]}: {names.quick}{gpu}")
    return [
        AUTO,
        "",
        "Chooses all settings for your data and this machine, each with its reason.",
        "It needs your data: --data FOLDER.",
        "",
        "The kind of data decides the GAN, or the recipe that it is taken from:",
        "  single images: r3gan on a GPU, otherwise relativistic",
        *kinds,
        "The other settings depend on the images (size, colours, classes, symmetry, number)",
        "and on the device with its memory.",
        "Settings that you give, such as --size 32 or --set batch=16, are kept.",
        "",
        "  ganvas train auto --data FOLDER --dry-run  # show the choices without training",
        "  ganvas train auto --data FOLDER            # train",
        "  ganvas train auto --data FOLDER --minutes 10  # trains for ten minutes in all",
    ]


def describe_setting(recipe: Recipe, key: str) -> str:
    """A setting in a few words; of the optimizers their rate and betas."""
    if key == "optimizers":
        adam = next(iter(recipe.optimizers.values()))
        return f"Adam {adam.lr:g}, betas {adam.beta1:g} and {adam.beta2:g}"

    # true and false are integers of Python, too.
    value = all_settings(recipe).get(key)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

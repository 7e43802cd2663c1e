"""`ganvas train auto --from RUN`: a run's recipe for other data, so that its weights fit."""

from collections.abc import Mapping
from typing import Any

import torch

from ganvas.errors import UserError
from ganvas.gans.options import option_defaults
from ganvas.io.console import count_noun
from ganvas.recipes.auto import AUTO
from ganvas.recipes.choices import choose_flip, explain_augmentation, is_few
from ganvas.recipes.chosen import Choices
from ganvas.recipes.facts import DataFacts, survey_data
from ganvas.recipes.recipe import Recipe, change

__all__ = ["auto_from", "decide_from"]

SAME = "As in the run that it begins with, so that its weights fit."
SLOWER = 0.3  # of the rates, where few images would undo what was learned from many
LOWERED = (
    "Lower than in the run that it begins with, so that few images do not undo what it has learned."
)
KEPT = "As in the run that it begins with; there are enough images for its rates."
OVER = "The run that it begins with is past it."
LENGTH = "As many as in the run that it begins with; --minutes sets the time instead."
SHORTER = 8  # times, with few images: see docs/results.md, "From another run"
SHORT = (
    "An eighth of those of the run that it begins with, which has learned most already; --minutes "
    "sets the time instead."
)
BURN_INS = ("options.burn_in", "ema_burn_in")


def auto_from(
    theirs: Recipe,
    by_class: bool,
    given: Mapping[str, Any],
    device: torch.device,
    progress: bool = False,
) -> Recipe:
    """Choose a recipe that begins with a run's weights, with the reason of each choice.

    Args:
        theirs: the recipe of that run, with the size and channels of its images.
        by_class: whether its GAN uses classes.
        given: requested settings by their dotted keys; they are kept.
        device: the device that will train.
        progress: show a progress bar while the data is opened.

    Returns:
        A recipe with the name "auto".

    Raises:
        UserError: there is no data, it cannot be opened, or another GAN was requested.
    """
    spec = given.get("data")
    if not spec:
        raise UserError(
            "auto chooses settings for your data: give a folder, a zip or the name of a data set "
            "with --data"
        )
    if "gan" in given:
        raise UserError(
            f"gan={given['gan']!r}: auto --from takes the GAN of the run, {theirs.gan}, so that "
            "its weights fit"
        )

    # The images must look as they did; classes are those of the new data, where they are used.
    usual = theirs.view.model_dump(exclude={"labels"} if by_class else None)
    facts = survey_data(spec, given, device.type, progress, usual)
    choices = decide_from(theirs, facts, given)
    if facts.classes and not by_class and "conditional" in option_defaults(theirs.gan):
        choices.set("options.conditional", False, SAME)
    base = theirs.model_copy(update={"name": AUTO, "data": spec, "reasons": {}})
    return change(base, choices.values).model_copy(update={"reasons": choices.reasons})


def decide_from(theirs: Recipe, facts: DataFacts, given: Mapping[str, Any]) -> Choices:
    """Choose the settings in which a run differs from the one that it begins with.

    Args:
        theirs: the recipe of that run.
        facts: about the new data.
        given: settings that were requested; they are kept.
    """
    choices = Choices(given)
    choices.set("gan", theirs.gan, SAME)
    if facts.kind != "points":
        choices.set("size", facts.view.size, SAME)
    if facts.view.labels != "none":
        source = "the sub-folders" if facts.view.labels == "folders" else facts.view.labels
        reason = f"There are {facts.classes} classes in {source}."
        choices.set("labels", facts.view.labels, reason)
    if facts.kind == "image":
        choose_flip(choices, facts)

    few = is_few(facts.images, facts.view.size or 0)
    _choose_augmentation(choices, theirs, facts.images, few)
    half = max(1, facts.images // 2)
    if half < theirs.batch:
        choices.set("batch", half, f"Half of the {count_noun(facts.images, 'image')}.")
    _choose_rates(choices, theirs, few)
    if few:
        choices.set("images", max(1, theirs.images // SHORTER), SHORT)
    else:
        choices.set("images", theirs.images, LENGTH)
    return choices


def _choose_augmentation(choices: Choices, theirs: Recipe, count: int, few: bool) -> None:
    """Choose augmentation for few images, where the GAN knows it."""
    known = option_defaults(theirs.gan).get("augmentation")
    if known is None or not few:
        return
    value = "adaptive" if isinstance(known, str) else 0.5
    choices.set("options.augmentation", value, explain_augmentation(count, few))


def _choose_rates(choices: Choices, theirs: Recipe, few: bool) -> None:
    """Choose the rates of the optimizers; burn-ins are over."""
    factor = SLOWER if few else 1.0
    optimizers = {
        player: adam.model_dump()
        | {
            "lr": factor * (adam.lr if adam.lr_end is None else adam.lr_end),
            "lr_end": None,
            "beta2": adam.beta2 if adam.beta2_end is None else adam.beta2_end,
            "beta2_end": None,
            "burn_in": 0,
        }
        for player, adam in theirs.optimizers.items()
    }
    choices.set("optimizers", optimizers, LOWERED if few else KEPT)
    if theirs.options.get("burn_in"):
        choices.set("options.burn_in", 0, OVER)
    if theirs.ema_burn_in:
        choices.set("ema_burn_in", None, OVER)

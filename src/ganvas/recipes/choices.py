"""The choices of `ganvas train auto`: settings for data and a machine, each with its reason."""

import math
from collections.abc import Mapping
from typing import Any

from ganvas.io.console import count_noun
from ganvas.recipes.chosen import Choices, Fitted
from ganvas.recipes.facts import DataFacts, Machine
from ganvas.recipes.recipe import Adam, Recipe, all_settings
from ganvas.recipes.registry import get_recipe
from ganvas.recipes.sides import LARGEST, Framing, RowsKind, largest_side
from ganvas.recipes.special import choose_special_gan

__all__ = [
    "FEW",
    "PLAYERS",
    "choose_flip",
    "decide_settings",
    "explain_augmentation",
    "is_few",
    "quick_recipe",
]

# Fewer images of 64 pixels than this, and the discriminator memorises them. Smaller images are
# simpler, so fewer of them are enough.
FEW = 5_000
PLAYERS = ("generator", "discriminator")
MOST_GAMMA = 150.0  # the paper's at 256 pixels
QUICK = "Small batches mean many updates, which learn faster on a CPU."

# The options of the small GAN that depend on the data, and what they are.
OPTION_MEANINGS = {
    "options.width": "The channels of the largest feature maps",
    "options.most": "The most channels, as a multiple of the width",
    "options.gamma": "The weight of the gradient penalty, stable in all our trials",
    "options.penalty_every": "Training steps from one gradient penalty to the next",
}


def decide_settings(
    facts: DataFacts,
    machine: Machine,
    given: Mapping[str, Any] | None = None,
    fitted: Fitted | None = None,
) -> Choices:
    """Choose all settings that depend on data and machine.

    Args:
        facts: about the data.
        machine: that will train.
        given: settings that were requested; they are kept, and the others are chosen to fit.
        fitted: settings that are smaller than usual, so that training fits into a given time.
    """
    choices = Choices(given or {}, fitted)
    view, framing = facts.view, facts.framing
    side = view.size
    assert side

    if facts.kind != "points":
        choices.set("size", side, _explain_side(side, framing, machine.device, facts.kind))
    if view.fit != "crop" and framing.fit_reason:
        choices.set("fit", view.fit, framing.fit_reason)
    if view.labels != "none":
        source = "the sub-folders" if view.labels == "folders" else view.labels
        choices.set("labels", view.labels, f"There are {facts.classes} classes in {source}.")

    if facts.kind == "image":
        _choose_noise_gan(choices, facts, machine)
    else:
        choose_special_gan(choices, facts, machine)
    return choices


def _explain_side(side: int, framing: Framing, device: str, kind: RowsKind) -> str:
    """Say why images are learned at a side, and what becomes of those that are smaller."""
    limit = largest_side(device, kind)
    own = framing.own
    whose = (framing.basis or "The images have {} pixels").format(own)
    if side == own:
        reason = f"{whose}."
    elif own > limit and limit < LARGEST[device]:
        reason = f"{whose}; with captions at most {limit} are learned."
    elif own > 1.25 * limit:
        reason = f"{whose}; larger images take too long on this device ({device})."
    else:
        reason = f"{whose}; this is the nearest size that the network can generate."
    return f"{reason} {framing.size_note}".strip()


def _choose_noise_gan(choices: Choices, facts: DataFacts, machine: Machine) -> None:
    """Choose a GAN that generates images from noise; class-conditional where there are classes."""
    side = facts.view.size or 0
    if machine.device == "cuda":
        _choose_modern_gan(choices, side, facts.images, machine)
    else:
        _choose_small_gan(choices, side, facts.images, machine)

    choose_flip(choices, facts)
    if facts.classes:
        choices.set(
            "options.conditional",
            True,
            f"There are {facts.classes} classes; sample one of them with --label.",
        )


def choose_flip(choices: Choices, facts: DataFacts) -> None:
    """Choose whether images are mirrored at random."""
    # Mirrored images double the data, but not where left and right have a meaning.
    if facts.view.channels == 1:
        reason = "Grey images may be writing, which must not be mirrored."
    elif facts.symmetric:
        reason = "The mean image is nearly symmetric, so mirrored images are plausible, too."
    else:
        reason = "The mean image is not symmetric, so left and right may have a meaning."
    choices.set("flip", facts.symmetric, reason)


def quick_recipe(side: int) -> Recipe:
    """The quick recipe for images of about this size."""
    if side <= 12:
        return get_recipe("digits")
    return get_recipe("mnist-fast" if side <= 32 else "avatars-fast")


def _choose_small_gan(choices: Choices, side: int, count: int, machine: Machine) -> None:
    """Choose settings for a CPU: those of the quick recipe for images of about this size."""
    recipe = quick_recipe(side)
    reason = (
        f"It is small enough for this device ({machine.device}), and compares each fake with a "
        "real image, which discourages mode collapse."
    )
    choices.set("gan", recipe.gan, reason)
    options = all_settings(recipe)
    for option, meaning in OPTION_MEANINGS.items():
        choices.set(option, options[option], f"{meaning}, as in the recipe {recipe.name}.")

    few = is_few(count, side)
    augmentation = "adaptive" if few else "none"
    choices.set("options.augmentation", augmentation, explain_augmentation(count, few))

    # At most half of the images, so that a batch is never the whole set.
    half = count // 2
    reason = f"Half of the {count_noun(count, 'image')}." if half < recipe.batch else QUICK
    choices.set("batch", min(recipe.batch, half), reason)

    # The reason stands for the whole group of settings.
    optimizers = {player: adam.model_dump() for player, adam in recipe.optimizers.items()}
    reason = "Twice this rate was unstable in trials. It falls to 0 in the second half."
    choices.set("optimizers", optimizers, reason)
    reason = "In images. Samples use averaged weights (EMA), which look smoother."
    choices.set("ema_halflife", recipe.ema_halflife, reason)
    reason = f"As in the recipe {recipe.name}; --minutes sets the time instead."
    choices.set("images", recipe.images, reason)


def is_few(count: int, side: int) -> bool:
    """Whether a discriminator would memorise so many images of a side."""
    return count < FEW * side / 64


def explain_augmentation(count: int, few: bool) -> str:
    """Say why images are augmented, or not."""
    images = count_noun(count, "image is", "images are")
    if few:
        return f"{images} so few that the discriminator would memorise them."
    return f"{images} enough to train without augmentation."


def _choose_modern_gan(choices: Choices, side: int, count: int, machine: Machine) -> None:
    """Choose settings for a GPU, between those of the R3GAN paper's data sets."""
    few = count < 4 * FEW * side / 64
    choices.set("gan", "r3gan", "The modern baseline, fast enough on a GPU.")

    # Few images do not need a wide network, and a small GPU has no room for one.
    gigabytes = machine.memory / 2**30
    if gigabytes < 40:
        width = 192 if few else 384
    else:
        width = 384 if few else 768
    reason = f"For {gigabytes:.0f} GiB of memory and {count_noun(count, 'image')}."
    choices.set("options.width", width, reason)

    # Memory grows with the area of the images and with the width; powers of 2 suit a GPU.
    # One GiB is taken to hold 16 images of 64 pixels at width 384.
    room = 2 ** int(math.log2(max(8, gigabytes * 2**16 * 384 / side**2 / width)))
    limits = {
        "As many as the paper used.": 256 if side <= 64 else 64,
        f"Half of the {count_noun(count, 'image')}.": max(2, count // 2),
        "What fits into the GPU's memory with a margin.": room,
    }
    # The reason is that of the limit that counts.
    reason = min(limits, key=lambda limit: limits[limit])
    batch = choices.set_number("batch", limits[reason], reason)

    # From 2 at 64 pixels to 128 at 256, where the paper has 150.
    gamma = min(MOST_GAMMA, 2.0 * (side / 64) ** 3 * max(1.0, 256 / max(batch, 64)))
    reason = (
        "The weight of the gradient penalty, between the paper's for 64 and 256 pixels, larger for "
        "small batches. A tenth of it after the burn-in."
    )
    choices.set("options.gamma", [gamma, gamma / 10], reason)
    _choose_modern_augmentation(choices, side, count, few)
    _choose_modern_length(choices, count)


def _choose_modern_augmentation(choices: Choices, side: int, count: int, few: bool) -> None:
    """Choose the probability of augmentation for a GPU: as in the paper, higher for few images."""
    if few:
        probability = 0.5
    else:
        probability = 0.3 if side > 32 else 0.0

    reason = explain_augmentation(count, few)
    if side > 32 and not few:
        reason = f"As in the paper for {count_noun(count, 'image')} of this size."
    choices.set("options.augmentation", probability, reason)


def _choose_modern_length(choices: Choices, count: int) -> None:
    """Choose how long a GPU trains, and what changes with the length: rates and averages."""
    length = min(100_000_000, max(2_000_000, 200 * count))
    reason = "200 epochs, but between 2 and 100 million images; --minutes sets the time instead."
    length = choices.set_number("images", length, reason)
    reason = "A tenth of the length, as in the paper."
    burn_in = choices.set_number("options.burn_in", max(1, length // 10), reason)

    # The burn-in that holds, chosen or requested: all that changes must change together.
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9, burn_in=burn_in, lr_end=5e-5, beta2_end=0.99)
    optimizers = dict.fromkeys(PLAYERS, adam.model_dump())
    choices.set("optimizers", optimizers, "The paper's rates and betas over the burn-in.")
    choices.set("ema_halflife", 500_000, "In images; the paper's.")
    choices.set("ema_burn_in", burn_in, "By then the initial weights no longer count.")
    choices.set(
        "precision", "bf16", "Twice as fast on GPUs that support it, with the same quality."
    )

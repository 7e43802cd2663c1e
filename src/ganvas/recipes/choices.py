"""The choices of `ganvas train auto`: settings for data and a machine, each with its reason."""

import math
from collections.abc import Mapping
from typing import Any

from ganvas.io.console import count_noun
from ganvas.recipes.facts import LARGEST, DataFacts, Machine, RowsKind, largest_side
from ganvas.recipes.recipe import REQUESTED, Adam, Recipe, all_settings
from ganvas.recipes.registry import get_recipe

__all__ = ["FEW", "KIND_NAMES", "PLAYERS", "SPECIAL_RECIPES", "Choices", "decide_settings"]

# Fewer images of 64 pixels than this, and the discriminator memorises them. Smaller images are
# simpler, so fewer of them are enough.
FEW = 5_000
PLAYERS = ("generator", "discriminator")
MOST_GAMMA = 150.0  # the paper's at 256 pixels
QUICK = "small batches (more updates) learn faster on a CPU"

# The options of the small GAN that depend on the data, and what they are.
OPTION_MEANINGS = {
    "options.width": "channels of the largest feature maps",
    "options.most": "most channels, as a multiple of the width",
    "options.gamma": "gradient-penalty weight; stable in all our trials",
    "options.penalty_every": "training steps from one gradient penalty to the next",
}

# The recipe for each kind of data but single images, and the kind in words.
SPECIAL_RECIPES: dict[str, str] = {
    "pairs": "pix2pix",
    "unpaired": "cyclegan",
    "attributes": "stargan",
    "captions": "gawwn-box",
    "keypoints": "gawwn-keypoints",
    "points": "rings-fast",
}
KIND_NAMES = {
    "pairs": "pairs of images",
    "unpaired": "two unpaired domains",
    "attributes": "images with attributes",
    "captions": "captions and boxes",
    "keypoints": "captions and key points",
    "points": "points",
}


class Choices:
    """Settings by their dotted keys, and why each was chosen.

    Args:
        given: settings that the user requested; they are kept, and the others are chosen to fit.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.values: dict[str, Any] = {}
        self.reasons: dict[str, str] = {}

    def set(self, key: str, value: Any, reason: str) -> Any:
        """Choose a value unless the user requested one, and return the one that holds."""
        self.values[key] = self.given.get(key, value)
        self.reasons[key] = REQUESTED if key in self.given else reason
        return self.values[key]

    def set_number(self, key: str, value: int, reason: str) -> int:
        """As `set`, for a number that others depend on.

        A requested value that is no positive number is kept, too: it is refused later, with what is
        allowed. What depends on it goes by `value`.
        """
        chosen = self.set(key, value, reason)
        return chosen if isinstance(chosen, int) and chosen > 0 else value


def decide_settings(
    facts: DataFacts, machine: Machine, given: Mapping[str, Any] | None = None
) -> Choices:
    """Choose all settings that depend on data and machine, to fit those that were requested."""
    choices = Choices(given or {})
    view = facts.view
    side = view.size
    assert side

    if facts.kind != "points":
        reason = _explain_side(side, facts.own, machine.device, facts.kind)
        choices.set("size", side, reason)
    if view.labels != "none":
        source = "the sub-folders" if view.labels == "folders" else view.labels
        choices.set("labels", view.labels, f"{facts.classes} classes from {source}")

    if facts.kind == "image":
        _choose_noise_gan(choices, facts, machine)
    else:
        _choose_special_gan(choices, facts, machine)
    return choices


def _explain_side(side: int, own: int, device: str, kind: RowsKind) -> str:
    """Say why images of `own` pixels, the shorter side of most of them, are learned at `side`."""
    limit = largest_side(device, kind)
    if side == own:
        return "the images' own size (shorter side)"
    if own > limit and limit < LARGEST[device]:
        return f"the images have {own} pixels; with captions at most {limit} are learned"
    if own > LARGEST[device]:
        return f"the images have {own} pixels; larger ones take too long on this device ({device})"
    return f"the images have {own} pixels; this is the nearest size that the network can generate"


def _choose_noise_gan(choices: Choices, facts: DataFacts, machine: Machine) -> None:
    """Choose a GAN that generates images from noise; class-conditional where there are classes."""
    side = facts.view.size or 0
    if machine.device == "cuda":
        _choose_modern_gan(choices, side, facts.images, machine)
    else:
        _choose_small_gan(choices, side, facts.images, machine)

    # Mirrored images double the data, but not where left and right have a meaning.
    if facts.view.channels == 1:
        reason = "grey images may be writing, which must not be mirrored"
    elif facts.symmetric:
        reason = "the mean image is nearly symmetric"
    else:
        reason = "the mean image is not symmetric"
    choices.set("flip", facts.symmetric, reason)

    if facts.classes:
        choices.set("options.conditional", True, f"{facts.classes} classes; sample with --label")


def _choose_small_gan(choices: Choices, side: int, count: int, machine: Machine) -> None:
    """Choose settings for a CPU: those of the quick recipe for images of about this size."""
    if side <= 12:
        name, minutes = "digits", 2
    elif side <= 32:
        name, minutes = "mnist-fast", 5
    else:
        name, minutes = "avatars-fast", 8
    recipe = get_recipe(name)

    reason = (
        f"small enough for this device ({machine.device}); compares each fake with a real image, "
        "which discourages mode collapse"
    )
    choices.set("gan", recipe.gan, reason)
    options = all_settings(recipe)
    for option, meaning in OPTION_MEANINGS.items():
        choices.set(option, options[option], f"{meaning}; as in the recipe {recipe.name}")

    few = count < FEW * side / 64
    augmentation = "adaptive" if few else "none"
    choices.set("options.augmentation", augmentation, _explain_augmentation(count, few))

    # At most half of the images, so that a batch is never the whole set.
    half = count // 2
    reason = f"half of the {count_noun(count, 'image')}" if half < recipe.batch else QUICK
    choices.set("batch", min(recipe.batch, half), reason)

    # The reason stands for the whole group of settings.
    optimizers = {player: adam.model_dump() for player, adam in recipe.optimizers.items()}
    reason = "twice this rate was unstable in trials; it falls to 0 in the second half"
    choices.set("optimizers", optimizers, reason)
    reason = "in images; samples use averaged weights (EMA), which look smoother"
    choices.set("ema_halflife", recipe.ema_halflife, reason)
    reason = f"about {minutes} minutes at {side} pixels on two idle CPU cores"
    choices.set("images", recipe.images, reason)


def _explain_augmentation(count: int, few: bool) -> str:
    """Say why images are augmented, or not."""
    images = count_noun(count, "image is", "images are")
    if few:
        return f"{images} so few that the discriminator would memorise them"
    return f"{images} enough to train without augmentation"


def _choose_modern_gan(choices: Choices, side: int, count: int, machine: Machine) -> None:
    """Choose settings for a GPU, between those of the R3GAN paper's data sets."""
    few = count < 4 * FEW * side / 64
    choices.set("gan", "r3gan", "the modern baseline, fast enough on a GPU")

    # Few images do not need a wide network, and a small GPU has no room for one.
    gigabytes = machine.memory / 2**30
    if gigabytes < 40:
        width = 192 if few else 384
    else:
        width = 384 if few else 768
    reason = f"{gigabytes:.0f} GiB of memory, {count_noun(count, 'image')}"
    choices.set("options.width", width, reason)

    # Memory grows with the area of the images and with the width; powers of 2 suit a GPU.
    # One GiB is taken to hold 16 images of 64 pixels at width 384.
    room = 2 ** int(math.log2(max(8, gigabytes * 2**16 * 384 / side**2 / width)))
    limits = {
        "as many as the paper used": 256 if side <= 64 else 64,
        f"half of the {count_noun(count, 'image')}": max(2, count // 2),
        "what fits into the GPU's memory with a margin": room,
    }
    # The reason is that of the limit that counts.
    reason = min(limits, key=lambda limit: limits[limit])
    batch = choices.set_number("batch", limits[reason], reason)

    # From 2 at 64 pixels to 128 at 256, where the paper has 150.
    gamma = min(MOST_GAMMA, 2.0 * (side / 64) ** 3 * max(1.0, 256 / max(batch, 64)))
    reason = (
        "gradient-penalty weight, between the paper's for 64 and 256 pixels, larger for small "
        "batches; a tenth of it after the burn-in"
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

    reason = _explain_augmentation(count, few)
    if side > 32 and not few:
        reason = f"{count_noun(count, 'image')}; as in the paper for their size"
    choices.set("options.augmentation", probability, reason)


def _choose_modern_length(choices: Choices, count: int) -> None:
    """Choose how long a GPU trains, and what changes with the length: rates and averages."""
    length = min(100_000_000, max(2_000_000, 200 * count))
    reason = "200 epochs, but between 2 and 100 million images"
    length = choices.set_number("images", length, reason)
    reason = "a tenth of the length, as in the paper"
    burn_in = choices.set_number("options.burn_in", max(1, length // 10), reason)

    # The burn-in that holds, chosen or requested: all that changes must change together.
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9, burn_in=burn_in, lr_end=5e-5, beta2_end=0.99)
    optimizers = dict.fromkeys(PLAYERS, adam.model_dump())
    choices.set("optimizers", optimizers, "the paper's rates and betas over the burn-in")
    choices.set("ema_halflife", 500_000, "in images; the paper's")
    choices.set("ema_burn_in", burn_in, "by then the initial weights no longer count")
    choices.set("precision", "bf16", "twice as fast on GPUs that support it, with the same quality")


def _choose_special_gan(choices: Choices, facts: DataFacts, machine: Machine) -> None:
    """Choose the GAN for pairs, domains, attributes, captions or points, and its recipe's settings.

    On a CPU it is smaller and the training shorter.
    """
    recipe = get_recipe(SPECIAL_RECIPES[facts.kind])
    reason = f"as in the recipe {recipe.name}"
    choices.set("gan", recipe.gan, f"the data holds {KIND_NAMES[facts.kind]}")

    values = recipe.model_dump()
    # One by one, so that each option has a reason of its own.
    for option, value in values["options"].items():
        choices.set(f"options.{option}", value, reason)
    for key in ("optimizers", "ema_halflife", "load_scale", "flip", "batch", "images"):
        if values[key] != Recipe.model_fields[key].default:
            choices.set(key, values[key], reason)

    # At the papers' sizes a CPU would take too long.
    if machine.device != "cpu":
        return
    if facts.kind in ("pairs", "unpaired", "attributes"):
        reason = "a quarter of the paper's width, so that a CPU can train it"
        choices.set("options.width", 16, reason)
        choices.set("batch", 4, QUICK)
        reason = f"about an hour at {facts.view.size} pixels on two CPU cores; more with --images"
        choices.set("images", min(values["images"], 40_000), reason)
    elif facts.kind == "captions":
        reason = "about an hour on two CPU cores; more with --images"
        choices.set("images", min(values["images"], 100_000), reason)

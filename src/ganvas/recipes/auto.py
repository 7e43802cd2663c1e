"""Settings for data and a machine that are not known yet:

`ganvas train auto`, each with a reason of one line.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch

from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.recipes import get_recipe
from ganvas.recipes.facts import LARGEST, Facts, Kind, Machine, largest_side, machine, survey
from ganvas.recipes.recipe import ASKED, Adam, Recipe, all_settings, change

AUTO = "auto"  # the recipe's name
# pictures of 64 pixels; fewer a discriminator learns by heart. Smaller pictures are simpler: of
# them fewer will do
FEW = 5_000


class Choices:
    """Settings by their dotted keys, and why each was chosen.

    Args:
        given: settings that were asked for; they are kept, and others are chosen to go with them.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.values: dict[str, Any] = {}
        self.reasons: dict[str, str] = {}

    def set(self, key: str, value: Any, reason: str) -> Any:
        """Choose a value, unless one was asked for; returns the one that counts."""
        self.values[key] = self.given.get(key, value)
        self.reasons[key] = ASKED if key in self.given else reason
        return self.values[key]

    def set_number(self, key: str, value: int, reason: str) -> int:
        """As `set`; what was asked for and is no number is refused later, with what is allowed."""
        chosen = self.set(key, value, reason)
        return chosen if isinstance(chosen, int) and chosen > 0 else value


def decide(facts: Facts, machine: Machine, given: Mapping[str, Any] | None = None) -> Choices:
    """All settings that depend on data and machine, to go with those that were asked for."""
    choices = Choices(given or {})
    view, side = facts.view, facts.view.size
    assert side
    if facts.kind != "points":
        choices.set("size", side, why_side(side, facts.own, machine.device, facts.kind))
    kinds = {1: "all are grey", 2: "points in the plane", 3: "they have colours"}
    choices.set("channels", view.channels, kinds[view.channels or 3])
    if view.labels != "none":
        choices.set("labels", view.labels, f"it tells {facts.classes} classes apart")
    if facts.kind == "image":
        free_gan(choices, facts, machine)
    else:
        other_gan(choices, facts, machine)
    return choices


def why_side(side: int, own: int, device: str, kind: Kind) -> str:
    """Why pictures of `own` pixels, which is the shorter side of most of them, are learnt at
    `side`.
    """
    if side == own:
        return "the pictures' own, or their shorter side's"
    if LARGEST[device] > largest_side(device, kind) < own:
        return (
            f"the pictures have {own}; captions are learnt at {largest_side(device, kind)} at most"
        )
    if own > LARGEST[device]:
        return f"the pictures have {own}; larger ones take a {device} too long"
    return f"the pictures have {own}; the nearest that is a small map, doubled"


def free_gan(choices: Choices, facts: Facts, machine: Machine) -> None:
    """Settings of a GAN that makes pictures from noise, and of a wanted class where there are
    classes.
    """
    side, count = facts.view.size or 0, facts.pictures
    if machine.device == "cuda":
        modern_gan(choices, side, count, machine)
    else:
        small_gan(choices, side, count, machine)
    mirror = (
        "the mean picture is nearly its own mirror image"
        if facts.mirrored
        else "the mean picture is another in the mirror"
    )
    choices.set(
        "flip",
        facts.mirrored,
        "grey pictures may be writing" if facts.view.channels == 1 else mirror,
    )
    if facts.classes:
        choices.set("options.conditional", True, f"{facts.classes} classes; sample with --label")


def small_gan(choices: Choices, side: int, count: int, machine: Machine) -> None:
    """Settings for a processor: those of the quick recipe for pictures of about this size."""
    few = count < FEW * side / 64
    recipe = get_recipe("digits" if side <= 12 else "mnist-fast" if side <= 32 else "avatars-fast")
    beside = "each fake is judged beside a real picture, so leaving kinds out costs"
    choices.set("gan", recipe.gan, f"small enough for a {machine.device}; {beside}")
    options = all_settings(recipe)
    for option, words in OPTIONS_IN_WORDS.items():
        choices.set(option, options[option], f"{words}; as in the recipe {recipe.name}")
    choices.set("options.augmentation", "adaptive" if few else "none", fewness(count, few))
    half = f"half of the {count_noun(count, 'picture')}"
    quick = "many moves of few pictures each learn faster on a processor"
    choices.set(
        "batch", min(recipe.batch, count // 2), half if count // 2 < recipe.batch else quick
    )
    why = "twice this was unstable in trials; it falls to 0 in the second half"
    choices.set(
        "optimizers", {player: adam.model_dump() for player, adam in recipe.optimizers.items()}, why
    )
    choices.set(
        "ema_halflife",
        recipe.ema_halflife,
        "images; samples from the mean of many moves are smoother",
    )
    minutes = 2 if side <= 12 else 5 if side <= 32 else 15
    choices.set(
        "images",
        recipe.images,
        f"about {minutes} minutes at {side} pixels on two cores that do nothing else",
    )


def fewness(count: int, few: bool) -> str:
    """Why pictures are augmented, or not."""
    pictures = count_noun(count, "picture is", "pictures are")
    return f"{pictures} {'so few that a discriminator learns them by heart' if few else 'enough without'}"


def modern_gan(choices: Choices, side: int, count: int, machine: Machine) -> None:
    """Settings for a GPU, between those of the paper's data sets."""
    few = count < 4 * FEW * side / 64
    choices.set("gan", "r3gan", "the modern baseline, for which a GPU has the strength")
    gigabytes = machine.memory / 2**30
    width = (192 if few else 384) if gigabytes < 40 else (384 if few else 768)
    choices.set(
        "options.width", width, f"{gigabytes:.0f} GiB of memory, {count_noun(count, 'picture')}"
    )
    room = 2 ** int(math.log2(max(8, gigabytes * 2**16 * 384 / side**2 / width)))
    limits = {
        "as many as the paper used": 256 if side <= 64 else 64,
        f"half of the {count_noun(count, 'picture')}": max(2, count // 2),
        "what fits into its memory with room to spare": room,
    }
    why = min(limits, key=lambda reason: limits[reason])
    batch = choices.set_number("batch", limits[why], why)
    gamma = min(MOST_GAMMA, 2.0 * (side / 64) ** 3 * max(1.0, 256 / max(batch, 64)))
    why = "grows with the side as from the paper's 64 to its 256 pixels, and for smaller batches; a tenth of it after the burn-in"
    choices.set("options.gamma", [gamma, gamma / 10], why)
    some = (
        f"{count_noun(count, 'picture')}; as in the paper for their size"
        if side > 32
        else fewness(count, few)
    )
    choices.set(
        "options.augmentation",
        0.5 if few else 0.3 if side > 32 else 0.0,
        fewness(count, few) if few else some,
    )
    length = min(100_000_000, max(2_000_000, 200 * count))
    length = choices.set_number(
        "images", length, "200 passes through the pictures, 2 to 100 million images"
    )
    burn_in = choices.set_number(
        "options.burn_in", max(1, length // 10), "a tenth of the length, as in the paper"
    )
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9, burn_in=burn_in, lr_end=5e-5, beta2_end=0.99)
    choices.set(
        "optimizers",
        dict.fromkeys(PLAYERS, adam.model_dump()),
        "the paper's rates and betas over the burn-in",
    )
    choices.set("ema_halflife", 500_000, "the paper's")
    choices.set("ema_burn_in", burn_in, "the first weights are forgotten by then")
    choices.set("precision", "bf16", "twice as fast where it can be had, and as good")


def other_gan(choices: Choices, facts: Facts, machine: Machine) -> None:
    """Settings of the GANs for pairs, domains, attributes, captions and points: those of their
    recipes, brought to this machine.
    """
    recipe = get_recipe(OTHERS[facts.kind])
    choices.set("gan", recipe.gan, f"the data holds {IN_WORDS[facts.kind]}")
    kept = ("optimizers", "ema_halflife", "load_scale", "flip", "batch", "images")
    values = recipe.model_dump()
    # one by one, so that each has a reason of its own
    for option, value in values["options"].items():
        choices.set(f"options.{option}", value, f"as in the recipe {recipe.name}")
    for key in kept:
        if values[key] != Recipe.model_fields[key].default:
            choices.set(key, values[key], f"as in the recipe {recipe.name}")
    side = facts.view.size or 0
    if facts.kind == "points":
        return
    if machine.device == "cpu" and facts.kind in ("pairs", "unpaired", "attributes"):
        choices.set("options.width", 16, "a quarter of the paper's, which a cpu has time for")
        choices.set("batch", 4, "few pictures at a time make many moves")
        choices.set(
            "images",
            min(values["images"], 40_000),
            f"about an hour at {side} pixels on two cores; more with --images",
        )
    if facts.kind == "captions" and machine.device == "cpu":
        choices.set(
            "images",
            min(values["images"], 100_000),
            "about an hour on two cores; more with --images",
        )


MOST_GAMMA = 150.0  # the paper's at 256 pixels
PLAYERS = ("generator", "discriminator")
OPTIONS_IN_WORDS = {
    "options.width": "channels of the largest maps",
    "options.most": "times the width: the most channels",
    "options.gamma": "the penalty's weight, with which no run fell apart",
    "options.penalty_every": "rounds from one penalty to the next",
}
OTHERS: dict[str, str] = {
    "pairs": "pix2pix",
    "unpaired": "cyclegan",
    "attributes": "stargan",
    "captions": "gawwn-box",
    "keypoints": "gawwn-keypoints",
    "points": "rings-fast",
}
IN_WORDS = {
    "pairs": "pairs of pictures",
    "unpaired": "two domains without pairs",
    "attributes": "pictures with attributes",
    "captions": "captions and boxes",
    "keypoints": "captions and key points",
    "points": "points",
}


def describe_auto() -> list[str]:
    """What `ganvas recipes auto` prints, a line each."""
    return [
        AUTO,
        "",
        "All settings, chosen for your data and this machine, each with its reason. It needs your data: --data FOLDER.",
        "",
        "The data's kind decides the GAN:",
        "  single pictures: r3gan on a GPU, else relativistic",
        *(f"  {IN_WORDS[kind]}: {get_recipe(name).gan}" for kind, name in OTHERS.items()),
        "Size, colours, classes, mirror symmetry and the number of pictures, and the device with its memory, decide the rest.",
        "Settings that you give, such as --size 32 or --set batch=16, are kept.",
        "",
        "  ganvas train auto --data FOLDER --dry-run  # show the choice with its reasons, and train nothing",
        "  ganvas train auto --data FOLDER            # train",
    ]


def describe_setting(recipe: Recipe, key: str) -> str:
    """A setting in as few words as will do: of optimizers their rate."""
    if key == "optimizers":
        adam = next(iter(recipe.optimizers.values()))
        return f"Adam {adam.lr:g}, betas {adam.beta1:g} and {adam.beta2:g}"
    value = all_settings(recipe).get(key)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def auto_recipe(
    spec: str | None, given: Mapping[str, Any], device: torch.device, progress: bool = False
) -> Recipe:
    """A recipe for data and a machine, with the reason of each of its choices in `reasons`.

    Args:
        spec: as `open_dataset` takes it.
        given: settings that were asked for, by their dotted keys; they are kept, and the recipe's
            name is "auto".
        device: that will train.

    Raises:
        UserError: there is no data, it cannot be opened, or a GAN was asked for.
    """
    if not spec:
        raise UserError(
            "auto chooses settings for your data: give a folder or zip, or the name of a set, with --data"
        )
    if "gan" in given:
        raise UserError(
            f"gan={given['gan']!r}: auto chooses the GAN itself; for another one name its recipe, see ganvas recipes"
        )
    here = machine(device)
    choices = decide(survey(spec, given, here.device, progress), here, given)
    base = Recipe(
        name=AUTO,
        gan=choices.values["gan"],
        batch=2,
        images=2,
        optimizers=dict.fromkeys(PLAYERS, Adam(lr=1e-3)),
        data=spec,
    )  # all of it is chosen; `change` says what cannot be
    return change(base, choices.values).model_copy(update={"reasons": choices.reasons})

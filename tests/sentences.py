"""Sentences of the engine that the page must know in every language: reasons and findings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from checkups import CLASSES, FAULTS, checkup
from tiny import make_gan

from ganvas.data.decode import Fate, ImageTraits
from ganvas.data.folders.notes import describe_fates, describe_parts
from ganvas.data.folders.sizes import SizeSurvey
from ganvas.data.folders.steps import describe_steps
from ganvas.data.view import View
from ganvas.gans import GAN, GANS
from ganvas.io.console import describe_duration, describe_rate
from ganvas.recipes.catalogue import CATALOGUE
from ganvas.recipes.choices import decide_settings
from ganvas.recipes.enough import list_savings
from ganvas.recipes.facts import DataFacts, Machine
from ganvas.recipes.length import OFTENER, PROPORTIONAL, RARER, WHOLE, change_length
from ganvas.recipes.recipe import REQUESTED
from ganvas.recipes.registry import get_recipe
from ganvas.recipes.sides import Framing, choose_framing
from ganvas.recipes.special import KIND_NAMES
from ganvas.runs.instructions import name_use
from ganvas.runs.rules import LONG, diagnose

__all__ = ["find_sentences", "find_settings"]

MACHINES = (Machine("cpu", 2**34), Machine("cuda", 2**31), Machine("cuda", 80 * 2**30))
FACES = DataFacts(View(size=64, channels=3), "image", Framing(64, "crop", 64), 10_000, 0, True)
DATA = (
    FACES,
    replace(FACES, images=1),
    replace(FACES, images=300, classes=3, symmetric=False),
    replace(FACES, view=View(size=28, channels=1, labels="folders"), images=60_000, classes=10),
    replace(FACES, view=View(size=96, channels=3), framing=Framing(96, "crop", 400)),
    *(replace(FACES, kind=kind, images=count) for kind in KIND_NAMES for count in (9, 10_000)),
)
# Sizes of images by how many there are of each, and the share of them that is transparent.
SIZES: tuple[tuple[dict[tuple[int, int], int], float], ...] = (
    ({(68, 56): 20, (40, 40): 20, (30, 30): 20}, 1.0),
    ({(68, 56): 20, (64, 64): 20, (30, 30): 1}, 1.0),
    ({(500, 375): 40, (375, 500): 40}, 0.0),
    ({(500, 100): 40, (100, 100): 40}, 0.0),
    ({(64, 64): 99, (20, 20): 1}, 0.0),
    ({(64, 64): 970, (20, 20): 30}, 0.0),
    ({(64, 64): 60, (20, 20): 40}, 0.0),
    ({(64, 64): 88, (40, 40): 12}, 0.0),
)


def find_sentences() -> set[str]:
    """Every sentence that reasons of `auto` and findings of the doctor can be, with some values."""
    return {
        *_find_reasons(),
        *_find_findings(),
        *_find_notes(),
        *map(name_use, _list_gans()),
    }


def find_settings() -> set[str]:
    """The keys of every setting that can have a reason of its own."""
    keys = {"stop_below"}
    for facts, machine in product(DATA, MACHINES):
        keys |= decide_settings(facts, machine).reasons.keys()
    for name in CATALOGUE:
        recipe = get_recipe(name)
        keys |= change_length(recipe, recipe.images // 10, "why").reasons.keys()
    return {key for key in keys if not key.startswith("optimizers.")}


def _list_gans() -> Iterator[GAN]:
    """One of each kind, small."""
    yield from map(make_gan, GANS)


def _find_reasons() -> Iterator[str]:
    framings = [
        choose_framing(SizeSurvey({"set": Counter(sizes)}, clear), device, "image", None)
        for sizes, clear in SIZES
        for device in ("cpu", "cuda")
    ]
    framed = [
        replace(
            FACES,
            framing=framing,
            view=FACES.view.model_copy(update={"size": framing.side, "fit": framing.fit}),
        )
        for framing in framings
    ]
    for facts, machine in product([*DATA, *framed], MACHINES):
        yield from decide_settings(facts, machine).reasons.values()

    times = [describe_duration(seconds) for seconds in (1, 60, 600, 9_000, 300_000)]
    for words in (*times, "the time until 18:30"):
        for saving in list_savings(get_recipe("avatars-fast"), (), words):
            yield from (reason for _, reason in saving.fitted.values())
        yield f"As many as fit into {words}. {describe_rate(1012)} were measured here."
    yield from (REQUESTED, PROPORTIONAL, RARER, OFTENER, WHOLE)


def _find_notes() -> Iterator[str]:
    """What the data report says of frames, tiles, and images that are too small."""
    view = View(size=64, channels=3)
    for count in (1, 9):
        small = [(Fate("1.gif", "", 40, 50, "P", frames=30),)] * count
        yield from describe_fates([*small, (Fate("2.png", "", 64, 64, "RGB"),)], view)
        tiny = [(Fate("1.png", "5x5 is less than an eighth of 64x64", 5, 5, "L"),)] * (count + 9)
        yield from describe_fates(tiny, view)
        yield from describe_fates([(Fate("1.png", "12", remarks=("7",)),)] * count, view)
        frames = [(Fate(f"{n}.gif", "", 64, 64, frames=2),) for n in range(count)]
        yield from describe_parts([*frames, *frames])
        tiles = view.model_copy(update={"fit": "tiles"})
        yield from describe_steps(Counter({ImageTraits(40, 90, "RGB"): count}), tiles, 9 * count)


def _find_findings() -> Iterator[str]:
    many = {f"c{number}": 0.02 for number in range(12)}  # more than are named
    faults = [
        *FAULTS.values(),
        *({"classes": CLASSES | missing} for missing in ({"dog": 0.0}, many)),
    ]
    for changes in faults:
        for finding in diagnose([checkup(number, **changes) for number in range(LONG)]):
            yield from (finding.title, finding.evidence, finding.action)

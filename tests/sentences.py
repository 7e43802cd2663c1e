"""Sentences of the engine that the page must know in every language: reasons and findings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from checkups import CLASSES, FAULTS, checkup
from tiny import make_gan

from ganvas.data.folders.sizes import SizeSurvey
from ganvas.data.view import View
from ganvas.gans import GAN, GANS
from ganvas.inference.damage import describe_projection
from ganvas.inference.inversion import SearchSettings
from ganvas.inference.scaling import Scaling, describe_scalings
from ganvas.inference.translate import TranslateTask, describe_pair
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
    uses = (*map(name_use, _list_gans()), *_find_lines())
    return {*_find_reasons(), *_find_findings(), *uses}


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


def _find_lines() -> Iterator[str]:
    """Lines on images that were translated, or have no hole."""
    for seen in ((16, 32), (128, 256)):
        one, other = Scaling((60, 120), seen), Scaling((30, 60), (15, 30))
        for advice in (TranslateTask(size=16), TranslateTask()):
            for name in ("pix2pix", "cyclegan"):
                yield from describe_scalings([one], advice.advise(make_gan(name)))
        yield from describe_scalings([one, one, other], "train with --size 256 for more")
    yield from describe_scalings([Scaling((9, 9), (16, 16)), Scaling((8, 8), (16, 16))], "")
    yield from (describe_pair("left"), describe_pair("right"))
    for count in (1, 4):
        yield describe_projection(SearchSettings(count, 300 // count), 75)


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


def _find_findings() -> Iterator[str]:
    many = {f"c{number}": 0.02 for number in range(12)}  # more than are named
    faults = [
        *FAULTS.values(),
        *({"classes": CLASSES | missing} for missing in ({"dog": 0.0}, many)),
    ]
    for changes in faults:
        for finding in diagnose([checkup(number, **changes) for number in range(LONG)]):
            yield from (finding.title, finding.evidence, finding.action)

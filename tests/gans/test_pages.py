"""The page of each GAN, in both languages: its counts, layers, options and logged numbers are those
of the code.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import pytest
from pages import ROOT, text
from tiny import FixedClock, make_batch, make_context, make_gan

from ganvas.gans import GANS
from ganvas.gans.options import option_defaults
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.listing import parameter_counts
from ganvas.rng import StepRng
from ganvas.training.step import take_step

PAGE_OF = {
    "mlp": "mlp",
    "mlp-deep": "mlp",
    "mlp-tanh": "mlp",
    "dcgan": "dcgan",
    "avatar-dcgan": "dcgan",
    "cdcgan": "cdcgan",
    "relativistic": "relativistic",
    "r3gan": "r3gan",
    "sngan": "sngan",
    "wgan-gp": "wgan-gp",
    "points": "points",
    "points-relativistic": "points",
    "cyclegan": "cyclegan",
    "cut": "cut",
    "stargan": "stargan",
    "inpaint": "inpaint",
    "pix2pix": "pix2pix",
    **{
        name: name
        for name in ("pix2pix-relativistic", "stargan-relativistic", "inpaint-relativistic")
    },
    "gawwn-box": "gawwn",
    "gawwn-keypoints": "gawwn",
    "gawwn-relativistic": "gawwn-relativistic",
}


class Language(NamedTuple):
    """How the pages of a language say what is looked for on them."""

    ending: str  # of a page's name
    parameters: str  # behind the number of the generator's
    comma: str
    colon: str
    stop: str
    player: str  # heads of tables
    option: str
    logged: str  # a heading


ENGLISH = Language(
    ".md", " parameters", ", ", ":", ".", "player", "option", "What each logged number means"
)
CHINESE = Language(".zh.md", " 个参数", "，", "：", "。", "网络", "选项", "各项记录数值的含义")
both_languages = pytest.mark.parametrize("language", [ENGLISH, CHINESE], ids=["en", "zh"])


def name_page(gan: str, language: Language) -> str:
    """The path of a GAN's page from the root."""
    return f"docs/gans/{PAGE_OF[gan]}{language.ending}"


def test_every_gan_has_a_page():
    assert PAGE_OF.keys() == GANS.keys()
    pages = {path.name for path in (ROOT / "docs" / "gans").glob("*.md")}
    endings = (ENGLISH.ending, CHINESE.ending)
    assert pages == {f"{page}{ending}" for page in PAGE_OF.values() for ending in endings}


@cache
def counts_of(name: str) -> dict[str, int]:
    """The parameters of the players in a recipe."""
    return parameter_counts(get_recipe(name))


@both_languages
def test_parameter_counts(language: Language):
    offenders = []
    for name in RECIPES:
        counts = dict(counts_of(name))
        generator = f"generator {counts.pop('generator'):,}{language.parameters}"
        others = [f"{player} {count:,}" for player, count in counts.items()]
        sentence = language.comma.join([generator, *others]) + language.stop
        if sentence not in text(name_page(get_recipe(name).gan, language)):
            offenders.append(f"{name}: {sentence}")
    assert not offenders, "\n".join(offenders)


def sums_of_layers(gan: str, language: Language) -> Iterator[tuple[int, int]]:
    """For each table of layers on a GAN's page: the sum of its last column, and the parameters of
    the players of the recipe that is named last before it.
    """
    recipes = [counts_of(name) for name in RECIPES if get_recipe(name).gan == gan]
    totals = {f"{counts['generator']:,}": sum(counts.values()) for counts in recipes}
    parts = rf"generator ([\d,]+){language.parameters}|(\| {language.player} \|.*?\n\n)"
    named = ""
    for generator, table in re.findall(parts, text(name_page(gan, language)), re.DOTALL):
        named = generator or named
        if table and named in totals:
            rows = re.findall(r"\| ([\d,]+) \|$", table, re.MULTILINE)
            yield sum(int(count.replace(",", "")) for count in rows), totals[named]


@both_languages
def test_layers_add_up(language: Language):
    offenders = []
    for gan in GANS:
        sums = list(sums_of_layers(gan, language))
        if not sums or any(found != total for found, total in sums):
            offenders.append(f"{gan}: {sums}")
    assert not offenders, "\n".join(offenders)


def options_on_page(gan: str, language: Language) -> dict[str, object]:
    """The table of options on a GAN's page, by name: the default values."""
    table = f"| {language.option} |"
    heading = f"\n`{gan}`{language.colon}\n\n{table}"  # where a page has tables of several GANs
    page = text(name_page(gan, language))
    if gan == PAGE_OF[gan] and heading not in page:
        heading = table
    table = page.partition(heading)[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", table, re.MULTILINE)
    return {key: json.loads(value) for key, value in rows}


@both_languages
def test_options(language: Language):
    for gan in GANS:
        defaults = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in option_defaults(gan).items()
        }
        assert options_on_page(gan, language) == defaults, gan


@cache  # both languages have the same
def logged_keys(gan: str) -> Iterable[str]:
    """What a training step of a GAN logs."""
    context = make_context(make_gan(gan))
    return take_step(context, make_batch(context.gan, 4), FixedClock(), StepRng(0, 0))


@both_languages
def test_logged_keys(language: Language):
    offenders = []
    for gan in GANS:
        section = text(name_page(gan, language)).partition(f"## {language.logged}")[2]
        table = section.partition("\n## ")[0]
        known = set(re.findall(r"^\| `([\w/]+)` \|", table, re.MULTILINE))
        offenders += [f"{gan}: {key}" for key in logged_keys(gan) if key not in known]
    assert not offenders, "\n".join(offenders)

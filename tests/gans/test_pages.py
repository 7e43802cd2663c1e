"""The page of each GAN: its counts, layers, options and logged numbers are those of the code."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache

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


def gan_page(gan: str) -> str:
    """The text of a GAN's page."""
    return text(f"docs/gans/{PAGE_OF[gan]}.md")


def test_every_gan_has_a_page():
    assert PAGE_OF.keys() == GANS.keys()
    assert {path.stem for path in (ROOT / "docs" / "gans").glob("*.md")} == set(PAGE_OF.values())


@cache
def counts_of(name: str) -> dict[str, int]:
    """The parameters of the players in a recipe."""
    return parameter_counts(get_recipe(name))


def test_parameter_counts():
    offenders = []
    for name in RECIPES:
        counts = dict(counts_of(name))
        generator = counts.pop("generator")
        others = ", ".join(f"{player} {count:,}" for player, count in counts.items())
        sentence = f"generator {generator:,} parameters, {others}."
        if sentence not in gan_page(get_recipe(name).gan):
            offenders.append(f"{name}: {sentence}")
    assert not offenders, "\n".join(offenders)


def sums_of_layers(gan: str) -> Iterator[tuple[int, int]]:
    """For each table of layers on a GAN's page: the sum of its last column, and the parameters of
    the players of the recipe that is named last before it.
    """
    recipes = [counts_of(name) for name in RECIPES if get_recipe(name).gan == gan]
    totals = {f"{counts['generator']:,}": sum(counts.values()) for counts in recipes}
    parts = r"generator ([\d,]+) parameters|(\| player \|.*?\n\n)"
    named = ""
    for generator, table in re.findall(parts, gan_page(gan), re.DOTALL):
        named = generator or named
        if table and named in totals:
            rows = re.findall(r"\| ([\d,]+) \|$", table, re.MULTILINE)
            yield sum(int(count.replace(",", "")) for count in rows), totals[named]


def test_layers_add_up():
    offenders = []
    for gan in GANS:
        sums = list(sums_of_layers(gan))
        if not sums or any(found != total for found, total in sums):
            offenders.append(f"{gan}: {sums}")
    assert not offenders, "\n".join(offenders)


def options_on_page(gan: str) -> dict[str, object]:
    """The table of options on a GAN's page, by name: the default values."""
    heading = f"\n`{gan}`:\n\n| option |"  # where a page has the tables of several GANs
    page = gan_page(gan)
    if gan == PAGE_OF[gan] and heading not in page:
        heading = "| option |"
    table = page.partition(heading)[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", table, re.MULTILINE)
    return {key: json.loads(value) for key, value in rows}


def test_options():
    for gan in GANS:
        defaults = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in option_defaults(gan).items()
        }
        assert options_on_page(gan) == defaults, gan


def logged_keys(gan: str) -> Iterable[str]:
    """What a training step of a GAN logs."""
    context = make_context(make_gan(gan))
    return take_step(context, make_batch(context.gan, 4), FixedClock(), StepRng(0, 0))


def test_logged_keys():
    offenders = []
    for gan in GANS:
        section = gan_page(gan).partition("## What each logged number means")[2]
        table = section.partition("\n## ")[0]
        known = set(re.findall(r"^\| `([\w/]+)` \|", table, re.MULTILINE))
        offenders += [f"{gan}: {key}" for key in logged_keys(gan) if key not in known]
    assert not offenders, "\n".join(offenders)

"""The list of recipes, `ganvas recipes`.

It is a table of its own, so that it appears at once: building every GAN to count its parameters
takes seconds. A test compares every row with its recipe.
"""

from collections.abc import Iterable
from typing import NamedTuple

from rich.table import Table

from ganvas.errors import UserError, nearest
from ganvas.io.console import PlainConsole, print_text

__all__ = ["CATALOGUE", "YOURS", "CatalogueRow", "print_recipes", "refuse_unknown_recipe"]

YOURS = "your images"  # the data of a recipe that needs --data with images
NOTES = (
    "Time of a full run on one CPU core, the slowest measured; - means not measured.",
    "All settings of one recipe: ganvas recipes NAME",
)


class CatalogueRow(NamedTuple):
    """A row of the list.

    Attributes:
        purpose: what the recipe is for, in at most 19 characters.
        data: the built-in data set, or the kind of data that `--data` must give.
        size: side of the images in pixels with "grey" or "rgb"; or "points".
        parameters: of all networks together; for 10 classes or attributes where the data decides.
        cpu_time: of the whole recipe on one CPU core: the slowest run in docs/results.md, or "-".
    """

    purpose: str
    data: str
    size: str
    parameters: int
    cpu_time: str = "-"


# In the order of `RECIPES`. Times come only from docs/results.md; they are never estimated.
CATALOGUE = {
    "digits": CatalogueRow("digits by class", "digits", "8 grey", 299_521, "1 min"),
    "mnist-fast": CatalogueRow("digits by class", "mnist", "28 grey", 882_657, "8 min"),
    "fashion-fast": CatalogueRow("clothes by class", "fashion-mnist", "28 grey", 882_657, "12 min"),
    "avatars-fast": CatalogueRow("faces in minutes", YOURS, "48 rgb", 705_556, "3 min"),
    "mnist-mlp": CatalogueRow("first tutorial GAN", "mnist", "28 grey", 428_561, "13 min"),
    "mnist-mlp-deep": CatalogueRow("Keras tutorial GAN", "mnist", "28 grey", 2_946_577),
    "mnist-mlp-tanh": CatalogueRow("tanh tutorial GAN", "mnist", "28 grey", 669_185, "18 s"),
    "mnist-cdcgan": CatalogueRow("digits by class", "mnist", "28 grey", 3_070_594),
    "avatars-dcgan": CatalogueRow("avatar tutorial", YOURS, "48 rgb", 9_080_324),
    "dcgan-64": CatalogueRow("DCGAN paper", YOURS, "64 rgb", 6_342_340),
    "sngan": CatalogueRow("SNGAN paper", YOURS, "32 rgb", 7_802_756),
    "wgan-gp": CatalogueRow("WGAN-GP paper", YOURS, "32 rgb", 2_587_331),
    "stacked-mnist": CatalogueRow("1,000 modes, DCGAN", "stacked-mnist", "28 rgb", 902_468),
    "stacked-mnist-fast": CatalogueRow("1,000 modes, fast", "stacked-mnist", "28 rgb", 681_347),
    "stacked-mnist-r3gan": CatalogueRow("1,000 modes, GPU", "stacked-mnist", "28 rgb", 31_132_416),
    "cifar10-r3gan": CatalogueRow("R3GAN paper, GPU", "cifar10", "32 rgb", 41_514_752),
    "ffhq-64-r3gan": CatalogueRow("R3GAN paper, GPU", YOURS, "64 rgb", 44_910_080),
    "pix2pix-fast": CatalogueRow("translate, paired", "image pairs", "64 rgb", 2_359_884, "2 min"),
    "stargan-fast": CatalogueRow("change attributes", "attributes", "64 rgb", 1_936_750, "9 min"),
    "inpaint-fast": CatalogueRow("fill holes", YOURS, "64 rgb", 1_383_668, "5 min"),
    "pix2pix": CatalogueRow("translate, paired", "image pairs", "256 rgb", 57_182_660),
    "inpaint": CatalogueRow("fill holes", YOURS, "64 rgb", 1_196_196),
    "cyclegan": CatalogueRow("translate, unpaired", "two folders", "256 rgb", 28_285_832),
    "cyclegan-fast": CatalogueRow("seasons in minutes", "two folders", "64 rgb", 840_684, "5 min"),
    "stargan": CatalogueRow("change attributes", "attributes", "128 rgb", 53_249_216),
    "gawwn-box": CatalogueRow("caption in a box", "captions", "64 rgb", 5_736_516),
    "gawwn-fast": CatalogueRow("caption in minutes", "captions", "64 rgb", 1_203_836, "15 min"),
    "gawwn-keypoints": CatalogueRow("caption and parts", "figures", "64 rgb", 805_571),
    "rings": CatalogueRow("mode collapse: ring", "rings", "points", 34_179, "51 s"),
    "grid": CatalogueRow("mode collapse: grid", "grid", "points", 34_179, "51 s"),
    "rings-fast": CatalogueRow("all 8 modes found", "rings", "points", 17_218, "1 min"),
    "grid-fast": CatalogueRow("all 25 modes found", "grid", "points", 17_218, "1 min"),
}


def refuse_unknown_recipe(name: str, known: Iterable[str] = CATALOGUE) -> None:
    """Refuse a name that no recipe has, "auto" neither.

    Args:
        name: a word of the user's.
        known: names of all recipes; people enter recipes of their own into `RECIPES`.

    Raises:
        UserError: names the nearest ones.
    """
    names = [*known, "auto"]
    if name not in names:
        raise UserError(f"unknown recipe {name!r}; {nearest(name, names)}")


def print_recipes() -> None:
    """Print one row per recipe, `auto` first, in at most 80 columns."""
    console = PlainConsole()
    say = console.localise
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for heading in ("recipe", "for what", "data", "size"):
        table.add_column(say(heading), no_wrap=True)
    table.add_column(say("parameters"), justify="right", no_wrap=True)
    table.add_column(say("time on a CPU"), max_width=7)  # two lines: 80 columns are few

    table.add_row("auto", *map(say, ("any data", "yours", "any", "varies")), "-")
    for name, row in CATALOGUE.items():
        words = map(say, (row.purpose, row.data, row.size))
        table.add_row(name, *words, f"{row.parameters:,}", say(row.cpu_time))

    console.print(table)
    print_text("", *NOTES)

"""What a run leaves for a person to look at: `losses.png`, the time-lapse and `summary.html`.

This module collects what the page shows, as plain text and numbers; `summary.html`, a template,
lays it out and escapes it.
"""

import base64
import json
import shlex
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, StrictUndefined

from ganvas.data.report import DataReport
from ganvas.gans.options import build_gan
from ganvas.io.animation import write_timelapse
from ganvas.io.console import count_noun
from ganvas.io.files import write_text
from ganvas.recipes import RECIPES
from ganvas.recipes.recipe import Recipe, all_settings, find_reasons
from ganvas.runs.curves import draw_curves
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.numbers import collect_numbers
from ganvas.runs.record import RunRecord, describe_status, read_run
from ganvas.runs.usage import describe_use, suggest_command

__all__ = [
    "EmbeddedImage",
    "FoldedTable",
    "Instruction",
    "Setting",
    "collect_instructions",
    "write_report",
]

PLOT_CAPTION = (
    "Losses and checkups against images shown. A bold line over a faint one is its running mean."
)
FOLDED = 12  # rows; longer tables are opened by a click
MOST_SKIPPED = 500  # files listed by name; `data.json` has them all
FILES = ("losses.png", "timelapse.gif", "timelapse.webp", "log.jsonl", "samples", "checkpoints")


@dataclass(frozen=True)
class EmbeddedImage:
    """An image inside the page.

    Attributes:
        source: a `data:` address with the content of the file, so that the page is one file.
        caption: what it shows.
    """

    source: str
    caption: str


@dataclass(frozen=True)
class Setting:
    """A row of the table of settings.

    Attributes:
        usual: the value in the recipe, where the run has another one.
        reason: why `ganvas train auto` chose it, or empty.
    """

    key: str
    value: str
    usual: str | None
    reason: str


@dataclass(frozen=True)
class Instruction:
    """A sentence on how to use the run, and the command that does it, or an empty one."""

    text: str
    command: str


@dataclass(frozen=True)
class FoldedTable:
    """A table of names and values that is folded where it is long.

    Attributes:
        noun: what its rows are, in the plural.
        note: a line below it, or empty.
    """

    title: str
    noun: str
    rows: dict[str, str]
    count: int
    note: str = ""


def write_report(folder: Path) -> None:
    """Write `losses.png`, `timelapse.gif`, `timelapse.webp` and `summary.html` into a run folder.

    A run without losses has no `losses.png`, one without samples no time-lapse.

    Raises:
        UserError: it is not a run folder, or the disk is full or read-only.
    """
    run = read_run(folder)
    plotted = draw_curves(run.log, list(run.recipe.optimizers), folder / "losses.png")
    if run.grids:
        write_timelapse(run.grids, folder)
    # Last, since the plot and the time-lapse are parts of the page.
    write_text(folder / "summary.html", _render_page(run, plotted))


def _render_page(run: RunRecord, plotted: bool) -> str:
    """The whole page as HTML, with the images in it.

    Args:
        plotted: whether the run folder has a new `losses.png`.
    """
    # Names of files and classes come from outside, so everything is escaped.
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,  # a name that is missing is an error, not an empty place
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    source = files("ganvas.runs").joinpath("summary.html").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        name=run.recipe.name,
        state=run.state,
        status=describe_status(run),
        pictures=_collect_pictures(run),
        plot=_embed(run.folder / "losses.png", PLOT_CAPTION) if plotted else None,
        health=Diagnosis.of(run.log).describe(),
        instructions=collect_instructions(run),
        files=[name for name in FILES if (run.folder / name).exists()],
        numbers=collect_numbers(run),
        data=run.data,
        data_tables=_collect_data_tables(run.data),
        settings=_collect_settings(run.recipe),
        folded=FOLDED,
    )


def _embed(file: Path, caption: str) -> EmbeddedImage:
    """An image file as a part of the page."""
    # The suffixes png and webp are also the types' names.
    content = base64.b64encode(file.read_bytes()).decode()
    return EmbeddedImage(f"data:image/{file.suffix[1:]};base64,{content}", caption)


def _collect_pictures(run: RunRecord) -> list[EmbeddedImage]:
    """The last grid of samples and the time-lapse."""
    if not run.grids:
        return []

    # A grid's file is named by the images shown.
    first, last = int(run.grids[0].stem), int(run.grids[-1].stem)
    pictures = [_embed(run.grids[-1], f"Samples after {count_noun(last, 'image')}.")]
    if len(run.grids) > 1:
        caption = f"Time-lapse: {len(run.grids)} grids, from {first:,} to {last:,} images."
        pictures.append(_embed(run.folder / "timelapse.webp", caption))
    return pictures


def collect_instructions(run: RunRecord) -> list[Instruction]:
    """How to use the run, and how to train it further."""
    folder = str(run.folder)
    instructions = []

    if run.checkpoint:
        with torch.device("meta"):  # only its inputs are needed, not its weights
            gan = build_gan(**run.about["gan"])
        words = suggest_command(gan, folder)
        if words:
            instructions.append(Instruction("Generate images:", shlex.join(words)))
        else:
            instructions.append(Instruction(f"{describe_use(gan, folder)}.", ""))

    train = ["ganvas", "train", "--out", folder]
    if run.state == "interrupted":
        instructions.append(Instruction("Resume training:", shlex.join(train)))
    else:
        # The length of the whole run, not what is added to it.
        longer = [*train, "--images", str(2 * run.recipe.images)]
        instructions.append(Instruction("Train twice as long:", shlex.join(longer)))
    return instructions


def _collect_settings(recipe: Recipe) -> list[Setting]:
    """All settings, with the recipe's own values beside those that were changed."""
    reasons = find_reasons(recipe)
    own = all_settings(recipe)
    # Of `auto`, and of a user's own recipe, there is nothing to compare with.
    usual = all_settings(RECIPES[recipe.name]()) if recipe.name in RECIPES else own

    # A setting that the run changed is shown with the recipe's value.
    settings = []
    for key, value in own.items():
        before = usual.get(key)
        changed = None if value == before else _format_setting(before)
        settings.append(Setting(key, _format_setting(value), changed, reasons.get(key, "")))
    return settings


def _format_setting(value: Any) -> str:
    """A setting as a person writes it: 50,000, true, "–" for none."""
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value)


def _collect_data_tables(data: DataReport) -> list[FoldedTable]:
    """The long tables of the data report: what was found, and which files were left out."""
    tables = []
    for title, counts in (
        ("Sizes", data.sizes),
        ("Colour modes", data.modes),
        ("Classes", data.classes),
    ):
        if counts:
            rows = {name: f"{count:,}" for name, count in counts.items()}
            tables.append(FoldedTable(title, title.lower(), rows, len(rows)))

    if data.skipped:
        rows = {entry.file: entry.reason for entry in data.skipped[:MOST_SKIPPED]}
        total = len(data.skipped)
        note = f"The first {MOST_SKIPPED}; data.json has them all." if total > MOST_SKIPPED else ""
        tables.append(FoldedTable("Files that were left out", "files", rows, total, note))
    return tables

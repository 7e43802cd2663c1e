"""What a run leaves for a person to look at: `losses.png`, the time-lapse and `summary.html`.

This module collects what the page shows, as plain text and numbers; `summary.html`, a template,
lays it out and escapes it.
"""

import base64
import json
import math
import shlex
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, StrictUndefined
from safetensors import safe_open

from ganvas.data.dataset import DataReport, in_words
from ganvas.data.split import held_out_count
from ganvas.gans.options import build
from ganvas.io.animation import write_timelapse
from ganvas.io.console import count_noun, describe_rate
from ganvas.io.files import write_text
from ganvas.recipes import RECIPES
from ganvas.recipes.recipe import Recipe, all_settings, find_reasons
from ganvas.runs.curves import draw_curves
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.record import RunRecord, describe_status, read_run
from ganvas.runs.usage import describe_use, suggest_command
from ganvas.schema import read_schema

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
    write_text(folder / "summary.html", render_page(run, plotted))


def render_page(run: RunRecord, plotted: bool) -> str:
    """The whole page as HTML, with the images in it.

    Args:
        plotted: whether the run folder has a new `losses.png`.
    """
    # Names of files and classes come from outside, so everything is escaped.
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    source = files("ganvas.runs").joinpath("summary.html").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        name=run.recipe.name,
        state=run.state,
        status=describe_status(run),
        pictures=collect_pictures(run),
        plot=embed(run.folder / "losses.png", PLOT_CAPTION) if plotted else None,
        health=Diagnosis.of(run.log).describe(),
        instructions=collect_instructions(run),
        files=[name for name in FILES if (run.folder / name).exists()],
        numbers=collect_numbers(run),
        data=run.data,
        data_tables=collect_data_tables(run.data),
        settings=collect_settings(run.recipe),
        folded=FOLDED,
    )


def embed(file: Path, caption: str) -> EmbeddedImage:
    """An image file as a part of the page."""
    content = base64.b64encode(file.read_bytes()).decode()
    return EmbeddedImage(f"data:image/{file.suffix[1:]};base64,{content}", caption)


def collect_pictures(run: RunRecord) -> list[EmbeddedImage]:
    """The last grid of samples and the time-lapse."""
    if not run.grids:
        return []

    # A grid's file is named by the images shown.
    first, last = int(run.grids[0].stem), int(run.grids[-1].stem)
    pictures = [embed(run.grids[-1], f"Samples after {count_noun(last, 'image')}.")]
    if len(run.grids) > 1:
        caption = f"Time-lapse: {len(run.grids)} grids, from {first:,} to {last:,} images."
        pictures.append(embed(run.folder / "timelapse.webp", caption))
    return pictures


def collect_numbers(run: RunRecord) -> dict[str, str]:
    """What a person asks first about a run; only what is known."""
    held_out = held_out_count(run.data.used, run.recipe.held_out, run.data.test)
    trained = run.data.used - held_out
    parameters = count_parameters(run.checkpoint) if run.checkpoint else {}
    speeds = [entry["images_per_second"] for entry in run.log if entry["kind"] == "speed"]
    versions = run.about.get("versions", {})

    rows = {
        "Images shown": f"{run.images:,} of {run.recipe.images:,}",
        "Epochs": f"{run.images / trained:,.1f} of {count_noun(trained, 'image')}",
        "Held out": count_noun(held_out, "image") if held_out else "",
        "Batch": f"{run.recipe.batch:,}",
        "GAN": describe_gan(run),
        "Parameters": "; ".join(f"{player} {count:,}" for player, count in parameters.items()),
        "Last losses": "; ".join(
            f"{player} {value:.4g}" for player, value in find_last_losses(run).items()
        ),
        "Best checkpoint": describe_best(run),
        "Speed": describe_rate(speeds[-1]) if speeds else "",
        "Data": run.data.spec,
        "Data fingerprint": run.about.get("data", {}).get("fingerprint", ""),
        "Seed": str(run.recipe.seed),
        "Software": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return {name: value for name, value in rows.items() if value}


def describe_gan(run: RunRecord) -> str:
    """The GAN with its sizes and classes: "relativistic, 8x8 grey, 10 classes"."""
    words = [run.recipe.gan]
    if gan := run.about.get("gan"):
        schema = read_schema(gan["data"])
        # Both images of a pair may have the same size and colours.
        sizes = {in_words(schema.size, count): None for count in schema.channels.values()}
        words.append(" and ".join(sizes))
        words += [count_names(column, len(values)) for column, values in schema.names.items()]
    return ", ".join(words)


def count_names(column: str, count: int) -> str:
    """How many names a column of the data has: "10 classes", "1 attribute"."""
    if column == "label":
        return count_noun(count, "class", "classes")
    return count_noun(count, column.removesuffix("s"))


def describe_best(run: RunRecord) -> str:
    """The checkpoint with the smallest distance, or empty if none was evaluated."""
    scores = [
        (entry["distance"], entry["images"], entry["features"])
        for entry in run.log
        if entry["kind"] == "evaluated"
    ]
    if not scores:
        return ""
    distance, images, features = min(scores)
    return f"checkpoints/{images:012d}, {features} distance {distance:.4g}"


def find_last_losses(run: RunRecord) -> dict[str, float]:
    """Each network's last logged loss."""
    found: dict[str, float] = {}
    for entry in run.log:
        if entry["kind"] == "losses":
            for player in sorted(run.recipe.optimizers):
                if player in entry:
                    found[player] = entry[player]
    return found


def count_parameters(checkpoint: Path) -> dict[str, int]:
    """Trained parameters of each network: those of which Adam keeps a mean gradient."""
    counts: dict[str, int] = {}
    file = checkpoint / "training.safetensors"
    if not file.exists():
        return counts

    with safe_open(file, "numpy") as tensors:
        for key in tensors.keys():  # noqa: SIM118 (not a mapping)
            player, _, quantity = key.split("/")
            if quantity == "exp_avg":
                # Only the shape is read, not the tensor.
                size = math.prod(tensors.get_slice(key).get_shape())
                counts[player] = counts.get(player, 0) + size
    return counts


def collect_instructions(run: RunRecord) -> list[Instruction]:
    """How to use the run, and how to train it further."""
    folder = str(run.folder)
    instructions = []

    if run.checkpoint:
        with torch.device("meta"):  # only its inputs are needed, not its weights
            gan = build(**run.about["gan"])
        words = suggest_command(gan, folder)
        if words:
            instructions.append(Instruction("Generate images:", shlex.join(words)))
        else:
            instructions.append(Instruction(f"{describe_use(gan, folder)}.", ""))

    train = ["ganvas", "train", "--out", folder]
    if run.state == "interrupted":
        instructions.append(Instruction("Resume training:", shlex.join(train)))
    else:
        longer = [*train, "--images", str(2 * run.recipe.images)]
        instructions.append(Instruction("Train twice as long:", shlex.join(longer)))
    return instructions


def collect_settings(recipe: Recipe) -> list[Setting]:
    """All settings, with the recipe's own values beside those that were changed."""
    reasons = find_reasons(recipe)
    own = all_settings(recipe)
    usual = all_settings(RECIPES[recipe.name]()) if recipe.name in RECIPES else own

    settings = []
    for key, value in own.items():
        before = usual.get(key)
        changed = None if value == before else format_setting(before)
        settings.append(Setting(key, format_setting(value), changed, reasons.get(key, "")))
    return settings


def format_setting(value: Any) -> str:
    """A setting as a person writes it: 50,000, true, "–" for none."""
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value)


def collect_data_tables(data: DataReport) -> list[FoldedTable]:
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

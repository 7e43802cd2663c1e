"""What a run has become, for a person to look at:

`losses.png`, the time-lapse and `summary.html`.
"""

import base64
import json
import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import torch
from safetensors import safe_open

from ganvas.data.dataset import DataReport, describe_pictures
from ganvas.data.split import held_out_count
from ganvas.errors import UserError
from ganvas.gans.options import build
from ganvas.io.animation import write_timelapse
from ganvas.io.console import count_noun, describe_rate
from ganvas.io.files import write_text
from ganvas.recipes import RECIPES
from ganvas.recipes.recipe import Recipe, all_settings, find_reasons
from ganvas.runs.checkpoint import find_checkpoints, read_about
from ganvas.runs.curves import draw_curves
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.folder import find_grids, read_data, read_recipe
from ganvas.runs.log import read_log
from ganvas.runs.usage import describe_use, suggest_command
from ganvas.schema import read_schema

LONG = 12  # rows from which a table is folded
PLOT_CAPTION = (
    "Losses and checkups against images shown. A bold line over a faint one is its running mean."
)
MOST_SKIPPED = 500  # files listed by name; `data.json` has them all


@dataclass(frozen=True)
class Record:
    """What a run folder holds.

    Attributes:
        folder: the run folder.
        recipe: what was to be trained.
        log: the entries of `log.jsonl`.
        data: where the pictures came from.
        grids: the files of samples, oldest first.
        checkpoint: the newest checkpoint, if there is one.
        about: its `about.json`; empty without one.
    """

    folder: Path
    recipe: Recipe
    log: list[dict[str, Any]]
    data: DataReport
    grids: list[Path]
    checkpoint: Path | None
    about: dict[str, Any]

    @property
    def images(self) -> int:
        """Images shown, as far as the log and the newest checkpoint tell."""
        return max(self.about.get("images", 0), *(entry["images"] for entry in self.log), 0)

    @property
    def stopped(self) -> str:
        """Why the run ended by itself before its length; empty if it did not."""
        for entry in reversed(self.log):
            if entry["kind"] == "stopped" and entry["images"] >= self.images:
                return entry["reason"]
        return ""

    @property
    def state(self) -> str:
        """ "finished", "stopped" or "interrupted"."""
        if self.stopped:
            return "stopped"
        return "finished" if self.images >= self.recipe.images else "interrupted"


def write_report(folder: Path) -> None:
    """Write `losses.png`, `timelapse.gif`, `timelapse.webp` and `summary.html` into a run folder.

    A run without losses has no `losses.png`, one without samples no time-lapse.

    Raises:
        UserError: it is no run folder, or the disk is full or read-only.
    """
    run = read_record(folder)
    plotted = draw_curves(run.log, list(run.recipe.optimizers), folder / "losses.png")
    if run.grids:
        write_timelapse(run.grids, folder)
    write_text(folder / "summary.html", summary(run, plotted))


def read_record(folder: Path) -> Record:
    """Read a run folder; one that was interrupted early has only its recipe and data report.

    Raises:
        UserError: it is no run folder.
    """
    recipe = read_recipe(folder)
    if recipe is None:
        raise UserError(f"{folder} is not a run folder: it has no recipe.json")
    log = folder / "log.jsonl"
    found = find_checkpoints(folder / "checkpoints")
    return Record(
        folder=folder,
        recipe=recipe,
        log=read_log(log) if log.exists() else [],
        data=read_data(folder),
        grids=find_grids(folder),
        checkpoint=found[-1] if found else None,
        about=read_about(found[-1]) if found else {},
    )


def summary(run: Record, plotted: bool) -> str:
    """The whole page, with the pictures in it."""
    page = Template(files("ganvas.runs").joinpath("summary.html").read_text(encoding="utf-8"))
    plot = figure(run.folder / "losses.png", PLOT_CAPTION, "plot") if plotted else ""
    return page.substitute(
        name=escape(run.recipe.name),
        state=run.state,
        status=escape(status(run)),
        pictures=pictures(run),
        plot=plot,
        numbers=table(numbers(run)),
        health=listing("ul", Diagnosis.of(run.log).told()),
        commands=commands(run),
        data=data_section(run.data),
        settings=settings(run.recipe),
    )


def status(run: Record) -> str:
    """One sentence on how the run ended."""
    shown = f"{run.images:,} of {count_noun(run.recipe.images, 'image')}"
    if run.state == "finished":
        return f"Finished: {count_noun(run.images, 'image')} shown."
    if run.state == "stopped":
        return f"Stopped early at {shown}: {run.stopped}."
    if run.checkpoint:
        return f"Interrupted at {shown}; it can go on from {run.about['images']:,}."
    return f"Interrupted at {shown}, before the first checkpoint."


def pictures(run: Record) -> str:
    """The last grid and the time-lapse."""
    if not run.grids:
        return "<section>" + paragraph("No samples were saved.") + "</section>"
    first, last = int(run.grids[0].stem), int(run.grids[-1].stem)
    found = figure(run.grids[-1], f"Samples after {count_noun(last, 'image')}.")
    if len(run.grids) > 1:
        film = run.folder / "timelapse.webp"
        found += figure(
            film, f"The way there: {len(run.grids)} grids, {first:,} to {last:,} images."
        )
    return found


def numbers(run: Record) -> dict[str, str]:
    """What one asks first about a run."""
    rows = {"Images shown": f"{run.images:,} of {run.recipe.images:,}"}
    held_out = held_out_count(run.data.used, run.recipe.held_out, run.data.test)
    rows["Epochs"] = (
        f"{run.images / (run.data.used - held_out):,.1f} of {count_noun(run.data.used - held_out, 'picture')}"
    )
    rows["Held out"] = count_noun(held_out, "picture") if held_out else ""
    rows["Batch"] = f"{run.recipe.batch:,}"
    rows["GAN"] = run.recipe.gan
    if made := run.about.get("gan"):
        data = read_schema(made["data"])
        named = "".join(
            f", {count_names(column, len(values))}" for column, values in data.names.items()
        )
        rows["GAN"] += (
            f", {' and '.join(dict.fromkeys(describe_pictures(data.size, count) for count in data.channels.values()))}{named}"
        )
    if run.checkpoint:
        rows["Parameters"] = "; ".join(
            f"{player} {count:,}" for player, count in parameters(run.checkpoint).items()
        )
    rows["Last losses"] = "; ".join(
        f"{player} {value:.4g}" for player, value in last_losses(run).items()
    )
    speeds = [entry["images_per_second"] for entry in run.log if entry["kind"] == "speed"]
    scores = [
        (entry["distance"], entry["images"], entry["features"])
        for entry in run.log
        if entry["kind"] == "evaluated"
    ]
    if scores:
        distance, images, features = min(scores)
        rows["Best checkpoint"] = f"checkpoints/{images:012d}, {features} distance {distance:.4g}"
    rows["Speed"] = describe_rate(speeds[-1]) if speeds else ""
    rows["Data"] = run.data.spec
    rows["Data fingerprint"] = run.about.get("data", {}).get("fingerprint", "")
    rows["Seed"] = str(run.recipe.seed)
    rows["Software"] = ", ".join(
        f"{name} {version}" for name, version in run.about.get("versions", {}).items()
    )
    return {name: value for name, value in rows.items() if value}


def count_names(column: str, count: int) -> str:
    """How many names a column of the data has: "10 classes", "1 attribute"."""
    return (
        count_noun(count, "class", "classes")
        if column == "label"
        else count_noun(count, column.removesuffix("s"))
    )


def last_losses(run: Record) -> dict[str, float]:
    """Each player's last logged loss."""
    entries = [entry for entry in run.log if entry["kind"] == "losses"]
    return {
        player: entry[player]
        for entry in entries
        for player in sorted(run.recipe.optimizers)
        if player in entry
    }


def parameters(checkpoint: Path) -> dict[str, int]:
    """How many numbers each player learned: those of which Adam keeps a mean gradient."""
    counts: dict[str, int] = {}
    file = checkpoint / "training.safetensors"
    if file.exists():
        with safe_open(file, "numpy") as tensors:
            for key in tensors.keys():  # noqa: SIM118 (not a mapping)
                player, _, quantity = key.split("/")
                if quantity == "exp_avg":
                    counts[player] = counts.get(player, 0) + math.prod(
                        tensors.get_slice(key).get_shape()
                    )
    return counts


def commands(run: Record) -> str:
    """What to type to use the run, and to train on."""
    folder = str(run.folder)
    use: list[str] = []
    if run.checkpoint:
        with torch.device("meta"):
            gan = build(**run.about["gan"])
        words = suggest_command(gan, folder)
        use = (
            [paragraph("Make pictures:"), command(words)]
            if words
            else [paragraph(f"{describe_use(gan, folder)}.")]
        )
    longer = [] if run.state == "interrupted" else ["--images", str(2 * run.recipe.images)]
    names = ["losses.png", "timelapse.gif", "timelapse.webp", "log.jsonl", "samples", "checkpoints"]
    return "".join(
        [
            *use,
            paragraph("Train twice as long:" if longer else "Go on training:"),
            command(["ganvas", "train", "--out", folder, *longer]),
            paragraph(
                "In its folder: "
                + ", ".join(name for name in names if (run.folder / name).exists())
                + "."
            ),
        ]
    )


def settings(recipe: Recipe) -> str:
    """The table of settings; those that are not the recipe's own are marked, those that auto chose
    have its reason.
    """
    reasons = find_reasons(recipe)
    own = all_settings(recipe)
    usual = all_settings(RECIPES[recipe.name]()) if recipe.name in RECIPES else own
    rows = []
    for key, value in own.items():
        text, kind = escape(readable(value)), ""
        if value != usual.get(key):
            text += f" <small>(recipe: {escape(readable(usual.get(key)))})</small>"
            kind = ' class="changed"'
        if key in reasons:
            text += f" <small>{escape(reasons[key])}</small>"
        rows.append(f'<tr><th scope="row">{escape(key)}</th><td{kind}>{text}</td></tr>')
    return f'<table class="settings">{"".join(rows)}</table>'


def readable(value: Any) -> str:
    """A setting as a person writes it."""
    if value is None:
        return "–"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return value if isinstance(value, str) else json.dumps(value)


def data_section(data: DataReport) -> str:
    """What was found, what was done to it, what was left out."""
    parts = [
        table(
            {
                "Source": data.spec,
                "Pictures found": f"{data.found:,}",
                "Pictures used": f"{data.used:,}",
            }
        )
    ]
    if data.notes:
        parts.append("<h3>Please note</h3>" + listing("ul", data.notes))
    if data.steps:
        parts.append("<h3>What is done to a picture</h3>" + listing("ol", data.steps))
    for title, counts in (("Sizes", data.sizes), ("Kinds", data.modes), ("Classes", data.classes)):
        if counts:
            rows = table({name: f"{count:,}" for name, count in counts.items()})
            parts.append(f"<h3>{title}</h3>" + folded(rows, len(counts), title.lower()))
    if data.skipped:
        rows = table({entry.file: entry.reason for entry in data.skipped[:MOST_SKIPPED]})
        if len(data.skipped) > MOST_SKIPPED:
            rows += paragraph(f"The first {MOST_SKIPPED}; data.json has them all.")
        parts.append("<h3>Files that were left out</h3>" + folded(rows, len(data.skipped), "files"))
    return "".join(parts)


def folded(rows: str, count: int, what: str) -> str:
    """A table, to be opened by a click if it is long."""
    return (
        rows if count <= LONG else f"<details><summary>{count:,} {what}</summary>{rows}</details>"
    )


def table(rows: Mapping[str, str]) -> str:
    """Names and values."""
    cells = (
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f"<table>{''.join(cells)}</table>"


def listing(tag: str, items: Iterable[str]) -> str:
    """A list, "ul" or "ol"."""
    return f"<{tag}>{''.join(f'<li>{escape(item)}</li>' for item in items)}</{tag}>"


def paragraph(text: str) -> str:
    """Quiet text."""
    return f'<p class="faint">{escape(text)}</p>'


def command(words: list[str]) -> str:
    """A command line, quoted for a shell."""
    return f"<pre><code>{escape(shlex.join(words))}</code></pre>"


def figure(picture: Path, caption: str, kind: str = "") -> str:
    """A picture, in the page itself, and what it shows."""
    content = base64.b64encode(picture.read_bytes()).decode()
    source = f"data:image/{picture.suffix[1:]};base64,{content}"
    image = f'<img class="{kind}" src="{source}" alt="{escape(caption)}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"

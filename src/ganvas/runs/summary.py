"""What a run leaves for a person to look at: `losses.png`, the time-lapse and `summary.html`.

This module collects what the page shows, as plain text and numbers; `summary.html`, a template,
lays it out and escapes it.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from ganvas.data.report import DataReport
from ganvas.io.animation import write_timelapse
from ganvas.io.console import count_noun
from ganvas.io.files import write_text
from ganvas.runs.diagnosis import Diagnosis, schedule_of
from ganvas.runs.instructions import collect_instructions, suggest_resume
from ganvas.runs.numbers import collect_numbers
from ganvas.runs.page_settings import collect_settings
from ganvas.runs.plot import draw_curves
from ganvas.runs.record import RunRecord, describe_progress, describe_status, read_run
from ganvas.texts import language, localise

__all__ = [
    "PAGE",
    "EmbeddedImage",
    "FoldedTable",
    "draw_plot",
    "write_live_page",
    "write_report",
]

PAGE = "summary.html"
PLOT = "losses.png"
RELOAD_AFTER = 10  # seconds, of a page in a browser while the run trains

PLOT_CAPTION = (
    "Losses and checkups against images shown. A bold line over a faint one is its running mean."
)
FOLDED = 12  # rows; longer tables are opened by a click
MOST_SKIPPED = 500  # files listed by name; `data.json` has them all
FILES = (PLOT, "timelapse.gif", "timelapse.webp", "log.jsonl", "samples", "checkpoints")


@dataclass(frozen=True)
class EmbeddedImage:
    """An image inside the page.

    Attributes:
        source: a `data:` address with the content of the file, so that the page is one file.
        caption: what it shows.
    """

    source: Markup
    caption: str


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

    A run with fewer than two reports of losses has no `losses.png`, one without samples no
    time-lapse.

    Raises:
        UserError: it is not a run folder, or the disk is full or read-only.
    """
    run = read_run(folder)
    plotted = _draw_plot(run)
    if run.grids:
        write_timelapse(run.grids, folder)
    # Last, since the plot and the time-lapse are parts of the page.
    write_text(folder / PAGE, _render_page(run, plotted))


def write_live_page(folder: Path) -> None:
    """Write `summary.html` of a run in training, with the plot that is there and no time-lapse.

    The page reloads itself, and says when it was written: a process that is killed cannot say that
    the training is over.

    Raises:
        UserError: as `write_report` does.
    """
    run = read_run(folder)
    write_text(folder / PAGE, _render_page(run, (folder / PLOT).exists(), training=True))


def draw_plot(folder: Path) -> None:
    """Draw `losses.png` of a run folder, if there is something to draw.

    Raises:
        UserError: as `write_report` does.
    """
    _draw_plot(read_run(folder))


def _draw_plot(run: RunRecord) -> bool:
    """Draw the plot; whether there was something to draw."""
    return draw_curves(run.log, list(run.recipe.optimizers), run.folder / PLOT)


def _render_page(run: RunRecord, plotted: bool, training: bool = False) -> str:
    """The whole page as HTML, with the images in it.

    Args:
        run: content of the run folder.
        plotted: whether the run folder has a `losses.png` of this run.
        training: whether the run is in training at this moment.
    """
    return _load_template().render(
        name=run.folder.resolve().name,
        language=language(),
        recipe=run.recipe.name,
        state="training" if training else run.state,
        status=describe_progress(run) if training else describe_status(run),
        progress=min(run.images / run.recipe.images, 1.0),
        written=datetime.now().strftime("%Y-%m-%d %H:%M:%S"),
        reload_after=RELOAD_AFTER if training else None,
        sample_every=run.recipe.period("sample_every"),
        resume=suggest_resume(run),
        pictures=_collect_pictures(run, timelapse=not training),
        plot=_embed(run.folder / PLOT, PLOT_CAPTION) if plotted else None,
        health=Diagnosis.of(run.log, schedule_of(run.recipe)).describe(),
        instructions=collect_instructions(run, training),
        files=[name for name in FILES if (run.folder / name).exists()],
        numbers=collect_numbers(run),
        data=run.data,
        data_tables=_collect_data_tables(run.data),
        settings=collect_settings(run.recipe),
        folded=FOLDED,
    )


@cache  # compiling it takes longer than filling it in
def _load_template() -> Template:
    """The template of the page."""
    # Names of files and classes come from outside, so everything is escaped.
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,  # a name that is missing is an error, not an empty place
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["say"] = _say
    source = files("ganvas.runs").joinpath(PAGE).read_text(encoding="utf-8")
    return environment.from_string(source)


@pass_context  # or the template would keep the language in which it was compiled
def _say(_: Context, text: str) -> str:
    """A text in the user's language."""
    return localise(text)


def _embed(file: Path, caption: str) -> EmbeddedImage:
    """An image file as a part of the page."""
    # The suffixes png and webp are also the types' names. Nothing in it needs escaping, which would
    # take longer than all the rest of the page.
    content = base64.b64encode(file.read_bytes()).decode()
    return EmbeddedImage(Markup(f"data:image/{file.suffix[1:]};base64,{content}"), caption)


def _collect_pictures(run: RunRecord, timelapse: bool) -> list[EmbeddedImage]:
    """The last grid of samples and, if there is a new one, the time-lapse."""
    if not run.grids:
        return []

    # A grid's file is named by the images shown.
    first, last = int(run.grids[0].stem), int(run.grids[-1].stem)
    pictures = [_embed(run.grids[-1], f"Samples after {count_noun(last, 'image')}.")]
    if timelapse and len(run.grids) > 1:
        caption = f"Time-lapse: {len(run.grids)} grids, from {first:,} to {last:,} images."
        pictures.append(_embed(run.folder / "timelapse.webp", caption))
    return pictures


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

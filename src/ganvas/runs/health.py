"""`ganvas health`: the conditions of a run and its last checkup, explained."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from ganvas.errors import UserError
from ganvas.io.console import PlainConsole, count_noun, escape_text, print_json, print_text
from ganvas.io.html import html_list, html_table
from ganvas.runs.diagnosis import Change, Diagnosis, schedule_of
from ganvas.runs.folder import is_going
from ganvas.runs.record import describe_progress, describe_status, read_logged_run
from ganvas.runs.rules import Finding
from ganvas.texts import localise

__all__ = ["Health", "print_health", "read_health"]

# What a checkup measures: title and meaning. Where a key has the form "player/quantity", the
# quantity is looked up.
MEANINGS = {
    "real_accuracy": (
        "real accuracy",
        "share of real images that the discriminator classifies as real",
    ),
    "fake_accuracy": (
        "fake accuracy",
        "share of generated images that it classifies as generated; 1/2 is chance",
    ),
    "separation": (
        "separation",
        "share of pairs in which it scores the real image higher; 1/2 is chance",
    ),
    "score_gap": ("score gap", "mean score of real images minus that of generated ones"),
    "gradient_norm": ("gradient", "norm of the network's gradient in one training step"),
    "weight_norm": ("weights", "norm of the network's weights"),
    "distance": (
        "distance",
        "from a sample to the nearest real image; 1: as between real images",
    ),
    "diversity": (
        "diversity",
        "how much what samples show differs, whatever its brightness; 1: as in real images",
    ),
    "change": (
        "change",
        "how much a sample changed since the last checkup; 1: as much as real images differ",
    ),
    "lattice_2": (
        "lattice of 2",
        "energy in patterns that repeat every 2 pixels; 1 or less: as in real images",
    ),
    "lattice_4": (
        "lattice of 4",
        "energy in patterns that repeat every 4 pixels; 1 or less: as in real images",
    ),
    "palette": (
        "palette",
        "how much the mean colours of samples differ; 1: as much as those of real images",
    ),
    "score_drop": (
        "score drop",
        "mean score of real images used for training minus that of held-out ones",
    ),
    "overfitting": (
        "overfitting",
        "where held-out real images score between training images (0) and fakes (1)",
    ),
    "overfitting_errors": (
        "overfitting, errors",
        "the score drop in standard errors; below 3 it may be chance",
    ),
    "classes": ("rarest classes", "their share of the samples; 1: as in the data"),
    "agreement": ("weakest classes", "share of their samples that look like the class"),
}
MOST_CLASSES = 5  # shown, the weakest
WIDTH = 100  # characters of the table as a text


@dataclass(frozen=True, repr=False)
class Health:
    """The diagnosis of a run. It prints as a text, and a notebook shows it as tables.

    Attributes:
        folder: of the run.
        images: shown so far.
        going: whether the run is being trained at this moment.
        status: recipe and progress, one line.
        diagnosis: the doctor's memory.
    """

    folder: Path
    images: int
    going: bool
    status: str
    diagnosis: Diagnosis

    @property
    def state(self) -> str:
        """How the run is: too early to tell, discriminator far ahead, healthy or ill."""
        return self.diagnosis.verdict.state

    @property
    def findings(self) -> list[Finding]:
        """What is wrong now, each with `title`, `evidence` and `action`."""
        return list(self.diagnosis.active.values())

    @property
    def changes(self) -> list[Change]:
        """What appeared or was resolved, in order."""
        return self.diagnosis.changes

    @property
    def checkup(self) -> dict[str, Any]:
        """What the last checkup measured, by name."""
        return dict(self.diagnosis.checkups[-1])

    def __repr__(self) -> str:
        lines = [self.status, *self.diagnosis.describe()]
        file = io.StringIO()
        console = PlainConsole(file=file, width=WIDTH, force_jupyter=False)
        console.print(_draw_table(self.checkup, console.localise))
        table = [line.rstrip() for line in file.getvalue().splitlines()]
        return "\n".join([*map(escape_text, map(localise, lines)), *table])

    def _repr_html_(self) -> str:
        heading = f"checkup at {count_noun(self.checkup['images'], 'image')}"
        rows = [
            (localise(title), ", ".join(values), localise(meaning))
            for title, values, meaning in _explain_checkup(self.checkup)
        ]
        headings = map(localise, (heading, "value", "meaning"))
        table = html_table(tuple(headings), rows, words=(0, 1, 2))
        lines = [localise(line) for line in self.diagnosis.describe()]
        return f"<div>{html_list(localise(self.status), lines)}{table}</div>"

    def to_json(self) -> dict[str, Any]:
        """The diagnosis for programs, as `ganvas health RUN --json` prints it."""
        active = [
            {"since": self.diagnosis.since(name)} | finding.entry()
            for name, finding in self.diagnosis.active.items()
        ]
        return {
            "run": str(self.folder),
            "images": self.images,
            "going": self.going,
            "state": self.state,
            "remarks": list(self.diagnosis.verdict.sentences),
            "active": active,
            "changes": [{"images": change.images, **change.entry()} for change in self.changes],
            "checkup": self.checkup,
        }


def read_health(what: str | Path) -> Health:
    """Read the conditions and the last checkup of a run, finished or in training.

    Raises:
        UserError: it is not a run folder, its log is not there, or it has had no checkup yet.
    """
    run = read_logged_run(what)
    diagnosis = Diagnosis.of(run.log, schedule_of(run.recipe))
    if not diagnosis.checkups:
        period = run.recipe.period("health_every")
        raise UserError(
            f"{run.name} has had no checkup yet: the first is after {period:,} images "
            "(health_every)"
        )

    # A run in training looks like an interrupted one, but for its lock.
    going = is_going(run.folder)
    status = describe_progress(run) if going else describe_status(run)
    return Health(
        run.folder, run.images, going, f"{run.name}: {run.recipe.name}. {status}", diagnosis
    )


def print_health(what: str | Path, as_json: bool) -> None:
    """Print the health of a run.

    Raises:
        UserError: as `read_health`.
    """
    health = read_health(what)
    # Programs get the same facts as people, with unrounded numbers.
    if as_json:
        print_json(health.to_json())
        return
    print_text(health.status, *health.diagnosis.describe())
    console = PlainConsole()
    console.print(_draw_table(health.checkup, console.localise))


def _draw_table(checkup: Mapping[str, Any], say: Callable[[str], str]) -> Table:
    """A checkup as a table of values and their meaning.

    Args:
        checkup: of the run.
        say: puts a text into the language of whoever reads it.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in (f"checkup at {count_noun(checkup['images'], 'image')}", "value", "meaning"):
        table.add_column(say(heading), no_wrap=heading == "value")
    for title, values, meaning in _explain_checkup(checkup):
        table.add_row(say(title), Group(*values), say(meaning))
    return table


def _explain_checkup(checkup: Mapping[str, Any]) -> Iterator[tuple[str, list[str], str]]:
    """Title, values and meaning of each quantity of a checkup."""
    # Keys of other kinds, such as `images`, have no meaning here and no row.
    for key, value in checkup.items():
        player, _, quantity = key.rpartition("/")
        if quantity in MEANINGS:
            title, meaning = MEANINGS[quantity]
            yield f"{player} {title}".strip(), _format_measure(value), meaning


def _format_measure(value: float | Mapping[str, float]) -> list[str]:
    """A number, or the smallest of several by name."""
    if isinstance(value, Mapping):
        weakest = sorted(value.items(), key=lambda item: item[1])[:MOST_CLASSES]  # (class, share)
        return [f"{name}: {share:.2f}" for name, share in weakest]
    return [f"{value:.3g}"]

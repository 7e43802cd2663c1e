"""`ganvas health`: the conditions of a run and its last checkup, explained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from ganvas.errors import UserError
from ganvas.io.console import PlainConsole, count_noun, print_json, print_text
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.folder import is_going
from ganvas.runs.record import RunRecord, describe_progress, describe_status, read_run

__all__ = ["print_health"]

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
        "how much samples differ from each other; 1: as much as real images",
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


def print_health(folder: Path, as_json: bool) -> None:
    """Print the conditions and the last checkup of a run, finished or in training.

    Raises:
        UserError: it is not a run folder, or the run has had no checkup yet.
    """
    run = read_run(folder)
    diagnosis = Diagnosis.of(run.log)
    if not diagnosis.checkups:
        period = run.recipe.period("health_every")
        raise UserError(
            f"{folder} has had no checkup yet: the first is after {period:,} images (health_every)"
        )

    # Programs get the same facts as people, with unrounded numbers.
    if as_json:
        print_json(_collect_facts(run, diagnosis))
        return

    # A run in training looks like an interrupted one, but for its lock.
    status = describe_progress(run) if is_going(folder) else describe_status(run)
    print_text(f"{folder}: {run.recipe.name}. {status}", *diagnosis.describe())
    PlainConsole().print(_explain_checkup(diagnosis.checkups[-1]))


def _explain_checkup(checkup: Mapping[str, Any]) -> Table:
    """A checkup as a table of values and their meaning."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in (f"checkup at {count_noun(checkup['images'], 'image')}", "value", "meaning"):
        table.add_column(heading, no_wrap=heading == "value")

    # Keys of other kinds, such as `images`, have no meaning here and no row.
    for key, value in checkup.items():
        player, _, quantity = key.rpartition("/")
        if quantity in MEANINGS:
            title, meaning = MEANINGS[quantity]
            table.add_row(f"{player} {title}".strip(), _format_measure(value), meaning)
    return table


def _format_measure(value: float | Mapping[str, float]) -> RenderableType:
    """A number, or the smallest of several by name, a line each."""
    if isinstance(value, Mapping):
        weakest = sorted(value.items(), key=lambda item: item[1])[:MOST_CLASSES]  # (class, share)
        return Group(*(f"{name}: {share:.2f}" for name, share in weakest))
    return f"{value:.3g}"


def _collect_facts(run: RunRecord, diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis for programs, `ganvas health --json`."""
    active = [
        {"since": diagnosis.since(name)} | finding.entry()
        for name, finding in diagnosis.active.items()
    ]
    return {
        "run": str(run.folder),
        "images": run.images,
        "going": is_going(run.folder),
        "active": active,
        "changes": [{"images": change.images, **change.entry()} for change in diagnosis.changes],
        "checkup": diagnosis.checkups[-1],
    }

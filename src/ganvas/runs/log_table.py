"""`ganvas log`: what a run has logged, as a table of losses or as CSV of all numbers."""

import csv
import io
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from ganvas.errors import UserError
from ganvas.io.console import PlainConsole, describe_rate, print_raw, print_text
from ganvas.runs.record import RunRecord, read_logged_run

__all__ = ["KINDS", "collect_numbers_by_images", "find_numbers", "print_log"]

# Kinds of entries that hold measurements. A column of losses has the key's own name; those of other
# kinds begin with the kind, since a network's loss in evaluation mode has the same key, too.
KINDS = ("losses", "speed", "measured", "evaluated", "health")
SPEED = "speed.images_per_second"


def print_log(what: str | Path, as_csv: bool) -> None:
    """Print what a run has logged, finished or in training.

    Args:
        what: the run folder.
        as_csv: all numbers as CSV; otherwise a table of the losses, a row for each report.

    Raises:
        UserError: it is not a run folder, or nothing was logged yet.
    """
    run = read_logged_run(what)
    rows = collect_numbers_by_images(run.log)
    if not any(entry["kind"] == "losses" for entry in run.log):
        first = run.recipe.period("report_every")
        raise UserError(
            f"{run.name} has logged no losses yet: the first are after {first:,} images "
            "(report_every)"
        )
    if as_csv:
        print_raw(*_format_csv(rows))
    else:
        _print_table(run, rows)
        command = shlex.join(["ganvas", "log", run.name, "--csv"])
        print_text("", "All numbers, also terms and checkups:")
        print_text(f"  {command}", wrap=False)


def collect_numbers_by_images(
    log: Sequence[Mapping[str, Any]],
) -> dict[int, dict[str, float]]:
    """All numbers of a log: by images shown, then by column."""
    rows: dict[int, dict[str, float]] = {}
    for kind in KINDS:  # so that the columns of a kind are neighbours
        for entry in log:
            if entry["kind"] == kind:
                row = rows.setdefault(entry["images"], {})
                prefix = "" if kind == "losses" else f"{kind}."
                row |= {prefix + key: value for key, value in find_numbers(entry)}
    return dict(sorted((images, row) for images, row in rows.items() if row))


def find_numbers(entry: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of an entry by their keys; those of a group, such as classes, by group.name."""
    for key, value in entry.items():
        if isinstance(value, Mapping):
            yield from find_numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and (prefix or key != "images"):
            yield prefix + key, value


def _format_csv(rows: Mapping[int, Mapping[str, float]]) -> list[str]:
    """The lines of a CSV file with a header; a value that was not logged is empty."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["images", *columns])
    for images, row in rows.items():
        writer.writerow([images, *(row.get(column, "") for column in columns)])
    return text.getvalue().split("\n")[:-1]


def _print_table(run: RunRecord, rows: Mapping[int, Mapping[str, float]]) -> None:
    """Print the losses of each network and the speed, a row for each report."""
    players = list(run.recipe.optimizers)
    console = PlainConsole()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("images", "step", *players, "images/s"):
        table.add_column(console.localise(heading), justify="right")

    for images, row in rows.items():
        if not any(player in row for player in players):
            continue
        losses = [f"{row[player]:.4f}" if player in row else "" for player in players]
        speed = describe_rate(row[SPEED]).removesuffix(" images/s") if SPEED in row else ""
        table.add_row(f"{images:,}", f"{images // run.recipe.batch:,}", *losses, speed)
    console.print(table)

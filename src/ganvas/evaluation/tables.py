"""What `ganvas evaluate` prints: tables of values, and under each how they were measured."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganvas.data.names import NOISE, find_kind_name
from ganvas.errors import UserError
from ganvas.evaluation.evaluate import Evaluation, evaluate
from ganvas.evaluation.formatting import (
    build_tables,
    describe_protocol,
    format_by_class,
    format_cell,
    head_column,
)
from ganvas.evaluation.registry import BETTER
from ganvas.evaluation.sources import is_run
from ganvas.io.console import PlainConsole, print_json, print_text
from ganvas.runs.places import refuse_missing

__all__ = ["group_comparable", "print_evaluations", "split_sets"]

BASIS = ("features", "reference", "count", "seed")  # keys of every protocol
WIDTH = 160  # of a table that is not printed to a terminal
MANY = 20  # with more classes, only --json has values by class


def print_evaluations(
    sets: Sequence[str], data: str | None, as_json: bool, **settings: Any
) -> None:
    """Evaluate each set and print the values; `split_sets` says which is compared with which.

    Raises:
        UserError: as `evaluate`.
    """
    evaluated, against = split_sets(sets, data)
    progress = sys.stderr.isatty() and not as_json  # no bars where a program reads the output
    found = []
    for what in evaluated:
        found.append(evaluate(what, against, data=data, progress=progress, **settings))
    names = _distinguish_names(evaluated, found)
    found = [replace(evaluation, name=name) for evaluation, name in zip(found, names)]

    if as_json:
        print_json([evaluation.to_json() for evaluation in found])
    else:
        _print_tables(found)
    # Below the tables, whose dashes they explain; each once, though several sets may have it. A
    # program finds them in its JSON.
    for note in dict.fromkeys(note for evaluation in found for note in evaluation.notes):
        print_text(f"note: {note}", error=as_json)


def _print_tables(found: Sequence[Evaluation]) -> None:
    """Print a table for each group of comparable evaluations."""
    console = PlainConsole()
    # A file or a pipe has no width of its own.
    if not console.is_terminal:
        console.width = WIDTH
    groups = group_comparable(found)
    for number, group in enumerate(groups):
        if number:
            print_text("")
        _print_group(group, console)
    if len(groups) > 1:
        print_text("", "The tables were measured in different ways: do not compare their values.")

    # A run that is not in its folder, such as a copied checkpoint, has none.
    figures = [str(evaluation.figure) for evaluation in found if evaluation.figure]
    if figures:
        names = ", ".join(dict.fromkeys(figures))
        print_text("", f"Samples beside their nearest training images: {names}")


def split_sets(sets: Sequence[str], data: str | None) -> tuple[list[str], str | None]:
    """What is evaluated, and what it is compared with.

    The reference is the last set, if it is not a run and --data is not given; else None.

    Raises:
        UserError: no set is left to evaluate.
    """
    if not sets:
        raise UserError(
            "name a run folder, or two sets of images: "
            "ganvas evaluate RUN, ganvas evaluate FOLDER REFERENCE"
        )
    if data is not None or is_run(sets[-1]):
        return list(sets), None
    if len(sets) > 1:
        return list(sets[:-1]), sets[-1]

    (only,) = sets
    if not Path(only).exists() and find_kind_name(only) is None and only != NOISE:
        refuse_missing(only)
    hint = f"ganvas evaluate {only} REFERENCE compares it with a second set"
    raise UserError(f"{only} is not a run folder; {hint}, for instance mnist-test")


def _distinguish_names(sets: Sequence[str], found: Sequence[Evaluation]) -> list[str]:
    """A name for each of the evaluations of `sets`: those that share one get longer ones.

    Of a run that is its name with the images shown ("faces@4,000"), and where that is shared too,
    its folder with them; else what was typed. Of data what was typed.
    """
    short, exact = [], []
    for typed, evaluation in zip(sets, found):
        about = evaluation.about
        shown = f"@{about['images']:,}" if "run" in about else ""
        short.append(evaluation.name + shown if shown else typed)
        exact.append(about["run"] + shown if shown else typed)

    # Only those that are shared, so that short names stay short.
    names = [evaluation.name for evaluation in found]
    for longer in (short, exact, sets):
        shared = Counter(names)
        names = [other if shared[name] > 1 else name for name, other in zip(names, longer)]
    return names


def group_comparable(found: Sequence[Evaluation]) -> list[list[Evaluation]]:
    """Group the evaluations so that all in a group are comparable, in order."""
    groups: list[list[Evaluation]] = []
    for evaluation in found:
        for group in groups:
            # With all: two sets may each agree with a third, and not with each other.
            if all(_are_comparable(evaluation, other) for other in group):
                group.append(evaluation)
                break
        else:
            groups.append([evaluation])
    return groups


def _are_comparable(one: Evaluation, other: Evaluation) -> bool:
    """Whether each metric that both have was measured by the same protocol."""
    # Compared as JSON, in which a tuple is a list.
    for key in BASIS:
        if _to_text(one.protocol[key]) != _to_text(other.protocol[key]):
            return False
    # A metric that only one of them has leaves a cell of the column empty, which does no harm.
    for name in one.measurements.keys() & other.measurements.keys():
        protocols = (each.measurements[name].protocol for each in (one, other))
        if len(set(map(_to_text, protocols))) > 1:
            return False
    return True


def _to_text(protocol: Any) -> str:
    """A protocol as text; equal protocols give equal texts."""
    return json.dumps(protocol, sort_keys=True)


def _print_group(group: Sequence[Evaluation], console: PlainConsole) -> None:
    """Print one table, what its arrows mean, how it was measured, and values by class.

    The latter of a single set only.
    """
    names = []
    for name in dict.fromkeys(name for evaluation in group for name in evaluation.values):
        if name in BETTER:  # not a standard error
            names.append(name)
    rows = []
    for evaluation in group:
        rows.append((evaluation.name, [format_cell(evaluation.values, name) for name in names]))

    first = console.localise("set")
    for table in build_tables(first, [head_column(name) for name in names], rows, console.width):
        console.print(table)
    print_text("↓ lower is better, ↑ higher is better, → 1 is best; ± standard error")

    # They agree in the keys that they share, but single metrics may add their own.
    protocol: dict[str, Any] = {}
    for evaluation in group:
        protocol |= evaluation.protocol
    for line in describe_protocol(protocol):
        print_text(line)
    if len(group) == 1:
        _print_classes(group[0].by_class, console)


def _print_classes(by_class: dict[str, dict[str, float]], console: PlainConsole) -> None:
    """Print values by class, one class per row."""
    classes = list(dict.fromkeys(name for values in by_class.values() for name in values))
    if not classes or len(classes) > MANY:
        return

    columns = [
        console.localise("share") if metric == "modes" else head_column(metric)
        for metric in by_class
    ]
    rows = []
    for name in classes:
        cells = [format_by_class(metric, by_class[metric].get(name)) for metric in by_class]
        rows.append((name, cells))
    print_text("")
    for table in build_tables(console.localise("class"), columns, rows, console.width):
        console.print(table)

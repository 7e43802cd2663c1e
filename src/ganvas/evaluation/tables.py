"""What `ganvas evaluate` prints: tables of values, never of different protocols in one, and under
each how they came about.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from ganvas.data import NAMES
from ganvas.errors import UserError
from ganvas.evaluation.evaluate import FIGURE, Evaluation, evaluate, is_run
from ganvas.evaluation.registry import BETTER
from ganvas.evaluation.samples import NOISE
from ganvas.io.console import PlainConsole, count_noun, print_json, print_text

SHARES = {  # shown in percent
    *("precision", "recall", "coverage", "copies", "agreement", "tstr", "trtr", "high_quality"),
    *("attributes", "real_attributes", "inside"),
}
WIDTH = 160  # of a table that no terminal limits
MANY = 20  # classes from which values by class are left to --json


def run_evaluate(sets: Sequence[str], data: str | None, as_json: bool, **settings: Any) -> None:
    """Judge each set and print what was found. See `split_sets` for which is compared with which.

    Raises:
        UserError: as `evaluate`.
    """
    judged, against = split_sets(sets, data)
    progress = sys.stderr.isatty() and not as_json
    found = [evaluate(what, against, data=data, progress=progress, **settings) for what in judged]
    found = [
        replace(evaluation, name=name) for evaluation, name in zip(found, own_names(judged, found))
    ]
    for note in dict.fromkeys(note for evaluation in found for note in evaluation.notes):
        print_text(f"note: {note}", error=True)
    if as_json:
        print_json([evaluation.to_json() for evaluation in found])
        return
    console = PlainConsole()
    if not console.is_terminal:
        console.width = WIDTH
    groups = by_protocol(found)
    for number, group in enumerate(groups):
        if number:
            print_text("")
        show(group, console)
    if len(groups) > 1:
        print_text(
            "",
            "These are several tables because their values were not measured in the same way: they do not compare.",
        )
    figures = [
        Path(found.about["run"]) / FIGURE
        for found in found
        if "run" in found.about and "memorisation" in found.values
    ]
    if figures:
        names = ", ".join(str(path) for path in figures if path.exists())
        print_text("", f"Samples beside their nearest training pictures: {names}")


def split_sets(sets: Sequence[str], data: str | None) -> tuple[list[str], str | None]:
    """What is judged, and what it is compared with: the last set, if it is no run and --data is not
    given; else None.

    Raises:
        UserError: no set is left to judge.
    """
    if not sets:
        raise UserError(
            "name a run folder, or two sets of pictures: ganvas evaluate RUN, ganvas evaluate FOLDER REFERENCE"
        )
    if data is not None or is_run(sets[-1]):
        return list(sets), None
    if (
        len(sets) == 1
        and not Path(sets[0]).exists()
        and sets[0].partition(":")[0] not in (*NAMES, NOISE)
    ):
        raise UserError(
            f"there is no run folder {sets[0]}; `ganvas train --out {sets[0]}` makes one"
        )
    if len(sets) == 1:
        hint = f"ganvas evaluate {sets[0]} REFERENCE compares it with a second set"
        raise UserError(f"{sets[0]} is no run folder; {hint}, for instance mnist-test")
    return list(sets[:-1]), sets[-1]


def own_names(sets: Sequence[str], found: Sequence[Evaluation]) -> list[str]:
    """A name for each of the evaluations of `sets`: all that share one get a longer one.

    Of a run that is its folder with the images shown, and where that is shared too, what was typed;
    of data what was typed.
    """
    names = [evaluation.name for evaluation in found]
    exact = [
        f"{about['run']} @ {about['images']:,} images" if "run" in about else typed
        for about, typed in zip((evaluation.about for evaluation in found), sets)
    ]
    for longer in (exact, sets):
        shared = Counter(names)
        names = [other if shared[name] > 1 else name for name, other in zip(names, longer)]
    return names


def by_protocol(found: Sequence[Evaluation]) -> list[list[Evaluation]]:
    """The evaluations in groups of one protocol and the same values."""
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in found:
        key = json.dumps(evaluation.protocol, sort_keys=True)
        groups.setdefault(key, []).append(evaluation)
    return list(groups.values())


def show(group: Sequence[Evaluation], console: PlainConsole) -> None:
    """One protocol: its table, what the arrows mean, how it was measured, and of a single set the
    values by class.
    """
    names = [
        name
        for name in dict.fromkeys(name for evaluation in group for name in evaluation.values)
        if name in BETTER
    ]
    rows = [
        (evaluation.name, [cell(evaluation.values, name) for name in names]) for evaluation in group
    ]
    for table in tables("set", [heading(name) for name in names], rows, console.width):
        console.print(table)
    print_text("↓ lower is better, ↑ higher is better, → 1 is best; ± standard error")
    for line in protocol_lines(group[0].protocol):
        print_text(line)
    if len(group) == 1:
        show_classes(group[0].by_class, console)


def show_classes(by_class: dict[str, dict[str, float]], console: PlainConsole) -> None:
    """Values by class, a class a row."""
    classes = list(dict.fromkeys(name for values in by_class.values() for name in values))
    if not classes or len(classes) > MANY:
        return
    columns = ["share" if metric == "modes" else heading(metric) for metric in by_class]
    rows = [
        (name, [by_class_cell(metric, values.get(name)) for metric, values in by_class.items()])
        for name in classes
    ]
    print_text("")
    for table in tables("class", columns, rows, console.width):
        console.print(table)


def tables(
    first: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], width: int
) -> list[Table]:
    """One table, or several below each other where its columns would not fit."""
    name_width = max(len(first), *(len(name) for name, _ in rows))
    widths = [
        max([len(column), *(len(cells[number]) for _, cells in rows)]) + 2
        for number, column in enumerate(columns)
    ]
    parts: list[list[int]] = [[]]
    left = 0
    for number, wide in enumerate(widths):
        if parts[-1] and left + wide > width - name_width:
            parts.append([])
            left = 0
        parts[-1].append(number)
        left += wide
    found = []
    for part in parts:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(first, no_wrap=True)
        for number in part:
            table.add_column(columns[number], justify="right", no_wrap=True)
        for name, cells in rows:
            table.add_row(name, *(cells[number] for number in part))
        found.append(table)
    return found


def heading(name: str) -> str:
    """A value's heading: the name by which --metrics takes it, and an arrow towards what is better."""
    arrow = {"lower is better": " ↓", "higher is better": " ↑", "1 is best": " →"}.get(
        BETTER[name], ""
    )
    return name + arrow


def cell(values: dict[str, float], name: str) -> str:
    """A value as a table shows it."""
    if name not in values:
        return ""
    error = values.get(f"{name}_error")
    if error is not None:
        return f"{values[name]:.4f} ± {error:.4f}"
    return number(name, values[name])


def number(name: str, value: float) -> str:
    """A share in percent, a count whole, another value with four significant digits."""
    if value != value:
        return "-"
    if name in SHARES:
        return f"{100 * value:.1f} %"
    return str(value) if isinstance(value, int) else f"{value:#.4g}"


def by_class_cell(metric: str, value: float | None) -> str:
    """A value of one class."""
    if value is None:
        return ""
    return (
        f"{100 * value:.1f} %"
        if metric in ("modes", "agreement", "attributes")
        else f"{value:#.4g}"
    )


def protocol_lines(protocol: dict[str, Any]) -> list[str]:
    """How the values came about, in sentences; --json and the run's record have it whole."""
    reference = protocol["reference"]
    splits = {
        "test": "the published test set",
        "train": "what a GAN learns from",
        "all": "the whole set",
    }
    kind = (
        "points"
        if reference["channels"] == 2
        else f"{reference['size']}x{reference['size']} pictures"
    )
    counts = f"{count_noun(protocol['count'], 'sample')}, seed {protocol['seed']}"
    where = f"{reference['name']}, {splits[reference['split']]}: {reference['count']:,} {kind}"
    print_of = f"fingerprint {reference['fingerprint'][:12]}"
    lines = [
        f"{counts}, compared with {where}, {print_of}",
        f"features: {extractor_line(protocol['features'])}",
    ]
    if "classifier" in protocol:
        lines.append(f"classes: {extractor_line(protocol['classifier'])}")
    if "neighbours" in protocol:
        lines.append(
            f"precision, recall, density, coverage: among {protocol['neighbours']['pictures']:,} pictures of each set"
        )
    if "memorisation" in protocol:
        held = protocol["memorisation"]
        lines.append(
            f"memorisation: {held['training']:,} training pictures, {held['unseen']:,} never trained on"
        )
    return lines


def extractor_line(features: dict[str, Any]) -> str:
    """An extractor in words."""
    name = features["extractor"]
    if "trained_on" in features:
        tested, right = features["tested"], features["accuracy"]
        accuracy = (
            f"{100 * right:.2f} % of {tested:,} pictures right that it was not trained on"
            if tested
            else "not tested"
        )
        return f"{name}, trained on {features['trained_on']}, {accuracy}, weights {features['sha256'][:12]}"
    if name == "inception":
        return f"inception, weights {features['weights'][:12]}, resized {features['resize']}"
    return ", ".join(
        [name, *(f"{key} {value}" for key, value in features.items() if key != "extractor")]
    )

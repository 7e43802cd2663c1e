"""Values, headings and protocols as text, and the tables that they stand in."""

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.table import Table

from ganvas.evaluation.registry import BETTER, HIGHER, LOWER, NEITHER, ONE
from ganvas.evaluation.titles import ARROWS
from ganvas.io.console import count_noun

__all__ = [
    "build_tables",
    "describe_protocol",
    "format_by_class",
    "format_cell",
    "format_value",
    "head_column",
]

SHARES = {  # printed in percent
    *("precision", "recall", "coverage", "copies", "agreement", "tstr", "trtr", "augmented"),
    "high_quality",
    *("attributes", "real_attributes", "inside"),
}
ARROW_OF = {NEITHER: ""} | {way: f" {arrow}" for way, arrow in zip((LOWER, HIGHER, ONE), ARROWS)}
SPLITS = {
    "test": "published test set",
    "train": "training images",
    "all": "all images",
}


def build_tables(
    first: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], width: int
) -> list[Table]:
    """One table, or several below each other where its columns would not fit.

    Args:
        first: heading of the names.
        columns: headings of the values.
        rows: names and values.
        width: in characters.
    """
    parts = _split_columns(first, columns, rows, width)
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


def _split_columns(
    first: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], width: int
) -> list[list[int]]:
    """The numbers of the columns of each table, so that no table is wider than `width`."""
    # columns of the terminal for the values
    room = width - max(cell_len(first), *(cell_len(name) for name, _ in rows))
    parts: list[list[int]] = [[]]
    used = 0
    for number, column in enumerate(columns):
        cells = [column, *(cells[number] for _, cells in rows)]
        wide = max(map(cell_len, cells)) + 2  # the space between two columns
        if parts[-1] and used + wide > room:  # one that is too wide stands alone
            parts.append([])
            used = 0
        parts[-1].append(number)
        used += wide

    return parts


def head_column(name: str) -> str:
    """A column's heading: the name that --metrics takes, and an arrow towards what is better."""
    return name + ARROW_OF[BETTER[name]]


def format_cell(values: dict[str, float], name: str) -> str:
    """A value as a table shows it, with its standard error or what chance gives; "" if its metric
    was not measured.
    """
    if name not in values:
        return ""
    error = values.get(f"{name}_error")
    if error is not None:
        return f"{values[name]:.4f} ± {error:.4f}"
    chance = values.get(f"{name}_chance")
    beside = "" if chance is None else f" (chance {format_value(name, chance)})"
    return format_value(name, values[name]) + beside


def format_value(name: str, value: float) -> str:
    """A share in percent, a count whole, another value with four significant digits."""
    if value != value:  # NaN: a divergence without samples, or a share of few
        return "-"
    if name in SHARES:
        return f"{100 * value:.1f} %"
    # "#" keeps zeros at the end: 12.00, not 12
    return str(value) if isinstance(value, int) else f"{value:#.4g}"


def format_by_class(metric: str, value: float | None) -> str:
    """A value of one class; "" if it is missing."""
    if value is None:
        return ""
    if metric in ("modes", "agreement", "attributes"):  # a class's "modes" are a share
        return f"{100 * value:.1f} %"
    return f"{value:#.4g}"


def describe_protocol(protocol: dict[str, Any]) -> list[str]:
    """How the values were measured, one line each; --json and the run's record have all of it."""
    reference = protocol["reference"]
    size = reference["size"]
    kind = "points" if (reference["channels"], size) == (2, 1) else f"{size}x{size} images"
    samples = f"{count_noun(protocol['count'], 'sample')}, seed {protocol['seed']}"
    lines = [
        f"{samples}; compared with {reference['count']:,} {kind} of {reference['name']} "
        f"({SPLITS[reference['split']]}), fingerprint {reference['fingerprint'][:12]}",
        f"features: {_describe_extractor(protocol['features'])}",
    ]

    if "classifier" in protocol:
        lines.append(f"classes: {_describe_extractor(protocol['classifier'])}")
    if "neighbours" in protocol:
        count = protocol["neighbours"]["images"]
        lines.append(f"precision, recall, density, coverage: among {count:,} images of each set")
    if "memorisation" in protocol:
        counts = protocol["memorisation"]
        line = (
            f"memorisation: {counts['training']:,} training images, "
            f"{counts['unseen']:,} never trained on"
        )
        if "copies_by_chance" in counts:
            line += f"; copies up to {counts['copies_by_chance']:.1%} may be chance"
        lines.append(line)
    return lines


def _describe_extractor(features: dict[str, Any]) -> str:
    """An extractor in words."""
    name = features["extractor"]
    if "trained_on" in features:
        accuracy = "not tested"
        if features["tested"]:
            percent = f"{100 * features['accuracy']:.2f} %"
            accuracy = f"accuracy {percent} on {features['tested']:,} other images"
        trained = f"trained on {features['trained_on']}"
        return f"{name}, {trained}, {accuracy}, weights {features['sha256'][:12]}"

    if name in ("inception", "lite0"):
        return f"{name}, weights {features['weights'][:12]}, resized {features['resize']}"
    settings = [f"{key} {value}" for key, value in features.items() if key != "extractor"]
    return ", ".join([name, *settings])

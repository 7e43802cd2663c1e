"""An evaluation as HTML for notebooks: its values, what they mean, and how they were measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.evaluation.formatting import (
    describe_protocol,
    format_by_class,
    format_cell,
    head_column,
)
from ganvas.evaluation.registry import BETTER
from ganvas.io.html import html_list, html_table

__all__ = ["evaluation_page"]

ARROWS = "↓ lower is better, ↑ higher is better, → 1 is best; ± standard error"


def evaluation_page(
    name: str,
    values: dict[str, float],
    by_class: Mapping[str, Mapping[str, float]],
    protocol: dict[str, Any],
    notes: Sequence[str],
) -> str:
    """The tables of one evaluation; see `Evaluation`, whose attributes these are."""
    rows = [(head_column(key), format_cell(values, key)) for key in values if key in BETTER]
    table = html_table((name, "value"), rows)
    measured = html_list("How it was measured", [ARROWS, *describe_protocol(protocol)])
    return (
        f"<div>{table}{_class_table(by_class)}{measured}{html_list('Worth knowing', notes)}</div>"
    )


def _class_table(by_class: Mapping[str, Mapping[str, float]]) -> str:
    """Values by class, folded; nothing where no metric has any."""
    classes = list(dict.fromkeys(name for values in by_class.values() for name in values))
    if not classes:
        return ""

    headings = ["share" if metric == "modes" else head_column(metric) for metric in by_class]
    rows = [
        [name, *(format_by_class(metric, by_class[metric].get(name)) for metric in by_class)]
        for name in classes
    ]
    table = html_table(["class", *headings], rows)
    return f"<details><summary>by class</summary>{table}</details>"

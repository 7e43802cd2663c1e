"""Use only some rows of a data set: the first thousand, or all but those that others set aside."""

import hashlib
from collections import Counter
from dataclasses import replace

import numpy as np

from ganvas.data.dataset import Dataset
from ganvas.errors import UserError
from ganvas.io.console import count_noun

__all__ = ["take_subset"]


def take_subset(dataset: Dataset, subset: str) -> Dataset:
    """The set with the rows START to STOP - 1 alone.

    Args:
        dataset: of one table, at hand row by row.
        subset: "START:STOP", counted from 0; without START from the first row, without STOP to the
            last.

    Raises:
        UserError: the set has fewer rows, none would be left, or it is not of that kind.
    """
    spec = dataset.report.spec
    if dataset.shards or dataset.beside:
        kind = "is read shard after shard" if dataset.shards else "has two tables, one a domain"
        raise UserError(f"--subset {subset}: {spec} {kind}; leave it out")

    count = len(dataset)
    first, _, last = subset.partition(":")
    start, stop = int(first or 0), int(last or count)
    if stop > count or start >= stop:
        raise UserError(
            f"--subset {subset}: {spec} has {count_noun(count, 'row')}, 0 to {count - 1}; "
            "write START:STOP with START below STOP, and STOP at most that number"
        )

    # slices of memory maps: nothing is read
    columns = {name: column[start:stop] for name, column in dataset.columns.items()}
    digest = hashlib.blake2b(f"{dataset.fingerprint} {start}:{stop}".encode(), digest_size=16)
    report = dataset.report.model_copy(
        update={
            "used": stop - start,
            "classes": _count_classes(dataset, start, stop),
            "parts": _cut_parts(dataset.report.parts, start, stop),
            "copies": None,
            "steps": [*dataset.report.steps, f"keep the rows {start} to {stop - 1} of {count}"],
        }
    )
    return replace(dataset, columns=columns, fingerprint=digest.hexdigest(), report=report)


def _count_classes(dataset: Dataset, start: int, stop: int) -> dict[str, int]:
    """How many of the rows each class has; empty without classes."""
    if dataset.labels is None:
        return {}
    counts = Counter(dataset.labels[start:stop].tolist())
    return {name: counts[number] for number, name in enumerate(dataset.classes)}


def _cut_parts(parts: list[int], start: int, stop: int) -> list[int]:
    """How many of the rows each file gave, those that gave none left out."""
    ends = np.cumsum(parts, dtype=np.int64)
    inside = np.minimum(ends, stop) - np.maximum(ends - parts, start)
    return inside[inside > 0].tolist()

"""Lists in flags: with commas between, or by giving the flag again; both mean the same."""

import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["split_list", "split_pairs", "split_places"]

# A comma before a new KEY=; the commas in KEY=1,2 and KEY=["a", "b"] are part of a value.
NEXT_PAIR = re.compile(r",\s*(?=[^\s,=\[\]{}\"']+(?:\s[^\s,=\[\]{}\"']+)*=)")
OPENING, CLOSING = "[{", "]}"


def split_list(values: Iterable[str]) -> list[str]:
    """`["fd,kd", "recall"]` as `["fd", "kd", "recall"]`."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def split_pairs(values: Iterable[str]) -> list[str]:
    """`["beak=1,2,tail=3,4", "eye=5,6"]` as `["beak=1,2", "tail=3,4", "eye=5,6"]`."""
    return [pair for value in values for pair in _cut_pairs(value)]


def _cut_pairs(value: str) -> list[str]:
    """KEY=VALUE,KEY=VALUE at the commas between pairs, but not within brackets."""
    pairs, start = [], 0
    for comma in NEXT_PAIR.finditer(value):
        before = value[start : comma.start()]
        depth = sum(map(before.count, OPENING)) - sum(map(before.count, CLOSING))
        if depth <= 0:
            pairs.append(before)
            start = comma.end()
    return [*pairs, value[start:]]


def split_places(values: Iterable[Path]) -> list[Path]:
    """Files and folders; what exists under a name with commas is one place."""
    places = []
    for value in values:
        whole = value.expanduser()
        parts = [Path(part).expanduser() for part in str(value).split(",")]
        places += [whole] if whole.exists() or not all(map(str, parts)) else parts
    return places

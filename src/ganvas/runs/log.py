"""The log of a run, `log.jsonl`: JSON lines in the order of training."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.io.files import explained, write_text
from ganvas.io.reading import DamagedFileError, parse_json, read_json_lines

__all__ = ["ENDED", "Log", "LogFollower", "read_log"]

ENDED = "ended"  # the state of a condition with which a run ended

MOST_IMAGES = 10**12  # the first number of images that no checkpoint can have
# What an entry of a kind must have, because reports rely on it. Other kinds and keys are free.
REQUIRED = {
    "condition": {"condition": str, "state": str, "evidence": str, "action": str},
    "evaluated": {"distance": int | float, "features": str},
    "speed": {"images_per_second": int | float},
    "stopped": {"reason": str},
}
MEASURED = {"health", "losses", "measured"}  # kinds whose values are all numbers
TEXTS = {"kind", "state"}  # keys of these that are texts
BY_CLASS = {"agreement", "classes"}  # of these keys by name of the class


class Log:
    """`log.jsonl`: one JSON object a line, such as {"images": 500, "kind": "losses", ...}."""

    def __init__(self, path: Path):
        self.path = path

    def entries(self) -> list[dict[str, Any]]:
        """All entries so far.

        Raises:
            DamagedFileError: the log is damaged.
        """
        return read_log(self.path) if self.path.exists() else []

    def cut(self, images: int) -> None:
        """Drop what was written after `images` images, where a run resumes from a checkpoint.

        Why the run had stopped is dropped, too.
        """
        if not self.path.exists():
            return

        # Checkups, samples and the rest are written again as training proceeds.
        kept = [
            entry
            for entry in self.entries()
            if entry["images"] <= images
            and entry["kind"] != "stopped"
            and entry.get("state") != ENDED
        ]
        # Replaced as a whole: a kill in between must not cost the log.
        write_text(self.path, "".join(json.dumps(entry) + "\n" for entry in kept))

    def add(self, images: int, kind: str, values: Mapping[str, Any]) -> None:
        """Append one line and hand it to the operating system."""
        entry = {"images": images, "kind": kind, **values}
        # Opened for each line: once closed, the line outlives the process, whatever ends it.
        with explained(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the entries of a log; a last line cut short by a crash is left out.

    Raises:
        DamagedFileError: it cannot be read, or a line is JSON but not an entry.
    """
    entries = []
    for number, entry in read_json_lines(path):
        try:
            _check_entry(entry)
        except ValueError as error:
            raise DamagedFileError(
                f"{path} is damaged: line {number}: {error}; remove the line"
            ) from None
        entries.append(entry)
    return entries


class LogFollower:
    """Reads a log while it is written: at each call what has been added since the last one.

    The log must not be cut meanwhile.

    Args:
        path: of the log; it may not be there yet.
    """

    def __init__(self, path: Path):
        self.path = path
        self.place = 0  # bytes that were read

    def read(self) -> list[dict[str, Any]]:
        """The entries whose lines are whole and were not read yet; damaged ones are left out.

        Raises:
            OSError: the file cannot be read.
        """
        if not self.path.exists() or self.path.stat().st_size <= self.place:
            return []
        # Opened for an instant: on Windows, an open file could not be replaced.
        with self.path.open("rb") as file:
            file.seek(self.place)
            lines, _, _ = file.read().rpartition(b"\n")  # the last one may still be written
        self.place += len(lines) + 1 if lines else 0

        entries = []
        for line in lines.split(b"\n"):
            with suppress(ValueError, AttributeError):
                entry = parse_json(line.decode("utf-8", errors="replace"))
                _check_entry(entry)
                entries.append(entry)
        return entries


def _check_entry(entry: dict[str, Any]) -> None:
    """Check that an entry has images, a kind, and what its kind requires.

    Raises:
        ValueError: says what is missing or wrong.
    """
    images, kind = entry.get("images"), entry.get("kind")
    # `type`, since true and false are integers of Python, too.
    if type(images) is not int or not isinstance(kind, str):
        raise ValueError("it has no images or no kind")
    if not 0 <= images < MOST_IMAGES:
        raise ValueError(f"it says {images:,} images")

    for key, allowed in REQUIRED.get(kind, {}).items():
        value = entry.get(key)
        if not isinstance(value, allowed):
            raise ValueError(f"an entry of kind {kind!r} needs {key}, not {value!r}")
    # A rate is divided by, and the time left is rounded.
    if kind == "speed" and not 0 <= entry["images_per_second"] < math.inf:
        raise ValueError(f"images_per_second is {entry['images_per_second']}")

    for key, value in entry.items() if kind in MEASURED else ():
        if key in BY_CLASS and not isinstance(value, dict):
            raise ValueError(f"an entry of kind {kind!r} needs {key} by class, not {value!r}")
        numbers = value.values() if key in BY_CLASS else [value]
        if key not in TEXTS and not all(isinstance(number, int | float) for number in numbers):
            raise ValueError(f"an entry of kind {kind!r} needs a number as {key}, not {value!r}")

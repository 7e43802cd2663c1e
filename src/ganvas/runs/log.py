"""The log of a run, `log.jsonl`: JSON lines in the order of training."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas.io.files import DamagedFileError, explained, parse_json, write_text

ENDED = "ended"  # the state of a condition with which a run broke off


class Log:
    """`log.jsonl`: one JSON object a line, in the order of training; {"images": ..., "kind":

    "losses", ...}.
    """

    def __init__(self, path: Path):
        self.path = path

    def entries(self) -> list[dict[str, Any]]:
        """What was written so far."""
        return read_log(self.path) if self.path.exists() else []

    def cut(self, images: int) -> None:
        """Drop what was written after `images` images, and why the run had stopped: it goes on from
        a checkpoint taken there.
        """
        if self.path.exists():
            before = (entry for entry in self.entries() if entry["images"] <= images)
            kept = [
                entry
                for entry in before
                if entry["kind"] != "stopped" and entry.get("state") != ENDED
            ]
            write_text(self.path, "".join(json.dumps(entry) + "\n" for entry in kept))

    def add(self, images: int, kind: str, values: Mapping[str, Any]) -> None:
        """Append one line and hand it to the operating system."""
        entry = {"images": images, "kind": kind, **values}
        with explained(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """The entries of a log; a last line cut short by a crash is left out.

    Raises:
        DamagedFileError: it cannot be read, or a line is JSON but not an entry.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DamagedFileError(f"{path} cannot be read: {error.strerror}") from None
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entry = parse_json(line)
        except json.JSONDecodeError:
            continue
        except ValueError as error:
            raise DamagedFileError(
                f"{path} is damaged: line {number}: {error}; remove the line"
            ) from None
        images = entry.get("images") if isinstance(entry, dict) else None
        if type(images) is not int or images < 0 or not isinstance(entry.get("kind"), str):
            raise DamagedFileError(
                f"{path} is damaged: line {number} has no images or no kind; remove the line"
            )
        entries.append(entry)
    return entries

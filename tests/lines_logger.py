"""Loggers of another package, installed for a test: one writes lines of JSON, the others fail."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from ganvas.loggers.feed import FOLDER
from ganvas.loggers.logger import LoggedRun


class LinesLogger:
    """Appends to lines.jsonl in its folder.

    Attributes:
        fails_at: the method that fails.
    """

    fails_at = ""

    def start(self, run: LoggedRun) -> str:
        self.path = run.folder / "lines.jsonl"
        self.add("start", run.identity, run.resumed, run.name, dict(run.settings))
        return "look into lines.jsonl"

    def write(self, images: int, values: Mapping[str, float]) -> None:
        self.add("write", images, dict(values))

    def picture(self, images: int, file: Path) -> None:
        self.add("picture", images, len(file.read_bytes()))

    def finish(self) -> None:
        self.add("finish")

    def add(self, method: str, *values: object) -> None:
        if method == self.fails_at:
            raise RuntimeError("no route\nto the server")
        with self.path.open("a") as file:
            file.write(json.dumps([method, *values]) + "\n")


class FailsAtStart(LinesLogger):
    fails_at = "start"


class FailsAtWrite(LinesLogger):
    fails_at = "write"


class FailsAtFinish(LinesLogger):
    fails_at = "finish"


class Hangs(LinesLogger):
    """Never ends."""

    def finish(self) -> None:
        threading.Event().wait(60)


POINTS = {
    "lines": "LinesLogger",
    "fails-at-start": "FailsAtStart",
    "fails-at-write": "FailsAtWrite",
    "fails-at-finish": "FailsAtFinish",
    "hangs": "Hangs",
    "absent": "NoSuchLogger",
}


def install(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make a distribution with entry points, as pip would install it, and put it on the path."""
    about = folder / "ganvas_lines-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: ganvas-lines\nVersion: 1.0\n")
    points = [f"{name} = lines_logger:{target}" for name, target in POINTS.items()]
    (about / "entry_points.txt").write_text("\n".join(["[ganvas.loggers]", *points, ""]))
    patch.syspath_prepend(str(folder))


def read_lines(run: Path, method: str = "") -> list[list]:
    """What the logger was given; of one method, or of all."""
    text = (run / FOLDER / "lines" / "lines.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if method in ("", line[0])]

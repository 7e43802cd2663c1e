"""A part of the GPU benchmark: its settings, its time, and the file of its results."""

import argparse
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganvas.io.files import write_json
from ganvas.training.engine import Engine


@dataclass
class Part:
    """A part that runs: its settings, and what it has measured.

    Attributes:
        engine: on the device that is measured.
        end: when it should be over, by `time.perf_counter`.
        out: JSON file of the results.
    """

    given: argparse.Namespace
    engine: Engine
    end: float
    out: Path
    results: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.end - time.perf_counter()

    @property
    def tiny(self) -> bool:
        """Whether everything is as small as can be."""
        return self.given.tiny

    def note(self, *path: str, value: Any) -> None:
        """Enter a value under its keys, and write the file."""
        level = self.results
        for key in path[:-1]:
            level = level.setdefault(key, {})
        level[path[-1]] = value
        write_json(self.out, {"results": self.results})

    @contextmanager
    def noting_errors(self, *path: str) -> Iterator[None]:
        """Enter an error under the keys, instead of ending the part by it."""
        try:
            yield
        except Exception:
            self.note(*path, value={"error": traceback.format_exc()})

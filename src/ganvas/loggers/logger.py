"""What a logger is: four methods, for any dashboard."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = ["LoggedRun", "Logger", "LoggerError"]


class LoggerError(Exception):
    """A logger cannot go on; the message says why and what to do, in one line."""


@dataclass(frozen=True)
class LoggedRun:
    """What a logger is told of the run.

    Attributes:
        name: of the run folder.
        identity: 16 hexadecimal digits that stand for this run in this logger, also when it is
            resumed.
        folder: where the logger may keep files of its own; it exists.
        settings: of the recipe, by dotted key, without places of files.
        resumed: whether this logger has begun this run before.
    """

    name: str
    identity: str
    folder: Path
    settings: Mapping[str, Any]
    resumed: bool


class Logger(Protocol):
    """A dashboard. One object logs one run; all methods are called by one thread, in this order.

    Whatever a method raises ends this logger alone, never the run.
    """

    def start(self, run: LoggedRun, /) -> str:
        """Begin, or go on where an earlier object of the same identity ended.

        Returns:
            where to look, in a few words such as a command or an address.
        """
        ...

    def write(self, images: int, values: Mapping[str, float], /) -> None:
        """Take numbers, each once.

        Args:
            images: shown so far; never fewer than in the call before.
            values: by name, such as "losses/generator" or "speed/images_per_second".
        """
        ...

    def picture(self, images: int, file: Path, /) -> None:
        """Take a grid of samples.

        Args:
            images: as in `write`.
            file: a PNG, which may be removed when the method has returned.
        """
        ...

    def finish(self) -> None:
        """Send what is left, and end."""
        ...

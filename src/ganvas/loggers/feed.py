"""Feed one logger with what a run has logged: every number and every grid once, in order."""

import secrets
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from ganvas.io.files import explained, write_json
from ganvas.io.reading import DamagedFileError, read_json
from ganvas.loggers.logger import LoggedRun, Logger, LoggerError
from ganvas.recipes.recipe import Recipe, flatten_settings
from ganvas.runs.folder import grid_path
from ganvas.runs.log import LogFollower
from ganvas.runs.log_table import KINDS, find_numbers

__all__ = ["FOLDER", "Feed", "Sent"]

FOLDER = "loggers"  # in a run folder, with a folder for each logger
STATE = "sent.json"
GRIDS = "samples"  # the kind of entries that announce a grid
# Settings that name files and folders of this machine, which nobody else needs to know.
PRIVATE = {"data", "origin", "labels", "reasons"}


class Sent(NamedTuple):
    """How much a logger was given.

    Attributes:
        points: moments of the run with numbers.
        grids: of samples.
    """

    points: int
    grids: int


class Feed:
    """Gives a run's log to a logger, each entry once, also over several processes.

    What a logger has is noted in the run folder. A run that resumes from a checkpoint writes what
    it had logged after that checkpoint again; those entries are left out.

    Args:
        name: of the logger.
        logger: fresh.
        folder: the run folder.
        recipe: of the run.
    """

    def __init__(self, name: str, logger: Logger, folder: Path, recipe: Recipe):
        self.name = name
        self.logger = logger
        self.run = folder
        self.recipe = recipe
        self.folder = folder / FOLDER / name
        self.log = LogFollower(folder / "log.jsonl")
        self.waiting: list[dict[str, Any]] = []
        self.where = str(self.folder)  # to look; until the logger says it better
        # By kind of entry, the images of the last one that the logger has got.
        self.last: dict[str, int] = {}

    def start(self) -> str:
        """Begin, or go on with what an earlier process has begun.

        Returns:
            where to look.
        """
        identity, resumed = self._read_state()
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self.identity = identity
        given = self.recipe.model_dump(mode="json", exclude=PRIVATE, exclude_none=True)
        settings = flatten_settings(given)
        name = self.run.resolve().name
        self.where = self.logger.start(LoggedRun(name, identity, self.folder, settings, resumed))
        return self.where

    def has_news(self, final: bool) -> bool:
        """Whether there is something that the logger lacks; may be asked before `start`."""
        self._read_state()
        self._read_log()
        return any(True for _ in self._take(final))

    def send(self, final: bool) -> Sent:
        """Send what is new.

        Args:
            final: whether nothing more is written; otherwise the last grid may still be drawn.
        """
        self._read_log()
        points = grids = 0
        ready = list(self._take(final))
        for images, entries in groupby(ready, key=lambda entry: entry["images"]):
            of_moment = list(entries)
            if values := _collect_values(of_moment):
                self.logger.write(images, values)
                points += 1
            grid = grid_path(self.run, images)
            if any(entry["kind"] == GRIDS for entry in of_moment) and grid.is_file():
                self.logger.picture(images, grid)
                grids += 1
            self.last |= {entry["kind"]: images for entry in of_moment}

        self.waiting = self.waiting[len(ready) :]
        if ready:  # afterwards: what a crash loses in between is sent twice, but never lost
            state = {"identity": self.identity, "last": self.last}
            state |= {"where": self.where, "folder": str(self.folder)}
            write_json(self.folder / STATE, state)
        return Sent(points, grids)

    def finish(self) -> None:
        """Let the logger send what is left."""
        self.logger.finish()

    def _read_log(self) -> None:
        """Read what the run has logged since the last call, as far as the logger lacks it."""
        self.waiting += [
            entry
            for entry in self.log.read()
            if entry["kind"] in (*KINDS, GRIDS)
            and entry["images"] > self.last.get(entry["kind"], -1)
        ]

    def _take(self, final: bool) -> Iterator[dict[str, Any]]:
        """The entries that can be sent now, in order."""
        for number, entry in enumerate(self.waiting):
            # A grid is drawn after it was announced. Once something follows, it will not come.
            newest = not final and number == len(self.waiting) - 1
            is_grid = entry["kind"] == GRIDS
            if newest and is_grid and not grid_path(self.run, entry["images"]).is_file():
                return
            yield entry

    def _read_state(self) -> tuple[str, bool]:
        """What earlier processes have noted.

        Returns:
            the identity, and whether it was there before.

        Raises:
            LoggerError: the note is damaged.
        """
        file = self.folder / STATE
        if not file.exists():
            return secrets.token_hex(8), False
        try:
            state = read_json(file)
            identity, last = state["identity"], state["last"]
            self.last = {str(kind): int(images) for kind, images in last.items()}
            # what a logger said may name its folder, which may have been moved since
            if state.get("folder") == str(self.folder):
                self.where = str(state.get("where", self.folder))
            return str(identity), True
        except (DamagedFileError, LookupError, TypeError, AttributeError, ValueError):
            raise LoggerError(
                f"{file} is damaged; remove {self.folder} to begin anew with this logger"
            ) from None


def _collect_values(entries: list[dict[str, Any]]) -> Mapping[str, float]:
    """The numbers of some entries, by kind and key: {"losses/generator": 0.7, ...}."""
    return {
        f"{entry['kind']}/{key}": float(value)
        for entry in entries
        if entry["kind"] in KINDS
        for key, value in find_numbers(entry)
    }

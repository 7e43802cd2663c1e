"""A run's folder: its recipe, its data report, and the lock that keeps two trainings apart."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import Field

from ganvas.data import Dataset
from ganvas.data.report import DataReport
from ganvas.errors import UserError
from ganvas.io.console import count_noun
from ganvas.io.files import PARTIAL, explained, remove, remove_leftovers, write_json
from ganvas.io.reading import check_values, explain_error, read_json
from ganvas.recipes.recipe import Recipe, build_recipe, flatten_settings

__all__ = [
    "GRID",
    "DataFile",
    "FolderWatch",
    "check_same",
    "find_grids",
    "fresh_folder",
    "grid_path",
    "is_going",
    "is_stopping",
    "lock_folder",
    "read_data",
    "read_recipe",
    "request_stop",
    "write_description",
]

LOCK = "run.lock"  # locked by the process that trains; the file alone says nothing
MOST_IMAGES = 10**12  # more than any data set has
PROBE = threading.Lock()
STOP = "stop"  # a training that finds this file in its folder saves and stops
# Files that a run writes, and that a killed process may leave unfinished.
REPORTS = r"(recipe|data|speed)\.json|log\.jsonl|losses\.png|summary\.html|timelapse\.(gif|webp)"
GRID = r"[0-9]{12}\.png"  # a file of samples, named by the images shown
# What may differ when a run is resumed: its length, where its data lies, how often it is only
# looked at, what the terminal shows, how fast it is executed, why settings were chosen.
FREE = {"images", "data", "health_every", "evaluate_every", "log", "speed", "reasons"}


class DataFile(DataReport):
    """What `data.json` must have."""

    fingerprint: str
    found: Annotated[int, Field(ge=1, lt=MOST_IMAGES)]
    used: Annotated[int, Field(ge=1, lt=MOST_IMAGES)]


def fresh_folder(name: str) -> Path:
    """Make a new, dated folder under `runs/`: runs/2026-11-28-digits, runs/2026-11-28-digits-2.

    Raises:
        UserError: the disk is full or read-only.
    """
    dated = Path("runs") / f"{datetime.now():%Y-%m-%d}-{name}"
    folder = dated
    number = 2

    with explained(dated):
        dated.parent.mkdir(parents=True, exist_ok=True)
        while True:
            # Only mkdir itself tells safely whether another run had the name first.
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                folder = dated.with_name(f"{dated.name}-{number}")
                number += 1


def read_recipe(folder: Path) -> Recipe | None:
    """Read the recipe of a run folder; None where there is no run yet.

    Raises:
        UserError: the recipe cannot be read, or the folder holds something else.
    """
    file = folder / "recipe.json"
    if not file.exists():
        _refuse_foreign(folder)
        return None

    values = read_json(file)
    try:
        return build_recipe(values)
    except UserError as error:
        raise UserError(f"{file} is of another version of ganvas or damaged: {error}") from None


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds something else than a run; nothing is written beside it.

    Raises:
        UserError: names one of its files.
    """
    # A run killed before its recipe was written leaves these files, and partial ones.
    begun = (LOCK, STOP, "recipe.json", "data.json")
    with explained(folder):
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
    others = [name for name in names if not name.startswith(PARTIAL) and name not in begun]
    if others and "recipe.json" not in names:
        raise UserError(
            f"{folder} exists and is not a run folder (it holds {others[0]}); choose another --out"
        )


class FolderWatch:
    """Notices that a run's folder is gone, or that another one has taken its place."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.identity = (0, 0)

    def begin(self) -> None:
        """Remember which folder it is, once it is there.

        Raises:
            UserError: it is gone.
        """
        self.identity = self._identify()

    def check(self) -> None:
        """Refuse to go on: what would be written could not be resumed, or is another run's folder.

        Raises:
            UserError: the folder is gone, or is another one.
        """
        if self._identify() != self.identity or not (self.folder / "recipe.json").exists():
            raise UserError(
                f"{self.folder} was replaced while its run was training, so the run has ended"
            )

    def _identify(self) -> tuple[int, int]:
        """The device of the folder, and its number there.

        Raises:
            UserError: it is no longer there.
        """
        try:
            state = self.folder.stat()
        except OSError as error:
            raise UserError(
                f"{self.folder} was removed or moved while its run was training "
                f"({explain_error(error)}), so the run has ended"
            ) from None
        return state.st_dev, state.st_ino


def read_data(folder: Path) -> DataFile:
    """Read the data report of a run folder.

    Raises:
        UserError: it is missing or damaged.
    """
    file = folder / "data.json"
    return check_values(DataFile, read_json(file), file, "it should describe the data of the run")


def grid_path(folder: Path, images: int) -> Path:
    """The path of a run's grid of samples after so many images."""
    return folder / "samples" / f"{images:012d}.png"


def find_grids(folder: Path) -> list[Path]:
    """Find a run's grids of samples, oldest first; files with other names are not ours."""
    return sorted(
        path
        for path in (folder / "samples").glob("*.png")
        if re.fullmatch(GRID, path.name) and path.is_file()
    )


def check_same(
    folder: Path, own: Recipe, asked: Recipe, dataset: Dataset, command: str = ""
) -> None:
    """Refuse to resume a run with other settings or other data than it began with.

    Args:
        own: the recipe in the run folder.
        asked: the recipe of this call.
        command: that begins a new run with the weights of this one, if they can be used.

    Raises:
        UserError: shows the differences.
    """
    way = "choose another --out"
    if command:
        way += ", or begin a new run with the weights of this one"

    before = flatten_settings(own.model_dump(exclude=FREE))
    now = flatten_settings(asked.model_dump(exclude=FREE))
    differences = [
        f"{key} is {before.get(key)!r} there and {now.get(key)!r} here"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    if differences:
        raise UserError(
            f"{folder} was begun with other settings: {'; '.join(differences)}; {way}", command
        )

    there = read_data(folder)
    # The content, not the place: data may be moved, but other rows would be another run.
    if there.fingerprint != dataset.fingerprint:
        raise UserError(
            f"{folder} was begun with other data: {count_noun(there.used, 'image')} of "
            f"{there.spec} there, {len(dataset):,} of {dataset.report.spec} here; bring the old "
            f"data back, {way}",
            command,
        )


def write_description(folder: Path, recipe: Recipe, dataset: Dataset) -> None:
    """Write `data.json`, then `recipe.json`, with which a folder becomes a run folder."""
    report = {"fingerprint": dataset.fingerprint, **dataset.report.model_dump()}
    write_json(folder / "data.json", report)
    # Last: a kill between the two leaves a folder that can still begin.
    write_json(folder / "recipe.json", recipe.model_dump())


@contextmanager
def lock_folder(folder: Path, fresh: bool = False) -> Iterator[Path]:
    """Keep other trainings out of a run folder, which is made if necessary.

    The operating system lifts the lock when the process ends, however it ends. If nothing is
    written into the folder, it is removed again, unless the user made it.

    Args:
        fresh: whether the folder was made for this run a moment ago.

    Raises:
        UserError: another training runs there, or the folder cannot be written or has a name that
            is not UTF-8.
    """
    # The library that writes checkpoints takes only names in UTF-8.
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise UserError(f"the name of {folder} is not UTF-8; choose another --out") from None
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")

    _refuse_foreign(folder)  # before the lock is written into it
    # Asked before it is made: an empty folder of the user's must stay.
    ours = fresh or not folder.exists()
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        try:
            # Hardly any waiting: the other training may take days. But somebody who only asks
            # whether one is going holds the lock for an instant, too.
            lock.acquire(timeout=0.5, poll_interval=0.02)
        except Timeout:
            raise UserError(
                f"{folder} is being trained by another process; wait for it or choose another --out"
            ) from None

    remove_leftovers(folder, REPORTS)
    stop = folder / STOP
    stop.unlink(missing_ok=True)  # it was meant for another training
    try:
        yield folder
    finally:
        stop.unlink(missing_ok=True)
        lock.release()
        # The training was refused before anything was written.
        if folder.exists() and [path.name for path in folder.iterdir()] == [LOCK]:
            remove(folder / LOCK)
            if ours:
                with suppress(OSError):  # another process has begun to write there
                    folder.rmdir()


def is_going(folder: Path) -> bool:
    """Whether a training runs in a run folder at this moment."""
    if not (folder / LOCK).exists():
        return False
    try:
        # Held for an instant; one at a time, or two threads that ask would see each other's lock.
        with PROBE, FileLock(folder / LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # the folder belongs to another user
        return False


def request_stop(folder: Path) -> None:
    """Ask the training in a run folder, wherever it was started, to save and stop.

    Raises:
        UserError: nothing is in training there, or the folder cannot be written.
    """
    if not is_going(folder):
        raise UserError(f"{folder} is not in training, so there is nothing to stop")
    with explained(folder):
        (folder / STOP).touch()


def is_stopping(folder: Path) -> bool:
    """Whether a training has been asked to stop and has not done so yet."""
    return (folder / STOP).exists()

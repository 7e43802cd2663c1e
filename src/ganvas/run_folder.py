"""A run's folder: its recipe, its data report, and who may write there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from ganvas.console import count_noun
from ganvas.data import Dataset
from ganvas.errors import UserError
from ganvas.files import PARTIAL, explained, remove, write_json
from ganvas.recipe import Recipe, flat, readable

LOCK = "run.lock"
# What may differ when a run goes on: its length, where its data lies, how often it is only looked at, how it is made fast, why
# settings were chosen.
FREE = {"images", "data", "health_every", "evaluate_every", "speed", "reasons"}


def fresh_folder(name: str) -> Path:
    """Make a dated folder under `runs/` that did not exist."""
    dated = Path("runs") / f"{datetime.now():%Y-%m-%d}-{name}"
    folder, number = dated, 2
    with explained(dated):
        dated.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                folder.mkdir()
                return folder
            except FileExistsError:  # another run's, perhaps of this very moment
                folder, number = dated.with_name(f"{dated.name}-{number}"), number + 1


def read_recipe(folder: Path) -> Recipe | None:
    """The recipe of a run folder; None where there is no run yet.

    Raises:
        UserError: the recipe cannot be read, or the folder holds something else.
    """
    file = folder / "recipe.json"
    if not file.exists():
        begun = (LOCK, "data.json")  # all that a run killed before its recipe was written can have left, with partials
        others = [path.name for path in folder.glob("*") if not path.name.startswith(PARTIAL) and path.name not in begun]
        if others:
            raise UserError(f"{folder} exists and is not a run folder (it holds {others[0]}); choose another --out")
        return None
    try:
        return Recipe(**json.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise UserError(f"{file} is of another version of ganvas or damaged: {readable(error)}") from None
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{file} cannot be read: {error}") from None


def check_same(folder: Path, own: Recipe, asked: Recipe, dataset: Dataset) -> None:
    """Refuse to go on with other settings or other data than the run began with.

    Raises:
        UserError: shows the differences.
    """
    before, now = flat(own.model_dump(exclude=FREE)), flat(asked.model_dump(exclude=FREE))
    differences = [
        f"{key} is {before.get(key)!r} there and {now.get(key)!r} here"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    if differences:
        raise UserError(f"{folder} was begun with other settings: {'; '.join(differences)}; choose another --out")
    try:
        report = json.loads((folder / "data.json").read_text(encoding="utf-8"))
        fingerprint, used, spec = report["fingerprint"], report["used"], report["spec"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder / 'data.json'} is damaged ({error}); it should tell which data the run has") from None
    if fingerprint != dataset.fingerprint:
        raise UserError(
            f"{folder} was begun with other data: {count_noun(used, 'picture')} of {spec} there, "
            f"{len(dataset):,} of {dataset.report.spec} here; bring the old data back or choose another --out"
        )


def describe(folder: Path, recipe: Recipe, dataset: Dataset) -> None:
    """Write `recipe.json` and `data.json`."""
    write_json(folder / "data.json", {"fingerprint": dataset.fingerprint, **dataset.report.model_dump()})
    write_json(folder / "recipe.json", recipe.model_dump())


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Keep other trainings out of a run folder; the operating system lifts the lock when the process ends, however it ends.

    Raises:
        UserError: another training is going on there, or the folder cannot be written or has a name that is not UTF-8.
    """
    try:
        str(folder).encode()
    except UnicodeEncodeError:  # what writes checkpoints takes no other names
        raise UserError(f"the name of {folder} is not UTF-8; choose another --out") from None
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose another --out")
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"{folder} is being trained by another process; wait for it or choose another --out") from None
    try:
        yield folder
    finally:
        lock.release()
        if [path.name for path in folder.iterdir()] == [LOCK]:  # refused before anything was written
            remove(folder)


def is_going(folder: Path) -> bool:
    """Whether a training is going on in a run folder just now."""
    if not (folder / LOCK).exists():
        return False
    try:
        with FileLock(folder / LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a folder of somebody else's
        return False

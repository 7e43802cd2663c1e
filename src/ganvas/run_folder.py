"""A run's folder: its recipe, its data report, and who may write there."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from ganvas.data import Dataset
from ganvas.errors import UserError
from ganvas.files import PARTIAL, explained, write_json
from ganvas.recipes import Recipe, readable

LOCK = "run.lock"
FREE = {"images", "data"}  # settings that may differ when a run goes on: its length, and where its data lies


def fresh_folder(recipe: Recipe) -> Path:
    """A dated folder under `runs/` that does not exist yet."""
    dated = Path("runs") / f"{datetime.now():%Y-%m-%d}-{recipe.name}"
    folder, number = dated, 2
    while folder.exists():
        folder, number = dated.with_name(f"{dated.name}-{number}"), number + 1
    return folder


def read_recipe(folder: Path) -> Recipe | None:
    """The recipe of a run folder; None where there is no run yet.

    Raises:
        UserError: the recipe cannot be read, or the folder holds something else.
    """
    file = folder / "recipe.json"
    if not file.exists():
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file; choose another --out")
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
    report = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    if report["fingerprint"] != dataset.fingerprint:
        raise UserError(
            f"{folder} was begun with other data: {report['used']:,} pictures of {report['spec']} there, "
            f"{len(dataset):,} of {dataset.report.spec} here; bring the old data back or choose another --out"
        )


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = list(value) if isinstance(value, tuple) else value
    return found


def describe(folder: Path, recipe: Recipe, dataset: Dataset) -> None:
    """Write `recipe.json` and `data.json`."""
    write_json(folder / "data.json", {"fingerprint": dataset.fingerprint, **dataset.report.model_dump()})
    write_json(folder / "recipe.json", recipe.model_dump())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a run folder; the operating system lifts the lock when the process ends, however it ends.

    Raises:
        UserError: another training is going on there, or the folder cannot be written.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise UserError(f"{folder} is being trained by another process; wait for it or choose another --out") from None
    try:
        yield
    finally:
        lock.release()

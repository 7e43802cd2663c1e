"""Files that are either whole or not there at all."""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ganvas.errors import UserError

PARTIAL = ".partial-"  # every unfinished file or folder begins so
DEEPEST = 64  # lists and objects within each other in a JSON file; ours have a handful


class DamagedFileError(UserError):
    """A file is not what it should be; the message names it and the reason."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's complaint about writing `path` into one line for the user."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot write {path}: {reason}; free some space or choose another place with --out"
        ) from error


@contextmanager
def atomic_path(path: Path, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success what was written there (a file or a folder)
    is synced and renamed.

    A folder that already stands at `path` is not replaced: the one that was there first stays (two
    builders, same content).

    Args:
        path: where it should be.
        durable: whether to wait until the disk has it; not worth its time for thousands of files
            that can be made again.

    Raises:
        UserError: the disk is full, read-only, or the folder may not be written to.
    """
    partial = partial_path(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            if durable:
                for file in [partial, *partial.rglob("*")] if partial.is_dir() else [partial]:
                    sync(file)
            if partial.is_dir() and path.is_dir():
                remove(partial)
            else:
                partial.replace(path)
            if durable:
                sync(path.parent)
        except BaseException:
            remove(partial)
            raise


@contextmanager
def own_folder(out: Path | None, place: Path) -> Iterator[Path]:
    """Yield the folder for the files of one call, which never mix with those of another.

    Args:
        out: the folder wanted, which must be new or empty; None: place/1, place/2, ..., one above
            those that are there.
        place: where numbered folders are; one that stays empty is removed again.

    Raises:
        UserError: `out` holds something or is a file, or `place` may not be written to.
    """
    if out is not None:
        with explained(out):
            held = sorted(path.name for path in out.iterdir()) if out.exists() else []
        if held:
            raise UserError(
                f"--out {out} is not empty (it holds {held[0]}); choose a new folder, so that results do not mix"
            )
        yield out
        return
    folder = number_folder(place)
    try:
        yield folder
    finally:
        for empty in (folder, place):
            with suppress(OSError):  # it holds something
                empty.rmdir()


def number_folder(place: Path) -> Path:
    """Make the next of place/1, place/2, ..."""
    with explained(place):
        place.mkdir(parents=True, exist_ok=True)
        number = max(
            (int(path.name) for path in place.iterdir() if path.name.isdecimal()), default=0
        )
        while True:
            number += 1
            with suppress(FileExistsError):  # another call's of this very moment
                (place / str(number)).mkdir(parents=True)
                return place / str(number)


def partial_path(path: Path) -> Path:
    """A new name beside `path` for what is unfinished or half removed;

    `find_leftovers` knows it.
    """
    return path.with_name(f"{PARTIAL}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8; bytes of file names that are not UTF-8 become
    escapes, which JSON reads back.
    """
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DamagedFileError: there is no such file, or it does not hold what `parse_json` reads.
    """
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DamagedFileError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # also text that is not UTF-8
        raise DamagedFileError(f"{path} cannot be read: {error}") from None


def parse_json(text: str) -> Any:
    """Read JSON, and raise nothing but ValueError whatever the text.

    Raises:
        ValueError: it is not JSON, has a number of thousands of digits, or is nested more than
            DEEPEST deep.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None

    # What is nested less deeply than `loads` allows could still break whoever prints or compares
    # it.
    level = [value]
    for _ in range(DEEPEST):
        groups = [
            item.values() if isinstance(item, dict) else item
            for item in level
            if isinstance(item, dict | list)
        ]
        level = [item for group in groups for item in group]
    if level:
        raise ValueError("it is nested too deeply")
    return value


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there; of a link only the link, never what it points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def find_leftovers(folder: Path, name: str) -> list[Path]:
    """Find what a killed process left under a `partial_path` in a folder; nothing where the folder
    is a link to elsewhere.

    Args:
        folder: need not exist.
        name: regular expression of the names that were to be written, so that nobody else's file is
            taken for a leftover.
    """
    ours = re.compile(rf"{re.escape(PARTIAL)}\d+-[0-9a-f]+-(?:{name})")
    return (
        []
        if folder.is_symlink()
        else [path for path in folder.glob(f"{PARTIAL}*") if ours.fullmatch(path.name)]
    )

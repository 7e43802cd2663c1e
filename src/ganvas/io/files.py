"""Write files such that they are either whole or not there at all."""

import hashlib
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

__all__ = [
    "PARTIAL",
    "DamagedFileError",
    "atomic_path",
    "explained",
    "find_leftovers",
    "hash_file",
    "own_folder",
    "parse_json",
    "partial_path",
    "read_json",
    "refuse_used",
    "remove",
    "sync",
    "write_json",
    "write_text",
]

PARTIAL = ".partial-"  # the name of every unfinished file or folder begins so
ELSEWHERE = "choose another place with --out"
MAX_DEPTH = 64  # of nested lists and objects in a JSON file; ours have a handful


class DamagedFileError(UserError):
    """A file has unexpected content; the message names it and the reason."""


@contextmanager
def explained(path: Path, elsewhere: str = ELSEWHERE) -> Iterator[None]:
    """Turn an operating system's error in writing `path` into one line for the user.

    Args:
        path: of the file or folder, named in the message.
        elsewhere: how the user chooses another place.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {path}: {reason}; free some space or {elsewhere}") from error


@contextmanager
def atomic_path(path: Path, durable: bool = True, elsewhere: str = ELSEWHERE) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename the file or folder written there.

    A folder that already exists at `path` stays: two processes built the same content, and
    somebody may read the first already.

    Args:
        path: where it should be.
        durable: whether to wait until it is on the disk; this is too slow for thousands of files
            that can be made again.
        elsewhere: as in `explained`.

    Raises:
        UserError: the disk is full, read-only, or the folder may not be written to.
    """
    partial = partial_path(path)  # beside it, so on one file system: a rename is atomic there
    with explained(path, elsewhere):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            if durable:
                # Bytes first, names later: else a power cut may leave the name of an empty file.
                for file in [partial, *partial.rglob("*")] if partial.is_dir() else [partial]:
                    sync(file)

            try:
                partial.replace(path)  # a folder that holds files is never replaced
            except OSError:
                if not (partial.is_dir() and path.is_dir()):
                    raise
                remove(partial)  # another process was first
            if durable:
                sync(path.parent)  # the name is an entry of the folder
        except BaseException:  # Ctrl-C too
            remove(partial)
            raise


@contextmanager
def own_folder(out: Path | None, place: Path) -> Iterator[Path]:
    """Yield the folder for the files of one call, which are never mixed with another call's.

    Args:
        out: the folder, which must be new or empty; None: place/1, place/2, ..., one above those
            that are there.
        place: where numbered folders are; one that stays empty is removed again.

    Raises:
        UserError: `out` holds something or is a file, or `place` may not be written to.
    """
    if out is not None:
        refuse_used(out)
        yield out
        return

    folder = _number_folder(place)
    try:
        yield folder
    finally:
        for empty in (folder, place):
            with suppress(OSError):  # not empty
                empty.rmdir()


def refuse_used(out: Path) -> None:
    """Refuse a folder for results that is neither new nor empty.

    Raises:
        UserError: it holds something, is a file, or cannot be read.
    """
    with explained(out):
        present = sorted(path.name for path in out.iterdir()) if out.exists() else []
    if present:
        raise UserError(
            f"--out {out} is not empty (it holds {present[0]}); "
            "choose a new folder, so that results do not mix"
        )


def _number_folder(place: Path) -> Path:
    """Create the next of the folders place/1, place/2, ..."""
    with explained(place):
        place.mkdir(parents=True, exist_ok=True)
        taken = [int(path.name) for path in place.iterdir() if path.name.isdecimal()]
        number = max(taken, default=0)
        while True:
            number += 1
            with suppress(FileExistsError):  # another call created it at the same moment
                # Parents: a call that just ended may have removed the empty `place`.
                (place / str(number)).mkdir(parents=True)
                return place / str(number)


def partial_path(path: Path) -> Path:
    """A new path beside `path` for an unfinished or half-removed file or folder.

    `find_leftovers` recognises it.
    """
    # Random digits: several threads of a process may write the same file.
    return path.with_name(f"{PARTIAL}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8.

    Bytes of file names that are not UTF-8 become escapes, which JSON reads back.
    """
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DamagedFileError: there is no such file, or `parse_json` cannot read it.
    """
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DamagedFileError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # also text that is not UTF-8
        raise DamagedFileError(f"{path} cannot be read: {error}") from None


def parse_json(text: str) -> Any:
    """Parse JSON from anywhere, raising nothing but ValueError.

    Raises:
        ValueError: it is not JSON, has a number of thousands of digits, or more than MAX_DEPTH
            nested levels.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None

    # Nesting that `loads` accepts could still break code that prints or compares the value.
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        level = below
    if level:
        raise ValueError("it is nested too deeply")
    return value


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)  # a folder cannot be opened for writing
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hash_file(path: Path, kind: str = "sha256") -> str:
    """The digest of a file, hexadecimal; `kind` is a name in `hashlib`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()  # in blocks: files may exceed the memory


def remove(path: Path) -> None:
    """Remove a file or folder if it is there; of a link only the link, never its target."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)  # often called while another error is raised
    else:
        path.unlink(missing_ok=True)


def find_leftovers(folder: Path, name: str) -> list[Path]:
    """Find what a killed process left under a `partial_path` in a folder.

    Args:
        folder: need not exist; nothing is found in a link to elsewhere.
        name: regular expression of the names that were to be written, so that no other file is
            taken for a leftover.
    """
    if folder.is_symlink():
        return []
    ours = re.compile(rf"{re.escape(PARTIAL)}\d+-[0-9a-f]+-(?:{name})")
    return [path for path in folder.glob(f"{PARTIAL}*") if ours.fullmatch(path.name)]

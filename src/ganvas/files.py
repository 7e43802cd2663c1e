"""Files that are either whole or not there at all."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganvas.errors import UserError

PARTIAL = ".partial-"  # every unfinished file or folder begins so


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's complaint about writing `path` into one line for the user."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"cannot write {path}: {reason}; free some space or choose another place with --out") from error


@contextmanager
def atomic_path(path: Path, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success what was written there (a file or a folder) is synced and renamed.

    A folder that already stands at `path` is not replaced: the one that was there first stays (two builders, same content).

    Args:
        path: where it should be.
        durable: whether to wait until the disk has it; not worth its time for thousands of files that can be made again.

    Raises:
        UserError: the disk is full, read-only, or the folder may not be written to.
    """
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
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


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8; bytes of file names that are not UTF-8 become escapes, which JSON reads back."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

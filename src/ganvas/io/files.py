"""Write files such that they are either whole or not there at all."""

import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from ganvas.errors import UserError

__all__ = [
    "ABANDONED",
    "PARTIAL",
    "WINDOWS",
    "atomic_path",
    "explained",
    "find_leftovers",
    "hash_file",
    "is_abandoned",
    "own_folder",
    "partial_path",
    "portable_name",
    "refuse_unwritable",
    "refuse_used",
    "remove",
    "remove_leftovers",
    "sync",
    "write_json",
    "write_text",
]

PARTIAL = ".partial-"  # the name of every unfinished file or folder begins so
# Seconds without a write after which an unfinished file of another machine counts as abandoned.
ABANDONED = 3600.0
ELSEWHERE = "choose another place with --out"
WINDOWS = os.name == "nt"
# Names that Windows takes for devices, whatever their ending, and what no name may hold there.
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])( *\..*)?", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


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
        # Not where thousands of files are written: each time the folder would be listed.
        if durable:
            remove_leftovers(path.parent, re.escape(path.name))
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
        UserError: it holds something, is a file, or cannot be read; or it cannot be created.
    """
    with explained(out):
        present = sorted(path.name for path in out.iterdir()) if out.exists() else []
    if present:
        raise UserError(
            f"--out {out} is not empty (it holds {present[0]}); "
            "choose a new folder, so that results do not mix"
        )
    _refuse_parents(out, "--out")


def refuse_unwritable(file: Path, flag: str) -> None:
    """Refuse a place for a file where there can be none, before the work whose result it gets.

    Args:
        file: that will be written, or replaced.
        flag: that named it, for messages.

    Raises:
        UserError: a folder has its name, what should be its folder is a file, or its folder may not
            be written to.
    """
    if file.is_dir():
        raise UserError(f"{flag} {file} is a folder, and a file is to be written; change the name")
    _refuse_parents(file, flag)


def _refuse_parents(path: Path, flag: str) -> None:
    """Refuse a place whose folder cannot be created, or not be written to.

    Raises:
        UserError: names the file or folder that is in the way.
    """
    # a folder that is not there yet is created in the nearest one that is
    folder = next(place for place in path.absolute().parents if os.path.lexists(place))
    if not folder.is_dir():
        raise UserError(f"{flag} {path}: {folder} is a file, not a folder; change the name")
    if not os.access(folder, os.W_OK):
        raise UserError(f"{flag} {path}: nothing may be written into {folder}; {ELSEWHERE}")


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
    # Random digits: several threads of a process may write the same file. The machine's come
    # first, since the number of a process means nothing elsewhere.
    return path.with_name(f"{PARTIAL}{os.getpid()}-{_mark()}{secrets.token_hex(4)}-{path.name}")


def portable_name(name: str) -> str:
    """A name that a file or folder may have on Windows, too: without a drive, no device."""
    name = FORBIDDEN.sub("-", name).rstrip(". ") or "-"
    return f"_{name}" if DEVICES.fullmatch(name) else name


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8.

    Bytes of file names that are not UTF-8 become escapes, which JSON reads back.
    """
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    # Windows neither opens folders nor flushes what is not open for writing; elsewhere a folder
    # cannot be opened for writing.
    if WINDOWS and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
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


@cache
def _mark() -> str:
    """Hexadecimal digits for this machine since its start, or for this container on it."""
    # Two containers number their processes independently, and may share a folder.
    parts = [platform.node()]
    for place in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with suppress(OSError):
            link = Path(place)
            parts.append(str(link.readlink()) if link.is_symlink() else link.read_text())
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:8]


def find_leftovers(folder: Path, name: str) -> list[Path]:
    """Find what a killed process left under a `partial_path` in a folder.

    Whether a living one still writes to it is not asked: see `remove_leftovers`.

    Args:
        folder: need not exist; nothing is found in a link to elsewhere.
        name: regular expression of the names that were to be written, so that no other file is
            taken for a leftover.
    """
    if folder.is_symlink():
        return []
    ours = re.compile(rf"{re.escape(PARTIAL)}\d+-[0-9a-f]+-(?:{name})", re.DOTALL)
    return [path for path in folder.glob(f"{PARTIAL}*") if ours.fullmatch(path.name)]


def remove_leftovers(folder: Path, name: str) -> None:
    """Remove what killed processes left in a folder; nothing that a living one may still write to.

    Args:
        folder: as in `find_leftovers`.
        name: as in `find_leftovers`.
    """
    for leftover in find_leftovers(folder, name):
        if is_abandoned(leftover):
            with suppress(OSError):  # another process was first
                remove(leftover)


def is_abandoned(partial: Path) -> bool:
    """Whether nobody writes to a `partial_path` any more.

    Of this machine's processes it is known which ones live. Of others the time of the last write
    counts: it must be ABANDONED seconds ago.
    """
    found = re.match(rf"{re.escape(PARTIAL)}(\d+)-([0-9a-f]+)-", partial.name)
    # On Windows, asking whether a process lives would end it.
    if found and os.name == "posix" and found[2][:-8] == _mark():
        try:
            os.kill(int(found[1]), 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:  # it lives, and belongs to somebody else
            return False
        return False

    with suppress(OSError):  # its process is done just now
        # A process at work writes to the files; the folder's own time does not change then.
        files = [partial, *partial.rglob("*")] if partial.is_dir() else [partial]
        return time.time() - max(file.stat().st_mtime for file in files) > ABANDONED
    return False

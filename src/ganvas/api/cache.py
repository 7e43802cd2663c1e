"""`ganvas.cache`: what is kept between runs, and how to empty it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from ganvas.errors import UserError, nearest
from ganvas.io.cache import NAME, OTHER_CACHE, cache_folder
from ganvas.io.console import PlainConsole, count_noun, print_json, print_text
from ganvas.io.files import PARTIAL, is_abandoned, partial_path, remove
from ganvas.io.open_files import find_open_files
from ganvas.io.reading import DamagedFileError, read_json

__all__ = ["KINDS", "CacheEntry", "cache", "describe_size", "print_cache"]

HASHED = f"({re.escape(PARTIAL)}.*-)?{NAME}"
OWNER = r"[\w.-]+"
# What is kept, by folder: the names of our entries there, and what they are. Everything else that
# lies in the cache is somebody else's.
KINDS: Mapping[str, tuple[str, str]] = {
    "packed": (HASHED, "images of data sets, decoded once"),
    "shards": (HASHED, "downloaded tars of data sets"),
    "shard-indexes": (HASHED, "what tars without an index hold"),
    "sizes": (HASHED, "the size at which two domains are trained on"),
    "contact-sheets": (HASHED, "contact sheets of data sets"),
    "references": (HASHED, "features of real images, for evaluations"),
    "classifiers": (HASHED, "small classifiers, for evaluations"),
    "weights": (r".*pt_inception-[\w-]+\.pth", "downloaded weights of networks"),
    "runtimes": (r"onnxruntime-web-[\d.]+", "what exported pages run with"),
    "hub/models": (OWNER, "runs of the Hub, by owner"),
    "hub/datasets": (OWNER, "data sets of the Hub, by owner"),
    "mnist": (r".*-ubyte(\.gz)?", "MNIST, downloaded"),
    "fashion-mnist": (r".*-ubyte(\.gz)?", "Fashion-MNIST, downloaded"),
    "cifar10": (r".*cifar-10-binary\.tar\.gz", "CIFAR-10, downloaded"),
}


@dataclass(frozen=True)
class CacheEntry:
    """A file or folder in the cache.

    Attributes:
        kind: what it is, a key of KINDS.
        name: what it belongs to, where that is known; else the first digits of its hash.
        path: where it is.
        bytes: that it takes.
        used: when it was last used.
        in_use: whether a process uses it at this moment, as far as the system tells.
        removed: whether it was removed just now.
    """

    kind: str
    name: str
    path: Path
    bytes: int
    used: datetime
    in_use: bool = False
    removed: bool = False


def cache(*kinds: str, empty: bool = False) -> list[CacheEntry]:
    """List what is kept between runs, or remove it; all of it is made or downloaded again.

    Args:
        kinds: which: "packed", "shards", "shard-indexes", "sizes", "contact-sheets", "references",
            "classifiers", "weights", "runtimes", "hub/models", "hub/datasets", "mnist",
            "fashion-mnist" or "cifar10"; none: all.
        empty: whether to remove what is not in use. Files that Ganvas did not write stay.

    Returns:
        the entries, the largest first; those that were removed are marked.

    Raises:
        UserError: there is no such kind, or the cache cannot be read.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise UserError(f"the cache has no kind {kind!r}; {nearest(kind, KINDS)}")
    try:
        found = list(_find_entries(kinds or tuple(KINDS)))
    except OSError as error:
        raise UserError(
            f"the cache {cache_folder()} cannot be read: {error.strerror or error}; allow it or"
            f" {OTHER_CACHE}"
        ) from error
    if empty:
        found = [entry if entry.in_use else _remove(entry) for entry in found]
    return sorted(found, key=lambda entry: -entry.bytes)


def _find_entries(kinds: tuple[str, ...]) -> Iterator[CacheEntry]:
    """The entries of some kinds."""
    folder = cache_folder()
    opened = find_open_files(folder)
    used = {place for path in opened for place in (path, *path.parents)}

    for kind in kinds:
        place = folder / kind
        if not place.is_dir() or place.is_symlink():
            continue
        for path in place.iterdir():
            if re.fullmatch(KINDS[kind][0], path.name) and not path.is_symlink():
                with suppress(FileNotFoundError):  # another process removed it
                    yield _describe(kind, path, path.resolve() in used)


def _describe(kind: str, path: Path, is_open: bool) -> CacheEntry:
    """One entry; what a living process is still writing counts as in use."""
    files = [path]
    if path.is_dir():
        files += [file for file in path.rglob("*") if not file.is_symlink()]
    states = [file.stat() for file in files]
    # When a file was read many systems note only now and then; `load_or_make` sets the other time.
    used = max(state.st_mtime for state in states)
    if not path.is_dir():
        used = max(used, states[0].st_atime)
    is_partial = path.name.startswith(PARTIAL)
    return CacheEntry(
        kind=kind,
        name="unfinished" if is_partial else _name(kind, path),
        path=path,
        bytes=sum(state.st_size for file, state in zip(files, states) if file.is_file()),
        used=datetime.fromtimestamp(used),
        in_use=is_open or (is_partial and not is_abandoned(path)),
    )


def _name(kind: str, path: Path) -> str:
    """What an entry belongs to."""
    if kind == "packed":
        with suppress(DamagedFileError, LookupError, TypeError):
            return str(read_json(path / "about.json")["report"]["spec"])
    return path.name[:8] if re.fullmatch(NAME, path.name) else path.name


def _remove(entry: CacheEntry) -> CacheEntry:
    """Remove an entry; it stays where the system does not allow it, as Windows for open files."""
    partial = partial_path(entry.path)
    try:
        # Renamed first, so that no process ever finds half of it.
        entry.path.replace(partial)
    except FileNotFoundError:  # another process was first
        return replace(entry, removed=True)
    except OSError:
        return replace(entry, in_use=True)
    remove(partial)
    return replace(entry, removed=True)


def print_cache(kinds: tuple[str, ...], empty: bool, as_json: bool) -> None:
    """Print what the cache holds, or what was removed from it.

    Raises:
        UserError: as `cache`.
    """
    entries = cache(*kinds, empty=empty)
    if as_json:
        print_json([_to_json(entry) for entry in entries])
        return
    if entries:
        _print_table(entries)

    total = f"{count_noun(len(entries), 'entry', 'entries')}, {describe_size(entries)}"
    print_text(f"{cache_folder()}: {total}")
    if empty:
        gone = [entry for entry in entries if entry.removed]
        count = count_noun(len(gone), "entry", "entries")
        print_text(
            f"removed {count}, {describe_size(gone)}; in use and kept: {len(entries) - len(gone):,}"
        )
    elif entries:
        print_text("To remove all that is not in use: ganvas cache --empty; of one kind:")
        print_text(f"  ganvas cache {entries[0].kind} --empty", wrap=False)


def _print_table(entries: list[CacheEntry]) -> None:
    console = PlainConsole()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "size", "last used", ""):
        table.add_column(
            console.localise(heading), justify="right" if heading == "size" else "left"
        )
    for entry in entries:
        state = "removed" if entry.removed else "in use" if entry.in_use else ""
        used = f"{entry.used:%Y-%m-%d %H:%M}"
        table.add_row(entry.kind, entry.name, describe_size([entry]), used, console.localise(state))
    console.print(table)


def _to_json(entry: CacheEntry) -> dict[str, Any]:
    """An entry for programs."""
    return asdict(entry) | {"path": str(entry.path), "used": entry.used.isoformat()}


def describe_size(entries: list[CacheEntry]) -> str:
    """The bytes of entries in words: "3.1 MiB"."""
    size = float(sum(entry.bytes for entry in entries))
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} bytes" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"

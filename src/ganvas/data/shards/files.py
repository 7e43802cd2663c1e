"""Where the tars of a sharded set are: in a folder, or behind an address, from which they come into
a cache of bounded size.
"""

import hashlib
import os
import re
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Protocol

from ganvas.data.shards.index import INDEX, Shard
from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.download import Published, UnreachableError, download, read_url
from ganvas.io.files import PARTIAL, atomic_path

LIMIT = "GANVAS_SHARD_CACHE"  # the environment variable
USUAL_LIMIT = "32G"  # bytes that fetched shards may take
# seconds without a write after which an unfinished download belongs to a process that died
ABANDONED = 3600.0
MOST_FILES = 10**6  # that a pattern may name
# which files this process fetches; two threads may want one
FETCHING: dict[Path, threading.Lock] = {}
HASH = "[0-9a-f]{32}"  # of an address: the folder of its shards in the cache
TRIES = 3  # since another process may remove a shard between two looks at it


class ShardPlace(NamedTuple):
    """What is named behind "shards:".

    Attributes:
        base: a folder, or the address of one with a slash at its end.
        files: names of tars in it; None: those that its index names.
        remote: whether it is an address.
    """

    base: str
    files: tuple[str, ...] | None
    remote: bool


def parse_shards(spec: str) -> ShardPlace:
    """What "shards:PLACE" names: a folder, an index, or a pattern of tars, on the disk or behind an
    address.

    Raises:
        UserError: there is no such folder, or the pattern cannot be read.
    """
    text = spec.partition(":")[2]
    remote = re.match(r"https?://", text) is not None
    cut = max(text.rfind("/"), text.rfind(os.sep)) + 1
    base, file = text[:cut] or ".", text[cut:]
    if (
        not (file == INDEX or file.endswith(".tar") or "{" in file)
        or Path(text).expanduser().is_dir()
    ):
        base, file = text, ""
    names = () if file in ("", INDEX) else expand(file)
    if file not in ("", INDEX) and not (names and all(name.endswith(".tar") for name in names)):
        raise UserError(
            f"{spec}: {file!r} is no pattern of tars; write e.g. faces-{{000000..000041}}.tar or {{faces,birds}}.tar"
        )
    if not remote and (not base or not Path(base).expanduser().is_dir()):
        raise UserError(
            f"{spec}: there is no folder {base!r}; write shards:FOLDER, shards:https://HOST/FOLDER/, "
            "or shards:FOLDER/faces-{000000..000041}.tar, where all tars lie in one folder"
        )
    return ShardPlace(
        base.rstrip("/") + "/" if remote else str(Path(base).expanduser()), names or None, remote
    )


def expand(pattern: str) -> tuple[str, ...]:
    """The names that a pattern stands for: "a-{08..10}.tar" for a-08.tar, a-09.tar and a-10.tar,
    "{a,b}.tar" for both.

    Empty where a brace is not closed, or holds neither a range nor a list, or where they were more
    than MOST_FILES.
    """
    found = re.fullmatch(r"([^{}]*)\{([^{}]*)\}(.*)", pattern)
    if found is None:
        return () if "{" in pattern or "}" in pattern else (pattern,)
    parts, ends = alternatives(found[2]), expand(found[3])
    if len(parts) * len(ends) > MOST_FILES:
        return ()
    return tuple(found[1] + part + end for part in parts for end in ends)


def alternatives(inside: str) -> list[str]:
    """What the inside of a brace stands for; numbers are as wide as they are written, if one begins
    with 0.
    """
    span = re.fullmatch(r"(\d+)\.\.(\d+)", inside)
    if span is None:
        return inside.split(",") if "," in inside else []
    low, high = (int(end) for end in span.groups())
    width = max(map(len, span.groups())) if any(end.startswith("0") for end in span.groups()) else 0
    return (
        [f"{number:0{width}}" for number in range(low, high + 1)] if high - low < MOST_FILES else []
    )


class ShardFiles(Protocol):
    """The files of a sharded set."""

    def open(self, shard: Shard) -> BufferedReader:
        """A shard, checked against its digest, at its beginning.

        Raises:
            UserError: it is missing or damaged, or cannot be fetched.
        """
        ...


class LocalShards:
    """Tars in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def check(self, shards: Sequence[Shard]) -> None:
        """Look for missing and cut files before anything begins.

        Raises:
            UserError: names the first.
        """
        for shard in shards:
            path = self.folder / shard.file
            if not path.is_file():
                raise UserError(
                    f"{path} is missing, and {INDEX} names it; bring it back, or name those there are by a pattern"
                )
            size = path.stat().st_size
            if size != shard.bytes:
                raise UserError(
                    f"{path} is damaged: it has {size:,} bytes and {INDEX} tells of {shard.bytes:,}; copy it again"
                )

    def open(self, shard: Shard) -> BufferedReader:
        """As `ShardFiles.open`."""
        path = self.folder / shard.file
        try:
            file = path.open("rb")
        except OSError as error:
            raise UserError(
                f"{path} cannot be read: {error.strerror}; bring it back, and the same command goes on"
            ) from error
        if digest_of(file) != shard.sha256:
            file.close()
            raise UserError(
                f"{path} is damaged: its digest is not the one in {INDEX}; copy it again, or make the shards again"
            )
        return file


class RemoteShards:
    """Tars behind an address, fetched into the cache when they are needed.

    All fetched shards together take at most as many bytes as `cache_limit` tells: whichever was not
    used for the longest time goes first. While several processes or threads fetch at once they may
    take as many shards more; one that is just needed is fetched even if it alone is larger.
    """

    def __init__(self, base: str):
        self.base = base
        self.folder = cache_folder() / "shards" / hashlib.sha256(base.encode()).hexdigest()[:32]

    def index(self) -> tuple[bytes, str]:
        """The index, and a note if it is the one of the last time since the server cannot be
        reached now.

        Raises:
            UserError: there is none, or the server cannot be reached.
        """
        kept, url = self.folder / INDEX, self.base + INDEX
        try:
            content = read_url(url)
        except UnreachableError as error:
            if not kept.is_file():
                raise UserError(
                    f"{error}; its shards can only be read while the network is there"
                ) from error
            return kept.read_bytes(), f"{error}; its index is the one of the last time"
        if content is None:
            raise UserError(
                f"{url}: there is no index of the shards; make one where they are as files, with ganvas pack DATA --shards, "
                "and lay it beside them"
            )
        with atomic_path(kept, durable=False) as partial:
            partial.write_bytes(content)
        return content, ""

    def open(self, shard: Shard) -> BufferedReader:
        """As `ShardFiles.open`; from the cache if it is there."""
        path = self.folder / shard.file
        for _ in range(TRIES):
            with FETCHING.setdefault(path, threading.Lock()):
                fresh = not path.is_file()
                if fresh:
                    make_room(shard.bytes)
                    download(self.published(shard), self.folder)
            try:
                file = path.open("rb")
            except FileNotFoundError:  # another process needed the room
                continue
            if fresh:
                make_room(0, path)  # for what others fetched in the meantime
            if digest_of(file) == shard.sha256:
                with suppress(OSError):
                    os.utime(path)  # used now
                return file
            file.close()
            path.unlink(missing_ok=True)
        raise UserError(
            f"{path} vanishes as soon as it is there; give the cache more room with {LIMIT}, e.g. {LIMIT}=100G"
        )

    def published(self, shard: Shard) -> Published:
        """The shard as something to be fetched."""
        where = f"fetch all tars and {INDEX} yourself and use shards:FOLDER"
        return Published(
            f"the shard {shard.file}", (self.base,), {shard.file: f"sha256:{shard.sha256}"}, where
        )


def digest_of(file: BufferedReader) -> str:
    """The SHA-256 of an open file, which is at its beginning before and after."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def cache_limit() -> int:
    """Bytes that fetched shards may take: GANVAS_SHARD_CACHE, e.g. 500M or 100G, else USUAL_LIMIT.

    Raises:
        UserError: the variable holds something else.
    """
    text = os.environ.get(LIMIT) or USUAL_LIMIT
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise UserError(f"{LIMIT}={text!r} is no size; write e.g. 500M, 20G or 1T")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))


def make_room(needed: int, kept: Path | None = None) -> None:
    """Remove fetched shards but for `kept`, the longest unused ones first, until `needed` bytes
    more are within the limit.
    """
    found = []
    for path in (cache_folder() / "shards").glob("*/*.tar"):  # unfinished downloads too
        if path.parent.is_symlink() or not re.fullmatch(HASH, path.parent.name):
            continue  # somebody else's
        with suppress(FileNotFoundError):  # removed by another process
            state = path.stat()
            found.append((state.st_mtime, state.st_size, path))
    room = cache_limit() - needed - sum(size for _, size, _ in found)
    for used, size, path in sorted(found):
        if room >= 0:
            return
        if path == kept or (path.name.startswith(PARTIAL) and time.time() - used < ABANDONED):
            continue
        with suppress(OSError):  # some systems keep a file that is open
            path.unlink(missing_ok=True)
            room += size

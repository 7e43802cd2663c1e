"""Download shards from an address into a disk cache of bounded size."""

import os
import re
import threading
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from ganvas.data.shards.files import hash_content
from ganvas.data.shards.index import INDEX, Shard
from ganvas.errors import UserError
from ganvas.io.cache import cache_entry, cache_folder
from ganvas.io.download import Published, UnreachableError, download, read_url
from ganvas.io.files import PARTIAL, atomic_path, is_abandoned
from ganvas.io.numbers import read_size
from ganvas.io.reading import read_bytes

__all__ = ["RemoteShards", "evict_shards"]

LIMIT = "GANVAS_SHARD_CACHE"  # the environment variable
DEFAULT_LIMIT = "32G"  # bytes that downloaded shards may take
HASH = "[0-9a-f]{32}"  # of an address; the folder of its shards in the cache is named so
USUAL = 2**30  # bytes of a shard that nobody is surprised by; `ganvas pack` writes smaller ones
# Another process may evict a shard just after its download. Once it is open it can still be read.
ATTEMPTS = 3
# One lock for each file that this process downloads: two threads may want the same one.
DOWNLOADS: dict[Path, threading.Lock] = {}


class RemoteShards:
    """Tars behind an address, downloaded into the cache when they are needed.

    All downloaded shards together take at most `_cache_limit` bytes; the least recently used ones
    are removed first. While processes download they may exceed it by one shard each, until the
    first of them is done. A shard that is needed is downloaded even if it alone exceeds the limit,
    if it has at most USUAL bytes.

    Args:
        base: address of the folder, with a slash at its end.
    """

    def __init__(self, base: str):
        self.base = base
        self.folder = cache_entry("shards", base)

    def index(self) -> tuple[bytes, str]:
        """Fetch the index. If the server cannot be reached, read the last copy.

        Returns:
            the index, and a note that says if it is the last copy, else "".

        Raises:
            UserError: there is no index, or the server cannot be reached and there is no copy.
        """
        copy, url = self.folder / INDEX, self.base + INDEX
        try:
            content = read_url(url)
        except UnreachableError as error:
            if not copy.is_file():
                raise UserError(
                    f"{error}; its shards can only be read with a network connection"
                ) from error
            return read_bytes(copy), f"{error}; using the last copy of its index"

        if content is None:
            raise UserError(
                f"{url}: there is no index of the shards; write one where the images are files, "
                "with ganvas pack DATA --shards, and put it beside the tars"
            )
        with atomic_path(copy, durable=False) as partial:
            partial.write_bytes(content)
        return content, ""

    def open(self, shard: Shard) -> BufferedReader:
        """Open a shard from the cache, downloaded if necessary; see `ShardFiles.open`."""
        path = self.folder / shard.file
        for _ in range(ATTEMPTS):
            with DOWNLOADS.setdefault(path, threading.Lock()):
                if not path.is_file():
                    self.check_room(shard)
                    download(self.published(shard), self.folder)
            file = _open_whole(path, shard.sha256)
            if file is not None:
                # Only now: what an index says of a shard's size must not cost other sets theirs.
                evict_shards(keep=path)
                return file
        raise UserError(
            f"{path} was removed right after its download: the cache is too small; "
            f"make it larger, e.g. {LIMIT}=100G"
        )

    def check_room(self, shard: Shard) -> None:
        """Refuse a shard that is far too large for the cache; an index may say anything.

        Raises:
            UserError: says how large the cache must be.
        """
        limit = max(_cache_limit(), USUAL)
        if shard.bytes > limit:
            raise UserError(
                f"{self.base}{INDEX} says that {shard.file} has {shard.bytes / 2**30:,.1f} GiB, "
                f"and all downloaded shards may take {limit / 2**30:,.1f} GiB; if that is right, "
                f"allow more with {LIMIT}, e.g. {LIMIT}=200G"
            )

    def published(self, shard: Shard) -> Published:
        """Describe the shard as a file to download."""
        return Published(
            name=f"the shard {shard.file}",
            mirrors=(self.base,),
            files={shard.file: f"sha256:{shard.sha256}"},
            elsewhere=f"download all tars and {INDEX} yourself and use shards:FOLDER",
            sizes={shard.file: shard.bytes},
            patient=True,  # the index came from there
        )


def _open_whole(path: Path, sha256: str) -> BufferedReader | None:
    """Open a cached file and mark it as used now.

    A file with another digest is removed, so that it is downloaded again.

    Returns:
        the file at its beginning; None if it is missing or was damaged.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None

    if hash_content(file) == sha256:
        with suppress(OSError):  # another process has just evicted it
            os.utime(path)  # for `evict_shards`: many disks do not note when a file was read
        return file
    file.close()
    path.unlink(missing_ok=True)
    return None


def _cache_limit() -> int:
    """Bytes that downloaded shards may take: GANVAS_SHARD_CACHE, else DEFAULT_LIMIT.

    Raises:
        UserError: the variable is not a size.
    """
    return read_size(LIMIT, DEFAULT_LIMIT)


def evict_shards(keep: Path) -> None:
    """Remove downloaded shards, the least recently used first, until the rest is within the limit.

    Args:
        keep: a shard that stays.
    """
    found = []
    for path in (cache_folder() / "shards").glob("*/*"):  # also unfinished downloads
        ours = re.fullmatch(HASH, path.parent.name) and not path.parent.is_symlink()
        if not ours or path.name == INDEX or path.is_symlink():
            continue
        with suppress(FileNotFoundError):  # another process removed it
            state = path.stat()
            found.append((state.st_mtime, state.st_size, path))

    excess = sum(size for _, size, _ in found) - _cache_limit()
    for _, size, path in sorted(found):
        if excess <= 0:
            return
        if path == keep or (path.name.startswith(PARTIAL) and not is_abandoned(path)):
            continue
        with suppress(OSError):  # some systems refuse to remove a file that is open
            path.unlink(missing_ok=True)
            excess -= size

"""Find the tars of a sharded set: in a folder, or behind an address."""

import hashlib
import os
import re
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Protocol

from ganvas.data.shards.index import INDEX, Shard
from ganvas.errors import UserError
from ganvas.io.reading import expand_home

__all__ = [
    "LocalShards",
    "ShardFiles",
    "ShardPlace",
    "expand_pattern",
    "hash_content",
    "parse_shards",
]

MAX_FILES = 10**6  # files that one pattern may stand for


class ShardPlace(NamedTuple):
    """The place that is named after "shards:".

    Attributes:
        base: a folder, or the address of one with a slash at its end.
        files: names of tars in it; None: those that its index lists.
        remote: whether it is an address.
    """

    base: str
    files: tuple[str, ...] | None
    remote: bool


def parse_shards(spec: str) -> ShardPlace:
    """Parse "shards:PLACE": a folder, an index, or a pattern of tars, on the disk or at an address.

    Raises:
        UserError: there is no such folder, or the pattern cannot be read.
    """
    text = spec.partition(":")[2]
    remote = re.match(r"https?://", text) is not None

    # The last part is a file or a pattern; without one, all of it names the folder.
    cut = max(text.rfind("/"), text.rfind(os.sep)) + 1
    base, file = text[:cut] or ".", text[cut:]
    names_files = file == INDEX or file.endswith(".tar") or "{" in file
    # Of an existing folder the whole text is the name, even if it ends in .tar or has a brace.
    if not names_files or expand_home(text).is_dir():
        base, file = text, ""

    names: tuple[str, ...] = ()
    if file not in ("", INDEX):
        names = expand_pattern(file)
        if not names or not all(name.endswith(".tar") for name in names):
            raise UserError(
                f"{spec}: {file!r} is not a pattern of tars; "
                "write e.g. faces-{000000..000041}.tar or {faces,birds}.tar"
            )

    if remote:
        # One slash, however many were given: the cache finds its folder by this text.
        return ShardPlace(base.rstrip("/") + "/", names or None, remote=True)
    if not base or not expand_home(base).is_dir():
        raise UserError(
            f"{spec}: there is no folder {base!r}; write shards:FOLDER, "
            "shards:https://HOST/FOLDER/, or shards:FOLDER/faces-{000000..000041}.tar, "
            "with all tars in one folder"
        )
    return ShardPlace(str(expand_home(base)), names or None, remote=False)


def expand_pattern(pattern: str) -> tuple[str, ...]:
    """List the names that a pattern stands for, as a shell expands braces.

    "a-{08..10}.tar" stands for a-08.tar, a-09.tar and a-10.tar; "{a,b}.tar" for a.tar and b.tar.
    The list is empty where a brace is not closed, where it holds neither a range nor a list, and
    where there would be more than MAX_FILES names.
    """
    found = re.fullmatch(r"([^{}]*)\{([^{}]*)\}(.*)", pattern)
    if found is None:
        return () if "{" in pattern or "}" in pattern else (pattern,)

    before, inside, after = found.groups()
    parts, ends = _expand_brace(inside), expand_pattern(after)
    if len(parts) * len(ends) > MAX_FILES:  # before the names are made: they may fill the memory
        return ()
    return tuple(before + part + end for part in parts for end in ends)


def _expand_brace(inside: str) -> list[str]:
    """List what the inside of a brace stands for: "08..10" or "a,b".

    Numbers get the width of the wider end if one of the ends begins with 0.
    """
    span = re.fullmatch(r"(\d+)\.\.(\d+)", inside)
    if span is None:
        return inside.split(",") if "," in inside else []

    low, high = int(span[1]), int(span[2])
    if high - low >= MAX_FILES:  # 0..999999999999 is a short pattern
        return []
    padded = span[1].startswith("0") or span[2].startswith("0")
    width = max(len(span[1]), len(span[2])) if padded else 0
    return [f"{number:0{width}}" for number in range(low, high + 1)]


class ShardFiles(Protocol):
    """The files of a sharded set."""

    def open(self, shard: Shard) -> BufferedReader:
        """Open a shard at its beginning, after a check of its SHA-256.

        Raises:
            UserError: it is missing or damaged, or cannot be downloaded.
        """
        ...


class LocalShards:
    """Tars in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def check(self, shards: Sequence[Shard]) -> None:
        """Refuse missing and truncated files before training begins.

        Raises:
            UserError: names the first.
        """
        for shard in shards:
            path = self.folder / shard.file
            if not path.is_file():
                raise UserError(
                    f"{path} is missing, and {INDEX} lists it; "
                    "restore it, or name the tars that are there by a pattern"
                )
            # The size alone: hashing would read the whole set, so `open` does it, shard by shard.
            size = path.stat().st_size
            if size != shard.bytes:
                raise UserError(
                    f"{path} is damaged: it has {size:,} bytes and {INDEX} lists "
                    f"{shard.bytes:,}; copy it again"
                )

    def open(self, shard: Shard) -> BufferedReader:
        """Open a shard; see `ShardFiles.open`."""
        path = self.folder / shard.file
        try:
            file = path.open("rb")
        except OSError as error:
            raise UserError(
                f"{path} cannot be read: {error.strerror}; "
                "restore it, and the same command resumes the run"
            ) from error

        # The open file is hashed, so no other can take its place before it is read.
        if hash_content(file) != shard.sha256:
            file.close()
            raise UserError(
                f"{path} is damaged: its digest is not the one in {INDEX}; "
                "copy it again, or write the shards again"
            )
        return file


def hash_content(file: BufferedReader) -> str:
    """SHA-256 of an open file, which stands at its beginning before and after."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest

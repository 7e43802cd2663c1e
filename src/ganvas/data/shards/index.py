"""Describe the tars of a sharded set: the file `index.json` beside them."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from ganvas.data.fates import ImageTraits
from ganvas.data.report import Skipped
from ganvas.errors import UserError
from ganvas.io.reading import parse_json

__all__ = ["INDEX", "Index", "Shard", "hash_index", "make_index", "read_index"]

INDEX = "index.json"
FORMAT = "ganvas-shards"
MOST_PICTURES = 10**7  # in a tar: each takes some bytes of memory
MOST_BYTES = 2**40  # of a tar
MOST_PIXELS = 2**20  # of a side of a picture


def _read_numbers(text: str) -> np.ndarray:
    """Numbers with blanks between them, int64 (n,).

    Raises:
        ValueError: they are none, or not below MOST_PICTURES.
    """
    words = text.split()
    if any(len(word) > 9 or not word.isdecimal() for word in words):
        raise ValueError("numbers of classes and kinds are written with digits alone")
    return np.array(words, np.int64)


class Shard(BaseModel):
    """One tar.

    Attributes:
        file: its name, in the folder of the index.
        count: usable pictures in it.
        bytes: its size.
        sha256: digest of its content.
        labels: class numbers of the pictures in their order, separated by blanks; "" without
            classes.
        kinds: the kinds of pictures in it.
        which: for each picture the place of its kind in `kinds`, separated by blanks; "" where all
            are of one kind.
        left_out: pictures in it that cannot be used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # An index may come from a stranger, so a name must not lead out of the folder, and the cache
    # must recognise it.
    file: Annotated[str, Field(pattern=r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]*\.tar$", max_length=200)]
    count: Annotated[int, Field(ge=1, le=MOST_PICTURES)]
    bytes: Annotated[int, Field(ge=1, le=MOST_BYTES)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    labels: str = ""
    kinds: Annotated[tuple[ImageTraits, ...], Field(min_length=1)]
    which: str = ""
    left_out: tuple[Skipped, ...] = ()

    @model_validator(mode="after")
    def check_lengths(self) -> Self:
        """Refuse classes and kinds that do not fit `count` pictures."""
        if not all(1 <= side <= MOST_PIXELS for kind in self.kinds for side in kind[:2]):
            raise ValueError(f"{self.file} has images of impossible sizes")
        # The lengths first: an empty array has no minimum.
        fits = len(self.kind) == self.count and self.kind.min() >= 0
        if not fits or self.kind.max() >= len(self.kinds):
            raise ValueError(f"which of {self.file} does not fit {self.count} images")
        if self.label is not None and (len(self.label) != self.count or self.label.min() < 0):
            raise ValueError(f"labels of {self.file} do not fit {self.count} images")
        return self

    @cached_property
    def label(self) -> np.ndarray | None:
        """The class number of each picture, int64 (count,); None without classes."""
        return _read_numbers(self.labels) if self.labels else None

    @cached_property
    def kind(self) -> np.ndarray:
        """The place of each picture's kind in `kinds`, int32 (count,)."""
        if not self.which:
            return np.zeros(self.count, np.int32)  # half of int64: kept for each picture of a set
        return _read_numbers(self.which).astype(np.int32)

    def kinds_of(self, places: np.ndarray) -> Counter[ImageTraits]:
        """Count pictures by kind.

        Args:
            places: of the pictures' kinds in `kinds`, int (n,).
        """
        counts = np.bincount(places, minlength=len(self.kinds)).tolist()
        return Counter({kind: count for kind, count in zip(self.kinds, counts) if count})


class Index(BaseModel):
    """All tars of a set.

    Attributes:
        pictures: in all of them.
        size: side of the pictures in pixels; None if they differ or are not square.
        channels: 1 if all are grey, else 3.
        classes: names by number; empty without classes.
        fingerprint: see `fingerprint`.
        steps: what was done to the pictures before they were packed, one sentence each.
        notes: remarks for people.
        shards: the tars.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["ganvas-shards"] = FORMAT
    version: Literal[1] = 1
    pictures: PositiveInt
    size: Annotated[int, Field(ge=1, le=MOST_PIXELS)] | None
    channels: Literal[1, 3]
    classes: tuple[str, ...]
    fingerprint: str
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shards: Annotated[tuple[Shard, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        """Refuse an index whose parts contradict each other."""
        if self.pictures != sum(shard.count for shard in self.shards):
            raise ValueError(f"{self.pictures} images are not the sum of its shards")

        # An epoch would show its pictures twice.
        if len({shard.file for shard in self.shards}) < len(self.shards):
            raise ValueError("a shard is listed twice")

        for shard in self.shards:
            if (shard.label is not None) != bool(self.classes):
                raise ValueError(f"{shard.file}: classes and labels belong together")
            if shard.label is not None and shard.label.max() >= len(self.classes):
                raise ValueError(
                    f"{shard.file} has a class beyond the {len(self.classes)} that have names"
                )

        if self.fingerprint != hash_index(self.shards, self.classes):
            raise ValueError("its fingerprint is not that of its shards")
        return self


def hash_index(shards: Sequence[Shard], classes: Sequence[str]) -> str:
    """Hexadecimal digest of the data: of the tars' digests in order and the class names."""
    # The tars' digests stand for their content, so no tar is read.
    content = json.dumps([[shard.sha256 for shard in shards], list(classes)])
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def make_index(
    shards: Sequence[Shard],
    classes: Sequence[str],
    steps: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Index:
    """Make the index of these tars."""
    kinds = {kind for shard in shards for kind in shard.kinds}
    # A single number means that all are squares of one size.
    sides = {side for kind in kinds for side in (kind.width, kind.height)}
    return Index(
        pictures=sum(shard.count for shard in shards),
        size=sides.pop() if len(sides) == 1 else None,
        channels=1 if all(kind.grey for kind in kinds) else 3,
        classes=tuple(classes),
        fingerprint=hash_index(shards, classes),
        steps=tuple(steps),
        notes=tuple(notes),
        shards=tuple(shards),
    )


def read_index(content: bytes, where: str) -> Index:
    """Read and check an index.

    Args:
        content: of the file.
        where: path or address of the file, in messages.

    Raises:
        UserError: it is damaged, or of another format.
    """
    try:
        values = parse_json(content.decode())  # what is not UTF-8 is a ValueError too
    except ValueError as error:
        raise UserError(
            f"{where} is damaged: {error}; "
            "download it again, or write the shards again with ganvas pack"
        ) from None

    # Before the fields: those of another version would be reported as damage.
    if not isinstance(values, dict) or (values.get("format"), values.get("version")) != (FORMAT, 1):
        raise UserError(
            f"{where} is not an index of shards by ganvas pack, version 1; "
            "write the shards with ganvas pack, or, if the tars are files, remove it to scan them"
        )

    try:
        return Index(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "all of it"
        raise UserError(
            f"{where} is damaged: {key}: {first['msg']}; "
            "download it again, or write the shards again"
        ) from None

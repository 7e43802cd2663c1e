"""An open data set: its columns, and how training wants to see them."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from ganvas.data.pick import choose_rows
from ganvas.data.report import DataReport
from ganvas.data.transforms import crop_rows
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices
from ganvas.schema import Planes, Schema, kind_of_images

__all__ = [
    "FEW",
    "PICTURES",
    "Column",
    "Dataset",
    "Shards",
    "describe_pictures",
    "fingerprint",
    "read_slice",
    "single",
]


class Column(Protocol):
    """Rows of a data set: an array, or what is read as one."""

    # only what NumPy arrays, memory maps and columns of shards all have
    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> np.ndarray: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...


@dataclass(frozen=True)
class Shards:
    """The parts in which a set is read that is not at hand row by row.

    Attributes:
        starts: rows starts[n] to starts[n + 1] are those of part n; int64 (parts + 1,).
        room: how many parts are kept in memory, the latest used ones.
        ahead: call it with the parts that will be needed, the first ones first; it reads them in
            the background and returns at once.
    """

    starts: np.ndarray
    room: int
    ahead: Callable[[Sequence[int]], None]


@dataclass(frozen=True)
class Dataset:
    """Pictures ready for training, with all that is known of them.

    Attributes:
        columns: arrays of equal length, by name. Pictures are uint8 (N, C, S, S), usually a memory
            map, S at least `size`; the points of "image" are float32 (N, 2, 1, 1) in [-1, 1]. The
            other columns are as `ganvas.schema.Schema` describes, but labels are int64 and
            attributes uint8; boxes and key points are in shares of the side S.
        names: by column: classes, in label order; attributes; parts.
        fingerprint: hexadecimal digest of all columns; equal data, equal fingerprint, wherever it
            lies.
        report: how the set came to be.
        size: side in pixels of the pictures that training sees.
        beside: another domain, whose rows belong to none of these.
        shards: the parts that it is read in; None: any row is as near as any other.
    """

    columns: Mapping[str, Column]
    names: Mapping[str, tuple[str, ...]]
    fingerprint: str
    report: DataReport
    size: int
    beside: "Dataset | None" = None
    shards: Shards | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def images(self) -> Column:
        """The pictures of a set with one picture a row."""
        return self.columns["image"]

    @property
    def labels(self) -> np.ndarray | None:
        """int64 (N,) in [0, len(classes)), or None."""
        return np.asarray(self.columns["label"]) if "label" in self.columns else None

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in label order; empty without labels."""
        return self.names.get("label", ())

    @property
    def pictures(self) -> dict[str, Column]:
        """The columns of pictures, those beside included."""
        own = {name: values for name, values in self.columns.items() if name in PICTURES}
        # unpaired sets have "a" here and "b" beside, or the reverse: the names never clash
        return own | (self.beside.pictures if self.beside else {})

    @property
    def schema(self) -> Schema:
        """What a GAN must know of it: its columns and their names."""
        # captions are (N, K, bytes), their features (N, K, F)
        widths = {}
        for name in ("caption", "caption_features"):
            if name in self.columns:
                widths[name] = self.columns[name].shape[2]

        return Schema(
            size=self.size,
            # sorted: "a" comes first, whichever domain is the larger one
            channels={name: values.shape[1] for name, values in sorted(self.pictures.items())},
            names=dict(self.names) | self.report.categories,
            widths=widths,
            boxes="box" in self.columns,
            unpaired=self.beside is not None,
            alpha=self.report.alpha,
            ignore_alpha=self.report.ignore_alpha,
            ranges=self.report.ranges,
        )

    @property
    def channels(self) -> int:
        """1 (grey), 3 (rgb) or another number, of the first column of pictures; of one that is no
        label map, if there is one.
        """
        found = self.pictures
        images = [values for name, values in found.items() if name not in self.report.categories]
        return (images or list(found.values()))[0].shape[1]

    @property
    def kind(self) -> Literal["image", "point"]:
        """What it holds: images, or points in the plane."""
        return kind_of_images(self.channels, self.size)

    def describe(self) -> str:
        """Size and colours in words: "28x28 grey"."""
        schema = self.schema
        words = [
            describe_pictures(self.size, values.shape[1], schema.planes(name))
            for name, values in sorted(self.pictures.items())
        ]
        # domains that look alike are named once
        return " and ".join(dict.fromkeys(words))

    def with_report(self, **changes: Any) -> "Dataset":
        """The same set with other values in its report.

        The packed store is found by content, so a set may have been packed from another place.
        """
        return replace(self, report=self.report.model_copy(update=changes))

    def table(self, column: str) -> "Dataset":
        """The set that holds a column: this one or the one beside it."""
        if column not in self.columns and self.beside:
            return self.beside.table(column)
        return self

    def only(self, column: str) -> "Dataset":
        """A column of pictures as a set of its own, with one picture a row; this very set where it
        is one.

        Raises:
            UserError: there is no such column.
        """
        table = self.table(column)
        if column not in table.columns:
            there = ", ".join(sorted(self.pictures))
            raise UserError(
                f"{self.report.spec} has no column {column!r} of pictures to compare with; "
                f"it has {there}"
            )

        if column == "image":
            return table

        # what its values mean goes with the column
        report = table.report
        report = report.model_copy(
            update={
                "ranges": {"image": report.ranges[column]} if column in report.ranges else {},
                "categories": {"image": report.categories[column]}
                if column in report.categories
                else {},
            }
        )

        # the digest of the whole table is known; the column's name makes it unlike the others'
        return replace(
            table,
            columns={"image": table.columns[column]},
            names={},
            report=report,
            fingerprint=f"{table.fingerprint}-{column}",
        )

    def rows(self, indices: np.ndarray) -> dict[str, Tensor]:
        """The rows at `indices` (N,), pictures as large as they are kept."""
        # Sorted reads walk a memory map in one direction; the requested order is restored after.
        order = np.argsort(indices, kind="stable")

        found = {}
        for name, column in self.columns.items():
            values = np.empty((len(indices), *column.shape[1:]), column.dtype)
            values[order] = column[indices[order]]
            found[name] = torch.from_numpy(values)

        return found

    def near(self, rows: np.ndarray, count: int) -> np.ndarray:
        """Of a sharded set those of the rows, ascending, that lie in a few evenly spread shards; of
        any other all of them.

        Whoever wants `count` rows that stand for all, and takes them from these, need not read
        every shard.
        """
        if self.shards is None:
            return rows

        # where the rows of each shard begin among `rows`; int64 (parts + 1,)
        bounds = np.searchsorted(rows, self.shards.starts)
        # shards with none of the rows are never read
        parts = np.flatnonzero(np.diff(bounds))

        # one more shard at a time: shards may be of very different lengths
        number = min(FEW, len(parts))
        while True:
            chosen = choose_rows(parts, number)
            if number == len(parts) or (bounds[chosen + 1] - bounds[chosen]).sum() >= count:
                return np.concatenate([rows[bounds[part] : bounds[part + 1]] for part in chosen])
            number += 1

    def batch(self, indices: np.ndarray) -> dict[str, Tensor]:
        """The rows at `indices` (N,), of larger pictures the middle."""
        return crop_rows(self.rows(indices), self.size)


PICTURES = ("image", "a", "b")  # the columns of pictures
FEW = 16  # shards that stand for all of a set, if they hold enough pictures


def single(
    images: np.ndarray,
    labels: np.ndarray | None,
    classes: tuple[str, ...],
    report: DataReport,
    size: int | None = None,
) -> Dataset:
    """A set with one picture a row, and perhaps labels."""
    columns = {"image": images}
    names = {}
    if labels is not None:
        columns["label"] = labels
        names["label"] = classes

    # without a size nothing is cropped: training sees the pictures as they are kept
    return Dataset(columns, names, fingerprint(columns, names), report, size or images.shape[-1])


def describe_pictures(size: int, channels: int, planes: Planes | None = None) -> str:
    """Size and colours in words: "28x28 grey", "64x64 rgb", "64x64 of 5 bands" or "points"."""
    if kind_of_images(channels, size) == "point":
        return "points"

    words = {1: "grey", 3: "rgb"}.get(channels, f"of {channels} bands")
    if planes and planes.kind == "alpha":
        words = "rgba"
    elif planes and planes.kind == "categories":
        words = f"of {channels} categories"
    return f"{size}x{size} {words}"


def read_slice(column: Column, rows: slice) -> np.ndarray:
    """Rows of a column; of a memory map through a map of their own, that ends with them.

    Whoever reads all of a map piece by piece would hold all of it in memory, as the system counts.
    """
    if not isinstance(column, np.memmap) or column.filename is None:
        return column[rows]
    start, stop, _ = rows.indices(len(column))
    row_bytes = column.itemsize * int(np.prod(column.shape[1:]))
    return np.memmap(
        column.filename,
        column.dtype,
        "r",
        column.offset + start * row_bytes,
        (stop - start, *column.shape[1:]),
    )


def fingerprint(columns: Mapping[str, Column], names: Mapping[str, Sequence[str]]) -> str:
    """Hexadecimal digest of all columns and names; reads memory maps piece by piece."""
    digest = hashlib.blake2b(digest_size=16)

    # Types and shapes count too: the same bytes may be cut into rows in many ways.
    kinds = {name: [column.dtype.str, *column.shape] for name, column in columns.items()}
    listed = {name: list(values) for name, values in names.items()}
    digest.update(json.dumps([kinds, listed], sort_keys=True).encode())

    # 1,024 rows at a time: a column may be larger than the memory
    for _, column in sorted(columns.items()):
        for piece in chunk_slices(len(column), 1024):
            rows = read_slice(column, piece)
            digest.update(np.ascontiguousarray(rows).data)  # a digest needs one piece

    return digest.hexdigest()

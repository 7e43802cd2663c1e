"""Pack a data set for training (`ganvas pack`): into the cache, or into tars."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from ganvas.data import open_dataset
from ganvas.data.dataset import Column, Dataset
from ganvas.data.fates import ImageTraits
from ganvas.data.parallel import count_cores, progress_bar
from ganvas.data.shards.index import INDEX, Shard, make_index
from ganvas.data.shards.tar import write_tar
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io import images
from ganvas.io.chunks import chunk_ranges
from ganvas.io.console import count_noun
from ganvas.io.files import atomic_path, explained, refuse_used

__all__ = ["MAX_BYTES", "pack_dataset"]

MAX_IMAGES = 1_000  # pictures of a shard, unless --shard-images says otherwise
# Bytes of a shard's decoded pictures: the eight streams of a training each keep some in memory.
MAX_BYTES = 2**26  # 64 MiB
ENCODE = 256  # pictures encoded at once


def pack_dataset(
    spec: str,
    view: View,
    out: Path | None,
    *,
    shards: bool,
    shard_images: int | None,
    strict: bool,
    progress: bool,
) -> list[str]:
    """Pack a set.

    Args:
        spec: the set.
        view: how it is opened.
        out: the folder of the shards.
        shards: whether to write shards; without, the packed store in the cache is filled.
        shard_images: pictures of a shard; None: MAX_IMAGES, or fewer if they are large.
        strict: whether a picture that cannot be used is an error.
        progress: show bars on stderr.

    Returns:
        lines that report what was written.

    Raises:
        UserError: the set cannot be used, cannot be sharded, or the folder exists or cannot be
            written.
    """
    if not shards:
        if out or shard_images:
            flag = "--out" if out else "--shard-images"
            raise UserError(
                f"{flag} is for shards: add --shards; without it, only the cache is filled"
            )
        dataset = open_dataset(spec, view, strict=strict, progress=progress)
        return _describe_store(dataset) + _describe_splits(dataset)

    # before the set is opened, which may take an hour of decoding
    if out is None:
        raise UserError("--shards needs a folder for them, new or empty: --out FOLDER")
    refuse_used(out)
    if shard_images is not None and shard_images < 1:
        raise UserError(f"--shard-images {shard_images}: choose 1 or more")
    dataset = open_dataset(spec, view, strict=strict, progress=progress)
    lines = _write_shards(dataset, out, shard_images or _default_count(dataset), progress)
    return lines + _describe_splits(dataset)


def _describe_splits(dataset: Dataset) -> list[str]:
    """Report that only the images of one split were packed; nothing for a set without splits."""
    report = dataset.report
    return [f"note: {note}" for note in report.notes] if len(report.splits) > 1 else []


def _describe_store(dataset: Dataset) -> list[str]:
    """Report where the pictures of a set that was just opened are packed."""
    summary = f"{dataset.report.spec}: {count_noun(len(dataset), 'image')}, {dataset.describe()}"
    # pictures are mapped from the disk; labels and captions lie in memory
    maps = [values for values in _columns_of(dataset) if isinstance(values, np.memmap)]
    if not maps:
        return [f"{summary}; it is read directly, there is nothing to pack"]

    folders = dict.fromkeys(str(Path(str(values.filename)).parent) for values in maps)
    size = _format_bytes(sum(values.nbytes for values in maps))
    return [f"{summary}, packed in {' and '.join(folders)} ({size})"]


def _columns_of(dataset: Dataset) -> Iterator[Column]:
    """All columns of a set, and of the one beside it."""
    yield from dataset.columns.values()
    if dataset.beside:
        yield from _columns_of(dataset.beside)


def _default_count(dataset: Dataset) -> int:
    """Pictures of a shard if the user does not choose."""
    if "image" not in dataset.columns:
        return MAX_IMAGES
    picture_bytes = int(np.prod(dataset.images.shape[1:]))  # uint8: a byte a value
    return max(1, min(MAX_IMAGES, MAX_BYTES // picture_bytes))


def _write_shards(dataset: Dataset, out: Path, count: int, progress: bool) -> list[str]:
    """Write a set as tars with their index into a new folder.

    The pictures are shuffled, always in the same way, so that each shard represents the whole set;
    those of a sharded set stay in its order.

    Args:
        count: pictures of a shard.

    Returns:
        lines that report what was written.

    Raises:
        UserError: a row has more than a picture and a class, or the folder cannot be written.
    """
    columns = dataset.columns.keys() | dataset.pictures.keys()
    if not {"image"} <= columns <= {"image", "label"} or dataset.kind == "point":
        what = "points" if dataset.kind == "point" else ", ".join(sorted(columns))
        raise UserError(
            f"shards hold one image and at most a class per row; {dataset.report.spec} has {what}"
        )

    # files of shards are PNG, and nothing beside them would say what their values mean
    if dataset.channels not in (1, 3) or dataset.report.categories:
        raise UserError(
            f"shards hold grey or RGB images; {dataset.report.spec} is {dataset.describe()}: "
            "leave out --shards"
        )

    # shuffling a sharded set would read each shard again and again
    order = np.arange(len(dataset))
    if dataset.shards is None:
        order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0)).numpy()
    name = re.sub(r"[^\w-]", "-", out.resolve().name)  # braces and commas make a pattern

    # The folder appears only when all of it is written. An empty one makes room for it.
    if out.exists():
        with explained(out):
            out.rmdir()
    with (
        atomic_path(out) as folder,
        progress_bar(len(dataset), progress, "writing shards") as advance,
    ):
        folder.mkdir()
        shards = []
        for number, places in enumerate(chunk_ranges(len(order), count)):
            rows = order[places.start : places.stop]
            path = folder / f"{name}-{number:06d}.tar"
            shards.append(_write_shard(dataset, rows, places.start, path))
            advance(len(rows))

        # last: only now are all digests known
        index = make_index(shards, dataset.classes, dataset.report.steps, dataset.report.notes)
        text = json.dumps(index.model_dump(), indent=1)
        (folder / INDEX).write_text(text + "\n", encoding="utf-8")

    total = _format_bytes(sum(shard.bytes for shard in shards))
    many = f"{len(shards):,} shards of {count:,}" if len(shards) > 1 else "1 shard"
    return [
        f"{out}: {count_noun(len(dataset), 'image')}, {dataset.describe()}, in {many} ({total})",
        f"to train on them: --data shards:{out}",
    ]


def _write_shard(dataset: Dataset, rows: np.ndarray, first: int, path: Path) -> Shard:
    """Write rows of a set into a tar; returns its description.

    Args:
        rows: of the set, int64 (n,).
        first: number of the first picture among those of all shards; files are named by it.
        path: the tar.
    """
    labels = None if dataset.labels is None else dataset.labels[rows].tolist()

    def encode_files() -> Iterator[tuple[str, bytes]]:
        with ThreadPoolExecutor(count_cores()) as pool:
            for places in chunk_ranges(len(rows), ENCODE):
                pictures = dataset.batch(rows[places.start : places.stop])["image"]
                for place, content in zip(places, pool.map(images.to_png, pictures)):
                    yield f"{first + place:09d}.png", content  # nine digits: names sort by number
                    if labels is not None:
                        # right behind its picture: webdataset groups neighbours by name
                        yield f"{first + place:09d}.cls", str(labels[place]).encode()

    digest = write_tar(path, encode_files())
    kind = ImageTraits(dataset.size, dataset.size, "L" if dataset.channels == 1 else "RGB")
    return Shard(
        file=path.name,
        count=len(rows),
        bytes=path.stat().st_size,
        sha256=digest,
        labels=" ".join(map(str, labels or ())),
        kinds=(kind,),
    )


def _format_bytes(count: int) -> str:
    """A number of bytes in MiB or GiB."""
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.1f} MiB"

"""What `ganvas pack` does: the packed store filled ahead of a training, or tars of pictures written
for one elsewhere.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from ganvas.data import open_dataset
from ganvas.data.dataset import Column, Dataset, View
from ganvas.data.decode import ImageTraits
from ganvas.data.parallel import count_cores, progress_bar
from ganvas.data.shards.index import INDEX, Shard, make_index
from ganvas.data.shards.tar import write_tar
from ganvas.errors import UserError
from ganvas.io import images
from ganvas.io.console import count_noun
from ganvas.io.files import atomic_path

MOST = 1_000  # pictures of a shard, unless told otherwise
# of its decoded pictures, likewise: eight lanes of a training keep some shards each in memory
MOST_BYTES = 2**26
TOGETHER = 256  # pictures encoded at once


def pack(
    spec: str,
    view: View,
    out: Path | None,
    *,
    shards: bool,
    shard_images: int | None,
    strict: bool,
    progress: bool,
) -> list[str]:
    """Pack a set, and tell in lines what was made.

    Args:
        out: the folder of the shards.
        shards: whether to write shards; without, the packed store in the cache is filled.
        shard_images: pictures of a shard; None: MOST, or fewer if they are large.

    Raises:
        UserError: the set cannot be used, cannot be sharded, or the folder exists or cannot be
            written.
    """
    if not shards:
        if out or shard_images:
            raise UserError(
                f"{'--out' if out else '--shard-images'} is for shards: add --shards; without, the cache is filled"
            )
        return stored(open_dataset(spec, view, strict=strict, progress=progress))
    if out is None:
        raise UserError("--shards needs a folder that does not exist yet: --out FOLDER")
    if out.exists():
        raise UserError(f"{out} exists; choose another --out, or remove it")
    if shard_images is not None and shard_images < 1:
        raise UserError(f"--shard-images {shard_images}: ask for 1 or more")
    dataset = open_dataset(spec, view, strict=strict, progress=progress)
    return write_shards(dataset, out, shard_images or usual_count(dataset), progress)


def stored(dataset: Dataset) -> list[str]:
    """Where the pictures of a set that was just opened are packed."""
    maps = [values for values in columns_of(dataset) if isinstance(values, np.memmap)]
    told = f"{dataset.report.spec}: {count_noun(len(dataset), 'picture')}, {dataset.describe()}"
    if not maps:
        return [f"{told}; read as they are, there is nothing to pack"]
    folders = dict.fromkeys(str(Path(str(values.filename)).parent) for values in maps)
    return [
        f"{told}, packed in {' and '.join(folders)} ({size_in_words(sum(values.nbytes for values in maps))})"
    ]


def columns_of(dataset: Dataset) -> Iterator[Column]:
    """All columns, those beside included."""
    yield from dataset.columns.values()
    if dataset.beside:
        yield from columns_of(dataset.beside)


def usual_count(dataset: Dataset) -> int:
    """Pictures of a shard when nobody says how many."""
    return (
        max(1, min(MOST, MOST_BYTES // int(np.prod(dataset.images.shape[1:]))))
        if "image" in dataset.columns
        else MOST
    )


def write_shards(dataset: Dataset, out: Path, count: int, progress: bool) -> list[str]:
    """Write a set as tars of `count` pictures each, with their index, into a new folder; returns
    lines that tell of it.

    The pictures are mixed, always in the same way, so that every shard stands for all; those of a
    sharded set stay in its order.

    Raises:
        UserError: it has more than pictures and classes in a row, or the folder cannot be written.
    """
    columns = dataset.columns.keys() | dataset.pictures.keys()
    if not {"image"} <= columns <= {"image", "label"} or dataset.kind == "point":
        what = "points" if dataset.kind == "point" else ", ".join(sorted(columns))
        raise UserError(
            f"shards hold a picture and perhaps a class in a row; {dataset.report.spec} has {what}"
        )
    order = np.arange(len(dataset))
    if dataset.shards is None:
        order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0)).numpy()
    name = re.sub(r"[^\w-]", "-", out.resolve().name)
    with (
        atomic_path(out) as folder,
        progress_bar(len(dataset), progress, "writing shards") as advance,
    ):
        folder.mkdir()
        shards = []
        for start in range(0, len(order), count):
            rows = order[start : start + count]
            shards.append(
                write_shard(dataset, rows, start, folder / f"{name}-{start // count:06d}.tar")
            )
            advance(len(rows))
        index = make_index(shards, dataset.classes, dataset.report.steps, dataset.report.notes)
        text = json.dumps(index.model_dump(), indent=1)
        (folder / INDEX).write_text(text + "\n", encoding="utf-8")
    total = size_in_words(sum(shard.bytes for shard in shards))
    many = f"{len(shards):,} shards of {count:,}" if len(shards) > 1 else "1 shard"
    return [
        f"{out}: {count_noun(len(dataset), 'picture')}, {dataset.describe()}, in {many} ({total})",
        f"to train on them: --data shards:{out}",
    ]


def write_shard(dataset: Dataset, rows: np.ndarray, first: int, path: Path) -> Shard:
    """Write rows of a set into a tar, as pictures with the numbers from `first` on and, if there
    are, classes; describe it.
    """
    labels = None if dataset.labels is None else dataset.labels[rows].tolist()

    def files() -> Iterator[tuple[str, bytes]]:
        with ThreadPoolExecutor(count_cores()) as pool:
            for start in range(0, len(rows), TOGETHER):
                pictures = dataset.batch(rows[start : start + TOGETHER])["image"]
                for number, content in enumerate(pool.map(images.to_png, pictures), start):
                    yield f"{first + number:09d}.png", content
                    if labels is not None:
                        yield f"{first + number:09d}.cls", str(labels[number]).encode()

    digest = write_tar(path, files())
    kind = ImageTraits(dataset.size, dataset.size, "L" if dataset.channels == 1 else "RGB")
    written = " ".join(map(str, labels)) if labels is not None else ""
    return Shard(
        file=path.name,
        count=len(rows),
        bytes=path.stat().st_size,
        sha256=digest,
        labels=written,
        kinds=(kind,),
    )


def size_in_words(count: int) -> str:
    """Bytes in words."""
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.1f} MiB"

"""Real pictures to judge by: which they are, and what is known of them from the last time."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganvas.data import open_dataset
from ganvas.data.dataset import Dataset, View
from ganvas.data.pick import choose_rows
from ganvas.data.split import held_out_count, split
from ganvas.evaluation.metrics.classifier import Labelled
from ganvas.evaluation.metrics.features import CHUNK, Extractor, extract
from ganvas.evaluation.metrics.manifold import nearest
from ganvas.evaluation.samples import place_free
from ganvas.io.cache import cache_folder
from ganvas.io.console import track
from ganvas.io.files import atomic_path

MOST = 10_000  # pictures compared with, unless more samples are asked for
# pictures of a sharded set that a classifier learns from, and their size
LEARNT, LEARNT_BYTES = 60_000, 2**30
VERSION = 2  # to be raised when the same pictures would get other statistics


@dataclass(frozen=True)
class Reference:
    """Real pictures to judge by.

    Attributes:
        name: of the set, without its place.
        split: what the pictures compared with are: "test", published as such; "train", what a GAN
            may learn from; "all".
        dataset: that they are of.
        rows: which, (N,), in a random order that is always the same, so that the first of them
            stand for all.
        train: what a GAN may have learnt from, its rows `shown`.
        unseen: of the same source and never trained on, its rows `unseen_rows`: the published test
            set, or what is held out.
    """

    name: str
    split: str
    dataset: Dataset
    rows: np.ndarray
    train: Dataset
    shown: np.ndarray
    unseen: Dataset
    unseen_rows: np.ndarray

    @property
    def labels(self) -> Tensor | None:
        """int64 (N,), the classes of the pictures compared with; None: not known."""
        return (
            None
            if self.dataset.labels is None
            else torch.from_numpy(self.dataset.labels[self.rows])
        )

    def training(self) -> Labelled:
        """What a network may learn the classes from."""
        return labelled(self.train, self.shown)

    def testing(self) -> Labelled:
        """What it is tested with."""
        return labelled(self.unseen, self.unseen_rows)

    def about(self) -> dict[str, Any]:
        """Which pictures are compared with, for the protocol."""
        return {
            "name": self.name,
            "split": self.split,
            "fingerprint": self.dataset.fingerprint,
            "count": len(self.rows),
            "rows": digest(self.rows),
            "size": self.dataset.size,
            "channels": self.dataset.channels,
            "steps": self.dataset.report.steps,
        }


def of_training(
    spec: str,
    view: View,
    held_out: int | None,
    count: int,
    target: str = "image",
    progress: bool = False,
) -> Reference:
    """The reference for a GAN that was trained on `spec`: the test set that was published with it,
    else what it learnt from.

    Args:
        view: how the GAN saw it.
        held_out: as in its recipe.
        count: samples to be judged; as many pictures, but MOST or more, are compared with, if there
            are so many.
        made: the column that the GAN's pictures are like.
    """
    train = open_dataset(spec, view, progress=progress).only(target)
    starts = None if train.shards is None else train.shards.starts
    shown, held = split(len(train), held_out_count(len(train), held_out, train.report.test), starts)
    if train.report.test is None:
        return Reference(
            place_free(spec), "train", train, some(train, shown, count), train, shown, train, held
        )
    test = open_dataset(train.report.test, view, progress=progress).only(target)
    rows = np.arange(len(test))
    return Reference(
        place_free(train.report.test),
        "test",
        test,
        some(test, rows, count),
        train,
        shown,
        test,
        rows,
    )


def of_spec(
    spec: str, view: View, count: int, target: str = "image", progress: bool = False
) -> Reference:
    """The pictures of `spec` itself, whatever was trained on; of a published test set the training
    pictures are known too.
    """
    kind, colon, place = spec.partition(":")
    train_spec = spec if Path(spec).exists() else kind.removesuffix("-test") + colon + place
    if train_spec != spec and open_dataset(train_spec, view, progress=progress).report.test == spec:
        return of_training(train_spec, view, None, count, target, progress)
    known = of_training(spec, view, None, count, target, progress)
    rows = some(known.train, np.arange(len(known.train)), count)
    return Reference(
        place_free(spec),
        "all",
        known.train,
        rows,
        known.train,
        known.shown,
        known.unseen,
        known.unseen_rows,
    )


def some(dataset: Dataset, rows: np.ndarray, count: int) -> np.ndarray:
    """`count` of the rows, but MOST or more, or all; in a random order, always the same; of a
    sharded set in few shards.
    """
    rows = dataset.near(rows, max(count, MOST))
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).numpy()
    return rows[order[: max(count, MOST)]]


def labelled(dataset: Dataset, rows: np.ndarray) -> Labelled:
    """What a network may learn the classes from: pictures and classes at the rows.

    Of a sharded set at most LEARNT of them, in memory, and of LEARNT_BYTES: learning takes them in
    random order again and again.
    """
    assert dataset.labels is not None
    if dataset.shards is None:
        return Labelled(np.asarray(dataset.images), dataset.labels, rows)
    most = max(2, min(LEARNT, LEARNT_BYTES // int(np.prod(dataset.images.shape[1:]))))
    chosen = choose_rows(dataset.near(rows, most), most)
    return Labelled(dataset.images[chosen], dataset.labels[chosen], np.arange(len(chosen)))


def features_of(
    extractor: Extractor, dataset: Dataset, rows: np.ndarray, progress: bool = False
) -> Tensor:
    """Features float32 (N, F) of the pictures at `rows`, from the cache or taken now.

    A sharded set is looked at in its own order, so that each shard is read once.
    """
    order = np.arange(len(rows)) if dataset.shards is None else np.argsort(rows, kind="stable")
    walked = rows[order]

    def pieces() -> Iterator[Tensor]:
        for start in range(0, len(rows), CHUNK):
            yield dataset.batch(walked[start : start + CHUNK])["image"]

    def take() -> dict[str, Tensor]:
        watched = shown(pieces(), -(-len(rows) // CHUNK), "features of real pictures", progress)
        values = extract(extractor, watched).values
        return {"features": values[torch.from_numpy(np.argsort(order, kind="stable"))]}

    if extractor.protocol["extractor"] == "pixels":
        return take()["features"]  # larger than the pictures, and as quickly taken as read
    return stored(["features", identity(dataset, rows), extractor.protocol], take)["features"]


def unseen_distances(
    extractor: Extractor, reference: Reference, progress: bool = False
) -> tuple[Tensor, Tensor]:
    """From the unseen pictures, MOST at most, to the nearest training pictures: distances (n,) and
    places in `shown` (n,).
    """
    rows = some(reference.unseen, reference.unseen_rows, 0)

    def take() -> dict[str, Tensor]:
        unseen = features_of(extractor, reference.unseen, rows, progress)
        train = features_of(extractor, reference.train, reference.shown, progress)
        distances, places = nearest(unseen, train)
        return {"distances": distances[:, 0], "places": places[:, 0]}

    both = [identity(reference.unseen, rows), identity(reference.train, reference.shown)]
    found = stored(["unseen distances", *both, extractor.protocol], take)
    return found["distances"], found["places"]


def identity(dataset: Dataset, rows: np.ndarray) -> list[str]:
    """What tells these pictures from all others."""
    return [dataset.fingerprint, digest(rows)]


def digest(rows: np.ndarray) -> str:
    """Which rows."""
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()[:16]


def stored(key: Any, take: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors kept under a key in the cache; taken first if they are not there, or damaged.

    Raises:
        UserError: the cache cannot be written, or what `take` raises.
    """
    name = hashlib.sha256(
        json.dumps([VERSION, torch.__version__, key], sort_keys=True).encode()
    ).hexdigest()[:32]
    path = cache_folder() / "references" / f"{name}.safetensors"
    if path.is_file():
        try:
            return load_file(path)
        except (SafetensorError, OSError):
            path.unlink()
    found = {name: value.contiguous() for name, value in take().items()}
    with atomic_path(path, durable=False) as partial:
        save_file(found, partial)
    return found


def shown(pieces: Iterable[Tensor], total: int, what: str, progress: bool) -> Iterable[Tensor]:
    """The pieces, with a progress bar on stderr if asked."""
    return track(pieces, what, total, shown=progress)

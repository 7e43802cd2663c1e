"""Real images to compare with: which they are, and their features, kept in the cache."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ganvas.data import find_kind, open_dataset
from ganvas.data.dataset import Dataset
from ganvas.data.open import name_split
from ganvas.data.pick import choose_rows
from ganvas.data.split import held_out_count, split
from ganvas.data.test_set import find_known_rows, open_test_set
from ganvas.data.view import View
from ganvas.evaluation.metrics.classifier_training import LabelledImages
from ganvas.evaluation.metrics.features import CHUNK, Extractor, extract_features
from ganvas.evaluation.metrics.manifold import find_nearest
from ganvas.evaluation.metrics.weights import read_safetensors
from ganvas.evaluation.samples import name_without_place
from ganvas.io.cache import cache_entry, load_or_make
from ganvas.io.chunks import chunk_slices
from ganvas.io.console import track

__all__ = [
    "MOST",
    "MOST_LEARNT",
    "Reference",
    "digest_rows",
    "draw_rows",
    "features_of_rows",
    "make_reference",
    "open_reference",
    "open_training_reference",
    "unseen_distances",
]

MOST = 10_000  # real images compared with, unless more samples are requested
# Limits for the images of a sharded data set that a classifier is trained on, which are kept in
# memory: how many, and how many bytes.
MOST_LEARNT, LEARNT_BYTES = 60_000, 2**30
VERSION = 3  # to be raised when the same images would get other statistics


@dataclass(frozen=True)
class Reference:
    """Real images to compare with, and what a GAN may have been trained on.

    Attributes:
        name: of the data set, without its place.
        split: which images are compared with: "test", published as a test set; "train", what a GAN
            may be trained on; "all".
        dataset: that they are of.
        rows: which of its images, (N,), in a random order that is always the same, so that the
            first of them represent all.
        train: the data set that a GAN may have been trained on.
        train_rows: the rows of `train` that it may have seen.
        unseen: the data set of images from the same source that were never trained on: the
            published test set, or `train`.
        unseen_rows: its rows; of `train` those that are held out.
    """

    name: str
    split: str
    dataset: Dataset
    rows: np.ndarray
    train: Dataset
    train_rows: np.ndarray
    unseen: Dataset
    unseen_rows: np.ndarray

    @property
    def labels(self) -> Tensor | None:
        """int64 (N,), the classes of the images compared with; None: not known."""
        if self.dataset.labels is None:
            return None
        return torch.from_numpy(self.dataset.labels[self.rows])

    def training_images(self) -> LabelledImages:
        """What a classifier may be trained on."""
        return _select_labelled(self.train, self.train_rows)

    def test_images(self) -> LabelledImages:
        """What a classifier is tested with."""
        return _select_labelled(self.unseen, self.unseen_rows)

    def about(self) -> dict[str, Any]:
        """Which images are compared with, for the protocol."""
        return {
            "name": self.name,
            "split": self.split,
            "fingerprint": self.dataset.fingerprint,
            "count": len(self.rows),
            "rows": digest_rows(self.rows),
            "size": self.dataset.size,
            "channels": self.dataset.channels,
            "steps": self.dataset.report.steps,
        }


def open_training_reference(
    spec: str,
    view: View,
    held_out: int | None,
    count: int,
    target: str = "image",
    progress: bool = False,
) -> Reference:
    """Open the reference for a GAN that was trained on `spec`; see `make_reference`."""
    data = open_dataset(spec, view, progress=progress)
    return make_reference(data, view, held_out, count, target, progress)


def make_reference(
    data: Dataset,
    view: View,
    held_out: int | None,
    count: int,
    target: str = "image",
    progress: bool = False,
) -> Reference:
    """Make the reference for a GAN that was trained on a data set.

    It is the test set that was published with the data, else the training images.

    Args:
        data: the data set.
        view: how the GAN saw it.
        held_out: as in its recipe.
        count: samples to evaluate; that many real images are compared with, but MOST or more, if
            there are so many.
        target: the column that the GAN generates.
        progress: show progress on stderr.
    """
    train = data.only(target)

    # As in training, so that the rows held out there are the unseen ones here.
    starts = None if train.shards is None else train.shards.starts
    kept_back = held_out_count(len(train), held_out, train.report.test)
    train_rows, unseen_rows = split(len(train), kept_back, starts, train.report.parts)  # ascending

    test_set = open_test_set(data, view.model_copy(update={"size": train.size}), progress)
    if test_set is None:
        rows = draw_rows(train, train_rows, count)
        name = name_without_place(train.report.spec)
        return Reference(name, "train", train, rows, train, train_rows, train, unseen_rows)

    # As large as the training images, and with colour where they have it, even if the test set
    # alone would be opened otherwise.
    test = test_set.only(target)
    if test.channels != train.channels:
        view = view.model_copy(update={"size": train.size, "channels": train.channels})
        test = (open_test_set(data, view, progress) or test_set).only(target)

    test_rows = find_known_rows(test, train)
    rows = draw_rows(test, test_rows, count)
    name = name_without_place(test.report.spec)
    return Reference(name, "test", test, rows, train, train_rows, test, test_rows)


def open_reference(
    spec: str, view: View, count: int, target: str = "image", progress: bool = False
) -> Reference:
    """Open the images of `spec` itself as the reference, whatever a GAN was trained on.

    Of a published test set the training images are known too.
    """
    # "mnist-test:PLACE" belongs to "mnist:PLACE"; a path that ends in "-test" belongs to nothing.
    spec, view = name_split(spec, view)
    kind, colon, place = spec.partition(":")
    own = kind.rpartition("-")[2]
    train_spec = spec
    if own in ("test", "val") and not Path(spec).exists():
        train_spec = kind.removesuffix(f"-{own}") + colon + place
    if train_spec != spec and find_kind(train_spec):
        data = open_dataset(train_spec, view, progress=progress)
        # Of images in splits, any may judge what was trained on the training images.
        if data.report.splits:
            data = data.with_report(test=spec)
        if data.report.test == spec:
            return make_reference(data, view, None, count, target, progress)

    known = open_training_reference(spec, view, None, count, target, progress)
    rows = draw_rows(known.train, np.arange(len(known.train)), count)
    return Reference(
        name_without_place(spec),
        "all",
        known.train,
        rows,
        known.train,
        known.train_rows,
        known.unseen,
        known.unseen_rows,
    )


def draw_rows(dataset: Dataset, rows: np.ndarray, count: int) -> np.ndarray:
    """Choose max(count, MOST) of the rows, or all if there are fewer, in a fixed random order.

    Those of a sharded data set are chosen from few shards.
    """
    rows = dataset.near(rows, max(count, MOST))
    # One seed for all evaluations, so that every run is compared with the same images.
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).numpy()
    return rows[order[: max(count, MOST)]]


def _select_labelled(dataset: Dataset, rows: np.ndarray) -> LabelledImages:
    """The images and classes at the rows, for a classifier.

    Of a sharded data set at most MOST_LEARNT of them, and LEARNT_BYTES, in memory: training reads
    them in random order again and again.
    """
    assert dataset.labels is not None
    if dataset.shards is None:
        return LabelledImages(np.asarray(dataset.images), dataset.labels, rows)

    # `near` keeps to few shards, so that not all of them are read.
    bytes_each = int(np.prod(dataset.images.shape[1:]))  # uint8 (C, H, W)
    most = max(2, min(MOST_LEARNT, LEARNT_BYTES // bytes_each))  # no classifier learns from one
    chosen = choose_rows(dataset.near(rows, most), most)
    return LabelledImages(dataset.images[chosen], dataset.labels[chosen], np.arange(len(chosen)))


def features_of_rows(
    extractor: Extractor, dataset: Dataset, rows: np.ndarray, progress: bool = False
) -> Tensor:
    """Features float32 (N, F) of the images at `rows`, from the cache or extracted now."""

    def extract() -> dict[str, Tensor]:
        # A sharded data set is read in its own order, so that each shard is read once.
        sharded = dataset.shards is not None
        order = np.argsort(rows, kind="stable") if sharded else np.arange(len(rows))
        in_order = rows[order]

        def chunks() -> Iterator[Tensor]:
            for part in chunk_slices(len(rows), CHUNK):
                yield dataset.batch(in_order[part])["image"]

        total = -(-len(rows) // CHUNK)
        tracked = track(chunks(), "features of real images", total, shown=progress)
        values = extract_features(extractor, tracked).values
        back = torch.from_numpy(np.argsort(order, kind="stable"))  # the inverse of `order`
        return {"features": values[back]}

    if extractor.protocol["extractor"] == "pixels":
        return extract()["features"]  # larger than the images, and as quickly made as read
    settings = ["features", _identify_rows(dataset, rows), extractor.protocol]
    return _load_or_compute(settings, extract)["features"]


def unseen_distances(
    extractor: Extractor, reference: Reference, progress: bool = False
) -> tuple[Tensor, Tensor]:
    """From the unseen images, MOST at most, to the nearest training images.

    Returns:
        Distances float64 (n,), and places in `train_rows`, int64 (n,).
    """
    rows = draw_rows(reference.unseen, reference.unseen_rows, 0)

    def measure() -> dict[str, Tensor]:
        unseen = features_of_rows(extractor, reference.unseen, rows, progress)
        train = features_of_rows(extractor, reference.train, reference.train_rows, progress)
        distances, places = find_nearest(unseen, train)
        return {"distances": distances, "places": places}

    settings = [
        "unseen distances",
        _identify_rows(reference.unseen, rows),
        _identify_rows(reference.train, reference.train_rows),
        extractor.protocol,
    ]
    found = _load_or_compute(settings, measure)
    return found["distances"], found["places"]


def _identify_rows(dataset: Dataset, rows: np.ndarray) -> list[str]:
    """What distinguishes these images from all others."""
    return [dataset.fingerprint, digest_rows(rows)]


def digest_rows(rows: np.ndarray) -> str:
    """A short digest of row numbers."""
    # Little-endian on every machine. Their order counts too, since features are kept in it.
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()[:16]


def _load_or_compute(settings: Any, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors from the cache; computed first if they are missing, or damaged.

    Raises:
        UserError: the cache cannot be written, or what `compute` raises.
    """

    def make(path: Path) -> None:
        save_file({name: value.contiguous() for name, value in compute().items()}, path)

    # another version of torch may round features differently
    entry = cache_entry("references", [VERSION, torch.__version__, settings], ".safetensors")
    # Not durable: it can be computed again.
    return load_or_make(entry, make, read_safetensors, durable=False)

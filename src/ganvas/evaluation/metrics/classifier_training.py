"""Training of the small classifier: deterministic, on the CPU, in a minute or less."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from ganvas.errors import UserError
from ganvas.evaluation.metrics.classifier import (
    VERSION,
    Classifier,
    ClassifierNetwork,
    read_classifier,
)
from ganvas.evaluation.metrics.features import CHUNK
from ganvas.io.cache import cache_entry, load_or_make
from ganvas.io.console import count_noun, track
from ganvas.io.images import to_float

__all__ = [
    "IMAGES",
    "PASSES",
    "SMALLEST",
    "ClassificationData",
    "LabelledImages",
    "classification_accuracy",
    "fit_classifier",
    "load_or_train_classifier",
    "shift_images",
]

BATCH = 128
IMAGES = 60_000  # images trained on, repeats included, at least; and at least PASSES epochs
PASSES = 3
MOST_PASSES = 100  # epochs over sets so small that IMAGES would be more
RATE = 5e-3  # the highest of a one-cycle schedule
# While training: sums of gradients depend on the number of threads, and on a busy machine several
# threads wait for each other.
THREADS = 1
SMALLEST = 8  # pixels


@dataclass(frozen=True)
class LabelledImages:
    """Images with classes.

    Attributes:
        images: uint8 (M, C, H, W), may be a memory map.
        labels: int64 (M,); or float32 (M, A), attributes that are 0 or 1.
        rows: which of them, (N,).
    """

    images: np.ndarray
    labels: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, places: np.ndarray) -> tuple[Tensor, Tensor]:
        """Images float32 (n, C, H, W) in [-1, 1] and their labels, at places among `rows`."""
        rows = self.rows[places]  # `places` count among the rows, not among all images
        return to_float(torch.from_numpy(self.images[rows])), torch.from_numpy(self.labels[rows])


@dataclass(frozen=True)
class ClassificationData:
    """A data set with classes or attributes, split for a classifier.

    Attributes:
        name: of the data set, for people.
        fingerprint: of the whole data set that `train` is from.
        classes: names of classes or of attributes.
        train: what the classifier is trained on.
        test: images that it is not trained on, for its accuracy.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    train: LabelledImages
    test: LabelledImages


def load_or_train_classifier(
    data: ClassificationData, device: torch.device | str = "cpu", progress: bool = False
) -> Classifier:
    """The classifier of a data set, from the cache or trained now: a minute for MNIST.

    Trained on the CPU by one thread, whatever `device` and the program's number of threads: on the
    same kind of CPU and version of torch the same images give the same bits.

    Args:
        data: to train on and to test with.
        device: where the classifier will run.
        progress: show the training on stderr.

    Raises:
        UserError: fewer than 2 images or classes, no attribute, images that are too small, or the
            cache cannot be written.
    """
    _check_trainable(data)
    # little-endian, so that every machine gets the same digest
    rows = hashlib.sha256(data.train.rows.astype("<i8").tobytes()).hexdigest()
    # what decides the weights, but for the kind of CPU
    settings = [VERSION, data.fingerprint, rows, torch.__version__]

    def make(path: Path) -> None:
        network = fit_classifier(data.train, len(data.classes), progress)
        # One metadata key: the order of several in the file, and so its digest, would be random.
        save_file(
            {name: value.contiguous() for name, value in network.state_dict().items()},
            path,
            {"about": json.dumps(_describe_classifier(network, data))},
        )

    entry = cache_entry("classifiers", settings, ".safetensors")
    return load_or_make(entry, make, lambda path: read_classifier(path, device))


def _check_trainable(data: ClassificationData) -> None:
    """Refuse a data set that no classifier can be trained on."""
    count, size = len(data.train), data.train.images.shape[-1]
    # one attribute, absent or present, is enough
    least = 2 if data.train.labels.ndim == 1 else 1
    if count < 2 or len(data.classes) < least:
        classes = count_noun(len(data.classes), "class", "classes")
        raise UserError(
            f"{data.name} has {count_noun(count, 'image')} of {classes}; "
            "a classifier needs two or more of both"
        )
    if size < SMALLEST:
        raise UserError(
            f"{data.name} has images of {size} pixels; the classifier needs {SMALLEST} or more"
        )


def _describe_classifier(network: ClassifierNetwork, data: ClassificationData) -> dict[str, Any]:
    """The protocol of a classifier, but for the digest of its file."""
    return {
        "extractor": "classifier",
        "version": VERSION,
        "trained_on": data.name,
        "fingerprint": data.fingerprint,
        "images": len(data.train),
        "accuracy": classification_accuracy(network, data.test) if len(data.test) else None,
        "tested": len(data.test),
        "size": data.train.images.shape[-1],
        "channels": data.train.images.shape[1],
        "classes": list(data.classes),
    }


def fit_classifier(
    train: LabelledImages, classes: int, progress: bool = False
) -> ClassifierNetwork:
    """Train a network with AdamW and a one-cycle schedule, on randomly shifted images.

    Betas (0.9, 0.999), weight decay 0.01, learning rate up to RATE. The caller's random state and
    number of threads are left as they were.

    Returns:
        The network, on the CPU, in evaluation mode.
    """
    size, channels = train.images.shape[-1], train.images.shape[1]

    # At least IMAGES, unless that is more than MOST_PASSES epochs; at least PASSES epochs.
    batch = min(BATCH, len(train))
    steps = max(min(IMAGES, MOST_PASSES * len(train)), PASSES * len(train)) // batch
    shift = round(size / 14)  # pixels: 2 for MNIST's 28

    # Weights, order and shifts come from one seed; the caller's random state comes back after.
    with torch.random.fork_rng(devices=[]), _fix_threads(THREADS):
        torch.default_generator.manual_seed(0)
        network = ClassifierNetwork(size, channels, classes)
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01, fused=True)
        # the rate rises over the first fifth of the steps
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, RATE, total_steps=steps, pct_start=0.2
        )

        numbers = track(range(steps), "training the classifier", shown=progress)
        for _, places in zip(numbers, _shuffled_batches(len(train), batch)):
            images, labels = train.batch(places)  # float32 (batch, C, H, W) in [-1, 1]

            # one shift for the whole batch
            down, right = torch.randint(-shift, shift + 1, (2,)).tolist()
            logits = network(shift_images(images, down, right))[1]  # (batch, classes)
            loss = _cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        return network.eval()


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of classes int64 (N,), or of attributes float (N, A) that are 0 or 1."""
    if labels.ndim == 1:
        return functional.cross_entropy(logits, labels)
    return functional.binary_cross_entropy_with_logits(logits, labels)


def _shuffled_batches(count: int, batch: int) -> Iterator[np.ndarray]:
    """Yield places (batch,) among `count`, without end.

    Each epoch has a new order; what does not fill a batch is left out.
    """
    while True:
        order = torch.randperm(count).numpy()
        for start in range(0, count - batch + 1, batch):
            yield order[start : start + batch]


def shift_images(images: Tensor, down: int, right: int) -> Tensor:
    """Shift images (N, C, H, W) by some pixels; the border is repeated."""
    height, width = images.shape[-2:]
    margin = max(abs(down), abs(right))
    padded = functional.pad(images, (margin,) * 4, mode="replicate")
    top, left = margin - down, margin - right  # positive: content moves down, right
    return padded[..., top : top + height, left : left + width]


@torch.no_grad()
def classification_accuracy(network: ClassifierNetwork, test: LabelledImages) -> float:
    """The share of images that the network classifies correctly; NaN without images."""
    if not len(test):
        return float("nan")
    parts = np.array_split(np.arange(len(test)), -(-len(test) // CHUNK))
    right = []
    for images, labels in map(test.batch, parts):
        right.append(network(images)[1].argmax(1).eq(labels))  # of classes, not attributes
    return torch.cat(right).double().mean().item()


@contextmanager
def _fix_threads(count: int) -> Iterator[None]:
    """Use a fixed number of CPU threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""Features by a small network of ours that tells the classes of a labelled set apart: for digits
and the like.

Inception was trained on photographs and looks at 299x299 pixels; on scanned digits it is slow and
sees little. This network is trained on the very set in question, on the pictures that a GAN may see
too and never on those it is judged by, once, and kept.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from ganvas.errors import UserError
from ganvas.evaluation.metrics.features import CHUNK, Features
from ganvas.io.cache import cache_folder
from ganvas.io.console import count_noun, track
from ganvas.io.files import atomic_path
from ganvas.io.images import to_float

VERSION = 1  # to be raised when network or training change
FEATURES = 128
BATCH = 128
SHOWN = 60_000  # pictures shown while training, at least; and every picture PASSES times
PASSES = 3
MOST_PASSES = 100  # through sets so small that SHOWN would be more
RATE = 5e-3  # the highest of a one-cycle schedule
# while training: sums of gradients depend on their number, and several wait for each other on a
# busy machine
THREADS = 1
SMALLEST = 8  # pixels


@dataclass(frozen=True)
class Labelled:
    """Pictures with classes.

    Attributes:
        images: uint8 (M, C, H, W), may be a memory map.
        labels: int64 (M,).
        rows: which of them, (N,).
    """

    images: np.ndarray
    labels: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, places: np.ndarray) -> tuple[Tensor, Tensor]:
        """Pictures float32 (n, C, H, W) in [-1, 1] and classes int64 (n,) at places among `rows`."""
        rows = self.rows[places]
        return to_float(torch.from_numpy(self.images[rows])), torch.from_numpy(self.labels[rows])


class ClassifierNetwork(nn.Module):
    """Halvings by strided convolutions (5x5, then 3x3;

    32, 64, 128, 128, ... channels) down to 4x4 or less, then two layers.
    """

    def __init__(self, size: int, channels: int, classes: int):
        super().__init__()
        modules: list[nn.Module] = []
        inputs, side, width, kernel = channels, size, 32, 5
        while side > 4 or len(modules) < 6:
            modules += [
                nn.Conv2d(inputs, width, kernel, 2, kernel // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(True),
            ]
            inputs, side, width, kernel = width, -(-side // 2), min(128, 2 * width), 3
        modules += [
            nn.Flatten(),
            nn.Linear(inputs * side**2, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(True),
        ]
        self.features = nn.Sequential(*modules).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """float32 (N, C, H, W) to features (N, FEATURES), 0 or more, and logits (N, classes)."""
        features = self.features(images.contiguous(memory_format=torch.channels_last))
        return features, self.head(features)


class Classifier:
    """The extractor: 128 features, before the last layer, and logits.

    Args:
        network: trained.
        protocol: "extractor", "version", "trained_on" (name of the set), "fingerprint" (its
            content), "accuracy" (share of `tested` pictures, never trained on, whose class it
            sees), "size", "channels", "classes" (names), "sha256" (of the file of weights).
        device: where it looks.
    """

    def __init__(
        self,
        network: ClassifierNetwork,
        protocol: dict[str, Any],
        device: torch.device | str = "cpu",
    ):
        self.device = torch.device(device)
        self.network = network.to(self.device).eval().requires_grad_(False)
        self.protocol = protocol

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the logits."""
        return tuple(self.protocol["classes"])

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """Features of uint8 (N, C, size, size), on the CPU.

        Raises:
            UserError: pictures of another size or other channels than it was trained on.
        """
        shape = (self.protocol["channels"], self.protocol["size"], self.protocol["size"])
        if tuple(images.shape[1:]) != shape:
            raise UserError(
                f"the classifier was trained on pictures of {shape}, these are {tuple(images.shape[1:])}"
            )
        # Without TF32: it is the default of convolutions on newer GPUs, and keeps 10 of 23 bits.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            values, logits = self.network(to_float(images.to(self.device)))
        return Features(values.cpu(), logits.cpu())


class StackedClassifier:
    """The extractor for Stacked-MNIST: the classifier of the digits looks at each channel by
    itself.

    384 features, and logits of 1000 classes: log-probabilities of the three digits, summed.
    """

    def __init__(self, digits: Classifier):
        self.digits = digits
        self.protocol = digits.protocol | {"extractor": "stacked classifier"}

    def __call__(self, images: Tensor) -> Features:
        """Features of uint8 (N, 3, H, W)."""
        count, channels = images.shape[:2]
        found = self.digits(images.flatten(0, 1).unsqueeze(1))
        assert found.logits is not None
        red, green, blue = found.logits.log_softmax(1).view(count, channels, -1).unbind(1)
        logits = red[:, :, None, None] + green[:, None, :, None] + blue[:, None, None, :]
        return Features(found.values.view(count, -1), logits.flatten(1))


def trained_classifier(
    train: Labelled,
    test: Labelled,
    classes: tuple[str, ...],
    name: str,
    fingerprint: str,
    device: torch.device | str = "cpu",
    progress: bool = False,
) -> Classifier:
    """The classifier of a labelled set, from the cache or trained now: a minute for the 60,000
    pictures of MNIST.

    Trained on the CPU by one thread, whatever `device` and the surrounding program's threads: on
    the same kind of processor and version of torch the same pictures give the same bits.

    Args:
        train: what it may learn from.
        test: pictures that it is not trained on, for its accuracy.
        classes: names.
        name: of the set, for people.
        fingerprint: of the whole set that `train` is from.
        device: where it will look.
        progress: show the training on stderr.

    Raises:
        UserError: fewer than 2 pictures or classes, pictures that are too small, or the cache
            cannot be written.
    """
    check(train, classes, name)
    rows = hashlib.sha256(train.rows.astype("<i8").tobytes()).hexdigest()
    key = hashlib.sha256(
        json.dumps([VERSION, fingerprint, rows, torch.__version__]).encode()
    ).hexdigest()[:32]
    path = cache_folder() / "classifiers" / f"{key}.safetensors"
    if path.is_file():
        try:
            return read_classifier(path, device)
        except UserError:
            path.unlink()  # damaged; it can be made again
    network = fit(train, len(classes), progress)
    about = {
        "extractor": "classifier",
        "version": VERSION,
        "trained_on": name,
        "fingerprint": fingerprint,
        "pictures": len(train),
        "accuracy": accuracy(network, test) if len(test) else None,
        "tested": len(test),
        "size": train.images.shape[-1],
        "channels": train.images.shape[1],
        "classes": list(classes),
    }
    with atomic_path(path) as partial:
        # One key: of several, the order in the file would be random, and so its digest.
        save_file(
            {key: value.contiguous() for key, value in network.state_dict().items()},
            partial,
            {"about": json.dumps(about)},
        )
    return read_classifier(path, device)


def check(train: Labelled, classes: tuple[str, ...], name: str) -> None:
    """Refuse what no classifier can learn from."""
    if len(train) < 2 or len(classes) < 2:
        found = (
            f"{count_noun(len(train), 'picture')} of {count_noun(len(classes), 'class', 'classes')}"
        )
        raise UserError(f"{name} has {found}; a classifier needs two or more of both")
    if train.images.shape[-1] < SMALLEST:
        raise UserError(
            f"{name} has pictures of {train.images.shape[-1]} pixels; the classifier needs {SMALLEST} or more"
        )


def read_classifier(path: Path, device: torch.device | str = "cpu") -> Classifier:
    """A classifier from its file.

    Raises:
        UserError: the file is missing, damaged, or holds another network.
    """
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    if (
        not isinstance(about, dict)
        or about.get("extractor") != "classifier"
        or about.get("version") != VERSION
    ):
        raise UserError(
            f"{path} holds the weights of another network, not of ganvas's classifier, version {VERSION}"
        )
    with torch.device("meta"):  # no first weights, which would be drawn at random
        network = ClassifierNetwork(about["size"], about["channels"], len(about["classes"]))
    if {name: value.shape for name, value in tensors.items()} != {
        k: v.shape for k, v in network.state_dict().items()
    }:
        raise UserError(f"{path} is damaged: its weights do not fit what it says of itself")
    network.load_state_dict(tensors, assign=True)
    network.features.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Classifier(network, about | {"sha256": digest}, device)


def fit(train: Labelled, classes: int, progress: bool = False, seed: int = 0) -> ClassifierNetwork:
    """Train a network: AdamW (0.9, 0.999), weight decay 0.01, one cycle of the rate up to RATE;
    pictures shifted at random.

    The caller's random state and number of threads are left as they were.

    Returns:
        The network, on the CPU, in evaluation mode.
    """
    size, channels = train.images.shape[-1], train.images.shape[1]
    batch = min(BATCH, len(train))
    steps = max(min(SHOWN, MOST_PASSES * len(train)), PASSES * len(train)) // batch
    shift = round(size / 14)  # pixels
    with torch.random.fork_rng(devices=[]), threads(THREADS):
        torch.default_generator.manual_seed(seed)
        network = ClassifierNetwork(size, channels, classes)
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, RATE, total_steps=steps, pct_start=0.2
        )
        rounds = track(range(steps), "training the classifier", shown=progress)
        for _, places in zip(rounds, orders(len(train), batch)):
            images, labels = train.at(places)
            down, right = torch.randint(-shift, shift + 1, (2,)).tolist()
            loss = cross_entropy(network(moved(images, down, right))[1], labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        return network.eval()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Of one class a picture, int64 (N,), or of attributes that each picture has or not, float (N,
    A).
    """
    if labels.ndim == 1:
        return functional.cross_entropy(logits, labels)
    return functional.binary_cross_entropy_with_logits(logits, labels)


def orders(count: int, batch: int) -> Iterator[np.ndarray]:
    """Places (batch,) among `count`, without end: each pass in a new order, what does not fill a
    batch left out.
    """
    while True:
        order = torch.randperm(count).numpy()
        for start in range(0, count - batch + 1, batch):
            yield order[start : start + batch]


def moved(images: Tensor, down: int, right: int) -> Tensor:
    """Pictures (N, C, H, W) moved by some pixels; the border is repeated."""
    height, width = images.shape[-2:]
    margin = max(abs(down), abs(right))
    wide = functional.pad(images, (margin,) * 4, mode="replicate")
    return wide[
        ..., margin - down : margin - down + height, margin - right : margin - right + width
    ]


@torch.no_grad()
def accuracy(network: ClassifierNetwork, test: Labelled) -> float:
    """Share of pictures whose class the network sees; NaN without pictures."""
    if not len(test):
        return float("nan")
    parts = np.array_split(np.arange(len(test)), -(-len(test) // CHUNK))
    right = [network(images)[1].argmax(1).eq(labels) for images, labels in map(test.at, parts)]
    return torch.cat(right).double().mean().item()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """A fixed number of threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)

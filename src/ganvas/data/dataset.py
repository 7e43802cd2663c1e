"""What a data set is once it is open: pictures or points as one array, labels, and a report of how they came to be."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from ganvas.images import Fit


class View(BaseModel):
    """How training wants to see the pictures. Part of a recipe, and of the packed store's key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Side in pixels; None: the pictures' own, where they share one.
    size: int | None = Field(default=None, ge=1, le=4096)
    channels: Literal[1, 2, 3] | None = None  # 1: grey; 3: rgb; 2: points in the plane, of size 1; None: the data's own
    fit: Fit = "crop"
    background: str = "white"  # behind transparent pixels, and around padded pictures
    labels: str = "none"  # for folders and zips: "none", "folders", or a CSV file; idx sets carry their own


class Skipped(BaseModel):
    """A file that training will not see."""

    file: str
    reason: str


class DataReport(BaseModel):
    """What was found and what was done to it; written beside a run and shown by the data doctor."""

    spec: str
    found: int  # files or pictures that claim to be pictures
    used: int
    skipped: list[Skipped] = []
    sizes: dict[str, int] = {}  # "96x96" (width x height): count, as found
    modes: dict[str, int] = {}  # "RGB", "L", "P", "CMYK", ...: count, as found
    classes: dict[str, int] = {}  # class name: count, as used
    steps: list[str] = []  # what is done to the pictures, in order, one sentence each
    notes: list[str] = []  # what a person should know: labels that are not used, enlarged pictures, ...


@dataclass(frozen=True)
class Dataset:
    """Pictures ready for training.

    Attributes:
        images: pictures, uint8 (N, C, H, W), H = W, usually a memory map; or points, float32 (N, 2, 1, 1) in [-1, 1].
        labels: int64 (N,) in [0, len(classes)), or None.
        classes: class names, in label order; empty without labels.
        fingerprint: hexadecimal digest of pixels and labels; equal data, equal fingerprint, wherever it lies.
        report: how the set came to be.
    """

    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    fingerprint: str
    report: DataReport

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""
        return self.images.shape[-1]

    @property
    def channels(self) -> int:
        """1 (grey), 3 (rgb) or 2 (points)."""
        return self.images.shape[1]

    @property
    def kind(self) -> str:
        """What it holds, in words: "28x28 grey"."""
        return in_words(self.size, self.channels)

    def batch(self, indices: np.ndarray) -> dict[str, Tensor]:
        """The pictures at `indices` (N,): {"image": as in `images`} and, with labels, {"label": int64 (N,)}."""
        # Sorted reads walk a memory map in one direction; the order asked for is restored after.
        order = np.argsort(indices, kind="stable")
        images = np.empty((len(indices), *self.images.shape[1:]), self.images.dtype)
        images[order] = self.images[indices[order]]
        batch = {"image": torch.from_numpy(images)}
        if self.labels is not None:
            batch["label"] = torch.from_numpy(self.labels[indices])
        return batch


def in_words(size: int, channels: int) -> str:
    """Pictures of a size and channels in words; points have channels 2."""
    return "points" if channels == 2 else f"{size}x{size} {'grey' if channels == 1 else 'rgb'}"


def fingerprint(images: np.ndarray, labels: np.ndarray | None, classes: Sequence[str]) -> str:
    """Hexadecimal digest of pixels (N, C, H, W), labels (N,) and class names; reads a memory map piece by piece."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps([images.shape, list(classes)]).encode())
    for start in range(0, len(images), 1024):
        digest.update(np.ascontiguousarray(images[start : start + 1024]).data)
    if labels is not None:
        digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()

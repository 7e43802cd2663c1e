"""What `auto` goes by: the machine, and the data as far as settings depend on it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from ganvas.data import NAMES, find_kind, open_dataset
from ganvas.data.dataset import Dataset, View
from ganvas.data.folders.labels import usual_labels
from ganvas.data.folders.sizes import SIDES, SizeNeededError
from ganvas.data.pick import choose_rows
from ganvas.errors import UserError
from ganvas.gans.nn.networks import stage_sizes
from ganvas.recipes.recipe import make_view

# side of the pictures made, in pixels, unless another is asked for
LARGEST = {"cpu": 64, "mps": 128, "cuda": 256}
LARGEST_WITH_CAPTIONS = 64  # on any device
ENOUGH = 1_000  # pictures whose mean is that of all
SMALLEST = 6  # pixels of the side that the smallest GAN makes
SYMMETRY = 0.2  # see `mirrored`
Kind = Literal["image", "pairs", "unpaired", "attributes", "captions", "keypoints", "points"]


@dataclass(frozen=True)
class Machine:
    """What will train.

    Attributes:
        device: "cpu", "cuda" or "mps".
        memory: bytes; of the GPU, or of the machine.
    """

    device: str
    memory: int


@dataclass(frozen=True)
class Facts:
    """What settings are chosen by.

    Attributes:
        view: how the data is to be seen: its size, channels and labels are known.
        kind: "image" for single pictures, or what else the rows are.
        own: side in pixels that the pictures have or, if they differ, that four fifths of them have
            at least.
        pictures: how many rows.
        classes: how many; 0: none.
        mirrored: whether mirror images would be pictures of the same kind.
    """

    view: View
    kind: Kind
    own: int
    pictures: int
    classes: int
    mirrored: bool


def machine(device: torch.device) -> Machine:
    """What a device is and how much memory it has."""
    if device.type == "cuda":
        return Machine("cuda", torch.cuda.get_device_properties(device).total_memory)
    # of 4 KiB: 8 GiB where nobody tells
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 2**21
    return Machine(
        device.type, pages * (os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096)
    )


def survey(spec: str, given: Mapping[str, Any], device: str, progress: bool = False) -> Facts:
    """Look at data as far as settings depend on it.

    Args:
        given: settings that were asked for; those of the view are kept.
        device: that will train, for how large pictures may be.

    Raises:
        UserError: as `open_dataset`.
    """
    chosen = {key: value for key, value in given.items() if key in View.model_fields}
    kind = kind_of(spec)
    if kind == "image" and "labels" not in chosen and is_place(spec):
        chosen["labels"] = usual_labels(Path(spec).expanduser())
    try:
        dataset = open_dataset(spec, make_view(**chosen), progress=progress)
        own = dataset.size
    except SizeNeededError as needed:
        own = needed.suggestion
        dataset = open_dataset(
            spec, make_view(**chosen, size=side_for(own, device, kind)), progress=progress
        )
    wanted = chosen.get("size") or (
        dataset.size if kind == "points" else side_for(own, device, kind)
    )
    if wanted != dataset.size:
        dataset = open_dataset(spec, make_view(**chosen, size=wanted), progress=progress)
    view = make_view(**chosen | {"size": wanted, "channels": dataset.channels})
    if kind == "captions" and dataset.schema.names.get("keypoints"):
        kind = "keypoints"
    return Facts(view, kind, own, len(dataset), len(dataset.classes), mirrored(dataset))


def kind_of(spec: str) -> Kind:
    """What the rows of a set are, by its name."""
    found = find_kind(spec)
    return found.rows if found else "image"


def is_place(spec: str) -> bool:
    """Whether a set is a folder or zip, and no set that goes by a name."""
    return spec.partition(":")[0] not in NAMES and Path(spec).expanduser().exists()


def side_for(own: int, device: str, kind: Kind) -> int:
    """The side at which pictures of `own` pixels are to be learnt: their own if it can be, at most
    what the device has time for.
    """
    most = largest_side(device, kind)
    if own <= most and can_be_made(own):
        return own
    return max(side for side in (SMALLEST, *SIDES) if side <= max(SMALLEST, min(own, most)))


def largest_side(device: str, kind: Kind) -> int:
    """The largest side, in pixels, that is chosen for rows of a kind."""
    return (
        min(LARGEST[device], LARGEST_WITH_CAPTIONS)
        if kind in ("captions", "keypoints")
        else LARGEST[device]
    )


def can_be_made(side: int) -> bool:
    """Whether a GAN can double a small map up to this side."""
    try:
        stage_sizes(side)
    except UserError:
        return False
    return True


def mirrored(dataset: Dataset) -> bool:
    """Whether mirror images would be pictures of the same kind, by the mean picture: of faces it is
    nearly its own mirror image, of letters it is not. Of grey pictures never, since these are often
    writing.
    """
    if dataset.channels != 3 or "image" not in dataset.columns:
        return False
    near = dataset.near(np.arange(len(dataset)), ENOUGH)  # of a sharded set not every shard is read
    rows = choose_rows(near, ENOUGH)
    pictures = dataset.batch(rows)["image"].float()
    mean, spread = pictures.mean(0), pictures.std(0, correction=0).mean().clamp(min=1e-6)
    return bool((mean - mean.flip(-1)).abs().mean() / spread < SYMMETRY)

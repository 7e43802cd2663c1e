"""The facts that `auto` decides by: the machine, and the data as far as settings depend on it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ganvas.data import find_kind, open_dataset
from ganvas.data.arrays.open import holds_arrays
from ganvas.data.dataset import Dataset
from ganvas.data.folders.labels import usual_labels
from ganvas.data.folders.spec import Place, name_images
from ganvas.data.kinds import KINDS
from ganvas.data.open import name_split, survey_sizes
from ganvas.data.pick import choose_rows
from ganvas.data.view import View, make_view
from ganvas.recipes.sides import Framing, RowsKind, choose_framing, choose_side

__all__ = ["DataFacts", "Machine", "inspect_machine", "is_symmetric", "survey_data"]

ENOUGH = 1_000  # images whose mean stands for that of all
SYMMETRY = 0.2  # see `is_symmetric`


@dataclass(frozen=True)
class Machine:
    """The device that will train.

    Attributes:
        device: "cpu", "cuda" or "mps".
        memory: bytes of the GPU, or else of the machine.
    """

    device: str
    memory: int


@dataclass(frozen=True)
class DataFacts:
    """The facts of the data that settings depend on.

    Attributes:
        view: how training sees the data; its size, channels and labels are known.
        kind: "image" for single images, or what else the rows are.
        framing: the images' own size, and how they become squares of one size.
        images: number of rows.
        classes: number of classes; 0 without labels.
        symmetric: whether mirrored images are plausible images, too.
        degradation: how side a of pairs was made of side b, such as "grey"; "": it was not.
    """

    view: View
    kind: RowsKind
    framing: Framing
    images: int
    classes: int
    symmetric: bool
    degradation: str = ""


def inspect_machine(device: torch.device) -> Machine:
    """Find the type of a device and how much memory it has."""
    if device.type == "cuda":
        return Machine("cuda", torch.cuda.get_device_properties(device).total_memory)

    # Where the system does not say: 8 GiB, in pages of 4 KiB.
    pages, page_size = 2**21, 4096
    if hasattr(os, "sysconf"):
        pages, page_size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(device.type, pages * page_size)


def survey_data(
    spec: str,
    given: Mapping[str, Any],
    device: str,
    progress: bool = False,
    usual: Mapping[str, Any] | None = None,
) -> DataFacts:
    """Open data and find the facts that settings depend on.

    Args:
        spec: the data set, as `open_dataset` takes it.
        given: requested settings; those of the view are kept.
        device: the type of the device that will train; it limits the size.
        progress: show a progress bar while the data is opened.
        usual: settings of the view that this kind of data is trained with, unless others are given.

    Raises:
        UserError: the data cannot be opened.
    """
    chosen = {key: value for key, value in given.items() if key in View.model_fields}
    make_view(**chosen)  # a wrong value is reported before the data is looked at
    chosen = dict(usual or {}) | chosen
    kind = _name_rows(spec)
    named, _ = name_split(spec, make_view(**chosen))
    if kind == "image" and "labels" not in chosen and (place := _find_images(named)):
        links = chosen.get("follow_links", False)
        chosen["labels"] = usual_labels(place.paths[0], place.split, links)

    # The images' own side first: files are packed once, as training will ask for them.
    dataset = None
    survey = survey_sizes(spec, make_view(**chosen))
    if survey:
        framing = choose_framing(survey, device, kind, chosen.get("fit"))
    else:
        dataset = open_dataset(spec, make_view(**chosen), progress=progress)
        own = dataset.size
        side = own if kind == "points" else choose_side(own, device, kind)
        framing = Framing(side, make_view(**chosen).fit, own)

    frame = {"size": framing.side, "fit": framing.fit}
    view = make_view(**frame | {key: value for key, value in chosen.items() if value is not None})
    if dataset is None or dataset.size != view.size:
        dataset = open_dataset(spec, view, progress=progress)

    # planes of a label map are no channels that a person chooses
    if len(dataset.report.categories) < len(dataset.pictures):
        view = view.model_copy(update={"channels": dataset.channels})
    if kind == "captions" and dataset.schema.names.get("keypoints"):
        kind = "keypoints"
    classes = len(dataset.classes)
    symmetric = is_symmetric(dataset)
    degradation = dataset.report.degradation
    return DataFacts(view, kind, framing, len(dataset), classes, symmetric, degradation)


def _name_rows(spec: str) -> RowsKind:
    """What the rows of a data set are, by its name."""
    found = find_kind(spec)
    return found.rows if found else "image"


def _find_images(spec: str) -> Place | None:
    """The place of a folder or zip of plain images; None: another kind of data."""
    if find_kind(spec) not in (None, KINDS["images"]):
        return None
    place = name_images(spec)
    there = place.paths[0].exists() and not holds_arrays(place.paths[0])
    return place if there else None


def is_symmetric(dataset: Dataset) -> bool:
    """Whether mirrored images would be plausible images, too, according to the mean image.

    The mean of faces is nearly its own mirror image, that of letters is not. Grey images never
    count as symmetric, since they are often writing.
    """
    if dataset.channels != 3 or "image" not in dataset.columns:
        return False

    # Neighbouring rows, so that of a sharded data set not every shard is read.
    near = dataset.near(np.arange(len(dataset)), ENOUGH)
    rows = choose_rows(near, ENOUGH)
    images = dataset.batch(rows)["image"].float()  # (N, 3, H, W)
    # (3, H, W). The difference is in units of how much images differ from one another, so that
    # pale or dark sets are treated alike.
    mean = images.mean(0)
    spread = images.std(0, correction=0).mean().clamp(min=1e-6)
    return bool((mean - mean.flip(-1)).abs().mean() / spread < SYMMETRY)

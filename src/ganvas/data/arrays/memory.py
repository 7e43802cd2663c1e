"""Images in the memory of a program as a data set: arrays, tensors, and Pillow's images.

Such a set is called "memory:DIGEST" after its content. So a run can tell whether it is given the
same images again, and what is packed already is found without them.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import torch
from PIL import Image

from ganvas.data.arrays.images import ArrayImages, read_labels
from ganvas.data.arrays.pack import pack_array, pack_source
from ganvas.data.arrays.values import find_scale, to_bytes
from ganvas.data.dataset import Dataset
from ganvas.data.folders.sizes import SizeSurvey, survey_files
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.store import Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices
from ganvas.io.images import planes, to_pil, to_png

__all__ = ["MEMORY", "Images", "Labels", "keep_images", "name_data", "open_memory", "survey_memory"]

MEMORY = "memory"
ROWS = 256  # of an array that are converted at once
# What may be given instead of a data set's name, and instead of a table of labels.
Images = np.ndarray | torch.Tensor | Sequence[Image.Image | np.ndarray | torch.Tensor]
Labels = np.ndarray | torch.Tensor | Sequence[int] | Sequence[str]


class PictureList(FileSource):
    """Images of any sizes in memory, read as if each were a file."""

    def __init__(self, images: Sequence[Image.Image]) -> None:
        self.place = Path(MEMORY)
        self.zip = None
        self.unseen = []
        self.films = 0
        self.wrapper = ""
        self.others = {}
        self.contents = [to_png(image) for image in images]  # lossless, and smaller than the pixels
        self.pictures = [
            Entry(f"image {number}", len(content), 0, number)
            for number, content in enumerate(self.contents)
        ]

    def read(self, entry: Entry) -> bytes:
        """The image as a PNG file."""
        assert isinstance(entry.where, int)
        return self.contents[entry.where]

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream of the image as a PNG file."""
        return BytesIO(self.read(entry))


class KeptImages(NamedTuple):
    """Images that a program has given.

    Attributes:
        images: of one size as an array, or of any sizes.
        labels: int64 (N,); None: there are none.
        classes: their names.
    """

    images: ArrayImages | PictureList
    labels: np.ndarray | None
    classes: tuple[str, ...]


# by digest; for as long as the program runs, since training and evaluation open a set by its name
KEPT: dict[str, KeptImages] = {}


def name_data(data: Any, labels: Any = None) -> tuple[str, str | Path | None]:
    """The name of a data set that is given by name or place, or as images in memory; and the labels
    that remain to be looked for.

    Raises:
        UserError: the images cannot be used.
    """
    if isinstance(data, str | Path):
        if labels is not None and not isinstance(labels, str | Path):
            raise UserError(
                f"labels in memory are for images in memory; {data} needs the name of a table, or "
                '"folders"'
            )
        return str(data), labels
    return keep_images(data, labels), None


def keep_images(data: Any, labels: Any = None) -> str:
    """Keep images for `open_memory`; returns the name of their data set.

    Args:
        data: (N, H, W), (N, H, W, C) or (N, C, H, W); or a sequence of images.
        labels: a whole number or a text for each image.

    Raises:
        UserError: they are no images, or the labels do not fit.
    """
    if isinstance(labels, str | Path) and str(labels) != "none":
        raise UserError(f"labels {str(labels)!r}: of images in memory, give a label for each image")
    images, digest = _read_images(data)
    count = images.shape[0] if isinstance(images, ArrayImages) else len(images.pictures)
    values, classes = None, ()
    if labels is not None and not isinstance(labels, str | Path):
        values, classes = read_labels(_as_array(labels), count, "labels")
        digest.update(values.tobytes() + json.dumps(classes).encode())

    spec = f"{MEMORY}:{digest.hexdigest()}"
    KEPT[spec] = KeptImages(images, values, classes)
    return spec


def open_memory(spec: str, view: View, progress: bool = False) -> Dataset:
    """Open "memory:DIGEST", packed.

    Raises:
        UserError: no program has given these images, and they are not packed for this view.
    """
    kept = KEPT.get(spec)

    def build(folder: Path) -> Packed:
        if kept is None:
            raise UserError(
                f"{spec} are images that a Python program had in memory: give the same ones again, "
                "as ganvas.train(data=images, labels=labels, out=RUN)"
            )
        if isinstance(kept.images, ArrayImages):
            return pack_array(folder, kept.images, kept.labels, kept.classes, view)
        if view.transpose:
            raise UserError("transpose is for arrays; a list of images holds them as they are seen")
        labels = None if kept.labels is None else kept.labels.tolist()
        return pack_source(folder, kept.images, labels, kept.classes, view, progress)

    return open_store([spec, view.key()], build).with_report(spec=spec)


def survey_memory(spec: str) -> SizeSurvey | None:
    """The sizes of kept images; None: they have one size, or are not kept."""
    kept = KEPT.get(spec)
    if kept is None or isinstance(kept.images, ArrayImages):
        return None
    return survey_files([kept.images])


def _read_images(data: Any) -> tuple[ArrayImages | PictureList, "hashlib.blake2b"]:
    """Images in any form, and the digest of what was given.

    Raises:
        UserError: they are no images.
    """
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(data, np.ndarray | torch.Tensor):
        return _read_array(_as_array(data), digest), digest
    if not isinstance(data, Sequence) or not data:
        raise UserError(
            f"data of the type {type(data).__name__}: give the name of a data set, an array or a "
            "tensor of images, or a list of them"
        )

    if not all(isinstance(one, Image.Image) for one in data):
        arrays = [_as_array(one) for one in data]
        if len({(array.shape, array.dtype) for array in arrays}) == 1:
            return _read_array(np.stack(arrays), digest), digest
        data = _draw_arrays(arrays)
    for image in data:
        digest.update(json.dumps([image.mode, *image.size]).encode() + image.tobytes())
    return PictureList(data), digest


def _read_array(values: np.ndarray, digest: "hashlib.blake2b") -> ArrayImages:
    """Images of one size."""

    def pieces() -> Iterator[np.ndarray]:
        for rows in chunk_slices(len(values), ROWS):
            yield values[rows]

    images = ArrayImages("the array", values.shape, values.dtype, pieces)
    digest.update(json.dumps([values.dtype.str, *values.shape]).encode())
    for piece in pieces():
        digest.update(np.ascontiguousarray(piece).data)
    return images


def _draw_arrays(arrays: Sequence[np.ndarray]) -> list[Image.Image]:
    """Arrays of several sizes, (H, W), (H, W, C) or (C, H, W), as images.

    Raises:
        UserError: one is no image, or the values are in no usual range.
    """
    kind = np.result_type(*arrays)
    for array in arrays:
        # the checks of an array of two such images
        ArrayImages("an image of the list", (2, *array.shape), array.dtype, lambda: iter(()))
    low = min(float(array.min()) for array in arrays)
    high = max(float(array.max()) for array in arrays)
    scale = find_scale(kind, low, high, "the list")

    drawn = []
    for array in arrays:
        values = to_bytes(array, scale)
        if values.ndim == 2:
            values = values[..., None]
        elif values.shape[0] in (1, 3) and values.shape[2] not in (1, 3):
            values = np.moveaxis(values, 0, 2)
        drawn.append(to_pil(planes(values)))
    return drawn


def _as_array(values: Any) -> np.ndarray:
    """A tensor, an image or a list as an array.

    Raises:
        UserError: it is none of these.
    """
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().numpy()
    try:
        return np.asarray(values)
    except ValueError as error:
        raise UserError(f"the values of a list differ in shape: {error}") from error

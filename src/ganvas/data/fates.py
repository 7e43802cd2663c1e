"""What becomes of the images of a row: used, or left out and why."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ganvas.data.folders.labels import list_some
from ganvas.data.parts import Part
from ganvas.data.view import View
from ganvas.io.image_files import Picture
from ganvas.io.label_maps import NO_CATEGORY
from ganvas.io.rasters import is_grey
from ganvas.io.values import Reading

__all__ = [
    "LEAST_SHARE",
    "Fate",
    "ImageTraits",
    "describe_fate",
    "find_fault",
    "find_meaning_fault",
    "find_size_fault",
]

SEEN = 64  # rows and columns of an image that show how dark and light it is
LEAST_SHARE = 8  # pictures are left out whose side is smaller than this part of the square's


class ImageTraits(NamedTuple):
    """What several image files may have in common.

    Attributes:
        width: in pixels, upright.
        height: in pixels, upright.
        mode: Pillow's name of the pixel format in the file, such as "RGB".
        transparent: whether transparent pixels were laid over the background.
        turned: whether it was turned upright as its EXIF orientation says.
    """

    width: int
    height: int
    mode: str
    transparent: bool = False
    turned: bool = False

    @property
    def grey(self) -> bool:
        """Whether there is no colour in it."""
        return is_grey(self.mode)


class Fate(NamedTuple):
    """What became of one image of a row.

    Attributes:
        name: of the row, within its set.
        reason: why the row is left out; "" if it is used.
        width: in pixels, upright; 0 if it could not be read.
        height: in pixels, upright; 0 if it could not be read.
        mode: as in `ImageTraits`; "" if it could not be read.
        transparent: as in `ImageTraits`.
        turned: as in `ImageTraits`.
        low: the lowest of its values in the file, where a range was applied to them.
        high: the highest of them.
        dark: of 0..255, nearly all of its pixels are this or more, as training sees them.
        light: nearly all are this or less.
        mark: of a frame or a tile, behind the name: "#12", "#3,5"; "" for a whole file.
        first: whether it is the first tile of its image, or the only one.
        frames: how many frames or pages its file holds.
        digest: equal for equal images; 0: not known.
        remarks: what the decoder complained of.
    """

    name: str
    reason: str
    width: int = 0
    height: int = 0
    mode: str = ""
    transparent: bool = False
    turned: bool = False
    low: float | None = None
    high: float | None = None
    dark: int = 0
    light: int = 255
    mark: str = ""
    first: bool = True
    frames: int = 1
    digest: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name with the mark, for people."""
        return self.name + self.mark

    @property
    def traits(self) -> ImageTraits:
        """What it may have in common with others."""
        return ImageTraits(self.width, self.height, self.mode, self.transparent, self.turned)


def find_meaning_fault(pictures: Sequence[Picture], readings: Sequence[Reading]) -> str:
    """Why images are nothing to learn from, "" if they are: one is no result, or a label map with a
    label that is no category.
    """
    for picture, reading in zip(pictures, readings):
        if picture.candidate:
            return "not a result: another candidate for one, drawn by ganvas"
        if reading.categories and (picture.pixels == NO_CATEGORY).any():
            shown = list_some(list(reading.categories))
            return f"holds a label that is none of the categories {shown}"
    return ""


def describe_fate(name: str, reason: str, part: Part, picture: Picture) -> Fate:
    """What became of an image that was read."""
    dark, light = _find_contrast(picture.pixels)
    width, height = picture.size
    return Fate(
        name=name,
        reason=reason,
        width=width,
        height=height,
        mode=picture.mode,
        transparent=picture.transparent,
        turned=picture.turned,
        low=picture.low,
        high=picture.high,
        dark=dark,
        light=light,
        mark=part.mark,
        first=part.first,
        frames=picture.frames,
        digest=part.digest,
        remarks=picture.remarks,
    )


def _find_contrast(pixels: Tensor) -> tuple[int, int]:
    """The values of uint8 (C, H, W) between which nearly all pixels lie, from a few thousand."""
    _, height, width = pixels.shape
    some = pixels[:, :: 1 + height // SEEN, :: 1 + width // SEEN].numpy().reshape(-1)
    few = len(some) // 200  # half a percent at each end may be noise
    ordered = np.partition(some, (few, len(some) - 1 - few))
    return int(ordered[few]), int(ordered[-1 - few])


def find_fault(pictures: Sequence[Picture], view: View) -> str:
    """Why the images of a row cannot be used, "" if they can.

    Images of one row must have nearly the same shape (within 2 %), and none may be too small.
    """
    widths, heights = zip(*(picture.size for picture in pictures))

    for height, width in zip(heights[1:], widths[1:]):
        # width : height compared without a division
        one = widths[0] * height
        other = width * heights[0]
        if abs(one - other) > max(one, other) / 50:  # 2 %
            return f"A is {widths[0]}x{heights[0]} and B {width}x{height}: their shapes differ"

    return find_size_fault(min(widths), min(heights), view)


def find_size_fault(width: int, height: int, view: View) -> str:
    """Why an image is too small to become a square of the view's size, or "".

    Small images are enlarged, or with "pad" laid on the background. Those that would be a blur of
    a few pixels, or a strip in a square of background, teach nothing.
    """
    assert view.size is not None
    # not the load size: between the two there is no more detail either
    square = f"{view.size}x{view.size}"

    if view.fit != "pad":
        small = min(width, height) * LEAST_SHARE < view.size
        return f"{width}x{height} is less than an eighth of {square}" if small else ""

    shrunk = min(1, view.size / max(width, height)) * min(width, height)  # its shorter side, pixels
    if shrunk * LEAST_SHARE < view.size:
        return f"{width}x{height} would fill less than an eighth of the side of {square}"
    return ""

"""The side in pixels at which images of a folder can be trained on."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from ganvas.data.decode import measure_images
from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.pick import choose_rows
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.image_files import transparent
from ganvas.io.images import UnreadableError

__all__ = [
    "SIDES",
    "ImageSizes",
    "SizeNeededError",
    "SizeSurvey",
    "count_sizes",
    "survey_files",
    "with_common_size",
]

SIDES = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)  # usual sides of squares
TILE = 256  # pixels of the side of tiles that is suggested at most
LOOKED_AT = 64  # images of a folder that are decoded to see whether they are transparent
ImageSizes = Counter[tuple[int, int]]  # how many images there are of each (width, height)


class SizeNeededError(UserError):
    """The images differ in size or are not square, and the view does not name a size.

    Attributes:
        suggestion: the side in pixels that all images share, or one that enlarges a fifth of them
            at most.
        reason: in a few words.
    """

    def __init__(
        self, message: str, suggestion: int, reason: str = "the images share no square size"
    ) -> None:
        super().__init__(message)
        self.suggestion = suggestion
        self.reason = reason


class SizeSurvey(NamedTuple):
    """How large the images of a data set are, for those who choose a size by it.

    Attributes:
        sets: the sizes of each part that must become of one size, by its name; most have one part.
        transparent: the share of images with transparent pixels, from 0 to 1.
    """

    sets: Mapping[str, ImageSizes]
    transparent: float = 0.0


def with_common_size(view: View, measure: Callable[[], Mapping[str, ImageSizes]]) -> View:
    """The view with a size: its own, or the side that all images of one or several sets share.

    Args:
        view: how to see them.
        measure: counts the sizes of each set by its name; called only if the view has no size.

    Raises:
        SizeNeededError: the images do not share a side.
    """
    if view.size:
        return view

    sizes = measure()
    if view.fit == "tiles":
        shortest = min((min(size) for found in sizes.values() for size in found), default=SIDES[0])
        side = max((each for each in SIDES if each <= min(shortest, TILE)), default=shortest)
        message = f"{' and '.join(sizes)}: say how large the tiles are, for instance --size {side}"
        raise SizeNeededError(message, side, "tiles need a size")

    # where no file can be read, any size will do: decoding then reports the reasons
    sides = {name: _common_side(name, found) for name, found in sizes.items() if found}
    smallest = min(sides.values(), default=1)

    if len(set(sides.values())) > 1:
        differ = " and ".join(f"{name} images of {side}x{side}" for name, side in sides.items())
        raise SizeNeededError(
            f"{differ}; say which size all should have, for instance --size {smallest}", smallest
        )
    return view.model_copy(update={"size": smallest})


def count_sizes(source: FileSource, entries: Sequence[Entry]) -> ImageSizes:
    """The sizes of the images whose headers can be read."""
    return Counter(measure_images(source, entries))


def survey_files(sources: Sequence[FileSource]) -> SizeSurvey:
    """The sizes of all images of folders or zips, which are not decoded for it.

    Only `LOOKED_AT` of them are, to see how many are transparent: many files could have transparent
    pixels, and have none.
    """
    sets = {str(source.place): count_sizes(source, source.pictures) for source in sources}

    found = []
    for source in sources:
        for number in choose_rows(np.arange(len(source.pictures)), LOOKED_AT):
            # files that fail here are reported when they are decoded
            with suppress(UnreadableError):
                found.append(transparent(source.read(source.pictures[number])) is not None)
    return SizeSurvey(sets, sum(found) / max(1, len(found)))


def _common_side(place: str, sizes: ImageSizes) -> int:
    """The side that the images at a place share.

    Raises:
        SizeNeededError: they do not share one.
    """
    # pairs compare by width, then height: equal ends mean that all are equal
    low = min(sizes)
    high = max(sizes)
    if low == high and low[0] == low[1]:
        return low[0]

    suggestion = _suggest_side(sizes)
    first, last = (f"{width}x{height}" for width, height in (low, high))
    described = f"from {first} to {last}" if low != high else f"of {first}"
    raise SizeNeededError(
        f"{place} holds images {described}; "
        f"say which square they should become, for instance --size {suggestion}",
        suggestion,
    )


def _suggest_side(sizes: ImageSizes) -> int:
    """The largest usual side that at most a fifth of the images are too small for."""
    shorter = Counter[int]()  # images by their shorter side, which decides what is too small
    for size, count in sizes.items():
        shorter[min(size)] += count

    # upwards from the smallest, until more than a fifth of the images lie below
    smaller = 0
    typical = 0
    for side in sorted(shorter):
        smaller += shorter[side]
        typical = side
        if smaller > sizes.total() // 5:
            break

    # below the least usual side, the images' own
    return max((side for side in SIDES if side <= typical), default=typical)

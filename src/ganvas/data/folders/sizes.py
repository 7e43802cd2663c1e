"""The side in pixels at which images of a folder can be trained on."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ganvas.data.decode import measure_images
from ganvas.data.folders.source import Entry, FileSource
from ganvas.errors import UserError

__all__ = ["SIDES", "SizeNeededError", "check_one_size", "common_side", "common_size"]

SIDES = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)  # usual sides of squares


class SizeNeededError(UserError):
    """The images differ in size or are not square, and the view does not name a size.

    Attributes:
        suggestion: a side in pixels that keeps four fifths of the images or more.
    """

    def __init__(self, message: str, suggestion: int) -> None:
        super().__init__(message)
        self.suggestion = suggestion


def common_size(source: FileSource, entries: Sequence[Entry]) -> int:
    """The side that all images of a source share.

    Raises:
        SizeNeededError: they do not share one.
    """
    sizes = Counter(measure_images(source, entries))
    # where no file can be read, any size will do: decoding then reports the reasons
    return common_side(source.place, sizes) if sizes else 1


def common_side(place: Path | str, sizes: Counter[tuple[int, int]]) -> int:
    """The side that images of these widths and heights share.

    Args:
        place: where they are, for messages.
        sizes: how many images there are of each (width, height).

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


def _suggest_side(sizes: Counter[tuple[int, int]]) -> int:
    """The largest usual side that at most a fifth of the images are too small for."""
    shorter = Counter[int]()
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

    return max((side for side in SIDES if side <= typical), default=typical)


def check_one_size(sizes: dict[str, int]) -> None:
    """Check that sets which are trained on together have one size.

    Args:
        sizes: side of the images of each set, by its name.

    Raises:
        SizeNeededError: they differ.
    """
    if len(set(sizes.values())) < 2:
        return

    smallest = min(sizes.values())
    found = " and ".join(f"{name} images of {size}x{size}" for name, size in sizes.items())
    raise SizeNeededError(
        f"{found}; say which size both should have, for instance --size {smallest}", smallest
    )

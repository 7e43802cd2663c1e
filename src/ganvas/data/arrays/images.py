"""Arrays of images of one size, read piece by piece, however large they are."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ganvas.data.arrays.values import Scale, find_scale, to_bytes
from ganvas.data.folders.labels import sort_classes
from ganvas.errors import UserError

__all__ = ["ArrayImages", "read_labels"]

CHANNELS = (1, 3)


@dataclass(frozen=True)
class ArrayImages:
    """Images of one size, as an array in some order of axes.

    Attributes:
        name: of the array, for messages.
        shape: (N, H, W), (N, H, W, C) or (N, C, H, W), C 1 or 3.
        kind: NumPy's type of the values.
        pieces: yields all rows, in pieces.
        range: the values that become black and white; None: those of all rows decide.

    Raises:
        UserError: the shape is none of these.
    """

    name: str
    shape: tuple[int, ...]
    kind: np.dtype
    pieces: Callable[[], Iterator[np.ndarray]]
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        shape = " x ".join(f"{side:,}" for side in self.shape)
        last, first = self._places()
        if self.kind.kind not in "buif":
            raise UserError(f"{self.name} holds values of the type {self.kind}, no numbers")
        if len(self.shape) == 2:
            raise UserError(
                f"{self.name} is {shape}: the images are flattened; reshape it to images, height, "
                "width"
            )
        if not (len(self.shape) == 3 or last or first):
            raise UserError(
                f"{self.name} is {shape}; images are (N, H, W), (N, H, W, C) or (N, C, H, W), with "
                "1 or 3 channels C"
            )
        if last and first:
            raise UserError(
                f"{self.name} is {shape}: the channels may be the second or the last axis; leave "
                "out one of length 1, or save images that are larger"
            )
        if self.shape[0] < 2 or 0 in self.shape:
            raise UserError(f"{self.name} is {shape}; give at least two images")

    def _places(self) -> tuple[bool, bool]:
        """Whether the channels may be the last axis, and whether the second."""
        if len(self.shape) != 4:
            return False, False
        return self.shape[3] in CHANNELS, self.shape[1] in CHANNELS

    @property
    def frame(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        if len(self.shape) == 3:
            return 1, self.shape[1], self.shape[2]
        last, _ = self._places()
        order = (3, 1, 2) if last else (1, 2, 3)
        channels, height, width = (self.shape[axis] for axis in order)
        return channels, height, width

    @cached_property
    def scale(self) -> Scale:
        """What black and white are; of other values than bytes all are looked at.

        Raises:
            UserError: their range is none that is usual for images, and none is given.
        """
        if self.range:
            black, white = self.range
            return Scale(black, white, f"values from {black:g} to {white:g} became 0 to 255")
        low, high = 0.0, 255.0
        if self.kind not in (np.dtype(np.uint8), np.dtype(np.bool_)):
            # with NaN both become NaN
            ranges = [(float(piece.min()), float(piece.max())) for piece in self.pieces()]
            low, high = min(np.array(ranges)[:, 0]), max(np.array(ranges)[:, 1])
            if np.isnan(np.array(ranges)).any():
                low = high = float("nan")
        advice = f", or say what they are: --range {low:g},{high:g}"
        return find_scale(self.kind, low, high, self.name, advice)

    def squares(self) -> Iterator[np.ndarray]:
        """All images, in pieces, as uint8 (n, C, H, W)."""
        last, _ = self._places()
        for piece in self.pieces():
            values = to_bytes(piece, self.scale)
            if values.ndim == 3:
                values = values[:, None]
            yield np.moveaxis(values, 3, 1) if last else values


def read_labels(values: np.ndarray, count: int, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels of any kind as numbers of classes, and the names of these.

    Args:
        values: (N,) or (N, 1), whole numbers or texts.
        count: N, the number of images.
        name: of the labels, for messages.

    Returns:
        int64 (N,), and the names in the order of the classes: numbers by their value.

    Raises:
        UserError: they are no classes, or not one for each image.
    """
    flat = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if flat.ndim != 1 or len(flat) != count:
        shape = " x ".join(map(str, values.shape))
        raise UserError(f"{name} is {shape} for {count:,} images; labels are one value an image")

    if flat.dtype.kind == "f" and np.isfinite(flat).all() and (flat == np.rint(flat)).all():
        flat = flat.astype(np.int64)  # whole numbers, as some programs save them
    if flat.dtype.kind not in "buiU":
        raise UserError(
            f"{name} holds values of the type {flat.dtype}; labels are whole numbers or texts, and "
            "other numbers are no classes"
        )
    names, numbers = np.unique(flat, return_inverse=True)
    if len(names) < 2:
        raise UserError(f"{name} has one class, {names[0]}; classes need two or more")
    # numbers by value, texts with the numbers in them by value, as in folders
    found = [str(one) for one in names.tolist()]
    ordered = sort_classes(Counter(found))
    places = np.array([ordered.index(one) for one in found], np.int64)
    return places[numbers.reshape(-1)], tuple(ordered)

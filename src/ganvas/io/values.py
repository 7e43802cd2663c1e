"""What values in image files mean: which are black and white, and how they become 8 bits."""

from typing import NamedTuple

import numpy as np

__all__ = ["AS_STORED", "Reading", "ValueRange", "choose_range", "scale_alpha", "scale_values"]

FULL = {"u": lambda bits: 2.0**bits - 1, "i": lambda bits: 2.0 ** (bits - 1) - 1}  # white of a type


class ValueRange(NamedTuple):
    """The values in files that become 0 and 255; those outside are clipped.

    Attributes:
        low: becomes 0.
        high: becomes 255.
        every: whether it holds for files of 8 bits, too; if not, these are 0..255.
    """

    low: float
    high: float
    every: bool = False

    def __str__(self) -> str:
        return f"{self.low:.6g}..{self.high:.6g}"


class Reading(NamedTuple):
    """What the values of all files of a column mean.

    Attributes:
        range: of values; None: each file's own type says it, as far as it can.
        alpha: whether a fourth plane is opacity, by which the colours are multiplied; if not, four
            planes are four bands.
        categories: of label maps, as `name_labels` of label_maps.py names them; empty: images.
        ignore_alpha: whether what files declare to be opacity is a band like all others.
    """

    range: ValueRange | None = None
    alpha: bool = False
    categories: tuple[str, ...] = ()
    ignore_alpha: bool = False


AS_STORED = Reading()


# Ranges


def choose_range(low: float, high: float, whole: bool) -> tuple[float, float]:
    """The range of a set whose values go from `low` to `high`.

    Whole numbers from 0 on: up to the next power of two minus 1, at least 255, since 12-bit values
    in files of 16 bits rarely reach 4095 themselves. Floats: 0..1, -1..1 or 0..255, whichever is
    the first to hold all. All others, such as Hounsfield units: from the lowest to the highest
    value.

    Args:
        low: the lowest value of all files.
        high: the highest.
        whole: whether all files hold whole numbers.
    """
    if whole and low >= 0:
        white = 255
        while white < high:
            white = 2 * white + 1
        return 0.0, float(white)

    usual = () if whole else ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
    for least, most in usual:
        if least <= low and high <= most:
            return least, most
    return low, max(high, low + 1) if low == high else high


def scale_values(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values of any type and shape as uint8: `low` becomes 0, `high` 255, what is outside is
    clipped.

    Values must be finite.
    """
    # a table of all values is faster than arithmetic with floats, and takes less memory
    if values.dtype in (np.uint8, np.uint16):
        return _scale(np.arange(np.iinfo(values.dtype).max + 1), low, high)[values]
    return _scale(values, low, high)


def _scale(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """As `scale_values`, by arithmetic."""
    scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.round(scaled, out=scaled).clip(0, 255).astype(np.uint8)


def scale_alpha(values: np.ndarray) -> np.ndarray:
    """Opacity as uint8: the whole range of its type, of floats 0..1."""
    if values.dtype == np.uint8:
        return values
    kind = values.dtype.kind
    white = FULL[kind](8 * values.dtype.itemsize) if kind in FULL else 1.0
    return scale_values(values, 0, white)

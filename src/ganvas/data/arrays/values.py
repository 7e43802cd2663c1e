"""Which values of an array are black and white, and how they become bytes."""

from typing import NamedTuple

import numpy as np

from ganvas.errors import UserError

__all__ = ["Scale", "find_scale", "to_bytes"]


class Scale(NamedTuple):
    """What black and white are in an array.

    Attributes:
        black: the value that becomes 0.
        white: the value that becomes 255.
        step: what is done, in words; "" for bytes that stay as they are.
    """

    black: float
    white: float
    step: str = ""


def find_scale(kind: np.dtype, low: float, high: float, name: str, advice: str = "") -> Scale:
    """What black and white are, by the type and the range of all values of a set.

    Args:
        kind: NumPy's type of the values.
        low: the lowest of them.
        high: the highest of them.
        name: of the array, for messages.
        advice: what else may be done about another range, behind the message.

    Raises:
        UserError: the range is none that is usual for images.
    """
    if kind == np.uint8:
        return Scale(0, 255)
    if kind == np.bool_:
        return Scale(0, 1, "False and True became 0 and 255")
    if np.isfinite([low, high]).all():
        if kind.kind == "f" and low >= 0 and high <= 1:
            return Scale(0, 1, "values from 0 to 1 became 0 to 255")
        if kind.kind == "f" and low >= -1 and high <= 1:
            return Scale(-1, 1, "values from -1 to 1 became 0 to 255")
        if low >= 0 and high <= 255:
            return Scale(0, 255, f"values of the type {kind} were rounded to bytes, 0 to 255")

    if not np.isfinite([low, high]).all():
        raise UserError(f"{name} holds values that are NaN or infinite; images have finite ones")
    raise UserError(
        f"{name} holds {kind} values from {low:g} to {high:g}; images are uint8, or numbers from 0 "
        "to 255, or floats from 0 to 1 or from -1 to 1: bring the values into one of these ranges"
        f"{advice}"
    )


def to_bytes(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Values of any shape as uint8 of the same shape."""
    if values.dtype == np.uint8 and (scale.black, scale.white) == (0, 255):
        return values
    # float64: of float16 the steps would be coarse, and bool cannot be subtracted
    shares = (values.astype(np.float64) - scale.black) / (scale.white - scale.black)
    return np.clip(np.rint(shares * 255), 0, 255).astype(np.uint8)

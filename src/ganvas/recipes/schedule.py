"""How numbers change in the course of a run."""

import math

__all__ = ["cosine"]


def cosine(start: float, end: float, images: int, over: int) -> float:
    """A value that goes from `start` to `end` along half a cosine.

    Args:
        images: images shown.
        over: images after which the value is `end`; with 0 it always is.
    """
    share = min(1.0, images / over) if over else 1.0
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

"""How numbers change in the course of a run."""

import math


def cosine(start: float, end: float, images: int, over: int) -> float:
    """From `start` at 0 images to `end` at `over` images and after, along half a cosine; with
    `over` 0 it is `end`.
    """
    share = min(1.0, images / over) if over else 1.0
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2

"""What several checkups of a run say together: means, and whether its samples still improve.

Where a quantity was not measured, its mean is NaN, and no comparison with NaN is true.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

__all__ = [
    "LONG",
    "WINDOW",
    "Checkup",
    "is_improving",
    "mean_of",
    "mean_shares",
    "measure_progress",
]

Checkup = Mapping[str, Any]  # an entry of the log of kind "health": what was measured

WINDOW = 5  # checkups that must agree: a single bad one says nothing
LONG = 4 * WINDOW  # checkups within which a generator that still improves shows it


def mean_of(checkups: Sequence[Checkup], key: str) -> float:
    """Mean of a measured quantity; NaN where it was not measured."""
    return _mean([checkup[key] for checkup in checkups if key in checkup])


def _mean(values: Sequence[float]) -> float:
    """Mean of numbers; NaN where there are none, or their sum has no value."""
    try:
        return fmean(values)
    except (ValueError, OverflowError):  # also StatisticsError; a log may hold infinities
        return math.nan


def mean_shares(checkups: Sequence[Checkup], key: str) -> dict[str, float]:
    """The mean share of each class; empty where classes were not measured."""
    measured = [checkup[key] for checkup in checkups if key in checkup]
    if not measured:
        return {}
    # The classes are the same at every checkup, since the reference is.
    return {
        name: _mean([shares[name] for shares in measured if name in shares]) for name in measured[0]
    }


def is_improving(checkups: Sequence[Checkup]) -> bool:
    """Whether the samples still get closer to real images, or more varied.

    Many healthy runs begin with the discriminator far ahead, so a run is given LONG checkups, and
    while its generator improves no alarm is raised.
    """
    return len(checkups) < LONG or bool(measure_progress(checkups))


def measure_progress(checkups: Sequence[Checkup]) -> str:
    """By how much samples got closer to real images or more varied in the last LONG checkups, or
    since the first ones; "" if they did not.
    """
    recent = checkups[-WINDOW:]
    # The first WINDOW of the last LONG checkups, or as many as leave the recent ones out.
    start = max(0, len(checkups) - LONG)
    before = checkups[start : min(start + WINDOW, max(1, len(checkups) - WINDOW))]

    closer = 1 - mean_of(recent, "distance") / (mean_of(before, "distance") or math.nan)
    varied = mean_of(recent, "diversity") / (mean_of(before, "diversity") or math.nan) - 1
    found = []
    # 5 % closer or 10 % more varied: less is taken for noise.
    if closer > 0.05:
        found.append(f"samples got {closer:.0%} closer to real images")
    if varied > 0.1:
        found.append(f"samples got {varied:.0%} more varied")
    return " and ".join(found)

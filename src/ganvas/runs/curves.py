"""Losses and checkups of a run as curves: which there are, their limits, their running means."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "Curves",
    "choose_limits",
    "collect_curves",
    "collect_losses",
    "group_checkups",
    "group_losses",
    "has_course",
    "running_mean",
]

# By log key: float (N, 2), images shown and value; NaN where the value is not finite.
Curves = dict[str, np.ndarray]

# Checkup keys that share a panel, and their names in its legend.
ACCURACIES = {"real_accuracy": "real", "fake_accuracy": "fakes", "separation": "pairs"}
SAMPLES = {
    "distance": "distance",
    "diversity": "diversity",
    "change": "change",
    "palette": "palette",
}
LATTICES = {"lattice_2": "every 2 pixels", "lattice_4": "every 4 pixels"}


def collect_curves(log: Sequence[Mapping[str, Any]], kind: str) -> Curves:
    """The numbers in the log's entries of one kind, by key."""
    found: dict[str, list[tuple[float, float]]] = {}
    for entry in log:
        if entry.get("kind") != kind:
            continue
        for key, value in entry.items():
            if key not in ("images", "kind") and isinstance(value, int | float):
                finite = value if math.isfinite(value) else math.nan
                found.setdefault(key, []).append((entry["images"], finite))
    return {key: np.array(points, np.float64) for key, points in found.items()}


def collect_losses(log: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """The log's entries of kind "losses" as columns of equal length, float64 (N,); "images" first.

    Where an entry has no value of a column, or one that is not finite, the column has NaN.
    """
    entries = [entry for entry in log if entry["kind"] == "losses"]
    images = [entry["images"] for entry in entries]
    columns = {"images": np.array(images, np.float64)}
    places = {shown: place for place, shown in enumerate(images)}
    for key, curve in collect_curves(entries, "losses").items():
        column = np.full(len(images), np.nan)
        column[[places[shown] for shown in curve[:, 0]]] = curve[:, 1]
        columns[key] = column
    return columns


def has_course(curves: Curves) -> bool:
    """Whether there is something to see: one point is no curve."""
    return any(len(curve) > 1 for curve in curves.values())


def group_losses(losses: Curves, players: Sequence[str]) -> dict[str, Curves]:
    """The panels of what is not a loss, by title: each network's terms, and each statistic.

    A statistic has a panel of its own, since it has a unit of its own.
    """
    panels: dict[str, Curves] = {}
    for key, curve in losses.items():
        player, slash, term = key.partition("/")
        if slash:
            panels.setdefault(f"{player}: terms", {})[term] = curve
        elif key not in players:
            panels[key.replace("_", " ")] = {key: curve}
    return panels


def group_checkups(health: Curves) -> dict[str, Curves]:
    """The panels of the doctor's checkups, by title."""
    panels: dict[str, Curves] = {}
    shared = {"accuracy of D": ACCURACIES, "samples": SAMPLES, "lattice": LATTICES}
    for title, keys in shared.items():
        panels[title] = {name: health[key] for key, name in keys.items() if key in health}

    panels["gradients"] = {
        key.partition("/")[0]: curve
        for key, curve in health.items()
        if key.endswith("/gradient_norm")
    }
    panels["overfitting of D"] = {
        key: curve for key, curve in health.items() if key == "overfitting"
    }
    return {title: panel for title, panel in panels.items() if panel}


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the finite values among the `window` values around each; NaN where there are none."""
    finite, kernel = np.isfinite(values), np.ones(window)
    # Both sums end with the curve, so a mean near its ends is of fewer values, not drawn to 0.
    counts = np.convolve(finite, kernel, "same")
    sums = np.convolve(np.where(finite, values, 0), kernel, "same")
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def choose_limits(lines: Sequence[np.ndarray]) -> tuple[float, float, list[str]]:
    """Choose the lowest and highest value to show, and note what is cut off or not finite.

    At most a 50th of a curve's values is cut off at either end (of ten values or more: at least
    one), and only where the frame would otherwise be more than four times as high.

    Args:
        lines: images shown and value, (N, 2) each.
    """
    # Of each curve its finite values, (n,), ascending: the first are the lowest.
    values = [np.sort(line[np.isfinite(line[:, 1]), 1]) for line in lines]
    notes = []
    broken = sum(len(line) for line in lines) - sum(map(len, values))
    if broken:
        notes.append(f"{broken:,} not finite")
    values = [line for line in values if len(line)]
    if not values:
        return 0, 1, notes

    # How many values of each curve may lie outside at either end: one huge loss would flatten
    # all the others.
    cuts = [max(1, len(line) // 50) if len(line) >= 10 else 0 for line in values]
    low = min(line[cut] for line, cut in zip(values, cuts))
    high = max(line[-1 - cut] for line, cut in zip(values, cuts))
    lowest = min(line[0] for line in values)
    highest = max(line[-1] for line in values)
    # Everything is shown where it costs little, or where the rest is one value.
    if highest - lowest <= 4 * (high - low) or low == high:
        low, high = lowest, highest

    # A constant curve gets a frame, too.
    margin = 0.06 * (high - low) or 0.06 * abs(high) or 1
    bottom, top = float(low - margin), float(high + margin)

    everything = np.concatenate(values)
    if (above := (everything > top).sum()) > 0:
        notes.append(f"{above:,} above the frame, up to {highest:,.4g}")
    if (below := (everything < bottom).sum()) > 0:
        notes.append(f"{below:,} below the frame, down to {lowest:,.4g}")
    return bottom, top, notes

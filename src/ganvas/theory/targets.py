"""Densities on a line for the one-dimensional game to learn.

All are divided into the same narrow bins, and constant within a bin. So masses, quantiles and
everything computed from them are exact.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ganvas.errors import UserError, nearest

__all__ = ["BINS", "CENTRES", "EDGES", "STEP", "TARGETS", "Target", "get_target", "normal_masses"]

BINS = 512  # 1/32 wide, a power of two, so that all edges are exact
EDGES = np.linspace(-8, 8, BINS + 1)  # (BINS + 1,), float64
STEP = float(EDGES[1] - EDGES[0])  # width of a bin
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2  # (BINS,)
FOUND = 0.5  # share of a mode's mass from which it counts as found
# Mean, standard deviation and share of each normal density of a mixture.
Mixture = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Target:
    """A density to learn.

    Attributes:
        summary: a few words about it.
        masses: of the bins, float64 (BINS,); their sum is 1.
        modes: lowest and highest x of each.
    """

    summary: str
    masses: np.ndarray
    modes: tuple[tuple[float, float], ...]

    def quantile(self, shares: np.ndarray) -> np.ndarray:
        """The x with the given share of the mass to its left.

        With uniform shares these are samples of the density.

        Args:
            shares: in [0, 1], (n,).
        """
        some = self.masses > 0  # empty bins have no place in the inverse
        masses, left = self.masses[some], EDGES[:-1][some]
        below = np.concatenate([[0.0], np.cumsum(masses)])  # mass to the left of each edge

        # A share at an edge belongs to the bin on its right; 1 belongs to the last bin.
        index = np.clip(np.searchsorted(below, shares, "right") - 1, 0, len(left) - 1)
        within = np.clip((shares - below[index]) / masses[index], 0, 1)
        return left[index] + STEP * within

    def modes_found(self, masses: np.ndarray) -> int:
        """Count the modes in which the masses (BINS,) have at least half of this density's mass."""
        found = 0
        for low, high in self.modes:
            inside = (low <= CENTRES) & (high >= CENTRES)
            found += bool(masses[inside].sum() >= FOUND * self.masses[inside].sum())
        return found


def _normal_mixture(summary: str, parts: Mixture) -> Target:
    """A mixture of normal densities; a mode reaches two standard deviations from its mean."""
    below = sum(share * _normal_cdf((EDGES - mean) / deviation) for mean, deviation, share in parts)
    modes = tuple((mean - 2 * deviation, mean + 2 * deviation) for mean, deviation, _ in parts)
    return Target(summary, _normalise(np.diff(below)), modes)


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    """Mass of the standard normal density to the left of x."""
    return torch.special.ndtr(torch.from_numpy(x)).numpy()  # NumPy has none


def normal_masses(mean: float, deviation: float) -> np.ndarray:
    """Masses of a normal density in the bins, float64 (BINS,)."""
    return _normalise(np.diff(_normal_cdf((EDGES - mean) / deviation)))


def _normalise(masses: np.ndarray) -> np.ndarray:
    """Scale masses to the sum 1, since what lies beyond the line is left out."""
    return masses / masses.sum()


def _uniform_target(low: float, high: float) -> Target:
    """A uniform density between two edges of bins."""
    inside = (low < CENTRES) & (high > CENTRES)
    return Target(
        "a box: equal everywhere inside, nothing outside",
        _normalise(inside.astype(np.float64)),
        ((low, high),),
    )


def _skewed_target(low: float, scale: float) -> Target:
    """A gamma density of shape 2, which rises steeply at `low` and falls slowly."""
    x = np.maximum(EDGES - low, 0) / scale  # no mass below `low`
    masses = _normalise(np.diff(1 - (1 + x) * np.exp(-x)))  # the gamma density's integral
    return Target("steep on the left, a long tail on the right", masses, ((low, low + 5 * scale),))


TARGETS = {
    "gaussian": _normal_mixture("one bell", ((1.0, 1.0, 1.0),)),
    "two": _normal_mixture("two bells far apart", ((-2.5, 0.5, 0.5), (2.5, 0.5, 0.5))),
    "rare": _normal_mixture(
        "two bells far apart, one of them with a tenth of the mass",
        ((-2.5, 0.5, 0.9), (2.5, 0.5, 0.1)),
    ),
    "five": _normal_mixture(
        "five narrow bells", tuple((mean, 0.3, 0.2) for mean in (-4.0, -2.0, 0.0, 2.0, 4.0))
    ),
    "skewed": _skewed_target(-1.0, 0.8),
    "uniform": _uniform_target(-1.0, 3.0),  # both are edges of bins
}


def get_target(name: str) -> Target:
    """The target of this name.

    Raises:
        UserError: the name is unknown.
    """
    if name not in TARGETS:
        raise UserError(f"unknown target {name!r}; {nearest(name, TARGETS)}")
    return TARGETS[name]

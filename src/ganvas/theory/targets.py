"""Densities on a line for the one-dimensional game to learn, all of them cut into the same narrow
bins.

Within a bin a density is constant. So its masses, its quantiles and everything computed from them
are exact.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ganvas.errors import UserError, nearest

BINS = 512
EDGES = np.linspace(-8, 8, BINS + 1)
STEP = float(EDGES[1] - EDGES[0])
CENTRES = (EDGES[1:] + EDGES[:-1]) / 2
FOUND = 0.5  # of the mass of a mode must be there for it to count as found
Bumps = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Target:
    """A density to learn.

    Attributes:
        summary: what it is, in a few words.
        masses: float64 (BINS,), of the bins; their sum is 1.
        modes: its separate places, as lowest and highest x.
    """

    summary: str
    masses: np.ndarray
    modes: tuple[tuple[float, float], ...]

    def quantile(self, shares: np.ndarray) -> np.ndarray:
        """The x that has this share of the mass to its left; uniform shares give draws of the
        density.
        """
        some = self.masses > 0  # the others have no place in the inverse
        below = np.concatenate([[0.0], np.cumsum(self.masses[some])])
        left = EDGES[:-1][some]
        index = np.clip(np.searchsorted(below, shares, "right") - 1, 0, len(left) - 1)
        return left[index] + STEP * np.clip(
            (shares - below[index]) / self.masses[some][index], 0, 1
        )

    def modes_found(self, masses: np.ndarray) -> int:
        """In how many modes these masses have at least half of what this density has there."""
        inside = [(low <= CENTRES) & (high >= CENTRES) for low, high in self.modes]
        return sum(bool(masses[mode].sum() >= FOUND * self.masses[mode].sum()) for mode in inside)


def bumps(summary: str, parts: Bumps) -> Target:
    """A mixture of normal densities:

    (mean, deviation, share) of each. A mode is what lies within two deviations.
    """
    below = sum(share * normal_cdf((EDGES - mean) / deviation) for mean, deviation, share in parts)
    modes = tuple((mean - 2 * deviation, mean + 2 * deviation) for mean, deviation, _ in parts)
    return Target(summary, normalised(np.diff(below)), modes)


def normal_cdf(x: np.ndarray) -> np.ndarray:
    """Mass of the standard normal density to the left of x."""
    return torch.special.ndtr(torch.from_numpy(x)).numpy()


def normal_masses(mean: float, deviation: float) -> np.ndarray:
    """A normal density in the bins."""
    return normalised(np.diff(normal_cdf((EDGES - mean) / deviation)))


def normalised(masses: np.ndarray) -> np.ndarray:
    """With the sum 1: what lies beyond the line is left out."""
    return masses / masses.sum()


def uniform(low: float, high: float) -> Target:
    """Equal density between two edges of bins."""
    inside = (low < CENTRES) & (high > CENTRES)
    return Target(
        "a box: equal everywhere inside, nothing outside",
        normalised(inside.astype(np.float64)),
        ((low, high),),
    )


def skewed(low: float, scale: float) -> Target:
    """A gamma density of shape 2: it rises steeply at `low` and falls slowly."""
    x = np.maximum(EDGES - low, 0) / scale
    masses = normalised(np.diff(1 - (1 + x) * np.exp(-x)))
    return Target("steep on the left, a long tail on the right", masses, ((low, low + 5 * scale),))


TARGETS = {
    "gaussian": bumps("one bell", ((1.0, 1.0, 1.0),)),
    "two": bumps("two bells far apart", ((-2.5, 0.5, 0.5), (2.5, 0.5, 0.5))),
    "rare": bumps(
        "two bells far apart, one of them with a tenth of the mass",
        ((-2.5, 0.5, 0.9), (2.5, 0.5, 0.1)),
    ),
    "five": bumps(
        "five narrow bells", tuple((mean, 0.3, 0.2) for mean in (-4.0, -2.0, 0.0, 2.0, 4.0))
    ),
    "skewed": skewed(-1.0, 0.8),
    "uniform": uniform(-1.0, 3.0),
}


def get_target(name: str) -> Target:
    """The target of this name.

    Raises:
        UserError: there is none.
    """
    if name not in TARGETS:
        raise UserError(f"there is no target {name!r}; {nearest(name, TARGETS)}")
    return TARGETS[name]

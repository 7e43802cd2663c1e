"""The networks of the one-dimensional game, and the generator's density."""

import numpy as np
import torch
from torch import nn

from ganvas.theory.targets import BINS, EDGES, Target, normal_masses

__all__ = ["FIT_STEPS", "START", "fit_start", "make_network", "masses_of_image"]

WIDTH = 64  # of both hidden layers
START = (-1.5, 0.7)  # mean and deviation of the first p_g
FIT_STEPS, FIT_RATE, SLOPE_WEIGHT = 600, 1e-2, 0.1  # of the fit to the first p_g


def make_network(reach: float, steepness: float) -> nn.Sequential:
    """Make a network from a number to a number, with two hidden layers of tanh.

    The units of the first layer are centred evenly over [-reach, reach]: with the usual random
    weights they lie around 0, and the function elsewhere is hard to learn.

    Args:
        reach: of the centres, in units of the input.
        steepness: slope of each unit at its centre.
    """
    first = nn.Linear(1, WIDTH)
    slopes = steepness * torch.tensor([1.0, -1.0]).repeat(WIDTH // 2)  # rising, falling, ...
    with torch.no_grad():
        first.weight.copy_(slopes[:, None])
        # slope (x - centre) = slope x + bias
        first.bias.copy_(-slopes * torch.linspace(-reach, reach, WIDTH))
    return nn.Sequential(first, nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))


def fit_start(generator: nn.Module) -> None:
    """Fit the generator to a normal density left of the data, where the figure begins.

    By least squares on its quantiles and their slopes. Without the slopes the quantiles fit
    sooner, but the density, which is one over the slope, has ripples.
    """
    bell = Target("", normal_masses(*START), ())
    shares = (np.arange(BINS) + 0.5) / BINS
    noise = torch.from_numpy(shares * 2 - 1).float()[:, None]  # (BINS, 1) in [-1, 1]
    wanted = torch.from_numpy(bell.quantile(shares)).float()[:, None]  # (BINS, 1)

    optimizer = torch.optim.Adam(generator.parameters(), fused=True)
    for index in range(FIT_STEPS):
        optimizer.param_groups[0]["lr"] = FIT_RATE * (1 - index / FIT_STEPS)  # linear to 0
        x = generator(noise)
        slopes = x.diff(dim=0) / wanted.diff(dim=0)  # (BINS - 1, 1), 1 where right
        loss = (x - wanted).square().mean() + SLOPE_WEIGHT * (slopes - 1).square().mean()

        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def masses_of_image(x: np.ndarray) -> np.ndarray:
    """Masses of the generated points in the bins, float64 (BINS,), without sampling.

    By change of variables, with G linear between the given points: each cell of noise has the same
    mass and spreads it evenly between the images of its two ends. Nothing is smoothed, and G need
    not be monotone. What lies beyond the line is counted in its last bins.

    Args:
        x: G at evenly spaced noise, (cells + 1,).
    """
    low, high = np.minimum(x[1:], x[:-1]), np.maximum(x[1:], x[:-1])  # (cells,) each
    # A cell that G maps to one point gets a width far below a bin's.
    width = np.maximum(high - low, 1e-9)
    # Share of the mass below each inner edge, (BINS - 1,): the mean over the cells.
    below = np.clip((EDGES[1:-1, None] - low) / width, 0, 1).mean(1)
    # Rounding may make a mass slightly negative.
    return np.maximum(np.diff(np.concatenate([[0.0], below, [1.0]])), 0)

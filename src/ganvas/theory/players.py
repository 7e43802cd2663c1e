"""The players of the one-dimensional game: their networks, where the generator begins, and the
density that it makes.
"""

import numpy as np
import torch
from torch import nn

from ganvas.theory.targets import BINS, EDGES, Target, normal_masses

WIDTH = 64  # of both hidden layers
START = (-1.5, 0.7)  # mean and deviation of the first p_g
FIT_STEPS, FIT_RATE, SLOPE_WEIGHT = 600, 1e-2, 0.1  # for the first p_g


def network(reach: float, steepness: float) -> nn.Sequential:
    """A number to a number through two hidden layers of tanh.

    The first layer's bends are spread evenly over [-reach, reach]: left to chance they lie around
    0, and what is elsewhere is hard to learn.
    """
    first = nn.Linear(1, WIDTH)
    slopes = steepness * torch.tensor([1.0, -1.0]).repeat(WIDTH // 2)
    with torch.no_grad():
        first.weight.copy_(slopes[:, None])
        first.bias.copy_(-slopes * torch.linspace(-reach, reach, WIDTH))
    return nn.Sequential(first, nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 1))


def begin(generator: nn.Module) -> None:
    """Fit the generator to a bell left of the data, where the figure begins, by least squares on
    its quantiles and their slopes.

    Without the slopes the quantiles are met sooner, but the density, one over the slope, has
    ripples.
    """
    bell = Target("", normal_masses(*START), ())
    shares = (np.arange(BINS) + 0.5) / BINS
    noise = torch.from_numpy(shares * 2 - 1).float()[:, None]
    wanted = torch.from_numpy(bell.quantile(shares)).float()[:, None]
    optimizer = torch.optim.Adam(generator.parameters(), fused=True)
    for index in range(FIT_STEPS):
        optimizer.param_groups[0]["lr"] = FIT_RATE * (1 - index / FIT_STEPS)
        x = generator(noise)
        slopes = x.diff(dim=0) / wanted.diff(dim=0)
        loss = (x - wanted).square().mean() + SLOPE_WEIGHT * (slopes - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def masses_of_image(x: np.ndarray) -> np.ndarray:
    """Masses, float64 (BINS,), of where uniform noise goes: by change of variables, with G straight
    between its known points.

    Each cell of noise has the same mass and spreads it evenly from one of its ends to the other. So
    nothing is sampled or smoothed, and G need not be monotone. What leaves the line is counted in
    its last bins.

    Args:
        x: G at evenly spaced noise, (cells + 1,).
    """
    low, high = np.minimum(x[1:], x[:-1]), np.maximum(x[1:], x[:-1])
    # a cell that goes to one point: any width far below a bin's
    width = np.maximum(high - low, 1e-9)
    below = np.clip((EDGES[1:-1, None] - low) / width, 0, 1).mean(1)
    return np.maximum(np.diff(np.concatenate([[0.0], below, [1.0]])), 0)

"""The losses of the game on a line, and what a score means under each of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ganvas.gans.nn import losses

__all__ = ["LOSSES", "Loss", "as_probability"]


@dataclass(frozen=True)
class Loss:
    """The losses of both players.

    Attributes:
        d: the discriminator's loss of (score of data, score of generated).
        g: the generator's loss of the same.
        kind: what the best score is: the "logit" of D*, the "probability" D* itself, the logit up
            to a constant ("shift"), or a "slope", which is not a probability.
    """

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]
    kind: str


LOSSES = {
    "minimax": Loss(losses.non_saturating_d, lambda real, fake: losses.minimax_g(fake), "logit"),
    "non-saturating": Loss(
        losses.non_saturating_d, lambda real, fake: losses.non_saturating_g(fake), "logit"
    ),
    "least-squares": Loss(
        losses.least_squares_d, lambda real, fake: losses.least_squares_g(fake), "probability"
    ),
    "wasserstein": Loss(
        losses.wasserstein_d, lambda real, fake: losses.wasserstein_g(fake), "slope"
    ),
    "relativistic": Loss(
        losses.relativistic, lambda real, fake: losses.relativistic(fake, real), "shift"
    ),
}


def as_probability(score: np.ndarray, kind: str, weights: np.ndarray) -> np.ndarray:
    """Convert a score to D, depending on the loss.

    A least-squares score is D itself, and is clipped to [0.001, 0.999]. A score that is defined up
    to a constant is shifted so that D has the mean 1/2 over `weights`, as D* has.

    Args:
        score: at the bins' centres, (BINS,).
        kind: see `Loss.kind`.
        weights: masses of (p_data + p_g) / 2, (BINS,).
    """
    if kind == "probability":
        return score.clip(0.001, 0.999)  # keeps V(D, G) finite
    if kind == "logit":
        return _sigmoid(score)

    # Bisection: the mean of D falls as the shift grows. 60 halvings exhaust float64.
    # At these two shifts D is at least, and at most, 1/2 everywhere.
    shift = 0.0
    low, high = float(score.min()), float(score.max())
    for _ in range(60):
        shift = (low + high) / 2
        if weights @ _sigmoid(score - shift) > 0.5:
            low = shift
        else:
            high = shift
    return _sigmoid(score - shift)


def _sigmoid(score: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-score)), at least 1e-12 from 0 and 1, so that its logarithm is finite."""
    # exp(500) is finite in float64, exp(710) is not.
    return (1 / (1 + np.exp(-score.clip(-500, 500)))).clip(1e-12, 1 - 1e-12)

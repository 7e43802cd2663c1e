"""Which attributes a picture has: a network trained on real pictures, to ask for those of
translated ones.
"""

import numpy as np
import torch
from torch import Tensor

from ganvas.evaluation.metrics.classifier import ClassifierNetwork, Labelled, fit
from ganvas.io.images import to_float

TOGETHER = 64  # pictures looked at together


def learn_attributes(
    images: np.ndarray, attributes: np.ndarray, rows: np.ndarray, progress: bool = False
) -> ClassifierNetwork:
    """A network that tells attributes, always the same one for the same pictures.

    Args:
        images: uint8 (N, C, H, W).
        attributes: (N, A) in {0, 1}.
        rows: which to learn from.
        progress: show it on stderr.

    Raises:
        UserError: the pictures are too small.
    """
    return fit(Labelled(images, attributes.astype(np.float32), rows), attributes.shape[1], progress)


@torch.no_grad()
def tell_attributes(network: ClassifierNetwork, images: Tensor) -> Tensor:
    """The attributes of uint8 (N, C, H, W), bool (N, A)."""
    return torch.cat([network(to_float(piece))[1] > 0 for piece in images.split(TOGETHER)])


def agreement(told: Tensor, wanted: Tensor) -> Tensor:
    """How often each attribute is as wanted, float64 (A,): the mean of the shares among pictures
    that should have it and that should not, so that a rare attribute cannot be right by never being
    seen.

    Args:
        told: bool (N, A).
        wanted: (N, A) in {0, 1}.
    """
    right = (told == (wanted > 0.5)).double()
    shares = []
    for present in (wanted > 0.5, wanted <= 0.5):
        shares.append((right * present).sum(0) / present.sum(0))
    return torch.stack(shares).nanmean(0)

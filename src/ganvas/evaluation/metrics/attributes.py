"""Which attributes an image shows, according to a classifier trained on real images."""

import numpy as np
import torch
from torch import Tensor

from ganvas.evaluation.metrics.classifier import ClassifierNetwork
from ganvas.evaluation.metrics.classifier_training import LabelledImages, fit_classifier
from ganvas.io.images import to_float

__all__ = ["balanced_agreement", "classify_attributes", "fit_attribute_classifier"]

CHUNK = 64  # images per forward pass


def fit_attribute_classifier(
    images: np.ndarray, attributes: np.ndarray, rows: np.ndarray, progress: bool = False
) -> ClassifierNetwork:
    """Train a classifier of attributes; the same images always give the same one.

    Args:
        images: uint8 (N, C, H, W).
        attributes: (N, A) in {0, 1}.
        rows: which images to train on.
        progress: show it on stderr.

    Raises:
        UserError: the images are too small.
    """
    train = LabelledImages(images, attributes.astype(np.float32), rows)
    return fit_classifier(train, attributes.shape[1], progress)


@torch.no_grad()
def classify_attributes(network: ClassifierNetwork, images: Tensor) -> Tensor:
    """The attributes that the network sees in uint8 (N, C, H, W), bool (N, A)."""
    return torch.cat([network(to_float(part))[1] > 0 for part in images.split(CHUNK)])


def balanced_agreement(seen: Tensor, requested: Tensor) -> Tensor:
    """How often each attribute is as requested, float64 (A,).

    The mean of two shares, among images that should have the attribute and among those that should
    not; so a rare attribute that is never drawn counts as 0.5. Where only one kind exists, its
    share; NaN without images.

    Args:
        seen: bool (N, A).
        requested: (N, A) in {0, 1}.
    """
    right = (seen == (requested > 0.5)).double()
    shares = []
    for present in (requested > 0.5, requested <= 0.5):
        # 0 / 0 is NaN, which the mean leaves out
        shares.append((right * present).sum(0) / present.sum(0))
    return torch.stack(shares).nanmean(0)

"""Which attributes an image shows, according to a classifier trained on real images."""

import torch
from torch import Tensor

from ganvas.evaluation.metrics.classifier import Classifier

__all__ = ["balanced_agreement", "classify_attributes"]

CHUNK = 64  # images per forward pass


def classify_attributes(classifier: Classifier, images: Tensor) -> Tensor:
    """The attributes that a classifier sees in uint8 (N, C, H, W), bool (N, A)."""
    logits = [classifier(part).logits for part in images.split(CHUNK)]  # (n, A) each
    # a logit above 0 is a probability above one half
    return torch.cat([part > 0 for part in logits if part is not None])


def balanced_agreement(seen: Tensor, requested: Tensor) -> Tensor:
    """How often each attribute is as requested, float64 (A,).

    The mean of two shares, among images that should have the attribute and among those that should
    not; so a rare attribute that is never drawn counts as 0.5. Where only one kind exists, its
    share; NaN without images.

    Args:
        seen: bool (N, A).
        requested: (N, A) in {0, 1}.
    """
    right = (seen == (requested > 0.5)).double()  # (N, A)
    shares = []
    for present in (requested > 0.5, requested <= 0.5):
        # 0 / 0 is NaN, which the mean leaves out
        shares.append((right * present).sum(0) / present.sum(0))  # (A,)
    return torch.stack(shares).nanmean(0)

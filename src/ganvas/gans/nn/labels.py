"""How conditional networks use the class of an image."""

import torch
from torch import Tensor, nn

__all__ = ["concat_label", "project_label"]


def concat_label(noise: Tensor, label: Tensor | None, embedding: nn.Module | None) -> Tensor:
    """Noise (N, Z) with the embedding (N, E) of labels (N,) beside it; without one, the noise."""
    return noise if embedding is None else torch.cat([noise, embedding(label)], 1)


def project_label(features: Tensor, label: Tensor | None, embedding: nn.Module) -> Tensor:
    """Products of features (N, E) and the embeddings of labels (N,), a score each: (N,).

    Miyato and Koyama 2018, "cGANs with Projection Discriminator".
    """
    return (features * embedding(label)).sum(1)

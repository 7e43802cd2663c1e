"""How conditional networks use the class of an image."""

import torch
from torch import Tensor, nn

__all__ = ["concat_label", "project_label"]


def concat_label(noise: Tensor, label: Tensor | None, embedding: nn.Embedding | None) -> Tensor:
    """Noise (N, Z) with the embedding (N, E) of labels beside it; without one, the noise.

    Args:
        noise: (N, Z).
        label: int64 (N,); or float (N, classes), shares of classes, for images between them.
        embedding: of the classes.
    """
    if embedding is None:
        return noise
    assert label is not None
    embedded = label @ embedding.weight if label.is_floating_point() else embedding(label)
    return torch.cat([noise, embedded], 1)


def project_label(features: Tensor, label: Tensor | None, embedding: nn.Module) -> Tensor:
    """Products of features (N, E) and the embeddings of labels (N,), a score each: (N,).

    Miyato and Koyama 2018, "cGANs with Projection Discriminator".
    """
    return (features * embedding(label)).sum(1)

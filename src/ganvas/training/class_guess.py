"""Which class a sample looks like: two quick classifiers of features, for the doctor."""

from typing import Protocol

import torch
from torch import Tensor, nn

__all__ = ["ClassGuess", "NearestClassifier", "RidgeClassifier"]

RIDGE = 0.01  # penalty of the linear classifier, in shares of the number of images
# The lead of the best class for a sample to be clear; a real image is fitted to a lead of 1.
MARGIN = 0.1


class ClassGuess(Protocol):
    """Tells which class features (N, F) look like, int64 (N,), and whether that is clear, bool
    (N,).
    """

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]: ...


class RidgeClassifier:
    """A linear classifier of standardised features, fitted by least squares with a penalty: quick,
    and with one solution.
    """

    def __init__(self, features: Tensor, labels: Tensor, classes: int):
        # The clamp is for features that are the same in all images.
        self.mean, self.std = features.mean(0), features.std(0).clamp(min=1e-6)
        inputs, targets = self.prepared(features), nn.functional.one_hot(labels, classes).double()
        penalty = RIDGE * len(features) * torch.eye(inputs.shape[1], dtype=torch.float64)
        # (F + 1, classes), in float64: the squares of features lose half of float32's digits.
        self.weights = torch.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ targets)

    def prepared(self, features: Tensor) -> Tensor:
        """Standardised, with a constant: float64 (N, F + 1)."""
        return nn.functional.pad((features - self.mean) / self.std, (0, 1), value=1.0).double()

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]:
        # The two best classes of each sample: (N, 2), fitted to 1 for its own class, else 0.
        best, classes = (self.prepared(features) @ self.weights).topk(2, dim=1)
        return classes[:, 0], best[:, 0] - best[:, 1] > MARGIN


class NearestClassifier:
    """The class of the nearest real one; always clear."""

    def __init__(self, features: Tensor, labels: Tensor):
        self.features, self.labels = features, labels

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]:
        looks = self.labels[torch.cdist(features, self.features).argmin(1)]
        return looks, torch.ones(len(looks), dtype=torch.bool)

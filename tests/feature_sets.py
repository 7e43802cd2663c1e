"""Random features, and features for torchmetrics."""

import pytest
import torch
from torch import Tensor, nn

oracle = pytest.mark.filterwarnings("ignore:Metric `:UserWarning")  # theirs, about memory


class Given(nn.Module):
    """The features themselves, for torchmetrics."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def draw_features(seed: int, count: int, features: int) -> Tensor:
    """Correlated features, float64 (count, features), with another mean and covariance for each
    seed.
    """
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(features, features, generator=random, dtype=torch.float64) / features**0.5
    return torch.randn(count, features, generator=random, dtype=torch.float64) @ mixing + mixing[0]

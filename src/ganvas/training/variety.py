"""How much samples differ from each other, beside real images."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ganvas.data.pick import choose_rows
from ganvas.evaluation.metrics.diversity import contrasts, shape_distances, shapes_of

__all__ = ["Variety", "describe_images", "mean_distance"]

MOST = 1_000  # real images whose distances are measured: all would be millions of pairs
MOST_OF_CLASS = 200
LEAST = 1e-4  # a mean distance below it is rounding
PIECE = 32  # images in memory as floats


class Variety:
    """How much real images differ, in all and within classes, to compare samples with.

    Args:
        real: `describe_images` of them, (N, F).
        labels: int64 (N,); None: not known.
    """

    def __init__(self, real: Tensor, labels: Tensor | None):
        self.real, self.labels = real, labels
        self.typical = contrasts(real).median().item()
        few = choose_rows(np.arange(len(real)), MOST)
        self.spread = self.measure_spread(real[few])

    def compare(self, images: Tensor, labels: Sequence[int] | None) -> dict[str, float]:
        """The mean distance between two samples over that between two real images.

        Args:
            images: uint8 (M, C, S, S), or points.
            labels: the requested classes, within which samples are compared; None: all with all.

        Returns:
            "diversity"; nothing where real images do not differ.
        """
        described = describe_images(images)
        ratios = []
        if labels is None or self.labels is None:
            if self.spread > LEAST:
                ratios.append(self.measure_spread(described) / self.spread)
            return {"diversity": ratios[0]} if ratios else {}

        requested = torch.tensor(labels)
        for label in sorted(set(labels)):
            fake = described[requested == label]
            real = self.real[self.labels == label][:MOST_OF_CLASS]
            if len(fake) > 1 and len(real) > 1 and (spread := self.measure_spread(real)) > LEAST:
                ratios.append(self.measure_spread(fake) / spread)
        return {"diversity": sum(ratios) / len(ratios)} if ratios else {}

    def measure_spread(self, described: Tensor) -> float:
        """Mean distance between two different rows, (N, F); 0 of fewer than two."""
        # Two coordinates have no shape: points are compared by where they are.
        if described.shape[1] == 2:
            return mean_distance(torch.cdist(described, described))
        return mean_distance(shape_distances(described, self.typical))


def mean_distance(distances: Tensor) -> float:
    """Mean of a table of distances (N, N) between two different rows; 0 of fewer than two."""
    count = len(distances)
    if count < 2:
        return 0.0
    # The diagonal, 0 but for rounding, is in the sum and not in the count.
    return (distances.sum() / (count * (count - 1))).item()


def describe_images(images: Tensor) -> Tensor:
    """What is compared: of images, uint8 (N, C, S, S), coarse shapes; of points, float (N, 2, 1,
    1), their coordinates. Float (N, F).
    """
    if images.is_floating_point():
        return images.flatten(1)
    return torch.cat([shapes_of(part) for part in images.split(PIECE)])

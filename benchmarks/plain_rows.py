"""What the plain scripts of `plain_translation.py` and `plain_quick.py` share: rows in memory, a
pool of fakes, losses, Adam.
"""

import random

import torch
from torch import Tensor, nn

l1 = nn.L1Loss()


class Rows:
    """Rows of tables in memory, of each table in a new order each epoch.

    Args:
        tables: columns of equal length, by name; images as floats in [-1, 1].
    """

    def __init__(self, *tables: dict[str, Tensor]):
        self.tables = tables
        self.device = next(iter(tables[0].values())).device
        self.orders = [torch.empty(0, dtype=torch.int64) for _ in tables]

    def batch(self, count: int) -> dict[str, Tensor]:
        """The next rows of every table, side by side."""
        found = {}
        for number, table in enumerate(self.tables):
            if len(self.orders[number]) < count:
                self.orders[number] = torch.randperm(
                    len(next(iter(table.values()))), device=self.device
                )
            chosen, self.orders[number] = self.orders[number][:count], self.orders[number][count:]
            found |= {name: column[chosen] for name, column in table.items()}
        return found


class Pool:
    """The last fakes, of which every second one shown is an old one."""

    def __init__(self, size: int = 50):
        self.size = size
        self.images: list[Tensor] = []

    def shown(self, fakes: Tensor) -> Tensor:
        """As many as the fakes (N, C, H, W), detached, old and new."""
        given = []
        for fake in fakes.detach():
            if len(self.images) < self.size:
                self.images.append(fake.clone())
                given.append(fake)
            elif random.random() > 0.5:
                place = random.randrange(self.size)
                given.append(self.images[place])
                self.images[place] = fake.clone()
            else:
                given.append(fake)
        return torch.stack(given)


def switch(wanted: bool, *networks: nn.Module) -> None:
    """Switch `requires_grad` of all their parameters."""
    for network in networks:
        for parameter in network.parameters():
            parameter.requires_grad = wanted


def adam(lr: float, beta1: float, beta2: float, *networks: nn.Module) -> torch.optim.Adam:
    """PyTorch's Adam for their parameters."""
    return torch.optim.Adam(
        [value for network in networks for value in network.parameters()],
        lr=lr,
        betas=(beta1, beta2),
    )


def slope(score: Tensor, image: Tensor) -> Tensor:
    """The mean squared gradient of scores (N, ...) with respect to their images (N, C, H, W)."""
    (gradient,) = torch.autograd.grad(score.sum(), image, create_graph=True)
    return gradient.square().sum([1, 2, 3]).mean()


def difference(maps: list[Tensor], others: list[Tensor]) -> Tensor:
    """The mean absolute difference of a discriminator's maps, over its layers."""
    return torch.stack([l1(one, other) for one, other in zip(maps, others)]).mean()


def weighted(values: Tensor, share: Tensor) -> Tensor:
    """The mean of (N, C, h, w) in each image, weighted by (N, 1, h, w); then over the images."""
    return ((values * share).sum((1, 2, 3)) / (share.sum((1, 2, 3)) * values.shape[1])).mean()

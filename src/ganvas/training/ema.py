"""Moving average of the weights (EMA): its samples are usually better than the last weights'."""

import copy

import torch
from torch import Tensor

from ganvas.gans.base import GAN
from ganvas.recipes.schedule import cosine

__all__ = ["EMA"]

# The half-life is at most this share of the images shown, so that the first weights are soon
# forgotten.
RAMP = 0.05


class EMA:
    """Exponential moving average of the players named in `gan.ema_players`.

    Batch-norm statistics are averaged too; counters are copied.

    Args:
        gan: the GAN whose weights are followed.
        halflife: images after which a weight's share in the average has halved.
        burn_in: images over which the half-life grows from 0, along half a cosine; None: it is at
            most RAMP of the images shown.

    Attributes:
        gan: a copy of the GAN with averaged weights, in evaluation mode.
    """

    def __init__(self, gan: GAN, halflife: int, burn_in: int | None = None):
        self.halflife = halflife
        self.burn_in = burn_in
        self.gan = copy.deepcopy(gan).eval().requires_grad_(False)
        averages, currents = (
            [tensor for name in gan.ema_players for tensor in _list_tensors(each, name)]
            for each in (self.gan, gan)
        )
        # Loading and moving weights changes these very tensors, so they are listed once.
        self.averages = [tensor for tensor in averages if tensor.is_floating_point()]
        self.currents = [tensor for tensor in currents if tensor.is_floating_point()]
        self.counters = [  # of batch norm
            (average, current)
            for average, current in zip(averages, currents)
            if not average.is_floating_point()
        ]

    @torch.no_grad()
    def update(self, images: int, batch: int) -> None:
        """Follow the GAN after a step.

        Args:
            images: shown in all, this step included.
            batch: images of the step.
        """
        if self.burn_in is None:
            halflife = min(self.halflife, RAMP * images)
        else:
            halflife = cosine(0.0, self.halflife, images, self.burn_in)
        # A half-life of 0 means no memory, a share of 1; 1e-9 only avoids the division.
        share = 1 - 0.5 ** (batch / max(halflife, 1e-9))

        # One call for all tensors: hundreds of small ones would cost more than they compute.
        lerp = torch._foreach_lerp_  # pyright: ignore[reportPrivateImportUsage]
        lerp(self.averages, self.currents, share)
        for average, current in self.counters:
            average.copy_(current)

    def state_dict(self) -> dict[str, Tensor]:
        """The averaged players' tensors, named as in the GAN."""
        values = self.gan.state_dict().items()
        return {name: value for name, value in values if name.split(".")[0] in self.gan.ema_players}


def _list_tensors(gan: GAN, player: str) -> list[Tensor]:
    """All parameters and buffers of a player, in a fixed order."""
    module = gan.get_submodule(player)
    return [*module.parameters(), *module.buffers()]

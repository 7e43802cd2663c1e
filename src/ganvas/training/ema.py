"""Moving average of the weights, from which samples are usually better than from the last ones."""

import copy

import torch
from torch import Tensor

from ganvas.gans.base import GAN
from ganvas.recipes.schedule import cosine

# the half-life is at most this share of the images shown, so that the first weights are soon
# forgotten
RAMP = 0.05


class EMA:
    """Exponential moving average of the players named in `gan.averaged`, batch-norm statistics
    included.

    Args:
        gan: the GAN whose weights are followed.
        halflife: images after which a weight's share in the average has halved.
        burn_in: images over which the half-life grows from 0, along half a cosine; None: it is at
            most RAMP of the images shown.
    """

    def __init__(self, gan: GAN, halflife: int, burn_in: int | None = None):
        self.halflife, self.burn_in = halflife, burn_in
        self.gan = copy.deepcopy(gan).eval().requires_grad_(False)
        self.pairs = [
            (average, current)
            for name in gan.ema_players
            for average, current in zip(tensors(self.gan, name), tensors(gan, name))
        ]

    @torch.no_grad()
    def update(self, images: int, batch: int) -> None:
        """Follow the GAN after a round of `batch` images, with `images` shown in all."""
        grown = (
            min(self.halflife, RAMP * images)
            if self.burn_in is None
            else cosine(0.0, self.halflife, images, self.burn_in)
        )
        share = 1 - 0.5 ** (batch / max(grown, 1e-9))
        floats = [
            (average, current) for average, current in self.pairs if average.is_floating_point()
        ]
        averages, currents = [average for average, _ in floats], [current for _, current in floats]
        torch._foreach_lerp_(averages, currents, share)  # pyright: ignore[reportPrivateImportUsage]
        for average, current in self.pairs:
            if not average.is_floating_point():  # batch norm's counter
                average.copy_(current)

    def state_dict(self) -> dict[str, Tensor]:
        """The averaged players' tensors, named as in the GAN."""
        return {
            name: tensor
            for name, tensor in self.gan.state_dict().items()
            if name.split(".")[0] in self.gan.ema_players
        }


def tensors(gan: GAN, player: str) -> list[Tensor]:
    """All parameters and buffers of a player, in a fixed order."""
    module = gan.get_submodule(player)
    return [*module.parameters(), *module.buffers()]

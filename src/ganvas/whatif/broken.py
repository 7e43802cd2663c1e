"""GANs that are wrong on purpose. They are for experiments alone and stand in no table of GANs."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ganvas.gans.base import Batch, Clock, Update, Updates
from ganvas.gans.cdcgan import ConditionalDCGAN
from ganvas.gans.dcgan import DCGAN
from ganvas.gans.mlp import MLP, DeepMLP
from ganvas.gans.nn.losses import minimax_g
from ganvas.rng import Make, Rng
from ganvas.schema import Schema

__all__ = ["MinimaxMLP", "NineLabelsDCGAN", "RawPixelsMLP", "UnnormalisedDCGAN"]


class UnnormalisedDCGAN(DCGAN):
    """A DCGAN without its batch norms: where one was, each channel has a bias instead.

    The convolutions before a batch norm have no biases, so without these it would lack them, too.
    """

    def __init__(self, schema: Schema, **options: int):
        super().__init__(schema, **options)
        _replace_norms(self)


class ChannelBias(nn.Module):
    """A number for each channel, which is added to its map."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H, W)."""
        return maps + self.bias[:, None, None]


def _replace_norms(network: nn.Module) -> None:
    """Replace every batch norm inside by a bias."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, ChannelBias(child.num_features))
        else:
            _replace_norms(child)


class RawPixelsMLP(DeepMLP):
    """Its real images keep the values of their files, 0 to 255, while tanh gives -1 to 1."""

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        raw = (batch["image"] + 1) * 127.5  # the division that was forgotten, undone
        yield from super().step({"image": raw}, clock, rng)


class NineLabelsDCGAN(ConditionalDCGAN):
    """A conditional GAN whose labels of generated images never are the last class.

    As in a tutorial that draws them by `randint(0, 9)`, which gives 0 to 8.
    """

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        yield from super().step(batch, clock, _RngWithoutLastClass(rng))


class _RngWithoutLastClass(Rng):
    """Random numbers of another source, but for labels, of which the last is never drawn."""

    def __init__(self, source: Rng):
        super().__init__(source.device)
        self.source = source

    def rows(self, count: int, make: Make) -> Tensor:
        return self.source.rows(count, make)

    def randint(self, count: int, classes: int) -> Tensor:
        return super().randint(count, max(1, classes - 1))


class MinimaxMLP(MLP):
    """An `MLP` with the loss of the zero-sum game, whose slope vanishes where D is sure of fakes.

    Goodfellow et al. 2014, equation 1: the generator minimises mean log(1 - D(G(z))). It is not
    wrong by itself: with a discriminator of its own speed it learns.
    """

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        for updates in super().step(batch, clock, rng):
            assert isinstance(updates, tuple)  # both players at once
            of_d, _ = updates
            assert of_d.scores is not None
            yield of_d, Update("generator", {"adversarial": minimax_g(of_d.scores[1])})

"""A class-conditional DCGAN: Mirza and Osindero 2014, "Conditional Generative Adversarial Nets".

The players are convolutional. The generator gets the class as a one-hot vector beside the noise,
the discriminator as one constant plane for each class.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g
from ganvas.gans.nn.networks import (
    add_norm,
    downsample,
    initialise_weights,
    stage_sizes,
    stage_widths,
    upsample,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["ConditionalDCGAN", "ConditionalDiscriminator", "ConditionalGenerator"]

# Of the tutorial's batch norms, which are TensorFlow's: there the momentum is 0.99, the share of
# the running mean that a step keeps; PyTorch's is the share that it replaces.
NORM_EPSILON, NORM_MOMENTUM = 1e-3, 0.01


class ConditionalGenerator(nn.Module):
    """Noise and a label to an image.

    Args:
        classes: number of classes.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the one before the image.
        channels: of the image.
        kernel: side of the kernels.
        noise_size: numbers of noise.
    """

    def __init__(
        self,
        classes: int,
        start: int,
        widths: list[int],
        channels: int,
        kernel: int,
        noise_size: int,
    ):
        super().__init__()
        self.classes = classes
        first = nn.ConvTranspose2d(noise_size + classes, widths[0], start, bias=False)  # from 1x1
        modules = add_norm(first, nn.LeakyReLU(0.2, inplace=True))
        for inputs, outputs in pairwise(widths):
            doubling = upsample(inputs, outputs, kernel, bias=False)
            modules += add_norm(doubling, nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*modules, upsample(widths[-1], channels, kernel), nn.Tanh())

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W) in [-1, 1]."""
        # (N, noise_size + classes), then a map of 1x1
        inputs = torch.cat([noise, _one_hot(label, self.classes, noise.dtype)], 1)
        return self.layers(inputs[:, :, None, None])


class ConditionalDiscriminator(nn.Module):
    """An image and a label to a score.

    Args:
        classes: number of classes.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the image's half.
        channels: of the image.
        kernel: side of the kernels.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, kernel: int):
        super().__init__()
        self.classes = classes
        outward = list(reversed(widths))
        modules: list[nn.Module] = [downsample(channels + classes, outward[0], kernel)]
        modules.append(nn.LeakyReLU(0.2, inplace=True))
        for inputs, outputs in pairwise(outward):
            halving = downsample(inputs, outputs, kernel, bias=False)
            modules += add_norm(halving, nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*modules, nn.Conv2d(widths[0], 1, start), nn.Flatten(0))

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        planes = _one_hot(label, self.classes, image.dtype)[:, :, None, None]
        planes = planes.expand(-1, -1, *image.shape[2:])  # (N, classes, H, W)
        return self.layers(torch.cat([image, planes], 1))  # (N, C + classes, H, W)


def _one_hot(label: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """int64 (N,) to (N, classes), 1 at the label and 0 elsewhere; shares (N, classes) stay.

    PyTorch's own function reads all labels back from the device to check them.
    """
    if label.is_floating_point():
        return label.to(dtype)
    return (label[:, None] == torch.arange(classes, device=label.device)).to(dtype)


class ConditionalDCGAN(GAN):
    """Generates images of a given class.

    Mirza and Osindero 2014, "Conditional Generative Adversarial Nets".

    Players:

    - generator: noise and one-hot label → 7x7 map (at a size of 28) → doublings by 5x5 kernels,
      batch norm, LeakyReLU 0.2 → tanh.
    - discriminator: image and label planes → halvings by 5x5 kernels, batch norm (not after the
      first), LeakyReLU 0.2 → a score.

    Losses, with the labels y of the real images and random labels y':

    - discriminator: -mean log D(x, y) - mean log(1 - D(G(z, y), y))
    - generator: -mean log D(G(z, y'), y'), on fresh noise

    Where we differ from the tutorial: it draws random labels from 0 to 8, so its 9 stays unclear;
    ours are drawn from all classes. There are no biases before a batch norm, where they have no
    effect. Our padding has one pixel more at the left and top, where TensorFlow's "same" has it at
    the right and bottom.

    Recipe: `mnist-cdcgan`.

    Args:
        width: channels of the map nearest to the image; doubled at every halving, up to 4 x.
        kernel: side of the kernels.
        noise_size: numbers of noise, standard normal.
    """

    requires = ("image", "label")

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 128,
        kernel: PositiveInt = 5,
        noise_size: PositiveInt = 100,
    ):
        super().__init__(schema)
        self.noise_size = noise_size
        start, *larger = stage_sizes(self.size)  # 28 pixels: 7, [14, 28]
        widths = stage_widths(width, len(larger), most=4)  # 28 pixels: [256, 128]
        classes = len(self.classes)
        self.generator = ConditionalGenerator(
            classes, start, widths, self.channels, kernel, noise_size
        )
        self.discriminator = ConditionalDiscriminator(classes, start, widths, self.channels, kernel)
        initialise_weights(self, std=0.02, truncated=True)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps, module.momentum = NORM_EPSILON, NORM_MOMENTUM

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, label = batch["image"], batch["label"]
        with torch.no_grad():  # the generator's own update draws other fakes
            fake = self.sample(len(real), rng, label=label)
        # Real and fake images under the same labels: D judges the pair of image and label.
        scores = self.discriminator(real, label), self.discriminator(fake, label)
        losses = {"adversarial": non_saturating_d(*scores)}
        yield Update("discriminator", losses, scores=scores)

        fake_label = rng.randint(len(real), len(self.classes))
        fake = self.sample(len(real), rng, label=fake_label)
        score = self.discriminator(fake, fake_label)
        yield Update("generator", {"adversarial": non_saturating_g(score)})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch["label"])

    def sample(self, count: int, rng: Rng, *, label: Tensor) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size), label)

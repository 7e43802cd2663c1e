"""A small GAN without normalisation that trains well in minutes on a CPU.

Relativistic pairing (Jolicoeur-Martineau 2018) with a gradient penalty on real images (Mescheder et
al. 2018). The discriminator only has to say which of two images is more real, so every mode that
the generator forgets costs it; the penalty keeps the discriminator from winning.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates, choose_columns, count_classes
from ganvas.gans.nn.augment import AUGMENT_NUMBERS, adapt_probability, augment, pair_signs
from ganvas.gans.nn.labels import concat_label, project_label
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.gans.nn.networks import (
    FOLDED_SIZE,
    downsample,
    leaky_tanh,
    resize_upsample,
    stage_sizes,
    stage_widths,
    unfold,
    upsample,
)
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["RelativisticGAN", "SmallDiscriminator", "SmallGenerator"]

Augmentation = Literal["none", "adaptive"]
# real images in which the augmentations' probability can rise from 0 to 1; runs are short here
IMAGES_TO_ONE = 50_000


class SmallGenerator(nn.Module):
    """Noise, and perhaps a label, to an image.

    Args:
        classes: number of classes; 0: unconditional.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the largest.
        channels: of the image.
        noise_size: numbers of noise, and of a class's embedding.
        fold: pixels of the image along a side of each place of the largest map.
    """

    def __init__(
        self,
        classes: int,
        start: int,
        widths: list[int],
        channels: int,
        noise_size: int,
        fold: int,
    ):
        super().__init__()
        self.embedding = nn.Embedding(classes, noise_size) if classes else None
        inputs = 2 * noise_size if classes else noise_size
        modules: list[nn.Module] = [nn.Linear(inputs, widths[0] * start**2)]
        modules += [nn.Unflatten(1, (widths[0], start, start)), nn.LeakyReLU(0.2, inplace=True)]
        for inputs, outputs in pairwise(widths):
            grow = resize_upsample(inputs, outputs) if fold > 1 else upsample(inputs, outputs, 4)
            modules += [grow, nn.LeakyReLU(0.2, inplace=True)]
        modules.append(unfold(widths[-1], channels, fold))
        self.folded = fold > 1
        if self.folded:  # else it would copy the images for nothing
            modules.append(nn.PixelShuffle(fold))
        self.layers = nn.Sequential(*modules)

    def forward(self, noise: Tensor, label: Tensor | None) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W), with folding a little beyond [-1, 1]."""
        images = self.layers(concat_label(noise, label, self.embedding))
        return leaky_tanh(images) if self.folded else images.tanh()


class SmallDiscriminator(nn.Module):
    """An image to a score; Miyato and Koyama 2018.

    With classes, the product of the image's features and the label's embedding is added.

    Args:
        classes: number of classes; 0: unconditional.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to half of the largest.
        channels: of the image.
        features: numbers that summarise an image.
        fold: pixels of the image along a side of each place of the largest map.
    """

    def __init__(
        self,
        classes: int,
        start: int,
        widths: list[int],
        channels: int,
        features: int,
        fold: int,
    ):
        super().__init__()
        modules: list[nn.Module] = [nn.PixelUnshuffle(fold)] if fold > 1 else []
        planes = [channels * fold**2, *reversed(widths)]
        for inputs, outputs in pairwise(planes):
            modules += [downsample(inputs, outputs, 4), nn.LeakyReLU(0.2, inplace=True)]
        modules += [nn.Flatten(), nn.Linear(planes[-1] * start**2, features)]
        self.layers = nn.Sequential(*modules, nn.LeakyReLU(0.2, inplace=True))

        # a constant cancels in the relativistic loss
        self.plain = nn.Linear(features, 1, bias=False)
        self.embedding = nn.Embedding(classes, features) if classes else None

    def forward(self, image: Tensor, label: Tensor | None) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        features = self.layers(image)  # (N, features)
        score = self.plain(features)[:, 0]  # (N,)
        if self.embedding is None:
            return score
        product = project_label(features, label, self.embedding)
        # Embeddings are N(0, 1) at first: a product of n terms grows with sqrt(n).
        return score + product / math.sqrt(features.shape[1])


class RelativisticGAN(GAN):
    """Every generated image competes with a real one, of the same class if there are classes.

    Jolicoeur-Martineau 2018, "The relativistic discriminator: a key element missing from standard
    GAN"; Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?".

    Players:

    - generator: noise and label embedding → linear → doublings, LeakyReLU 0.2 → tanh; of folded
      images tanh(x) + x / 10, cut to [-1, 1] after training.
    - discriminator: halvings, LeakyReLU 0.2 → features, which are scored by themselves and against
      the label's embedding.

    Losses, with x a real image of class y:

    - discriminator: mean softplus(D(G(z, y), y) - D(x, y)) + gamma / 2 mean |∇ D(x, y)|²
    - generator: mean softplus(D(x, y) - D(G(z, y), y))

    The fakes are generated once in a training step and serve both updates.

    Large images are folded: a square of 2x2 pixels is one place with four times the channels, by a
    pixel shuffle (Shi et al. 2016) at the end of the generator and its inverse at the beginning of
    the discriminator. Layers at full size have few channels, which a CPU computes slowly, and they
    are what draws lattices. Maps of folded images are doubled by repeating their pixels (Odena et
    al. 2016).

    Stats: `augmentation`, the probability of each augmentation, where it adapts.

    Where we differ from the papers: the penalty is on real images only. It is computed in every
    `penalty_every`-th training step at that many times its weight (the lazy form of Karras et al.
    2020), since it costs as much as the rest of the step. Adaptive augmentation (Karras et al.
    2020, "Training Generative Adversarial Networks with Limited Data") measures overfitting by
    pairs: how much more often than not a real image scores higher than a fake. Single scores have
    no meaning here.

    Recipes: `digits`, `mnist-fast`, `fashion-fast`, `avatars-fast`, `stacked-mnist-fast`.

    Args:
        width: channels of the largest map; doubled at every halving, up to `most` x.
        most: see `width`.
        noise_size: numbers of noise, standard normal, and of the label's embedding.
        features: numbers by which the discriminator summarises an image.
        conditional: whether to use the classes of the data, if there are any.
        fold: whether images are folded; None: those of 48 pixels or more.
        gamma: the penalty's weight.
        penalty_every: training steps from one penalty to the next.
        augmentation: "adaptive" turns, moves, recolours and cuts holes into the images that the
            discriminator sees, with a probability that grows while it memorises images; for sets of
            a few thousand images or fewer.
    """

    double_backward = True
    decision_threshold = None
    # of each augmentation; a buffer, so that checkpoints hold it
    probability: Tensor

    def __init__(
        self,
        schema: Schema,
        *,
        width: PositiveInt = 16,
        most: PositiveInt = 4,
        noise_size: PositiveInt = 64,
        features: PositiveInt = 128,
        conditional: bool = True,
        fold: bool | None = None,
        gamma: NonNegativeFloat = 0.2,
        penalty_every: PositiveInt = 8,
        augmentation: Augmentation = "none",
    ):
        self.requires = choose_columns(schema, conditional)  # set before `GAN` checks the data
        super().__init__(schema)
        self.noise_size = noise_size
        self.gamma = gamma
        self.penalty_every = penalty_every
        self.adaptive = augmentation == "adaptive"
        if self.adaptive:
            self.register_buffer("probability", torch.zeros(()))

        folds = self.size >= FOLDED_SIZE if fold is None else fold
        sizes = stage_sizes(self.size)  # 64 pixels: [4, 8, 16, 32, 64]
        if folds:
            sizes.pop()  # the largest map has half of the image's side
        side = self.size // sizes[-1]

        widths = stage_widths(width, len(sizes), most)
        classes, channels = count_classes(self), self.channels
        self.generator = SmallGenerator(classes, sizes[0], widths, channels, noise_size, side)
        self.discriminator = SmallDiscriminator(
            classes, sizes[0], widths[:-1], channels, features, side
        )

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, label = batch["image"], batch.get("label")  # (N, C, H, W) and (N,) or None
        # Its graph holds none of D's weights. It is not cut to [-1, 1], which has no gradient.
        fake = self.generator(rng.normal(len(real), self.noise_size), label)
        # both players see the same changes of the same images
        real_numbers = self.draw_changes(len(real), rng)
        fake_numbers = self.draw_changes(len(real), rng)

        with_penalty = clock.every(self.penalty_every)
        # Before the augmentation, so that R1 is with respect to the images of the data.
        real.requires_grad_(with_penalty)
        seen_real = self.change(real, real_numbers)
        seen_fake = self.change(fake.detach(), fake_numbers)
        if with_penalty:
            # two passes, so that gradients of gradients do not go through the fakes as well
            real_score = self.discriminator(seen_real, label)
            fake_score = self.discriminator(seen_fake, label)
        else:
            labels = None if label is None else torch.cat([label, label])
            both = torch.cat([seen_real, seen_fake])
            real_score, fake_score = self.discriminator(both, labels).chunk(2)

        adversarial = relativistic(real_score, fake_score)
        penalty = torch.zeros_like(adversarial)
        if with_penalty:
            penalty = squared_gradient(real_score, real).mean()
            penalty = self.penalty_every * self.gamma / 2 * penalty  # the same on average
            real.requires_grad_(False)  # from here on only the generator learns
        losses = {"adversarial": adversarial, "penalty": penalty}
        yield Update("discriminator", losses, scores=(real_score, fake_score))

        # The discriminator has changed, so the opponents are scored again.
        with torch.no_grad():
            opponent = self.discriminator(self.change(real, real_numbers), label)
        score = self.discriminator(self.change(fake, fake_numbers), label)
        # a copy, since `adapt` changes it in place
        stats = {"augmentation": self.probability.clone()} if self.adaptive else {}
        yield Update("generator", {"adversarial": relativistic(score, opponent)}, stats)

        # The scores are from before the discriminator was trained on these very images.
        if self.adaptive:
            self.adapt(rng.gather(real_score.detach()), rng.gather(fake_score.detach()))

    def draw_changes(self, count: int, rng: Rng) -> Tensor | None:
        """Random numbers of augmentations, (count, AUGMENT_NUMBERS); None without augmentation."""
        return rng.rand(count, AUGMENT_NUMBERS) if self.adaptive else None

    def change(self, images: Tensor, numbers: Tensor | None) -> Tensor:
        """Augment images (N, C, H, W), if there are numbers."""
        return images if numbers is None else augment(images, numbers, self.probability)

    def adapt(self, real_scores: Tensor, fake_scores: Tensor) -> None:
        """Raise or lower the probability, by scores (N,) of the batches of all processes."""
        overfitting = pair_signs(real_scores, fake_scores)
        probability = adapt_probability(
            self.probability, overfitting, len(real_scores), images_to_one=IMAGES_TO_ONE
        )
        self.probability.copy_(probability)  # in place: a captured step reads this memory

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch.get("label"))

    def sample(self, count: int, rng: Rng, *, label: Tensor | None = None) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size), label).clamp(-1, 1)

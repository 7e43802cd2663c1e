"""A small GAN without normalisation that trains well in minutes on a CPU, with classes or without.

Relativistic pairing (Jolicoeur-Martineau 2018) with a gradient penalty on real pictures (Mescheder
et al. 2018): the discriminator only has to say which of two pictures is more real, so every mode
that the generator forgets costs it; the penalty keeps it from winning the game outright.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates, choose_columns
from ganvas.gans.nn.augment import AUGMENT_NUMBERS, adapt_probability, augment, pair_signs
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.gans.nn.networks import downsample, stage_sizes, stage_widths, upsample
from ganvas.rng import Rng
from ganvas.schema import Schema

Augmentation = Literal["none", "adaptive"]
# real ones in which the augmentations' probability can go from 0 to 1: runs are short here
IMAGES_TO_ONE = 50_000


class SmallGenerator(nn.Module):
    """Noise, and perhaps a label, to a picture.

    Args:
        classes: how many; 0: it is told none.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the picture's size.
        channels: of the picture.
        noise_size: numbers of noise, and of a class.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, noise_size: int):
        super().__init__()
        self.embedding = nn.Embedding(classes, noise_size) if classes else None
        modules: list[nn.Module] = [
            nn.Linear((2 if classes else 1) * noise_size, widths[0] * start**2)
        ]
        modules += [nn.Unflatten(1, (widths[0], start, start)), nn.LeakyReLU(0.2, inplace=True)]
        for inputs, outputs in pairwise(widths):
            modules += [upsample(inputs, outputs, 4), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(
            *modules, nn.Conv2d(widths[-1], channels, 3, padding=1), nn.Tanh()
        )

    def forward(self, noise: Tensor, label: Tensor | None) -> Tensor:
        """(N, noise_size) and int64 (N,) to (N, C, H, W) in [-1, 1]."""
        return self.layers(
            noise if self.embedding is None else torch.cat([noise, self.embedding(label)], 1)
        )


class SmallDiscriminator(nn.Module):
    """A picture to a score, with classes the picture's features times the label's too; Miyato and
    Koyama 2018.

    Args:
        classes: how many; 0: it is told none.
        start: side of the smallest map.
        widths: channels of the maps, from the smallest to the picture's half.
        channels: of the picture.
        features: numbers in which a picture is summed up.
    """

    def __init__(self, classes: int, start: int, widths: list[int], channels: int, features: int):
        super().__init__()
        modules: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *reversed(widths)]):
            modules += [downsample(inputs, outputs, 4), nn.LeakyReLU(0.2, inplace=True)]
        modules += [
            nn.Flatten(),
            nn.Linear(widths[0] * start**2, features),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        self.layers = nn.Sequential(*modules)
        # a constant cancels in the relativistic loss
        self.plain = nn.Linear(features, 1, bias=False)
        self.embedding = nn.Embedding(classes, features) if classes else None

    def forward(self, image: Tensor, label: Tensor | None) -> Tensor:
        """(N, C, H, W) and int64 (N,) to scores (N,)."""
        features = self.layers(image)
        score = self.plain(features)[:, 0]
        if self.embedding is None:
            return score
        return score + (features * self.embedding(label)).sum(1) / math.sqrt(features.shape[1])


class RelativisticGAN(GAN):
    """Every generated picture competes with a real one, of the same class if there are classes.

    Players: generator noise and label embedding → linear → doublings, LeakyReLU 0.2 → tanh;
    discriminator halvings, LeakyReLU 0.2 → features, scored alone and against the label's
    embedding.
    Losses: discriminator mean softplus(D(G(z, y), y) - D(x, y)) + gamma / 2 mean |∇ D(x, y)|²;
    generator mean softplus(D(x, y) - D(G(z, y), y)), with x a real picture of class y. The fakes
    are made once a round and serve both moves.
    Stats: `augmentation`, the probability of each augmentation, where it adapts.
    Where we differ from the papers: the penalty is on real pictures only and is computed every
    `penalty_every` rounds at that many times its weight (the lazy form of Karras et al. 2020),
    since it costs as much as the rest of the round. With adaptive augmentation (Karras et al. 2020,
    "Training Generative Adversarial Networks with Limited Data") overfitting is measured by pairs:
    how much more often than not a real picture scores higher than a fake, since single scores mean
    nothing here. Recipes: `digits`, `mnist-fast`, `fashion-fast`, `avatars-fast`.

    Args:
        width: channels of the map of the picture's size; doubled at every halving, up to `most` x.
        most: see `width`.
        noise_size: numbers of noise, standard normal, and of the label's embedding.
        features: numbers in which the discriminator sums up a picture.
        conditional: whether it is told the classes, where the data has some.
        gamma: the penalty's weight.
        penalty_every: rounds from one penalty to the next.
        augmentation: "adaptive" hides from the discriminator, with a probability that grows while
            it learns pictures by heart, how pictures are turned, moved and coloured; for sets of a
            few thousand pictures or fewer.
    """

    double_backward = True
    decision_threshold = None
    # of each augmentation; in the checkpoint, since it follows from all that was seen
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
        gamma: NonNegativeFloat = 0.2,
        penalty_every: PositiveInt = 8,
        augmentation: Augmentation = "none",
    ):
        self.requires = choose_columns(schema, conditional)
        super().__init__(schema)
        self.noise_size, self.gamma, self.penalty_every = noise_size, gamma, penalty_every
        self.adaptive = augmentation == "adaptive"
        if self.adaptive:
            self.register_buffer("probability", torch.zeros(()))
        sizes = stage_sizes(self.size)
        widths = stage_widths(width, len(sizes), most)
        classes = len(self.classes) if "label" in self.requires else 0
        self.generator = SmallGenerator(classes, sizes[0], widths, self.channels, noise_size)
        self.discriminator = SmallDiscriminator(
            classes, sizes[0], widths[:-1], self.channels, features
        )

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, label = batch["image"], batch.get("label")
        fake = self.imagine(label, len(real), rng)
        transforms = (
            [rng.rand(len(real), AUGMENT_NUMBERS) for _ in range(2)]
            if self.adaptive
            else [None, None]
        )

        def seen(images: Tensor, numbers: Tensor | None) -> Tensor:
            return images if numbers is None else augment(images, numbers, self.probability)

        punished = clock.every(self.penalty_every)
        real.requires_grad_(punished)
        both = seen(real, transforms[0]), seen(fake.detach(), transforms[1])
        # in two passes, since gradients of gradients need not go through the fakes' as well
        if punished:
            real_score, fake_score = (self.discriminator(images, label) for images in both)
        else:
            labels = None if label is None else torch.cat([label, label])
            real_score, fake_score = self.discriminator(torch.cat(both), labels).chunk(2)
        adversarial = relativistic(real_score, fake_score)
        penalty = torch.zeros_like(adversarial)
        if punished:
            penalty = (
                self.penalty_every * self.gamma / 2 * squared_gradient(real_score, real).mean()
            )
            real.requires_grad_(False)
        losses = {"adversarial": adversarial, "penalty": penalty}
        yield Update("discriminator", losses, scores=(real_score, fake_score))
        with torch.no_grad():
            opponent = self.discriminator(seen(real, transforms[0]), label)
        stats = {"augmentation": self.probability.clone()} if self.adaptive else {}
        adversarial = relativistic(self.discriminator(seen(fake, transforms[1]), label), opponent)
        yield Update("generator", {"adversarial": adversarial}, stats)
        # by the scores from before the discriminator learnt from these very pictures
        if self.adaptive:
            scores = rng.gather(real_score.detach()), rng.gather(fake_score.detach())
            by_heart = pair_signs(*scores)
            self.probability.copy_(
                adapt_probability(
                    self.probability, by_heart, len(scores[0]), images_to_one=IMAGES_TO_ONE
                )
            )

    def imagine(self, label: Tensor | None, count: int, rng: Rng) -> Tensor:
        """Pictures (count, C, H, W), of these classes if there are any."""
        return self.generator(rng.normal(count, self.noise_size), label)

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], batch.get("label"))

    def sample(self, count: int, rng: Rng, *, label: Tensor | None = None) -> Tensor:
        return self.imagine(label, count, rng)

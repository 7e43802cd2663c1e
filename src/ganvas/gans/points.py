"""Points in the plane from small fully connected players: what mode collapse is studied on, and
what ends it.

Plain, it is the GAN that VEEGAN (Srivastava et al. 2017) and PacGAN (Lin, Khetan, Fanti and Oh
2018, "PacGAN: The power of two samples in generative adversarial networks") compare themselves
with. With `packing` it is PacGAN: the discriminator judges several points at once, all real or all
fake, and so sees when a generator makes the same few again and again.

The second is the game of R3GAN (Huang et al. 2024) on the same data: in pairs with real points no
mode can be dropped for free (Sun, Fang and Schwing 2020), and zero-centred penalties on real and
generated points let the game come to rest.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g, relativistic, squared_gradient
from ganvas.gans.nn.networks import packed
from ganvas.rng import Rng
from ganvas.schema import Schema


class PointGAN(GAN):
    """A point from noise; a score for a pack of points.

    Players: generator noise → two hidden layers, ReLU → two coordinates; discriminator `packing`
    points side by side → two hidden layers, ReLU → a score.
    Losses: discriminator -mean log D(pack of x) - mean log(1 - D(pack of G(z))); generator -mean
    log D(pack of G(z)) on the fakes that the discriminator just saw.
    Where we differ: PacGAN's players on these data are larger, four hidden layers of 400 with batch
    norm against three maxout layers of 200 x 5. The packs of a batch overlap: N points make N
    packs, each of a point and those before it, where PacGAN draws packing x N points. Points
    outside [-1, 1] are set on its edge when sampled. Recipes: `rings`, `grid`.

    Args:
        hidden: units of each hidden layer of either player.
        noise_size: numbers of noise, standard normal.
        packing: points that the discriminator sees together; PacGAN's m.
    """

    kind = "point"

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: PositiveInt = 128,
        noise_size: PositiveInt = 2,
        packing: PositiveInt = 1,
    ):
        super().__init__(schema)
        self.noise_size, self.packing = noise_size, packing
        self.generator = nn.Sequential(
            *layers(noise_size, (hidden, hidden)), nn.Linear(hidden, 2), nn.Unflatten(1, (2, 1, 1))
        )
        self.discriminator = nn.Sequential(
            *layers(2 * packing, (hidden, hidden)), nn.Linear(hidden, 1), nn.Flatten(0)
        )

    def packs(self, points: Tensor) -> Tensor:
        """(N, 2, 1, 1) to (N, 2 * packing): each point and the `packing` - 1 before it, beginning
        again at the end.
        """
        return packed(points, self.packing).flatten(1)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        fake = self.generator(rng.normal(len(batch["image"]), self.noise_size))
        real_score = self.discriminator(self.packs(batch["image"]))
        fake_score = self.discriminator(self.packs(fake.detach()))
        adversarial = non_saturating_d(real_score, fake_score)
        yield Update("discriminator", {"adversarial": adversarial}, scores=(real_score, fake_score))
        yield Update(
            "generator", {"adversarial": non_saturating_g(self.discriminator(self.packs(fake)))}
        )

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(self.packs(batch["image"]))

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size)).clamp(-1, 1)


class RelativisticPointGAN(GAN):
    """A point from noise, which competes with a real one for the higher score.

    Players: generator noise → hidden layers, ReLU → two coordinates; discriminator a point → hidden
    layers, ReLU → a score.
    Losses: discriminator mean softplus(D(G(z)) - D(x)) + gamma / 2 mean(|∇ D(x)|² + |∇ D(G(z))|²);
    generator, on other noise, mean softplus(D(x) - D(G(z))).
    Where we differ from R3GAN: fully connected players instead of convolutions; both see the same
    real points in a round; the penalty's weight does not change. Points outside [-1, 1] are set on
    its edge when sampled. Recipes: `rings-fast`, `grid-fast`.

    Args:
        hidden: units of the hidden layers of either player.
        noise_size: numbers of noise, standard normal.
        gamma: the penalty's weight.
    """

    kind = "point"
    double_backward = True
    decision_threshold = None

    def __init__(
        self,
        schema: Schema,
        *,
        hidden: tuple[PositiveInt, ...] = (64, 64, 64),
        noise_size: PositiveInt = 2,
        gamma: NonNegativeFloat = 0.01,
    ):
        super().__init__(schema)
        self.noise_size, self.gamma = noise_size, gamma
        self.generator = nn.Sequential(
            *layers(noise_size, hidden), nn.Linear(hidden[-1], 2), nn.Unflatten(1, (2, 1, 1))
        )
        score = nn.Linear(hidden[-1], 1, bias=False)  # a constant cancels in the relativistic loss
        self.discriminator = nn.Sequential(nn.Flatten(), *layers(2, hidden), score, nn.Flatten(0))

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]
        with torch.no_grad():
            fake = self.generator(rng.normal(len(real), self.noise_size))
        # at once, which takes little more than one of them
        both = torch.cat([real, fake]).requires_grad_()
        scores = self.discriminator(both)
        real_score, fake_score = scores.chunk(2)
        # a mean of twice as many points: no half
        penalty = self.gamma * squared_gradient(scores, both).mean()
        losses = {"adversarial": relativistic(real_score, fake_score), "penalty": penalty}
        yield Update("discriminator", losses, scores=(real_score, fake_score))
        with torch.no_grad():
            real_score = self.discriminator(real)
        fake_score = self.discriminator(self.generator(rng.normal(len(real), self.noise_size)))
        yield Update("generator", {"adversarial": relativistic(fake_score, real_score)})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size)).clamp(-1, 1)


def layers(inputs: int, hidden: tuple[int, ...]) -> list[nn.Module]:
    """Hidden layers of so many units: linear ones, each with ReLU."""
    return [
        module for sizes in pairwise((inputs, *hidden)) for module in (nn.Linear(*sizes), nn.ReLU())
    ]

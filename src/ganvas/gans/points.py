"""Points in the plane from small fully connected players, on which mode collapse is studied.

`PointGAN` is the plain GAN with which VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018,
"PacGAN: The power of two samples in generative adversarial networks") compare themselves. With
`packing` it is PacGAN: the discriminator scores several points together, all real or all fake, and
so notices when a generator repeats a few.

`RelativisticPointGAN` plays the game of R3GAN (Huang et al. 2024) on the same data. Compared with
real points in pairs, dropping a mode always costs something (Sun, Fang and Schwing 2020), and
zero-centred penalties on real and generated points let the game converge.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g, relativistic, squared_gradient
from ganvas.gans.nn.networks import pack_images
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["PointGAN", "RelativisticPointGAN"]


class PointGAN(GAN):
    """Generates points from noise; the discriminator scores packs of points.

    Lin et al. 2018, "PacGAN: The power of two samples in generative adversarial networks".

    Players:

    - generator: noise → two hidden layers, ReLU → two coordinates.
    - discriminator: `packing` points side by side → two hidden layers, ReLU → a score.

    Losses:

    - discriminator: -mean log D(pack of x) - mean log(1 - D(pack of G(z)))
    - generator: -mean log D(pack of G(z)), on the fakes that the discriminator just saw

    Where we differ from the paper: PacGAN's players on these data are larger, four hidden layers of
    400 with batch norm and three maxout layers of 200 x 5. The packs of a batch overlap: N points
    make N packs, each of a point and those before it, where PacGAN draws packing x N points.
    Samples outside [-1, 1] are moved to its edge.

    Recipes: `rings`, `grid`.

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
        self.noise_size = noise_size
        self.packing = packing
        layers = _hidden_layers(noise_size, (hidden, hidden))
        self.generator = nn.Sequential(*layers, nn.Linear(hidden, 2), nn.Unflatten(1, (2, 1, 1)))
        layers = _hidden_layers(2 * packing, (hidden, hidden))  # x and y of each point
        self.discriminator = nn.Sequential(*layers, nn.Linear(hidden, 1), nn.Flatten(0))

    def pack(self, points: Tensor) -> Tensor:
        """Join each point (N, 2, 1, 1) with the `packing` - 1 before it: (N, 2 * packing)."""
        return pack_images(points, self.packing).flatten(1)

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]  # (N, 2, 1, 1)
        fake = self.generator(rng.normal(len(real), self.noise_size))
        real_score = self.discriminator(self.pack(real))
        fake_score = self.discriminator(self.pack(fake.detach()))
        losses = {"adversarial": non_saturating_d(real_score, fake_score)}
        yield Update("discriminator", losses, scores=(real_score, fake_score))

        score = self.discriminator(self.pack(fake))
        yield Update("generator", {"adversarial": non_saturating_g(score)})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(self.pack(batch["image"]))

    def sample(self, count: int, rng: Rng) -> Tensor:
        # Not in training: a clamp would cut off the gradient of points outside.
        return self.generator(rng.normal(count, self.noise_size)).clamp(-1, 1)


class RelativisticPointGAN(GAN):
    """Generates points from noise, which compete with real ones for the higher score.

    Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN".

    Players:

    - generator: noise → hidden layers, ReLU → two coordinates.
    - discriminator: a point → hidden layers, ReLU → a score.

    Losses:

    - discriminator: mean softplus(D(G(z)) - D(x)) + gamma / 2 mean(|∇ D(x)|² + |∇ D(G(z))|²)
    - generator, on other noise: mean softplus(D(x) - D(G(z)))

    Where we differ from the paper: players are fully connected instead of convolutional. Both see
    the same real points in a training step. The penalty's weight does not change. Samples outside
    [-1, 1] are moved to its edge.

    Recipes: `rings-fast`, `grid-fast`.

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
        self.noise_size = noise_size
        self.gamma = gamma
        layers = _hidden_layers(noise_size, hidden)
        last = nn.Linear(hidden[-1], 2)
        self.generator = nn.Sequential(*layers, last, nn.Unflatten(1, (2, 1, 1)))
        # no bias, since a constant cancels in the relativistic loss
        score = nn.Linear(hidden[-1], 1, bias=False)
        layers = _hidden_layers(2, hidden)
        self.discriminator = nn.Sequential(nn.Flatten(), *layers, score, nn.Flatten(0))

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"]  # (N, 2, 1, 1)
        with torch.no_grad():
            fake = self.generator(rng.normal(len(real), self.noise_size))

        # one pass over both takes little more time than a pass over one
        both = torch.cat([real, fake]).requires_grad_()  # (2 N, 2, 1, 1)
        scores = self.discriminator(both)
        real_score, fake_score = scores.chunk(2)
        # a mean over twice as many points, so no half
        penalty = self.gamma * squared_gradient(scores, both).mean()
        losses = {"adversarial": relativistic(real_score, fake_score), "penalty": penalty}
        yield Update("discriminator", losses, scores=(real_score, fake_score))

        with torch.no_grad():
            # The generator has no part in these scores.
            real_score = self.discriminator(real)
        fake_score = self.discriminator(self.generator(rng.normal(len(real), self.noise_size)))
        yield Update("generator", {"adversarial": relativistic(fake_score, real_score)})

    def sample(self, count: int, rng: Rng) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size)).clamp(-1, 1)


def _hidden_layers(inputs: int, hidden: tuple[int, ...]) -> list[nn.Module]:
    """Linear layers of so many units, (N, inputs) to (N, hidden[-1]), each with ReLU."""
    modules: list[nn.Module] = []
    for sizes in pairwise((inputs, *hidden)):
        modules += [nn.Linear(*sizes), nn.ReLU()]
    return modules

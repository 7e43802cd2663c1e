"""Points in the plane from small fully connected players, alone or packed: what mode collapse is studied on.

Plain, it is the GAN that VEEGAN (Srivastava et al. 2017) and PacGAN (Lin, Khetan, Fanti and Oh 2018, "PacGAN: The power of two
samples in generative adversarial networks") compare themselves with. With `packing` it is PacGAN: the discriminator judges
several points at once, all real or all fake, and so sees when a generator makes the same few again and again.
"""

from collections.abc import Iterator

from pydantic import PositiveInt
from torch import Tensor, nn

from ganvas.draws import Draw
from ganvas.gans.base import GAN, Batch, Clock, Move, Turn
from ganvas.losses import non_saturating_d, non_saturating_g
from ganvas.networks import packed
from ganvas.schema import Schema


class PointGAN(GAN):
    """A point from noise; a score for a pack of points.

    Players: generator noise → two hidden layers, ReLU → two coordinates; discriminator `packing` points side by side → two hidden
    layers, ReLU → a score.
    Losses: discriminator -mean log D(pack of x) - mean log(1 - D(pack of G(z))); generator -mean log D(pack of G(z)) on the fakes
    that the discriminator just saw.
    Where we differ: PacGAN's players on these data are larger, four hidden layers of 400 with batch norm against three maxout
    layers of 200 x 5. The packs of a batch overlap: N points make N packs, each of a point and those before it, where PacGAN
    draws packing x N points. Points outside [-1, 1] are set on its edge when sampled.
    Recipes: `rings`, `grid`.

    Args:
        hidden: units of each hidden layer of either player.
        noise_size: numbers of noise, standard normal.
        packing: points that the discriminator sees together; PacGAN's m.
    """

    points = True

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
        self.generator = nn.Sequential(*layers(noise_size, hidden, 2), nn.Unflatten(1, (2, 1, 1)))
        self.discriminator = nn.Sequential(*layers(2 * packing, hidden, 1), nn.Flatten(0))

    def packs(self, points: Tensor) -> Tensor:
        """(N, 2, 1, 1) to (N, 2 * packing): each point and the `packing` - 1 before it, beginning again at the end."""
        return packed(points, self.packing).flatten(1)

    def step(self, batch: Batch, clock: Clock, draw: Draw) -> Iterator[Move]:
        fake = self.generator(draw.normal(len(batch["image"]), self.noise_size))
        real_score = self.discriminator(self.packs(batch["image"]))
        fake_score = self.discriminator(self.packs(fake.detach()))
        adversarial = non_saturating_d(real_score, fake_score)
        yield Turn("discriminator", {"adversarial": adversarial}, scores=(real_score, fake_score))
        yield Turn("generator", {"adversarial": non_saturating_g(self.discriminator(self.packs(fake)))})

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(self.packs(batch["image"]))

    def sample(self, count: int, draw: Draw) -> Tensor:
        return self.generator(draw.normal(count, self.noise_size)).clamp(-1, 1)


def layers(inputs: int, hidden: int, outputs: int) -> list[nn.Module]:
    """Linear layers through two hidden ones of equal size, with ReLU."""
    return [nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, outputs)]

"""Train a GAN on points in the plane, one update at a time, and see what both players do.

The discriminator is seen as colours over the plane, the generator as a square net of noise that it
bends until it covers the data.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.errors import UserError, nearest
from ganvas.gans.nn.losses import squared_gradient
from ganvas.rng import fold_in
from ganvas.theory.losses import LOSSES

__all__ = ["PLANE_TARGETS", "REACH", "PlaneGame", "PlaneSnapshot", "draw_plane_target"]

BATCH = 256
WIDTH = 64  # of both hidden layers
RATES = {"generator": 2e-3, "discriminator": 4e-3}
BETAS = (0.0, 0.9)  # as on the line
REACH = 1.5  # the plane is seen from -REACH to REACH
CELLS = 40  # of the map of the discriminator, across and down
NET = 17  # lines of the generator's net, across and down
SHOWN = 256  # points of each kind
SPREAD = 0.05  # standard deviation of drawn and of ring-shaped data


@dataclass(frozen=True)
class PlaneSnapshot:
    """The game at one moment.

    Attributes:
        discriminator: float64 (CELLS, CELLS), D at the middles of cells, the lowest row first.
        net: float64 (NET, NET, 2), where G sends a square net of noise.
        real: float64 (SHOWN, 2), data.
        fake: float64 (SHOWN, 2), generated points.
        covered: share of the data near which a generated point lies.
        steps: updates of the discriminator and of the generator so far.
    """

    discriminator: np.ndarray
    net: np.ndarray
    real: np.ndarray
    fake: np.ndarray
    covered: float
    steps: tuple[int, int]


def _ring(count: int, random: torch.Generator) -> Tensor:
    angles = torch.randint(8, (count,), generator=random) * (torch.pi / 4)
    centres = torch.stack([angles.cos(), angles.sin()], 1)
    return centres + SPREAD * torch.randn(count, 2, generator=random)


def _grid(count: int, random: torch.Generator) -> Tensor:
    places = torch.randint(5, (count, 2), generator=random) / 2 - 1  # -1, -1/2, ..., 1
    return places + SPREAD * torch.randn(count, 2, generator=random)


def _moons(count: int, random: torch.Generator) -> Tensor:
    angles = torch.rand(count, generator=random) * torch.pi
    upper = torch.rand(count, generator=random) < 0.5
    x = torch.where(upper, angles.cos() - 0.4, 0.4 - angles.cos())
    y = torch.where(upper, angles.sin() - 0.25, 0.25 - angles.sin())
    return 0.8 * torch.stack([x, y], 1) + SPREAD * torch.randn(count, 2, generator=random)


def _spiral(count: int, random: torch.Generator) -> Tensor:
    turns = torch.rand(count, generator=random).sqrt()
    angles = turns * 3.5 * torch.pi
    points = turns[:, None] * torch.stack([angles.cos(), angles.sin()], 1)
    return 1.2 * points + SPREAD / 2 * torch.randn(count, 2, generator=random)


PLANE_TARGETS = {"ring": _ring, "grid": _grid, "moons": _moons, "spiral": _spiral}


def draw_plane_target(points: np.ndarray, count: int, random: torch.Generator) -> Tensor:
    """Data around points that a person has drawn, (count, 2).

    Args:
        points: float (P, 2).
        count: of rows.
        random: source of randomness.
    """
    chosen = torch.randint(len(points), (count,), generator=random)
    drawn = torch.from_numpy(points).float()[chosen]
    return drawn + SPREAD * torch.randn(count, 2, generator=random)


class PlaneGame:
    """Both players with their optimizers and random numbers.

    Args:
        target: a name in `PLANE_TARGETS`, or points that were drawn, float (P, 2).
        loss: a name in `ganvas.theory.losses.LOSSES`.
        penalty: weight of R1 + R2 in the discriminator's loss.
        seed: random seed.

    Raises:
        UserError: an unknown name, or no points.
    """

    def __init__(
        self,
        target: str | np.ndarray = "ring",
        loss: str = "relativistic",
        penalty: float = 0.5,
        seed: int = 0,
    ):
        if isinstance(target, str) and target not in PLANE_TARGETS:
            raise UserError(f"unknown target {target!r}; {nearest(target, PLANE_TARGETS)}")
        if not isinstance(target, str) and len(target) == 0:
            raise UserError("no points were drawn; draw at least one")
        if loss not in LOSSES:
            raise UserError(f"unknown loss {loss!r}; {nearest(loss, LOSSES)}")

        self.target = target
        self.loss = LOSSES[loss]
        self.penalty = penalty
        self.random = torch.Generator().manual_seed(fold_in(seed, "plane"))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fold_in(seed, "plane", "weights"))
            self.players = {"generator": _make_network(2), "discriminator": _make_network(1)}
        self.optimizers = {
            name: torch.optim.Adam(player.parameters(), RATES[name], BETAS, fused=True)
            for name, player in self.players.items()
        }
        self.steps = {"discriminator": 0, "generator": 0}

    def real(self, count: int = BATCH) -> Tensor:
        """Data, (count, 2)."""
        if isinstance(self.target, str):
            return PLANE_TARGETS[self.target](count, self.random)
        return draw_plane_target(self.target, count, self.random)

    def noise(self, count: int = BATCH) -> Tensor:
        """Noise in [-1, 1), (count, 2)."""
        return torch.rand(count, 2, generator=self.random) * 2 - 1

    def set_rate(self, player: str, rate: float) -> None:
        """Set a player's learning rate, as a multiple of the usual one."""
        self.optimizers[player].param_groups[0]["lr"] = RATES[player] * rate

    def update_discriminator(self) -> None:
        """One update of D on new points."""
        real, fake = self.real(), self.players["generator"](self.noise()).detach()
        both = torch.cat([real, fake]).requires_grad_()
        scores = self.players["discriminator"](both)
        loss = self.loss.d(*scores.chunk(2))
        if self.penalty:  # half the weight on data and half on generated points, as on the line
            loss = loss + self.penalty * squared_gradient(scores, both).mean()
        self._update("discriminator", loss)

    def update_generator(self) -> None:
        """One update of G on new points."""
        discriminator = self.players["discriminator"]
        fake = discriminator(self.players["generator"](self.noise()))
        self._update("generator", self.loss.g(discriminator(self.real()), fake))

    def _update(self, player: str, loss: Tensor) -> None:
        loss.backward(inputs=list(self.players[player].parameters()))
        self.optimizers[player].step()
        self.optimizers[player].zero_grad()
        self.steps[player] += 1

    @torch.no_grad()
    def snapshot(self) -> PlaneSnapshot:
        """See the game without changing it.

        Raises:
            UserError: a number is not finite.
        """
        state = self.random.get_state()
        real, fake = self.real(SHOWN), self.players["generator"](self.noise(SHOWN))
        self.random.set_state(state)  # what is seen must not change what comes

        middles = (torch.arange(CELLS) + 0.5) / CELLS * 2 * REACH - REACH
        y, x = torch.meshgrid(middles, middles, indexing="ij")
        scores = self.players["discriminator"](torch.stack([x, y], -1).flatten(0, 1))[:, 0]
        if self.loss.kind in ("shift", "slope"):
            # Such scores are known up to a constant: 1/2 is where real and fake are as likely.
            both = self.players["discriminator"](torch.cat([real, fake]))
            scores = scores - both.mean()
        chance = scores.clamp(0, 1) if self.loss.kind == "probability" else scores.sigmoid()

        lines = torch.linspace(-1, 1, NET)
        v, u = torch.meshgrid(lines, lines, indexing="ij")
        net = self.players["generator"](torch.stack([u, v], -1).flatten(0, 1))
        if not (chance.isfinite().all() and net.isfinite().all()):
            raise UserError("training diverged: a number is not finite; choose a larger penalty")

        near = torch.cdist(real, fake).amin(1) < 3 * SPREAD
        return PlaneSnapshot(
            discriminator=chance.double().unflatten(0, (CELLS, CELLS)).numpy(),
            net=net.double().unflatten(0, (NET, NET)).numpy(),
            real=real.double().numpy(),
            fake=fake.double().numpy(),
            covered=float(near.double().mean()),
            steps=(self.steps["discriminator"], self.steps["generator"]),
        )


def _make_network(outputs: int) -> nn.Sequential:
    """A network from a point or from noise, with two hidden layers."""
    return nn.Sequential(
        nn.Linear(2, WIDTH),
        nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, WIDTH),
        nn.LeakyReLU(0.2),
        nn.Linear(WIDTH, outputs),
    )

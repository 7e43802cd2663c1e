"""Train the one-dimensional game of Goodfellow et al. 2014, figure 1.

Noise and data are numbers, and both players small networks. There are three acts: the discriminator
learns alone, the generator learns alone, then both learn in turn. Batches are stratified (one draw
in each of 256 equal parts of the noise and of the data), since the figure is about densities and
not about the noise of small batches.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.gans.nn.losses import squared_gradient
from ganvas.io.numbers import check_numbers
from ganvas.rng import fold_in
from ganvas.theory import mathematics
from ganvas.theory.losses import LOSSES, as_probability
from ganvas.theory.players import fit_start, make_network, masses_of_image
from ganvas.theory.targets import CENTRES, STEP, Target, get_target

__all__ = [
    "LEARN_ALONE",
    "SNAPSHOTS",
    "Game",
    "Settings",
    "Snapshot",
    "choose_moments",
    "count_steps",
    "play",
]

BATCH = 256  # data, and as many generated points
# The gradient that G follows means something only if D is ahead, so D learns faster.
RATES = {"generator": 1e-3, "discriminator": 1e-2}
BETAS = (0.0, 0.9)  # no momentum: in a game it keeps pushing after the gradient has turned
LAST_RATE = 0.01  # learning rate at the end, as a share of the first
LEARN_ALONE, FOLLOW_ALONE = 200, 10  # steps of the first two acts
CELLS = 4096  # into which the noise is divided to compute p_g
ARROWS = 21  # every 204th of the 4,097 ends of cells
SNAPSHOTS = 40
FIRST_LOOK = 2  # steps before the first snapshot, so that D is not quite random


@dataclass(frozen=True)
class Settings:
    """Settings of a game.

    Attributes:
        target: name of the density to learn.
        loss: name of the losses.
        steps: training steps of the third act.
        d_steps: updates of the discriminator in each of them, for one of the generator.
        penalty: weight of R1 + R2 in the discriminator's loss.
        seed: random seed.

    Raises:
        UserError: an unknown name, or a number out of range.
    """

    target: str = "gaussian"
    loss: str = "non-saturating"
    steps: int = 4000
    d_steps: int = 2
    penalty: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        get_target(self.target)
        if self.loss not in LOSSES:
            raise UserError(f"unknown loss {self.loss!r}; {nearest(self.loss, LOSSES)}")
        if self.steps < 1:
            raise UserError(f"--steps {self.steps}: choose 1 or more")
        if self.d_steps < 1:
            raise UserError(
                f"--d-steps {self.d_steps} would not train the discriminator; choose 1 or more"
            )
        if not 0 <= self.penalty < math.inf:
            raise UserError(f"--penalty {self.penalty}: choose 0 (no penalty) or more")


@dataclass(frozen=True)
class Snapshot:
    """The game at one moment.

    Attributes:
        step: training steps so far, in all three acts.
        act: 1 while D learns alone, 2 while G learns alone, 3 while both learn.
        p_g: float64 (BINS,), the generator's density.
        discriminator: float64 (BINS,), D at the bins' centres, in [0, 1].
        arrows: float64 (ARROWS,), where G sends evenly spaced noise.
        value: V(D, G); None if D is not a probability.
        js: JS(p_data || p_g) in nats.
        distance: mean of |D - D*| over (p_data + p_g) / 2, where D is trained; None if D is not a
            probability.
        unsure: mean of |D - 1/2| over p_data.
        modes: number of the target's modes that p_g covers.
    """

    step: int
    act: int
    p_g: np.ndarray
    discriminator: np.ndarray
    arrows: np.ndarray
    value: float | None
    js: float
    distance: float | None
    unsure: float
    modes: int


@lru_cache(maxsize=16)
def _fitted_start(seed: int) -> dict[str, Tensor]:
    """The generator's first weights, fitted once for each seed: the fit takes a second."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(fold_in(seed, "theory", "weights"))
        generator = make_network(reach=1, steepness=4)  # noise is in [-1, 1]
    fit_start(generator)
    return generator.state_dict()


class Game:
    """Both players with their optimizers and random numbers.

    Args:
        settings: of the game.
        target: a density in place of the one that the settings name.
    """

    def __init__(self, settings: Settings, target: Target | None = None):
        self.settings = settings
        self.target: Target = target or get_target(settings.target)
        self.loss = LOSSES[settings.loss]
        self.random = torch.Generator().manual_seed(fold_in(settings.seed, "theory"))

        # Initial weights use PyTorch's global generator; the fork leaves the caller's as it was.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fold_in(settings.seed, "theory", "weights"))
            self.generator = make_network(reach=1, steepness=4)  # noise is in [-1, 1]
            self.discriminator = make_network(reach=7, steepness=4)  # the line is [-8, 8]
        self.generator.load_state_dict(_fitted_start(settings.seed))

        self.players = {"generator": self.generator, "discriminator": self.discriminator}
        self.optimizers = {
            name: torch.optim.Adam(player.parameters(), RATES[name], BETAS, fused=True)
            for name, player in self.players.items()
        }

    def stratified(self) -> Tensor:
        """One uniform draw in each of BATCH equal parts of [0, 1], float64 (BATCH,), in order."""
        within = torch.rand(BATCH, generator=self.random, dtype=torch.float64)
        return (torch.arange(BATCH) + within) / BATCH

    def real(self) -> Tensor:
        """A batch of data, (BATCH, 1).

        It is shuffled, so that the relativistic loss does not pair real and fake by rank.
        """
        x = torch.from_numpy(self.target.quantile(self.stratified().numpy())).float()  # (BATCH,)
        return x[torch.randperm(BATCH, generator=self.random), None]

    def noise(self) -> Tensor:
        """A batch of noise in [-1, 1], (BATCH, 1)."""
        return (self.stratified() * 2 - 1).float()[:, None]

    def update_discriminator(self) -> None:
        """One update of D on new batches."""
        real, fake = self.real(), self.generator(self.noise()).detach()
        both = torch.cat([real, fake]).requires_grad_()  # (2 x BATCH, 1), for the slope of D
        scores = self.discriminator(both)
        loss = self.loss.d(*scores.chunk(2))
        # R1 + R2 is half the weight times the mean over data, plus half times that over generated
        # points: together the weight times the mean over both.
        if self.settings.penalty:
            loss = loss + self.settings.penalty * squared_gradient(scores, both).mean()
        self.update("discriminator", loss)

    def update_generator(self) -> None:
        """One update of G on new batches."""
        # Through D into G; real scores are used by the relativistic loss alone.
        fake = self.discriminator(self.generator(self.noise()))
        self.update("generator", self.loss.g(self.discriminator(self.real()), fake))

    def update(self, player: str, loss: Tensor) -> None:
        """One optimizer step of one player; the other gets no gradient."""
        loss.backward(inputs=list(self.players[player].parameters()))  # not those of the other
        self.optimizers[player].step()
        self.optimizers[player].zero_grad()

    def set_rate(self, player: str, rate: float) -> None:
        """Set a player's learning rate, as a multiple of the usual one."""
        self.optimizers[player].param_groups[0]["lr"] = RATES[player] * rate

    def decay_rates(self, share: float) -> None:
        """Decay the learning rates along half a cosine.

        Args:
            share: of the act that is over, in [0, 1].
        """
        factor = max(LAST_RATE, (1 + math.cos(math.pi * share)) / 2)  # from 1 to LAST_RATE
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = RATES[name] * factor

    @torch.no_grad()
    def snapshot(self, step: int, act: int) -> Snapshot:
        """Measure the game without changing it.

        Raises:
            UserError: a number is not finite.
        """
        line = torch.linspace(-1, 1, CELLS + 1)[:, None]  # (CELLS + 1, 1), ends of cells of noise
        x = self.generator(line)[:, 0].double().numpy()  # (CELLS + 1,)
        centres = torch.from_numpy(CENTRES).float()[:, None]  # (BINS, 1)
        score = self.discriminator(centres)[:, 0].double().numpy()  # (BINS,)
        if not (np.isfinite(x).all() and np.isfinite(score).all()):
            raise UserError(
                f"training diverged at step {step}: a number is not finite; "
                "choose a larger --penalty"
            )

        # Masses of the bins, and densities: masses divided by the width of a bin.
        data, generated = self.target.masses, masses_of_image(x)
        both = (data + generated) / 2  # (BINS,), of sum 1
        p_data, p_g = data / STEP, generated / STEP

        discriminator = as_probability(score, self.loss.kind, both)
        value = distance = None
        if self.loss.kind != "slope":
            value = mathematics.value(discriminator, p_data, p_g, STEP)
            best = mathematics.optimal_discriminator(p_data, p_g)
            distance = float(both @ abs(discriminator - best))
        return Snapshot(
            step=step,
            act=act,
            p_g=p_g,
            discriminator=discriminator,
            arrows=x[:: CELLS // (ARROWS - 1)],
            value=value,
            js=mathematics.js_divergence(p_data, p_g, STEP),
            distance=distance,
            unsure=float(data @ abs(discriminator - 0.5)),
            modes=self.target.modes_found(generated),
        )


def play(settings: Settings, snapshots: int = SNAPSHOTS) -> Iterator[Snapshot]:
    """Play a game from start to end.

    Args:
        settings: of the game.
        snapshots: roughly how many to yield.

    Raises:
        UserError: a number is not finite.
    """
    game = Game(settings)
    moments = choose_moments(settings.steps, snapshots)
    opening = LEARN_ALONE + FOLLOW_ALONE
    for step in range(count_steps(settings)):
        if step < LEARN_ALONE:
            act, d_updates = 1, 1
            game.decay_rates(step / LEARN_ALONE)
        elif step < opening:
            act, d_updates = 2, 0
            game.decay_rates(0)  # D waits; G begins at its full rate
        else:
            act, d_updates = 3, settings.d_steps
            game.decay_rates((step - opening) / settings.steps)

        # D before G in every step, as in algorithm 1.
        for _ in range(d_updates):
            game.update_discriminator()
        if act > 1:
            game.update_generator()
        if step + 1 in moments:
            yield game.snapshot(step + 1, act)


def count_steps(settings: Settings) -> int:
    """Number of training steps in all three acts."""
    return LEARN_ALONE + FOLLOW_ALONE + settings.steps


def choose_moments(steps: int, count: int) -> set[int]:
    """Choose the steps at which to take snapshots.

    A sixth of them lies in each of the first two acts; those of the third are ever further apart.

    Args:
        steps: of the third act.
        count: of snapshots.
    """
    few = max(2, count // 6)  # in each of the first two acts
    opening = LEARN_ALONE + FOLLOW_ALONE
    moments = set()
    for index in range(1, few + 1):
        # D changes fastest at first, hence the cube.
        moments.add(max(FIRST_LOOK, round(LEARN_ALONE * (index / few) ** 3)))
        moments.add(LEARN_ALONE + round(FOLLOW_ALONE * index / few))

    rest = count - 2 * few
    for index in range(1, rest + 1):
        moments.add(opening + max(1, round(steps * (index / rest) ** 2)))
    return moments

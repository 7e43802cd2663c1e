"""The one-dimensional game of Goodfellow et al. 2014, figure 1: noise on a line, pictures on a
line, two small networks.

It is told in three acts: the discriminator learns alone, the generator follows it alone, then both
learn in turn. Loader are spread evenly (one draw in each of 256 equal parts of the noise and of the
data), for the figure is about densities and not about the noise of small batches.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.gans.nn import losses
from ganvas.rng import fold_in
from ganvas.theory import mathematics
from ganvas.theory.players import begin, masses_of_image, network
from ganvas.theory.targets import CENTRES, STEP, Target, get_target

BATCH = 256
# D must be ahead for its gradient to mean something
RATES = {"generator": 1e-3, "discriminator": 1e-2}
BETAS = (0.0, 0.9)  # no momentum: in a game it pushes along where the gradient has turned already
LAST_RATE = 0.01  # what the rates have fallen to at the end, as a share of the first
LEARN_ALONE, FOLLOW_ALONE = 200, 10  # steps of the first two acts
CELLS = 4096  # of the line of noise, for p_g
ARROWS = 21
SNAPSHOTS = 40
FIRST_LOOK = 2  # steps; D knows a little


@dataclass(frozen=True)
class Loss:
    """What the players minimise.

    Attributes:
        d: (score of data, score of generated) to the discriminator's loss.
        g: the same for the generator's.
        kind: what the score says at its best: "logit" of D*, the "probability" D* itself, the logit
            but for a "shift", or a "slope" that is no probability at all.
    """

    d: Callable[[Tensor, Tensor], Tensor]
    g: Callable[[Tensor, Tensor], Tensor]
    kind: str


LOSSES = {
    "minimax": Loss(losses.non_saturating_d, lambda real, fake: losses.minimax_g(fake), "logit"),
    "non-saturating": Loss(
        losses.non_saturating_d, lambda real, fake: losses.non_saturating_g(fake), "logit"
    ),
    "least-squares": Loss(
        losses.least_squares_d, lambda real, fake: losses.least_squares_g(fake), "probability"
    ),
    "wasserstein": Loss(
        losses.wasserstein_d, lambda real, fake: losses.wasserstein_g(fake), "slope"
    ),
    "relativistic": Loss(
        losses.relativistic, lambda real, fake: losses.relativistic(fake, real), "shift"
    ),
}


@dataclass(frozen=True)
class Settings:
    """A game.

    Attributes:
        target: name of the density to learn.
        loss: name of what the players minimise.
        steps: rounds of the third act.
        d_steps: moves of the discriminator in each of them, for one of the generator.
        penalty: weight of R1 + R2 in the discriminator's loss.
        seed: of everything random.
    """

    target: str = "gaussian"
    loss: str = "non-saturating"
    steps: int = 4000
    d_steps: int = 2
    penalty: float = 0.05
    seed: int = 0

    def check(self) -> None:
        """Refuse what makes no game.

        Raises:
            UserError: a name or number that is not possible.
        """
        get_target(self.target)
        if self.loss not in LOSSES:
            raise UserError(f"there is no loss {self.loss!r}; {nearest(self.loss, LOSSES)}")
        if self.steps < 1:
            raise UserError(f"--steps {self.steps} is no training; give 1 or more")
        if self.d_steps < 1:
            raise UserError(
                f"--d-steps {self.d_steps} leaves the discriminator as it is; give 1 or more"
            )
        if not 0 <= self.penalty < math.inf:
            raise UserError(f"--penalty {self.penalty} is no weight; give 0 (none) or more")


@dataclass(frozen=True)
class Snapshot:
    """The game at one moment.

    Attributes:
        step: rounds so far, in all three acts.
        act: 1 while D learns alone, 2 while G follows alone, 3 while both learn.
        p_g: float64 (BINS,), the generator's density.
        discriminator: float64 (BINS,), D at the bins' centres, in [0, 1].
        arrows: float64 (ARROWS,), where G sends evenly spaced noise.
        value: V(D, G); None where D is no probability.
        js: JS(p_data || p_g) in nats.
        distance: mean of |D - D*| over (p_data + p_g) / 2, the points D is asked about; None where
            D is no probability.
        unsure: mean of |D - 1/2| over p_data.
        modes: of the target, found by p_g.
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


class Game:
    """Both players with their optimizers, and everything random, from the settings alone."""

    def __init__(self, settings: Settings):
        settings.check()
        self.settings = settings
        self.target: Target = get_target(settings.target)
        self.loss = LOSSES[settings.loss]
        self.random = torch.Generator().manual_seed(fold_in(settings.seed, "theory"))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fold_in(settings.seed, "theory", "weights"))
            self.generator = network(reach=1, steepness=4)
            self.discriminator = network(reach=7, steepness=4)
        begin(self.generator)
        self.players = {"generator": self.generator, "discriminator": self.discriminator}
        self.optimizers = {
            name: torch.optim.Adam(player.parameters(), RATES[name], BETAS, fused=True)
            for name, player in self.players.items()
        }

    def shares(self) -> Tensor:
        """One uniform draw in each of BATCH equal parts of [0, 1], float64 (BATCH,), in order."""
        return (
            torch.arange(BATCH) + torch.rand(BATCH, generator=self.random, dtype=torch.float64)
        ) / BATCH

    def real(self) -> Tensor:
        """A batch of data, (BATCH, 1), shuffled so that a loss of pairs does not pair it by rank."""
        x = torch.from_numpy(self.target.quantile(self.shares().numpy())).float()
        return x[torch.randperm(BATCH, generator=self.random), None]

    def noise(self) -> Tensor:
        """A batch of noise in [-1, 1], (BATCH, 1)."""
        return (self.shares() * 2 - 1).float()[:, None]

    def move_discriminator(self) -> None:
        """One step of D on fresh batches."""
        real, fake = self.real(), self.generator(self.noise()).detach()
        both = torch.cat([real, fake]).requires_grad_()
        scores = self.discriminator(both)
        loss = self.loss.d(*scores.chunk(2))
        # R1 + R2: half the weight times the mean over data, and the same over what is generated
        if self.settings.penalty:
            loss = loss + self.settings.penalty * losses.squared_gradient(scores, both).mean()
        self.step("discriminator", loss)

    def move_generator(self) -> None:
        """One step of G on fresh batches."""
        fake = self.discriminator(self.generator(self.noise()))
        self.step("generator", self.loss.g(self.discriminator(self.real()), fake))

    def step(self, player: str, loss: Tensor) -> None:
        """One step of one player's optimizer; the other gets no gradient."""
        loss.backward(inputs=list(self.players[player].parameters()))
        self.optimizers[player].step()
        self.optimizers[player].zero_grad()

    def slow_down(self, share: float) -> None:
        """Let the rates fall along half a cosine; `share` of the act is over."""
        factor = max(LAST_RATE, (1 + math.cos(math.pi * share)) / 2)
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = RATES[name] * factor

    @torch.no_grad()
    def snapshot(self, step: int, act: int) -> Snapshot:
        """Look at the game, without touching it.

        Raises:
            UserError: a number is not finite any more.
        """
        line = torch.linspace(-1, 1, CELLS + 1)[:, None]
        x = self.generator(line)[:, 0].double().numpy()
        score = (
            self.discriminator(torch.from_numpy(CENTRES).float()[:, None])[:, 0].double().numpy()
        )
        if not (np.isfinite(x).all() and np.isfinite(score).all()):
            raise UserError(
                f"the game broke at step {step}: a number is not finite any more; use a larger --penalty"
            )
        data, generated = self.target.masses, masses_of_image(x)
        discriminator = as_probability(score, self.loss.kind, (data + generated) / 2)
        p_data, p_g = data / STEP, generated / STEP
        best = mathematics.optimal_discriminator(p_data, p_g)
        is_probability = self.loss.kind != "slope"
        return Snapshot(
            step=step,
            act=act,
            p_g=p_g,
            discriminator=discriminator,
            arrows=x[:: CELLS // (ARROWS - 1)],
            value=mathematics.value(discriminator, p_data, p_g, STEP) if is_probability else None,
            js=mathematics.js_divergence(p_data, p_g, STEP),
            distance=float(((data + generated) / 2) @ abs(discriminator - best))
            if is_probability
            else None,
            unsure=float(data @ abs(discriminator - 0.5)),
            modes=self.target.modes_found(generated),
        )


def as_probability(score: np.ndarray, kind: str, weights: np.ndarray) -> np.ndarray:
    """D from the score, by what the loss makes of it (`Loss.kind`).

    A score that is free up to a constant is shifted so that D, like D*, has the mean 1/2 over
    (p_data + p_g) / 2. A least-squares score is D itself, and is cut to [0.001, 0.999].
    """
    if kind == "probability":
        return score.clip(0.001, 0.999)
    shift = 0.0
    if kind in ("shift", "slope"):
        low, high = float(score.min()), float(score.max())
        for _ in range(60):
            shift = (low + high) / 2
            low, high = (shift, high) if weights @ sigmoid(score - shift) > 0.5 else (low, shift)
    return sigmoid(score - shift)


def sigmoid(score: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-score)), kept off 0 and 1 by 1e-12, so that a logarithm of it is finite."""
    return (1 / (1 + np.exp(-score.clip(-500, 500)))).clip(1e-12, 1 - 1e-12)


def play(settings: Settings, snapshots: int = SNAPSHOTS) -> Iterator[Snapshot]:
    """Play a game from its start to its end, and show it at about so many moments.

    Raises:
        UserError: settings that make no game, or a number that is not finite any more.
    """
    game = Game(settings)
    moments = chosen_moments(settings.steps, snapshots)
    opening = LEARN_ALONE + FOLLOW_ALONE
    for step in range(rounds_of(settings)):
        act = 1 if step < LEARN_ALONE else 2 if step < opening else 3
        game.slow_down({1: step / LEARN_ALONE, 2: 0.0, 3: (step - opening) / settings.steps}[act])
        for _ in range({1: 1, 2: 0, 3: settings.d_steps}[act]):
            game.move_discriminator()
        if act > 1:
            game.move_generator()
        if step + 1 in moments:
            yield game.snapshot(step + 1, act)


def rounds_of(settings: Settings) -> int:
    """Rounds of all three acts."""
    return LEARN_ALONE + FOLLOW_ALONE + settings.steps


def chosen_moments(steps: int, count: int) -> set[int]:
    """Steps to look at: a sixth of them in each of the first acts, the rest ever further apart."""
    few = max(2, count // 6)
    opening = LEARN_ALONE + FOLLOW_ALONE
    first = {
        max(FIRST_LOOK, round(LEARN_ALONE * (index / few) ** 3)) for index in range(1, few + 1)
    }
    second = {LEARN_ALONE + round(FOLLOW_ALONE * index / few) for index in range(1, few + 1)}
    rest = count - 2 * few
    third = {opening + max(1, round(steps * (index / rest) ** 2)) for index in range(1, rest + 1)}
    return first | second | third

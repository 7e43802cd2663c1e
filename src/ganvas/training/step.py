"""One training step, whole: from a batch to updated weights.

A GAN's `step` yields an update; it is checked, differentiated for that player's parameters only,
averaged over the processes, and applied; then `step` resumes with the new weights.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.data.loader import Loader
from ganvas.gans.base import GAN, Batch, Clock, Update
from ganvas.recipes.recipe import Recipe
from ganvas.rng import Rng, fold_in
from ganvas.training.engine import Engine
from ganvas.training.guard import Guard, Optimizers
from ganvas.training.state import TrainingState

__all__ = [
    "Probe",
    "StepContext",
    "TakeStep",
    "TrainingStep",
    "measure_step",
    "sum_losses",
    "take_step",
]

Probe = Callable[[Update, list[nn.Parameter]], None]  # such as `probe.StepProbe`


@dataclass(frozen=True)
class StepContext:
    """What stays the same from step to step.

    Attributes:
        gan: whose players are updated.
        optimizers: fused ones, by player.
        guard: of all optimizers.
        engine: of this process.
    """

    gan: GAN
    optimizers: Optimizers
    guard: Guard
    engine: Engine

    def parameters(self, player: str) -> list[nn.Parameter]:
        """Those of a player, as its optimizer holds them."""
        return self.optimizers[player].param_groups[0]["params"]


def take_step(
    context: StepContext, batch: Batch, clock: Clock, rng: Rng, probe: Probe | None = None
) -> dict[str, Tensor]:
    """Run a GAN's `step` to its end and apply every update that it yields.

    Args:
        context: the GAN and what updates it.
        batch: columns of data, (N, ...) each, on the device.
        clock: position of the run before this step.
        rng: random numbers of this step.
        probe: called with each update and its player's parameters when their gradients are there
            and the weights are still the old ones.

    Returns:
        What is to be logged, as detached scalars on the device: the mean where a player was
        updated twice, and what `step` returned.

    Raises:
        NotFiniteError: a loss is NaN or infinite (where the guard does not defer it).
    """
    logged: dict[str, list[Tensor]] = {}
    engine = context.engine
    # Nothing is computed yet: the code up to the first `yield` runs at the first `next`.
    steps = context.gan.step(batch, clock, rng)

    while True:
        # Autocast is entered anew up to each `yield`: it caches cast weights, which an update
        # makes stale.
        try:
            with engine.autocast():
                yielded = next(steps)
        except StopIteration as end:
            # What a step returns was measured after its updates, and comes before their own values.
            measured: dict[str, Tensor] = end.value or {}
            return {key: _mean(values) for key, values in logged.items()} | measured

        # A tuple is simultaneous: all gradients first, then all updates.
        updates = yielded if isinstance(yielded, tuple) else (yielded,)
        for update in updates:
            # Before the gradients: a loss that is not finite must not reach any weight.
            context.guard.check(update, engine)
            total = sum_losses(update.losses)
            # Only this player's parameters get gradients. Simultaneous updates may share a graph,
            # which the last of them frees.
            parameters = context.parameters(update.player)
            total.backward(inputs=parameters, retain_graph=update is not updates[-1])
            # The parts of a batch are equal, so this mean is the gradient of a mean over the batch.
            engine.average_gradients(parameters)
            for key, value in list_entries(update, total).items():
                # Detached, or the logged losses would keep the graph of every step in memory.
                logged.setdefault(key, []).append(value.detach())

        for update in updates:
            optimizer = context.optimizers[update.player]
            parameters = context.parameters(update.player)
            # The last look before weights change: gradients are averaged, weights are the old ones.
            if probe:
                probe(update, parameters)
            optimizer.step()
            # Fused optimizers do not mark the weights as changed. Once marked, a graph from before
            # the update refuses to be used.
            torch.autograd.graph.increment_version(parameters)
            # None, not zeros: Adam skips a weight without a gradient, and moves one with zeros by
            # its momentum.
            optimizer.zero_grad(set_to_none=True)


def measure_step(gan: GAN, batch: Batch, clock: Clock, rng: Rng) -> dict[str, Tensor]:
    """Each player's total loss in a step that updates nobody: {player: scalar}."""
    # Losses may contain gradients with respect to images, so gradients stay enabled here.
    seen: dict[str, list[Tensor]] = {}
    for yielded in gan.step(batch, clock, rng):
        for update in yielded if isinstance(yielded, tuple) else (yielded,):
            seen.setdefault(update.player, []).append(sum_losses(update.losses).detach())
    return {player: torch.stack(values).mean() for player, values in seen.items()}


def sum_losses(losses: Mapping[str, Tensor]) -> Tensor:
    """The sum of an update's losses, a scalar."""
    # Not `sum`, whose first term is the number 0: one more kernel for each update.
    first, *others = losses.values()
    for other in others:
        first = first + other
    return first


def list_entries(update: Update, total: Tensor) -> dict[str, Tensor]:
    """An update's log entries: the player's total, its terms where there are several, its stats."""
    named = {update.player: total}
    if len(update.losses) > 1:
        named |= {f"{update.player}/{term}": loss for term, loss in update.losses.items()}
    return named | update.stats


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean() if len(values) > 1 else values[0]


TakeStep = Callable[[StepContext, Batch, Clock, Rng, Probe | None], dict[str, Tensor]]


class TrainingStep:
    """Takes a run's next training step each time it is called.

    Everything that a step needs follows from the images shown before it, so a resumed run needs no
    saved random state.

    Attributes:
        context: of this run.
        take: how a step is taken, `take_step` or a faster way with the same result; may be
            replaced at any time.
    """

    def __init__(self, recipe: Recipe, state: TrainingState, loader: Loader, engine: Engine):
        self.recipe = recipe
        self.state = state
        self.loader = loader
        guard = Guard(state.optimizers, engine.device.type == "cuda", engine.device)
        self.context = StepContext(state.gan, state.optimizers, guard, engine)
        self.take: TakeStep = take_step

    def __call__(self, probe: Probe | None = None) -> dict[str, Tensor]:
        """Take one step and return its losses; nothing is read from the device.

        Raises:
            NotFiniteError: a loss is NaN or infinite (where the guard does not defer it).
        """
        return self.train_on(self.loader.at(self.state.clock.images), probe)

    def train_on(self, batch: Batch, probe: Probe | None = None) -> dict[str, Tensor]:
        """Take one step on a batch that is at hand; as calling it for the batch of its position."""
        recipe, state, engine = self.recipe, self.state, self.context.engine
        clock = state.clock

        # Randomness and learning rates are functions of the position.
        engine.seed(fold_in(recipe.seed, "layers", clock.images, engine.rank))  # for dropout
        rng = engine.rng(recipe.seed, clock.images)
        # One group a player. Rates and betas are set anew each step, never read from a checkpoint.
        for player, optimizer in state.optimizers.items():
            adam = recipe.optimizers[player]
            optimizer.param_groups[0] |= {
                "lr": adam.lr_at(clock.images, clock.total),
                "betas": adam.betas_at(clock.images),
            }

        losses = self.take(self.context, batch, clock, rng, probe)

        # The clock first: the EMA's half-life counts the images of this step, too.
        clock.advance()
        if state.ema:
            state.ema.update(clock.images, clock.batch)
        state.means.add(losses)
        return losses

    def stop_if_tripped(self) -> None:
        """Raise if a loss since the last call was not finite, where only a flag was set.

        Raises:
            NotFiniteError: names the players and terms.
        """
        self.context.guard.stop_if_tripped()

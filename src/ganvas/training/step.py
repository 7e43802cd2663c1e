"""One round of the game: turns are asked for, checked, and played."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch, Clock, Update
from ganvas.rng import Rng
from ganvas.training.engine import Engine

Optimizers = Mapping[str, torch.optim.Optimizer]
StepProbe = Callable[[Update, list[nn.Parameter]], None]


class NotFiniteError(UserError):
    """A loss is NaN or infinite; no player has moved on it."""


class Guard:
    """Keeps players from moving on a loss that is not finite.

    On a CPU reading a number is free, so the round stops at once. On a GPU reading would make the
    CPU wait in every turn; there the optimizers are told by a flag on the device to leave all
    weights alone from that turn on, and `stop_if_tripped` raises when numbers are read anyway.

    Args:
        optimizers: fused ones, by player.
        deferred: whether to use the flag.
    """

    def __init__(self, optimizers: Optimizers, deferred: bool, device: torch.device):
        self.deferred = deferred
        self.trips: dict[str, Tensor] = {}
        # the only type that fused optimizers read
        self.tripped = torch.zeros((), dtype=torch.float32, device=device)
        if deferred:
            for optimizer in optimizers.values():
                optimizer.found_inf = self.tripped  # pyright: ignore[reportAttributeAccessIssue]

    def check(self, turn: Update, engine: Engine) -> None:
        """Look at a turn's losses before its gradients are taken.

        Raises:
            NotFiniteError: one is not finite (not deferred).
        """
        if self.deferred:
            for term, loss in turn.losses.items():
                wrong = (~loss.detach().isfinite()).float()
                # one process's NaN would reach the others through the averaged gradients
                engine.maximum_(wrong)
                trip = self.trips.setdefault(f"{turn.player}/{term}", torch.zeros_like(wrong))
                # in place: rounds that are recorded and played again raise the same flags
                for flag in (trip, self.tripped):
                    torch.maximum(flag, wrong, out=flag)
        else:
            terms = {term: loss.item() for term, loss in turn.losses.items()}
            if not all(math.isfinite(value) for value in terms.values()):
                values = ", ".join(f"{term} = {value:g}" for term, value in terms.items())
                raise NotFiniteError(f"the {turn.player}'s loss is not finite ({values})")

    def stop_if_tripped(self) -> None:
        """Raise if any turn since the last call was wrong (deferred only).

        Raises:
            NotFiniteError: names the players and terms.
        """
        if self.deferred and self.tripped.item():
            wrong = [key for key, trip in self.trips.items() if trip.item()]
            raise NotFiniteError(f"a loss is not finite ({', '.join(wrong)})")


@dataclass(frozen=True)
class StepContext:
    """What stays the same from round to round.

    Attributes:
        gan: whose players move.
        optimizers: fused ones, by player.
        guard: of all of them.
        engine: of this process.
    """

    gan: GAN
    optimizers: Optimizers
    guard: Guard
    engine: Engine


def take_step(
    context: StepContext, batch: Batch, clock: Clock, rng: Rng, probe: StepProbe | None = None
) -> dict[str, Tensor]:
    """Play one round and return what is to be logged, as detached scalars on the device: means
    where a player moved twice.

    Args:
        watch: is shown each turn and its player's parameters when their gradients are there, before
            the move.
    """
    seen: dict[str, list[Tensor]] = {}
    players, engine = context.gan.players(), context.engine
    moves = context.gan.step(batch, clock, rng)
    while True:
        with engine.autocast():
            move = next(moves, None)
        if move is None:
            return {
                key: torch.stack(values).mean() if len(values) > 1 else values[0]
                for key, values in seen.items()
            }
        turns = move if isinstance(move, tuple) else (move,)
        for turn in turns:
            context.guard.check(turn, engine)
            total = sum_of(turn.losses)
            # Only the moving player gets gradients; simultaneous turns may share a graph, which the
            # last of them frees.
            with engine.averaging(players[turn.player]):
                total.backward(inputs=players[turn.player], retain_graph=turn is not turns[-1])
            for key, value in entries(turn, total).items():
                seen.setdefault(key, []).append(value.detach())
        for turn in turns:
            if probe:
                probe(turn, players[turn.player])
            context.optimizers[turn.player].step()
            # Fused steps do not mark the weights as changed; marked, a graph from before the move
            # refuses to be used.
            torch.autograd.graph.increment_version(players[turn.player])
            context.optimizers[turn.player].zero_grad(set_to_none=True)


def measure_step(gan: GAN, batch: Batch, clock: Clock, rng: Rng) -> dict[str, Tensor]:
    """Each player's total loss in a round in which nobody moves: {player: scalar}."""
    seen: dict[str, list[Tensor]] = {}
    for move in gan.step(batch, clock, rng):
        for turn in move if isinstance(move, tuple) else (move,):
            seen.setdefault(turn.player, []).append(sum_of(turn.losses).detach())
    return {player: torch.stack(values).mean() for player, values in seen.items()}


def sum_of(losses: Mapping[str, Tensor]) -> Tensor:
    """The sum of a turn's losses."""
    first, *others = losses.values()
    for other in others:
        first = first + other
    return first


def entries(turn: Update, total: Tensor) -> dict[str, Tensor]:
    """A turn's log entries: the player's total, its terms where there are several, its stats."""
    named = {turn.player: total}
    if len(turn.losses) > 1:
        named |= {f"{turn.player}/{term}": loss for term, loss in turn.losses.items()}
    return named | turn.stats

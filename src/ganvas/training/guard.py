"""Losses that are not finite: no network is updated by one."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import Update
from ganvas.training.engine import Engine

__all__ = ["Guard", "NotFiniteError", "Optimizers"]

Optimizers = Mapping[str, torch.optim.Optimizer]  # by player


class NotFiniteError(UserError):
    """A loss is NaN or infinite; no player was updated by it."""


class Guard:
    """Keeps players from being updated by a loss that is not finite.

    On a CPU reading a number is free, so the step stops at once. On a GPU reading would make the
    CPU wait at every update. There a flag on the device tells the optimizers to leave all weights
    alone from that update on, and `stop_if_tripped` raises when numbers are read anyway.

    Args:
        optimizers: fused ones, by player.
        deferred: whether to use the flag.
        device: of the flag.
    """

    def __init__(self, optimizers: Optimizers, deferred: bool, device: torch.device):
        self.deferred = deferred
        self.trips: dict[str, Tensor] = {}  # by player/term; scalars on the device, 0 or 1
        # float32 is the only type of flag that fused optimizers read.
        self.tripped = torch.zeros((), dtype=torch.float32, device=device)
        if deferred:
            for optimizer in optimizers.values():
                # One flag for all players. A fused optimizer that finds 1 there leaves all weights
                # alone, and subtracts the flag from its count of steps: it must be 0 or 1.
                optimizer.found_inf = self.tripped  # pyright: ignore[reportAttributeAccessIssue]

    def check(self, update: Update, engine: Engine) -> None:
        """Check an update's losses before its gradients are computed.

        Raises:
            NotFiniteError: one is not finite (not deferred).
        """
        if self.deferred:
            self._set_flags(update, engine)
            return

        terms = {term: loss.item() for term, loss in update.losses.items()}
        if not all(math.isfinite(value) for value in terms.values()):
            values = ", ".join(f"{term} = {value:g}" for term, value in terms.items())
            raise NotFiniteError(f"the {update.player}'s loss is not finite ({values})")

    def _set_flags(self, update: Update, engine: Engine) -> None:
        for term, loss in update.losses.items():
            wrong = (~loss.detach().isfinite()).float()
            # One process's NaN would reach the others through the averaged gradients.
            engine.maximum_(wrong)
            trip = self.trips.setdefault(f"{update.player}/{term}", torch.zeros_like(wrong))
            # In place, so that a step replayed by a CUDA graph raises the same flags.
            for flag in (trip, self.tripped):
                torch.maximum(flag, wrong, out=flag)

    def stop_if_tripped(self) -> None:
        """Raise if any loss since the last call was wrong (deferred only).

        Raises:
            NotFiniteError: names the players and terms.
        """
        if self.deferred and self.tripped.item():
            wrong = [key for key, trip in self.trips.items() if trip.item()]
            raise NotFiniteError(f"a loss is not finite ({', '.join(wrong)})")

"""Checkpoints for use alone, which keep less than a training does: fewer players, shorter numbers.

`about.json` says under "kept" what `gan.safetensors` holds; without it, that is everything.
"""

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from ganvas.gans.base import GAN

__all__ = ["Kept"]


class Kept(BaseModel):
    """What is left of a GAN in a checkpoint.

    Attributes:
        players: whose weights it has.
        dtype: of its numbers that are no integers.
        weights: "ema": of the players with a moving average, it has that alone; "last": as they
            were last trained.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    players: tuple[str, ...]
    dtype: Literal["float16", "float32"]
    weights: Literal["ema", "last"]

    def drop_players(self, gan: GAN) -> None:
        """Take the players that were not kept out of a GAN, so that nothing uses random ones.

        Raises:
            ValueError: a player is unknown, or all that generate are missing.
        """
        players = [name for name, _ in gan.named_children()]
        if unknown := sorted({*self.players} - {*players}):
            raise ValueError(f"it has no player {unknown[0]}")
        if missing := sorted({*gan.ema_players} - {*self.players}):
            raise ValueError(f"without its {missing[0]} it is of no use")
        for name in players:
            if name not in self.players:
                delattr(gan, name)

    def outline(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """The shapes and types that the file has, of weights as a GAN has them."""
        dtype = getattr(torch, self.dtype)
        return {
            name: torch.empty_like(
                value, dtype=dtype if value.is_floating_point() else value.dtype, device="meta"
            )
            for name, value in values.items()
        }

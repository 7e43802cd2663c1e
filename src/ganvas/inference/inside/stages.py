"""What the layers of a network make of one image, noted while the GAN generates or scores it."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from ganvas.gans.base import GAN
from ganvas.rng import RowRng

__all__ = ["NotedRng", "Stage", "note_stages", "pick_stages"]

FEW = 3  # stages of one size that are not too many: of more the first is shown beside the last
GREY = 128
WRAPPED = "parametrizations"  # a child that computes the weights of a layer, such as spectral norm


@dataclass(frozen=True)
class Stage:
    """A layer with the norm and the activation behind it.

    Attributes:
        name: of the layer, as `print(gan)` names it, such as "generator.layers.3".
        values: float32 (C, H, W): C maps; (C, 1, 1): C units without places.
    """

    name: str
    values: Tensor

    @property
    def count(self) -> int:
        """Maps, or units."""
        return self.values.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the maps."""
        return self.values.shape[1], self.values.shape[2]

    @property
    def has_maps(self) -> bool:
        """Whether its values have places."""
        return max(self.size) > 1

    def draw_tiles(self, most: int) -> Tensor:
        """The maps that differ most from place to place, uint8 (n, H, W), the strongest first.

        The contrast of each is stretched by itself: 0 is its lowest value, 255 its highest. Units
        are one tile, row by row in their order.

        Args:
            most: of the maps.
        """
        if not self.has_maps:
            return _arrange_units(_stretch(self.values.view(1, 1, -1))[0, 0])[None]
        spread = self.values.flatten(1).std(1, correction=0)
        order = spread.argsort(descending=True, stable=True)[:most]
        return _stretch(self.values[order])


def _arrange_units(units: Tensor) -> Tensor:
    """Units uint8 (C,) row by row as a rectangle, two to four times as wide as high if its last row
    is to be full; else the rest of that row is grey.
    """
    least = math.ceil(math.sqrt(2 * len(units)))
    full = (wide for wide in range(least, 2 * least + 1) if len(units) % wide == 0)
    wide = min(next(full, least), len(units))
    high = -(-len(units) // wide)
    rest = units.new_full((wide * high - len(units),), GREY)
    return torch.cat([units, rest]).view(high, wide)


def _stretch(tiles: Tensor) -> Tensor:
    """Values (n, H, W) as uint8 from 0 to 255, each tile by itself; an even tile is grey."""
    low, high = tiles.amin((1, 2), keepdim=True), tiles.amax((1, 2), keepdim=True)
    even = high - low < 1e-6 * high.abs().clamp(min=1e-6)
    shares = torch.where(even, 0.5, (tiles - low) / (high - low).clamp(min=1e-12))
    return (shares * 255).round().to(torch.uint8)


class NotedRng(RowRng):
    """One row of the table of a seed, which keeps what was drawn as noise.

    Args:
        seed: of the table.
        device: where the numbers are needed.
    """

    def __init__(self, seed: int, device: torch.device):
        super().__init__(seed, [0], device)
        self.noise: list[Tensor] = []  # float32 (size,) each

    def normal(self, count: int, size: int) -> Tensor:
        return self._keep(super().normal(count, size))

    def uniform(self, count: int, size: int) -> Tensor:
        return self._keep(super().uniform(count, size))

    def _keep(self, drawn: Tensor) -> Tensor:
        self.noise.append(drawn[0].cpu())
        return drawn


@torch.no_grad()
def note_stages(gan: GAN, player: str, run: Callable[[], Tensor]) -> tuple[Tensor, list[Stage]]:
    """Run a GAN on one row, and note the stages of its networks.

    Args:
        gan: in evaluation mode.
        player: "generator" or "discriminator"; networks whose names begin so are noted.
        run: what is run, on a batch of one row.

    Returns:
        what `run` returns, and all stages in the order in which they were computed.
    """
    noted: list[tuple[str, Tensor]] = []

    def note(name: str, mixes: bool, value: object) -> None:
        if not isinstance(value, Tensor) or value.ndim not in (2, 4):
            return
        # (C, H, W), copied, since an activation may work in place
        values = value[0].reshape(value.shape[1], *(value.shape[2:] or (1, 1)))
        values = values.detach().float().cpu().clone()
        if mixes:
            noted.append((name, values))
        elif noted and _continues(noted[-1][1], values):
            noted[-1] = noted[-1][0], values

    with _hooks(gan, player, note):
        result = run()
    return result, [Stage(name, values) for name, values in noted]


def _continues(before: Tensor, after: Tensor) -> bool:
    """Whether a norm, an activation or a reshaping belongs to the stage before it: maps keep their
    size, and units become maps. Enlarged maps show nothing new.
    """
    if max(before.shape[1:]) == 1:
        return before.numel() == after.numel()
    return before.shape == after.shape


@contextmanager
def _hooks(gan: GAN, player: str, note: Callable[[str, bool, object], None]) -> Iterator[None]:
    """Call `note` with the name of each layer, whether it has weights, and its output."""
    handles = []
    for name, module in gan.named_modules():
        inner = [child for child, _ in module.named_children() if child != WRAPPED]
        if not name.startswith(player) or inner or f".{WRAPPED}" in name:
            continue
        mixes = _has_weights(module)
        handles.append(
            module.register_forward_hook(
                lambda _, inputs, output, name=name, mixes=mixes: note(name, mixes, output)
            )
        )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _has_weights(module: nn.Module) -> bool:
    """Whether a layer mixes its inputs: a convolution or a linear layer, but no norm."""
    return hasattr(module, WRAPPED) or any(
        parameter.ndim > 1 for parameter in module.parameters(recurse=False)
    )


def pick_stages(stages: list[Stage], image: Tensor | None = None) -> list[Stage]:
    """The stages that a person should see: the last one of each size, where sizes change; of a long
    row of one size also the first, and before a single map, such as scores, what it is made of.

    Args:
        stages: of one network, in order.
        image: that it generates, (1, C, H, W): a last stage that holds its pixels is left out.
    """
    # a network without maps has units alone
    shown = [stage for stage in stages if stage.has_maps] or [
        stage for stage in stages if stage.count > 1
    ]
    if image is not None and shown and shown[-1].values.numel() == image.numel():
        shown = shown[:-1]

    picked = []
    for (wide, high), group in groupby(shown, lambda stage: stage.size):
        equal = list(group)
        if wide == high == 1:
            picked += equal
            continue
        if len(equal) > FEW:
            picked.append(equal[0])
        picked += equal[-2:] if equal[-1].count == 1 else equal[-1:]
    return picked

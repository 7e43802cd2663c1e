"""Random numbers that depend on the seed and the position alone, never on what was drawn before.

A round of training draws from (seed, images shown), so a resumed run needs no saved random state to
go on exactly as if it had never stopped, and any number of processes draws the same batch. Sampling
draws every picture from (seed, its row), so that picture 7 is the same alone or among 10,000.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Make = Callable[[torch.Generator, int], Tensor]


def fold_in(*keys: int | str) -> int:
    """A 63-bit seed made of all keys; any change of a key gives an unrelated seed."""
    # NumPy's numbers are written otherwise
    plain = tuple(key if isinstance(key, str) else int(key) for key in keys)
    digest = hashlib.blake2b(repr(plain).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Values on a device.

    To a GPU they go by way of pinned memory, so that the CPU need not wait until they are there.
    """
    return (
        values.pin_memory().to(device, non_blocking=True)
        if device.type == "cuda"
        else values.to(device)
    )


class Rng(ABC):
    """A source of random rows for a GAN's `step` and `sample`.

    Drawn on the CPU, so every device gets the same numbers.
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)

    @abstractmethod
    def rows(self, count: int, make: Make) -> Tensor:
        """Make `count` rows (count, ...) on the CPU."""

    def on_device(self, count: int, make: Make) -> Tensor:
        """Make `count` rows (count, ...) and bring them to the device."""
        return sent(self.rows(count, make), self.device)

    def normal(self, count: int, size: int) -> Tensor:
        """Standard normal noise, (count, size)."""
        return self.on_device(count, lambda random, n: torch.randn(n, size, generator=random))

    def uniform(self, count: int, size: int) -> Tensor:
        """Uniform noise in [-1, 1), (count, size)."""
        return self.on_device(
            count, lambda random, n: torch.rand(n, size, generator=random) * 2 - 1
        )

    def rand(self, count: int, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1), (count, *shape)."""
        return self.on_device(count, lambda random, n: torch.rand(n, *shape, generator=random))

    def randint(self, count: int, classes: int) -> Tensor:
        """Labels with equal chances, int64 (count,) in [0, classes)."""
        return self.on_device(
            count, lambda random, n: torch.randint(classes, (n,), generator=random)
        )

    def gather(self, rows: Tensor) -> Tensor:
        """The rows of all processes, (count, ...) of each after one another: the whole batch, the
        same in every process.
        """
        return rows

    def part(self, batch: Tensor) -> Tensor:
        """This process's rows of a whole batch; the inverse of `gather`."""
        return batch

    def permute(self, rows: Tensor) -> Tensor:
        """The rows in a random order, over the batches of all processes."""
        whole = self.gather(rows)
        order = self.on_device(len(rows), lambda random, n: torch.rand(n, generator=random))
        return self.part(whole[self.gather(order).argsort()])


class StepRng(Rng):
    """Numbers for one round of training: each process draws the whole batch and keeps its own part.

    Args:
        seed: of the run.
        images: shown before the round.
        rank: number of this process among `world`.
        collect: brings the rows of all processes together; needed where there are several.
    """

    def __init__(
        self,
        seed: int,
        images: int,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
        collect: Callable[[Tensor], Tensor] | None = None,
    ):
        super().__init__(device)
        self.random = torch.Generator().manual_seed(fold_in(seed, "round", images))
        self.rank, self.world, self.collect = rank, world, collect

    def rows(self, count: int, make: Make) -> Tensor:
        return self.part(make(self.random, count * self.world))

    def gather(self, rows: Tensor) -> Tensor:
        return self.collect(rows) if self.collect else rows

    def part(self, batch: Tensor) -> Tensor:
        count = len(batch) // self.world
        return batch[self.rank * count : (self.rank + 1) * count]


class RowRng(Rng):
    """Numbers for given rows of the endless table that a seed stands for; equal rows get equal
    numbers.
    """

    def __init__(self, seed: int, rows: Sequence[int], device: torch.device | str = "cpu"):
        super().__init__(device)
        self.randoms = [torch.Generator().manual_seed(fold_in(seed, "row", row)) for row in rows]

    def rows(self, count: int, make: Make) -> Tensor:
        if count != len(self.randoms):
            raise ValueError(f"asked for {count} rows of a draw of {len(self.randoms)}")
        return torch.cat([make(random, 1) for random in self.randoms])


class WalkRng(Rng):
    """Noise along a closed walk through anchor rows: spherical interpolation for normal noise,
    straight for uniform.

    Args:
        seed: the table of `RowRng`.
        anchors: rows to pass through; the walk returns to the first.
        positions: (N,) in [0, len(anchors)); 1.25 is a quarter of the way from anchor 1 to anchor
            2.
    """

    def __init__(
        self,
        seed: int,
        anchors: Sequence[int],
        positions: Tensor,
        device: torch.device | str = "cpu",
    ):
        super().__init__(device)
        before = positions.floor().long() % len(anchors)
        after = (before + 1) % len(anchors)
        self.before = RowRng(seed, [anchors[i] for i in before.tolist()])
        self.after = RowRng(seed, [anchors[i] for i in after.tolist()])
        self.share = (positions % 1)[:, None]

    def rows(self, count: int, make: Make) -> Tensor:
        return torch.lerp(self.before.rows(count, make), self.after.rows(count, make), self.share)

    def normal(self, count: int, size: int) -> Tensor:
        start, end = self.before.normal(count, size), self.after.normal(count, size)
        cosine = torch.cosine_similarity(start, end, dim=1).clamp(-1 + 1e-6, 1 - 1e-6)
        angle = torch.acos(cosine)[:, None]
        mixed = (
            torch.sin((1 - self.share) * angle) * start + torch.sin(self.share * angle) * end
        ) / torch.sin(angle)
        return sent(mixed, self.device)

    def randint(self, count: int, classes: int) -> Tensor:
        return self.before.randint(count, classes).to(self.device)

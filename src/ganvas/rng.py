"""Random numbers from the seed and the position, never from what was drawn before.

A training step draws from (seed, images shown). So a resumed run needs no saved random state to
continue as if it had never stopped, and any number of processes draws the same batch. Sampling
draws each image from (seed, its row), so that image 7 is the same alone or among 10,000.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["Make", "Rng", "RowRng", "StepRng", "WalkRng", "fold_in", "sent"]

# Draws so many rows from a generator.
Make = Callable[[torch.Generator, int], Tensor]


def fold_in(*keys: int | str) -> int:
    """Combine keys into a 63-bit seed; any change of a key gives an unrelated seed."""
    # The repr of NumPy's integers is another than that of Python's.
    plain = tuple(key if isinstance(key, str) else int(key) for key in keys)
    # The repr of a tuple keeps keys apart: (1, 23) and (12, 3) give other seeds.
    digest = hashlib.blake2b(repr(plain).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1  # 63 bits fit a signed integer, too


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Copy values to a device.

    A copy to a GPU goes through pinned memory, so that the CPU does not wait for it.
    """
    if device.type == "cuda":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


class Rng(ABC):
    """Random rows for a GAN's `step` and `sample`.

    They are drawn on the CPU, so that every device gets the same numbers.

    Args:
        device: where the rows are needed.
    """

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)

    @abstractmethod
    def rows(self, count: int, make: Make) -> Tensor:
        """Draw `count` rows (count, ...) on the CPU."""

    def on_device(self, count: int, make: Make) -> Tensor:
        """Draw `count` rows (count, ...) and copy them to the device."""
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
        """Labels of equal probability, int64 (count,) in [0, classes)."""
        return self.on_device(
            count, lambda random, n: torch.randint(classes, (n,), generator=random)
        )

    def gather(self, rows: Tensor) -> Tensor:
        """The whole batch, (world x count, ...): the rows of all processes, by rank."""
        return rows

    def part(self, batch: Tensor) -> Tensor:
        """This process's rows of a whole batch; the inverse of `gather`."""
        return batch

    def permute(self, rows: Tensor) -> Tensor:
        """The rows in a random order, shuffled over the batches of all processes."""
        whole = self.gather(rows)
        order = self.on_device(len(rows), lambda random, n: torch.rand(n, generator=random))
        return self.part(whole[self.gather(order).argsort()])


class StepRng(Rng):
    """Numbers for one training step: each process draws the whole batch and keeps its part.

    Args:
        seed: of the run.
        images: shown before the step.
        device: where the rows are needed.
        rank: number of this process, in [0, world).
        world: number of processes.
        collect: concatenates the rows of all processes; needed if there are several.
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
        # "round" is part of every run's random numbers; another word would give other runs.
        self.random = torch.Generator().manual_seed(fold_in(seed, "round", images))
        self.rank = rank
        self.world = world
        self.collect = collect

    def rows(self, count: int, make: Make) -> Tensor:
        # Drawn whole by each process, so that the numbers do not depend on how many there are.
        return self.part(make(self.random, count * self.world))

    def gather(self, rows: Tensor) -> Tensor:
        return self.collect(rows) if self.collect else rows

    def part(self, batch: Tensor) -> Tensor:
        count = len(batch) // self.world
        return batch[self.rank * count : (self.rank + 1) * count]


class RowRng(Rng):
    """Numbers for given rows of the endless table that a seed defines.

    Equal rows get equal numbers.

    Args:
        seed: of the table.
        rows: numbers of rows, one for each row that is drawn.
        device: where the rows are needed.
    """

    def __init__(self, seed: int, rows: Sequence[int], device: torch.device | str = "cpu"):
        super().__init__(device)
        self.randoms = [torch.Generator().manual_seed(fold_in(seed, "row", row)) for row in rows]

    def rows(self, count: int, make: Make) -> Tensor:
        if count != len(self.randoms):
            raise ValueError(f"{count} rows were requested, but {len(self.randoms)} rows are given")
        return torch.cat([make(random, 1) for random in self.randoms])


class WalkRng(Rng):
    """Noise on the way from some rows to others.

    Normal noise is interpolated on the sphere, since a straight line would pass through noise that
    is too short; uniform noise is interpolated linearly.

    Args:
        before: draws the N rows where the ways begin.
        after: draws the N rows where they end.
        share: (N,) in [0, 1], how far each way has come.
        device: where the rows are needed.
    """

    def __init__(self, before: Rng, after: Rng, share: Tensor, device: torch.device | str = "cpu"):
        super().__init__(device)
        self.before, self.after = before, after  # both on the CPU
        self.share = share[:, None]

    def rows(self, count: int, make: Make) -> Tensor:
        start, end = self.before.rows(count, make), self.after.rows(count, make)
        share = self.share.reshape(-1, *[1] * (start.ndim - 1))
        return torch.lerp(start, end, share)

    def normal(self, count: int, size: int) -> Tensor:
        start, end = self.before.normal(count, size), self.after.normal(count, size)

        # Shoemake 1985: slerp. The clamp keeps sin(angle) from 0 where start and end agree.
        cosine = torch.cosine_similarity(start, end, dim=1).clamp(-1 + 1e-6, 1 - 1e-6)
        angle = torch.acos(cosine)[:, None]
        start_weight = torch.sin((1 - self.share) * angle)
        end_weight = torch.sin(self.share * angle)
        mixed = (start_weight * start + end_weight * end) / torch.sin(angle)
        return sent(mixed, self.device)

    def uniform(self, count: int, size: int) -> Tensor:
        # Not by `rows`: rows from a file are no draws of a generator.
        start, end = self.before.uniform(count, size), self.after.uniform(count, size)
        return sent(torch.lerp(start, end, self.share), self.device)

    def randint(self, count: int, classes: int) -> Tensor:
        # Classes cannot be interpolated: those at the beginning. Both draw, so that what they draw
        # next is what they would draw alone.
        start, _ = self.before.randint(count, classes), self.after.randint(count, classes)
        return sent(start, self.device)

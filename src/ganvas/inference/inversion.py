"""Look for the noise of which a GAN makes a given picture, or a picture that fits around a hole.

Yeh et al. 2017, "Semantic Image Inpainting with Deep Generative Models": gradient descent on the
generator's input. The GAN needs no training for it.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, softplus

from ganvas.gans.base import GAN
from ganvas.inference.run import CHUNK, as_inputs, evaluation, generate
from ganvas.rng import Make, Rng, RowRng

STARTS = 32  # random pictures looked at for each candidate, of which the nearest is improved
RATE = 0.05  # of Adam, at the first step; falls to 0 along half a cosine
# of the discriminator's opinion; the paper's lambda, but of a mean where theirs is of a sum
PRIOR_WEIGHT = 0.03
FLOOR = 0.2  # weight of pixels far from the hole, where those in the midst of it would have 1


class SearchRng(Rng):
    """Noise that can be improved: what a GAN draws the first time is kept, and requires gradients
    if it is noise.

    `again` begins anew, so that the next pass through the GAN gets the same tensors.

    Args:
        seed: the table of `RowRng`.
        rows: of it, for the first values.

    Attributes:
        noise: the leaf tensors, (N, size) each, in the order in which they are drawn.
    """

    def __init__(self, seed: int, rows: Sequence[int], device: torch.device | str = "cpu"):
        super().__init__(device)
        self.first = RowRng(seed, rows, device)
        self.kept: list[Tensor] = []
        self.bounded: list[bool] = []
        self.place = 0

    @property
    def noise(self) -> list[Tensor]:
        return [values for values in self.kept if values.requires_grad]

    def again(self) -> None:
        """Begin with the first draw."""
        self.place = 0

    def rows(self, count: int, make: Make) -> Tensor:
        return self._next(lambda: self.first.rows(count, make))

    def normal(self, count: int, size: int) -> Tensor:
        return self._next(lambda: self.first.normal(count, size).requires_grad_())

    def uniform(self, count: int, size: int) -> Tensor:
        return self._next(lambda: self.first.uniform(count, size).requires_grad_(), bounded=True)

    @torch.no_grad()
    def keep_likely(self) -> None:
        """Bring the noise back to where noise is: uniform into [-1, 1], normal of n numbers to a
        length of sqrt(n).
        """
        for values, bounded in zip(self.kept, self.bounded):
            if values.requires_grad and bounded:
                values.clamp_(-1, 1)
            elif values.requires_grad:
                values.mul_(
                    math.sqrt(values.shape[1]) / values.norm(dim=1, keepdim=True).clamp(min=1e-6)
                )

    def _next(self, make: Callable[[], Tensor], bounded: bool = False) -> Tensor:
        if self.place == len(self.kept):
            self.kept.append(make())
            self.bounded.append(bounded)
        self.place += 1
        return self.kept[self.place - 1]


@dataclass(frozen=True)
class Found:
    """What a search found, the best candidate first.

    Attributes:
        pictures: (K, C, S, S) in [-1, 1], on the CPU.
        context: (K,), weighted mean absolute difference from what is known, in units of [-1, 1].
        prior: (K,), mean softplus(-score): the discriminator's doubt.
        noise: the tensors of noise, (K, size) each, in the order in which the GAN draws them.
        labels: class numbers; of no meaning for GANs without classes.
    """

    pictures: Tensor
    context: Tensor
    prior: Tensor
    noise: list[Tensor]
    labels: list[int]


def search(
    gan: GAN,
    picture: Tensor,
    weights: Tensor,
    candidates: int,
    *,
    steps: int,
    seed: int,
    device: torch.device,
    label: int | None = None,
    progress: Callable[[range], Iterable[int]] = iter,
) -> Found:
    """Candidates for a picture of which only a part is known.

    Args:
        gan: one that makes pictures from noise, and a class at most.
        picture: (C, S, S) in [-1, 1].
        weights: (1, S, S), what each pixel counts; 0 where nothing is known. See `nearness`.
        candidates: how many, from different starts.
        steps: of the descent.
        seed: of the starts.
        device: where to work.
        label: the class of all; None: whichever fits best at the start.
        progress: goes through the steps, and may show a bar.
    """
    picture, weights = picture.to(device)[None], (weights / weights.mean()).to(device)[None]

    def difference(made: Tensor) -> Tensor:
        return ((made - picture).abs() * weights).mean((1, 2, 3))

    rows, labels = nearest_starts(gan, difference, candidates, seed, device, label)
    rng, inputs = SearchRng(seed, rows, device), as_inputs(gan, labels, device)
    fixed = [parameter for parameter in gan.parameters() if parameter.requires_grad]
    try:
        for parameter in fixed:
            parameter.requires_grad_(False)
        with evaluation(gan):
            with torch.no_grad():
                gan.sample(candidates, rng, **inputs)  # the first draw makes the noise
            rng.keep_likely()
            optimizer = torch.optim.Adam(rng.noise, lr=RATE)
            fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
            for _ in progress(range(steps)):
                made, context, prior = look(gan, rng, difference, candidates, inputs)
                # each candidate has noise of its own
                (context + PRIOR_WEIGHT * prior).sum().backward()
                optimizer.step()
                optimizer.zero_grad()
                fall.step()
                rng.keep_likely()
            with torch.no_grad():
                made, context, prior = look(gan, rng, difference, candidates, inputs)
    finally:
        for parameter in fixed:
            parameter.requires_grad_(True)
    order = (context + PRIOR_WEIGHT * prior).argsort()
    noise = [values.detach()[order].cpu() for values in rng.noise]
    best = made.float()[order].cpu(), context.float()[order].cpu(), prior.float()[order].cpu()
    return Found(*best, noise, [labels[number] for number in order.tolist()])


def look(
    gan: GAN,
    rng: SearchRng,
    difference: Callable[[Tensor], Tensor],
    count: int,
    inputs: dict[str, Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """The candidates as they are now, how far each is from what is known, and the discriminator's
    doubt of each.
    """
    rng.again()
    made = gan.sample(count, rng, **inputs)
    score = gan.score({gan.target: made, **inputs})
    return made, difference(made), softplus(-score).reshape(count, -1).mean(1)


@torch.no_grad()
def nearest_starts(
    gan: GAN,
    difference: Callable[[Tensor], Tensor],
    candidates: int,
    seed: int,
    device: torch.device,
    label: int | None,
) -> tuple[list[int], list[int]]:
    """Rows of the seed's table, and classes, of the random pictures that fit best, one for each
    candidate.
    """
    count = -(-STARTS * candidates // CHUNK) * CHUNK
    labels = [row % max(1, len(gan.classes)) if label is None else label for row in range(count)]
    found = []
    for start in range(0, count, CHUNK):
        rows = range(start, start + CHUNK)
        found.append(
            difference(generate(gan, rows, seed, device, [labels[row] for row in rows]).to(device))
        )
    rows = torch.cat(found).argsort()[:candidates].tolist()
    return rows, [labels[row] for row in rows]


def nearness(known: Tensor) -> Tensor:
    """What each pixel counts: little far from the hole, more the nearer it is, nothing in the hole.

    As eq. 2 of the paper, the share of hole in a window around a pixel; but the window's side is a
    fourth of the picture's (theirs is of 7 pixels), and no known pixel counts nothing.

    Args:
        known: (1, S, S), 1 where the picture is known and 0 elsewhere.
    """
    reach = max(1, known.shape[-1] // 8)
    around = avg_pool2d(
        1 - known[None], 2 * reach + 1, stride=1, padding=reach, count_include_pad=False
    )[0]
    return known * (FLOOR + (1 - FLOOR) * around)

"""Search the noise for which a GAN generates a given image, or one that fits around a hole.

Yeh et al. 2017, "Semantic Image Inpainting with Deep Generative Models": gradient descent on the
generator's input. The GAN needs no training for it.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, softplus

from ganvas.gans.base import GAN
from ganvas.inference.sampling import CHUNK, class_inputs, evaluation, sample_chunks, take_turns
from ganvas.rng import Make, Rng, RowRng

__all__ = [
    "Candidates",
    "SearchRng",
    "SearchSettings",
    "estimate_search",
    "hole_weights",
    "search_noise",
]

STARTS = 32  # random images compared for each candidate; the search starts from the nearest
RATE = 0.05  # of Adam, at the first step; falls to 0 along half a cosine
# of the discriminator's doubt; the paper's lambda, but of a mean where theirs is of a sum
PRIOR_WEIGHT = 0.03
TIMED = 2  # steps of a search by which the time of all is estimated
FLOOR = 0.2  # weight of pixels far from the hole, where those in the midst of it would have 1


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Attributes:
        candidates: different results, each from its own start.
        steps: of gradient descent.
        seed: of the starts.
        label: class number of all candidates; None: whichever fits best at the start.
    """

    candidates: int = 4
    steps: int = 300
    seed: int = 0
    label: int | None = None


@dataclass(frozen=True)
class Candidates:
    """What a search found, the best candidate first.

    Attributes:
        images: (K, C, S, S) in [-1, 1], on the CPU.
        context: (K,), weighted mean absolute difference from what is known, in units of [-1, 1].
        prior: (K,), mean softplus(-score): the discriminator's doubt.
        noise: the tensors of noise, (K, size) each, in the order in which the GAN draws them.
        labels: class numbers; of no meaning for GANs without classes.
    """

    images: Tensor
    context: Tensor
    prior: Tensor
    noise: list[Tensor]
    labels: list[int]


class SearchRng(Rng):
    """Noise that can be improved: the first draw is kept, and requires gradients if it is noise.

    After `again` the next pass through the GAN gets the same tensors.

    Args:
        seed: the table of `RowRng`.
        rows: of it, for the first values.

    Attributes:
        noise: the leaf tensors, (N, size) each, in the order in which they are drawn.
    """

    def __init__(self, seed: int, rows: Sequence[int], device: torch.device | str = "cpu"):
        super().__init__(device)
        self.first = RowRng(seed, rows, device)
        self.kept: list[Tensor] = []  # every draw, noise or not
        self.bounded: list[bool] = []  # of each draw, whether it is uniform noise
        self.place = 0  # of the next draw in `kept`

    @property
    def noise(self) -> list[Tensor]:
        return [values for values in self.kept if values.requires_grad]

    def again(self) -> None:
        """Begin with the first draw."""
        self.place = 0

    def rows(self, count: int, make: Make) -> Tensor:
        return self._next(lambda: self.first.rows(count, make))

    def normal(self, count: int, size: int) -> Tensor:
        # Gradients only after the copy to the device: Adam takes leaves, and a copy is none.
        return self._next(lambda: self.first.normal(count, size).requires_grad_())

    def uniform(self, count: int, size: int) -> Tensor:
        return self._next(lambda: self.first.uniform(count, size).requires_grad_(), bounded=True)

    @torch.no_grad()
    def keep_likely(self) -> None:
        """Bring the noise back to where noise is likely: uniform noise into [-1, 1], normal noise
        of n numbers to a length of sqrt(n).
        """
        # In place, because the optimizer holds these very tensors.
        for values, bounded in zip(self.kept, self.bounded):
            if values.requires_grad and bounded:
                values.clamp_(-1, 1)
            elif values.requires_grad:
                length = values.norm(dim=1, keepdim=True).clamp(min=1e-6)
                values.mul_(math.sqrt(values.shape[1]) / length)

    def _next(self, make: Callable[[], Tensor], bounded: bool = False) -> Tensor:
        if self.place == len(self.kept):
            self.kept.append(make())
            self.bounded.append(bounded)
        self.place += 1
        return self.kept[self.place - 1]


def search_noise(
    gan: GAN,
    image: Tensor,
    weights: Tensor,
    settings: SearchSettings,
    device: torch.device,
    progress: Callable[[range], Iterable[int]] = iter,
) -> Candidates:
    """Find candidates for an image of which only a part is known.

    Args:
        gan: unconditional, or with classes.
        image: (C, S, S) in [-1, 1].
        weights: (1, S, S) of the pixels; 0 where nothing is known. See `hole_weights`.
        settings: of the search.
        device: where the GAN is.
        progress: goes through the steps, and may show a bar.
    """
    target = image.to(device)[None]  # (1, C, S, S)
    # Their mean is 1, so that PRIOR_WEIGHT means the same for small and large holes.
    weights = (weights / weights.mean()).to(device)[None]

    # (N, C, S, S) to (N,): L1, as in the paper
    def difference(generated: Tensor) -> Tensor:
        return ((generated - target).abs() * weights).mean((1, 2, 3))

    count = settings.candidates
    rows, labels = _nearest_starts(gan, difference, settings, device)
    rng = SearchRng(settings.seed, rows, device)
    inputs = class_inputs(gan, labels, device)

    # In evaluation mode batch norm makes no candidate depend on the others.
    with evaluation(gan), _freeze_weights(gan):
        with torch.no_grad():
            gan.sample(count, rng, **inputs)  # the first draw makes the noise
        rng.keep_likely()
        optimizer = torch.optim.Adam(rng.noise, lr=RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, settings.steps))

        for _ in progress(range(settings.steps)):
            _, context, prior = _rate_candidates(gan, rng, difference, count, inputs)
            # a sum, because each candidate has noise of its own
            (context + PRIOR_WEIGHT * prior).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            rng.keep_likely()  # a step may leave where noise is likely

        with torch.no_grad():
            found, context, prior = _rate_candidates(gan, rng, difference, count, inputs)

    # the same sum that was minimised, so the first candidate is the best
    order = (context + PRIOR_WEIGHT * prior).argsort()
    return Candidates(
        images=found.float()[order].cpu(),
        context=context.float()[order].cpu(),
        prior=prior.float()[order].cpu(),
        noise=[values.detach()[order].cpu() for values in rng.noise],
        labels=[labels[number] for number in order.tolist()],
    )


def estimate_search(gan: GAN, settings: SearchSettings, device: torch.device) -> float:
    """Seconds that a search takes, by the first steps of one."""
    moments = [time.perf_counter()]

    def note_moments(steps: Iterable[int]) -> Iterator[int]:
        for step in steps:
            moments.append(time.perf_counter())  # of its begin; the first comes after the starts
            yield step

    image, weights = (
        torch.zeros(gan.channels, gan.size, gan.size),
        torch.ones(1, gan.size, gan.size),
    )
    short = replace(settings, steps=TIMED)
    search_noise(gan, image, weights, short, device, progress=note_moments)
    begin, *steps = moments
    return steps[0] - begin + (steps[-1] - steps[0]) / (TIMED - 1) * settings.steps


@contextmanager
def _freeze_weights(gan: GAN) -> Iterator[None]:
    """Let only the noise get gradients for a while, not the weights."""
    learning = [parameter for parameter in gan.parameters() if parameter.requires_grad]
    try:
        for parameter in learning:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


def _rate_candidates(
    gan: GAN,
    rng: SearchRng,
    difference: Callable[[Tensor], Tensor],
    count: int,
    inputs: dict[str, Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    """The present candidates (N, C, S, S), how far each is from what is known (N,), and the
    discriminator's doubt of each (N,).
    """
    rng.again()  # the generator draws the tensors that the optimizer has just changed
    generated = gan.sample(count, rng, **inputs)
    score = gan.score({gan.target: generated, **inputs})  # (N, ...), higher is more real
    return generated, difference(generated), softplus(-score).reshape(count, -1).mean(1)


@torch.no_grad()
def _nearest_starts(
    gan: GAN,
    difference: Callable[[Tensor], Tensor],
    settings: SearchSettings,
    device: torch.device,
) -> tuple[list[int], list[int]]:
    """Rows of the seed's table, and class numbers, of the random images that fit best, one for each
    candidate.
    """
    # whole chunks, because an image depends on nothing but its row
    count = -(-STARTS * settings.candidates // CHUNK) * CHUNK
    chunks = sample_chunks(gan, range(count), settings.seed, device, settings.label)
    differences = [difference(images.to(device)) for images in chunks]  # (CHUNK,) each

    best = torch.cat(differences).argsort()[: settings.candidates].tolist()
    return best, take_turns(gan, best, settings.label)


def hole_weights(known: Tensor) -> Tensor:
    """Weights of pixels: little far from the hole, more the nearer it is, none in the hole.

    As eq. 2 of the paper, the share of hole in a window around a pixel. But the window's side is a
    quarter of the image's (theirs is of 7 pixels), and every known pixel counts something.

    Args:
        known: (1, S, S), 1 where the image is known and 0 elsewhere.
    """
    reach = max(1, known.shape[-1] // 8)  # to each side of the pixel in the middle
    # padding is not counted: beyond the image there is neither hole nor known pixel
    around = avg_pool2d(
        1 - known[None], 2 * reach + 1, stride=1, padding=reach, count_include_pad=False
    )[0]
    return known * (FLOOR + (1 - FLOOR) * around)  # 0 in the hole, FLOOR to 1 outside

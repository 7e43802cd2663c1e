"""Directions in the space of a GAN's noise, found without labels.

A direction is worth a name if a step along it does the same to every image. So we measure what a
small step along each number of the noise changes, on the average over many noises (the mean
Jacobian, by differences), and take the directions that change most (its right singular vectors).
No layer is known by its name or type; only what is looked at differs:

- "layer": the output of the first layer that the noise reaches. Where that layer is linear, the
  Jacobian is its matrix of weights, and this is SeFa (Shen and Zhou 2021, "Closed-Form
  Factorization of Latent Semantics in GANs"), and the principal components of that layer's outputs,
  too (Härkönen et al. 2020, "GANSpace").
- "images": the images themselves, made small. For normal noise the mean Jacobian is the best linear
  map from noise to images (Stein 1981), to which GANSpace's regression leads as well.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganvas.errors import UserError
from ganvas.inference.noise_files import RecordingRng
from ganvas.inference.run import Run
from ganvas.inference.sampling import class_inputs, sample_gan, take_turns
from ganvas.rng import Make, RowRng

__all__ = ["Drawn", "Way", "draw_noise", "find_directions"]

Way = Literal["layer", "images"]
PASSES = 2048  # images that are generated to find directions by images, about
# Noises that the mean is taken over. Few are enough for a layer, which is linear mostly.
LEAST_NOISES, MOST_NOISES = 4, 32
STEP = 0.5  # standard deviations
SMALL = 16  # side in pixels at which images are compared
BATCH = 64


class _GivenRng(RowRng):
    """Gives a GAN noise that is given, draw by draw; other numbers are those of one row.

    Args:
        noise: (N, size), all draws of an image side by side.
        row: of seed 0.
        device: where the numbers are needed.
    """

    def __init__(self, noise: Tensor, row: int, device: torch.device):
        super().__init__(0, [row], device)
        self.noise = noise.to(device)

    def rows(self, count: int, make: Make) -> Tensor:
        drawn = super().rows(1, make)
        return drawn.expand(count, *drawn.shape[1:])

    def normal(self, count: int, size: int) -> Tensor:
        draw, self.noise = self.noise[:, :size], self.noise[:, size:]
        return draw

    def uniform(self, count: int, size: int) -> Tensor:
        return self.normal(count, size)


def find_directions(run: Run, way: Way, count: int = 8) -> Tensor:
    """Find directions in the space of noise, unit vectors (count, size), strongest first.

    The noise of an image that is drawn in several parts counts as one vector.

    Args:
        run: of an unconditional GAN, or one with classes.
        way: "layer", by the first layer that the noise reaches; "images", by what changes in
            images.
        count: of directions; fewer where the noise has fewer numbers.

    Raises:
        UserError: the GAN needs more than noise and a class, or draws no noise.
    """
    run.check_free()
    jacobian = _mean_jacobian(run, way).double()  # (outputs, size)
    _, vectors = torch.linalg.eigh(jacobian.T @ jacobian)  # in columns, ascending
    directions = vectors.T.flip(0)[:count].float()

    # The sign of an eigenvector is chance: the largest number becomes positive.
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return (directions * largest.sign()).contiguous()


class Drawn(NamedTuple):
    """Samples with their noise, all on the CPU.

    Attributes:
        noise: (N, size), all draws of an image side by side.
        stds: (size,), the standard deviations of its numbers.
        images: float32 (N, C, H, W) in [-1, 1].
    """

    noise: Tensor
    stds: Tensor
    images: Tensor


def draw_noise(run: Run, rows: Sequence[int], seed: int = 0) -> Drawn:
    """Generate samples, and keep the noise that they are drawn from.

    Args:
        run: of an unconditional GAN, or one with classes.
        rows: numbers of the samples.
        seed: of the noise.

    Raises:
        UserError: the GAN draws no noise.
    """
    rng = RecordingRng(seed, rows, run.device)
    inputs = class_inputs(run.gan, take_turns(run.gan, rows), run.device)
    images = sample_gan(run.gan, rng, len(rows), inputs)
    if not rng.draws:
        raise UserError(f"{run.name} draws no noise, so there are no directions in it")
    stds = [torch.full((draw.shape[1],), std) for draw, std in zip(rng.draws, rng.stds)]
    return Drawn(torch.cat(rng.draws, 1).cpu(), torch.cat(stds), images)


def _sample_noise(run: Run, noise: Tensor, row: int) -> Tensor:
    """Generate an image of each noise (N, size), with the class of one sample and its other random
    numbers: float32 (N, C, H, W) in [-1, 1], on the CPU.
    """
    (label,) = take_turns(run.gan, [row])
    inputs = class_inputs(run.gan, [label] * len(noise), run.device)
    return sample_gan(run.gan, _GivenRng(noise, row, run.device), len(noise), inputs)


def _mean_jacobian(run: Run, way: Way) -> Tensor:
    """What a step along each number of the noise changes, (outputs, size), as a mean over noises.

    Measured over steps of STEP standard deviations, half of them back, so that bends cancel.
    """
    size = len(draw_noise(run, [0]).stds)
    noises = LEAST_NOISES
    if way == "images":
        noises = min(MOST_NOISES, max(noises, PASSES // (size + 1)))
    noise, stds, _ = draw_noise(run, range(noises))
    look = partial(_look_at_images, run) if way == "images" else _find_first_layer(run, noise)

    total = torch.zeros(())
    for row, start in enumerate(noise):
        steps = torch.diag(STEP * stds) * (1 if row % 2 else -1)
        moved = torch.cat([start[None], start + steps])  # (1 + size, size)
        outputs = torch.cat([look(part, row) for part in moved.split(BATCH)])
        change = (outputs[1:] - outputs[0]) / (STEP if row % 2 else -STEP)
        total = total + change.T
    return total / noises


def _look_at_images(run: Run, noise: Tensor, row: int) -> Tensor:
    """The images of noise (N, size), made small, (N, pixels)."""
    images = _sample_noise(run, noise, row)
    return adaptive_avg_pool2d(images, min(SMALL, images.shape[-1])).flatten(1)


def _find_first_layer(run: Run, noise: Tensor) -> Callable[[Tensor, int], Tensor]:
    """A function that returns the outputs (N, numbers) of the first layer that the noise reaches.

    It is the module with parameters that ends first of all whose output depends on the noise.

    Args:
        run: whose GAN has the layer.
        noise: (N, size), two rows or more.
    """
    outputs = _record_outputs(run, noise[:2], 0)
    for module, output in outputs.items():
        if not torch.equal(output[0], output[1]):
            return lambda noise, row: _record_outputs(run, noise, row)[module]
    raise UserError(f"no layer of {run.name} reads the noise; find directions with --by images")


def _record_outputs(run: Run, noise: Tensor, row: int) -> Mapping[nn.Module, Tensor]:
    """The outputs of the GAN's modules with parameters, (N, numbers) each, as they end."""
    outputs: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, _: Any, output: Any) -> None:
        # only what has a row for each image, and of a module that is used again its first output
        if isinstance(output, Tensor) and output.ndim > 1 and len(output) == len(noise):
            outputs.setdefault(module, output.float().flatten(1).cpu())

    with ExitStack() as stack:
        for module in run.gan.modules():
            if any(True for _ in module.parameters()):
                stack.callback(module.register_forward_hook(keep).remove)
        _sample_noise(run, noise, row)
    return outputs

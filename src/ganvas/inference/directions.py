"""Directions in the space of a GAN's noise, found without labels.

Two ways: the first layer's own (SeFa: Shen and Zhou 2021, "Closed-Form Factorization of Latent
Semantics in GANs"), and those along which the images change most (principal components of samples,
as Härkönen et al. 2020, "GANSpace", take them of features).
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganvas.errors import UserError
from ganvas.inference.latents import LatentRng, latent_row
from ganvas.inference.run import Run
from ganvas.inference.sampling import class_inputs, sample_gan

__all__ = ["Way", "find_directions"]

Way = Literal["layer", "images"]
SAMPLES = 512  # whose principal components are taken
SMALL = 16  # side in pixels at which images are compared
BATCH = 32


class _NoiseRng(LatentRng):
    """As `LatentRng`, and keeps the noise that was drawn."""

    drawn: Tensor | None = None

    def normal(self, count: int, size: int) -> Tensor:
        self.drawn = super().normal(count, size)
        return self.drawn

    def uniform(self, count: int, size: int) -> Tensor:
        self.drawn = super().uniform(count, size)
        return self.drawn


def find_directions(run: Run, way: Way, count: int = 8) -> Tensor:
    """Find directions in the space of noise, unit vectors (count, noise size), strongest first.

    Args:
        run: of an unconditional GAN, or one with classes.
        way: "layer", by the weights of the first layer; "images", by what changes in samples.
        count: of directions; fewer where the noise has fewer numbers.

    Raises:
        UserError: the GAN needs more than noise and a class, draws no noise, or its first layer is
            not one that reads noise.
    """
    run.check_free()
    directions = _by_layer(run) if way == "layer" else _by_images(run)
    directions = directions[:count]
    # The sign of an eigenvector is chance: the largest number becomes positive.
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return directions * largest.sign()


def _by_layer(run: Run) -> Tensor:
    """Eigenvectors of WᵀW, where W is the part of the first layer that reads the noise."""
    size = _draw(run, 1)[0].shape[1]
    for module in run.gan.get_submodule("generator").modules():
        if isinstance(module, nn.Linear) and module.in_features >= size:
            weight = module.weight[:, :size]
        elif isinstance(module, nn.ConvTranspose2d) and module.in_channels >= size:
            weight = module.weight[:size].flatten(1).T
        else:
            continue
        matrix = weight.detach().double().cpu()
        _, vectors = torch.linalg.eigh(matrix.T @ matrix)  # ascending
        return vectors.T.flip(0).float()
    raise UserError(f"no layer of {run.name} reads the noise directly; find them by images")


def _by_images(run: Run) -> Tensor:
    """The noise that goes with the principal components of samples, by linear regression."""
    noise, images = _draw(run, SAMPLES)
    pixels = adaptive_avg_pool2d(images, SMALL).flatten(1)
    pixels = pixels - pixels.mean(0)
    # Right singular vectors would be images; left ones are the scores of the samples.
    scores, strengths, _ = torch.linalg.svd(pixels, full_matrices=False)
    centred = noise - noise.mean(0)
    found = (scores * strengths).T @ centred  # (components, noise size)
    # Directions that do not repeat one another, in the order of the components.
    basis, _ = torch.linalg.qr(found[: noise.shape[1]].T)
    return basis.T


def _draw(run: Run, count: int) -> tuple[Tensor, Tensor]:
    """The noise (count, size) and the images of the first samples; of classes the first one, so
    that directions are not those between classes.
    """
    noise, images = [], []
    for start in range(0, count, BATCH):
        rows = range(start, min(start + BATCH, count))
        rng = _NoiseRng([latent_row(0, row) for row in rows], device=run.device)
        inputs = class_inputs(run.gan, [0] * len(rows), run.device)
        images.append(sample_gan(run.gan, rng, len(rows), inputs))
        if rng.drawn is None:
            raise UserError(f"{run.name} draws no noise, so there are no directions in it")
        noise.append(rng.drawn.cpu())
    return torch.cat(noise), torch.cat(images)

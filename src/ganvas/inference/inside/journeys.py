"""Where noise leads: sums of noise, walks between two images, and from class to class."""

from itertools import pairwise

import torch
from PIL import Image

from ganvas.inference.latents import Latent, Term, latent_row, sample_latents
from ganvas.inference.run import Run
from ganvas.inference.sampling import sample_gan
from ganvas.inference.sheets import draw_grid
from ganvas.io.grids import make_grid, make_table
from ganvas.io.images import to_uint8
from ganvas.rng import RowRng

__all__ = ["draw_classes", "draw_sums", "draw_walks"]

SUMS = 5  # rows of the sheet of sums
WALKS = 5  # rows of the sheet of walks
FRAMES = 9  # images from one end to the other
MOST_CLASSES = 11  # whose ways are drawn


def draw_sums(run: Run, seed: int, label: int) -> Image.Image:
    """Draw samples a, b and c, and the image of the noise a - b + c; five rows.

    Args:
        run: of an unconditional GAN of images, or one with classes.
        seed: of the noise; row k of the sheet has samples 3 k, 3 k + 1 and 3 k + 2 of it.
        label: class number of all images; of no effect without classes.
    """
    latents: list[Latent] = []
    for row in range(0, 3 * SUMS, 3):
        terms: tuple[Term, ...] = ((seed, row, 1.0), (seed, row + 1, -1.0), (seed, row + 2, 1.0))
        latents += [latent_row(seed, row + part) for part in range(3)]
        latents.append(Latent(terms))

    images = sample_latents(run, latents, [label] * len(latents))
    shown = run.show_planes(to_uint8(images)).unflatten(0, (SUMS, 4))
    headings = ("a", "b", "c", "a - b + c")
    return make_table({name: shown[:, column] for column, name in enumerate(headings)})


def draw_walks(run: Run, seed: int, label: int) -> Image.Image:
    """Draw the way from one sample to the next, a row for each of the first five.

    Args:
        run: of an unconditional GAN of images, or one with classes.
        seed: of the noise.
        label: class number of all images; of no effect without classes.
    """
    latents = []
    for row in range(WALKS):
        for share in torch.linspace(0, 1, FRAMES).tolist():
            terms: tuple[Term, ...] = ((seed, row, 1 - share), (seed, row + 1, share))
            # an end is the sample itself
            latents.append(Latent(tuple(term for term in terms if term[2])))

    images = sample_latents(run, latents, [label] * len(latents))
    return draw_grid([*run.show_planes(to_uint8(images))], FRAMES)


def draw_classes(run: Run, seed: int) -> Image.Image:
    """Draw the way from each class to the next with the same noise, a row for each.

    Args:
        run: of a GAN with two classes or more.
        seed: of the noise, of which the first row is used.
    """
    classes = run.gan.classes[:MOST_CLASSES]
    shares = torch.linspace(0, 1, FRAMES)[:, None]
    ends = torch.eye(len(run.gan.classes))

    strips = []
    for number in range(len(classes) - 1):
        mixed = torch.lerp(ends[number], ends[number + 1], shares)  # (FRAMES, classes)
        rng = RowRng(seed, [0] * FRAMES, run.device)  # equal rows: the noise stays
        strips.append(sample_gan(run.gan, rng, FRAMES, {"label": mixed.to(run.device)}))

    images = run.show_planes(to_uint8(torch.cat(strips)))
    names = [f"{one} to {other}" for one, other in pairwise(classes)]
    return make_grid(images, FRAMES, names)

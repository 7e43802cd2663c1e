"""Differentiable augmentation, so that a discriminator does not memorise a small data set.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data". Real and generated
images are changed at random before they are scored, in the updates of both players. While a change
leaves most images as they were, the generator still learns what images look like without it.

Images are (N, C, H, W), in [-1, 1]. The result may leave that range, since pixels
clipped to it would have no gradient. `augment` is differentiable any number of times with respect
to the images, so that a gradient penalty can be taken through it. All randomness comes in as
`numbers`: `rng.rand(n, AUGMENT_NUMBERS)`. No value is read back from the device.
"""

import math

import torch
from torch import Tensor

from ganvas.gans.nn.geometry import GEOMETRY, geometry_matrices, resample, to_normal

__all__ = [
    "AUGMENT_NUMBERS",
    "COLOUR",
    "COLOUR_SHARE",
    "adapt_probability",
    "augment",
    "colour_matrices",
    "cutout_masks",
    "pair_signs",
    "recolour",
    "shift_images",
]

COLOUR, CUTOUT = 10, 3  # random numbers of the other two parts
AUGMENT_NUMBERS = GEOMETRY + COLOUR + CUTOUT

COLOUR_SHARE = 0.5  # changes of colour have this share of the probability
BRIGHTNESS = 0.2  # standard deviation
CONTRAST = 0.5  # standard deviation, in octaves
SATURATION = 1.0  # standard deviation, in octaves

TARGET = 0.6  # the measure of overfitting that the probability is adapted to keep


def augment(images: Tensor, numbers: Tensor, probability: float | Tensor) -> Tensor:
    """Mirror, turn, shift, scale, recolour and cut images, each change independently.

    Strengths are those of Karras et al. 2020, appendix B. Where we differ: the resampling is
    bilinear and at the images' own resolution, where theirs doubles it in between. There are no
    band filters and no noise, which their final choice leaves out too. There is a cutout, and
    colours change with half of the probability, as in R3GAN (Huang et al. 2024).

    Args:
        images: (N, C, H, W); one channel has no hue and no saturation, and of more than three only
            the first three are colours.
        numbers: (N, AUGMENT_NUMBERS), uniform in [0, 1); equal numbers give equal changes.
        probability: of each change, in [0, 1]; a tensor has no dimensions. With 0 the images come
            back as they are.

    Returns:
        (N, C, H, W), of the type of `images`.
    """
    # Half precision has three digits, too few for positions in an image.
    changed = images.to(torch.promote_types(images.dtype, torch.float32))
    place, colours, cutouts = numbers.to(changed.dtype).split([GEOMETRY, COLOUR, CUTOUT], 1)
    height, width = images.shape[2:]

    with torch.autocast(images.device.type, enabled=False):
        changed = resample(changed, geometry_matrices(place, probability, height, width))
        changed = recolour(changed, colour_matrices(colours, probability * COLOUR_SHARE))

        # Cut last, so that nothing moves or recolours the rectangle; 0 is the middle of [-1, 1].
        chance, right, down = cutouts.unbind(1)
        cut = cutout_masks(right, down, height, width) & (chance < probability)[:, None, None]
        return (changed * ~cut[:, None]).to(images.dtype)


def pair_signs(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """How well scores separate real (N,) from fake (M,) images: 2 P(real > fake) - 1, a scalar.

    It is 0 for scores without information and 1 where every real image scores higher than every
    fake one. It measures overfitting where only differences of scores mean anything, as in
    relativistic losses. Where 0 separates real from fake, the measure is
    `real_scores.sign().mean()`, the r_t of Karras et al. 2020, eq. 1.
    """
    differences = real_scores.detach().flatten()[:, None] - fake_scores.detach().flatten()  # (N, M)
    return differences.sign().mean()


def adapt_probability(
    probability: Tensor, measure: Tensor, images: int, images_to_one: int = 500_000
) -> Tensor:
    """The next probability of augmentations; Karras et al. 2020, section 3.1.

    One step up if the discriminator overfits more than TARGET, else one step down; within [0, 1].

    Args:
        probability: a scalar; a buffer of the GAN, so that checkpoints hold it.
        measure: of overfitting, a scalar in [-1, 1]; over all processes, so that each takes the
            same step.
        images: real images shown since the last step.
        images_to_one: real images in which the probability can rise from 0 to 1.
    """
    step = images / images_to_one  # the default, 500,000 images, is the paper's
    return (probability + torch.where(measure > TARGET, step, -step)).clamp(0, 1)


def shift_images(images: Tensor, numbers: Tensor, reach: int) -> Tensor:
    """Move images by whole pixels, each by its own random way; edges are repeated.

    A discriminator that halves its maps treats places of its grid differently, and the generator
    answers with a lattice. Where images are moved, no place of the grid is special. Zhao et al.
    2020, "Differentiable Augmentation for Data-Efficient GAN Training".

    Args:
        images: (N, C, H, W).
        numbers: (N, 2), uniform in [0, 1); equal numbers give equal moves.
        reach: the furthest move along each side, in pixels.

    Returns:
        (N, C, H, W).
    """
    moves = (numbers * (2 * reach + 1)).long() - reach  # (N, 2)
    for axis in (2, 3):
        length = images.shape[axis]
        places = (
            torch.arange(length, device=images.device) + moves[:, axis - 2 : axis - 1]
        )  # (N, length)
        shape = [len(images), 1, 1, 1]
        shape[axis] = length
        places = places.clamp(0, length - 1).view(shape)
        images = images.gather(axis, places.expand_as(images))
    return images


def cutout_masks(right: Tensor, down: Tensor, height: int, width: int) -> Tensor:
    """Rectangles of half the sides, with their middles at these shares (N,) of the sides.

    Returns:
        bool (N, H, W), True inside the rectangle.
    """
    masks = []
    for middle, side in ((down, height), (right, width)):
        pixels = torch.arange(side, device=middle.device, dtype=middle.dtype) + 0.5
        masks.append((pixels - middle[:, None] * side).abs() < side / 4)  # half of the side in all
    rows, columns = masks  # (N, H) and (N, W)
    return rows[:, :, None] & columns[:, None]


def colour_matrices(numbers: Tensor, probability: float | Tensor) -> Tensor:
    """Brightness, contrast, inversion of dark and light, hue, saturation.

    Args:
        numbers: (N, COLOUR), uniform in [0, 1). Each change has one number that decides whether it
            happens, and one that decides how.
        probability: of each change.

    Returns:
        One matrix per image, (N, 3, 4), acting on (red, green, blue, 1).
    """
    # (N, 1, 1) each, so that they act on matrices
    happens = (numbers[:, ::2] < probability).to(numbers.dtype)[:, :, None, None].unbind(1)
    brightens, contrasts, inverts, turns, saturates = happens
    strengths = numbers[:, 1::2, None, None].unbind(1)
    brightness, contrast, inversion, hue, saturation = strengths

    factor = (CONTRAST * to_normal(contrast) * contrasts).exp2()  # (N, 1, 1), 1 for no change
    vivid = (SATURATION * to_normal(saturation) * saturates).exp2()
    angle = math.pi * (2 * hue - 1) * turns  # radians
    inverted = (inversion < 0.5) * inverts  # half of the images are not inverted

    identity = torch.eye(3, device=numbers.device, dtype=numbers.dtype)
    grey = torch.full_like(identity, 1 / 3)  # projects a colour to its grey
    # turns what is not grey by a right angle about the axis of greys
    aside = (identity.roll(-1, 1) - identity.roll(1, 1)) / math.sqrt(3)

    # Hue and saturation change the part of a colour that is not grey, inversion the part that is.
    # They are written as changes of the identity, so that it is exact where nothing changes.
    mixed = (
        identity
        + (vivid * angle.cos() - 1) * (identity - grey)
        + vivid * angle.sin() * aside
        - 2 * inverted * grey
    )
    # Brightness comes first: inversion and contrast act on its offset too.
    offset = (1 - 2 * inverted) * BRIGHTNESS * to_normal(brightness) * brightens
    return factor * torch.cat([mixed, offset.expand(-1, 3, 1)], 2)


def recolour(images: Tensor, matrices: Tensor) -> Tensor:
    """Change each pixel of images (N, C, H, W) by matrices (N, 3, 4).

    One channel or two are changed as greys of three equal channels. Of more than three the first
    three are a colour; the others, such as opacity, stay.
    """
    if images.shape[1] > 3:
        return torch.cat([recolour(images[:, :3], matrices), images[:, 3:]], 1)
    if images.shape[1] < 3:
        # (N, 1) each: three equal channels are multiplied by the sum of a row.
        factor, offset = matrices[:, :1, :3].sum(2), matrices[:, :1, 3]
        return images * factor[:, :, None, None] + offset[:, :, None, None]

    # Weighted sums instead of a product of matrices, which a GPU may compute with three digits.
    red, green, blue, offset = matrices[:, :, :, None, None].unbind(2)  # (N, 3, 1, 1) each
    return red * images[:, :1] + green * images[:, 1:2] + blue * images[:, 2:] + offset

"""Augmentations that gradients pass through, so that few pictures last longer.

Real and generated pictures are changed alike before the discriminator sees them, and the generator learns through the change.
What the discriminator can no longer learn by heart does not leak into what is generated, as long as a change is not made always:
Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training" (`diff_augment`), Karras et al. 2020, "Training
Generative Adversarial Networks with Limited Data" (`augment`, `adapted`).

Random numbers come in as uniform ones in [0, 1), so the same numbers make the same change. All functions can be differentiated
twice with respect to the pictures, since penalties on the discriminator's gradient are taken through them, and none reads the
value of a tensor.
"""

import math

import torch
from torch import Tensor

AUGMENT_NUMBERS = 31  # uniform numbers that `augment` needs for a picture
DIFF_NUMBERS = 7  # the same of `diff_augment`
FARTHEST = 1 / 8  # of the side: how far pictures are moved
HOLE = 1 / 2  # of the side: what cutout takes away
Probability = float | Tensor


class Columns:
    """Hands out the columns of a table of uniform numbers (N, K), one after another."""

    def __init__(self, numbers: Tensor):
        self.numbers, self.taken = numbers, 0

    def take(self) -> Tensor:
        """The next numbers, (N,) in [0, 1)."""
        self.taken += 1
        return self.numbers[:, self.taken - 1]

    def chosen(self, probability: Probability) -> Tensor:
        """For which pictures something is done, bool (N,)."""
        return self.take() < probability

    def normal(self) -> Tensor:
        """Standard normal numbers (N,), at most 3.7 from 0."""
        return torch.special.ndtri(self.take().clamp(1e-4, 1 - 1e-4))


def augment(images: Tensor, numbers: Tensor, probability: Probability, colour_share: float = 0.5) -> Tensor:
    """Pictures turned, moved, stretched and coloured, each change with a probability; Karras et al. 2020, appendix B.

    Mirrored, turned by quarters, moved by whole pixels, scaled, rotated, stretched, moved by parts of pixels, all in one bilinear
    resampling that mirrors pictures at their borders; brightness, contrast, inversion and, of colour, hue and saturation; a hole.
    Where we differ: no oversampling and no filters of the frequencies, since that is dear on a CPU and both kinds of pictures are
    blurred alike.

    Args:
        images: (N, C, H, H), C 1 or 3, about in [-1, 1]; what comes back may leave it.
        numbers: (N, AUGMENT_NUMBERS), uniform in [0, 1).
        probability: in [0, 1], a scalar; at 0 nothing changes.
        colour_share: the probability of changes of colour, as a share of the others'.
    """
    columns = Columns(numbers)
    moved = resample(images, geometry(columns, probability, images.shape[-1]))
    coloured = colour(moved, columns, probability * colour_share)
    return cut_out(coloured, columns, columns.chosen(probability))


def geometry(columns: Columns, probability: Probability, side: int) -> Tensor:
    """For each picture where the pixels of the new one lie in the old, (N, 2, 3), in coordinates from -1 to 1."""
    one, zero = torch.ones_like(columns.numbers[:, 0]), torch.zeros_like(columns.numbers[:, 0])

    def value(chosen: Tensor, changed: Tensor, neutral: Tensor) -> Tensor:
        return torch.where(chosen, changed, neutral)

    def both(step: Tensor) -> Tensor:
        return torch.stack([torch.stack([step, zero], 1), torch.stack([zero, step], 1)], 1)

    flip = value(columns.chosen(probability), 1 - 2 * (columns.take() * 2).floor(), one)
    matrix = torch.stack([torch.stack([flip, zero], 1), torch.stack([zero, one], 1)], 1)
    quarters = value(columns.chosen(probability), (columns.take() * 4).floor(), zero)
    matrix = matrix @ rotation(quarters, steps=4)
    chosen = columns.chosen(probability)
    whole = [value(chosen, ((columns.take() * 2 - 1) * FARTHEST * side).round() * 2 / side, zero) for _ in range(2)]
    matrix = matrix @ both(value(columns.chosen(probability), torch.exp2(0.2 * columns.normal()), one))
    # Two rotations around the stretching, so rare that together they happen with the probability asked for.
    rare = 1 - torch.sqrt(1 - probability * one)
    matrix = matrix @ rotation(value(columns.chosen(rare), columns.take(), zero))
    stretch = value(columns.chosen(probability), torch.exp2(0.2 * columns.normal()), one)
    matrix = matrix @ torch.stack([torch.stack([stretch, zero], 1), torch.stack([zero, 1 / stretch], 1)], 1)
    matrix = matrix @ rotation(value(columns.chosen(rare), columns.take(), zero))
    chosen = columns.chosen(probability)
    parts = [value(chosen, 2 * FARTHEST * columns.normal(), zero) for _ in range(2)]
    shift = torch.stack([first + second for first, second in zip(whole, parts)], 1)
    return torch.cat([matrix, shift[:, :, None]], 2)


def rotation(turns: Tensor, steps: int = 1) -> Tensor:
    """Rotation matrices (N, 2, 2) of so many whole turns, (N,), or of turns / steps; quarters are exact."""
    angle = turns * (2 * math.pi / steps)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    if steps == 4:
        cosine, sine = cosine.round(), sine.round()
    return torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)


def resample(images: Tensor, matrix: Tensor) -> Tensor:
    """The pictures (N, C, H, W) at other places, bilinearly, mirrored at the borders.

    PyTorch's own grid_sample cannot be differentiated twice; this one is made of gathers, which can.

    Args:
        matrix: (N, 2, 3): x and y in the old picture from x, y, 1 in the new one, from -1 at the left or upper border to 1.
    """
    height, width = images.shape[-2:]
    sides = (width, height)
    axes = [(torch.arange(side, device=images.device, dtype=images.dtype) * 2 + 1) / side - 1 for side in sides]
    grid = torch.stack([axes[0].expand(height, width), axes[1][:, None].expand(height, width)]).flatten(1)
    places = matrix[:, :, :2].to(images.dtype) @ grid + matrix[:, :, 2:].to(images.dtype)  # (N, 2, H * W)
    pixels = [(places[:, axis] + 1) * (side / 2) - 0.5 for axis, side in enumerate(sides)]
    # Where rounding alone leads off a pixel, the pixel is meant: so turns by quarters are exact.
    pixels = [torch.where((place - place.round()).abs() < 1e-4, place.round(), place) for place in pixels]
    floors = [place.floor() for place in pixels]
    shares = [place - floor for place, floor in zip(pixels, floors)]
    flat, made = images.flatten(2), torch.zeros_like(images).flatten(2)
    for down in (0, 1):
        for right in (0, 1):
            rows = reflected(floors[1] + down, height) * width
            index = (rows + reflected(floors[0] + right, width)).long()
            across, along = (share if step else 1 - share for share, step in ((shares[0], right), (shares[1], down)))
            made = made + flat.gather(2, index[:, None].expand(-1, images.shape[1], -1)) * (across * along)[:, None]
    return made.view_as(images)


def reflected(places: Tensor, side: int) -> Tensor:
    """Pixels outside of 0 to side - 1 brought inside, as by mirrors at both borders; the border pixels are repeated."""
    inside = places.remainder(2 * side)
    return torch.minimum(inside, 2 * side - 1 - inside)


def colour(images: Tensor, columns: Columns, probability: Probability) -> Tensor:
    """Brightness, contrast and inversion, and of colour pictures hue and saturation, as one matrix for each picture."""
    count, channels = images.shape[:2]
    dtype, device = images.dtype, images.device
    one = torch.ones(count, dtype=dtype, device=device)
    zero = torch.zeros_like(one)
    brightness = torch.where(columns.chosen(probability), 0.2 * columns.normal(), zero)
    contrast = torch.where(columns.chosen(probability), torch.exp2(0.5 * columns.normal()), one)
    inverted = torch.where(columns.chosen(probability), (columns.take() * 2).floor(), zero)
    hue = torch.where(columns.chosen(probability), columns.take() * 2 * math.pi, zero)
    saturation = torch.where(columns.chosen(probability), torch.exp2(columns.normal()), one)

    def each(values: Tensor) -> Tensor:
        return values[:, None, None].to(dtype)

    if channels == 1:
        return (images * each(contrast)[..., None] + each(brightness)[..., None]) * (1 - 2 * each(inverted)[..., None])
    unit = torch.eye(3, dtype=dtype, device=device)
    grey = torch.full((3, 3), 1 / 3, dtype=dtype, device=device)  # what turns a colour into its brightness
    across = (unit.roll(1, 0) - unit.roll(1, 1)) / math.sqrt(3)  # the cross product with a third of white
    turned = grey + each(torch.cos(hue)) * (unit - grey) + each(torch.sin(hue)) * across
    matrix = (grey + each(saturation) * (unit - grey)) @ turned @ (unit - 2 * each(inverted) * grey) * each(contrast)
    shift = matrix.sum(2, keepdim=True) * each(brightness / contrast)
    return (matrix @ images.flatten(2) + shift).view_as(images)


def cut_out(images: Tensor, columns: Columns, chosen: Tensor) -> Tensor:
    """The pictures with a square hole of HOLE of their side, of value 0, where `chosen` (N,); its middle is anywhere."""
    height, width = images.shape[-2:]
    places = [(torch.arange(side, device=images.device) + 0.5) / side for side in (width, height)]
    inside = [(place - columns.take()[:, None]).abs() < HOLE / 2 for place in places]
    hole = inside[0][:, None, :] & inside[1][:, :, None] & chosen[:, None, None]
    return images * (~hole)[:, None]


def diff_augment(images: Tensor, numbers: Tensor) -> Tensor:
    """Brightness, saturation, contrast, a shift of at most an eighth, a hole of half the side, all of them always; Zhao et al.
    2020.

    Args:
        images: (N, C, H, W).
        numbers: (N, DIFF_NUMBERS), uniform in [0, 1).
    """
    columns = Columns(numbers)
    images = images + (columns.take() - 0.5)[:, None, None, None]
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * columns.take())[:, None, None, None]
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * (columns.take() + 0.5)[:, None, None, None]
    return cut_out(shifted(images, columns), columns, torch.ones_like(numbers[:, 0], dtype=torch.bool))


def shifted(images: Tensor, columns: Columns) -> Tensor:
    """Pictures moved by whole pixels, at most FARTHEST of the side, 0 where nothing is left."""
    for dimension in (2, 3):
        side = images.shape[dimension]
        most = round(side * FARTHEST)
        steps = (columns.take() * (2 * most + 1)).floor() - most
        places = torch.arange(side, device=images.device) - steps[:, None].long()
        shape = [len(images), 1, 1, 1]
        shape[dimension] = side
        inside = ((places >= 0) & (places < side)).view(shape)
        images = images.gather(dimension, places.clamp(0, side - 1).view(shape).expand_as(images)) * inside
    return images


def pair_signs(real: Tensor, fake: Tensor) -> Tensor:
    """How much more often than not a real picture scores higher than a fake, in [-1, 1]: near 1 where pictures are learnt by
    heart.

    Karras et al. 2020 use the mean sign of the scores of real pictures; of a relativistic discriminator only differences of
    scores mean anything, so this is the mean sign of the differences of all pairs.

    Args:
        real: scores (N,).
        fake: scores (M,).
    """
    return (real[:, None] - fake[None, :]).sign().mean()


def adapted(probability: Tensor, measure: Tensor, images: int, target: float = 0.6, images_to_one: int = 500_000) -> Tensor:
    """The probability of augmentations after `images` more images: up where `measure` of overfitting is above `target`, else
    down.

    It takes `images_to_one` images from 0 to 1. Karras et al. 2020, section 3.1.
    """
    return (probability + (measure - target).sign() * (images / images_to_one)).clamp(0, 1)

"""How a set of images looks as a whole: whether a grid of pixels lies over it, and how its colours
vary.

Both say something of samples only beside the same number of real images: some real images have a
grid, such as that of JPEG's blocks, and some have hardly any colours.
"""

import torch
from torch import Tensor

from ganvas.io.chunks import chunk_slices

__all__ = ["PERIODS", "SMALLEST", "colour_spread", "compare_grids", "grid_energy"]

PERIODS = (2, 4)  # pixels: the grids of the last and of the last but one doubling of the side
SMALLEST = 24  # pixels: in smaller images a grid's frequencies are too near to those of the shapes
# Bins from a frequency, in both directions: up to NEAR they belong to it, and between EDGE and FAR
# they are its neighbourhood. The window spreads a single frequency over those up to NEAR.
NEAR, EDGE, FAR = 1, 2, 3
# Squared levels that are added at each frequency, as noise of one level would: weaker patterns
# cannot be seen.
FLOOR = 1.0
CHUNK = 32  # images whose spectra are in memory at a time


def grid_energy(images: Tensor) -> Tensor:
    """How much the patterns that repeat every 2 or 4 pixels stand out among similar ones.

    Layers that double the side leave such patterns where some output pixels are reached by more
    weights than others; Odena et al. 2016, "Deconvolution and Checkerboard Artifacts".

    A pattern of period p has its energy at the multiples of 1/p of the spectrum, in both
    directions, and where it is not equally strong everywhere, also close to them. There the mean
    energy is divided by that of the neighbourhood. Multiples of 1/2 count for period 2 alone.

    Args:
        images: uint8 (N, C, H, W), at least SMALLEST pixels high and wide.

    Returns:
        Mean logarithm of the ratios by period, as in PERIODS, float64 (2,): about 0 or less for
        images without a grid.
    """
    total = torch.zeros(len(PERIODS), dtype=torch.float64)
    for piece in chunk_slices(len(images), CHUNK):
        energy = _measure_energy(images[piece])
        for number, period in enumerate(PERIODS):
            ratios = [_stand_out(energy, *place) for place in _list_frequencies(energy, period)]
            total[number] += torch.stack(ratios).mean(0).sum().item()
    return total / len(images)


def compare_grids(fake: Tensor, real: Tensor) -> dict[int, float]:
    """How much stronger the grids of samples are than those of real images, by period in pixels.

    1 or less: there is no grid, or real images have the same one.

    Args:
        fake: `grid_energy` of samples.
        real: `grid_energy` of real images of the same size.
    """
    # Where the spectrum of real images has a dip, a flat one is no grid yet.
    ratios = (fake - real.clamp(min=0)).exp()
    return dict(zip(PERIODS, ratios.tolist()))


def colour_spread(images: Tensor) -> float:
    """How much the mean colours of images differ, in levels.

    It is the standard deviation of the mean colours without their brightness: of red, green and
    blue what is left when the mean of the three is taken away. 0: all images have one palette.

    Args:
        images: uint8 (N, 3, H, W), N at least 2.
    """
    colours = torch.stack([image.float().mean((1, 2)) for image in images])
    hues = colours - colours.mean(1, keepdim=True)  # (N, 3), in the plane of equal brightness
    return hues.var(0).sum().sqrt().item()


def _measure_energy(images: Tensor) -> Tensor:
    """The spectra of images (N, C, H, W): energy a pixel by frequency, float32 (N, h, w)."""
    # Whole periods of both grids, so that their frequencies are bins.
    height, width = (side // max(PERIODS) * max(PERIODS) for side in images.shape[-2:])
    values = images[..., :height, :width].float()

    # Without a window the jump from one border to the other has energy at all frequencies.
    columns, rows = (torch.hann_window(side, device=images.device) for side in (height, width))
    window = columns[:, None] * rows
    window = window / window.square().mean().sqrt()

    values = (values - values.mean((-2, -1), keepdim=True)) * window
    return torch.fft.fft2(values).abs().square().mean(1) / (height * width) + FLOOR


def _list_frequencies(energy: Tensor, period: int) -> list[tuple[int, int]]:
    """The bins (row, column) of a grid in spectra (N, h, w), without those of coarser repetition.

    For period 4 these are the pairs of quarters with an odd one among them.
    """
    height, width = energy.shape[1:]
    bins = []
    for row in range(period):
        for column in range(period):
            # Multiples of 1/2 where the period is 4; the image's mean where it is 2.
            coarser = row % 2 == column % 2 == 0
            if not coarser:
                bins.append((row * height // period, column * width // period))
    return bins


def _stand_out(energy: Tensor, row: int, column: int) -> Tensor:
    """The logarithm of the energy at a frequency over that of its neighbourhood, (N,)."""
    # The spectrum is periodic: rolled, so that the frequency and all around it are in one corner.
    around = energy.roll((FAR - row, FAR - column), (1, 2))[:, : 2 * FAR + 1, : 2 * FAR + 1]

    distance = (torch.arange(2 * FAR + 1, device=energy.device) - FAR).abs()
    distance = torch.maximum(distance[:, None], distance)  # (7, 7), in bins
    inner = around[:, distance <= NEAR].mean(1)
    return (inner / around[:, distance > EDGE].mean(1)).log()

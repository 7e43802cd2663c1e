"""Lattices and palettes, on images whose grids and colours are known."""

import io

import numpy as np
import pytest
import torch
from drawn_images import add_lattice, draw_images, share_palette
from PIL import Image
from torch import Tensor

from ganvas.data import View, open_dataset
from ganvas.evaluation.metrics.artefacts import (
    PERIODS,
    SMALLEST,
    colour_spread,
    compare_grids,
    grid_energy,
)


def lattice(fake: Tensor, real: Tensor) -> dict[int, float]:
    return compare_grids(grid_energy(fake), grid_energy(real))


def compress(images: Tensor, quality: int) -> Tensor:
    """Images after they were saved as JPEG."""
    found = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
        found.append(torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1))
    return torch.stack(found)


# Lattices


def test_white_noise_has_no_grid():
    """Its energy is the same everywhere: the logarithm of a ratio of two means of many is 0."""
    noise = torch.randint(0, 256, (400, 3, 32, 32), dtype=torch.uint8)
    # A mean of 9 bins and 3 channels over one of 24: a standard deviation of about 0.25 an image.
    assert grid_energy(noise) == pytest.approx([0, 0], abs=0.08)


@pytest.mark.parametrize("size", [SMALLEST, 28, 48, 63, 64])
def test_a_grid_is_found_by_its_period(size: int):
    real, fake = draw_images(100, size), draw_images(100, size, seed=1)
    assert max(lattice(fake, real).values()) < 1.3
    for period in PERIODS:
        other = PERIODS[1 - PERIODS.index(period)]
        # In small images the frequency of 4 pixels is near to those of the shapes.
        levels = 8 if size >= 48 else 24
        found = lattice(add_lattice(fake, period, levels), real)
        assert found[period] > 2
        assert found[other] < 1.5
    # A grid of a few levels at the last doubling, where most generators have theirs.
    assert lattice(add_lattice(fake, 2, 3), real)[2] > 2


def test_a_stronger_grid_has_more_energy_wherever_it_begins():
    real, fake = draw_images(100), draw_images(100, seed=1)
    found = [lattice(add_lattice(fake, 2, levels), real)[2] for levels in (0, 2, 4, 8)]
    assert found == sorted(found)
    image = add_lattice(fake, 2, 4)
    # The same pattern, light where it was dark.
    other = add_lattice(fake, 2, -4)
    assert grid_energy(image) == pytest.approx(grid_energy(other).numpy(), abs=0.05)


def test_a_grid_in_some_places_only():
    """As a generator's: strong where there is texture, and nowhere else."""
    real, fake = draw_images(100), draw_images(100, seed=1)
    marked = add_lattice(fake, 2, 12)
    half = torch.cat([marked[..., :24], fake[..., 24:]], 3)
    assert lattice(half, real)[2] > 2


def test_a_grid_of_real_images_is_expected():
    """JPEG's blocks have one, and so has whatever was enlarged."""
    real, fake = (compress(draw_images(100, seed=seed), 50) for seed in (0, 1))
    assert max(lattice(fake, real).values()) < 1.3
    real, fake = (add_lattice(draw_images(100, seed=seed), 2, 6) for seed in (0, 1))
    assert lattice(fake, real)[2] == pytest.approx(1, abs=0.2)
    # And one that samples lack is no fault.
    assert max(lattice(draw_images(100, seed=1), real).values()) < 1.3


def test_soft_and_noisy_samples_have_no_grid():
    real, fake = draw_images(100), draw_images(100, seed=1)
    soft = torch.nn.functional.avg_pool2d(fake.float(), 3, 1, 1).to(torch.uint8)
    noisy = (fake + 30 * torch.randn(fake.shape)).round().clamp(0, 255).to(torch.uint8)
    for images in (soft, noisy, torch.full_like(fake, 7)):
        assert max(lattice(images, real).values()) < 1.5


def check_halves(spec: str, view: View, levels: float) -> None:
    """Two sets of different images of one data set have the same grids and colours; a lattice of
    so many levels is found.
    """
    images = torch.from_numpy(np.array(open_dataset(spec, view).images[:1_024]))
    real = images[:256]
    for fake in images[256:].split(128):
        assert max(lattice(fake, real).values()) < 1.3
        if images.shape[1] == 3:
            assert colour_spread(fake) / colour_spread(real) == pytest.approx(1, abs=0.25)
    assert lattice(add_lattice(images[256:384], 2, levels), real)[2] > 2


def test_real_digits_have_no_grid(mnist: str):
    # Strokes with hard borders have much energy at all frequencies.
    check_halves(mnist, View(), levels=24)


@pytest.mark.slow
def test_real_faces_have_no_grid_and_all_colours(faces: str):
    check_halves(faces, View(size=48), levels=3)


# Palettes


def test_the_spread_of_two_colours():
    """Red and green of equal number: means (a, 0, 0) and (0, a, 0), without brightness a/3 apart
    from (2a, -a, -a)/3 and (-a, 2a, -a)/3; their variances are a²/4 · n/(n-1) in two channels.
    """
    images = torch.zeros(50, 3, 4, 4, dtype=torch.uint8)
    images[:25, 0] = 120
    images[25:, 1] = 120
    assert colour_spread(images) == pytest.approx((2 * 120**2 / 4 * 50 / 49) ** 0.5, rel=1e-5)


def test_brightness_is_no_colour():
    grey = torch.arange(0, 250, 5, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 8, 8)
    assert colour_spread(grey) == pytest.approx(0, abs=1e-4)


def test_one_palette_keeps_no_spread():
    real = draw_images(200)
    assert colour_spread(draw_images(200, seed=1)) / colour_spread(real) == pytest.approx(
        1, abs=0.15
    )
    # Not 0: pixels that would leave 0..255 are cut off.
    assert colour_spread(share_palette(real)) / colour_spread(real) < 0.2

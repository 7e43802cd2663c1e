"""Points in the space of noise: which images belong to them, and where mixes lie."""

import pytest
import torch
from short_runs import train_mlp

import ganvas
from ganvas.errors import UserError
from ganvas.inference.direction_files import Direction
from ganvas.inference.latents import (
    Latent,
    LatentRng,
    latent_row,
    sample_latents,
)
from ganvas.rng import RowRng

SIZE = 64


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ganvas.Run:
    return train_mlp(tmp_path_factory.mktemp("latents") / "run", 60)


def normal(*latents: Latent) -> torch.Tensor:
    """The normal noise of points, (N, SIZE)."""
    return LatentRng(latents).normal(len(latents), SIZE)


def uniform(*latents: Latent) -> torch.Tensor:
    """The uniform noise of points, (N, SIZE)."""
    return LatentRng(latents).uniform(len(latents), SIZE)


def test_a_row_is_the_noise_of_a_sample():
    rows = [latent_row(5, 3), latent_row(5, 0)]
    assert torch.equal(normal(*rows), RowRng(5, [3, 0]).normal(2, SIZE))
    assert torch.equal(uniform(*rows), RowRng(5, [3, 0]).uniform(2, SIZE))


def test_points_of_rows_are_the_samples_themselves(run: ganvas.Run):
    labels = [number % max(1, len(run.gan.classes)) for number in range(4)]
    points = [latent_row(0, number) for number in range(4)]
    images = sample_latents(run, points, labels)
    torch.testing.assert_close(images, run.sample(4), rtol=1e-5, atol=1e-5)
    assert sample_latents(run, [], []).shape == (0, *run.shape)


def test_a_mix_has_the_length_of_its_parts():
    first, second = normal(latent_row(0, 0), latent_row(0, 1)).norm(dim=1)
    mix = Latent(((0, 0, 0.5), (0, 1, 0.5)))
    assert normal(mix).norm() == pytest.approx(float(first + second) / 2, rel=1e-5)
    arithmetic = Latent(((0, 0, 1.0), (0, 1, -1.0), (0, 2, 1.0)))
    lengths = normal(*(latent_row(0, row) for row in range(3))).norm(dim=1)
    assert normal(arithmetic).norm() == pytest.approx(float(lengths.mean()), rel=1e-5)


def test_the_ends_of_a_way_are_its_rows():
    way = [Latent(((0, 0, 1 - t), (0, 1, t))) for t in (0.0, 1.0)]
    torch.testing.assert_close(normal(*way), normal(latent_row(0, 0), latent_row(0, 1)))
    torch.testing.assert_close(uniform(*way), uniform(latent_row(0, 0), latent_row(0, 1)))


def near(spread: float, row: int = 0) -> Latent:
    """A neighbour of a row, as the page mixes it: so much of the variance comes from another."""
    return Latent(((0, row, (1 - spread) ** 0.5), (1, row, spread**0.5)))


def test_neighbours_are_nearer_than_strangers():
    start, *others = normal(latent_row(0, 0), near(0.1), near(0.9), latent_row(1, 0))
    distances = [float((other - start).norm()) for other in others]
    assert distances == sorted(distances)
    torch.testing.assert_close(normal(near(0.0))[0], start)


def test_uniform_mixes_stay_in_range():
    points = [near(0.5, row) for row in range(8)]
    points.append(Latent(((0, 0, 1.0), (0, 1, -1.0), (0, 2, 1.0))))
    assert uniform(*points).abs().max() <= 1


def test_truncation_shortens_and_moves_add():
    whole, half = normal(latent_row(0, 0), Latent(((0, 0, 1.0),), truncation=0.5))
    torch.testing.assert_close(half, whole / 2)
    vector = torch.eye(2, SIZE)[1]
    moved = normal(Latent(((0, 0, 1.0),), moves=((Direction(vector), 2.5),)))[0]
    torch.testing.assert_close(moved - whole, 2.5 * vector)


def test_nothing_is_refused():
    with pytest.raises(UserError, match="one row or more"):
        Latent(())
    with pytest.raises(UserError, match="one row or more"):
        Latent(((0, 0, 0.0),))

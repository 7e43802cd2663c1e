"""Nearest neighbours: the papers' definitions in loops, what the numbers must say of bad
generators, ties, copies, precision.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import refused_in_one_line
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.metrics import manifold as neighbours
from ganvas.evaluation.metrics.manifold import (
    Memorisation,
    copies_by_chance,
    density_coverage,
    find_nearest,
    memorisation,
    precision_recall,
)

setup = settings(max_examples=50, deadline=None)


def normal(seed: int, count: int, features: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, features, generator=random, dtype=torch.float64)


def memorisation_of(fake: Tensor, train: Tensor, held_out: Tensor) -> Memorisation:
    return memorisation(find_nearest(fake, train)[0], find_nearest(held_out, train)[0])


def squared(x: list, y: list) -> float:
    return sum((p - q) ** 2 for p, q in zip(x, y))


def radii_in_loops(points: list, k: int) -> list:
    """Squared distance of each point to its k-th nearest other."""
    return [
        sorted(squared(x, y) for j, y in enumerate(points) if j != i)[k - 1]
        for i, x in enumerate(points)
    ]


def share_inside(points: list, manifold: list, k: int) -> float:
    """Kynkaanniemi et al. 2019, eq. 1 and 2."""
    radii = radii_in_loops(manifold, k)
    return sum(any(squared(x, y) <= r for y, r in zip(manifold, radii)) for x in points) / len(
        points
    )


def density_in_loops(real: list, fake: list, k: int) -> float:
    radii = radii_in_loops(real, k)
    return sum(squared(x, y) <= r for x in fake for y, r in zip(real, radii)) / (k * len(fake))


def coverage_in_loops(real: list, fake: list, k: int) -> float:
    radii = radii_in_loops(real, k)
    return sum(any(squared(x, y) <= r for x in fake) for y, r in zip(real, radii)) / len(real)


def agrees(real: Tensor, fake: Tensor, k: int) -> None:
    a, b = real.tolist(), fake.tolist()
    assert precision_recall(real, fake, k) == pytest.approx(
        (share_inside(b, a, k), share_inside(a, b, k)), abs=1e-12
    )
    assert density_coverage(real, fake, k) == pytest.approx(
        (density_in_loops(a, b, k), coverage_in_loops(a, b, k)), abs=1e-12
    )


@pytest.mark.parametrize("k", [1, 3, 5])
def test_as_in_the_papers(k):
    agrees(normal(1, 60, 3), 1.5 * normal(2, 50, 3) + 0.3, k)


def grids(smallest: int) -> st.SearchStrategy[Tensor]:
    """Points on a tiny grid: many are equal, and most distances are."""
    points = st.lists(
        st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=smallest, max_size=20
    )
    return points.map(lambda rows: torch.tensor(rows, dtype=torch.float64))


@setup
@given(grids(4), grids(4), st.integers(1, 3), st.sampled_from([1.0, 0.1, 1e4]))
def test_ties_and_equal_points(real, fake, k, scale):
    """From integers, where equal is equal; then scaled and moved, where rounding would break the
    ties.
    """
    expected = precision_recall(real, fake, k), density_coverage(real, fake, k)
    agrees(real, fake, k)
    real, fake = scale * real + 0.3, scale * fake + 0.3
    assert (precision_recall(real, fake, k), density_coverage(real, fake, k)) == expected


@pytest.mark.parametrize("block", [1, 100, 1000])
def test_the_size_of_blocks_and_the_order_change_nothing(block, monkeypatch):
    real, fake = normal(1, 90, 4), 1.3 * normal(2, 80, 4)
    train, held_out = real[:60], real[60:]
    before = (
        precision_recall(real, fake),
        density_coverage(real, fake),
        memorisation_of(fake, train, held_out),
    )
    distances, indices = find_nearest(fake, real)
    monkeypatch.setattr(neighbours, "BLOCK", block)

    assert (
        precision_recall(real.flip(0), fake.flip(0)),
        density_coverage(real.flip(0), fake.flip(0)),
    ) == before[:2]
    assert memorisation_of(fake.flip(0), train.flip(0), held_out.flip(0)) == pytest.approx(
        before[2], rel=1e-12
    )

    again, same = find_nearest(fake, real)
    assert torch.allclose(again, distances, rtol=1e-12)
    assert torch.equal(same, indices)


def test_blocks_stay_small(monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 1000)
    sizes = [
        found.shape for _, found in neighbours.distance_blocks(normal(1, 95, 4), normal(2, 80, 4))
    ]
    assert sizes == [(12, 80)] * 7 + [(11, 80)]


def test_float32_features_are_measured_in_float64():
    real, fake = normal(1, 90, 4).float(), normal(2, 80, 4).float()
    assert precision_recall(real, fake) == precision_recall(real.double(), fake.double())
    assert density_coverage(real, fake) == density_coverage(real.double(), fake.double())
    distances, _ = find_nearest(fake, real)
    assert distances.dtype == torch.float64
    assert torch.equal(distances, find_nearest(fake.double(), real.double())[0])


def test_samples_of_the_data():
    """The expected coverage is known whatever the distribution; the tolerances are 5 standard
    errors over the 30 trials.
    """
    found = torch.tensor(
        [density_coverage(normal(s, 100, 3), normal(99 + s, 60, 3)) for s in range(30)],
        dtype=torch.float64,
    )
    expected = 1 - math.prod((100 - i) / (160 - i) for i in range(1, 6))
    error = found.std(0) / 30**0.5
    assert abs(found[:, 0].mean() - 1) < 5 * error[0] < 0.1
    assert abs(found[:, 1].mean() - expected) < 5 * error[1] < 0.05


def test_a_collapsed_generator():
    """Good images, always the same few: precise, without recall."""
    real = normal(1, 500, 4)
    fake = 0.3 * real[:5].repeat(100, 1) + 0.01 * normal(2, 500, 4)
    precision, recall = precision_recall(real, fake)
    density, coverage = density_coverage(real, fake)
    assert precision > 0.95
    assert recall < 0.05
    assert density > 1
    assert coverage < 0.2


def test_a_noisy_generator():
    """Everything and more: recalls, without precision."""
    real, fake = normal(1, 500, 4), 4 * normal(2, 500, 4)
    precision, recall = precision_recall(real, fake)
    density, _ = density_coverage(real, fake)
    assert precision < 0.3
    assert recall > 0.9
    assert density < 0.3


def test_a_generator_of_something_else():
    real, fake = normal(1, 50, 4), normal(2, 50, 4) + 100
    assert precision_recall(real, fake) == (0, 0)
    assert density_coverage(real, fake) == (0, 0)


def test_half_of_the_modes():
    modes = torch.tensor([[-50.0, 0.0], [50.0, 0.0]]).double()
    real = normal(1, 400, 2) + modes.repeat(200, 1)
    fake = normal(2, 400, 2) + modes[0]
    assert precision_recall(real, fake).recall < 0.51
    assert density_coverage(real, fake).coverage < 0.51
    assert precision_recall(real, fake).precision > 0.9


def test_copies_of_the_data_are_in_its_manifold():
    """Even where an image is in the data so often that its ball has no size."""
    real = normal(1, 40, 6).repeat_interleave(5, 0) + 1000
    assert precision_recall(real, real[:40], 3) == (1, 40 / 200)
    assert density_coverage(real, real[::5], 4).coverage == 1


def test_a_constant_generator():
    real, fake = normal(1, 200, 6), torch.zeros(200, 6)
    assert precision_recall(real, fake).recall == 0
    assert density_coverage(real, fake).coverage == density_coverage(real, fake[:1]).coverage < 0.5


def test_nearest_in_loops():
    queries, references = normal(1, 30, 5), normal(2, 40, 5)
    distances, indices = find_nearest(queries, references)
    assert indices.dtype == torch.int64
    for query, found, row in zip(queries.tolist(), distances.tolist(), indices.tolist()):
        everything = [squared(query, reference) ** 0.5 for reference in references.tolist()]
        assert found == pytest.approx(min(everything), rel=1e-12)
        assert row == everything.index(min(everything))


def test_equal_rows_are_at_distance_zero():
    references = normal(1, 300, 50).float() + 1000
    distances, indices = find_nearest(references[::3], references)
    assert (distances == 0).all()
    assert torch.equal(indices, torch.arange(0, 300, 3))


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9])
def test_near_rows_are_measured_by_their_difference(gap):
    """Off by the rounding of the features alone, near 1e-16. From products it would be 1e-7."""
    references = normal(1, 100, 50)
    queries = references.clone()
    queries[:, 7] += gap
    expected = (queries - references).abs().amax(1)  # the gap, as float64 holds it
    distances, _ = find_nearest(queries, references)
    assert torch.allclose(distances, expected, rtol=1e-12, atol=2e-15)


def test_many_equal_rows_are_measured_once(monkeypatch):
    measured = []
    whole = neighbours.squared_distances
    monkeypatch.setattr(
        neighbours,
        "squared_distances",
        lambda a, b: measured.append((len(a), len(b))) or whole(a, b),
    )
    distances, _ = find_nearest(torch.ones(1000, 3), torch.ones(2000, 3))
    assert measured == [(1, 1)]
    assert distances.shape == (1000,)
    assert (distances == 0).all()


def test_new_samples_are_no_copies():
    fake, train, held_out = normal(1, 1000, 5), normal(2, 1000, 5), normal(3, 1000, 5)
    found = memorisation_of(fake, train, held_out)
    assert found.ratio == pytest.approx(1, abs=0.1)
    assert found.close == pytest.approx(0.01, abs=0.015)
    assert found.fake == pytest.approx(found.ratio * found.held_out, rel=1e-12)


def test_copies_are_reported():
    train, held_out = normal(2, 1000, 5), normal(3, 1000, 5)
    found = memorisation_of(train[:500] + 1e-3 * normal(1, 500, 5), train, held_out)
    assert found.ratio < 0.01
    assert found.close == 1


def test_a_few_copies_are_reported_though_the_median_hides_them():
    fake, train, held_out = normal(1, 1000, 5), normal(2, 1000, 5), normal(3, 1000, 5)
    fake[:200] = train[:200]
    found = memorisation_of(fake, train, held_out)
    assert 0.7 < found.ratio < 1
    assert 0.2 <= found.close < 0.23


def test_medians_by_hand():
    train, held_out = torch.tensor([[0.0]]), torch.tensor([[2.0], [3.0], [10.0], [4.0]])
    found = memorisation_of(torch.tensor([[1.0], [6.0], [-7.0]]), train, held_out)
    assert found == (6, 3.5, 6 / 3.5, 1 / 3, 1 / 4)


def test_copies_are_reported_where_held_out_images_repeat_training_images():
    train = normal(2, 100, 5)
    held_out = torch.cat([train[:10], normal(3, 90, 5)])
    assert memorisation_of(train, train, held_out).close == 1


def test_held_out_images_must_be_others():
    train = normal(2, 100, 5)
    with pytest.raises(UserError, match="hold out others"):
        memorisation_of(normal(1, 100, 5), train, train[:50])


FEW, MORE = torch.zeros(3, 4), torch.zeros(9, 4)
WRONG = {
    "few reals": (
        lambda: precision_recall(FEW, MORE),
        "3 real samples are too few: a manifold with 3 neighbours needs at least 4",
    ),
    "few fakes": (lambda: precision_recall(MORE, FEW), "3 fake samples are too few"),
    "few for coverage": (lambda: density_coverage(FEW, MORE), "5 neighbours needs at least 6"),
    "no fakes": (lambda: density_coverage(MORE, MORE[:0]), "0 fake samples"),
    "no neighbours": (lambda: precision_recall(MORE, MORE, 0), "at least 1"),
    "no neighbours to cover": (lambda: density_coverage(MORE, MORE, -1), "at least 1"),
    "sizes": (lambda: precision_recall(MORE, torch.zeros(9, 5)), "real have 4, fake have 5"),
    "sizes to cover": (
        lambda: density_coverage(MORE, torch.zeros(9, 5)),
        "real have 4, fake have 5",
    ),
    "sizes to search": (
        lambda: find_nearest(MORE, torch.zeros(9, 5)),
        "query have 4, reference have 5",
    ),
    "NaN": (lambda: precision_recall(MORE, MORE * torch.nan), "9 of 9 fake samples are NaN"),
    "NaN to cover": (lambda: density_coverage(MORE / 0, MORE), "9 of 9 real samples are NaN"),
    "NaN to search": (lambda: find_nearest(MORE / 0, MORE), "9 of 9 query samples are NaN"),
    "nothing trained on": (lambda: memorisation_of(MORE, MORE[:0], FEW), "0 reference samples"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_errors(wrong):
    refused_in_one_line(*WRONG[wrong])


@pytest.mark.parametrize(("samples", "held_out"), [(100, 100), (2_000, 100), (300, 2_000)])
def test_copies_by_chance(samples: int, held_out: int):
    """Of many sets that copy nothing 1 in 40 has more, but for what ties and this many sets allow:
    three standard deviations of a binomial share, sqrt(p (1 - p) / 4,000).
    """
    random = torch.Generator().manual_seed(0)
    limit = copies_by_chance(samples, held_out)
    near = torch.rand(4_000, held_out, generator=random).quantile(0.01, dim=1, keepdim=True)
    shares = (torch.rand(4_000, samples, generator=random) <= near).double().mean(1)
    above = (shares > limit).double().mean().item()
    assert above <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / 4_000)
    assert (shares >= limit).double().mean().item() >= 0.02
    assert 0.01 < limit < 0.08

"""Are samples near real pictures, are real pictures near samples, and are samples copies? Nearest
neighbours in feature space.

- Precision and recall: Kynkaanniemi et al. 2019, "Improved Precision and Recall Metric for
  Assessing Generative Models", arXiv 1904.06991.
- Density and coverage: Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative
  Models", arXiv 2002.09797.

Distances are Euclidean, in float64, and exact up to its rounding: equal rows are at distance 0, and
near ones are measured by their difference. All pairs are looked at in blocks, so memory grows with
the samples and not with their square.

A set's **manifold** is a union of balls, one around each sample, that reaches to its k-th nearest
neighbour among the others. Balls are closed, as in Kynkaanniemi et al., eq. 1: a copy of a real
picture lies in the manifold even if that picture is k times in the data. (The code that came with
Naeem et al. has open balls; the two differ only where distances are equal.)
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.metrics.distances import check_features, check_sizes

BLOCK = 2**22  # pairs that are looked at together: 32 MiB of float64
# below this share of the squared norms, a difference of products has lost too many digits
CANCELLED = 1e-5
TIE = 1 + 1e-8  # squared distances that differ by rounding alone count as equal


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1: of the fakes in the real manifold (quality), of the reals in the fake
    manifold (variety).
    """

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Density, 0 or more, about 1 for samples of the data's distribution; coverage, a share from 0
    to 1.
    """

    density: float
    coverage: float


class Memorisation(NamedTuple):
    """Distances to the nearest training picture.

    Attributes:
        fake: median over the samples.
        held_out: median over held-out real pictures.
        ratio: fake / held_out. About 1: samples are as far from the training pictures as new real
            pictures are; far below 1: copies. Above 1: samples are unlike real pictures, which says
            nothing of copying.
        close: share of the samples that are no farther than the nearest 1 % of the held-out
            pictures. About 0.01 without copying; more, if a part of the samples are copies, which a
            median does not see.
    """

    fake: float
    held_out: float
    ratio: float
    close: float


def precision_recall(real: Tensor, fake: Tensor, neighbours: int = 3) -> PrecisionRecall:
    """Improved precision and recall; Kynkaanniemi et al. 2019, eq. 1 and 2.

    The paper takes 50,000 samples of each set, k = 3; both numbers depend on the counts, so take as
    many of one set as of the other. One far outlier has a wide ball and can lift them; density and
    coverage are less easily moved.

    Args:
        real: (N, F).
        fake: (M, F).
        neighbours: k.

    Raises:
        UserError: fewer than k + 1 samples in a set, NaN or infinite features, features of
            different sizes.
    """
    check_neighbours(neighbours)
    check_sets(neighbours + 1, f"a manifold with {neighbours} neighbours", real=real, fake=fake)
    of_real, of_fake = radii(real, neighbours), radii(fake, neighbours)
    precise, recalled = (
        torch.zeros_like(radius, dtype=torch.bool) for radius in (of_fake, of_real)
    )
    for rows, squared in blocks(fake, real):
        precise[rows] = (squared <= of_real).any(1)
        recalled |= (squared <= of_fake[rows, None]).any(0)
    return PrecisionRecall(precise.double().mean().item(), recalled.double().mean().item())


def density_coverage(real: Tensor, fake: Tensor, neighbours: int = 5) -> DensityCoverage:
    """Density and coverage; Naeem et al. 2020, section 3.2.

    Density: in how many balls of the real manifold a fake lies, by k. Coverage: the share of real
    balls that hold a fake. Both use the real manifold only. The paper takes 10,000 samples of each
    set, k = 5. For N real and M fake samples of one distribution the expected density is 1, and the
    expected coverage 1 - (N - 1) ... (N - k) / ((N + M - 1) ... (N + M - k)): with as many of both
    not 1 but about 1 - 2^-k, here 0.969.

    Args:
        real: (N, F).
        fake: (M, F).
        neighbours: k.

    Raises:
        UserError: fewer than k + 1 real samples, no fake, NaN or infinite features, features of
            different sizes.
    """
    check_neighbours(neighbours)
    check_sets(neighbours + 1, f"a manifold with {neighbours} neighbours", real=real)
    check_sets(1, "density", fake=fake)
    check_sizes(real=real, fake=fake)
    of_real = radii(real, neighbours)
    inside, covered = 0, torch.zeros_like(of_real, dtype=torch.bool)
    for _, squared in blocks(fake, real):
        within = squared <= of_real
        inside += int(within.sum())
        covered |= within.any(0)
    return DensityCoverage(inside / (neighbours * len(fake)), covered.double().mean().item())


def nearest(queries: Tensor, references: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """The nearest references of each query.

    Args:
        queries: (N, F).
        references: (M, F).
        count: how many.

    Returns:
        Distances, float64 (N, count), from near to far; and rows of `references`, int64 (N, count).
        Which of several equally near comes first is left open.

    Raises:
        UserError: fewer references than asked for, NaN or infinite features, features of different
            sizes.
    """
    check_neighbours(count)
    check_sets(1, "a search", query=queries)
    check_sets(count, f"a search for {count} neighbours", reference=references)
    check_sizes(query=queries, reference=references)
    # Made beforehand: small tensors kept from block to block scatter the large ones, to 8 GB for
    # 10,000 queries of 60,000.
    distances = torch.empty(len(queries), count, dtype=torch.float64, device=queries.device)
    places = torch.empty(len(queries), count, dtype=torch.int64, device=queries.device)
    for rows, squared in blocks(queries, references):
        distances[rows], places[rows] = squared.topk(count, largest=False)
    return distances.sqrt(), places


def memorisation(fake: Tensor, train: Tensor, held_out: Tensor) -> Memorisation:
    """Are samples nearer to training pictures than real pictures that were not trained on? After
    Meehan et al. 2020.

    They compare the two sets of distances by a rank test ("A Non-Parametric Test to Detect
    Data-Copying in Generative Models", arXiv 2004.05675); we tell medians and the near end, which
    have a meaning of their own.

    Args:
        fake: (N, F).
        train: (M, F), all that was trained on.
        held_out: (K, F), of the same source and never trained on; 100 or more for a 1st percentile
            worth its name.

    Raises:
        UserError: an empty set, NaN or infinite features, features of different sizes, or held-out
            pictures half of which are training pictures.
    """
    return compare_distances(nearest(fake, train)[0], nearest(held_out, train)[0])


def compare_distances(of_fake: Tensor, of_held_out: Tensor) -> Memorisation:
    """As `memorisation`, from distances to the nearest training pictures, float64 (N, ...) and (K,
    ...).

    Raises:
        UserError: half of the held-out pictures are training pictures.
    """
    typical = of_held_out.quantile(0.5).item()
    if typical == 0:
        raise UserError(
            "half of the held-out pictures or more are equal to training pictures: hold out others"
        )
    median, near = of_fake.quantile(0.5).item(), of_held_out.quantile(0.01)
    return Memorisation(median, typical, median / typical, (of_fake <= near).double().mean().item())


def check_neighbours(count: int) -> None:
    """Refuse to look for no neighbour."""
    if count < 1:
        raise UserError(f"{count} neighbours: at least 1 is needed")


def check_sets(at_least: int, why: str, **sets: Tensor) -> None:
    """Refuse sets of features that are too small, broken, or of different sizes."""
    for name, features in sets.items():
        check_features(features, name, at_least, why)
    check_sizes(**sets)


def radii(features: Tensor, neighbours: int) -> Tensor:
    """Squared radii of the manifold's balls, float64 (N,), widened by rounding so that the balls
    are closed.
    """
    found = torch.empty(len(features), dtype=torch.float64, device=features.device)
    for rows, squared in blocks(features, features):
        # Each row is the nearest to itself, at distance 0, so the k-th neighbour is the (k + 1)-th
        # smallest of its row.
        found[rows] = squared.kthvalue(neighbours + 1, 1).values
    return found * TIE


def blocks(queries: Tensor, references: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """All squared distances of (N, F) to (M, F), as rows, int64 (n,), and their distances, float64
    (n, M).
    """
    # Equal rows are measured once: a collapsed generator makes thousands, and each of their pairs
    # would be measured anew.
    centre = references.double().mean(0)
    distinct, position = (references.double() - centre).unique(dim=0, return_inverse=True)
    for rows in torch.arange(len(queries), device=queries.device).split(
        max(1, BLOCK // len(references))
    ):
        some, place = (queries[rows].double() - centre).unique(dim=0, return_inverse=True)
        yield rows, squared_distances(some, distinct)[place][:, position]


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a - b|^2 of (n, F) and (m, F), as (n, m): from products, and where those cancel from
    differences.
    """
    norms = a.square().sum(1, keepdim=True) + b.square().sum(1)
    squared = norms - 2 * a @ b.T
    for pairs in (squared <= CANCELLED * norms).nonzero().split(max(1, BLOCK // a.shape[1])):
        row, column = pairs.T
        squared[row, column] = (a[row] - b[column]).square().sum(1)
    return squared

"""Distances between two sets of features (FID, KID), and a score of logits (IS).

- Frechet distance (FID): Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge
  to a Local Nash Equilibrium", arXiv 1706.08500.
- Kernel distance (KID): Binkowski et al. 2018, "Demystifying MMD GANs", arXiv 1801.01401.
- Inception score (IS): Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv
  1606.03498.

All sums are taken in float64, on the device of the features. A number compares only with numbers of
the same extractor, the same counts of samples and the same protocol; the names FID, KID and IS are
meant for the features of the papers' Inception network.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.io.console import count_noun

__all__ = [
    "CHUNK",
    "KernelDistance",
    "Moments",
    "check_features",
    "check_sizes",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "moments",
]

CHUNK = 1024  # rows computed at a time; bounds the memory, changes results by rounding alone


def check_features(features: Tensor, name: str, at_least: int, why: str) -> None:
    """Refuse what is not a matrix of finite features with enough rows.

    Args:
        features: (N, F).
        name: whose they are, such as "real".
        at_least: smallest N.
        why: what needs so many.

    Raises:
        UserError: another shape, fewer rows, NaN or infinite values.
    """
    if features.ndim != 2 or not features.shape[1]:
        shape = tuple(features.shape)
        raise UserError(
            f"{name} features have the shape {shape}; give a matrix (samples, features)"
        )
    if len(features) < at_least:
        few = count_noun(len(features), f"{name} sample is", f"{name} samples are")
        raise UserError(f"{few} too few: {why} needs at least {at_least}; give more")

    broken = len(features) - int(features.isfinite().all(1).sum())
    if broken:
        raise UserError(
            f"the features of {broken} of {len(features)} {name} samples are NaN or infinite: "
            "mend what made them"
        )


def check_sizes(**sets: Tensor) -> None:
    """Refuse sets of features whose last axes differ; the keywords are their names in messages."""
    if len({features.shape[-1] for features in sets.values()}) > 1:
        sizes = ", ".join(f"{name} have {features.shape[-1]}" for name, features in sets.items())
        raise UserError(f"features differ in size ({sizes}): take all with the same extractor")


@dataclass(frozen=True, eq=False)
class Moments:
    """All that the Frechet distance needs of a set.

    Attributes:
        mean: float64 (F,).
        covariance: float64 (F, F), divided by count - 1.
        count: samples.
    """

    mean: Tensor
    covariance: Tensor
    count: int


def moments(features: Tensor, name: str = "given") -> Moments:
    """Mean and covariance of (N, F), in float64.

    In two passes: first the mean, then products of differences from it. So an offset common to all
    samples costs no digits, and the size of the chunks changes the result by rounding alone.

    Raises:
        UserError: fewer than 2 samples, NaN or infinite features.
    """
    check_features(features, name, 2, "a covariance")
    mean = _sum_in_chunks(features, lambda part: part.sum(0)) / len(features)  # (F,)
    products = _sum_in_chunks(features, lambda part: (part - mean).T @ (part - mean))  # (F, F)
    return Moments(mean, products / (len(features) - 1), len(features))


def _sum_in_chunks(features: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """The sum of function(part) over parts of (N, F), each float64 (CHUNK, F)."""
    total = torch.zeros((), dtype=torch.float64, device=features.device)  # () broadcasts to any sum
    for part in features.split(CHUNK):
        total = total + function(part.double())
    return total


def frechet_distance(real: Moments | Tensor, fake: Moments | Tensor) -> float:
    """Squared Wasserstein-2 distance of two sets, as Gaussians; Heusel et al. 2017, eq. 6.

        |mean_r - mean_f|^2 + tr S_r + tr S_f - 2 tr (S_r S_f)^(1/2)

    Instead of a root of the product, which is not symmetric and turns complex by rounding, take any
    factors S_r = A^T A and S_f = B^T B. The eigenvalues of S_r S_f are the squared singular values
    of A B^T, so the last trace is their sum. That is real, and stays exact for singular
    covariances. The whole is |mean_r - mean_f|^2 + min |A - U B|^2 over rotations U, so only
    rounding could make it negative.

    The distance of finite sets is biased upwards by about 1/N; the papers use 50,000 fakes (older
    ones 10,000).

    Args:
        real: (N, F), or their moments.
        fake: (M, F), or their moments.

    Returns:
        The distance, 0 or more, in squared units of the features.

    Raises:
        UserError: fewer than 2 samples, NaN or infinite features, features of different sizes.
    """
    mean_real, factor_real = _factor_covariance(real, "real")  # (F,), (R, F)
    mean_fake, factor_fake = _factor_covariance(fake, "fake")
    check_sizes(real=mean_real, fake=mean_fake)

    # tr (S_r S_f)^(1/2), by singular values
    shared = torch.linalg.svdvals(factor_real @ factor_fake.T).sum()
    # The squares of a factor add up to the trace. Of like sets the sum nearly cancels: float64.
    spread = factor_real.square().sum() + factor_fake.square().sum() - 2 * shared
    return max(0.0, ((mean_real - mean_fake).square().sum() + spread).item())


def _factor_covariance(samples: Moments | Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Mean (F,), and a factor A (R, F) of the covariance A^T A."""
    # With fewer samples than features, the centred samples themselves are the smaller factor.
    if isinstance(samples, Tensor) and len(samples) < samples.shape[-1]:
        check_features(samples, name, 2, "a covariance")
        mean = samples.double().mean(0)
        return mean, (samples.double() - mean) / math.sqrt(len(samples) - 1)

    known = moments(samples, name) if isinstance(samples, Tensor) else samples
    values, vectors = torch.linalg.eigh(known.covariance)  # (F,) ascending, (F, F)
    # Eigenvalues below this are rounding of 0. Their roots would not be small: sqrt(1e-16) is 1e-8,
    # in every empty direction.
    kept = values > values.amax() * len(values) * torch.finfo(torch.float64).eps
    return known.mean, values[kept].sqrt().unsqueeze(1) * vectors[:, kept].T  # (F,), (R, F)


class KernelDistance(NamedTuple):
    """An estimate of the squared maximum mean discrepancy.

    Attributes:
        value: unbiased, so a little below 0 at times if the sets are alike.
        standard_error: of the mean over subsets, as an estimate of the mean over all subsets of
            these samples: the standard deviation over the subsets drawn (with n - 1), by the root
            of their number. More subsets make it smaller. Other samples or another training differ
            by more than this; and papers and torchmetrics print the standard deviation itself. None
            if no subsets were drawn.
    """

    value: float
    standard_error: float | None


def kernel_distance(
    real: Tensor, fake: Tensor, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> KernelDistance:
    """Squared maximum mean discrepancy under the kernel (x . y / F + 1)^3.

    Binkowski et al. 2018, section 4 and eq. 4. The mean of unbiased estimates over subsets, each
    drawn without replacement. 100 subsets of 1000 real and 1000 fake samples are what torchmetrics
    and torch-fidelity take (the authors' code: 50 of 1000). If one set has no more than
    `subset_size` samples, every subset would be that whole set; then one estimate from all samples
    of both sets is taken instead, which has the same expectation and a smaller variance.

    Args:
        real: (N, F).
        fake: (M, F).
        subsets: how many are drawn.
        subset_size: samples of each set in a subset.
        seed: of the drawing.

    Raises:
        UserError: fewer than 2 samples or subsets or samples in one, NaN or infinite features,
            features of different sizes.
    """
    for name, features in (("real", real), ("fake", fake)):
        check_features(features, name, 2, "the kernel distance")
    check_sizes(real=real, fake=fake)
    if subsets < 2 or subset_size < 2:
        raise UserError(f"{subsets} subsets of {subset_size} samples: at least 2 of 2 are needed")

    if min(len(real), len(fake)) <= subset_size:
        return KernelDistance(_discrepancy(real, fake), None)

    # Real rows are drawn before fake ones, so a seed means one choice.
    random = torch.Generator().manual_seed(seed)
    values = []
    for _ in range(subsets):
        parts = [  # (subset_size, F) each
            features[torch.randperm(len(features), generator=random)[:subset_size]]
            for features in (real, fake)
        ]
        values.append(_discrepancy(*parts))

    drawn = torch.tensor(values, dtype=torch.float64)  # (subsets,)
    return KernelDistance(drawn.mean().item(), (drawn.std() / math.sqrt(subsets)).item())


def _discrepancy(real: Tensor, fake: Tensor) -> float:
    """The unbiased estimate from all pairs of (N, F) and (M, F); Gretton et al. 2012, eq. 3."""

    def total(a: Tensor, b: Tensor) -> Tensor:
        """Sum of the kernel over all pairs."""
        # In float64: of like sets the three means below nearly cancel.
        b = b.double()
        return _sum_in_chunks(a, lambda part: (part @ b.T / b.shape[1] + 1).pow(3).sum())

    def among_others(a: Tensor) -> Tensor:
        """Mean of the kernel over pairs of two different rows; equal pairs would add a bias."""
        own = (a.double().square().sum(1) / a.shape[1] + 1).pow(3).sum()  # k(x, x)
        return (total(a, a) - own) / (len(a) * (len(a) - 1))

    across = total(real, fake) / (len(real) * len(fake))
    return (among_others(real) + among_others(fake) - 2 * across).item()


def inception_score(logits: Tensor, splits: int = 10, seed: int | None = 0) -> float:
    """exp of the mean KL(p(class | image) || p(class)); Salimans et al. 2016, section 4.

    The mean over splits; p(class) is the mean over the split. The score lies between 1 and the
    number of classes, and grows with the size of a split; the paper's protocol is 50,000 samples in
    10 splits. The paper's code splits samples in their order; samples generated class by class
    would then look alike within a split. So they are shuffled first.

    Args:
        logits: (N, classes), before the softmax.
        splits: parts of equal size, up to one sample.
        seed: of the shuffle; None keeps the order, as the paper's code.

    Raises:
        UserError: fewer samples than splits, NaN or infinite logits.
    """
    if splits < 1:
        raise UserError(f"{splits} splits: at least 1 is needed")
    check_features(logits, "classified", splits, f"a score over {splits} splits")

    count = len(logits)
    if seed is not None:
        logits = logits[torch.randperm(count, generator=torch.Generator().manual_seed(seed))]

    scores = []
    for split in range(splits):
        part = logits[split * count // splits : (split + 1) * count // splits]
        log_p = part.double().log_softmax(1)  # (n, classes)
        # not the log of a mean, which may round to 0
        log_mean = log_p.logsumexp(0) - math.log(len(log_p))  # (classes,), log p(class)
        scores.append((log_p.exp() * (log_p - log_mean)).sum(1).mean().exp())

    return torch.stack(scores).mean().item()

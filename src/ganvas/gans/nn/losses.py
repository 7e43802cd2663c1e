"""Adversarial losses and gradient penalties: pure functions of scores.

A score is the discriminator's raw output, of any shape, higher for more real. Every function
returns a scalar to minimise. Losses come in pairs `<name>_d(real, fake)` and `<name>_g(fake)`.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

__all__ = [
    "cross_entropy",
    "gradient_penalty",
    "hinge_d",
    "hinge_g",
    "in_float32",
    "least_squares_d",
    "least_squares_g",
    "matching_d",
    "minimax_g",
    "non_saturating_d",
    "non_saturating_g",
    "relativistic",
    "squared_gradient",
    "wasserstein_d",
    "wasserstein_g",
]

Scores = ParamSpec("Scores")


def in_float32(loss: Callable[Scores, Tensor]) -> Callable[Scores, Tensor]:
    """Compute a loss of half-precision scores in float32.

    Half precision has three digits, too few for a mean or a logarithm.
    """

    def to_float(value: object) -> object:
        if isinstance(value, Tensor) and value.dtype in (torch.bfloat16, torch.float16):
            return value.float()
        return value  # float64 stays as it is

    @wraps(loss)
    def loss_in_float32(*values: Scores.args, **options: Scores.kwargs) -> Tensor:
        return loss(*map(to_float, values), **options)  # pyright: ignore[reportCallIssue]

    return loss_in_float32


@in_float32
def non_saturating_d(real: Tensor, fake: Tensor, real_target: float = 1.0) -> Tensor:
    """-mean log D(x) - mean log(1 - D(G(z))) with D = sigmoid(score).

    Goodfellow et al. 2014, eq. 1.

    -V(D, G) of the minimax game too: both games train D alike.

    Args:
        real: scores of real images.
        fake: scores of generated images.
        real_target: probability towards which real images are trained. 0.9 is one-sided label
            smoothing (Salimans et al. 2016, section 3.4).
    """
    return cross_entropy(real, real_target) + softplus(fake).mean()  # -log(1 - D) = softplus


@in_float32
def non_saturating_g(fake: Tensor) -> Tensor:
    """-mean log D(G(z)); Goodfellow et al. 2014, section 3."""
    return softplus(-fake).mean()  # -log sigmoid(s) = softplus(-s)


@in_float32
def cross_entropy(scores: Tensor, target: float) -> Tensor:
    """Mean cross-entropy of sigmoid(scores) with the probability `target`; always finite."""
    # -t log sigmoid(s) - (1 - t) log(1 - sigmoid(s)) = softplus(s) - t s
    return softplus(scores).mean() - target * scores.mean()


def matching_d(right: Tensor, wrong: Tensor, fake: Tensor) -> Tensor:  # its terms are in float32
    """-mean log D(x, t) - 1/2 mean log(1 - D(x, t')) - 1/2 mean log(1 - D(G(z, t), t)).

    Reed et al. 2016, "Generative Adversarial Text to Image Synthesis", algorithm 1.

    Args:
        right: scores of real images with their own texts.
        wrong: scores of the same images with the texts t' of others.
        fake: scores of generated images with the texts that they were generated from.
    """
    return (
        cross_entropy(right, 1.0) + 0.5 * cross_entropy(wrong, 0.0) + 0.5 * cross_entropy(fake, 0.0)
    )


@in_float32
def minimax_g(fake: Tensor) -> Tensor:
    """mean log(1 - D(G(z))), the generator's part of V(D, G); Goodfellow et al. 2014, eq. 1.

    Its gradient vanishes where D is sure of a fake.
    """
    return -softplus(fake).mean()


@in_float32
def least_squares_d(real: Tensor, fake: Tensor) -> Tensor:
    """Half the mean squared distances of real scores from 1 and of fake ones from 0.

    Mao et al. 2017, eq. 2 and 9.
    """
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


@in_float32
def least_squares_g(fake: Tensor) -> Tensor:
    """Half the mean squared distance of fake scores from 1; Mao et al. 2017, eq. 9."""
    return 0.5 * (fake - 1).square().mean()


@in_float32
def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """mean max(0, 1 - real) + mean max(0, 1 + fake).

    Lim and Ye 2017; Miyato et al. 2018, eq. 16.
    """
    return relu(1 - real).mean() + relu(1 + fake).mean()


@in_float32
def hinge_g(fake: Tensor) -> Tensor:
    """-mean fake; Miyato et al. 2018, eq. 17."""
    return -fake.mean()


@in_float32
def wasserstein_d(real: Tensor, fake: Tensor) -> Tensor:
    """mean fake - mean real; Arjovsky et al. 2017.

    It needs a Lipschitz bound: add `gradient_penalty`.
    """
    return fake.mean() - real.mean()


@in_float32
def wasserstein_g(fake: Tensor) -> Tensor:
    """-mean fake; Arjovsky et al. 2017."""
    return -fake.mean()


@in_float32
def relativistic(winner: Tensor, loser: Tensor) -> Tensor:
    """mean -log sigmoid(winner - loser); Jolicoeur-Martineau 2018.

    The winner should score higher than its partner.
    D minimises `relativistic(real, fake)`, G minimises `relativistic(fake, real)`.
    """
    return softplus(loser - winner).mean()


def squared_gradient(scores: Tensor, images: Tensor) -> Tensor:
    """Squared norm of the gradient of each image's score with respect to its pixels, (N,).

    Its mean times gamma / 2 is the penalty R1 on real images and R2 on generated ones; Mescheder et
    al. 2018, eq. 9.

    Args:
        scores: (N, ...), computed from `images`; row i may depend on image i alone (no batch norm).
        images: (N, ...) that require a gradient.
    """
    return _pixel_gradient(scores, images).square().sum(1)


def _pixel_gradient(scores: Tensor, images: Tensor) -> Tensor:
    """Gradient of each image's score with respect to its pixels, (N, C * H * W), differentiable."""
    # The sum is enough: each score depends on its own image alone.
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.flatten(1)


def gradient_penalty(
    score: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor
) -> Tensor:
    """mean (|gradient of the score| - 1)² at random points between real and fake.

    Gulrajani et al. 2017, eq. 3.

    Args:
        score: the discriminator, (N, ...) to (N, ...).
        real: (N, ...).
        fake: (N, ...), detached here.
        share: (N,) in [0, 1]: how far each point lies towards `real`.
    """
    share = share.reshape(-1, *[1] * (real.ndim - 1))  # (N, 1, 1, 1) for images
    # A leaf, since both ends are detached: the penalty trains the discriminator alone.
    # Under autocast a generator's images are bf16 and the real ones are not.
    between = torch.lerp(fake.detach().to(real.dtype), real.detach(), share).requires_grad_()
    # `norm` has the gradient 0 at 0; a square root would give NaN there.
    return (_pixel_gradient(score(between), between).norm(dim=1) - 1).square().mean()

"""Losses: values computed by hand, directions, invariances, derivatives, and scores that would
overflow a naive formula.
"""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ganvas.gans.nn import losses

REAL = torch.tensor([1.0, -2.0], dtype=torch.float64)
FAKE = torch.tensor([0.5, 3.0], dtype=torch.float64)

# Written out for the scores above, with log D(x) = -log(1 + exp(-score)).
log_d = [-math.log(1 + math.exp(-1.0)), -math.log(1 + math.exp(2.0))]
log_one_minus_d = [-math.log(1 + math.exp(0.5)), -math.log(1 + math.exp(3.0))]
VALUE = sum(log_d) / 2 + sum(log_one_minus_d) / 2

DISCRIMINATOR = {
    losses.non_saturating_d: -VALUE,
    losses.least_squares_d: 0.5 * ((0 + 9) / 2 + (0.25 + 9) / 2),
    losses.hinge_d: (0 + 3) / 2 + (1.5 + 4) / 2,
    losses.wasserstein_d: 3.5 / 2 - -1 / 2,
    losses.relativistic: (math.log(1 + math.exp(-0.5)) + math.log(1 + math.exp(5.0))) / 2,
}
GENERATOR = {
    losses.non_saturating_g: (math.log(1 + math.exp(-0.5)) + math.log(1 + math.exp(-3.0))) / 2,
    losses.minimax_g: sum(log_one_minus_d) / 2,
    losses.least_squares_g: 0.5 * (0.25 + 4) / 2,
    losses.hinge_g: -1.75,
    losses.wasserstein_g: -1.75,
}


def named(function) -> str:
    return function.__name__


def leaves(*values: torch.Tensor) -> list[torch.Tensor]:
    return [value.clone().requires_grad_() for value in values]


@pytest.mark.parametrize("loss", DISCRIMINATOR, ids=named)
def test_discriminator_values(loss):
    assert loss(REAL, FAKE).item() == pytest.approx(DISCRIMINATOR[loss], rel=1e-12)


@pytest.mark.parametrize("loss", GENERATOR, ids=named)
def test_generator_values(loss):
    assert loss(FAKE).item() == pytest.approx(GENERATOR[loss], rel=1e-12)


@pytest.mark.parametrize("loss", DISCRIMINATOR, ids=named)
def test_discriminator_raises_real_and_lowers_fake(loss):
    real, fake = leaves(torch.tensor([0.3, -0.4]), torch.tensor([0.1, 0.4]))
    loss(real, fake).backward()
    assert (real.grad < 0).all()
    assert (fake.grad > 0).all()


@pytest.mark.parametrize("loss", GENERATOR, ids=named)
def test_generator_raises_fake(loss):
    (fake,) = leaves(torch.tensor([0.1, -0.2]))
    loss(fake).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("loss", DISCRIMINATOR, ids=named)
def test_only_differences_count_for_wasserstein_and_relativistic(loss):
    moved = loss(REAL + 0.7, FAKE + 0.7).item() - loss(REAL, FAKE).item()
    if loss in (losses.wasserstein_d, losses.relativistic):
        assert abs(moved) < 1e-12
    else:
        assert abs(moved) > 1e-3


@pytest.mark.parametrize("loss", DISCRIMINATOR, ids=named)
def test_only_relativistic_pairs_real_with_fake(loss):
    moved = loss(REAL, FAKE.flip(0)).item() - loss(REAL, FAKE).item()
    if loss is losses.relativistic:
        assert abs(moved) > 1e-3
    else:
        assert abs(moved) < 1e-12


def test_any_shape_of_scores():
    patches = REAL.reshape(1, 1, 1, 2), FAKE.reshape(1, 1, 1, 2)
    for loss in DISCRIMINATOR:
        assert loss(*patches) == loss(REAL, FAKE)


def test_minimax_is_the_zero_sum_game():
    real, fake = leaves(REAL, FAKE)
    (of_discriminator,) = torch.autograd.grad(losses.non_saturating_d(real, fake), fake)
    (of_generator,) = torch.autograd.grad(losses.minimax_g(fake), fake)
    assert torch.allclose(of_discriminator, -of_generator, rtol=1e-12)


def test_a_sure_discriminator_starves_only_the_minimax_generator():
    (fake,) = leaves(torch.tensor([-20.0]))
    (minimax,) = torch.autograd.grad(losses.minimax_g(fake), fake)
    (non_saturating,) = torch.autograd.grad(losses.non_saturating_g(fake), fake)
    assert minimax.item() == pytest.approx(-math.exp(-20), rel=1e-4)
    assert non_saturating.item() == pytest.approx(-1, rel=1e-4)


def test_hinge_leaves_scores_beyond_the_margin_alone():
    real, fake = leaves(torch.tensor([1.5]), torch.tensor([-1.5]))
    losses.hinge_d(real, fake).backward()
    assert real.grad == 0
    assert fake.grad == 0


def test_relativistic_sides_differ_by_the_mean_difference():
    difference = losses.relativistic(REAL, FAKE) - losses.relativistic(FAKE, REAL)
    assert difference.item() == pytest.approx((FAKE - REAL).mean().item(), rel=1e-12)


@pytest.mark.parametrize("target", [0.0, 0.9, 1.0])
def test_towards_is_cross_entropy(target):
    expected = binary_cross_entropy_with_logits(REAL, torch.full_like(REAL, target))
    assert losses.cross_entropy(REAL, target).item() == pytest.approx(expected.item(), rel=1e-12)


def test_smoothing_is_one_sided():
    real, fake = torch.full_like(REAL, 0.9), torch.zeros_like(FAKE)
    expected = binary_cross_entropy_with_logits(REAL, real) + binary_cross_entropy_with_logits(
        FAKE, fake
    )
    assert losses.non_saturating_d(REAL, FAKE, real_target=0.9).item() == pytest.approx(
        expected.item(), rel=1e-12
    )


@pytest.mark.parametrize("loss", [*DISCRIMINATOR, *GENERATOR], ids=named)
def test_derivatives(loss):
    scores = leaves(REAL, FAKE) if loss in DISCRIMINATOR else leaves(FAKE)
    if loss is losses.hinge_d:  # away from its kink, which the real score 1 sits on
        scores = leaves(REAL + 0.1, FAKE)
    assert torch.autograd.gradcheck(loss, scores)


@pytest.mark.parametrize("real", [-1e4, 1e4])
@pytest.mark.parametrize("fake", [-1e4, 1e4])
def test_huge_scores_stay_finite(real, fake):
    for loss in [*DISCRIMINATOR, *GENERATOR]:
        given = (
            [torch.tensor([real]), torch.tensor([fake])]
            if loss in DISCRIMINATOR
            else [torch.tensor([fake])]
        )
        scores = leaves(*given)
        value = loss(*scores)
        value.backward()
        assert value.isfinite(), loss
        assert all(score.grad.isfinite().all() for score in scores), loss


def test_huge_scores_keep_their_gradient():
    (fake,) = leaves(torch.tensor([-1e4]))
    losses.non_saturating_g(fake).backward()
    assert fake.grad == -1


def test_squared_gradient_of_a_linear_score():
    weight = torch.tensor([1.0, 2.0, -2.0])
    (images,) = leaves(torch.zeros(4, 3))
    squared = losses.squared_gradient(images @ weight, images)
    assert squared.tolist() == [9, 9, 9, 9]


def test_squared_gradient_is_each_image_alone():
    (images,) = leaves(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    squared = losses.squared_gradient(0.5 * images.square().sum(1), images)
    assert squared.tolist() == [5, 25]
    (again,) = torch.autograd.grad(squared.sum(), images)
    assert torch.equal(again, 2 * images)


def test_squared_gradient_reaches_the_weights():
    weight, images = leaves(torch.tensor([3.0, 4.0]), torch.ones(2, 2))
    losses.squared_gradient(images @ weight, images).mean().backward()
    assert weight.grad.tolist() == [6, 8]


def test_squared_gradient_derivatives():
    torch.manual_seed(0)
    images, weight = leaves(
        torch.randn(3, 2, 2, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    )

    def squared(images, weight):
        return losses.squared_gradient(torch.tanh(images.flatten(1) @ weight), images)

    assert torch.autograd.gradcheck(squared, [images, weight])


def test_gradient_penalty_of_a_linear_score():
    weight = torch.tensor([3.0, 4.0])
    real, fake = torch.ones(2, 2), torch.zeros(2, 2)
    for scale, expected in ((1.0, 16.0), (0.2, 0.0), (0.1, 0.25)):
        penalty = losses.gradient_penalty(
            lambda x, by=scale: x @ (weight * by), real, fake, torch.rand(2)
        )
        assert penalty.item() == pytest.approx(expected, abs=1e-6)


def test_gradient_penalty_is_taken_between_real_and_fake():
    """Half the squared norm has the point itself as its gradient, so the penalty shows where it was
    taken.
    """
    real, fake = torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)
    for share in (0.2, 0.6, 1.0):
        penalty = losses.gradient_penalty(
            lambda x: 0.5 * x.square().sum(1), real, fake, torch.tensor([share])
        )
        assert penalty.item() == pytest.approx((5 * share - 1) ** 2, abs=1e-5)


def test_gradient_penalty_moves_the_score_alone():
    weight, real, fake = leaves(torch.tensor([3.0, 4.0]), torch.ones(2, 2), torch.zeros(2, 2))
    losses.gradient_penalty(lambda x: x @ weight, real, fake, torch.rand(2)).backward()
    assert torch.allclose(weight.grad, 2 * (5 - 1) * weight / 5)
    assert real.grad is None
    assert fake.grad is None


def test_gradient_penalty_where_the_score_is_flat():
    """A dead discriminator has no gradient; the penalty is 1 and must keep its weights finite."""
    (weight,) = leaves(torch.ones(2))
    real, fake = torch.ones(3, 2), torch.zeros(3, 2)
    penalty = losses.gradient_penalty(
        lambda x: torch.relu(x * weight - 100).sum(1), real, fake, torch.rand(3)
    )
    penalty.backward()
    assert penalty == 1
    assert weight.grad.isfinite().all()

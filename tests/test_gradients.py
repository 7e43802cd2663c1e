"""Gradients averaged in buckets while `backward` goes on; by real processes in test_processes.py."""

import copy

import pytest
import torch
from torch import Tensor, nn

from ganvas.gradients import Averaging, fill

LAYER = 4 * (8 * 8 + 8)  # bytes of one layer's parameters


class Done:
    """A sum that is there at once."""

    def wait(self) -> None:
        pass


def layers(count: int = 3) -> nn.Sequential:
    """Linear layers of 8 units, in the order in which they are called."""
    torch.manual_seed(0)
    return nn.Sequential(*[nn.Linear(8, 8) for _ in range(count)])


def loss_of(network: nn.Module) -> Tensor:
    return network(torch.randn(5, 8, generator=torch.Generator().manual_seed(1))).square().mean()


def averaged(network: nn.Module, loss: Tensor, capacity: int, start_sum) -> None:
    """Backward as a round does it, in one of two processes."""
    parameters = list(network.parameters())
    with Averaging(parameters, capacity, 2, start_sum):
        loss.backward(inputs=parameters)


def of_twin(flat: Tensor) -> Done:
    """The sum over two processes that have the same gradients."""
    flat *= 2
    return Done()


def gradients(network: nn.Module) -> list[Tensor | None]:
    return [parameter.grad for parameter in network.parameters()]


def hooks(network: nn.Module) -> list[int]:
    """How many hooks each parameter has."""
    return [len(parameter._post_accumulate_grad_hooks or {}) for parameter in network.parameters()]


def test_buckets_begin_with_the_last_layer_and_keep_to_their_size():
    parameters = list(layers().parameters())
    numbers = {parameter: number for number, parameter in enumerate(parameters)}

    def filled(capacity: int) -> list[list[int]]:
        return [[numbers[parameter] for parameter in bucket] for bucket in fill(parameters, capacity)]

    assert filled(LAYER) == [[5, 4], [3, 2], [1, 0]]
    assert filled(2 * LAYER) == [[5, 4, 3, 2], [1, 0]]
    assert filled(2 * LAYER - 4) == [[5, 4, 3], [2, 1, 0]]
    assert filled(3 * LAYER) == [[5, 4, 3, 2, 1, 0]]
    assert filled(1) == [[5], [4], [3], [2], [1], [0]]
    assert fill([], LAYER) == []


@pytest.mark.parametrize("capacity", [1, LAYER, 2 * LAYER - 4, 100 * LAYER])
def test_gradients_are_the_mean(capacity: int):
    one, two = layers(), layers()
    loss_of(one).backward()
    averaged(two, loss_of(two), capacity, of_twin)
    for expected, found in zip(gradients(one), gradients(two)):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)  # doubled and halved: not a bit is lost


def test_buckets_are_sent_before_backward_has_reached_the_first_layer():
    network, events = layers(), []
    network[0].weight.register_post_accumulate_grad_hook(lambda _: events.append("first layer"))

    def start_sum(flat: Tensor) -> Done:
        events.append("sent")
        return Done()

    averaged(network, loss_of(network), LAYER, start_sum)
    assert events == ["sent", "sent", "first layer", "sent"]
    events.clear()
    averaged(network, loss_of(network), 3 * LAYER, start_sum)
    assert events == ["first layer", "sent"]  # small enough to go at once


def test_buckets_are_waited_for_once_all_are_sent():
    events = []

    class Noted(Done):
        def wait(self) -> None:
            events.append("waited")

    def start_sum(flat: Tensor) -> Noted:
        events.append("sent")
        return Noted()

    network = layers()
    averaged(network, loss_of(network), LAYER, start_sum)
    assert events == ["sent"] * 3 + ["waited"] * 3


@pytest.mark.parametrize("called", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_order_of_sending_does_not_depend_on_that_of_gradients(called: tuple[int, ...]):
    """Processes whose gradients come in different orders must still sum the same buckets."""
    network, sent = layers(), []

    def start_sum(flat: Tensor) -> Done:
        sent.append(flat.clone())
        return of_twin(flat)

    averaged(network, loss_of(nn.Sequential(*[network[number] for number in called])), LAYER, start_sum)
    assert len(sent) == 3
    for found, layer in zip(sent, reversed(network)):
        torch.testing.assert_close(found, torch.cat([layer.bias.grad, layer.weight.grad.flatten()]), rtol=0, atol=0)


@pytest.mark.parametrize("capacity", [1, LAYER, 100 * LAYER])
def test_parameters_without_a_gradient_stay_so(capacity: int):
    network = layers()
    averaged(network, loss_of(network[1]), capacity, of_twin)
    assert [gradient is None for gradient in gradients(network)] == [True, True, False, False, True, True]
    expected = layers()
    loss_of(expected[1]).backward()
    torch.testing.assert_close(network[1].weight.grad, expected[1].weight.grad, rtol=0, atol=0)


def test_several_forward_passes_and_double_backward():
    """A layer called twice is sent once, with both passes' gradients; a penalty's inner gradient sends nothing."""

    def loss(network: nn.Module) -> Tensor:
        images = torch.ones(5, 8, requires_grad=True)
        scores = network(network(images)).sigmoid().sum(1)
        (slope,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
        return scores.mean() + slope.square().sum(1).mean()

    one, two, sent = layers(), layers(), []

    def start_sum(flat: Tensor) -> Done:
        sent.append(len(flat))
        return of_twin(flat)

    loss(one).backward()
    averaged(two, loss(two), LAYER, start_sum)
    assert sent == [72, 72, 72]
    for expected, found in zip(gradients(one), gradients(two)):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_no_hook_outlives_backward():
    network = layers()
    averaged(network, loss_of(network), LAYER, of_twin)
    assert hooks(network) == hooks(copy.deepcopy(network)) == [0] * 6


def test_no_hook_and_no_message_after_an_error():
    network, sent = layers(), []

    def start_sum(flat: Tensor) -> Done:
        sent.append(flat)
        return Done()

    def fail(_: Tensor) -> None:
        raise ValueError("on the way back")

    hidden = network[:2](torch.ones(5, 8))
    hidden.register_hook(fail)
    with pytest.raises(ValueError, match="on the way back"):
        averaged(network, network[2](hidden).mean(), LAYER, start_sum)
    assert hooks(network) == [0] * 6
    assert len(sent) == 1  # the last layer's; the others will not come


def test_copies_made_within_have_no_hooks():
    network = layers()
    with Averaging(list(network.parameters()), LAYER, 2, of_twin):
        assert hooks(network) == [1] * 6
        assert hooks(copy.deepcopy(network)) == [0] * 6

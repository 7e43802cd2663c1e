"""Gradients averaged in buckets while `backward` goes on; by real processes in test_processes.py."""

import copy

import pytest
import torch
from torch import Tensor, nn

from ganvas.training.speed.reducer import GradientReducer, fill

LAYER = 4 * (8 * 8 + 8)  # bytes of one layer's parameters


class Twin:
    """Another process, which has the same gradients and is quick; all that happens is noted."""

    world = 2

    def __init__(self):
        self.events: list[str] = []
        self.sent: list[Tensor] = []

    def start_sum(self, values: Tensor) -> "Twin":
        self.events.append("sent")
        self.sent.append(values.clone())
        values *= 2
        return self

    def wait(self) -> None:
        self.events.append("waited")

    def main_order(self, order: list[int]) -> list[int]:
        self.events.append("order")
        return order


def layers(count: int = 3) -> nn.Sequential:
    """Linear layers of 8 units, in the order in which they are called."""
    torch.manual_seed(0)
    return nn.Sequential(*[nn.Linear(8, 8) for _ in range(count)])


def loss_of(network: nn.Module) -> Tensor:
    return network(torch.randn(5, 8, generator=torch.Generator().manual_seed(1))).square().mean()


def gradients(network: nn.Module) -> list[Tensor | None]:
    return [parameter.grad for parameter in network.parameters()]


def hooks(network: nn.Module) -> list[int]:
    """How many hooks each parameter has."""
    return [len(parameter._post_accumulate_grad_hooks or {}) for parameter in network.parameters()]


def averaging(network: nn.Module, capacity: int, others: Twin) -> GradientReducer:
    return GradientReducer(list(network.parameters()), capacity, others)


def turn(averaging: GradientReducer, network: nn.Module, loss: Tensor) -> None:
    """One move of a player, up to its gradients."""
    network.zero_grad()
    with averaging:
        loss.backward(inputs=averaging.parameters)


def learnt(network: nn.Module, capacity: int, others: Twin) -> GradientReducer:
    """An averaging that knows in which order gradients come; nothing is noted yet."""
    known = averaging(network, capacity, others)
    turn(known, network, loss_of(network))
    others.events.clear()
    others.sent.clear()
    return known


def test_buckets_keep_to_the_order_and_their_size():
    parameters = list(layers().parameters())
    numbers = {id(parameter): number for number, parameter in enumerate(parameters)}

    def filled(capacity: int) -> list[list[int]]:
        return [
            [numbers[id(parameter)] for parameter in bucket]
            for bucket in fill(parameters[::-1], capacity)
        ]

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
    both = averaging(two, capacity, Twin())
    for _ in range(3):
        turn(both, two, loss_of(two))
        for expected, found in zip(gradients(one), gradients(two)):
            # doubled and halved: not a bit is lost
            torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_buckets_are_sent_before_backward_has_reached_the_first_layer():
    network, twin = layers(), Twin()
    network[0].weight.register_post_accumulate_grad_hook(
        lambda _: twin.events.append("first layer")
    )
    known = averaging(network, LAYER, twin)
    turn(known, network, loss_of(network))
    assert twin.events == [
        "first layer",
        "order",
        "sent",
        "sent",
        "sent",
        "waited",
        "waited",
        "waited",
    ]
    twin.events.clear()
    turn(known, network, loss_of(network))
    assert twin.events == ["sent", "sent", "first layer", "sent", "waited", "waited", "waited"]


def test_a_small_player_is_sent_whole_and_has_no_hooks():
    network, twin = layers(), Twin()
    small = averaging(network, 3 * LAYER, twin)
    for _ in range(2):
        with small:
            assert hooks(network) == [0] * 6
            loss_of(network).backward()
    assert twin.events == ["sent", "waited"] * 2
    assert [len(flat) for flat in twin.sent] == [3 * 72] * 2


@pytest.mark.parametrize("called", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_buckets_are_filled_in_the_order_in_which_gradients_come(called: tuple[int, ...]):
    """Whatever the order in which a GAN's file makes its layers, none waits for one that comes
    late.
    """
    network, twin = layers(), Twin()
    context = nn.Sequential(*[network[number] for number in called])
    known = averaging(network, LAYER, twin)
    turn(known, network, loss_of(context))
    twin.events.clear()
    twin.sent.clear()
    context[0].weight.register_post_accumulate_grad_hook(
        lambda _: twin.events.append("first layer")
    )
    turn(known, network, loss_of(context))
    assert twin.events[:4] == ["sent", "sent", "first layer", "sent"]
    for sent, layer in zip(twin.sent, reversed(context)):
        assert sorted(sent.tolist()) == sorted(
            [*layer.bias.grad.tolist(), *layer.weight.grad.flatten().tolist()]
        )


@pytest.mark.parametrize("called", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_all_processes_keep_to_the_main_ones_order(called: tuple[int, ...]):
    """Also one whose own gradients come in another order, in the first turn or in a later one."""
    network, twin = layers(), Twin()
    twin.main_order = lambda order: [3, 2, 1, 0, 5, 4]
    known = averaging(network, LAYER, twin)
    for _ in range(2):
        twin.sent.clear()
        turn(known, network, loss_of(nn.Sequential(*[network[number] for number in called])))
        assert len(twin.sent) == 3
        for sent, layer in zip(twin.sent, (network[1], network[0], network[2])):
            torch.testing.assert_close(
                sent, torch.cat([layer.bias.grad, layer.weight.grad.flatten()]), rtol=0, atol=0
            )


@pytest.mark.parametrize("capacity", [1, LAYER, 100 * LAYER])
def test_parameters_without_a_gradient_stay_so(capacity: int):
    """In the first turn, when nothing is known, and later."""
    network = layers()
    both, expected = averaging(network, capacity, Twin()), layers()
    loss_of(expected[1]).backward()
    for context in (network[1], network, network[1]):
        turn(both, network, loss_of(context))
    assert [gradient is None for gradient in gradients(network)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    torch.testing.assert_close(network[1].weight.grad, expected[1].weight.grad, rtol=0, atol=0)


def test_several_forward_passes_and_double_backward():
    """A layer called twice is sent once, with both passes' gradients; a penalty's inner gradient
    sends nothing.
    """

    def loss(network: nn.Module) -> Tensor:
        images = torch.ones(5, 8, requires_grad=True)
        scores = network(network(images)).sigmoid().sum(1)
        (slope,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
        return scores.mean() + slope.square().sum(1).mean()

    one, two, twin = layers(), layers(), Twin()
    known = learnt(two, LAYER, twin)
    loss(one).backward()
    turn(known, two, loss(two))
    assert sum(len(flat) for flat in twin.sent) == 3 * 72
    for expected, found in zip(gradients(one), gradients(two)):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_no_hook_outlives_backward():
    network = layers()
    known = averaging(network, LAYER, Twin())
    for _ in range(2):
        turn(known, network, loss_of(network))
        assert hooks(network) == hooks(copy.deepcopy(network)) == [0] * 6


def test_copies_made_within_have_no_hooks():
    network = layers()
    with averaging(network, LAYER, Twin()):
        assert hooks(network) == [1] * 6
        assert hooks(copy.deepcopy(network)) == [0] * 6


def test_no_hook_and_no_message_after_an_error():
    network, twin = layers(), Twin()
    known = learnt(network, LAYER, twin)
    hidden = network[:2](torch.ones(5, 8))

    def fail(_: Tensor) -> None:
        raise ValueError("on the way back")

    hidden.register_hook(fail)
    with pytest.raises(ValueError, match="on the way back"):
        turn(known, network, network[2](hidden).mean())
    assert hooks(network) == [0] * 6
    assert twin.events == ["sent"]  # the last layer's; the others will not come
    turn(known, network, loss_of(network))
    assert twin.events == ["sent", *["sent"] * 3, *["waited"] * 3]  # nothing is left of it

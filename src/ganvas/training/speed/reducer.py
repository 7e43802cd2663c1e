"""Gradients averaged over all processes in buckets, the last layers' first, while `backward` still
computes the others.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn


class Pending(Protocol):
    """Something that has begun and can be waited for."""

    def wait(self) -> object:
        """Return when it is done."""
        ...


class Others(Protocol):
    """The other processes, as much as averaging needs of them."""

    world: int  # number of processes, this one included

    def start_sum(self, values: Tensor) -> Pending:
        """Begin to replace a tensor by its sum over all processes."""
        ...

    def main_order(self, order: list[int]) -> list[int]:
        """The main process's order, in every process; all have orders of equal length."""
        ...


class Sent(NamedTuple):
    """A bucket on its way."""

    gradients: list[Tensor]  # which it will replace
    flat: Tensor  # all of them, (numbers,), being summed in place
    pending: Pending


class GradientReducer:
    """Surrounds each `backward` of a player; afterwards the gradients that it gave are their means
    over all processes.

    The first `backward` shows in which order gradients come, and buckets are filled in that order,
    the main process's. From the second on, a bucket is sent as soon as all its gradients are there,
    but never before the buckets ahead of it: every process sends the same buckets in the same
    order, whatever else it does. What is not full when `backward` ends, for want of gradients that
    this turn does not give, is sent then; parameters without a gradient stay so. Every process must
    give gradients to the same parameters. A player that fits into one bucket is sent whole after
    `backward`, without any hooks.

    Args:
        parameters: of the player.
        capacity: bytes of a bucket.
        others: the other processes.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], capacity: int, others: Others):
        self.parameters, self.capacity, self.others = parameters, capacity, others
        self.buckets = fill(parameters, capacity)
        self.watched = self.learning = len(self.buckets) > 1
        self.hooks: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> None:
        self.order: list[Tensor] = []  # parameters whose gradients have come
        self.missing = [len(bucket) for bucket in self.buckets]
        self.sent: list[Sent] = []
        self.reached = 0  # buckets dealt with
        if self.watched:
            arrived = self.order.append if self.learning else self.arrived
            self.hooks = [
                parameter.register_post_accumulate_grad_hook(arrived)
                for parameter in self.parameters
            ]

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()
        if kind is None:
            if self.learning:
                self.learn()
            while self.reached < len(self.buckets):
                self.send()
            self.take_means()

    def learn(self) -> None:
        """Fill the buckets in the order in which gradients have come; those that have not come are
        last.
        """
        places = {id(parameter): place for place, parameter in enumerate(self.order)}
        order = sorted(
            range(len(self.parameters)),
            key=lambda number: places.get(id(self.parameters[number]), len(places)),
        )
        self.buckets = fill(
            [self.parameters[number] for number in self.others.main_order(order)], self.capacity
        )
        self.bucket_of = {
            id(parameter): number
            for number, bucket in enumerate(self.buckets)
            for parameter in bucket
        }
        self.learning = False

    def arrived(self, parameter: Tensor) -> None:
        """Note that a parameter's gradient is complete, and send the buckets whose turn has come."""
        self.missing[self.bucket_of[id(parameter)]] -= 1
        while self.reached < len(self.buckets) and not self.missing[self.reached]:
            self.send()

    def send(self) -> None:
        """Begin to sum the next bucket; one without any gradient is left out."""
        gradients = [
            parameter.grad for parameter in self.buckets[self.reached] if parameter.grad is not None
        ]
        self.reached += 1
        if gradients:
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            self.sent.append(Sent(gradients, flat, self.others.start_sum(flat)))

    def take_means(self) -> None:
        """Wait for all sums and put the means in the gradients' place."""
        for gradients, flat, pending in self.sent:
            pending.wait()
            flat /= self.others.world
            for gradient, part in zip(
                gradients, flat.split([gradient.numel() for gradient in gradients])
            ):
                gradient.copy_(part.view_as(gradient))
        self.sent.clear()


def fill(parameters: Sequence[nn.Parameter], capacity: int) -> list[list[nn.Parameter]]:
    """Parameters in buckets of at most `capacity` bytes, in their order; one that is larger has a
    bucket of its own.
    """
    buckets: list[list[nn.Parameter]] = []
    room = 0
    for parameter in parameters:
        if not buckets or parameter.nbytes > room:
            buckets.append([])
            room = capacity
        buckets[-1].append(parameter)
        room -= parameter.nbytes
    return buckets

"""Gradients averaged over all processes in buckets, the last layers' first, while `backward` still computes the others."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn


class Pending(Protocol):
    """Something that has begun and can be waited for."""

    def wait(self) -> object:
        """Return when it is done."""
        ...


class Sent(NamedTuple):
    """A bucket on its way."""

    gradients: list[Tensor]  # which it will replace
    flat: Tensor  # all of them, (numbers,), being summed in place
    pending: Pending


class Averaging:
    """Surrounds one `backward`; afterwards the gradients that it gave to the parameters are their means over all processes.

    A bucket is sent as soon as all its gradients are there, but never before the buckets ahead of it: every process sends the
    same buckets in the same order, whatever else it does. What is not full when `backward` ends, for want of gradients that
    this turn does not give, is sent then; parameters without a gradient stay so. Every process must give gradients to the
    same parameters.

    Args:
        parameters: of the moving player.
        capacity: bytes of a bucket. A player that fits into one is sent whole after `backward`, without any hooks.
        world: number of processes.
        start_sum: begins to replace a tensor by its sum over all processes.
    """

    def __init__(
        self, parameters: Sequence[nn.Parameter], capacity: int, world: int, start_sum: Callable[[Tensor], Pending]
    ):
        self.buckets = fill(parameters, capacity)
        self.world, self.start_sum = world, start_sum
        self.bucket_of = {parameter: number for number, bucket in enumerate(self.buckets) for parameter in bucket}
        self.missing = [len(bucket) for bucket in self.buckets]
        self.reached = 0  # buckets dealt with
        self.sent: list[Sent] = []
        self.hooks: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> None:
        if len(self.buckets) > 1:
            self.hooks = [parameter.register_post_accumulate_grad_hook(self.arrived) for parameter in self.bucket_of]

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()
        if kind is None:
            while self.reached < len(self.buckets):
                self.send()
            self.take_means()

    def arrived(self, parameter: Tensor) -> None:
        """Note that a parameter's gradient is complete, and send the buckets whose turn has come."""
        self.missing[self.bucket_of[parameter]] -= 1  # pyright: ignore[reportArgumentType]
        while self.reached < len(self.buckets) and not self.missing[self.reached]:
            self.send()

    def send(self) -> None:
        """Begin to sum the next bucket; one without any gradient is left out."""
        gradients = [parameter.grad for parameter in self.buckets[self.reached] if parameter.grad is not None]
        self.reached += 1
        if gradients:
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            self.sent.append(Sent(gradients, flat, self.start_sum(flat)))

    def take_means(self) -> None:
        """Wait for all sums and put the means in the gradients' place."""
        for gradients, flat, pending in self.sent:
            pending.wait()
            flat /= self.world
            for gradient, part in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
                gradient.copy_(part.view_as(gradient))


def fill(parameters: Sequence[nn.Parameter], capacity: int) -> list[list[nn.Parameter]]:
    """Parameters in buckets of at most `capacity` bytes, the last first, since `backward` begins with the last layers.

    A parameter that is larger has a bucket of its own.
    """
    buckets: list[list[nn.Parameter]] = []
    room = 0
    for parameter in reversed(parameters):
        if not buckets or parameter.nbytes > room:
            buckets.append([])
            room = capacity
        buckets[-1].append(parameter)
        room -= parameter.nbytes
    return buckets

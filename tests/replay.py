"""A stand-in for CUDA graphs on a CPU: it records the operations of PyTorch with their very
tensors, and repeats them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from ganvas.training.speed.cuda_graphs import Losses, Replay

aten = torch.ops.aten
# What makes the CPU wait for a GPU: reading numbers, results whose size depends on numbers,
# constants that Python sends.
WAITING = {
    aten._local_scalar_dense,
    aten.nonzero,
    aten.masked_select,
    aten.lift_fresh,
    aten._unique2,
    aten.bincount,
    aten.equal,
}


class NoWaiting(TorchDispatchMode):
    """Refuses, while it is entered, operations for which the CPU would wait for a GPU."""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run one operation, if it waits for nothing."""
        packet = func.overloadpacket
        masks = packet in (aten.index, aten.index_put, aten.index_put_) and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        repeated = func is aten.repeat_interleave.Tensor
        if packet in WAITING or masks or repeated:
            raise RuntimeError(f"operation not permitted when stream is capturing: {func}")
        return func(*args, **(kwargs or {}))


class Recording(NoWaiting):
    """Writes down what is done; whatever it changed in place can be put back.

    Attributes:
        done: operations with their arguments and results, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, Any]] = []
        self.before: list[tuple[Tensor, Tensor]] = []
        self.own: set[int] = set()  # storages made while recording

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run one operation and write it down."""
        # Aliases, since some operations change the shape of a tensor in place.
        given, named = tree_map_only(Tensor, torch.Tensor.detach, (args, kwargs or {}))
        for tensor in written(func, given, named):
            if storage(tensor) not in self.own:
                self.before.append((tensor, tensor.clone()))
        result = super().__torch_dispatch__(func, types, args, kwargs)
        self.own |= {storage(tensor) for tensor in tensors(result)} - {
            storage(tensor) for tensor in tensors((given, named))
        }
        if torch.Tag.inplace_view not in func.tags:
            self.done.append(
                (func, given, named, tree_map_only(Tensor, torch.Tensor.detach, result))
            )
        return result


def tensors(values: Any) -> list[Tensor]:
    """The tensors in nested lists and dictionaries."""
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def storage(tensor: Tensor) -> int:
    """A number of the memory that a tensor and its views share."""
    return tensor.untyped_storage()._cdata


def written(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Tensor]:
    """The tensors that an operation writes to."""
    if func.overloadpacket is aten.native_batch_norm:  # whose schema does not say
        return [running for running in args[3:5] if running is not None]
    found = []
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = kwargs.get(argument.name, args[place] if place < len(args) else None)
            found += tensors(value)
    return found


class Repeater:
    """A recorder for a CPU as strict as CUDA: what is recorded has no effect until it is replayed,
    and is replayed without Python.

    Attributes:
        warmed: steps that were run anew.
        recorded: how many recordings were made.
        replayed: how often they were replayed.
    """

    def __init__(self) -> None:
        self.warmed = self.recorded = self.replayed = 0

    def warm_up(self, take: Replay) -> Losses:
        self.warmed += 1
        return take()

    def capture(self, take: Replay) -> Replay:
        self.recorded += 1
        state, recording = torch.get_rng_state(), Recording()
        try:
            with recording:
                values = take()
        finally:
            torch.set_rng_state(state)
            with torch.no_grad():
                for tensor, value in reversed(recording.before):
                    tensor.copy_(value)
        return self.make_replay(recording, values)

    def make_replay(self, recording: Recording, values: Losses) -> Callable[[], Losses]:
        """What repeats a recording."""

        @torch.no_grad()
        def replay() -> Losses:
            self.replayed += 1
            for func, args, kwargs, result in recording.done:
                for old, new in zip(tensors(result), tensors(func(*args, **kwargs)), strict=True):
                    if old.data_ptr() != new.data_ptr():
                        old.copy_(new)
            return values

        return replay

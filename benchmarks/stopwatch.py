"""What benchmarks measure with: clocks, matrix products and convolutions counted, and spreads."""

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganvas.training.engine import Engine

Clock = Callable[[], float]
aten = torch.ops.aten


class Stopwatch(TorchDispatchMode):
    """Counts and times, while it is entered, the matrix products and convolutions that are really
    executed.

    Args:
        clock: tells seconds.

    Attributes:
        flops: of all, forward and backward.
        convolution_flops: of the convolutions.
        convolution_seconds: spent in these.
    """

    def __init__(self, clock: Clock):
        super().__init__()
        self.clock = clock
        self.flops, self.convolution_flops, self.convolution_seconds = 0.0, 0.0, 0.0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run one operation of PyTorch and note it."""
        kwargs = kwargs or {}
        began = self.clock()
        out = func(*args, **kwargs)
        seconds = self.clock() - began
        operation = func.overloadpacket
        if operation in flop_registry:
            flops = flop_registry[operation](*args, **kwargs, out_val=out)
            if operation is aten.convolution:
                flops *= inside(args[0], out, *args[1:2], *args[3:6])
            elif operation is aten.convolution_backward:
                flops *= inside(*args[:3], *args[4:7])
            self.flops += flops
            if operation in (aten.convolution, aten.convolution_backward):
                self.convolution_flops += flops
                self.convolution_seconds += seconds
        return out


def inside(
    first: Tensor,
    second: Tensor,
    weight: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> float:
    """The share of a convolution's multiplications that meet a pixel: the others meet padding, and
    good kernels skip them.

    Args:
        first, second: its input and output maps (N, C, H, W) or (N, C, L), in any order. The
            same two for a transposed convolution.
        weight: (.., .., height, width) or (.., .., length).
        stride, padding, dilation: for each dimension.
    """
    share = 1.0
    for depth in range(first.ndim - 2):
        small, large = sorted((first.shape[2 + depth], second.shape[2 + depth]))
        kernel = weight.shape[2 + depth]
        step, start, spread = stride[depth], padding[depth], dilation[depth]
        met = [
            place * step - start + tap * spread for place in range(small) for tap in range(kernel)
        ]
        share *= sum(0 <= pixel < large for pixel in met) / len(met)
    return share


def clock_of(engine: Engine, cpu_time: bool) -> Clock:
    """A clock that is read when the device has done all that it was asked for."""
    clock = time.process_time if cpu_time else time.perf_counter

    def settled() -> float:
        engine.settle()
        return clock()

    return settled


def timed(step: Callable[[], object], steps: int, clock: Clock) -> float:
    """Seconds of a step, mean over that many."""
    began = clock()
    for _ in range(steps):
        step()
    return (clock() - began) / steps


def convolution_rate(step: Callable[[], object], clock: Clock) -> float:
    """FLOP/s of a step's convolutions while they run; 0 without any."""
    with Stopwatch(clock) as probe:
        step()
    return probe.convolution_flops / (probe.convolution_seconds or 1)


def flops_of(step: Callable[[], object], steps: int, clock: Clock) -> float:
    """FLOP of a step, mean over that many."""
    with Stopwatch(clock) as probe:
        for _ in range(steps):
            step()
    return probe.flops / steps


def product_rate(matrices: Tensor, clock: Clock) -> float:
    """FLOP/s of the product of two square matrices, (2, size, size)."""
    return 2 * matrices.shape[1] ** 3 / timed(lambda: torch.mm(matrices[0], matrices[1]), 1, clock)


def spread(values: list[float], form: str) -> str:
    """The median and the quartiles."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:{form}} ({low:{form}} to {high:{form}})"


def processor() -> str:
    """The processor's name and the instructions that PyTorch uses of it."""
    info = Path("/proc/cpuinfo")  # where `platform` knows no name
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name} {torch.backends.cpu.get_cpu_capability()}"

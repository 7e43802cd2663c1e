"""Processes, device and precision; the only file that knows how processes work together."""

import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ganvas.data.loader import Placement
from ganvas.devices import pick_device
from ganvas.errors import UserError
from ganvas.rng import StepRng

__all__ = ["Engine"]


class Engine:
    """Where training steps are computed: a device, a precision, and this process among the others.

    Start it as a context manager. Under `torchrun` it joins the other processes: each takes the
    same steps on its part of each batch, and the gradients of the player to be updated are
    averaged. The networks stay plain modules: wrappers that synchronise by themselves are wrong for
    double backward and for several forward passes per backward (docs/scaling.md).

    Args:
        device: "auto", "cpu", "cuda" or "mps".
        precision: "fp32", or "bf16" for steps under autocast.

    Attributes:
        device: of this process.
        precision: as given.
        rank: number of this process; 0 writes files and prints.
        world: number of processes.
    """

    def __init__(self, device: str = "auto", precision: str = "fp32"):
        self.device = pick_device(device)
        self.precision = precision
        self.rank, self.world = _read_place()
        if self.device.type == "cpu":
            _keep_memory()
        elif self.device.type == "cuda":
            _use_tensor_cores()

    def with_precision(self, precision: str) -> "Engine":
        """The same device and processes in another precision; only the first engine is closed."""
        other = copy(self)
        other.precision = precision
        return other

    def alone(self) -> "Engine":
        """The same device and precision as if this were the only process, to try something out."""
        other = copy(self)
        other.rank, other.world = 0, 1
        return other

    def __enter__(self) -> "Engine":
        if self.world > 1:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            # Hours: the others wait while the main process packs the data or scores samples.
            try:
                dist.init_process_group(backend, timeout=timedelta(hours=6))
            except (ValueError, RuntimeError) as error:  # such as no MASTER_ADDR
                reason = " ".join(str(error).split())
                raise UserError(
                    f"cannot join the other processes: {reason}; start all with torchrun"
                ) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error no barrier: the other processes may never come to it.
        if self.world > 1 and kind is None:
            dist.barrier()  # without it gloo sometimes aborts in the slower process
            dist.destroy_process_group()

    @property
    def placement(self) -> Placement:
        """Which part of each batch is this process's, and where it computes."""
        return Placement(self.device, self.rank, self.world)

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def seed(self, number: int) -> None:
        """Seed what layers draw by themselves (dropout), on this device."""
        # `torch.manual_seed` seeds all devices, and takes 100 times as long.
        if self.device.type == "cuda":
            torch.cuda.manual_seed(number)
        elif self.device.type == "mps":
            torch.mps.manual_seed(number)
        else:
            torch.default_generator.manual_seed(number)

    def autocast(self) -> AbstractContextManager[object]:
        """The precision of one update.

        Enter it anew for every update: it caches cast weights, which an update makes stale.
        """
        if self.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return nullcontext()

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace a player's gradients by their means over all processes, by one sum of them all.

        Parameters without a gradient stay so; every process must have gradients for the same ones.
        """
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self.world == 1 or not gradients:
            return

        # (P,), all numbers of the player: hundreds of small sums would cost more than their bytes.
        # Each process gets the same result, so weights stay equal without being sent.
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.world
        for gradient, part in zip(gradients, flat.split([each.numel() for each in gradients])):
            gradient.copy_(part.view_as(gradient))

    def gather(self, rows: Tensor) -> Tensor:
        """The rows (N, ...) of all processes, one after another: (world * N, ...)."""
        if self.world == 1:
            return rows
        rows = rows.contiguous()  # `all_gather` takes no other layout
        parts = [torch.empty_like(rows) for _ in range(self.world)]
        dist.all_gather(parts, rows)
        return torch.cat(parts)

    def rng(self, seed: int, images: int) -> StepRng:
        """The random numbers of this process's part of the step after `images` images."""
        return StepRng(seed, images, self.device, self.rank, self.world, self.gather)

    def mean(self, values: Tensor) -> Tensor:
        """Mean of a tensor over all processes."""
        if self.world > 1:
            # In place: callers give a tensor of their own.
            dist.all_reduce(values)
            values /= self.world
        return values

    def share(self, text: str) -> str:
        """The main process's text, in every process."""
        if self.world == 1:
            return text
        # Names of files may hold bytes that are not UTF-8.
        encoded = text.encode(errors="surrogateescape") if self.is_main else b""

        # The length first: a receiver needs a tensor of the right size.
        length = torch.tensor([len(encoded)], device=self.device)
        dist.broadcast(length, 0)
        content = torch.zeros(int(length), dtype=torch.uint8, device=self.device)
        if self.is_main:
            content.copy_(torch.tensor(list(encoded), dtype=torch.uint8))
        dist.broadcast(content, 0)
        return bytes(content.tolist()).decode(errors="surrogateescape")

    def agree(self, text: str) -> bool:
        """Whether all processes have the same text; the answer is the same in all."""
        return not self.any(self.share(text) != text)

    def maximum_(self, values: Tensor) -> None:
        """Replace a tensor by its maximum over all processes."""
        if self.world > 1:
            dist.all_reduce(values, dist.ReduceOp.MAX)

    def any(self, claim: bool) -> bool:
        """Whether the claim is true in any process."""
        if self.world == 1:
            return claim
        # Reading the answer waits for the device: the price of several processes.
        flag = torch.tensor(float(claim), device=self.device)
        self.maximum_(flag)
        return bool(flag.item())

    def memory(self) -> int:
        """The most bytes this process has used so far: on the GPU, or of main memory.

        0 where the system does not tell, as on Windows.
        """
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        try:
            import resource
        except ImportError:
            return 0
        # macOS counts bytes, Linux KiB.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
            1 if sys.platform == "darwin" else 1024
        )

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Let the main process do something before the others do, so that what it leaves in the
        cache is there for them.
        """
        if not self.is_main:
            self.wait()
        yield
        if self.is_main:
            self.wait()

    def settle(self) -> None:
        """Wait until the device has finished its work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.world > 1:
            dist.barrier()


def _read_place() -> tuple[int, int]:
    """The number of this process and how many there are, as `torchrun` sets them; 0 and 1 alone.

    Raises:
        UserError: only one of both is set, or they are no such numbers.
    """
    given = {name: os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE")}
    if not any(given.values()):
        return 0, 1
    rank, world = given.values()
    whole = all(value.isdecimal() and len(value) < 7 for value in given.values())
    if not whole or not int(rank) < int(world):
        raise UserError(
            f"RANK={rank!r} and WORLD_SIZE={world!r} are no place among processes; both are set by "
            "torchrun: use it, or unset them"
        )
    return int(rank), int(world)


def _keep_memory() -> None:
    """Tell glibc to keep freed memory for the next step, which needs as much again.

    Training steps with convolutions are 3 to 10 % faster.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD: the largest that is allowed
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def _use_tensor_cores() -> None:
    """Let float32 products of NVIDIA GPUs round what they multiply to three digits (TF32), and add
    up in seven.

    Also try several kernels for each shape of convolution and take the fastest, since a run's
    shapes stay the same.
    """
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    # Another process may find another kernel the fastest: on a GPU a resumed run agrees with an
    # uninterrupted one to rounding, on a CPU bit for bit.
    torch.backends.cudnn.benchmark = True

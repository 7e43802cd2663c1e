"""CUDA graphs: training steps that are captured once and replayed by the GPU itself.

A small network's step is a thousand kernels of a few microseconds each, and Python needs longer to
launch one than a GPU to run it. Captured, the whole step is one launch: forward, losses, penalties,
backward, guard and optimizers.

A graph repeats the very same work on the very same tensors. So whatever changes from step to step
is put into static inputs before it is replayed: the batch, random numbers and ramps
(`static_inputs.py`), learning rates. What a step does may depend on the answers of `clock.every`
alone; there is one graph for each set of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from ganvas.gans.base import Batch, Clock
from ganvas.rng import Rng
from ganvas.training.guard import Optimizers
from ganvas.training.speed.static_inputs import StaticInputs
from ganvas.training.step import Probe, StepContext, take_step

__all__ = ["WARMUP", "Capturer", "CudaCapturer", "GraphedSteps", "Losses", "Replay", "StepKind"]

WARMUP = 3  # steps of a kind that are taken before one is captured, as PyTorch's manual has it

Losses = dict[str, Tensor]
Replay = Callable[[], Losses]


class Capturer(Protocol):
    """Captures what a function does on a device."""

    def warm_up(self, take: Replay) -> Losses:
        """Take a step now, in the surroundings in which it will be captured."""
        ...

    def capture(self, take: Replay) -> Replay:
        """Capture a step without taking it; what is returned replays it into the same tensors.

        Raises:
            RuntimeError: it does what cannot be captured, such as read a number from the device.
        """
        ...


class CudaCapturer:
    """CUDA graphs. Dropout may be captured: its seed is that of the replay, see `Engine.seed`.

    All graphs share one pool of memory, since no two are replayed at once and what they return is
    copied before the next.
    """

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()

    def warm_up(self, take: Replay) -> Losses:
        """As `Capturer.warm_up`, on the stream on which steps are captured."""
        # Streams do not wait for one another by themselves: the side stream must see the batch that
        # was copied before, and what comes after must see the new weights.
        current = torch.cuda.current_stream()
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            losses = take()
        current.wait_stream(self.stream)
        return losses

    def capture(self, take: Replay) -> Replay:
        """As `Capturer.capture`."""
        graph = torch.cuda.CUDAGraph()
        # Nothing is computed: launches are noted, and tensors get the addresses they keep.
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            losses = take()

        def replay() -> Losses:
            graph.replay()
            return losses

        return replay


class StepKind:
    """All steps that get the same answers from `clock.every`.

    Attributes:
        inputs: their random numbers and ramps.
        batch: their columns, at fixed places.
        taken: how many there were.
        replay: the captured step, once there is one.
    """

    def __init__(self, batch: Batch, clock: Clock, rng: Rng):
        self.inputs = StaticInputs(rng, clock)
        self.batch = {name: values.clone() for name, values in batch.items()}
        self.taken = 0
        self.replay: Replay | None = None

    def refill(self, batch: Batch, clock: Clock, rng: Rng) -> None:
        """Put a step's own batch and numbers in place."""
        for name, values in batch.items():
            # In place: a captured graph reads these addresses.
            self.batch[name].copy_(values)
        self.inputs.refill(rng, clock)

    def columns(self) -> dict[str, Tensor]:
        """The batch for one step, which may ask for gradients with respect to it."""
        # Views: `requires_grad_` on one must not mark the tensor that is refilled.
        return {name: values.detach() for name, values in self.batch.items()}


class GraphedSteps:
    """Takes steps as `take_step` does, by replaying graphs as soon as there are some.

    Always of the same context. Steps with a probe are taken eagerly. So are all steps of a GAN that
    cannot be captured, and all while the betas of an optimizer change: a fused optimizer does not
    read them from the device.

    Args:
        capturer: for the device.
        say: called with one line when steps cannot be captured.
    """

    def __init__(self, capturer: Capturer, say: Callable[[str], None]):
        self.capturer = capturer
        self.say = say
        self.kinds: list[StepKind] = []
        self.rates: dict[str, Tensor] = {}  # learning rates on the device, by player
        self.betas: list[tuple[float, float]] = []
        self.hopeless = False

    def __call__(
        self,
        context: StepContext,
        batch: Batch,
        clock: Clock,
        rng: Rng,
        probe: Probe | None = None,
    ) -> Losses:
        """As `take_step`, in one process."""
        if probe or self.hopeless or not self.are_betas_steady(context.optimizers):
            return take_step(context, batch, clock, rng, probe)

        kind = self.find_kind(batch, clock, rng)

        def take() -> Losses:
            kind.inputs.rewind()
            return take_step(context, kind.columns(), kind.inputs, kind.inputs)

        kind.taken += 1
        # Capturing computes nothing, so this very step is then taken by the first replay.
        if kind.replay is None and kind.taken > WARMUP:
            self.set_rates(context)
            self.capture(kind, take, context.optimizers)

        if kind.replay is None:
            losses = self.capturer.warm_up(take)
            self.look_for_trouble(kind.inputs)
        else:
            self.set_rates(context)
            losses = kind.replay()
        # A copy: the next replay writes over these tensors.
        return dict(zip(losses, torch.stack(list(losses.values())).unbind()))

    def find_kind(self, batch: Batch, clock: Clock, rng: Rng) -> StepKind:
        """The kind of the coming step, with that step's inputs in place."""
        for kind in self.kinds:
            if kind.inputs.fits(clock):
                kind.refill(batch, clock, rng)
                return kind
        self.kinds.append(StepKind(batch, clock, rng))
        return self.kinds[-1]

    def are_betas_steady(self, optimizers: Optimizers) -> bool:
        """Whether the betas are those of the step before; if not, graphs are of no use any more."""
        # At the first step there are none to compare with, so it is always eager.
        betas = [optimizer.param_groups[0]["betas"] for optimizer in optimizers.values()]
        if betas == self.betas:
            return True
        self.betas = betas
        self.kinds = []
        return False

    def set_rates(self, context: StepContext) -> None:
        """Bring the learning rates to the device."""
        for player, optimizer in context.optimizers.items():
            # Filled in place: a graph that was captured reads the same scalar in every replay.
            rate = self.rates.setdefault(player, torch.zeros((), device=context.engine.device))
            rate.fill_(optimizer.param_groups[0]["lr"])

    @contextmanager
    def capturable(self, optimizers: Optimizers) -> Iterator[None]:
        """Let the optimizers read their learning rates from the device."""
        groups = {player: optimizer.param_groups[0] for player, optimizer in optimizers.items()}
        before = {
            player: {"lr": group["lr"], "capturable": group["capturable"]}
            for player, group in groups.items()
        }
        for player, group in groups.items():
            group |= {"lr": self.rates[player], "capturable": True}
        try:
            yield
        finally:
            for player, group in groups.items():
                group |= before[player]

    def capture(self, kind: StepKind, take: Replay, optimizers: Optimizers) -> None:
        """Capture a kind of step, if that can be done."""
        try:
            with self.capturable(optimizers):
                kind.replay = self.capturer.capture(take)
        except RuntimeError as error:
            for optimizer in optimizers.values():
                # A broken capture may leave gradients, to which the next backward would add.
                optimizer.zero_grad(set_to_none=True)
            self.give_up(str(error).partition("\n")[0])
        if self.look_for_trouble(kind.inputs):
            kind.replay = None

    def look_for_trouble(self, inputs: StaticInputs) -> bool:
        """Whether static inputs lack something that a step depends on; then no more is captured."""
        if inputs.trouble:
            self.give_up(inputs.trouble)
        return bool(inputs.trouble)

    def give_up(self, reason: str) -> None:
        """Take all steps to come eagerly."""
        if not self.hopeless:
            self.say(f"note: steps are not captured: {reason}")
        self.hopeless = True
        self.kinds = []  # their captured graphs hold memory of the GPU

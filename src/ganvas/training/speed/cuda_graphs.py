"""Rounds that are recorded once and played again by the device itself: CUDA graphs.

A small network's round is a thousand kernels of a few microseconds each, and Python needs longer to
ask for one than a GPU to run it. Recorded, the whole round is asked for at once: forward, losses,
penalties, backward, guard and optimizers.

A recording repeats the very same work on the very same tensors. So whatever changes from round to
round is put into tensors that stay where they are before it is played: the batch, the random
numbers and ramps (`tape.py`), the learning rates. What a round does may depend on the answers of
`clock.every` alone; there is one recording for each set of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from ganvas.gans.base import Batch, Clock
from ganvas.rng import Rng
from ganvas.training.speed.tape import StaticInputs
from ganvas.training.step import Optimizers, StepContext, StepProbe, take_step

WARM = 3  # rounds of a kind that are played before one is recorded, as PyTorch's manual has it

Values = dict[str, Tensor]
Play = Callable[[], Values]


class Recorder(Protocol):
    """Records what a function does on a device."""

    def warm(self, play: Play) -> Values:
        """Play now, in the surroundings in which it will be recorded."""
        ...

    def record(self, play: Play) -> Play:
        """Record without doing it; what is returned does it, each time into the same tensors.

        Raises:
            RuntimeError: it does what cannot be recorded, such as to read a number from the device.
        """
        ...


class CudaRecorder:
    """CUDA graphs. Dropout may be recorded: its seed is that of the moment of playing, given by
    `Engine.seed`.

    All graphs share one pool of memory, since no two are played at once and what they return is
    copied before the next.
    """

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()
        self.pool = torch.cuda.graph_pool_handle()

    def warm(self, play: Play) -> Values:
        """As `Recorder.warm`: on a stream of its own, as no other may be used while recording."""
        here = torch.cuda.current_stream()
        self.stream.wait_stream(here)
        with torch.cuda.stream(self.stream):
            values = play()
        here.wait_stream(self.stream)
        return values

    def record(self, play: Play) -> Play:
        """As `Recorder.record`."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            values = play()

        def replay() -> Values:
            graph.replay()
            return values

        return replay


class GraphKey:
    """All rounds that get the same answers from `clock.every`.

    Attributes:
        tape: their random numbers and ramps.
        batch: their columns, at fixed places.
        played: how many there were.
        replay: the recording, once there is one.
    """

    def __init__(self, batch: Batch, clock: Clock, rng: Rng):
        self.tape = StaticInputs(rng, clock)
        self.batch = {name: values.clone() for name, values in batch.items()}
        self.played = 0
        self.replay: Play | None = None

    def refill(self, batch: Batch, clock: Clock, rng: Rng) -> None:
        """Put a round's own batch and numbers in place."""
        for name, values in batch.items():
            self.batch[name].copy_(values)
        self.tape.refill(rng, clock)

    def columns(self) -> dict[str, Tensor]:
        """The batch for one playing, which may ask for gradients with respect to it."""
        return {name: values.detach() for name, values in self.batch.items()}


class GraphedSteps:
    """Plays rounds as `take_step` does, from recordings as soon as there are some.

    Always of the same game. Rounds that are watched are played anew, as are all of a GAN that
    cannot be recorded, and all as long as the betas of an optimizer change: a fused optimizer does
    not take them from the device.

    Args:
        recorder: for the device.
        say: is told, in one line, why rounds are not recorded.
    """

    def __init__(self, recorder: Recorder, say: Callable[[str], None]):
        self.recorder, self.say = recorder, say
        self.kinds: list[GraphKey] = []
        self.rates: dict[str, Tensor] = {}  # by player
        self.betas: list[tuple[float, float]] = []
        self.hopeless = False

    def __call__(
        self,
        context: StepContext,
        batch: Batch,
        clock: Clock,
        rng: Rng,
        probe: StepProbe | None = None,
    ) -> Values:
        """As `take_step`, in one process."""
        if probe or self.hopeless or not self.steady(context.optimizers):
            return take_step(context, batch, clock, rng, probe)
        kind = next((kind for kind in self.kinds if kind.tape.fits(clock)), None)
        if kind is None:
            kind = GraphKey(batch, clock, rng)
            self.kinds.append(kind)
        else:
            kind.refill(batch, clock, rng)

        def play() -> Values:
            kind.tape.rewind()
            return take_step(context, kind.columns(), kind.tape, kind.tape)

        kind.played += 1
        if kind.replay is None and kind.played > WARM:
            self.set_rates(context)
            self.record(kind, play, context.optimizers)
        if kind.replay is None:
            values = self.recorder.warm(play)
            self.look_for_trouble(kind.tape)
        else:
            self.set_rates(context)
            values = kind.replay()
        # a copy, for the next round is written over them
        return dict(zip(values, torch.stack(list(values.values())).unbind()))

    def steady(self, optimizers: Optimizers) -> bool:
        """Whether the betas are those of the round before; if not, recordings are of no use any
        more.
        """
        betas = [optimizer.param_groups[0]["betas"] for optimizer in optimizers.values()]
        if betas != self.betas:
            self.betas, self.kinds = betas, []
            return False
        return True

    def set_rates(self, context: StepContext) -> None:
        """Bring the learning rates to the device."""
        for player, optimizer in context.optimizers.items():
            rate = self.rates.setdefault(player, torch.zeros((), device=context.engine.device))
            rate.fill_(optimizer.param_groups[0]["lr"])

    @contextmanager
    def recordable(self, optimizers: Optimizers) -> Iterator[None]:
        """Let the optimizers take their rates from the device."""
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

    def record(self, kind: GraphKey, play: Play, optimizers: Optimizers) -> None:
        """Record a kind of round, if that can be done."""
        try:
            with self.recordable(optimizers):
                kind.replay = self.recorder.record(play)
        except RuntimeError as error:
            for optimizer in optimizers.values():
                optimizer.zero_grad(set_to_none=True)
            self.give_up(str(error).partition("\n")[0])
        if self.look_for_trouble(kind.tape):
            kind.replay = None

    def look_for_trouble(self, tape: StaticInputs) -> bool:
        """Whether a tape does not hold all that its rounds depend on; then no more is recorded."""
        if tape.trouble:
            self.give_up(tape.trouble)
        return bool(tape.trouble)

    def give_up(self, reason: str) -> None:
        """Play all rounds to come anew."""
        if not self.hopeless:
            self.say(f"note: rounds are not recorded: {reason}")
        self.hopeless = True

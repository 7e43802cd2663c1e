"""Rounds recorded once and played again as CUDA graphs: for small networks most of a round is the CPU launching kernels.

Recorded is the whole round: forward passes, losses, backward passes, the guard, the optimizers' steps. Everything that changes
from round to round lies in tensors that stay where they are: the batch, random numbers and schedules (`tape.py`), learning rates.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ganvas.draws import Draw
from ganvas.engine import Engine
from ganvas.gans.base import GAN, Batch, Clock
from ganvas.rounds import Guard, Optimizers, Watch, play_round
from ganvas.tape import TapeClock, TapeDraw

Values = dict[str, Tensor]


class Recorder(Protocol):
    """Records what is done to tensors, and does it again."""

    def apart(self) -> AbstractContextManager[object]:
        """Where rounds are played that prepare a recording."""
        ...

    def record(self, play: Callable[[], Values]) -> tuple[Values, Callable[[], None]]:
        """What `play` returns, not yet computed, and what computes it, as often as it is called."""
        ...


class CudaRecorder:
    """Records CUDA graphs."""

    def __init__(self, device: torch.device):
        self.stream = torch.cuda.Stream(device)

    def apart(self) -> AbstractContextManager[object]:
        """A stream of its own, as the recording has."""
        self.stream.wait_stream(torch.cuda.current_stream())
        return torch.cuda.stream(self.stream)

    def record(self, play: Callable[[], Values]) -> tuple[Values, Callable[[], None]]:
        """See `Recorder`."""
        torch.cuda.current_stream().wait_stream(self.stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            values = play()
        return values, graph.replay


class Again:
    """Plays the round again in Python, on the same tensors: what a recording must equal."""

    def apart(self) -> AbstractContextManager[object]:
        """Here."""
        return nullcontext()

    def record(self, play: Callable[[], Values]) -> tuple[Values, Callable[[], None]]:
        """See `Recorder`."""
        values: Values = {}
        return values, lambda: values.update(play())


@dataclass
class Recording:
    """A kind of round: its tensors and, once it is recorded, what it computes."""

    batch: dict[str, Tensor]
    clock: TapeClock
    draw: TapeDraw
    values: Values | None = None
    replay: Callable[[], None] | None = None


class GraphedRounds:
    """Plays rounds as `play_round` does: of each kind the first one as it is, the second and all later ones from a recording.

    Rounds are of one kind that get the same answers from `clock.every`. Rounds that the doctor watches are played as they are,
    and so are all rounds of a GAN that asks the clock for images or rounds themselves, or that cannot be recorded.

    Args:
        gan: on the device.
        optimizers: capturable, with their rates in tensors, if CUDA graphs are to hold their steps.
        guard: deferred, for the same reason.
        recorder: what records.
    """

    def __init__(self, gan: GAN, optimizers: Optimizers, guard: Guard, engine: Engine, recorder: Recorder):
        self.gan, self.optimizers, self.guard, self.engine, self.recorder = gan, optimizers, guard, engine, recorder
        self.recordings: dict[tuple[bool, ...], Recording] = {}
        self.periods: list[int] = []
        self.possible = True

    def play(self, batch: Batch, clock: Clock, draw: Draw, watch: Watch | None = None) -> Values:
        """One round; see `play_round`."""
        if watch or not self.possible:
            return self.as_it_is(batch, clock, draw, watch)
        recording = self.recordings.get(tuple(clock.every(period) for period in self.periods))
        if recording is None:
            return self.first(batch, clock, draw)
        for name, rows in batch.items():
            recording.batch[name].copy_(rows, non_blocking=True)
        recording.clock.refill(clock)
        recording.draw.refill(draw)
        if recording.replay is None:
            try:
                recording.values, recording.replay = self.recorder.record(
                    lambda: self.as_it_is(recording.batch, recording.clock, recording.draw)
                )
            except (RuntimeError, IndexError):  # it reads values, or draws as many numbers as others tell: nothing has moved yet
                self.possible = False
                return self.as_it_is(batch, clock, draw)
        recording.replay()
        assert recording.values is not None
        return {name: value.clone() for name, value in recording.values.items()}  # the next replay writes over them

    def first(self, batch: Batch, clock: Clock, draw: Draw) -> Values:
        """Play a round of a kind that was not met before, and keep what it needs."""
        recording = Recording({name: rows.clone() for name, rows in batch.items()}, self.tape_clock(clock), TapeDraw(draw))
        with self.recorder.apart():
            values = self.as_it_is(recording.batch, recording.clock, recording.draw)
        self.possible = not recording.clock.told
        self.periods = list(recording.clock.answers)
        self.recordings[tuple(recording.clock.answers.values())] = recording
        return values

    def tape_clock(self, clock: Clock) -> TapeClock:
        return TapeClock(clock, next(self.gan.parameters()).detach())

    def as_it_is(self, batch: Batch, clock: Clock, draw: Draw, watch: Watch | None = None) -> Values:
        return play_round(self.gan, batch, clock, draw, self.optimizers, self.guard, self.engine, watch)

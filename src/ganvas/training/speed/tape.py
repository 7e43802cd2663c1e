"""What a round asks of chance and of the clock, kept at fixed places, so that the same round can be
played with other answers.
"""

import torch
from torch import Tensor

from ganvas.gans.base import Clock
from ganvas.rng import Make, Rng, sent


class StaticInputs(Rng):
    """The draw and the clock of one kind of round, in one process.

    The round that is played with a new tape writes down in which order it asks for random numbers
    and for ramps, and what the clock says to each `every`. From then on rounds read it: `fits`
    tells whether a round will ask the same, `refill` puts that round's numbers into the same
    tensors, `rewind` goes back to the first.

    Attributes:
        answers: what the clock said to `every`, by period. They decide what a round asks: a GAN may
            branch on them and on nothing else that changes from round to round.
        trouble: what the round depended on that a tape cannot hold; "" for nothing. It got it
            nevertheless.

    Args:
        draw: of the round that is written down.
        clock: likewise.
    """

    def __init__(self, rng: Rng, clock: Clock):
        super().__init__(rng.device)
        self.rng, self.clock = rng, clock
        self.answers: dict[int, bool] = {}
        self.drawn: list[tuple[int, Make, Tensor]] = []
        self.ramps: dict[tuple[float, float, int], Tensor] = {}
        self.place = 0  # in `drawn`
        self.written = False
        self.trouble = ""

    def fits(self, clock: Clock) -> bool:
        """Whether the round at this clock asks what is written down."""
        return all(clock.every(period) == answer for period, answer in self.answers.items())

    @torch.no_grad()
    def refill(self, rng: Rng, clock: Clock) -> None:
        """Put the numbers of a round that fits in the places of those before; from now on the tape
        is read.
        """
        self.rng, self.clock, self.written = rng, clock, True
        for count, make, values in self.drawn:
            values.copy_(sent(rng.rows(count, make), self.device))
        for (start, end, over), value in self.ramps.items():
            value.fill_(clock.ramp(start, end, over))

    def rewind(self) -> None:
        """Go back to the beginning."""
        self.place = 0

    def rows(self, count: int, make: Make) -> Tensor:
        self.trouble = "it draws random numbers on the CPU instead of with draw.on_device"
        return self.rng.rows(count, make)

    def on_device(self, count: int, make: Make) -> Tensor:
        if not self.written:
            self.drawn.append((count, make, self.rng.on_device(count, make)))
        elif self.place == len(self.drawn) or self.drawn[self.place][0] != count:
            self.trouble = "it asks for random numbers in a changing order"
            return self.rng.on_device(count, make)
        self.place += 1
        return self.drawn[self.place - 1][2]

    def every(self, period: int) -> bool:
        """As `Clock.every`."""
        if period not in self.answers:
            self.noted_late(f"clock.every({period})")
            self.answers[period] = self.clock.every(period)
        return self.answers[period]

    def ramp(self, start: float, end: float, over: int) -> Tensor:
        """As `Clock.ramp`: a scalar on the device."""
        key = start, end, over
        if key not in self.ramps:
            self.noted_late(f"clock.ramp{key}")
            self.ramps[key] = torch.full((), float(self.clock.ramp(*key)), device=self.device)
        return self.ramps[key]

    @property
    def images(self) -> int:
        """As `Clock.images`, for rounds that are not repeated."""
        self.trouble = "it reads clock.images instead of asking clock.ramp"
        return self.clock.images

    @property
    def steps(self) -> int:
        """As `Clock.rounds`, for rounds that are not repeated."""
        self.trouble = "it reads clock.steps instead of asking clock.every"
        return self.clock.steps

    def noted_late(self, question: str) -> None:
        """Note that something is asked that the round which was written down did not ask."""
        if self.written:
            self.trouble = f"it asks {question} only now and then"

"""The static inputs of a captured step: its random numbers and what it asks of the clock."""

import torch
from torch import Tensor

from ganvas.gans.base import Clock
from ganvas.rng import Make, Rng, sent

__all__ = ["StaticInputs"]


class StaticInputs(Rng):
    """An rng and a clock in one, for all steps of one kind, in one process.

    A new object notes in which order a step asks for random numbers and for ramps, and what the
    clock answers to each `every`. From then on steps read what is noted: `fits` says whether a step
    will ask the same, `refill` puts that step's numbers into the same tensors, `rewind` goes back
    to the first.

    Attributes:
        answers: what the clock answered to `every`, by period. They decide what a step asks: a GAN
            may branch on them and on nothing else that changes from step to step.
        trouble: why this step cannot be captured, in words; "" if it can.

    Args:
        rng: of the step that is noted.
        clock: of the step that is noted.
    """

    def __init__(self, rng: Rng, clock: Clock):
        super().__init__(rng.device)
        self.rng = rng
        self.clock = clock
        self.answers: dict[int, bool] = {}
        self.drawn: list[tuple[int, Make, Tensor]] = []  # in order: rows, how, values on the device
        self.ramps: dict[tuple[float, float, int], Tensor] = {}  # by start, end, over: scalars
        self.place = 0  # in `drawn`
        self.noted = False
        self.trouble = ""

    def fits(self, clock: Clock) -> bool:
        """Whether the step at this clock asks what is noted."""
        return all(clock.every(period) == answer for period, answer in self.answers.items())

    @torch.no_grad()
    def refill(self, rng: Rng, clock: Clock) -> None:
        """Put a fitting step's numbers in place of the last; from now on they are only read."""
        self.rng = rng
        self.clock = clock
        self.noted = True
        # In the order in which a step draws them: the numbers are those of an eager step. In place,
        # since a captured graph reads these addresses.
        for count, make, values in self.drawn:
            values.copy_(sent(rng.rows(count, make), self.device))
        for (start, end, over), value in self.ramps.items():
            value.fill_(clock.ramp(start, end, over))

    def rewind(self) -> None:
        """Go back to the first random number."""
        self.place = 0

    # As an rng

    def rows(self, count: int, make: Make) -> Tensor:
        """As `Rng.rows`, for steps that are not captured."""
        self.trouble = "it draws random numbers on the CPU instead of with rng.on_device"
        return self.rng.rows(count, make)

    def on_device(self, count: int, make: Make) -> Tensor:
        """As `Rng.on_device`: (count, ...), always the same tensor at the same place in a step."""
        if not self.noted:
            self.drawn.append((count, make, self.rng.on_device(count, make)))
        elif self.place == len(self.drawn) or self.drawn[self.place][0] != count:
            self.trouble = "it asks for random numbers in a changing order"
            return self.rng.on_device(count, make)
        self.place += 1
        return self.drawn[self.place - 1][2]

    # As a clock

    def every(self, period: int) -> bool:
        """As `Clock.every`."""
        if period not in self.answers:
            self._note_late(f"clock.every({period})")
            self.answers[period] = self.clock.every(period)
        return self.answers[period]

    def ramp(self, start: float, end: float, over: int) -> Tensor:
        """As `Clock.ramp`: a scalar on the device."""
        key = start, end, over
        if key not in self.ramps:
            self._note_late(f"clock.ramp{key}")
            self.ramps[key] = torch.full((), float(self.clock.ramp(*key)), device=self.device)
        return self.ramps[key]

    @property
    def images(self) -> int:
        """As `Clock.images`, for steps that are not captured."""
        self.trouble = "it reads clock.images instead of asking clock.ramp"
        return self.clock.images

    @property
    def steps(self) -> int:
        """As `Clock.steps`, for steps that are not captured."""
        self.trouble = "it reads clock.steps instead of asking clock.every"
        return self.clock.steps

    def _note_late(self, question: str) -> None:
        if self.noted:
            self.trouble = f"it asks {question} only now and then"

"""A round's random numbers and schedules as tensors that stay where they are, so that a recorded round can be played again."""

from torch import Tensor

from ganvas.draws import Draw, Make
from ganvas.gans.base import Clock


class TapeDraw(Draw):
    """Draws as another draw does the first time, and keeps the tensors; after `refill` it hands out the same ones, filled anew.

    Args:
        draw: of the round on which the tape is made.
    """

    def __init__(self, draw: Draw):
        super().__init__(draw.device)
        self.draw = draw
        self.asked: list[tuple[int, Make]] = []
        self.tensors: list[Tensor] = []
        self.place: int | None = None  # the next tensor to hand out; None while the tape is made

    def rows(self, count: int, make: Make) -> Tensor:
        if self.place is None:
            self.asked.append((count, make))
            return self.draw.rows(count, make)
        self.place += 1
        return self.tensors[self.place - 1]

    def refill(self, draw: Draw) -> None:
        """Fill the tensors with the numbers of another round, and begin again with the first."""
        self.place = 0
        for tensor, (count, make) in zip(self.tensors, self.asked):
            tensor.copy_(draw.rows(count, make), non_blocking=True)

    def _to_device(self, rows: Tensor) -> Tensor:
        if self.place is not None:
            return rows
        self.tensors.append(rows.to(self.device, copy=True))
        return self.tensors[-1]


class TapeClock:
    """A clock whose schedules are tensors that stay where they are; it notes what else it was asked.

    Args:
        clock: of the round on which the tape is made.
        like: a tensor on the device, of the type that schedules shall have.

    Attributes:
        answers: to `every`, by period. Where they are other ones, the round is another.
        told: whether it told images or rounds themselves, which a recorded round would not see change.
    """

    def __init__(self, clock: Clock, like: Tensor):
        self.clock, self.like = clock, like
        self.answers: dict[int, bool] = {}
        self.asked: list[tuple[float, float, int]] = []
        self.tensors: list[Tensor] = []
        self.place: int | None = None
        self.told = False

    @property
    def images(self) -> int:
        """Real images shown before this round."""
        self.told = True
        return self.clock.images

    @property
    def rounds(self) -> int:
        """Rounds played before this one."""
        self.told = True
        return self.clock.rounds

    def every(self, period: int) -> bool:
        """As the clock tells."""
        self.answers[period] = self.clock.every(period)
        return self.answers[period]

    def ramp(self, start: float, end: float, over: int) -> Tensor:
        """As the clock tells, as a scalar tensor."""
        if self.place is not None:
            self.place += 1
            return self.tensors[self.place - 1]
        self.asked.append((start, end, over))
        self.tensors.append(self.like.new_full((), float(self.clock.ramp(start, end, over))))
        return self.tensors[-1]

    def refill(self, clock: Clock) -> None:
        """Fill the schedules for another round, and begin again with the first."""
        self.place, self.clock = 0, clock
        for tensor, asked in zip(self.tensors, self.asked):
            tensor.fill_(float(clock.ramp(*asked)))

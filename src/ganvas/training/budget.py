"""How much time a run may take, and how long it becomes by what its parts were measured to take."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from ganvas.errors import UserError
from ganvas.io.console import describe_duration, describe_rate
from ganvas.recipes.length import OFTENER, RARER, REPORT_STEPS, change_length
from ganvas.recipes.recipe import Recipe, change

__all__ = [
    "Budget",
    "Costs",
    "TooShortError",
    "fit_length",
    "make_budget",
]

MARGIN = 0.05  # of the time, kept for what was not measured
END = 3.0  # seconds for curves and the summary at the end
LONGEST = 366 * 24 * 60  # minutes: the longest time that may be asked for
LOOKING = 0.15  # of the time: the most that grids, checkups and checkpoints may take
# The fewest of each that are still of use; and the usual setting that says how many there are.
# Seconds from one look to the next at most.
LOOK_WITHIN = {"report_every": 30.0, "sample_every": 300.0, "checkpoint_every": 1800.0}
FEWEST_LOOKS = {"sample_every": 6, "health_every": 4, "checkpoint_every": 2}
FEWEST_STEPS = 20  # of a run


class TooShortError(UserError):
    """A run does not fit into the time that is left."""


@dataclass(frozen=True)
class Budget:
    """The time that a run may take.

    Attributes:
        seconds: in all, from its beginning.
        flag: what the user gave: "minutes" or "until".
        value: of this flag.
        words: the same for people: "10 minutes", "the time until 18:30".
        began: when it began, as `time.monotonic` tells.
    """

    seconds: float
    flag: str
    value: str
    words: str
    began: float

    def left(self) -> float:
        """Seconds that are left of it; negative if it is over."""
        return self.seconds - (time.monotonic() - self.began)


def make_budget(minutes: float | None, until: str | None, now: datetime) -> Budget | None:
    """The time that a run may take from now on; None: neither is given.

    Args:
        minutes: its length.
        until: its end, HH:MM of local time; tomorrow if it has passed.
        now: local time.

    Raises:
        UserError: both are given, or a value is not allowed.
    """
    if minutes is not None and until is not None:
        raise UserError("minutes and until both set the length of the run; give one of them")
    began = time.monotonic()
    if minutes is not None:
        if not 0 < minutes <= LONGEST:
            raise UserError(f"--minutes {minutes:g}: ask for more than 0, and at most a year")
        words = describe_duration(60 * minutes)
        return Budget(60 * minutes, "minutes", f"{minutes:g}", words, began)
    if until is None:
        return None

    try:
        clock = datetime.strptime(until, "%H:%M")
    except ValueError:
        raise UserError(
            f"--until {until}: write hours and minutes of local time, such as 18:30"
        ) from None
    end = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    if end <= now:
        end += timedelta(days=1)
    words = f"the time until {until}"
    return Budget((end - now).total_seconds(), "until", until, words, began)


class Costs(BaseModel):
    """Seconds that the parts of a run take on a machine.

    Attributes:
        step: a training step.
        grid: a grid of samples, its frames in the time-lapse at the end included.
        checkup: of the doctor.
        save: a checkpoint.
        start: what comes once: the rehearsal, and what the checkups compare with.
    """

    step: float
    grid: float = 0.0
    checkup: float = 0.0
    save: float = 0.0
    start: float = 0.0

    def once(self) -> float:
        """Seconds that come once in a run, at its beginning and at its end."""
        return END + self.start + self.grid + self.save

    def besides(self, recipe: Recipe) -> float:
        """Seconds of a whole run without its training steps."""
        counts = {key: recipe.images / recipe.period(key) for key in self.looks()}
        return self.once() + sum(self.looks()[key] * count for key, count in counts.items())

    def looks(self) -> dict[str, float]:
        """The cost of each kind of look at a run, by the setting of its period."""
        return {
            "sample_every": self.grid,
            "health_every": self.checkup,
            "checkpoint_every": self.save,
        }


def fit_length(
    recipe: Recipe, costs: Costs, seconds: float, reason: str, given: Mapping[str, Any]
) -> Recipe:
    """A recipe with the length that fits into a time, everything that looks at the run included.

    Args:
        recipe: any.
        costs: of its parts.
        seconds: that are left.
        reason: why it has this length; the measured rate is added.
        given: settings by their dotted keys that were requested; they are kept.

    Raises:
        TooShortError: the time is too short for a run; the message says how long it must be.
    """
    once = costs.once()
    available = seconds * (1 - MARGIN) - once
    least = FEWEST_STEPS * costs.step
    if available < least:
        needed = math.ceil((least + once) / (1 - MARGIN))
        raise TooShortError(
            f"only {describe_duration(max(0, seconds))} left for training, which is too short: "
            f"{recipe.name} needs {describe_duration(needed)} for {FEWEST_STEPS} training steps "
            "and its report"
        )

    # First as if nothing looked at the run: what looks at it is then counted for this length.
    fitted = change_length(recipe, _count_images(recipe, costs, available), "", given)
    counts = {key: fitted.images / fitted.period(key) for key in costs.looks()}
    spent = sum(costs.looks()[key] * count for key, count in counts.items())
    rarer = set[str]()
    if spent > LOOKING * available:
        share = LOOKING * available / spent
        for key, count in counts.items():
            fewer = max(share * count, min(count, FEWEST_LOOKS[key]))
            if key not in given and fewer < count:
                counts[key] = fewer
                rarer.add(key)
        spent = sum(costs.looks()[key] * count for key, count in counts.items())

    left = max(least, available - spent)
    rate = recipe.batch / costs.step
    why = f"{reason} {describe_rate(rate)} were measured here.".strip()
    fitted = change_length(recipe, _count_images(recipe, costs, left), why, given)
    periods = {key: math.ceil(fitted.images / counts[key]) for key in rarer}
    oftener = {
        key: limit
        for key, limit in _list_longest(recipe, costs).items()
        if key not in given and key not in rarer and fitted.period(key) > limit
    }
    reasons = fitted.reasons | dict.fromkeys(periods, RARER) | dict.fromkeys(oftener, OFTENER)
    return change(fitted, periods | oftener).model_copy(update={"reasons": reasons})


def _list_longest(recipe: Recipe, costs: Costs) -> dict[str, int]:
    """The longest periods, in images, after which whoever watches a run still sees it move."""
    longest = {}
    for key, usual in LOOK_WITHIN.items():
        seconds = max(usual, 20 * costs.looks().get(key, 0.0))  # at most 5 % of the time
        steps = max(REPORT_STEPS, int(seconds / costs.step))
        # whole periods of what happens in some steps only, such as penalties
        longest[key] = recipe.batch * (steps // REPORT_STEPS * REPORT_STEPS)
    return longest


def _count_images(recipe: Recipe, costs: Costs, seconds: float) -> int:
    """Images of as many whole training steps as fit into so many seconds."""
    return recipe.batch * max(FEWEST_STEPS, int(seconds / costs.step))

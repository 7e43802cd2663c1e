"""What the doctor says of a run as a whole: too early to tell, still learning, healthy or ill."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ganvas.io.console import count_noun
from ganvas.runs.checkups import (
    LONG,
    WINDOW,
    Checkup,
    mean_of,
    measure_progress,
)
from ganvas.runs.rules import COLLAPSED, FAR_AHEAD, MOST_NAMED, Finding

__all__ = ["AHEAD", "ALIKE", "EARLY", "HEALTHY", "ILL", "Schedule", "Verdict", "reach_verdict"]

# States, as the log and `--json` have them.
EARLY, AHEAD, ALIKE = "too early to tell", "discriminator far ahead", "samples still alike"
HEALTHY, ILL = "healthy", "ill"
FEW_CLASSES = 10  # of so few, one that no sample looks like is always named


@dataclass(frozen=True)
class Schedule:
    """When checkups come, in images shown; 0 where it is not known.

    Attributes:
        period: from one to the next.
        total: length of the run.
    """

    period: int = 0
    total: int = 0


@dataclass(frozen=True)
class Verdict:
    """The state of a run.

    Attributes:
        state: EARLY, AHEAD, ALIKE, HEALTHY or ILL.
        sentences: what that means, and what else should be known; without full stops.
    """

    state: str
    sentences: tuple[str, ...]


def reach_verdict(
    checkups: Sequence[Checkup], active: Mapping[str, Finding], schedule: Schedule
) -> Verdict:
    """Say how a run is.

    Args:
        checkups: all so far.
        active: the conditions that last, by name.
        schedule: when the coming checkups are.
    """
    missing = () if "partial collapse" in active else tuple(_name_missing(checkups))
    if active:
        return Verdict(ILL, missing)
    if len(checkups) < WINDOW:
        return Verdict(EARLY, (_wait(checkups, WINDOW, schedule), *missing))
    # What would be a problem if the generator did not learn.
    alike = _describe_likeness(checkups, schedule)
    if _is_far_ahead(checkups):
        return Verdict(AHEAD, (_describe_lead(checkups, schedule), *alike, *missing))
    if alike:
        return Verdict(ALIKE, (*alike, *missing))

    done = f"no problems found ({count_noun(len(checkups), 'checkup')})"
    if len(checkups) < LONG:
        when = _tell_when(checkups, LONG, schedule)
        done += f"; whether the generator stands still will be known at checkup {LONG}{when}"
    return Verdict(HEALTHY, (done, *missing))


def _wait(checkups: Sequence[Checkup], needed: int, schedule: Schedule) -> str:
    """What a verdict waits for, and whether it will come."""
    waits = f"waits for checkup {needed} of {needed}{_tell_when(checkups, needed, schedule)}"
    images = needed * _find_period(checkups, schedule)
    if not 0 < schedule.total < images:
        return waits

    often = max(1, schedule.total // needed)
    return (
        f"{waits}; the run ends before that: train longer (--images {images}), "
        f"or a new run with --set health_every={often}"
    )


def _tell_when(checkups: Sequence[Checkup], number: int, schedule: Schedule) -> str:
    """At how many images a checkup comes, as the end of a sentence; "" if nobody knows."""
    images = number * _find_period(checkups, schedule)
    return f", at about {count_noun(images, 'image')}" if images else ""


def _find_period(checkups: Sequence[Checkup], schedule: Schedule) -> int:
    """Images from one checkup to the next; 0 if nobody knows."""
    if schedule.period or not checkups:
        return schedule.period
    return round(checkups[-1]["images"] / len(checkups))


def _is_far_ahead(checkups: Sequence[Checkup]) -> bool:
    """Whether the discriminator separates nearly all pairs, by a wide margin."""
    recent = checkups[-WINDOW:]
    return mean_of(recent, "separation") > 0.98 and mean_of(recent, "score_gap") > FAR_AHEAD


def _describe_lead(checkups: Sequence[Checkup], schedule: Schedule) -> str:
    """The lead of the discriminator, and whether the generator learns in spite of it."""
    recent = checkups[-WINDOW:]
    lead = (
        f"the discriminator is far ahead (it scores the real image higher in "
        f"{mean_of(recent, 'separation'):.1%} of all pairs, by "
        f"{mean_of(recent, 'score_gap'):.1f} on average)"
    )
    return f"{lead}; {_describe_learning(checkups, schedule)}"


def _describe_likeness(checkups: Sequence[Checkup], schedule: Schedule) -> tuple[str, ...]:
    """A sentence, if samples are as similar as in a mode collapse, though they may still change."""
    diversity = mean_of(checkups[-WINDOW:], "diversity")
    if not diversity < COLLAPSED:
        return ()
    learning = _describe_learning(checkups, schedule)
    alike = f"samples differ from each other only {diversity:.2f} times as much as real images do"
    return (f"{alike}; {learning}",)


def _describe_learning(checkups: Sequence[Checkup], schedule: Schedule) -> str:
    """Whether the generator still learns, or when that can be told."""
    # With few checkups `is_improving` gives the benefit of the doubt; here only facts count.
    if progress := measure_progress(checkups):
        return f"the generator still learns: {progress}"
    when = _tell_when(checkups, LONG, schedule)
    return f"whether the generator still learns will be known at checkup {LONG}{when}"


def _name_missing(checkups: Sequence[Checkup]) -> Iterator[str]:
    """A sentence, if there are few classes and no sample looks like some of them."""
    recent = checkups[-WINDOW:]
    # Of a GAN that takes no class, any sample may look like one; else those requested of it.
    for key, which in (("classes", ""), ("agreement", "the requested ")):
        measured = [checkup[key] for checkup in recent if key in checkup]
        if not measured or len(measured[-1]) > FEW_CLASSES:
            continue
        absent = [name for name in measured[-1] if not any(shares.get(name) for shares in measured)]
        if absent:
            period = f"last {len(measured)} checkups" if len(measured) > 1 else "last checkup"
            noun = "class" if len(absent) == 1 else "classes"
            names = ", ".join(absent[:MOST_NAMED]) + (" ..." if len(absent) > MOST_NAMED else "")
            yield f"in the {period} no sample looked like {which}{noun} {names}"

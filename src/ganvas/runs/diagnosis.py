"""The doctor's memory: which conditions (decided in rules.py) began, last and ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ganvas.io.console import count_noun
from ganvas.recipes.recipe import Recipe
from ganvas.runs.checkups import Checkup
from ganvas.runs.log import ENDED
from ganvas.runs.rules import BROKEN, RESTART, Finding, diagnose
from ganvas.runs.verdict import AHEAD, ALIKE, EARLY, Schedule, Verdict, reach_verdict

__all__ = ["Change", "Diagnosis", "diverged", "schedule_of"]

UNKNOWN = Schedule()
PATIENCE = 3  # checkups without a finding after which a condition counts as over


@dataclass(frozen=True)
class Change:
    """A condition that has appeared or is over.

    Attributes:
        images: images shown when it was noticed.
        state: "appeared", "cleared", or ENDED: the run ended with it.
        finding: the condition as last seen.
    """

    images: int
    state: str
    finding: Finding

    def line(self) -> str:
        """The change as one line for a person."""
        if self.state == "cleared":
            return f"doctor: {self.finding.title} is resolved"
        return f"doctor: {self.finding.title}: {self.finding.evidence}. {self.finding.action}"

    def entry(self) -> dict[str, str]:
        """The change as an entry of the log."""
        return {"state": self.state} | self.finding.entry()


class Diagnosis:
    """The conditions of a run from checkup to checkup.

    It depends on the log alone, so a resumed run has the same diagnosis as an uninterrupted one.

    Args:
        checkups: the first ones.
        schedule: when the others come, for what the doctor waits for.

    Attributes:
        checkups: all checkups so far.
        active: the conditions that last, by name.
        changes: the conditions that appeared or are over, in order.
    """

    def __init__(self, checkups: Iterable[Checkup] = (), schedule: Schedule = UNKNOWN):
        self.schedule = schedule
        self.checkups: list[Checkup] = []
        self.active: dict[str, Finding] = {}
        self.quiet: dict[str, int] = {}  # checkups since a condition was last seen
        self.changes: list[Change] = []
        for checkup in checkups:
            self.add(checkup)

    def add(self, checkup: Checkup) -> list[Change]:
        """Add the next checkup and return what has appeared or is over."""
        self.checkups.append(checkup)
        # By name, not title: a class more among the missing ones is no new condition.
        found = {finding.name: finding for finding in diagnose(self.checkups)}

        changes = []
        for name, finding in found.items():
            if name not in self.active:
                changes.append(Change(checkup["images"], "appeared", finding))
            self.quiet[name] = 0

        # A condition that pauses for a checkup or two is still the same one.
        self.active |= found
        for name in list(self.active):
            if name not in found:
                self.quiet[name] += 1
                if self.quiet[name] >= PATIENCE:
                    changes.append(Change(checkup["images"], "cleared", self.active.pop(name)))

        self.changes += changes
        return changes

    @classmethod
    def of(cls, log: Iterable[Mapping[str, Any]], schedule: Schedule = UNKNOWN) -> "Diagnosis":
        """The diagnosis of a run's log."""
        entries = list(log)
        checkups = [entry for entry in entries if entry["kind"] == "health"]
        diagnosis = cls(checkups, schedule)

        # Losses that are not finite end a run without a checkup.
        if entries and entries[-1]["kind"] == "condition" and entries[-1]["state"] == ENDED:
            change = diverged(entries[-1]["images"], entries[-1]["evidence"])
            diagnosis.changes.append(change)
            diagnosis.active = {BROKEN: change.finding} | diagnosis.active
        return diagnosis

    @property
    def verdict(self) -> Verdict:
        """How the run is as a whole."""
        return reach_verdict(self.checkups, self.active, self.schedule)

    def since(self, name: str) -> int:
        """Images shown when a condition that lasts was noticed."""
        # A condition may have come and gone before: the last time counts.
        return max(change.images for change in self.changes if change.finding.name == name)

    def describe(self) -> list[str]:
        """The conditions in words, a line each: those that last, then those that are over."""
        lines = []
        for name, finding in self.active.items():
            since = count_noun(self.since(name), "image")
            lines.append(f"{finding.title}, since {since}: {finding.evidence}. {finding.action}")

        verdict = self.verdict
        titles = {
            EARLY: "Too early to tell: ",
            AHEAD: "No problem yet: ",
            ALIKE: "No problem yet: ",
        }
        for number, sentence in enumerate(verdict.sentences):
            # The first one says what the state means; of an ill run the conditions do.
            title = titles.get(verdict.state, "") if number == 0 else ""
            lines.append(
                f"{title}{sentence}." if title else f"{sentence[:1].upper()}{sentence[1:]}."
            )

        began: dict[str, int] = {}
        # In order, so that a condition that came twice has the right beginning for each end.
        for change in self.changes:
            title, name = change.finding.title, change.finding.name
            if change.state == "appeared":
                began[name] = change.images
            elif change.state == "cleared":
                end = count_noun(change.images, "image")
                lines.append(f"Resolved: {title}, from {began[name]:,} to {end}.")
        return lines


def schedule_of(recipe: Recipe) -> Schedule:
    """When the checkups of a recipe come."""
    return Schedule(recipe.period("health_every"), recipe.images)


def diverged(images: int, reason: str) -> Change:
    """The end of a run whose losses are no longer finite."""
    return Change(images, ENDED, Finding(BROKEN, reason, RESTART))

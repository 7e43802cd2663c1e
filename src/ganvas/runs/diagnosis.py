"""What the doctor concludes: conditions of a run, in plain words, with evidence and one thing to do
each.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ganvas.io.console import count_noun
from ganvas.runs.log import ENDED

Checkup = Mapping[str, Any]  # what was measured: an entry of the log of kind "health"

WINDOW = 5  # checkups that must agree: one bad picture is no illness
LONG = 4 * WINDOW  # checkups over which a generator that learns shows it
BROKEN = "diverging"  # also the name for losses that are not finite, which end a run
PATIENCE = 3  # checkups without a finding after which a condition counts as over


@dataclass(frozen=True)
class Finding:
    """A condition that a run is in.

    Attributes:
        name: one of RULES.
        detail: which classes, for example; may be empty.
        evidence: what was measured.
        action: what to do about it.
    """

    name: str
    evidence: str
    action: str
    detail: str = ""

    @property
    def title(self) -> str:
        """The name with its detail."""
        return f"{self.name} ({self.detail})" if self.detail else self.name

    def entry(self) -> dict[str, str]:
        """For files."""
        return {"condition": self.title, "evidence": self.evidence, "action": self.action}


@dataclass(frozen=True)
class Change:
    """A condition that has begun or is over.

    Attributes:
        images: shown when it was noticed.
        state: "appeared", "cleared", or ENDED: the run broke off with it.
        finding: the condition as last seen.
    """

    images: int
    state: str
    finding: Finding

    def line(self) -> str:
        """One line for a person."""
        if self.state == "cleared":
            return f"doctor: {self.finding.title} is over"
        return f"doctor: {self.finding.title}: {self.finding.evidence}. {self.finding.action}"

    def entry(self) -> dict[str, str]:
        """For the log."""
        return {"state": self.state} | self.finding.entry()


class Diagnosis:
    """The conditions of a run from checkup to checkup: a function of the log alone, so a resumed
    run tells the same.
    """

    def __init__(self, checkups: Iterable[Checkup] = ()):
        self.checkups: list[Checkup] = []
        self.active: dict[str, Finding] = {}
        self.quiet: dict[str, int] = {}  # checkups since a condition was last seen
        self.changes: list[Change] = []
        for checkup in checkups:
            self.add(checkup)

    def add(self, checkup: Checkup) -> list[Change]:
        """Take the next checkup; returns what has begun or is over."""
        self.checkups.append(checkup)
        found = {finding.name: finding for finding in diagnose(self.checkups)}
        changes = []
        for name, finding in found.items():
            if name not in self.active:
                changes.append(Change(checkup["images"], "appeared", finding))
            self.quiet[name] = 0
        self.active |= found
        for name in list(self.active):
            if name not in found:
                self.quiet[name] += 1
                if self.quiet[name] >= PATIENCE:
                    changes.append(Change(checkup["images"], "cleared", self.active.pop(name)))
        self.changes += changes
        return changes

    @classmethod
    def of(cls, log: Iterable[Mapping[str, Any]]) -> "Diagnosis":
        """The course that a run's log tells."""
        entries = list(log)
        diagnosis = cls(entry for entry in entries if entry["kind"] == "health")
        if entries and entries[-1]["kind"] == "condition" and entries[-1]["state"] == ENDED:
            change = diverged(entries[-1]["images"], entries[-1]["evidence"])
            diagnosis.changes.append(change)
            diagnosis.active = {BROKEN: change.finding} | diagnosis.active
        return diagnosis

    def since(self, name: str) -> int:
        """Images shown when a condition that lasts was noticed."""
        return max(change.images for change in self.changes if change.finding.name == name)

    def told(self) -> list[str]:
        """What a person should know, a line each: conditions that last, then those that are over."""
        lines = [
            f"{finding.title}, since {count_noun(self.since(name), 'image')}: {finding.evidence}. {finding.action}"
            for name, finding in self.active.items()
        ]
        if not lines:
            lines = [
                f"Nothing is wrong, as far as {count_noun(len(self.checkups), 'checkup tells', 'checkups tell')}."
            ]
        began: dict[str, int] = {}
        for change in self.changes:
            if change.state == "appeared":
                began[change.finding.name] = change.images
            elif change.state == "cleared":
                end = count_noun(change.images, "image")
                lines.append(
                    f"Over: {change.finding.title}, {began[change.finding.name]:,} to {end}."
                )
        return lines


def diagnose(checkups: Sequence[Checkup]) -> list[Finding]:
    """The conditions that the last checkups show, the gravest first; fewer than WINDOW checkups
    show nothing.
    """
    recent = checkups[-WINDOW:]
    if len(recent) < WINDOW:
        return []
    return [finding for rule in RULES if (finding := rule(recent, checkups))]


def mean(checkups: Sequence[Checkup], key: str) -> float:
    """Mean of what was measured; NaN where it was not, with which no comparison is true."""
    values = [checkup[key] for checkup in checkups if key in checkup]
    return fmean(values) if values else math.nan


def learning(checkups: Sequence[Checkup]) -> bool:
    """Whether the samples still get closer to real pictures, or more varied; at the beginning of a
    run they are given time.

    A generator that learns is not ill, however far the discriminator is ahead: so begins many a
    healthy run.
    """
    recent, before = checkups[-WINDOW:], checkups[-LONG : WINDOW - LONG]
    if len(checkups) < LONG:
        return True
    closer = mean(recent, "distance") < 0.95 * mean(before, "distance")
    return closer or mean(recent, "diversity") > 1.1 * mean(before, "diversity")


def diverging(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """Weights or scores run away."""
    gap = abs(mean(recent, "score_gap"))
    growth, player = max(
        (recent[-1][key] / max(recent[0][key], 1e-12), key.removesuffix("/weight_norm"))
        for key in recent[-1]
        if key.endswith("/weight_norm")
    )
    if gap > 50:
        evidence = (
            f"the scores of real and generated pictures lie {gap:,.0f} apart, where 1 to 5 is usual"
        )
    elif growth > 2 and len(checkups) >= LONG:  # small first weights may double at once
        evidence = f"the {player}'s weights have grown {growth:.1f} times since {count_noun(recent[0]['images'], 'image')}"
    else:
        return None
    return Finding(
        BROKEN,
        evidence,
        "Begin anew with a tenth of the learning rates, e.g. --set optimizers.generator.lr=2e-5.",
    )


def dead_gradients(recent: Sequence[Checkup], _: Sequence[Checkup]) -> Finding | None:
    """The generator gets no direction any more."""
    gradient, weight = "generator/gradient_norm", "generator/weight_norm"
    shares = [
        checkup[gradient] / checkup[weight]
        for checkup in recent
        if gradient in checkup and checkup.get(weight)
    ]
    if not shares or not max(shares) < 1e-5:  # it may rest in the rounds watched
        return None
    share = max(shares)
    evidence = f"the generator's gradient is {share:.0e} of its weights, where a hundredth is usual"
    return Finding(
        "dead gradients",
        evidence,
        "Go back to an earlier checkpoint and lower the discriminator's learning rate.",
    )


def mode_collapse(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """All noise makes the same picture."""
    diversity = mean(recent, "diversity")
    if not (diversity < 0.05 or (diversity < 0.25 and not learning(checkups))):
        return None
    evidence = f"samples differ from each other {diversity:.2f} times as much as real pictures do"
    return Finding(
        "mode collapse",
        evidence,
        "Begin anew with another seed, and a generator's learning rate of a half.",
    )


def partial_collapse(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """Some classes are not made, though others are."""
    longer = checkups[-2 * WINDOW :]
    key = next((key for key in ("agreement", "classes") if key in recent[-1]), None)
    if key is None or len(longer) < 2 * WINDOW:
        return None
    shares, earlier = share_of(key, longer), share_of(key, longer[:WINDOW])
    least = 0.3 if key == "agreement" else 0.1  # of what was asked, chance gives some
    risen = {name: share - earlier.get(name, 0) for name, share in shares.items()}
    # nor coming
    missing = [
        name for name, share in shares.items() if share < least and not risen[name] > least / 5
    ]
    others = [share for share in shares.values() if share >= least]
    # A GAN that was asked for classes and makes most of them well has learned; another may find
    # more of them yet.
    learned = bool(others) and fmean(others) > 0.5 if key == "agreement" else not learning(checkups)
    if not (missing and learned):
        return None
    detail = f"class{'es' if len(missing) > 1 else ''} {', '.join(missing[:8])}{' ...' if len(missing) > 8 else ''} missing"
    most = f"in the last {count_noun(len(longer), 'checkup')} at most {max(shares[name] for name in missing):.0%}"
    if key == "agreement":
        evidence, action = (
            f"{most} of what was asked of them looks like them",
            "See how many pictures of them the data has.",
        )
    else:
        evidence, action = (
            f"{most} of their share of the samples is made",
            "Train a GAN that is asked for classes.",
        )
    return Finding("partial collapse", evidence, action, detail)


def share_of(key: str, checkups: Sequence[Checkup]) -> dict[str, float]:
    """The mean share of each class over checkups; nothing where it was never measured."""
    measured = [checkup[key] for checkup in checkups if key in checkup]
    return (
        {name: fmean(shares[name] for shares in measured) for name in measured[0]}
        if measured
        else {}
    )


def discriminator_wins(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """Every fake is told from every real picture, by far."""
    separation, gap = mean(recent, "separation"), mean(recent, "score_gap")
    if not (separation > 0.98 and (gap > 20 or (gap > 8 and not learning(checkups)))):
        return None
    evidence = f"it ranks {separation:.1%} of all pairs rightly, by {gap:.1f} in score, where 1 to 5 is usual"
    return Finding(
        "discriminator wins",
        evidence,
        "Lower its learning rate, e.g. --set optimizers.discriminator.lr=5e-5.",
    )


def generator_wins(recent: Sequence[Checkup], _: Sequence[Checkup]) -> Finding | None:
    """The discriminator takes fakes for real."""
    separation = mean(recent, "separation")
    if not separation < 0.3:
        return None
    evidence = f"the discriminator ranks only {separation:.1%} of all pairs of a real and a generated picture rightly"
    return Finding(
        "generator wins",
        evidence,
        "Raise the discriminator's learning rate, or lower the generator's.",
    )


def oscillation(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """The samples of the same noise move about more than they differ from each other."""
    change, diversity = mean(recent, "change"), mean(recent, "diversity")
    if not (change > 0.5 and change > diversity) or learning(checkups):
        return None
    moved = f"a sample changes by {change:.2f} of what real pictures differ"
    evidence = f"from one checkup to the next {moved}, while two samples differ by {diversity:.2f}"
    return Finding(
        "oscillation",
        evidence,
        "Lower both learning rates, or use a moving average (--set ema_halflife=10000).",
    )


def discriminator_memorises(recent: Sequence[Checkup], _: Sequence[Checkup]) -> Finding | None:
    """It scores pictures that it trained on above other real ones, by enough to mislead the
    generator.
    """
    share, errors = mean(recent, "overfitting"), mean(recent, "overfitting_errors")
    if not (share > 0.4 and errors > 3 and mean(recent, "score_drop") > 0.25):
        return None
    evidence = f"real pictures that it was not trained on lie {share:.0%} of the way from those it was to generated ones"
    return Finding(
        "discriminator memorises",
        evidence,
        "Use more pictures, mirror them (--set flip=true), or stop here.",
    )


def diverged(images: int, reason: str) -> Change:
    """The end of a run whose losses are not finite any more."""
    finding = Finding(
        BROKEN,
        reason,
        "Begin anew with a tenth of the learning rates, e.g. --set optimizers.generator.lr=2e-5.",
    )
    return Change(images, ENDED, finding)


RULES: tuple[Callable[[Sequence[Checkup], Sequence[Checkup]], Finding | None], ...] = (
    diverging,
    dead_gradients,
    mode_collapse,
    partial_collapse,
    discriminator_wins,
    generator_wins,
    oscillation,
    discriminator_memorises,
)

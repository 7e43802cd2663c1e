"""The doctor's rules: what is wrong with a training, concluded from its last checkups.

Each rule takes the last WINDOW checkups and all of them, and returns a finding or None. Where a
quantity was not measured, its mean is NaN, and no comparison with NaN is true.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from ganvas.io.console import count_noun
from ganvas.runs.checkups import (
    LONG,
    WINDOW,
    Checkup,
    is_improving,
    mean_of,
    mean_shares,
    measure_progress,
)

__all__ = [
    "BROKEN",
    "COLLAPSED",
    "FAR_AHEAD",
    "MOST_NAMED",
    "RESTART",
    "RULES",
    "Finding",
    "diagnose",
]

BROKEN = "diverging"  # also the name for losses that are not finite, which end a run
RESTART = "Start again with a tenth of the learning rates, e.g. --set optimizers.generator.lr=2e-5."
COLLAPSED = 0.25  # of the diversity of real images: with less, samples are as good as one image
FAR_AHEAD = 8.0  # in mean score: from a narrower lead of the discriminator generators still learn
MOST_NAMED = 8  # missing classes in a title
LATTICE = 2.0  # times the energy that real images have; of two sets of these at most 1.1


@dataclass(frozen=True)
class Finding:
    """A condition of a run.

    Attributes:
        name: the condition.
        evidence: what was measured.
        action: what to do about it, a sentence.
        detail: which classes, for example; may be empty.
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
        """The finding as an entry of the log."""
        return {"condition": self.title, "evidence": self.evidence, "action": self.action}


def diagnose(checkups: Sequence[Checkup]) -> list[Finding]:
    """Find what the last checkups show, the most serious first; nothing before WINDOW checkups."""
    recent = checkups[-WINDOW:]
    if len(recent) < WINDOW:
        return []

    findings = (rule(recent, checkups) for rule in RULES)
    return [finding for finding in findings if finding]


def _check_divergence(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """Scores or weights grow without bound."""
    gap = abs(mean_of(recent, "score_gap"))
    # In raw scores, of either sign: a gap of 50 is a probability of 1 to the last bit.
    if gap > 50:
        evidence = (
            f"the mean scores of real and generated images differ by {gap:,.0f}, usually by 1 to 5"
        )
        return Finding(BROKEN, evidence, RESTART)

    suffix = "/weight_norm"

    # A player that the first checkup lacks has not grown: its weights over infinity are 0.
    growth, player = max(
        (
            (recent[-1][key] / max(recent[0].get(key, math.inf), 1e-12), key.removesuffix(suffix))
            for key in recent[-1]
            if key.endswith(suffix)
        ),
        default=(0.0, ""),
    )
    # Small initial weights may double at once, so the first checkups do not count.
    if growth > 2 and len(checkups) >= LONG:
        since = count_noun(recent[0]["images"], "image")
        evidence = f"the {player}'s weights grew {growth:.1f} times since {since}"
        return Finding(BROKEN, evidence, RESTART)
    return None


def _check_dead_gradients(recent: Sequence[Checkup], _: Sequence[Checkup]) -> Finding | None:
    """The generator's gradient vanishes."""
    gradient, weight = "generator/gradient_norm", "generator/weight_norm"
    # With several discriminator updates per generator update, a checkup may see no gradient.
    shares = [
        checkup[gradient] / checkup[weight]
        for checkup in recent
        if gradient in checkup and checkup.get(weight)
    ]
    # `not <`, here and below: a comparison with NaN is false, and must raise no alarm.
    if not shares or not max(shares) < 1e-5:
        return None

    evidence = (
        f"the norm of the generator's gradient is {max(shares):.0e} of that of its weights, "
        "usually about 1e-02"
    )
    action = "Go back to an earlier checkpoint and lower the discriminator's learning rate."
    return Finding("dead gradients", evidence, action)


def _check_mode_collapse(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """Nearly the same image is generated from any noise."""
    diversity = mean_of(recent, "diversity")
    # Below 0.05 improvement is no excuse; below COLLAPSED a run that improves may recover.
    if not (diversity < 0.05 or (diversity < COLLAPSED and not is_improving(checkups))):
        return None

    evidence = f"samples differ from each other {diversity:.2f} times as much as real images do"
    action = "Start again with another seed and half the generator's learning rate."
    return Finding("mode collapse", evidence, action)


def _check_partial_collapse(
    recent: Sequence[Checkup], checkups: Sequence[Checkup]
) -> Finding | None:
    """Some classes are never generated, though others are."""
    # Twice the window: the share of one class among 128 samples is a rough number.
    longer = checkups[-2 * WINDOW :]
    # Where no class was requested: those that the samples happen to look like.
    conditional = "agreement" in recent[-1]
    key = "agreement" if conditional else "classes"
    if key not in recent[-1] or len(longer) < 2 * WINDOW:
        return None

    shares = mean_shares(longer, key)
    earlier = mean_shares(longer[:WINDOW], key)
    least = 0.3 if conditional else 0.1  # of requested samples, chance alone gives some
    missing = [
        name
        for name, share in shares.items()
        # A class whose share rises is about to appear.
        if share < least and not share - earlier.get(name, 0) > least / 5
    ]
    others = [share for share in shares.values() if share >= least]

    # A conditional GAN has learned when most classes are good; another may still find more classes.
    learned = bool(others) and fmean(others) > 0.5 if conditional else not is_improving(checkups)
    if not (missing and learned):
        return None

    noun = "classes" if len(missing) > 1 else "class"
    more = " ..." if len(missing) > MOST_NAMED else ""
    detail = f"{noun} {', '.join(missing[:MOST_NAMED])}{more} missing"
    period = f"in the last {count_noun(len(longer), 'checkup')}"
    most = f"at most {max(shares[name] for name in missing):.0%}"
    if conditional:
        evidence = f"{period} {most} of the samples requested of a missing class look like it"
        action = "Check how many images of these classes the data has."
    else:
        evidence = f"{period} a missing class has {most} of its share in the data"
        action = "Train a class-conditional GAN."
    return Finding("partial collapse", evidence, action, detail)


def _check_discriminator_wins(
    recent: Sequence[Checkup], checkups: Sequence[Checkup]
) -> Finding | None:
    """The discriminator separates nearly all fakes from real images, by a wide margin."""
    separation = mean_of(recent, "separation")
    gap = mean_of(recent, "score_gap")
    # Separation alone is no alarm: from a narrow gap the generator still learns.
    if not (separation > 0.98 and (gap > 20 or (gap > FAR_AHEAD and not is_improving(checkups)))):
        return None

    evidence = (
        f"it scores the real image higher in {separation:.1%} of all pairs, "
        f"by {gap:.1f} on average, usually by 1 to 5"
    )
    if not is_improving(checkups):
        evidence += (
            f"; the generator does not learn: in the last {LONG} checkups samples got neither "
            "closer to real images nor more varied"
        )
    elif progress := measure_progress(checkups):
        evidence += f"; the generator still learns: {progress}"
    action = "Lower its learning rate, e.g. --set optimizers.discriminator.lr=5e-5."
    return Finding("discriminator wins", evidence, action)


def _check_generator_wins(recent: Sequence[Checkup], _: Sequence[Checkup]) -> Finding | None:
    """The discriminator scores fakes above real images."""
    separation = mean_of(recent, "separation")
    # 1/2 is chance.
    if not separation < 0.3:
        return None

    evidence = (
        f"the discriminator scores the real image higher in only {separation:.1%} of all pairs "
        "of a real and a generated image"
    )
    action = "Raise the discriminator's learning rate, or lower the generator's."
    return Finding("generator wins", evidence, action)


def _check_oscillation(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """Samples of the same noise keep changing by more than samples differ from each other."""
    change = mean_of(recent, "change")
    diversity = mean_of(recent, "diversity")
    if not (change > 0.5 and change > diversity) or is_improving(checkups):
        return None

    evidence = (
        f"from one checkup to the next a sample changes {change:.2f} times as much as real images "
        f"differ, while two samples differ {diversity:.2f} times as much"
    )
    action = "Lower both learning rates, or use averaged weights (--set ema_halflife=10000)."
    return Finding("oscillation", evidence, action)


def _check_lattice(recent: Sequence[Checkup], _: Sequence[Checkup]) -> Finding | None:
    """The same fine pattern of pixels lies over the samples."""
    # By key, such as "lattice_2": the period in pixels follows from it.
    found: dict[str, float] = {}
    for key in recent[-1]:
        if key.startswith("lattice_"):
            # The median, since the first samples of a run may be hundreds of times above.
            found[key] = median(checkup.get(key, 0.0) for checkup in recent)
    worst = max(found, key=lambda key: found[key], default="")
    if not (worst and found[worst] > LATTICE):
        return None

    period = worst.removeprefix("lattice_")
    evidence = (
        f"patterns that repeat every {period} pixels have {found[worst]:.1f} times as much energy "
        "in samples as in real images"
    )
    action = (
        "It often fades in a longer run. Transposed convolutions and pixel shuffle leave such "
        "patterns; of the GANs that generate from noise, r3gan enlarges by interpolation."
    )
    return Finding("lattice", evidence, action)


def _check_palette(recent: Sequence[Checkup], checkups: Sequence[Checkup]) -> Finding | None:
    """Samples differ, but all have much the same colours."""
    palette = mean_of(recent, "palette")
    # Below 0.1 improvement is no excuse; below 0.3 a run that improves may still find colours.
    if not (palette < 0.1 or (palette < 0.3 and not is_improving(checkups))):
        return None
    # Where samples are all the same, their colours are, too: that is mode collapse.
    if mean_of(recent, "diversity") < COLLAPSED:
        return None

    evidence = (
        f"the mean colours of samples differ {palette:.2f} times as much as those of real images"
    )
    action = (
        "Train longer, or start again with another seed. If it stays, train a GAN with a "
        "relativistic loss, which pays for every kind of image that is missing."
    )
    return Finding("one palette", evidence, action)


def _check_memorising(recent: Sequence[Checkup], _: Sequence[Checkup]) -> Finding | None:
    """Training images score so far above other real images that the generator is misled."""
    share = mean_of(recent, "overfitting")
    errors = mean_of(recent, "overfitting_errors")
    # A share says nothing where scores hardly differ (drop) or images are few (errors).
    if not (share > 0.4 and errors > 3 and mean_of(recent, "score_drop") > 0.25):
        return None

    evidence = (
        f"the mean score of real images that it was not trained on lies {share:.0%} of the way "
        "from that of training images to that of generated ones"
    )
    action = "Use more images, mirror them (--set flip=true), or stop here."
    return Finding("discriminator memorises", evidence, action)


# The most serious first.
RULES: tuple[Callable[[Sequence[Checkup], Sequence[Checkup]], Finding | None], ...] = (
    _check_divergence,
    _check_dead_gradients,
    _check_mode_collapse,
    _check_partial_collapse,
    _check_discriminator_wins,
    _check_generator_wins,
    _check_oscillation,
    _check_memorising,
    _check_lattice,
    _check_palette,
)

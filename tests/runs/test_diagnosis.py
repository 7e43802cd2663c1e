"""The doctor's conclusions from synthetic checkups, each with one thing wrong."""

from typing import Any

import pytest
from checkups import CLASSES, FAULTS, checkup

from ganvas.runs.checkups import LONG, WINDOW
from ganvas.runs.diagnosis import Diagnosis, diverged
from ganvas.runs.rules import RULES, diagnose
from ganvas.runs.verdict import AHEAD, ALIKE, EARLY, HEALTHY, ILL, Schedule


def diagnosis(count: int, **changes: Any) -> Diagnosis:
    return Diagnosis(checkup(number, **changes) for number in range(count))


def test_every_rule_is_tested():
    assert len(FAULTS) == len(RULES)


def test_healthy_checkups_show_nothing():
    assert diagnosis(3 * LONG).changes == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_condition_appears_lasts_and_clears(name: str):
    run = diagnosis(LONG, **FAULTS[name])
    assert list(run.active) == [name]
    finding = run.active[name]
    assert finding.evidence
    assert finding.action.endswith(".")
    assert [change.state for change in run.changes] == ["appeared"]
    healthy = [checkup(LONG + number) for number in range(3 * LONG)]
    changes = [change for number in healthy for change in run.add(number)]
    assert [(change.state, change.finding.name) for change in changes] == [("cleared", name)]
    assert not run.active
    assert any(line.startswith("Resolved: ") for line in run.describe())


@pytest.mark.parametrize("name", FAULTS)
def test_one_bad_checkup_raises_no_alarm(name: str):
    run = diagnosis(LONG)
    assert run.add(checkup(LONG, **FAULTS[name])) == []


@pytest.mark.parametrize(
    "name",
    [
        "mode collapse",
        "discriminator wins",
        "diverging",
        "generator wins",
        "dead gradients",
        "lattice",
        "one palette",
    ],
)
def test_serious_conditions_are_found_at_once(name: str):
    assert not diagnosis(WINDOW - 1, **FAULTS[name]).changes
    assert [change.finding.name for change in diagnosis(WINDOW, **FAULTS[name]).changes] == [name]


def test_a_generator_that_improves_raises_no_alarm():
    """A healthy MLP GAN on MNIST begins with the discriminator far ahead and similar samples."""
    start = {"separation": 1.0, "score_gap": 14.0, "change": 0.8, "classes": CLASSES | {"owl": 0.0}}
    checkups = [
        checkup(number, **start, distance=4 * 0.97**number, diversity=0.12 * 1.04**number)
        for number in range(2 * LONG)
    ]

    assert Diagnosis(checkups).changes == []

    stuck = [checkup(number, **start, distance=2.0, diversity=0.15) for number in range(2 * LONG)]
    assert {change.finding.name for change in Diagnosis(stuck).changes} == {
        "mode collapse",
        "partial collapse",
        "discriminator wins",
        "oscillation",
    }


def test_the_stronger_lattice_is_named():
    both = diagnosis(WINDOW, lattice_2=2.5, lattice_4=40.0).active["lattice"]
    assert "every 4 pixels have 40.0 times" in both.evidence
    assert not diagnosis(WINDOW, lattice_2=1.9, lattice_4=1.9).active


def test_the_first_samples_of_a_run_do_not_name_a_lattice_by_themselves():
    """The noise of the first checkups may have any spectrum."""
    checkups = [checkup(number, lattice_2=100.0 if number < 2 else 1.0) for number in range(LONG)]
    assert Diagnosis(checkups).changes == []


def test_colours_that_are_still_being_found_are_no_palette():
    found = [checkup(number, palette=0.2, distance=4 * 0.97**number) for number in range(2 * LONG)]
    assert Diagnosis(found).changes == []
    assert list(diagnosis(LONG, palette=0.2).active) == ["one palette"]
    assert not diagnosis(LONG, palette=0.35).active


def test_samples_that_are_all_the_same_are_mode_collapse_alone():
    assert list(diagnosis(LONG, palette=0.02, diversity=0.02).active) == ["mode collapse"]


def test_missing_classes_are_named():
    finding = diagnosis(LONG, classes=CLASSES | {"dog": 0.02, "owl": 0.0}).active[
        "partial collapse"
    ]
    assert finding.title == "partial collapse (classes dog, owl missing)"
    assert "2%" in finding.evidence
    agreement = {"classes": None, "agreement": {"0": 0.9, "1": 0.95, "9": 0.0}}
    checkups = [checkup(number, **agreement) for number in range(2 * WINDOW)]
    for values in checkups:
        del values["classes"]
    assert (
        Diagnosis(checkups).active["partial collapse"].title == "partial collapse (class 9 missing)"
    )


def test_what_was_not_measured_shows_nothing():
    """Some GANs have no comparable scores, and data without labels has no classes."""
    bare = [
        {
            "images": number,
            "generator/gradient_norm": 1.0,
            "generator/weight_norm": 9.0,
            "diversity": 0.9,
            "distance": 1.0,
        }
        for number in range(2 * LONG)
    ]
    assert diagnose(bare) == []


def test_growing_weights():
    slowly = [
        checkup(number, **{"generator/weight_norm": 30 * 1.05**number})
        for number in range(2 * LONG)
    ]
    assert Diagnosis(slowly).changes == []
    fast = [
        checkup(number, **{"generator/weight_norm": 30 * 1.3**number}) for number in range(LONG + 5)
    ]
    assert list(Diagnosis(fast).active) == ["diverging"]
    assert "generator's weights" in Diagnosis(fast).active["diverging"].evidence


def test_the_diagnosis_is_a_function_of_the_log():
    entries = [
        checkup(number, **(FAULTS["mode collapse"] if number < LONG else {}))
        for number in range(3 * LONG)
    ]
    whole = Diagnosis(entries)
    again = Diagnosis(entries[: LONG + 2])
    for entry in entries[LONG + 2 :]:
        again.add(entry)
    assert again.changes == whole.changes
    noise = [{"images": 1, "kind": "losses", "generator": 1.0}]
    assert Diagnosis.of([*noise, *entries]).changes == whole.changes


def test_losses_that_are_not_finite_end_as_diverging():
    log = [
        checkup(0),
        {
            "images": 1_500,
            "kind": "condition",
            **diverged(1_500, "the generator's loss is NaN").entry(),
        },
    ]
    run = Diagnosis.of(log)
    assert run.describe()[0].startswith(
        "diverging, since 1,500 images: the generator's loss is NaN."
    )


@pytest.mark.parametrize(
    "small", [{"overfitting": 0.1}, {"overfitting_errors": 1.0}, {"score_drop": 0.05}]
)
def test_a_little_overfitting_is_not_memorising(small: dict[str, float]):
    assert diagnosis(LONG, **FAULTS["discriminator memorises"] | small).changes == []


def test_a_generator_that_rests_or_never_differs_is_no_error():
    """With several critic updates per generator update, a checkup may see no generator gradient."""
    resting = [checkup(number) for number in range(LONG)]
    for values in resting[:-2]:
        del values["generator/gradient_norm"]
    assert Diagnosis(resting).changes == []
    constant = diagnosis(2 * LONG, diversity=0.0, change=0.9, **{"generator/weight_norm": 0.0})
    assert {"mode collapse", "oscillation"} <= constant.active.keys()


def test_too_early_is_a_state_that_says_what_it_waits_for():
    run = diagnosis(2)
    assert run.verdict.state == EARLY
    # Two checkups at 1,000 and 2,000 images: the period follows from them, or is known.
    assert run.describe() == ["Too early to tell: waits for checkup 5 of 5, at about 5,000 images."]
    known = Diagnosis(schedule=Schedule(2_500, 100_000))
    assert known.describe() == [
        "Too early to tell: waits for checkup 5 of 5, at about 12,500 images."
    ]
    short = Diagnosis([checkup(0)], Schedule(1_000, 2_000))
    assert "the run ends before that: train longer (--images 5000)" in short.describe()[0]
    assert "--set health_every=400" in short.describe()[0]
    assert diagnosis(WINDOW - 1).verdict.state == EARLY
    assert diagnosis(WINDOW).verdict.state == HEALTHY


def test_healthy_checkups_are_counted():
    assert diagnosis(LONG).describe() == [f"No problems found ({LONG} checkups)."]
    (line,) = diagnosis(WINDOW).describe()
    assert line.startswith(f"No problems found ({WINDOW} checkups); whether the generator stands")
    assert "will be known at checkup 20, at about 20,000 images" in line


def test_a_discriminator_far_ahead_is_no_problem_while_the_generator_learns():
    ahead = {"separation": 1.0, "score_gap": 9.0}
    early = diagnosis(WINDOW, **ahead)
    assert early.verdict.state == AHEAD
    assert "whether the generator still learns will be known at checkup 20" in early.describe()[0]

    learning = [checkup(number, **ahead, distance=4 * 0.97**number) for number in range(LONG)]
    run = Diagnosis(learning)
    assert (run.verdict.state, run.active) == (AHEAD, {})
    assert "the generator still learns: samples got 37% closer" in run.describe()[0]

    standing = diagnosis(LONG, **ahead)
    assert standing.verdict.state == ILL
    evidence = standing.active["discriminator wins"].evidence
    assert "the generator does not learn: in the last 20 checkups" in evidence
    # By such a margin it is an alarm, though the generator learns.
    wide = [values | {"score_gap": 25.0} for values in learning]
    assert "still learns" in Diagnosis(wide).active["discriminator wins"].evidence


def test_samples_that_are_alike_are_not_called_healthy_while_they_improve():
    checkups = [checkup(number, diversity=0.05 * 1.05**number) for number in range(LONG)]
    run = Diagnosis(checkups)
    assert (run.verdict.state, run.active) == (ALIKE, {})
    assert (
        "only 0.11 times as much as real images do; the generator still learns"
        in (run.describe()[0])
    )
    assert diagnosis(WINDOW, diversity=0.1).verdict.state == ALIKE


@pytest.mark.parametrize("count", [1, WINDOW, LONG])
@pytest.mark.parametrize("key", ["classes", "agreement"])
def test_a_class_of_few_that_no_sample_looks_like_is_always_named(count: int, key: str):
    """From the first checkup on, and while samples improve."""
    five = {"a": 1.0, "b": 0.9, "c": 0.8, "d": 1.1}
    run = Diagnosis(
        checkup(number, **{key: five | {"e": 0.0}}, distance=4 * 0.97**number)
        | ({} if key == "classes" else {"classes": {}})
        for number in range(count)
    )
    assert any("class e" in line or "classes e" in line for line in run.describe())
    few = diagnosis(count, classes=five | {"e": 0.1})
    assert not any("no sample" in line for line in few.describe())
    many = {str(number): 0.0 if number == 3 else 1.0 for number in range(30)}
    assert not any("no sample" in line for line in diagnosis(count, classes=many).describe())


def test_checkups_that_measured_nothing_show_nothing():
    assert Diagnosis({"images": number, "kind": "health"} for number in range(LONG)).changes == []

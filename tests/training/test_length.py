"""The length of a run, and what depends on it: settings, schedules, looks."""

import pytest

from ganvas.recipes import get_recipe
from ganvas.recipes.length import OFTENER, change_length, take_length
from ganvas.recipes.recipe import change
from ganvas.training.budget import Costs, TooShortError, fit_length


def test_a_length_changes_all_that_depends_on_it():
    recipe = get_recipe(
        "avatars-fast"
    )  # 120,000 images, a half-life of 10,000, reports every 4,000
    half = change_length(recipe, 60_000, "why")
    assert (half.images, half.ema_halflife, half.report_every) == (60_000, 5_000, 2_000)
    assert half.reasons["images"] == "why"
    assert half.reasons.keys() == {"images", "ema_halflife", "report_every"}

    # never longer than it was made for; reports as many as before
    twice = change_length(recipe, 240_000, "why")
    assert (twice.ema_halflife, twice.report_every) == (10_000, 8_000)
    # a report covers whole periods of the penalty
    assert change_length(recipe, 6_000, "why").report_every == 16 * recipe.batch
    assert change_length(recipe, 60_000, "why", {"ema_halflife"}).ema_halflife == 10_000


def test_low_losses_do_not_end_a_run_that_was_given_a_length():
    recipe = get_recipe("mnist-mlp")
    fitted = change_length(recipe, 400_000, "why")
    assert recipe.stop_below and fitted.stop_below == {}
    # resumed by its name again and again, also when it is made longer
    resumed = fitted
    for images in (400_000, 500_000, 600_000):
        resumed = change(take_length(recipe, resumed), {"images": images})
        assert resumed.stop_below == {}
    for given in ("stop_below", "stop_below.generator"):
        assert change_length(recipe, 400_000, "why", {given}).stop_below == recipe.stop_below


def test_schedules_keep_their_shares():
    recipe = get_recipe("cifar10-r3gan")
    tenth = change_length(recipe, recipe.images // 10, "why")
    before, after = recipe.optimizers["generator"], tenth.optimizers["generator"]
    assert before.burn_in
    assert after.burn_in == round(before.burn_in / 10)
    assert tenth.options["burn_in"] == round(recipe.options["burn_in"] / 10)
    assert recipe.ema_burn_in
    assert tenth.ema_burn_in == round(recipe.ema_burn_in / 10)
    stairs = change_length(get_recipe("gawwn-box"), 99_600, "why").optimizers["text"]
    assert stairs.decay_every == 100 * 1_660 / 10


def test_the_length_fits_the_time():
    recipe = get_recipe("avatars-fast")
    costs = Costs(step=0.1, grid=0.2, checkup=0.3, save=0.1, start=1.0)
    fitted = fit_length(recipe, costs, 200, "As many as fit.", {})
    steps = fitted.images / recipe.batch
    looks = sum(
        cost * (fitted.images / fitted.period(key) + 1) for key, cost in costs.looks().items()
    )
    spent = steps * costs.step + looks + costs.start
    assert 180 < spent < 200
    assert fitted.reasons["images"] == "As many as fit. 500 images/s were measured here."


def test_most_of_a_short_time_is_left_for_training():
    costs = Costs(step=0.1, grid=2.0, checkup=1.0, save=1.0)
    fitted = fit_length(get_recipe("avatars-fast"), costs, 100, "", {})
    counts = {key: fitted.images / fitted.period(key) for key in costs.looks()}
    # the usual 50 grids alone would take all of it
    assert 5 <= counts["sample_every"] <= 10
    assert "Rarer than usual" in fitted.reasons["sample_every"]
    assert fitted.images / 50 * costs.step > 60

    kept = fit_length(get_recipe("avatars-fast"), costs, 100, "", {"sample_every": 500})
    assert "sample_every" not in kept.reasons


def test_a_long_run_is_seen_to_move():
    costs = Costs(step=0.05, grid=1.0, checkup=1.0, save=0.1)
    recipe = get_recipe("avatars-fast")
    day = fit_length(recipe, costs, 24 * 3600, "", {})
    a_second = recipe.batch / costs.step  # images
    assert day.period("report_every") <= 30 * a_second
    assert day.period("sample_every") <= 300 * a_second
    assert day.period("checkpoint_every") <= 1800 * a_second
    assert day.report_every and day.report_every % (16 * recipe.batch) == 0  # whole penalties
    assert day.reasons["sample_every"] == OFTENER
    assert take_length(recipe, day).sample_every == day.sample_every  # resumed by its name

    slow = Costs(
        step=0.05, grid=60.0
    )  # drawn every five minutes, grids would take a fifth of the time
    assert (
        fit_length(recipe, slow, 24 * 3600, "", {}).period("sample_every") >= 1200 * a_second / 1.1
    )

    asked = fit_length(recipe, costs, 24 * 3600, "", {"sample_every": 5_000_000})
    assert "sample_every" not in asked.reasons


def test_too_short_a_time():
    costs = Costs(step=1.0, start=5.0)
    with pytest.raises(TooShortError, match=r"only 10 seconds left for training.*needs 30 seconds"):
        fit_length(get_recipe("digits"), costs, 10, "", {})
    assert fit_length(get_recipe("digits"), costs, 30, "", {}).images == 20 * 50

"""Curves of losses: how they are collected, their limits, their running mean."""

import numpy as np
import pytest
from written_runs import losses

from ganvas.runs.curves import choose_limits, collect_curves, collect_losses, running_mean


def test_curves_are_separated_by_key_and_kind():
    measured = {"images": 200, "kind": "measured", "generator": 5}
    found = collect_curves([losses(100, 1.0), measured, losses(200, float("inf"))], "losses")
    np.testing.assert_array_equal(found["generator"], [[100, 2], [200, np.nan]])
    assert set(found) == {
        "discriminator",
        "generator",
        "discriminator/real",
        "discriminator/fake",
        "opinion",
    }


def test_limits_leave_out_few_spikes_and_say_so():
    line = np.stack([np.arange(100.0), np.linspace(1, 2, 100)], 1)
    assert choose_limits([line]) == (pytest.approx(0.94), pytest.approx(2.06), [])
    line[40, 1], line[41, 1], line[50, 1] = 1000, -50, np.nan
    low, high, notes = choose_limits([line])
    assert 0.9 < low < high < 2.1
    assert notes == [
        "1 not finite",
        "1 above the frame, up to 1,000",
        "1 below the frame, down to -50",
    ]
    line[60:70, 1] = 500  # not a spike: the run itself
    assert choose_limits([line])[1] > 500


def test_limits_of_a_constant_and_of_nothing():
    low, high, _ = choose_limits([np.array([[1.0, 3.0], [2.0, 3.0]])])
    assert low < 3 < high
    assert choose_limits([np.array([[1.0, np.nan]])]) == (0, 1, ["1 not finite"])


def test_running_mean_passes_over_gaps():
    values = np.array([1.0, np.nan, 3.0, 5.0])
    np.testing.assert_allclose(running_mean(values, 3), [1, 2, 4, 4])
    assert np.isnan(running_mean(np.array([np.nan, np.nan]), 2)).all()


def test_losses_are_columns_of_equal_length():
    second = losses(200, 2.0) | {"late": 7.0}
    del second["opinion"]
    found = collect_losses([losses(100, 1.0), {"images": 150, "kind": "health"}, second])
    assert next(iter(found)) == "images"
    np.testing.assert_array_equal(found["images"], [100, 200])
    np.testing.assert_array_equal(found["generator"], [2, 4])
    np.testing.assert_array_equal(found["opinion"], [0.5, np.nan])
    np.testing.assert_array_equal(found["late"], [np.nan, 7])
    assert list(collect_losses([])) == ["images"]

"""Automatic settings of a run that begins with the weights of another one."""

from dataclasses import replace

import pytest

from ganvas.data.view import View
from ganvas.recipes import get_recipe
from ganvas.recipes.auto_from import decide_from
from ganvas.recipes.choices import FEW
from ganvas.recipes.facts import DataFacts
from ganvas.recipes.recipe import REQUESTED, Recipe, change
from ganvas.recipes.sides import Framing

FACES = DataFacts(View(size=48, channels=3), "image", Framing(48, "crop", 64), 300, 0, True)


def decide(name: str, facts: DataFacts, **given: object) -> Recipe:
    """The recipe of a run, with what is chosen for new data."""
    recipe = get_recipe(name)
    choices = decide_from(recipe, facts, given)
    changed = change(recipe, choices.values)
    return changed.model_copy(update={"reasons": choices.reasons})


def test_few_images_lower_the_rates_and_are_augmented():
    recipe, theirs = decide("avatars-fast", FACES), get_recipe("avatars-fast")
    for player, adam in recipe.optimizers.items():
        own = theirs.optimizers[player]
        assert adam == own.model_copy(update={"lr": pytest.approx(0.3 * own.lr)})
    assert recipe.options["augmentation"] == "adaptive"
    assert recipe.options | {"augmentation": "none"} == theirs.options | {"augmentation": "none"}
    assert (recipe.batch, recipe.flip, recipe.images) == (50, True, 15_000)
    assert "few images do not undo" in recipe.reasons["optimizers"]


def test_enough_images_keep_the_rates():
    recipe = decide("avatars-fast", replace(FACES, images=FEW))
    assert recipe.optimizers == get_recipe("avatars-fast").optimizers
    assert recipe.options == get_recipe("avatars-fast").options
    assert recipe.images == get_recipe("avatars-fast").images
    assert "there are enough images" in recipe.reasons["optimizers"]


def test_a_batch_is_at_most_half_of_the_images():
    recipe = decide("avatars-fast", replace(FACES, images=60))
    assert (recipe.batch, recipe.reasons["batch"]) == (30, "Half of the 60 images.")


def test_burn_ins_are_over():
    recipe, theirs = decide("ffhq-64-r3gan", FACES), get_recipe("ffhq-64-r3gan")
    for player, adam in recipe.optimizers.items():
        end = theirs.optimizers[player].lr_end
        assert end and adam.burn_in == 0
        assert adam.lr_at(0, 100) == adam.lr_at(100, 100) == pytest.approx(0.3 * end)
        assert adam.betas_at(0)[1] == theirs.optimizers[player].beta2_end
    assert (recipe.options["burn_in"], recipe.options["augmentation"]) == (0, 0.5)
    assert recipe.ema_burn_in is None


def test_requested_settings_are_kept():
    recipe = decide("avatars-fast", FACES, images=7, **{"options.augmentation": "none"})
    assert (recipe.images, recipe.options["augmentation"]) == (7, "none")
    assert recipe.reasons["images"] == REQUESTED

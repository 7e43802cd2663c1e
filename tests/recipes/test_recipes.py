"""Recipes: the numbers of the tutorials and papers, changes of them, and helpful errors."""

import inspect

import pytest
import torch
from tiny import make_schema

from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.options import build_gan, option_defaults
from ganvas.recipes import RECIPES, get_recipe
from ganvas.recipes.recipe import Adam, Recipe, change, parse_value

BATCH = 128  # of the first three
STILL = {
    "decay": 1.0,
    "decay_every": None,
    "constant": None,
    "burn_in": 0,
    "lr_end": None,
    "beta2_end": None,
}
SLOW = {"lr": 2e-4, "beta1": 0.5, "beta2": 0.999, **STILL}
SOURCES = {
    "mnist-mlp": {
        "gan": "mlp",
        "data": "mnist",
        "subset": "5000:60000",
        "size": 28,
        "channels": 1,
        "batch": 128,
        "images": 100_000 * BATCH,
        "adam": {**SLOW, "beta1": 0.9},
        "report_every": 1000 * BATCH,
        "checkpoint_every": 1000 * BATCH,
        "keep": 5,
        "stop_below": {"generator": 3.0, "discriminator": 0.4},
    },
    "mnist-mlp-deep": {
        "gan": "mlp-deep",
        "data": "mnist",
        "size": 28,
        "channels": 1,
        "batch": 128,
        "replacement": True,
        "seed": 10,
        "adam": SLOW,
        "sample_every": 469 * BATCH,
    },
    "mnist-mlp-tanh": {
        "gan": "mlp-tanh",
        "data": "mnist",
        "subset": "5000:60000",
        "size": 28,
        "channels": 1,
        "batch": 128,
        "replacement": True,
        "images": 200 * BATCH,
        "adam": {**SLOW, "lr": 1e-3, "beta1": 0.9},
        "report_every": BATCH,
    },
    "mnist-cdcgan": {
        "gan": "cdcgan",
        "data": "mnist",
        "subset": "5000:60000",
        "size": 28,
        "channels": 1,
        "batch": 100,
        "replacement": False,
        "images": 30 * 55_000,
        "adam": {**SLOW, "decay": 0.95, "decay_every": 500 * 100},
        "measure_every": 55_000,
    },
    "avatars-dcgan": {
        "gan": "avatar-dcgan",
        "data": None,
        "size": 48,
        "channels": 3,
        "batch": 64,
        "images": 60 * 8_903,
        "adam": SLOW,
    },
    "dcgan-64": {
        "gan": "dcgan",
        "data": None,
        "size": 64,
        "channels": 3,
        "batch": 128,
        "adam": SLOW,
    },
    "stacked-mnist": {
        "gan": "dcgan",
        "size": 28,
        "channels": 3,
        "batch": 64,
        "images": 50 * 128_000,
        "adam": SLOW,
    },
    "sngan": {"data": None, "size": 32, "batch": 64, "adam": {**SLOW, "beta1": 0.0, "beta2": 0.9}},
    "wgan-gp": {
        "data": None,
        "size": 32,
        "batch": 64,
        "adam": {**SLOW, "lr": 1e-4, "beta1": 0.0, "beta2": 0.9},
    },
    "rings": {
        "gan": "points",
        "size": 1,
        "channels": 2,
        "batch": 100,
        "adam": {**SLOW, "lr": 1e-3, "beta1": 0.8},
    },
    "grid": {
        "gan": "points",
        "size": 1,
        "channels": 2,
        "batch": 100,
        "adam": {**SLOW, "lr": 1e-3, "beta1": 0.8},
    },
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_numbers_of_tutorials_and_papers(name):
    recipe = get_recipe(name).model_dump()
    expected = dict(SOURCES[name])
    adam = expected.pop("adam")
    assert recipe["optimizers"] == {"generator": adam, "discriminator": adam}
    assert {key: recipe[key] for key in expected} == expected
    # The source's layers are the GAN's defaults; nothing that it does not do is on.
    assert recipe["options"] == {}
    assert (recipe["flip"], recipe["ema_halflife"], recipe["precision"]) == (False, None, "fp32")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds(name):
    recipe = get_recipe(name)
    assert recipe.name == name
    assert len(inspect.getdoc(RECIPES[name]) or "") > 40
    with torch.device("meta"):
        gan = build_gan(
            recipe.gan, make_schema(recipe.size, recipe.channels or 3, 10), recipe.options
        )
    assert gan.players().keys() == recipe.optimizers.keys()
    assert recipe.view.size == recipe.size


@pytest.mark.parametrize("name", RECIPES)
def test_a_report_covers_whole_periods_of_a_lazy_penalty(name):
    """Else the mean of the penalty jumps from one report to the next."""
    recipe = get_recipe(name)
    options = option_defaults(recipe.gan) | recipe.options
    if "penalty_every" in options:
        report = recipe.report_every or recipe.images // 200
        assert report % (recipe.batch * options["penalty_every"]) == 0


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_survives_json(name):
    recipe = change(get_recipe(name), {"stop_below.generator": 0.5})
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_the_rate_falls_in_stairs():
    adam = Adam(lr=2e-4, decay=0.95, decay_every=50_000)
    rates = [
        adam.lr_at(images, 10**6) for images in (0, 49_999, 50_000, 99_999, 100_000, 1_000_000)
    ]
    assert rates == pytest.approx(
        [2e-4, 2e-4, 1.9e-4, 1.9e-4, 1.805e-4, 2e-4 * 0.95**20], rel=1e-12
    )
    assert Adam(lr=2e-4).lr_at(10**9, 10**9) == 2e-4


def test_periods_in_images():
    recipe = change(get_recipe("dcgan-64"), {"images": 1_000_000, "report_every": None})
    assert [
        recipe.period(name) for name in ("report_every", "sample_every", "checkpoint_every")
    ] == [5_000, 20_000, 50_000]
    assert change(recipe, {"report_every": 700}).period("report_every") == 700
    assert change(recipe, {"report_every": 1}).period("report_every") == recipe.batch
    assert change(recipe, {"images": 500}).period("report_every") == recipe.batch


# Changes


def test_changes_reach_their_key_alone():
    before = get_recipe("digits")
    changes = {
        "batch": 64,
        "options.width": 32,
        "optimizers.generator.lr": 1e-4,
        "stop_below.discriminator": 0.1,
        "measure_every": 1000,
    }
    after = change(before, changes)

    assert (after.batch, after.options, after.optimizers["generator"].lr) == (
        64,
        {"width": 32},
        1e-4,
    )
    assert after.optimizers["discriminator"] == before.optimizers["discriminator"]
    assert after.optimizers["generator"].beta2 == before.optimizers["generator"].beta2
    assert (after.stop_below, after.measure_every) == ({"discriminator": 0.1}, 1000)

    touched = {"batch", "options", "optimizers", "stop_below", "measure_every"}
    assert after.model_dump(exclude=touched) == before.model_dump(exclude=touched)
    assert before == get_recipe("digits")
    assert change(after, {"options.gamma": 1.0}).options == {"width": 32, "gamma": 1.0}


def test_every_option_can_be_changed():
    for name in RECIPES:
        recipe = get_recipe(name)
        for option, default in option_defaults(recipe.gan).items():
            assert change(recipe, {f"options.{option}": default}).options == recipe.options | {
                option: default
            }


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("optionss.width", "options"),
        ("bacth", "batch"),
        ("options.widht", "options.width"),
        ("optimizers.generator.l", "optimizers.generator.lr"),
        ("optimizers.generatr.lr", "generator"),
        ("batch.size", "batch"),
        ("options.width.deep", "width"),
        ("xyzzy", "known: "),
    ],
)
def test_unknown_keys_name_the_nearest(key, nearest):
    with pytest.raises(
        UserError, match=rf"^unknown key '{key}'; (did you mean )?.*\b{nearest}"
    ) as error:
        change(get_recipe("digits"), {key: 1})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("batch", 0, "greater than 0"),
        ("batch", "many", "valid integer"),
        ("batch", 1.5, "valid integer"),
        ("images", -5, "greater than 0"),
        ("seed", -1, "greater than or equal to 0"),
        ("size", 0, "greater than or equal to 1"),
        ("channels", 17, "less than or equal to 16"),
        ("precision", "fp8", "'fp32' or 'bf16'"),
        ("fit", "squeeze", "'crop'"),
        ("options", 3, "valid dictionary"),
        ("optimizers.generator.lr", 0, "greater than 0"),
        ("optimizers.generator.lr", "fast", "valid number"),
        ("optimizers.generator.lr", float("nan"), "finite"),
        ("optimizers.generator.lr", float("inf"), "finite"),
        ("optimizers.generator.beta1", 1, "less than 1"),
        ("optimizers.generator.decay", 1.1, "less than or equal to 1"),
        ("stop_below.generator", "low", "valid number"),
        ("gan", "dcgn", "dcgan"),
    ],
)
def test_values_that_are_not_allowed(key, value, reason):
    with pytest.raises(UserError, match=reason) as error:
        change(get_recipe("digits"), {key: value})
    assert str(error.value).startswith(f"{key}=")
    assert "\n" not in str(error.value)


def test_all_wrong_values_are_reported_at_once():
    with pytest.raises(UserError, match=r"^batch=0: .*; images=-1: "):
        change(get_recipe("digits"), {"batch": 0, "images": -1})


def test_a_change_of_gan_takes_the_new_options():
    changed = change(get_recipe("dcgan-64"), {"gan": "mlp", "options.hidden": 64})
    assert changed.options == {"hidden": 64}


def test_unknown_recipe():
    with pytest.raises(UserError, match=r"unknown recipe 'minst-mlp'; did you mean .*mnist-mlp"):
        get_recipe("minst-mlp")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64", 64),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e-4", 1e-4),
        ("true", True),
        ("null", None),
        ("[1, 2]", [1, 2]),
        ('{"width": 2}', {"width": 2}),
        ('"12"', "12"),
        ("fashion-mnist", "fashion-mnist"),
        ("C:\\pictures", "C:\\pictures"),
        ("", ""),
    ],
)
def test_values_on_the_command_line(text, value):
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)


def test_every_gan_has_a_recipe():
    assert {get_recipe(name).gan for name in RECIPES} == GANS.keys()

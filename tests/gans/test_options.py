"""Options and sizes of which no GAN can be built are refused."""

import pytest
from tiny import (
    generate_images,
    list_unconditional,
    make_gan,
    make_schema,
)

from ganvas.errors import UserError
from ganvas.gans import GANS
from ganvas.gans.options import build_gan

CONVOLUTIONAL = [
    name
    for name in list_unconditional()
    if not name.startswith("mlp") and GANS[name].kind == "image"
]


@pytest.mark.parametrize("name", CONVOLUTIONAL)
@pytest.mark.parametrize("size", [1, 7, 50, 100])
def test_sizes_that_cannot_be_doubled_to_are_refused(name, size):
    with pytest.raises(UserError, match=rf"^size {size} cannot be made .*: \d+"):
        make_gan(name, size)


@pytest.mark.parametrize("name", ["mlp", "mlp-deep", "mlp-tanh"])
def test_flat_images_may_have_any_size(name):
    assert generate_images(make_gan(name, 7).eval()).shape == (3, 1, 7, 7)


@pytest.mark.parametrize("name", [name for name in GANS if "label" in GANS[name].requires])
def test_labels_are_needed(name):
    with pytest.raises(UserError, match="needs classes: sub-folders as classes"):
        make_gan(name, classes=0)


@pytest.mark.parametrize(
    "options", [{"width": "wide"}, {"width": -2}, {"widht": 3}, {"kernel": 4.5}]
)
def test_options_that_make_no_network_are_refused_in_one_line(options):
    with pytest.raises(UserError, match=r"options\.wid(th|ht)|options\.kernel") as refusal:
        build_gan("dcgan", make_schema(8, 1), options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("relativistic", "penalty_every", 0),
        ("relativistic", "gamma", "strong"),
        ("mlp-tanh", "generator_updates", 0),
        ("avatar-dcgan", "generator_updates", 1.5),
        ("dcgan", "width", 0),
        ("mlp", "noise_size", 0),
    ],
)
def test_options_outside_their_range_are_refused(name, option, value):
    with pytest.raises(UserError, match=option):
        make_gan(name, **{option: value})

"""A class is asked for by its name; a number is a place only where no class is called by one."""

import pytest
from tiny import OPTIONS, make_schema, refused_in_one_line

from ganvas.gans.base import GAN
from ganvas.gans.options import build_gan
from ganvas.inference.sampling import class_number


def make(*classes: str) -> GAN:
    schema = make_schema(8, 1).model_copy(update={"names": {"label": classes}})
    return build_gan("cdcgan", schema, OPTIONS["cdcgan"])


@pytest.mark.parametrize(
    ("classes", "label", "number"),
    [
        (("1", "2", "3"), "3", 2),
        (("1", "2", "3"), 3, 2),
        (("0", "1", "3"), "3", 2),
        (("-1", "1"), "-1", 0),
        (("cat", "dog"), "dog", 1),
        (("cat", "dog"), 1, 1),
        (("cat", "dog"), "0", 0),
    ],
)
def test_names_come_first(classes: tuple[str, ...], label: str | int, number: int):
    assert class_number(make(*classes), label) == number


@pytest.mark.parametrize(
    ("classes", "label"),
    [
        (("0", "1", "3"), "2"),
        (("0", "1", "3"), 2),
        (("1", "2", "3"), "0"),
        (("01", "02"), "1"),
        (("0.5", "1.5"), "1"),
        (("1", "2", "other"), "0"),  # one number is enough for a person to mean a name
        (("cat", "dog"), "2"),
        (("cat", "dog"), "-1"),
    ],
)
def test_a_number_that_is_no_name_is_an_error(classes: tuple[str, ...], label: str | int):
    refused_in_one_line(
        lambda: class_number(make(*classes), label), f"the classes are {', '.join(classes)}"
    )

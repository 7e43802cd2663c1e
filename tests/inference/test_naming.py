"""Names of the files of samples."""

import pytest
from tiny import refused_in_one_line

from ganvas.inference.naming import Naming


def test_names_are_numbers_that_sort_or_patterns():
    assert [Naming().name(number, 200) for number in (0, 199)] == ["00000", "00199"]
    assert Naming(start=99_999).name(1, 2) == "100000"
    assert Naming("{n}.jpg", 3).name(4, 99) == "7"
    assert Naming("face-{n:04}.png").name(4, 99) == "face-0004"
    assert Naming("v1.2-{n}").name(4, 99) == "v1.2-4"


def test_the_ending_decides_the_format():
    assert Naming("{n}.jpg").choose_format("png") == "jpg"
    assert Naming("{n}.JPEG").choose_format("png") == "jpg"
    assert Naming("{n}").choose_format("jpg") == "jpg"
    refused_in_one_line(lambda: Naming("{n}.png").choose_format("jpg"), "give one format")


@pytest.mark.parametrize(
    "pattern",
    [
        *("../{n}", "a/{n}.png", "a\\{n}", "c:{n}", ".{n}", "{n}\n", " {n}", "x" * 200 + "{n}"),
        *("{x}", "{n.__class__}", "{n!r}", "{", "", ".png", "{n}.gif"),
    ],
)
def test_other_patterns_are_refused(pattern: str):
    refused_in_one_line(lambda: Naming(pattern), "--names")


def test_several_files_need_a_number():
    Naming("one.png").check(1)
    refused_in_one_line(lambda: Naming("one.png").check(2), "put {n}")
    refused_in_one_line(lambda: Naming(start=-1), "--start -1")

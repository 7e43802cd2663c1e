"""The texts of the page: both languages say the same things."""

import re
from pathlib import Path

import pytest
from page_texts import PLACE, find_asked, read_texts
from sentences import find_settings

from ganvas.data.view import View
from ganvas.evaluation.inputs import ENOUGH
from ganvas.evaluation.registry import BETTER
from ganvas.studio.api.wanted import LookBody

STATIC = Path(__file__).parents[2] / "src" / "ganvas" / "studio" / "static"
FILES = sorted((STATIC / "texts").glob("*.js"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_both_languages_have_the_same_keys_and_places(file: Path):
    english, chinese = read_texts(file)
    assert english and english.keys() == chinese.keys()
    for key, text in english.items():
        assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(chinese[key])), key


def test_settings_that_are_explained_have_names():
    names = read_texts(STATIC / "texts" / "frame.js")[0]
    assert [key for key in sorted(find_settings()) if f"setting.{key}" not in names] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_chinese_texts_are_chinese(file: Path):
    english, chinese = read_texts(file)
    for key, text in chinese.items():
        if text == english[key]:  # names, symbols and formulas
            assert len(re.findall(r"\b[A-Za-z]{3,}[\w-]*", text)) <= 1, key


def test_every_text_that_the_page_asks_for_exists():
    known = {key for file in FILES for key in read_texts(file)[0]}
    asked = set()
    for file in STATIC.rglob("*.js"):
        if file.parent.name != "texts":
            asked |= find_asked(file)
    assert asked and asked <= known


def test_every_setting_of_the_data_has_a_name_and_a_help():
    known = read_texts(STATIC / "texts" / "new.js")[0]
    settings = set(LookBody.model_fields) & set(View.model_fields)
    assert {f"new.{key}" for key in settings} | {f"new.help-{key}" for key in settings} <= set(
        known
    )


def test_the_players_of_a_what_if_page_have_the_colours_of_the_studio_in_the_dark():
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    page = (STATIC.parents[1] / "whatif" / "page.html").read_text(encoding="utf-8")
    d, g = (re.findall(rf"--{name}: (#\w+);", style)[1] for name in "dg")
    assert f"--curve-0: {d}; --curve-1: {g};" in page


def test_the_page_explains_every_metric_and_no_other():
    source = (STATIC / "views" / "judge" / "metrics.js").read_text(encoding="utf-8")
    table = source[source.index("METRICS") :]
    table = table[: table.index("};")]
    explained = set(re.findall(r"(\w+): \{ group", table))
    assert explained == set(BETTER)


def test_the_page_trusts_copies_from_as_many_unseen_images_as_the_evaluation():
    source = (STATIC / "views" / "judge" / "metrics.js").read_text(encoding="utf-8")
    (number,) = re.findall(r"ENOUGH_UNSEEN = (\d+);", source)
    assert int(number) == ENOUGH

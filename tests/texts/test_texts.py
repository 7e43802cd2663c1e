"""The table of texts: nothing that people read is missing, and both languages say the same."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sentences import find_sentences

from ganvas.recipes import RECIPES
from ganvas.texts import localise
from ganvas.texts.sentences import find_chinese
from ganvas.texts.table import FOLDER, NUMBERS, PLACE, Template, read_rows

from .collected import Found, collect_examples, collect_help, collect_page, collect_texts

# Texts of the source that stay as they are (commands, names), and those that several rows hold.
STAY = set(Path(__file__).with_name("english.txt").read_text(encoding="utf-8").splitlines())
HAN = re.compile("[\u4e00-\u9fff]")
# Words that the Chinese may have where the English has others.
FIELD = {"JPEG", "Lite", "Frechet", "true", "false"}
# A short row may fit into the middle of a sentence, and leave the rest of it in English.
LEFT = re.compile("[a-z]{2,} [a-z]+ [a-z]{2,}")
QUOTED = re.compile(r'"[^"]*"|\b(ganvas|hf|npm|pip) [a-z][\w .:=/-]*')  # or a command


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_LANG", "zh")


def fill(template: str) -> str:
    """A template with a value at each place, which is no word of the table."""
    return PLACE.sub(lambda place: "7" if place[1] in NUMBERS else "Xq", template)


def split_parts(template: str) -> list[str]:
    """The parts of a template of several; empty if it is of one."""
    parts = re.split(r"; |\. ", template)
    return parts if len(parts) > 1 else []


def collect_recipes() -> Iterator[Found]:
    """What `ganvas recipes NAME` says of each recipe."""
    for name, recipe in RECIPES.items():
        for paragraph in (inspect.getdoc(recipe) or "").split("\n\n"):
            yield Found(" ".join(paragraph.split()), f"the recipe {name}")


def test_everything_that_people_read_has_a_row():
    missing = {}
    outside = [*collect_help(), *collect_examples(), *collect_page(), *collect_recipes()]
    for text in [*collect_texts(), *outside]:
        template = text.template.replace("\n", "\\n")
        if template in STAY:
            continue
        found = find_chinese(fill(text.template))
        if found is None or LEFT.search(QUOTED.sub("", found)):
            missing[template] = text.where
    rows = [
        f'  [{json.dumps(text, ensure_ascii=False)}, ""],  ({where})'
        for text, where in missing.items()
    ]
    assert not missing, "\n".join(["add to a file of src/ganvas/texts/zh:", *rows])


def test_texts_that_stay_english_are_there():
    found = {text.template.replace("\n", "\\n") for text in collect_texts()}
    assert sorted(STAY - found) == []


def test_sentences_that_are_put_together_are_wholly_chinese():
    for sentence in find_sentences():
        chinese = localise(sentence)
        assert HAN.search(chinese), sentence
        # names, flags and commands stay
        words = re.sub(r"--[\w-]+( [\w.,:=-]+)?", "", chinese)
        assert not re.search(r"[a-z]{2} [a-z]{2}", words), chinese


def test_no_row_hides_what_the_page_says_instead():
    own = [Template(row[0], row[1]) for row in read_rows() if len(row) > 2]
    for source, _, *others in read_rows():
        for part in [] if others else split_parts(source):
            assert not any(template.match(fill(part)) for template in own), source


def test_both_languages_have_the_same_places():
    for source, chinese, *own in read_rows():
        places = set(PLACE.findall(source)) - {"_"}  # of words that only English needs
        assert set(PLACE.findall(chinese)) == places, source
        # what the page says may leave out what is not for a page
        assert all(set(PLACE.findall(text)) <= places for text in own), source


def test_each_text_has_one_row_with_words_of_its_own():
    sources = [row[0] for row in read_rows()]
    assert len(set(sources)) == len(sources)
    for source in sources:
        assert re.search(r"[A-Za-z]{2}|/|\?|^[ab]\b| s$", PLACE.sub("", source)), source


def test_chinese_is_chinese():
    for source, chinese, *_ in read_rows():
        latin = set(re.findall(r"[A-Za-z]{4,}", PLACE.sub(" ", chinese))) - FIELD
        assert all(word.lower() in source.lower() for word in latin), chinese
        if not HAN.search(PLACE.sub("", chinese)):  # names and formulas
            assert len(re.findall(r"[A-Za-z]{4,}", PLACE.sub("", chinese))) <= 3, source


def test_files_of_the_table_stay_short():
    for file in FOLDER.glob("*.json"):
        assert len(file.read_text(encoding="utf-8").splitlines()) < 300, file.name


def test_lines_of_a_listing_are_wholly_chinese():
    assert localise("    # The images have 8 pixels.") == "    # 图像为 8 像素。"
    learned = localise("Images are learned at 8 pixels: the images have 8 pixels.")
    assert learned == "以 8 像素学习图像：图像为 8 像素。"
    assert localise("data: a (trainA): 150 images") == "数据：a（trainA）：150 张图像"
    assert localise("there is no verb doctor; ganvas health does that").endswith("ganvas health")
    assert localise("did you mean digits or rings?") == "您是不是想写 digits 或 rings？"

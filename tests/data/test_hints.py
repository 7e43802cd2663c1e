"""The guess of which kind a folder is."""

from pathlib import Path

import pytest
from PIL import Image

from ganvas.data.hints import guess_kind
from ganvas.errors import UserError


def draw(place: Path, *names: str, size: tuple[int, int] = (32, 32)) -> Path:
    """A folder with images of these names."""
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, "teal").save(place / name)
    return place


def test_plain_folders_are_images(tmp_path: Path):
    assert guess_kind(draw(tmp_path, "1.png", "cats/2.png", "dogs/3.png")) == ""


def test_images_twice_as_wide_as_high_are_pairs(tmp_path: Path):
    assert guess_kind(draw(tmp_path, "1.png", "2.png", size=(64, 32))) == "pairs"
    draw(tmp_path, "3.png")
    assert guess_kind(tmp_path) == ""


def test_equal_names_in_two_folders_are_pairs_and_others_are_domains(tmp_path: Path):
    assert guess_kind(draw(tmp_path / "p", "A/1.png", "A/2.png", "B/1.jpg", "B/2.jpg")) == "pairs"
    domains = draw(tmp_path / "d", "trainA/a1.png", "trainA/a2.png", "trainB/b1.png")
    assert guess_kind(domains) == "unpaired"


def test_many_folders_of_which_two_are_called_a_and_b_are_classes(tmp_path: Path):
    names = [f"{letter}/{letter}{number}.png" for letter in "ABCDE" for number in range(3)]
    assert guess_kind(draw(tmp_path, *names)) == ""


def test_tables_tell_captions_and_attributes(tmp_path: Path):
    captions = draw(tmp_path / "c", "1.png")
    (captions / "index.jsonl").write_text('{"file": "1.png", "caption": "a bird"}\n')
    assert guess_kind(captions) == "captions"
    attributes = draw(tmp_path / "a", "1.png")
    (attributes / "list_attr.txt").write_text("1\nSmiling\n1.png 1\n")
    assert guess_kind(attributes) == "attributes"


def test_no_images_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="no images"):
        guess_kind(tmp_path)

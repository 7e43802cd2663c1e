"""The guess of which kind a folder is."""

from pathlib import Path

import pytest
from PIL import Image

from ganvas.data import View, open_dataset
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


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["images/1.png", "masks/1.png"], "pairs"),
        (["images/1.png", "labels/2.png"], ""),
        (["A/train/1.png", "A/test/1.png", "B/train/1.png", "B/test/1.png"], "pairs"),
        (["testA/a1.png", "testA/a2.png", "testB/b1.png"], "unpaired"),
        (["1_A.png", "1_B.png", "2_A.png", "2_B.png"], "pairs"),
        (["1.png", "1_mask.png"], "pairs"),
    ],
)
def test_layouts_of_pairs_and_domains(names: list[str], kind: str, tmp_path: Path):
    assert guess_kind(draw(tmp_path, *names)) == kind


def test_plain_images_are_opened_with_a_note_on_what_they_look_like(tmp_path: Path):
    place = draw(tmp_path, "testA/a1.png", "testA/a2.png", "testB/b1.png", "testB/b2.png")
    notes = open_dataset(str(place), View(split="test")).report.notes
    assert notes[0] == (
        "these look like images of two domains, without pairs; "
        f"to use them so: --data unpaired-test:{place}"
    )
    # no folders of classes: A and B are domains
    assert not any("--labels" in note for note in notes)


def test_a_table_of_file_and_label_is_none_of_attributes(tmp_path: Path):
    (draw(tmp_path, "1.png", "2.png") / "labels.csv").write_text("file,label\n1.png,1\n2.png,0\n")
    assert guess_kind(tmp_path) == ""


def test_no_images_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="no images"):
        guess_kind(tmp_path)

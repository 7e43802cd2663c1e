"""Splits of all kinds of data: where they are recognised, what is trained on, and what judges."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import refused_in_one_line

from ganvas.data import Dataset, View, find_kind, open_dataset
from ganvas.data.folders.labels import usual_labels
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.splits import find_splits
from ganvas.data.open import name_split
from ganvas.data.shards.write import pack_dataset
from ganvas.data.test_set import find_known_rows, open_test_set
from ganvas.evaluation.references import make_reference, open_reference

XRAY = {
    "train/ill": 4,
    "train/well": 5,
    "Test/ill": 2,
    "Test/well": 3,
    "valid/ill": 2,
    "valid/well": 2,
}


def lay_out(place: Path, layout: dict[str, int]) -> Path:
    """Images of 8 pixels, no two alike, in folders."""
    value = 0
    for folder, count in layout.items():
        (place / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            value += 1
            Image.new("RGB", (8, 8), (value, 0, 9 * value % 256)).save(
                place / folder / f"{number}.png"
            )
    return place


def open_images(spec: object, **view) -> Dataset:
    return open_dataset(str(spec), View(**view))


def find(place: Path) -> dict[str, int]:
    with FileSource(place) as source:
        return find_splits(source).counts


@pytest.mark.parametrize(
    ("layout", "counts"),
    [
        (XRAY, {"train": 9, "test": 5, "val": 4}),
        ({"A/train": 3, "A/test": 2, "B/train": 4, "B/test": 1}, {"train": 7, "test": 3}),
        ({"set/train": 3, "set/val": 2}, {"train": 3, "val": 2}),
        ({"trainA": 3, "train_B": 2, "test-a": 1, "testB": 1}, {"train": 5, "test": 2}),
        ({"train": 3}, {"train": 3}),
        ({"train": 3, "test": 2, "extra": 1}, {"train": 3, "test": 2}),
        # "train" beside other vehicles is a class, wherever it lies
        ({"train": 3, "bus": 3, "plane": 3}, {}),
        ({"land/train": 3, "air/plane": 3}, {}),
        ({"training": 3, "tests": 3}, {}),
        ({"": 3}, {}),
    ],
)
def test_where_splits_are_recognised(layout: dict[str, int], counts: dict[str, int], tmp_path):
    assert find(lay_out(tmp_path, layout)) == counts


@pytest.mark.parametrize("layout", ["split first", "class first"])
def test_classes_are_the_inner_folders_and_only_train_is_trained_on(layout: str, tmp_path: Path):
    folders = XRAY
    if layout == "class first":
        folders = {"/".join(name.split("/")[::-1]): count for name, count in XRAY.items()}
    place = lay_out(tmp_path, folders)

    train = open_images(place, labels="folders")

    assert train.report.classes == {"ill": 4, "well": 5}
    assert train.report.splits == {"train": 9, "test": 5, "val": 4}
    assert train.report.test == f"images-test:{place}"
    assert train.report.notes[0] == (
        "the images are in splits, by their folders: train (9), test (5), val (4); "
        "train is trained on; test judges"
    )
    test = open_images(train.report.test, labels="folders")
    assert (test.report.classes, test.report.test) == ({"ill": 2, "well": 3}, None)
    assert not {*map(bytes, train.images)} & {*map(bytes, test.images)}
    assert usual_labels(place) == "folders"


def test_a_split_is_chosen_by_a_setting_or_by_the_name(tmp_path: Path):
    place = lay_out(tmp_path, XRAY)
    for split, count in {"train": 9, "test": 5, "val": 4, "all": 18}.items():
        dataset = open_images(place, split=split, labels="folders")
        assert len(dataset) == count
        assert dataset.classes == ("ill", "well")
        named = open_images(f"images-{split}:{place}", labels="folders")
        assert named.fingerprint == dataset.fingerprint
    assert open_images(f"images-VALID:{place}").report.used == 4
    assert open_images(place, split="all").report.test is None

    names = {"mnist": "mnist-test", "fashion-mnist:x": "fashion-mnist-test:x"}
    for name, expected in names.items():
        assert name_split(name, View(split="test"))[0] == expected
        assert name_split(expected, View(split="test"))[0] == expected
        assert name_split(name, View(split="train")) == (name, View())
    refused_in_one_line(
        lambda: name_split("digits", View(split="test")), "digits has no split 'test'; it has train"
    )
    refused_in_one_line(
        lambda: open_images(f"images-test:{place}", split="val"),
        "names the split 'test', and --split val another one",
    )
    assert find_kind(f"images-test:{place}") is not None


def test_test_images_alone_are_not_trained_on_by_themselves(tmp_path: Path):
    place = lay_out(tmp_path, {"test": 3})
    refused_in_one_line(
        lambda: open_images(place),
        "has no folder train; its images are in test; .* --split test",
    )
    assert len(open_images(place, split="test")) == 3
    refused_in_one_line(lambda: open_images(lay_out(tmp_path / "one", {"": 2}), split="val"), "val")


def test_images_in_no_split_are_reported(tmp_path: Path):
    place = lay_out(tmp_path, {"train": 3, "val": 2, "extra": 1})
    assert "not used, since in no split: 1 (extra/0.png)" in open_images(place).report.notes


CELEBA = "".join(f"{number}.png {number // 2 % 3}\n" for number in range(6))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list_eval_partition.txt", CELEBA),
        ("list_eval_partition.csv", "image_id,partition\n" + CELEBA.replace(" ", ",")),
        ("any.csv", CELEBA.replace(" 0", ",train").replace(" 1", ",valid").replace(" 2", ",test")),
        (
            "any.csv",
            "file;split\n0.png;train\n1.png;TRAIN\n2.png;val\n3.png;val\n4.png;test\n5.png;test",
        ),
    ],
)
def test_tables_of_partitions(name: str, text: str, tmp_path: Path):
    place = lay_out(tmp_path, {"images": 6})
    (place / name).write_text(text)
    report = open_images(place).report
    assert report.splits == {"train": 2, "test": 2, "val": 2}
    assert f"by {name}: train (2)" in report.notes[0]
    assert not any("ignored" in note for note in report.notes)


@pytest.mark.parametrize(
    "text", ["0.png,0\n1.png,1\n2.png,2\n", "file,label\n0.png,cat\n", "", "\0"]
)
def test_tables_of_other_things_are_no_partitions(text: str, tmp_path: Path):
    place = lay_out(tmp_path, {"": 3})
    (place / "labels.csv").write_text(text)
    assert find(place) == {}


def test_attributes_and_captions_have_splits(tmp_path: Path):
    place = lay_out(tmp_path, {"": 6})
    (place / "list_eval_partition.txt").write_text(CELEBA)
    rows = [f"{number}.png {(-1) ** number} {1 if number < 4 else -1}" for number in range(6)]
    (place / "attributes.txt").write_text("\n".join(["6", "Odd Late", *rows]))

    train = open_images(f"attributes:{place}", labels="attributes.txt", attributes=("Odd", "Late"))

    assert (len(train), train.report.test) == (2, f"attributes-test:{place}")
    assert not any("not there" in note for note in train.report.notes)
    # what is the same for all test images is a column of them all the same
    test = open_test_set(train, View(labels="attributes.txt"))
    assert test is not None
    assert test.names == train.names
    assert len(test) == 2

    lines = [f'{{"file": "{number}.png", "caption": "a grey square"}}' for number in range(6)]
    (place / "captions.jsonl").write_text("\n".join(lines))
    captions = open_images(f"captions:{place}", split="val")
    assert (len(captions), captions.report.splits["val"]) == (2, 2)
    assert not captions.report.skipped


def test_the_test_set_judges_with_the_numbers_of_the_training_classes(tmp_path: Path):
    place = lay_out(tmp_path, {"train/B": 4, "train/C": 4, "test/A": 2, "test/C": 3})
    view = View(labels="folders")
    train = open_dataset(str(place), view)
    assert train.classes == ("B", "C")
    assert "classes of test that train lacks: A" in train.report.notes

    test = open_test_set(train, view)
    assert test is not None
    assert test.classes == ("B", "C", "A")
    assert np.asarray(test.labels).tolist() == [2, 2, 1, 1, 1]
    assert find_known_rows(test, train).tolist() == [2, 3, 4]

    reference = make_reference(train, view, None, 100)
    assert (reference.split, reference.name) == ("test", f"images-test:{place.name}")
    assert sorted(reference.rows) == [2, 3, 4]
    assert reference.labels is not None
    assert set(reference.labels.tolist()) == {1}
    assert len(reference.train_rows) == 8


def test_any_split_can_be_compared_with(tmp_path: Path):
    place = lay_out(tmp_path, XRAY)
    reference = open_reference(str(place), View(split="val"), 100)
    assert (reference.split, len(reference.rows), len(reference.train_rows)) == ("test", 4, 9)


def test_a_split_without_the_classes_of_a_table_does_not_judge(tmp_path: Path):
    place = lay_out(tmp_path, {"train": 4, "test": 2})
    (place / "labels.csv").write_text("".join(f"train/{n}.png,{'ab'[n % 2]}\n" for n in range(4)))
    report = open_images(place, labels="labels.csv").report
    assert report.test is None
    assert (
        "test does not judge, since fewer than two of its images have one of the classes"
        in report.notes
    )


def test_a_tar_is_read_like_a_folder(tmp_path: Path):
    place = lay_out(tmp_path / "set", XRAY)
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        archive.add(place, "./set")
    folder, tar = (open_images(one, labels="folders") for one in (place, tmp_path / "set.tar"))
    assert tar.fingerprint == folder.fingerprint
    assert tar.report.test == f"images-test:{tmp_path / 'set.tar'}"


def test_tars_that_cannot_be_read(tmp_path: Path):
    place = lay_out(tmp_path / "set", {"": 3})
    for mode, name in (("w:gz", "set.tgz"), ("w", "set.tar")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.add(place, "set")
    refused_in_one_line(lambda: open_images(tmp_path / "set.tgz"), "compressed tar.*tar -xf")

    content = (tmp_path / "set.tar").read_bytes()
    for spoiled in (content[:700], b"", b"no tar" * 200):
        (tmp_path / "set.tar").write_bytes(spoiled)
        refused_in_one_line(lambda: open_images(tmp_path / "set.tar"), "set.tar")

    # a size of -512 in base 256 leads back to the header itself
    header = tarfile.TarInfo("loop.png")
    block = bytearray(header.tobuf())
    block[124:136] = (-512 % 256**12).to_bytes(12, "big")
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    (tmp_path / "set.tar").write_bytes(io.BytesIO(bytes(block) * 3).read())
    refused_in_one_line(lambda: open_images(tmp_path / "set.tar"), "set.tar")


def test_packing_says_which_split_was_packed(tmp_path: Path):
    place = lay_out(tmp_path, XRAY)
    options = {"shards": False, "shard_images": None, "strict": False, "progress": False}
    lines = pack_dataset(str(place), View(split="val"), None, **options)
    assert lines[0].startswith(f"images-val:{place}: 4 images")
    assert any("val is used" in line for line in lines)


def test_splits_may_be_called_training_and_testing(tmp_path: Path):
    place = lay_out(
        tmp_path, {"Training/glioma": 3, "Training/none": 3, "Testing/glioma": 2, "Testing/none": 2}
    )
    report = open_images(place, labels="folders").report
    assert report.splits == {"train": 6, "test": 4}
    assert report.classes == {"glioma": 3, "none": 3}
    assert report.test == f"images-test:{place}"

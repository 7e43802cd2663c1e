"""Pairs of images: what is found where, what is left out and why, and that both halves are cut
and mirrored alike.
"""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from pages import ROOT
from PIL import Image
from tiny import make_engine, refused_in_one_line

from ganvas.data import View, open_dataset
from ganvas.data.folders.pairing import LAYOUTS
from ganvas.data.loader import Loader
from ganvas.data.transforms import crop_rows, find_partners, mirror_rows
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change

RED, BLUE = (200, 30, 30), (30, 30, 200)


def two(width: int = 16, height: int = 16, left=RED, right=BLUE) -> Image.Image:
    """Two images side by side."""
    picture = Image.new("RGB", (2 * width, height), left)
    picture.paste(Image.new("RGB", (width, height), right), (width, 0))
    return picture


def write(folder: Path, names: list[str], picture: Image.Image | None = None) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (picture or two()).save(folder / name)
    return folder


def opened(spec: str, **view):
    return open_dataset(spec, View(**{"size": 16} | view))


def test_images_beside_the_folders_are_left_out(tmp_path: Path):
    place = write(tmp_path / "set", ["A/1.png", "A/2.png", "B/1.png", "B/2.png", "apple.png"])

    report = opened(f"pairs:{place}").report

    assert report.used == 2
    assert [(skip.file, skip.reason) for skip in report.skipped] == [
        ("apple.png", "is in neither A nor B")
    ]


def test_halves_of_files_and_their_splits(tmp_path: Path):
    place = write(
        tmp_path / "set",
        [
            "train/1.png",
            "train/2.png",
            "val/3.png",
            "val/4.png",
            "val/5.png",
            "test/6.png",
            "test/7.png",
        ],
    )
    train = opened(f"pairs:{place}")

    assert len(train) == 2
    assert train.report.test == f"pairs-test:{place}"
    assert len(opened(f"pairs-val:{place}")) == 3
    assert opened(f"pairs-test:{place}").report.test is None
    assert train.columns["a"][0, :, 5, 5].tolist() == list(RED)
    assert train.columns["b"][1, :, 5, 15].tolist() == list(BLUE)
    assert train.schema.channels == {"a": 3, "b": 3}
    assert "cut into their left half" in train.report.steps[0]

    flat = opened(f"pairs:{write(tmp_path / 'flat', ['1.png', '2.png', '3.png'])}")
    assert len(flat) == 3
    assert flat.report.test is None


@pytest.mark.parametrize("form", ["one folder", "two folders", "two zips", "one zip"])
def test_two_folders_with_equal_names(tmp_path: Path, form: str):
    for side, colour in (("A", RED), ("B", BLUE)):
        ending = "png" if side == "A" else "bmp"
        write(
            tmp_path / side,
            [f"x{number}.{ending}" for number in range(3)],
            Image.new("RGB", (16, 16), colour),
        )
    write(tmp_path / "B", ["alone.png"], Image.new("RGB", (16, 16)))
    if "zip" in form:
        for side in "AB":
            with (
                zipfile.ZipFile(tmp_path / f"{side}.zip", "w") as archive,
                zipfile.ZipFile(tmp_path / "both.zip", "a") as both,
            ):
                for file in sorted((tmp_path / side).iterdir()):
                    archive.write(file, file.name)
                    both.write(file, f"{side}/{file.name}")
    specs = {
        "one folder": f"pairs:{tmp_path}" if form == "one folder" else "",
        "two folders": f"pairs:{tmp_path / 'A'},{tmp_path / 'B'}",
        "two zips": f"pairs:{tmp_path / 'A.zip'},{tmp_path / 'B.zip'}",
        "one zip": f"pairs:{tmp_path / 'both.zip'}",
    }
    found = opened(specs[form])

    assert len(found) == 3
    assert [(item.file, item.reason) for item in found.report.skipped] == [
        ("B: alone.png", "has no partner of the same name")
    ]
    assert found.columns["a"][2, :, 0, 0].tolist() == list(RED)
    assert found.columns["b"][2, :, 0, 0].tolist() == list(BLUE)


def test_each_side_has_its_own_channels_and_conversions_are_reported(tmp_path: Path):
    write(tmp_path / "A", ["1.png", "2.png"], Image.new("L", (20, 20), 90))
    write(tmp_path / "B", ["1.png", "2.png"], Image.new("RGB", (20, 20), BLUE))
    own, rgb, grey = (opened(f"pairs:{tmp_path}", channels=channels) for channels in (None, 3, 1))
    assert own.schema.channels == {"a": 1, "b": 3}
    assert rgb.schema.channels == {"a": 3, "b": 3}
    assert grey.schema.channels == {"a": 1, "b": 1}
    assert "a: 2 images grey: repeated to RGB" in rgb.report.steps
    assert "b: 2 images turned from colour to grey" in grey.report.steps
    assert np.array_equal(own.columns["a"][:, 0], rgb.columns["a"][:, 1])


def test_what_is_no_pair_is_left_out_with_its_reason(tmp_path: Path):
    write(tmp_path / "A", ["1.png", "2.png", "wide.png", "small.png"], Image.new("RGB", (20, 20)))
    write(tmp_path / "B", ["1.png", "2.png"], Image.new("RGB", (40, 40)))
    write(tmp_path / "B", ["wide.png"], Image.new("RGB", (40, 20)))
    write(tmp_path / "B", ["small.png"], Image.new("RGB", (1, 1)))
    (tmp_path / "A" / "broken.png").write_bytes(b"no image")
    write(tmp_path / "B", ["broken.png"])
    found = opened(f"pairs:{tmp_path}")
    reasons = {item.file: item.reason for item in found.report.skipped}
    assert len(found) == 2
    assert reasons["wide"] == "A is 20x20 and B 40x20: their shapes differ"
    assert reasons["small"] == "1x1 is less than an eighth of 16x16"
    assert "not an image" in reasons["broken"]


@pytest.mark.parametrize(
    ("files", "spec", "message"),
    [
        (
            ["trainA/1.png", "trainB/2.png"],
            "pairs:{}",
            "no image of A has the name .* use cyclegan with --data unpaired:",
        ),
        (
            ["A/1.png", "B/2.png"],
            "pairs:{}",
            "no image of A has the name of one of B; A begins with '1', B with '2'",
        ),
        (
            ["train/1.png", "train/2.png", "val/1.png", "val/2.png"],
            "pairs-test:{}",
            "has no folder test; its images are in train, val",
        ),
        (["1.png", "2.png"], "pairs:{}/nowhere", "no file or folder"),
    ],
)
def test_places_without_pairs_are_refused(tmp_path: Path, files, spec, message):
    write(tmp_path, files)
    refused_in_one_line(lambda: opened(spec.format(tmp_path)), message)


def test_single_images_are_no_pairs(tmp_path: Path):
    write(tmp_path, ["1.png", "2.png"], Image.new("RGB", (20, 20)))
    refused_in_one_line(
        lambda: opened(f"pairs:{tmp_path}"), "20x20 is one image, not two side by side"
    )


def test_both_halves_are_cut_and_mirrored_alike(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (6, 20, 20, 3), dtype=np.uint8)
    for number, picture in enumerate(noise):
        write(tmp_path, [f"{number}.png"], Image.fromarray(np.concatenate([picture, picture], 1)))
    recipe = change(
        get_recipe("pix2pix"),
        {"data": f"pairs:{tmp_path}", "size": 16, "load_scale": 20 / 16, "batch": 6, "held_out": 0},
    )
    batches = Loader(
        open_dataset(recipe.data or "", recipe.view), recipe.sampling, make_engine("fp32").placement
    )
    seen = set()
    for images in range(0, 60, 6):
        batch = batches.at(images)
        assert batch["a"].shape == (6, 3, 16, 16)
        assert torch.equal(batch["a"], batch["b"])
        seen |= {picture.numpy().tobytes() for picture in batch["a"]}

    assert len(seen) > 45  # nearly every image in another place or mirrored
    assert torch.equal(batches.at(6)["a"], batches.at(6)["a"])


def test_boxes_and_key_points_go_with_their_image():
    """A bright square on black, its box, and a key point at its corner stay together."""
    rows = {
        "image": torch.zeros(2, 1, 20, 20, dtype=torch.uint8),
        "box": torch.tensor([[0.3, 0.4, 0.2, 0.2]]).repeat(2, 1),
        "keypoints": torch.tensor([[[0.3, 0.4, 1.0], [0.0, 0.0, 0.0], [0.0, 0.95, 1.0]]]).repeat(
            2, 1, 1
        ),
    }
    rows["image"][:, :, 8:12, 6:10] = 255
    parts = ("left corner", "right corner", "edge")

    for corners in (None, torch.tensor([[0.0, 0.0], [0.99, 0.5]])):
        found = crop_rows(rows, 16, corners)
        for turned in (found, mirror_rows(found, torch.tensor([True, True]), parts)):
            for picture, box, points in zip(turned["image"], turned["box"], turned["keypoints"]):
                down, across = (picture[0] > 0).nonzero().unbind(1)
                expected = [
                    across.min() / 16,
                    down.min() / 16,
                    (across.max() + 1 - across.min()) / 16,
                    4 / 16,
                ]
                assert box.tolist() == pytest.approx([float(value) for value in expected], abs=1e-6)
                mirror = turned is not found
                corner = points[1 if mirror else 0]
                assert corner[:2].tolist() == pytest.approx(
                    [float(box[0] + box[2] * mirror), float(box[1])], abs=1e-6
                )
                assert corner[2] == 1
                # the part that is not seen has changed its name too
                assert not points[0 if mirror else 1].any()

    middle = crop_rows(rows, 16)["keypoints"]
    assert not middle[:, 2].any()  # cut away


def test_partners():
    assert find_partners(("beak", "left eye", "right eye", "tail")) == [0, 2, 1, 3]
    assert find_partners(("left_hand", "head")) == [0, 1]


def test_equal_names_but_for_their_ending_are_named(tmp_path: Path):
    write(tmp_path / "A", ["1.png", "2.png", "1.bmp"], Image.new("RGB", (20, 20)))
    write(tmp_path / "B", ["1.png", "2.png"], Image.new("RGB", (20, 20)))
    found = opened(f"pairs:{tmp_path}")
    assert len(found) == 2
    assert [item.reason for item in found.report.skipped] == [
        "another file has the same name but for its ending"
    ]


def test_test_images_alone_are_not_trained_on(tmp_path: Path):
    write(tmp_path, ["test/1.png", "test/2.png"])
    refused_in_one_line(
        lambda: opened(f"pairs:{tmp_path}"), "has no folder train; its images are in test"
    )
    assert len(opened(f"pairs-test:{tmp_path}")) == 2
    write(tmp_path, ["train/1.png", "train/2.png", "val/1.png"])
    assert opened(f"pairs:{tmp_path}").report.test == f"pairs-test:{tmp_path}"


def write_sides(place: Path, *folders: str, names: tuple[str, str] = ("{}.png", "{}.png")) -> Path:
    """Three red images in the first folder and three blue ones in the other."""
    for folder, name, colour in zip(folders, names, (RED, BLUE)):
        files = [name.format(number) for number in range(3)]
        write(place / folder, files, Image.new("RGB", (16, 16), colour))
    return place


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (("trainA", "trainB"), ("{}.png", "{}.png")),
        (("train_A", "train_B"), ("{}.png", "{}.bmp")),
        (("A/train", "B/train"), ("{}.png", "{}.png")),
        (("train/images", "train/masks"), ("{}.png", "{}.png")),
        (("Images", "Annotations"), ("{}.png", "{}_mask.png")),
        (("input", "target"), ("x.{}.png", "x.{}.png")),
        (("A", "B"), ("{}_A.png", "{}_B.png")),
        (("", ""), ("{}_A.png", "{}_B.png")),
        (("", ""), ("{}.bmp", "{}_mask.png")),
    ],
)
def test_layouts_of_pairs(folders: tuple[str, str], names: tuple[str, str], tmp_path: Path):
    found = opened(f"pairs:{write_sides(tmp_path, *folders, names=names)}")

    assert len(found) == 3
    assert not found.report.skipped
    assert found.columns["a"][2, :, 0, 0].tolist() == list(RED)
    assert found.columns["b"][2, :, 0, 0].tolist() == list(BLUE)

    # what was recognised is said, unless it is the plain layout
    plain = folders[0] in ("trainA", "train_A", "A/train")
    assert bool(found.report.notes) == (not plain)


def test_only_the_training_pairs_are_trained_on(tmp_path: Path):
    write_sides(tmp_path, "A/train", "B/train")
    write_sides(tmp_path, "A/test", "B/test", names=("t{}.png", "t{}.png"))
    write(tmp_path / "A/val", ["only.png"], Image.new("RGB", (16, 16)))

    train = opened(f"pairs:{tmp_path}")

    assert len(train) == 3
    assert train.report.test == f"pairs-test:{tmp_path}"
    assert train.report.splits == {"train": 6, "test": 6, "val": 1}
    assert len(opened(f"pairs-all:{tmp_path}")) == 6
    # places of their own have their splits inside
    two = opened(f"pairs:{tmp_path / 'A'},{tmp_path / 'B'}")
    assert two.fingerprint == train.fingerprint
    assert two.report.test == f"pairs-test:{tmp_path / 'A'},{tmp_path / 'B'}"


def test_a_split_without_pairs_does_not_judge(tmp_path: Path):
    write_sides(tmp_path, "trainA", "trainB")
    write_sides(tmp_path, "testA", "testB", names=("a{}.png", "b{}.png"))
    assert opened(f"pairs:{tmp_path}").report.test is None


def test_the_error_names_the_layouts_that_there_are(tmp_path: Path):
    write_sides(tmp_path, "cats", "dogs")
    refused_in_one_line(
        lambda: opened(f"pairs:{tmp_path}"),
        "holds no pairs: cats/0.png of 16x16 .* folders A and B",
    )
    # the page shows the same ones, in the rows of its table
    rows = (ROOT / "docs" / "data.md").read_text(encoding="utf-8").partition("## Pairs")[2]
    for words in ("side by side, a at the left", "folders A and B", "images and masks"):
        assert words in LAYOUTS
        assert words in rows
    for words in ("input and target", "names that end in _A and _B", "two places, pairs:ONE,OTHER"):
        assert words in LAYOUTS
        assert words in rows

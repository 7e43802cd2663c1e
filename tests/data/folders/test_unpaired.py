"""Two domains without pairs: where their files may be, how they become one data set, and which
errors wrong files get.
"""

import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import torch
from conftest import DATA
from PIL import Image
from tiny import refused_in_one_line

from ganvas.data import Dataset, View, open_dataset
from ganvas.data.folders.unpaired import domain_of
from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.io import image_files
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.training.engine import Engine

VIEW = View(size=8)
LAYOUT = {"trainA": 6, "trainB": 9, "testA": 3, "testB": 4}


def fill(
    folder: Path, count: int, side: int = 8, mode: str = "RGB", value: int | None = None
) -> Path:
    """Images of noise, or all of one value."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(len(folder.name) + count)
    for number in range(count):
        shape = (side, side) if mode == "L" else (side, side, 3)
        pixels = random.integers(0, 255, shape) if value is None else np.full(shape, value)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
    return folder


def lay_out(place: Path, layout: dict[str, int]) -> Path:
    for name, count in layout.items():
        fill(place / name, count)
    return place


def unpaired(place: object, split: str = "", view: View = VIEW, **more) -> Dataset:
    return open_dataset(f"unpaired{split}:{place}", view, **more)


def test_two_domains_as_one_set(tmp_path: Path):
    place = lay_out(tmp_path, LAYOUT)
    dataset = unpaired(place)
    assert len(dataset) == 9  # the larger domain, by which epochs are counted
    assert dataset.columns["b"].shape == (9, 3, 8, 8)
    assert dataset.beside is not None
    assert dataset.beside.columns["a"].shape == (6, 3, 8, 8)
    assert dataset.schema.channels == {"a": 3, "b": 3}
    assert dataset.schema.unpaired

    report = dataset.report
    assert (report.found, report.used, report.test) == (15, 15, f"unpaired-test:{place}")
    assert report.steps[0] == "a (trainA): 6 images"
    assert "b (trainB): 9 images" in report.steps

    expected = np.asarray(Image.open(place / "trainA" / "4.png")).transpose(2, 0, 1)
    assert np.array_equal(dataset.beside.columns["a"][4], expected)


def test_the_test_set(tmp_path: Path):
    dataset = unpaired(lay_out(tmp_path, LAYOUT), "-test")
    assert (len(dataset), len(dataset.beside), dataset.report.test) == (4, 3, None)


@pytest.mark.parametrize("missing", ["testA", "testB"])
def test_a_test_set_needs_both_domains(missing: str, tmp_path: Path):
    place = lay_out(tmp_path, {name: count for name, count in LAYOUT.items() if name != missing})
    assert unpaired(place).report.test is None
    refused_in_one_line(
        lambda: unpaired(place, "-test"),
        f"no images in {missing} for domain {missing[-1].lower()}; it holds",
    )


@pytest.mark.parametrize(
    "layout",
    [
        {"TRAINA": 6, "trainb": 9},
        {"train/A": 6, "train/b": 9},
        {"A": 6, "B": 9},
        {"summer2winter/trainA": 6, "summer2winter/trainB": 9},
        {"trainA/deep": 6, "trainB/1": 4, "trainB/2": 5},
        {"a/trainA": 6, "a/trainB": 9},
    ],
)
def test_where_domains_may_lie(layout: dict[str, int], tmp_path: Path):
    dataset = unpaired(lay_out(tmp_path, layout))
    assert (len(dataset.columns["b"]), len(dataset.beside.columns["a"])) == (9, 6)
    assert not dataset.report.notes


def test_what_a_path_describes():
    assert domain_of("A/a.jpg") == "a"
    assert domain_of("x/b/1.jpg") == "b"
    assert domain_of("b.jpg") == domain_of("trainAB/b.jpg") == domain_of("train/1.jpg") == ""


def test_two_places(tmp_path: Path):
    one, other = fill(tmp_path / "summer, early", 5), fill(tmp_path / "winter", 4)
    with zipfile.ZipFile(tmp_path / "winter.zip", "w") as archive:
        for file in other.iterdir():
            archive.write(file, file.name)
    for place in (other, tmp_path / "winter.zip"):
        dataset = unpaired(f"{one},{place}")
        assert (len(dataset.columns["a"]), len(dataset.beside.columns["b"])) == (5, 4)
        assert dataset.report.test is None
    refused_in_one_line(
        lambda: unpaired(f"{one},{other}", "-test"),
        "has no folder test; its images are in one place",
    )


def test_a_zip_equals_its_folder(tmp_path: Path):
    place = lay_out(tmp_path / "folder", LAYOUT)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in place.rglob("*.png"):
            archive.write(file, file.relative_to(tmp_path))
    one, other = unpaired(place), unpaired(tmp_path / "set.zip")
    assert one.fingerprint == other.fingerprint
    assert other.report.spec == f"unpaired:{tmp_path / 'set.zip'}"


@pytest.mark.parametrize("domain", ["trainA", "trainB"])
def test_a_change_of_either_domain_changes_the_fingerprint(domain: str, tmp_path: Path):
    place = lay_out(tmp_path, LAYOUT)
    before = unpaired(place).fingerprint
    fill(place / domain, 1, value=7)
    assert unpaired(place).fingerprint != before


def test_colour_wins_over_grey(tmp_path: Path):
    fill(tmp_path / "trainA", 4, mode="L"), fill(tmp_path / "trainB", 3)
    dataset = unpaired(tmp_path)
    assert dataset.schema.channels == {"a": 3, "b": 3}
    assert "a (trainA): 4 images grey: repeated to RGB" in dataset.report.steps
    a = dataset.columns["a"]
    assert np.array_equal(a[:, 0], a[:, 1])
    fill(tmp_path / "trainB", 3, mode="L")
    assert unpaired(tmp_path).schema.channels == {"a": 1, "b": 1}
    assert unpaired(tmp_path, view=View(size=8, channels=3)).schema.channels == {"a": 3, "b": 3}


def test_sizes(tmp_path: Path):
    fill(tmp_path / "trainA", 4, side=16), fill(tmp_path / "trainB", 3, side=16)
    dataset = unpaired(tmp_path, view=View(load_scale=1.25))
    assert dataset.size == 16
    assert dataset.columns["a"].shape[2:] == dataset.beside.columns["b"].shape[2:] == (20, 20)
    fill(tmp_path / "trainB", 3, side=12)
    refused_in_one_line(
        lambda: unpaired(tmp_path, view=View()),
        "trainA images of 16x16 and trainB .* 12x12; .* --size 12",
    )


def test_sizes_are_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without a size, the headers of all files are read when the set is opened first."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    lay_out(tmp_path / "set", {"trainA": 3, "trainB": 2})
    measured: list[object] = []
    measure = image_files.measure

    def count(file: BinaryIO) -> tuple[int, int]:
        measured.append(file)
        return measure(file)

    monkeypatch.setattr(image_files, "measure", count)
    first = unpaired(tmp_path / "set", view=View())
    assert len(measured) == 5
    again = unpaired(tmp_path / "set", view=View())
    assert len(measured) == 5
    assert again.fingerprint == first.fingerprint


def test_what_is_not_used_is_reported(tmp_path: Path):
    place = lay_out(tmp_path, LAYOUT)
    (place / "trainB" / "broken.png").write_bytes(b"no image")
    (place / "notes.txt").write_text("by hand")
    fill(place, 1)
    report = unpaired(place).report
    assert [(item.file, item.reason[:12]) for item in report.skipped] == [
        ("b (trainB): trainB/broken.png", "not an image")
    ]
    assert report.notes == [
        "the images are in splits, by their folders: train (16), test (7); "
        "train is trained on; test judges",
        "not used, since in no split: 1 (0.png)",
        "other files are ignored: .txt (1)",
    ]
    message = "1 of 16 files cannot be used, the first is 'b .trainB.: trainB/broken.png'"
    refused_in_one_line(lambda: unpaired(place, strict=True), message)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (
            {"trainA": 2},
            r"no images in trainB for domain b; it holds trainA \(2\); name the domains",
        ),
        (
            {"trainB": 2, "testA": 3},
            r"no images in trainA for domain a; it holds testA \(3\), trainB \(2\)",
        ),
        (
            {"horses": 2, "zebras": 2},
            r"no images in trainA .* it holds horses \(2\), zebras \(2\); .* unpaired:ONE,OTHER",
        ),
        ({"": 2}, r"it holds images in no folder \(2\)"),
        ({"trainA": 1, "trainB": 3}, "fewer than two of them usable"),
    ],
)
def test_a_domain_that_is_missing_is_reported_with_what_is_there(
    layout: dict[str, int], message: str, tmp_path: Path
):
    refused_in_one_line(lambda: unpaired(lay_out(tmp_path, layout)), message)


def test_places_and_splits_that_are_none(tmp_path: Path):
    refused_in_one_line(lambda: unpaired(tmp_path / "nowhere"), "no file or folder .*nowhere")
    lay_out(tmp_path, LAYOUT)
    refused_in_one_line(
        lambda: unpaired(tmp_path, "-val"), "has no folder val; its images are in train, test"
    )
    refused_in_one_line(
        lambda: unpaired(tmp_path, "-tset"), "no split 'tset'; write train, test, val or all"
    )


def test_a_validation_set_judges_where_there_is_no_test_set(tmp_path: Path):
    lay_out(tmp_path, {"train/A": 5, "train/B": 4, "validation/A": 3, "validation/B": 2})
    dataset = unpaired(tmp_path)
    assert dataset.report.test == f"unpaired-val:{tmp_path}"
    assert len(open_dataset(dataset.report.test, VIEW)) == 3


def test_domains_without_a_split_beside_a_test_set_are_for_training(tmp_path: Path):
    dataset = unpaired(lay_out(tmp_path, {"A": 5, "B": 4, "testA": 3, "testB": 2}))
    assert (len(dataset), dataset.report.test) == (5, f"unpaired-test:{tmp_path}")
    assert dataset.report.splits == {"train": 9, "test": 5}


# Training sees both domains


def recipe(place: Path, **changes) -> Recipe:
    return change(
        get_recipe("cyclegan"),
        {"data": f"unpaired:{place}", "size": 8, "batch": 2, "flip": False} | changes,
    )


def test_domains_are_drawn_independently(tmp_path: Path):
    for name, count in {"trainA": 4, "trainB": 6}.items():
        for number in range(count):
            fill(tmp_path / name, 1, value=number).joinpath("0.png").rename(
                tmp_path / name / f"x{number}.png"
            )
    asked = recipe(tmp_path, load_scale=1.0, held_out=0)
    batches = Loader(open_dataset(asked.data, asked.view), asked.sampling, Engine("cpu").placement)
    seen = []
    for images in range(0, 48, 2):
        batch = batches.at(images)
        assert batch["a"].shape == batch["b"].shape == (2, 3, 8, 8)
        seen += list(
            zip(
                *(
                    ((batch[name][:, 0, 0, 0] + 1) * 127.5).round().int().tolist()
                    for name in ("a", "b")
                )
            )
        )

    assert all(
        sorted(b for _, b in seen[start : start + 6]) == list(range(6)) for start in range(0, 48, 6)
    )
    assert all(
        sorted(a for a, _ in seen[start : start + 4]) == list(range(4)) for start in range(0, 48, 4)
    )
    assert len(set(seen)) > 15  # of 24 that there can be; rows in step would give 12


def test_unseen_images_come_from_the_test_set(tmp_path: Path):
    asked = recipe(lay_out(tmp_path, LAYOUT))
    batches = Loader(open_dataset(asked.data, asked.view), asked.sampling, Engine("cpu").placement)
    assert len(batches.held_out) == 0
    unseen = batches.unseen(asked.test_view, 10)
    assert {name: len(values) for name, values in unseen.items()} == {"a": 3, "b": 3}
    test = unpaired(tmp_path, "-test")
    assert torch.equal(unseen["a"], torch.from_numpy(np.array(test.beside.columns["a"])))


def test_real_summer_and_winter():
    place = DATA / "summer2winter" / "summer2winter.zip"
    if not place.is_file():
        pytest.skip(f"needs {place}")
    dataset = unpaired(place, view=View(size=16))
    test = open_dataset(dataset.report.test, View(size=16))
    assert min(len(dataset), len(dataset.beside)) >= 100
    assert min(len(test), len(test.beside)) >= 40
    assert not dataset.report.skipped


def test_cyclegan_refuses_single_images(tmp_path: Path):
    from ganvas import train

    fill(tmp_path / "pictures", 4)
    with pytest.raises(UserError, match="needs images of two domains"):
        train(
            "cyclegan",
            data=tmp_path / "pictures",
            out=tmp_path / "run",
            settings={"size": 8},
            quiet=True,
        )


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (("summer", "winter"), ("summer", "winter")),
        (("summer/train", "winter/train"), ("summer", "winter")),
        (("horse2zebra",), ("horse", "zebra")),
        (("summer2winter_yosemite",), ("summer", "winter")),
        (("photos",), None),  # trainA and trainB say nothing
        (("B", "A"), None),  # could be taken for the columns
        (("x/images", "y/b"), None),
        (("given", "other"), None),  # a heading of sheets
        (("one\nline", "other"), None),
    ],
)
def test_domains_are_called_as_their_places_are(tmp_path: Path, places, names):
    if len(places) == 1:
        lay_out(tmp_path / places[0], LAYOUT)
    else:
        for place in places:
            fill(tmp_path / place, 2)
    dataset = unpaired(",".join(str(tmp_path / place) for place in places))
    schema = dataset.schema
    assert (schema.domain("a"), schema.domain("b")) == (names or ("a", "b"))
    assert schema.model_dump()["names"] == ({"a": names[:1], "b": names[1:]} if names else {})

"""`ganvas sample`: sets, sheets and walks."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import FAST, Command
from PIL import Image

from ganvas.data import View, open_dataset


def test_same_seed_same_images_whatever_the_count(ganvas: Command, run: Path, tmp_path: Path):
    assert ganvas("sample", run, "--count", 3, "--seed", 5, "--out", tmp_path / "few")[0] == 0
    assert ganvas("sample", run, "--count", 70, "--seed", 5, "--out", tmp_path / "many")[0] == 0
    assert ganvas("sample", run, "--count", 3, "--seed", 6, "--out", tmp_path / "others")[0] == 0
    for name in ("00000.png", "00001.png", "00002.png"):
        assert (tmp_path / "few" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()
        assert (tmp_path / "few" / name).read_bytes() != (tmp_path / "others" / name).read_bytes()
    assert len(list((tmp_path / "many").glob("*.png"))) == 70


def test_samples_are_balanced_and_labelled_and_train_again(
    ganvas: Command, run: Path, tmp_path: Path
):
    assert ganvas("sample", run, "--count", 40, "--out", tmp_path / "set")[0] == 0

    with (tmp_path / "set" / "labels.csv").open() as table:
        labels = [row["label"] for row in csv.DictReader(table)]
    assert {label: labels.count(label) for label in labels} == {
        str(digit): 4 for digit in range(10)
    }

    arguments = (
        "--data",
        tmp_path / "set",
        "--labels",
        "labels.csv",
        "--out",
        tmp_path / "again",
        *FAST,
    )
    status, _, error = ganvas("train", "digits", *arguments)

    assert status == 0, error


def test_samples_of_one_class(ganvas: Command, run: Path, tmp_path: Path):
    assert (
        ganvas(
            "sample",
            run,
            "--count",
            4,
            "--label",
            3,
            "--out",
            tmp_path / "threes",
            "--format",
            "jpg",
        )[0]
        == 0
    )
    assert set((tmp_path / "threes" / "labels.csv").read_text().split()[1:]) == {
        f"0000{i}.jpg,3" for i in range(4)
    }

    with Image.open(tmp_path / "threes" / "00000.jpg") as picture:
        assert (picture.size, picture.format) == ((8, 8), "JPEG")


def test_samples_of_each_call_are_a_set_of_their_own(ganvas: Command, run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    for count in (12, 5):
        assert ganvas("sample", copy, "--count", count)[0] == 0
    for number, count in (("1", 12), ("2", 5)):
        folder = copy / "generated" / number
        names = [f"{place:05d}.png" for place in range(count)]
        assert sorted(path.name for path in folder.iterdir()) == [*names, "labels.csv", "sheets"]
        assert [
            line.partition(",")[0] for line in (folder / "labels.csv").read_text().split()[1:]
        ] == names
        assert open_dataset(str(folder), View(labels="labels.csv")).report.used == count

    status, _, error = ganvas("sample", copy, "--count", 3, "--out", copy / "generated" / "2")
    assert status == 2
    assert "2 is not empty (it holds 00000.png); choose a new folder" in error
    assert len(list((copy / "generated" / "2").glob("*.png"))) == 5


def test_sheets_and_walks_are_never_counted_as_samples(ganvas: Command, run: Path, tmp_path: Path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    assert ganvas("sample", copy, "--count", 12)[0] == 0

    beside = copy / "generated" / "1"  # where a user may want them
    for name in ("a.png", "b.jpg", "c.webp"):
        assert ganvas("sample", copy, "--count", 4, "--grid", beside / name)[0] == 0
    for name in ("d.gif", "e.webp"):
        assert ganvas("sample", copy, "--label", 3, "--interpolate", beside / name)[0] == 0

    report = open_dataset(str(copy / "generated"), View()).report
    assert (report.found, report.used) == (18, 12)
    assert {item.reason for item in report.skipped} == {
        "not one image: a sheet of images, drawn by ganvas"
    }

    status, output, error = ganvas(
        "evaluate",
        copy / "generated",
        "digits",
        "--features",
        "pixels",
        "--metrics",
        "fd",
        "--json",
    )

    assert status == 0, error
    assert json.loads(output)[0]["protocol"]["count"] == 12

    status, _, error = ganvas("evaluate", copy / "samples", "digits")  # the grids of its training
    assert status == 2
    assert "a sheet of images, drawn by ganvas" in error


def test_inverted_grid(ganvas: Command, run: Path, tmp_path: Path):
    plain, inverted = tmp_path / "plain.png", tmp_path / "inverted.png"
    shape = ("--count", 40, "--columns", 8)  # no column is of one class, so none has a title
    assert ganvas("sample", run, *shape, "--grid", plain)[0] == 0
    assert ganvas("sample", run, *shape, "--grid", inverted, "--invert")[0] == 0
    with Image.open(plain) as one, Image.open(inverted) as other:
        assert one.size == other.size == (8 * 60 + 4, 5 * 60 + 4)
        inside = (slice(4, 60), slice(4, 60))
        total = np.asarray(one)[inside].astype(int) + np.asarray(other)[inside]
    assert abs(total - 255).max() <= 2  # each is rounded by itself


@pytest.mark.parametrize("name", ["walk.gif", "walk.webp"])
def test_walk_is_smooth_and_closed(name: str, ganvas: Command, run: Path, tmp_path: Path):
    assert ganvas("sample", run, "--label", 3, "--interpolate", tmp_path / name)[0] == 0
    with Image.open(tmp_path / name) as walk:
        frames = []
        for number in range(walk.n_frames):  # pyright: ignore[reportAttributeAccessIssue]
            walk.seek(number)
            frames.append(np.asarray(walk.convert("L")).astype(float))
    jumps = [abs(after - before).mean() for before, after in zip(frames, [*frames[1:], frames[0]])]
    far = max(abs(frame - frames[0]).mean() for frame in frames)
    assert len(frames) > 30  # equal neighbours are merged
    assert 0 < max(jumps) < far


def test_names_numbers_and_sizes_of_files(ganvas: Command, run: Path, tmp_path: Path):
    flags = ("--names", "{n}.jpg", "--start", 7, "--scale", 3, "--seeds", "4,9-10", "--label", 3)
    assert ganvas("sample", run, *flags, "--out", tmp_path / "set")[0] == 0
    assert {path.name for path in (tmp_path / "set").iterdir()} == {
        *("7.jpg", "8.jpg", "9.jpg"),
        "labels.csv",
    }
    assert (tmp_path / "set" / "labels.csv").read_text().split()[1:] == [
        f"{number}.jpg,3" for number in (7, 8, 9)
    ]
    with Image.open(tmp_path / "set" / "8.jpg") as picture:
        assert (picture.size, picture.format) == ((24, 24), "JPEG")


def test_each_pixel_is_repeated(ganvas: Command, run: Path, tmp_path: Path):
    for name, flags in (("small", ()), ("large", ("--scale", 4))):
        flags = ("--count", 1, "--out", tmp_path / name, *flags)
        assert ganvas("sample", run, *flags)[0] == 0
    small, large = (
        np.asarray(Image.open(tmp_path / name / "00000.png")) for name in ("small", "large")
    )
    assert np.array_equal(large, small.repeat(4, 0).repeat(4, 1))


def test_rows_of_classes_share_the_noise(ganvas: Command, run: Path, tmp_path: Path):
    rows = ("--rows", "classes", "--label", "3,8", "--count", 4)
    both = ("--out", tmp_path / "set", "--grid", tmp_path / "grid.png")
    assert ganvas("sample", run, *rows, *both)[0] == 0
    labels = [line.split(",")[1] for line in (tmp_path / "set/labels.csv").read_text().split()[1:]]
    assert labels == [*"3333", *"8888"]
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.height == 2 * 60 + 4
        assert 4 * 60 + 4 < grid.width < 5 * 60  # names stand at the left

    # the first of each row is the first image of the seed
    assert ganvas("sample", run, "--label", 8, "--count", 4, "--out", tmp_path / "eights")[0] == 0
    for number in range(4):
        name, other = f"{number + 4:05}.png", f"{number:05}.png"
        row, alone = (tmp_path / "set" / name), (tmp_path / "eights" / other)
        assert row.read_bytes() == alone.read_bytes()


def test_a_wrong_flag_leaves_nothing_behind(ganvas: Command, run: Path, tmp_path: Path):
    out = ("--out", tmp_path / "set", "--interpolate", tmp_path / "walk.webp")
    wrong = {
        "--names": ("--names", "a.png"),
        "--scale 0": ("--scale", 0),
        "smaller first, 2-5": ("--seeds", "5-2"),
        "no noise file": ("--noise", "none.safetensors"),
        "two or more": ("--seeds", 3),
        "GiB of memory": ("--walks", 100, "--frames", 10_000, "--label", 3, "--scale", 9),
    }
    for message, flags in wrong.items():
        status, _, error = ganvas("sample", run, *flags, *out)
        assert (status, error.count("\n")) == (2, 1), error
        assert message in error
    status, _, error = ganvas("sample", run, "--no-loop", "--out", tmp_path / "set")
    assert "--no-loop: a walk needs --interpolate" in error
    assert list(tmp_path.iterdir()) == []


def test_directions_are_found_and_used(ganvas: Command, run: Path, tmp_path: Path):
    run = shutil.copytree(run, tmp_path / "run")
    place = run / "directions" / "1"
    status, text, error = ganvas("directions", run, "--count", 2, "--by", "layer")
    assert status == 0, error
    assert "change  alike" in text and "2 sheets in" in text
    assert len(list((place / "sheets").glob("*-layer.png"))) == 2

    moved = ("--direction", "1:2,2:-1.5", "--directions", place)
    status, _, error = ganvas("sample", run, "--count", 2, *moved, "--out", tmp_path / "moved")
    assert status == 0, error
    assert ganvas("sample", run, "--count", 2, "--out", tmp_path / "still")[0] == 0
    names = [tmp_path / name / "00000.png" for name in ("moved", "still")]
    assert names[0].read_bytes() != names[1].read_bytes()

    way = ("--direction", "1:-3..3", "--label", 3)
    film = tmp_path / "walk.webp"
    status, _, error = ganvas("sample", run, *way, "--frames", 6, "--interpolate", film)
    assert status == 0, error
    with Image.open(film) as opened:
        assert opened.n_frames == 6  # type: ignore[attr-defined]
    status, _, error = ganvas("sample", run, *way, "--out", tmp_path / "none")
    assert status == 2 and "--interpolate FILE" in error and not (tmp_path / "none").exists()
    status, _, error = ganvas("directions", run, "--labels", "folders")
    assert status == 2 and "--data PLACE" in error

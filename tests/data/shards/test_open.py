"""Sharded sets as datasets: rows, sizes, patterns of names, and places that hold none."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shard_sets import COUNT, EACH, open_shards
from tiny import refused_in_one_line

from ganvas.data import View
from ganvas.data.contact_sheet import draw_contact_sheet
from ganvas.data.inspect import examine_data
from ganvas.data.shards.files import expand_pattern


def test_rows_are_read_like_an_array(packed: Path):
    images = open_shards(packed).images
    whole = np.stack(list(images))
    rows = np.array([49, 3, 8, 3])
    assert (images.shape, images.dtype, len(images)) == ((COUNT, 3, 16, 16), np.uint8, COUNT)
    np.testing.assert_array_equal(images[rows], whole[rows])
    np.testing.assert_array_equal(images[5:20:3], whole[5:20:3])
    np.testing.assert_array_equal(images[17], whole[17])
    np.testing.assert_array_equal(images[-1], whole[-1])
    assert images[rows[:0]].shape == (0, 3, 16, 16)
    with pytest.raises(IndexError):
        images[COUNT]


def test_other_sizes_and_channels_are_made_of_them(packed: Path):
    small = open_shards(packed, View(size=8, channels=1))
    assert small.images.shape == (COUNT, 1, 8, 8)
    assert small.report.steps == [
        "50 images turned from colour to grey",
        "50 images shrunk to 8x8",
    ]
    assert small.fingerprint != open_shards(packed).fingerprint

    scaled = open_shards(packed, View(size=8, load_scale=1.5))
    assert scaled.images.shape == (COUNT, 3, 12, 12)
    assert scaled.batch(np.array([0]))["image"].shape == (1, 3, 8, 8)
    refused_in_one_line(
        lambda: open_shards(packed, View(size=129)),
        "fewer than two of its 50 images can be used at size 129",
    )


def test_the_doctor_looks_at_all_of_them(packed: Path):
    found, dataset = examine_data(f"shards:{packed}", View())
    assert (found.size, found.used, found.copies) == (16, COUNT, [])
    sheet = np.array(draw_contact_sheet(dataset))
    assert sheet.std() > 50


def test_a_program_may_end_while_shards_are_read(packed: Path):
    code = (
        "import sys; from ganvas.data import View, open_dataset;"
        "dataset = open_dataset(sys.argv[1], View()); dataset.shards.ahead(range(7));"
        "print(dataset.images[0].shape)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, f"shards:{packed}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "(3, 16, 16)\n", "")


# Places


def test_patterns():
    assert expand_pattern("a-{08..10}.tar") == ("a-08.tar", "a-09.tar", "a-10.tar")
    assert expand_pattern("{x,y}-{1..2}.tar") == ("x-1.tar", "x-2.tar", "y-1.tar", "y-2.tar")
    assert expand_pattern("plain.tar") == ("plain.tar",)
    assert (
        expand_pattern("a-{3..1}.tar")
        == expand_pattern("a-{.tar")
        == expand_pattern("a-{}.tar")
        == expand_pattern("a-{0..9999999}.tar")
        == ()
    )


def test_a_pattern_names_some_of_the_shards(packed: Path):
    some_of = open_shards(packed / "pets-{000001..000002}.tar")
    whole = open_shards(packed / "index.json")
    np.testing.assert_array_equal(some_of.images[:], whole.images[EACH : 3 * EACH])
    assert some_of.fingerprint != whole.fingerprint == open_shards(packed).fingerprint


@pytest.mark.parametrize("pattern", ["pets-{000000..}.tar", "pets-{3..1}.tar", "pets-{0..1}.zip"])
def test_wrong_patterns_are_refused(packed: Path, pattern: str):
    refused_in_one_line(
        lambda: open_shards(packed / pattern), "is not a pattern of tars; write e.g. faces-"
    )


def test_wrong_places_are_refused(packed: Path, tmp_path: Path):
    refused_in_one_line(lambda: open_shards(""), "there is no folder ''; write shards:FOLDER")
    refused_in_one_line(lambda: open_shards(tmp_path / "nowhere"), "there is no folder .*nowhere'")
    refused_in_one_line(lambda: open_shards(tmp_path), "holds no tars; write some with ganvas pack")
    refused_in_one_line(
        lambda: open_shards(packed / "pets-{000006..000007}.tar"),
        r"the index\.json of .* does not list pets-000007\.tar",
    )
    refused_in_one_line(lambda: open_shards(tmp_path / "x.tar"), r"x\.tar is missing")
    refused_in_one_line(
        lambda: open_shards(packed, View(size=16, labels="folders")), "carries its own labels"
    )

"""Some rows of a data set: which ones, what the report says of them, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.data import open_dataset
from ganvas.data.test_set import open_test_set
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.runs.folder import read_recipe


def test_rows_are_those_of_the_whole_set():
    whole, view = open_dataset("digits", View(size=8)), View(size=8, subset="100:103")
    some = open_dataset("digits", view)
    assert len(some) == some.report.used == 3
    assert np.array_equal(some.images[:], whole.images[100:103])
    assert some.labels is not None and whole.labels is not None
    assert some.labels.tolist() == whole.labels[100:103].tolist()
    # all classes stay, so that the GAN is the same for any rows
    assert some.classes == whole.classes
    assert sum(some.report.classes.values()) == 3
    assert some.report.steps[-1] == "keep the rows 100 to 102 of 1797"
    assert some.fingerprint != whole.fingerprint
    assert some.fingerprint == open_dataset("digits", view).fingerprint


@pytest.mark.parametrize(("subset", "count"), [(":10", 10), ("1790:", 7), ("0:1797", 1797)])
def test_either_end_may_be_left_out(subset: str, count: int):
    assert len(open_dataset("digits", View(size=8, subset=subset))) == count


@pytest.mark.parametrize("subset", ["", ":", "5", "-3:", "a:b", "1:2:3", "²:"])
def test_what_is_no_range_is_refused(subset: str):
    with pytest.raises(UserError, match=r"write START:STOP, counted from 0.*5000:60000 or :1000"):
        ganvas.data("digits", subset=subset)


@pytest.mark.parametrize("subset", ["5:5", "9:3", "1797:", ":1798"])
def test_rows_that_are_not_there_are_refused(subset: str):
    with pytest.raises(UserError, match=rf"--subset {subset}: digits has 1,797 rows, 0 to 1796"):
        ganvas.data("digits", subset=subset)


def test_domains_have_no_common_rows(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (8, 8), (number * 80, 0, 0)).save(tmp_path / name / f"{number}.png")
    with pytest.raises(UserError, match="has two tables, one a domain; leave it out"):
        ganvas.data(f"unpaired:{tmp_path}", subset=":2")


def test_files_of_several_rows_are_cut(tmp_path: Path):
    """Held-out frames come in whole files, so the report must know how many each has left."""
    for number in range(3):
        frames = [Image.new("L", (8, 8), 60 * number + frame) for frame in range(4)]
        frames[0].save(
            tmp_path / f"{number}.tif", save_all=True, append_images=frames[1:], compression=None
        )
    some = open_dataset(str(tmp_path), View(size=8, frames="all", subset="2:8"))
    assert some.report.parts == [2, 4]
    assert [image.max() for image in some.images] == [2, 3, 60, 61, 62, 63]


def test_the_test_set_of_some_rows_is_whole(tmp_path: Path):
    for split, count in (("train", 6), ("test", 4)):
        (tmp_path / split).mkdir()
        for number in range(count):
            Image.new("L", (8, 8), 20 * number).save(tmp_path / split / f"{number}.png")
    view = View(size=8, subset=":2")
    train = open_dataset(str(tmp_path), view)
    test = open_test_set(train, view)
    assert test is not None
    assert (len(train), len(test)) == (2, 4)


def test_the_rows_of_a_recipe_are_for_its_own_data(tmp_path: Path):
    """`mnist-mlp` leaves out MNIST's first 5,000 images, and those of no other data."""
    small = {"batch": 10, "options.hidden": 4}
    ganvas.train(
        "mnist-mlp", data="digits", size=8, images=10, settings=small, out=tmp_path, quiet=True
    )
    recipe = read_recipe(tmp_path)
    assert recipe and recipe.subset is None

    ganvas.train(out=tmp_path, images=20, quiet=True)  # and so it stays
    recipe = read_recipe(tmp_path)
    assert recipe and recipe.subset is None


def test_rows_belong_to_a_run_and_to_its_evaluation(tmp_path: Path):
    small = {"batch": 10, "options.width": 2, "held_out": 20}
    run = ganvas.train("digits", images=10, subset=":200", settings=small, out=tmp_path, quiet=True)
    found = ganvas.evaluate(run, features="pixels", metrics="fd", count=50)
    assert found.protocol["reference"]["steps"][-1] == "keep the rows 0 to 199 of 1797"
    with pytest.raises(UserError, match="--subset"):
        ganvas.evaluate(run, subset="0:5000")

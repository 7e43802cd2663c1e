"""Images in the memory of a program as data sets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import OPTIONS, refused_in_one_line

import ganvas
from ganvas.data import View, open_dataset
from ganvas.data.arrays.memory import KEPT, keep_images

COUNT = 60
VALUES = np.random.default_rng(1).integers(0, 256, (COUNT, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(COUNT) % 2


def draw(values: np.ndarray) -> Image.Image:
    return Image.frombytes("RGB", (values.shape[1], values.shape[0]), values.tobytes())


@pytest.mark.parametrize(
    "images",
    [
        VALUES,
        torch.from_numpy(VALUES).permute(0, 3, 1, 2) / 255,
        list(VALUES),
        [torch.from_numpy(one) for one in VALUES],
        [draw(one) for one in VALUES],
    ],
)
def test_all_forms_of_images(images: Any):
    dataset = open_dataset(keep_images(images, LABELS), View())

    np.testing.assert_array_equal(dataset.images[:], VALUES.transpose(0, 3, 1, 2))
    assert dataset.classes == ("0", "1")
    assert dataset.labels is not None
    np.testing.assert_array_equal(dataset.labels, LABELS)


def test_images_of_several_sizes():
    arrays = [one[: 8 - number % 2] for number, one in enumerate(VALUES)]
    for images in (arrays, [draw(one) for one in arrays]):
        spec = keep_images(images)
        refused_in_one_line(lambda spec=spec: open_dataset(spec, View()), "from 8x7 to 8x8")
        dataset = open_dataset(spec, View(size=7))
        assert dataset.images.shape == (COUNT, 3, 7, 7)


def test_equal_content_equal_name():
    spec = keep_images(VALUES)
    assert spec == keep_images(VALUES.copy())
    assert len({spec, keep_images(VALUES, LABELS), keep_images(VALUES[::-1])}) == 3
    # texts and numbers are other classes
    assert keep_images(VALUES, LABELS) != keep_images(VALUES, [f"c{one}" for one in LABELS])


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (VALUES, "folders", "give a label for each image"),
        (VALUES, LABELS[:5], "labels is 5 for 60 images"),
        (VALUES, LABELS + 0.5, "other numbers are no classes"),
        ("digits", LABELS, "labels in memory are for images in memory"),
        ({"x": VALUES}, None, "data of the type dict"),
        ([], None, "data of the type list"),
        ([1, 2, 3], None, "the array is 3; images are"),
    ],
)
def test_what_is_refused(images: Any, labels: Any, message: str):
    refused_in_one_line(lambda: ganvas.data(images, labels=labels), message)


def test_the_doctor_examines_arrays():
    examination = ganvas.data(np.concatenate([VALUES, VALUES[:1]]))

    assert examination.used == COUNT + 1
    assert examination.copies == [["number 0", f"number {COUNT}"]]
    assert "images in the memory of a Python program" in repr(examination)


@pytest.mark.slow
def test_a_run_knows_its_images(tmp_path: Path):
    """It resumes with the same array, and with no other."""
    settings = {
        "gan": "cdcgan", "options": OPTIONS["cdcgan"], "batch": 4, "channels": 1,
        "health_every": None, "sample_every": None, "held_out": 0,
    }  # fmt: skip
    given: dict[str, Any] = {"out": tmp_path / "run", "quiet": True, "size": 8, "device": "cpu"}
    images = VALUES[..., 0]
    run = ganvas.train("digits", data=images, labels=LABELS, images=4, settings=settings, **given)
    assert run.gan.classes == ("0", "1")
    spec = run.about["data"]["spec"]
    assert spec == keep_images(images, LABELS)

    refused_in_one_line(
        lambda: ganvas.train(
            "digits", data=images[::-1], labels=LABELS, images=8, settings=settings, **given
        ),
        "data",
    )
    again = ganvas.train(
        "digits", data=images.copy(), labels=LABELS, images=8, settings=settings, **given
    )
    assert again.about["data"]["spec"] == spec


def test_images_that_are_gone():
    spec = keep_images(VALUES[:7])
    KEPT.pop(spec)
    refused_in_one_line(lambda: open_dataset(spec, View()), "give the same ones again")

    # what is packed already is found without them
    keep_images(VALUES[:7])
    before = open_dataset(spec, View())
    KEPT.pop(spec)
    assert open_dataset(spec, View()).fingerprint == before.fingerprint

"""NumPy's files as data sets."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny import refused_in_one_line

from ganvas.data import View, open_dataset
from ganvas.recipes.facts import survey_data

COUNT = 12
VALUES = np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 3), dtype=np.uint8)
CLASSES = np.arange(COUNT) % 3
EXPECTED = VALUES.transpose(0, 3, 1, 2)


def save(path: Path, values: np.ndarray) -> str:
    np.save(path / "x.npy", values)
    return str(path / "x.npy")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (VALUES, ""),
        (EXPECTED, ""),
        (np.asfortranarray(VALUES), ""),
        ((VALUES / 255).astype(np.float32), "values from 0 to 1 became 0 to 255"),
        (VALUES / 127.5 - 1, "values from -1 to 1 became 0 to 255"),
        (VALUES.astype(np.int64), "values of the type int64 were rounded to bytes, 0 to 255"),
    ],
)
def test_orders_of_axes_and_ranges(values: np.ndarray, step: str, tmp_path: Path):
    dataset = open_dataset(save(tmp_path, values), View())

    np.testing.assert_array_equal(dataset.images[:], EXPECTED)
    assert dataset.report.steps == ([step] if step else [])
    assert dataset.labels is None


def test_a_range_says_what_is_black_and_white(tmp_path: Path):
    scans = np.linspace(-200, 4300, COUNT * 64).reshape(COUNT, 8, 8)
    place = save(tmp_path, scans)
    refused_in_one_line(lambda: open_dataset(place, View()), "--range -200,4300")

    dataset = open_dataset(place, View(range=(0, 4095)))
    expected = np.rint(np.clip(scans / 4095, 0, 1) * 255)
    np.testing.assert_array_equal(dataset.images[:, 0], expected)
    assert dataset.report.steps == ["values from 0 to 4095 became 0 to 255"]
    assert dataset.report.ranges == {"image": (0, 4095, True)}
    other = open_dataset(place, View(range=(0, 4096)))
    assert other.fingerprint != dataset.fingerprint
    # bytes, too
    half = open_dataset(save(tmp_path, VALUES), View(range=(0, 127)))
    assert half.images[:].max() == 255


def test_grey_images_and_their_own_side(tmp_path: Path):
    wide = save(tmp_path, VALUES[:, :6, :, 0])
    dataset = open_dataset(wide, View())
    assert dataset.images.shape == (COUNT, 1, 6, 6)
    assert dataset.report.sizes == {"8x6": COUNT}
    assert dataset.report.steps == [f"{COUNT} images shrunk to 6x6 (crop)"]

    turned = open_dataset(wide, View(transpose=True, fit="stretch", size=8))
    assert turned.report.sizes == {"6x8": COUNT}
    masks = open_dataset(save(tmp_path, VALUES[..., 0] > 127), View())
    assert set(np.unique(np.asarray(masks.images[:]))) == {0, 255}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            VALUES.astype(np.int16) * 10 - 1000,
            r"int16 values from -1000 to 15\d\d; images are uint8",
        ),
        (np.where(VALUES[0, 0, 0, 0] == VALUES, np.nan, 0.5), "values that are NaN or infinite"),
        (VALUES.reshape(COUNT, -1), "12 x 192: the images are flattened"),
        (np.zeros((4, 8, 8, 4), np.uint8), "with 1 or 3 channels C"),
        (np.zeros((4, 3, 8, 3), np.uint8), "the second or the last axis"),
        (VALUES[:1], "give at least two images"),
        (np.array([["a", "b"]] * 4), "values of the type <U1, no numbers"),
        (np.array([{"a": 1}], dtype=object), "Python objects, which are never unpickled"),
    ],
)
def test_arrays_that_are_no_images(values: np.ndarray, message: str, tmp_path: Path):
    path = save(tmp_path, values)
    refused_in_one_line(lambda: open_dataset(path, View()), message)


def test_damaged_files(tmp_path: Path):
    path = Path(save(tmp_path, VALUES))
    path.write_bytes(path.read_bytes()[:-50])
    refused_in_one_line(lambda: open_dataset(str(path), View()), "x.npy cannot be read")

    path.write_bytes(b"no array")
    refused_in_one_line(lambda: open_dataset(str(path), View()), "x.npy cannot be read")
    for content in (b"no zip", b"PK\x05\x06" + bytes(18)):
        (tmp_path / "x.npz").write_bytes(content)
        refused_in_one_line(lambda: open_dataset(str(tmp_path / "x.npz"), View()), "x.npz")


# Several arrays


@pytest.mark.parametrize(
    ("arrays", "classes", "notes"),
    [
        ({"x": VALUES, "y": CLASSES}, ("0", "1", "2"), []),
        ({"images": VALUES, "labels": CLASSES[:, None].astype(float)}, ("0", "1", "2"), []),
        (
            {"train_images": VALUES, "train_labels": CLASSES + 1, "val_images": VALUES[:2]},
            ("1", "2", "3"),
            ["other arrays are not used: val_images"],
        ),
        (
            {"x": VALUES, "y": CLASSES, "classes": np.array(["cat", "dog", "owl"])},
            ("cat", "dog", "owl"),
            [],
        ),
        ({"x": VALUES, "y": np.array(["a10", "a2", "b"])[CLASSES]}, ("a2", "a10", "b"), []),
        ({"only": VALUES}, (), []),
    ],
)
def test_labels_beside_images(
    arrays: dict[str, np.ndarray], classes: tuple[str, ...], notes: list[str], tmp_path: Path
):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, **arrays)
    dataset = open_dataset(str(path), View())

    np.testing.assert_array_equal(dataset.images[:], EXPECTED)
    assert dataset.classes == classes
    assert dataset.report.notes == notes
    if classes:
        names = np.array(classes)[dataset.labels]
        given = arrays.get("y", arrays.get("labels", arrays.get("train_labels")))
        assert len({(str(name), str(value)) for name, value in zip(names, given)}) == 3


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"foo": VALUES, "bar": CLASSES}, "holds the arrays foo, bar; images are called images"),
        ({"x": VALUES, "y": CLASSES[:4]}, "y is 4 for 12 images"),
        ({"x": VALUES, "y": CLASSES + 0.5}, "other numbers are no classes"),
        ({"x": VALUES, "y": CLASSES * 0}, "y has one class, 0"),
        ({"x": VALUES, "y": CLASSES, "names": np.array(["a"])}, "names has 1 names, but the label"),
        ({"x": np.asfortranarray(VALUES)}, "saved column by column"),
        ({"x": VALUES, "y": np.array([None] * COUNT)}, "never unpickled"),
    ],
)
def test_arrays_that_do_not_fit(arrays: dict[str, np.ndarray], message: str, tmp_path: Path):
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    refused_in_one_line(lambda: open_dataset(str(path), View()), message)


def test_small_files_that_declare_much(tmp_path: Path):
    def write(shape: tuple[int, ...], length: int) -> str:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            head, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", head.getvalue() + bytes(length))
        return str(tmp_path / "x.npz")

    huge = write((10**12, 8, 8), 1000)
    refused_in_one_line(lambda: open_dataset(huge, View()), "more than 256 GiB")
    other = write((100, 8, 8), 1000)
    refused_in_one_line(lambda: open_dataset(other, View()), "another length than its head says")


def test_auto_looks_at_arrays(tmp_path: Path):
    facts = survey_data(save(tmp_path, VALUES), {}, "cpu")

    assert (facts.images, facts.view.size, facts.classes) == (COUNT, 8, 0)
    path = tmp_path / "x.npy"
    refused_in_one_line(
        lambda: open_dataset(str(path), View(labels="folders")), "carries its own labels"
    )
    refused_in_one_line(
        lambda: open_dataset("digits", View(transpose=True)), "--transpose is for arrays"
    )

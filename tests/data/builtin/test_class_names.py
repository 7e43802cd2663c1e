"""Idx sets such as EMNIST's: turned images, and names of classes beside them."""

from pathlib import Path

import numpy as np
import pytest
from idx_files import write_idx
from tiny import refused_in_one_line

from ganvas.data import View, open_dataset

VALUES = np.random.default_rng(3).integers(0, 256, (6, 5, 5))
LABELS = np.array([1, 2, 3, 1, 2, 3])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_idx(tmp_path / "emnist-letters-train-images-idx3-ubyte.gz", VALUES)
    write_idx(tmp_path / "emnist-letters-train-labels-idx1-ubyte.gz", LABELS)
    return tmp_path


def classes(place: Path) -> tuple[str, ...]:
    return open_dataset(f"idx:{place}", View()).classes


def test_images_are_turned_on_request(place: Path):
    plain = open_dataset(f"idx:{place}", View())
    turned = open_dataset(f"idx:{place}", View(transpose=True))

    np.testing.assert_array_equal(plain.images[:, 0], VALUES)
    np.testing.assert_array_equal(turned.images[:, 0], VALUES.swapaxes(1, 2))
    assert turned.report.steps == ["rows and columns exchanged"]
    assert turned.fingerprint != plain.fingerprint


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("emnist-letters-mapping.txt", "1 65 97\n2 66 98\n3 67 99\n", ("Aa", "Bb", "Cc")),
        ("classes.txt", "none\nlion\nice bear\n狗\n", ("lion", "ice bear", "狗")),
        ("names.txt", "0 48\n1 49\n2 50\n3 51\n", ("1", "2", "3")),
    ],
)
def test_names_come_from_a_file_beside(
    place: Path, name: str, text: str, expected: tuple[str, ...]
):
    (place / name).write_text(text, encoding="utf-8")
    dataset = open_dataset(f"idx:{place}", View())

    assert dataset.classes == expected
    assert dataset.report.notes == [f"the names of the classes are those of {name}"]
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_of_several_mappings_the_one_of_the_images_counts(place: Path):
    (place / "emnist-letters-mapping.txt").write_text("1 97\n2 98\n3 99\n")
    (place / "emnist-digits-mapping.txt").write_text("1 49\n2 50\n3 51\n")
    assert classes(place) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x-mapping.txt", "1 97\n2 98\n", "has 2 names, and none for class 3"),
        ("x-mapping.txt", "1 97\n2 97\n3 98\n", "calls two classes 'a'"),
        ("x-mapping.txt", "1 a\n", "line 1: '1 a'; a line is the number of a class"),
        ("x-mapping.txt", "1\n", "line 1: '1'; a line is"),
        ("classes.txt", "cat\ndog\n", "has 2 names, and none for class 2"),
    ],
)
def test_names_that_do_not_fit(place: Path, name: str, text: str, message: str):
    (place / name).write_text(text)
    refused_in_one_line(lambda: classes(place), message)

"""Digits, MNIST and other idx files."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from idx_files import write_idx

from ganvas.data import View, open_dataset
from ganvas.data.builtin.idx import read_idx
from ganvas.errors import UserError

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))


def test_digits_are_the_scans():
    digits = open_dataset("digits", View())
    assert digits.images.shape == (1797, 1, 8, 8)
    assert digits.images.dtype == np.uint8
    assert digits.images.max() == 255
    assert digits.labels is not None
    assert digits.labels.dtype == np.int64
    assert digits.labels[:10].tolist() == list(range(10))
    assert digits.classes == tuple("0123456789")
    assert sum(digits.report.classes.values()) == len(digits) == 1797


def test_digits_are_enlarged_with_a_note_and_repeated():
    digits = open_dataset("digits", View(size=32, channels=3))
    assert digits.images.shape == (1797, 3, 32, 32)
    assert (digits.images[:, 0] == digits.images[:, 2]).all()
    assert any("enlarged from 8x8 to 32x32" in note for note in digits.report.notes)
    assert digits.fingerprint != open_dataset("digits", View()).fingerprint


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_files(name):
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    test = open_dataset(f"{name}-test:{folder}", View())

    assert test.images.shape == (10000, 1, 28, 28)

    train = open_dataset(f"{name}:{folder}", View(size=16))
    assert train.images.shape == (60000, 1, 16, 16)
    assert len(train.classes) == 10
    assert list(train.report.classes) == list(train.classes)
    if name == "mnist":
        assert train.labels is not None
        assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
        assert train.report.classes["1"] == 6742


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.booleans())
def test_idx_round_trip(tmp_path_factory, shape, zipped):
    values = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    path = tmp_path_factory.mktemp("idx") / ("values.gz" if zipped else "values")
    write_idx(path, values)
    assert np.array_equal(read_idx(path), values)


def odd_set(folder: Path, count: int = 6, labels: int | None = 6) -> None:
    images = np.arange(count * 5 * 7, dtype=np.uint8).reshape(count, 5, 7)
    write_idx(folder / "some-images-idx3-ubyte.gz", images)
    if labels is not None:
        write_idx(folder / "some-labels-idx1-ubyte", np.arange(labels) % 3 * 4)


def test_odd_idx_set(tmp_path):
    odd_set(tmp_path)
    opened = open_dataset(f"idx:{tmp_path}", View())
    assert opened.images.shape == (6, 1, 5, 5)
    assert np.array_equal(opened.images[0, 0], np.arange(35).reshape(5, 7)[:, 1:6])
    assert opened.classes == ("0", "4", "8")
    assert opened.labels is not None
    assert opened.labels.tolist() == [0, 1, 2, 0, 1, 2]

    padded = open_dataset(f"idx:{tmp_path}", View(size=7, fit="pad", background="black"))
    assert np.array_equal(padded.images[0, 0, 1:6], np.arange(35).reshape(5, 7))
    assert padded.images[:, :, [0, 6]].max() == 0
    assert (
        open_dataset(f"idx:{tmp_path}/some-images-idx3-ubyte.gz", View()).fingerprint
        == opened.fingerprint
    )


def test_idx_without_labels(tmp_path):
    odd_set(tmp_path, labels=None)
    opened = open_dataset(f"idx:{tmp_path}", View())
    assert opened.labels is None
    assert opened.classes == ()


def test_idx_errors(tmp_path):
    with pytest.raises(UserError, match="holds no idx file"):
        open_dataset(f"idx:{tmp_path}", View())

    odd_set(tmp_path, labels=5)
    with pytest.raises(UserError, match="5 labels for 6 images"):
        open_dataset(f"idx:{tmp_path}", View())
    with pytest.raises(UserError, match="does not exist"):
        open_dataset(f"mnist:{tmp_path}", View())

    for kind, values in {"images-idx3": np.zeros((7, 28, 28)), "labels-idx1": np.zeros(7)}.items():
        write_idx(tmp_path / f"t10k-{kind}-ubyte", values)
    with pytest.raises(UserError, match="7 images of 28x28; mnist's are 10,000"):
        open_dataset(f"mnist-test:{tmp_path}", View())

    for file in tmp_path.glob("t10k*"):
        file.unlink()
    other = tmp_path / "other-images-idx3-ubyte"
    write_idx(other, np.zeros((4, 2, 2)))

    with pytest.raises(UserError, match=r"several idx files.*other-images.*some-images"):
        open_dataset(f"idx:{tmp_path}", View())

    other.write_bytes(other.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"declares 4x2x2 \(16 bytes\) but holds 13 bytes"):
        open_dataset(f"idx:{other}", View())

    other.write_bytes(b"\x89PNG and so on")
    with pytest.raises(UserError, match="not an idx file: it begins with 89 50 4e 47"):
        open_dataset(f"idx:{other}", View())

    write_idx(other, np.random.default_rng(0).integers(0, 255, (40, 8, 8)))
    other.write_bytes(gzip.compress(other.read_bytes())[:-100])
    with pytest.raises(UserError, match="cannot be read"):
        open_dataset(f"idx:{other}", View())


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("digts", "did you mean digits"),
        ("mnst", "did you mean mnist"),
        ("mnist:/no/such/folder", "does not exist"),
        ("./no-such-folder", "no file or folder"),
    ],
)
def test_unknown_names(spec, words):
    with pytest.raises(UserError, match=words):
        open_dataset(spec, View())


def test_batch_is_in_the_order_asked_for():
    digits = open_dataset("digits", View())
    batch = digits.batch(np.array([7, 3, 7, 0]))
    assert batch["label"].tolist() == [7, 3, 7, 0]
    assert np.array_equal(batch["image"][1].numpy(), digits.images[3])

"""CIFAR-10's binary files, from a folder and from the archive."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import View, open_dataset
from ganvas.data.builtin.cifar10 import ARCHIVE, CLASSES, FILES, RECORD, RECORDS
from ganvas.errors import UserError


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    """Files like the real ones, of the real sizes."""
    random = np.random.default_rng(0)
    found = {}
    for name in [name for names in FILES.values() for name in names]:
        records = random.integers(0, 256, (RECORDS, RECORD), np.uint8)
        records[:, 0] %= len(CLASSES)
        found[name] = records.tobytes()
    return found


@pytest.fixture
def folder(tmp_path: Path, contents: dict[str, bytes]) -> Path:
    for name in FILES["cifar10-test"]:
        (tmp_path / name).write_bytes(contents[name])
    return tmp_path


@pytest.mark.slow
def test_all_batches_come_in_order_from_the_archive(tmp_path, contents):
    with tarfile.open(tmp_path / ARCHIVE, "w:gz", compresslevel=1) as tar:
        for name, content in reversed(contents.items()):
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    train = open_dataset(f"cifar10:{tmp_path}", View())

    assert train.images.shape == (50_000, 3, 32, 32)
    assert train.classes == CLASSES
    assert train.report.test == f"cifar10-test:{tmp_path}"
    for place, name in enumerate(FILES["cifar10"]):
        record = np.frombuffer(contents[name][:RECORD], np.uint8)
        assert train.labels is not None
        assert train.labels[RECORDS * place] == record[0]
        assert np.array_equal(train.images[RECORDS * place].ravel(), record[1:])

    test = open_dataset(f"cifar10-test:{tmp_path / ARCHIVE}", View())
    assert (len(test), test.report.test) == (10_000, None)


def test_grey_is_pillows(folder):
    colour = open_dataset(f"cifar10-test:{folder}", View())
    grey = open_dataset(f"cifar10-test:{folder}", View(channels=1))
    assert grey.images.shape == (10_000, 1, 32, 32)
    assert np.array_equal(
        grey.images[7, 0],
        np.array(Image.fromarray(colour.images[7].transpose(1, 2, 0)).convert("L")),
    )


def test_what_is_wrong_is_said(folder, contents):
    with pytest.raises(
        UserError,
        match=r"neither cifar-10-binary.tar.gz nor data_batch_1.bin.* pickled, is not read",
    ):
        open_dataset(f"cifar10:{folder}", View())
    with pytest.raises(UserError, match="does not exist; name cifar-10-binary"):
        open_dataset(f"cifar10:{folder / 'nowhere'}", View())

    file = folder / "test_batch.bin"
    file.write_bytes(contents[file.name][:-1])
    with pytest.raises(UserError, match="30,729,999 bytes; 10,000 records have 30,730,000"):
        open_dataset(f"cifar10-test:{folder}", View())

    file.write_bytes(b"\xff" + contents[file.name][1:])
    with pytest.raises(UserError, match="has the label 255"):
        open_dataset(f"cifar10-test:{folder}", View())

    (folder / ARCHIVE).write_bytes(b"no archive")
    with pytest.raises(UserError, match="cannot be read"):
        open_dataset(f"cifar10:{folder}", View())
    with pytest.raises(UserError, match="carries its own labels"):
        open_dataset(f"cifar10-test:{folder}", View(labels="folders"))

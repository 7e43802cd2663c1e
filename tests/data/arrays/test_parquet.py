"""Parquet files in the layout of the Hugging Face Hub."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny import refused_in_one_line

from ganvas.data import View, open_dataset
from ganvas.io.images import to_png
from ganvas.recipes.facts import survey_data

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NAMES = ["cat", "dog", "owl"]
COUNT = 20
VALUES = np.random.default_rng(2).integers(0, 256, (COUNT, 8, 8), dtype=np.uint8)


def content(number: int) -> bytes:
    return to_png(Image.frombytes("L", (8, 8), VALUES[number].tobytes()))


def write(
    path: Path, rows: range, labels: list[int] | None = None, names: Any = NAMES, **more: list[Any]
) -> None:
    """Write images, and perhaps classes, as the Hub does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": content(row), "path": f"{row}.png"} for row in rows]
    columns = {"image": images} | more
    if labels is not None:
        columns["label"] = labels
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": names}}
    about = json.dumps({"info": {"features": features}}).encode()
    table = pyarrow.table(columns).replace_schema_metadata({b"huggingface": about})
    parquet.write_table(table, path, row_group_size=3)


def test_a_folder_of_the_hub(tmp_path: Path):
    place = tmp_path / "pets"
    (place / "data").mkdir(parents=True)
    (place / "README.md").write_text("---\nlicense: mit\n---\n")
    labels = [number % 3 for number in range(COUNT)]
    write(place / "data" / "train-00000-of-00002.parquet", range(9), labels[:9])
    write(place / "data" / "train-00001-of-00002.parquet", range(9, 17), labels[9:17])
    write(place / "data" / "test-00000-of-00001.parquet", range(17, 20), [-1] * 3)
    dataset = open_dataset(str(place), View())

    np.testing.assert_array_equal(dataset.images[:], VALUES[:17, None])
    assert dataset.classes == ("cat", "dog", "owl")
    assert dataset.labels is not None
    assert dataset.labels.tolist() == labels[:17]
    assert dataset.report.test == str(place / "data" / "test-00000-of-00001.parquet")
    assert dataset.report.notes == [
        "1 file is not trained on, since of other splits: test-00000-of-00001.parquet"
    ]
    test = open_dataset(dataset.report.test, View())
    assert (len(test), test.labels) == (3, None)

    facts = survey_data(str(place), {}, "cpu")
    assert (facts.images, facts.classes, facts.view.size) == (17, 3, 8)


def test_rows_without_an_image_or_label_are_left_out(tmp_path: Path):
    path = tmp_path / "x.parquet"
    images = [{"bytes": content(row), "path": None} for row in range(6)]
    images[1] = {"bytes": None, "path": "elsewhere/1.png"}
    images[2] = {"bytes": b"no image", "path": None}
    images[3] = None
    table = pyarrow.table({"image": images, "label": [0, 1, 0, 1, None, 1]})
    parquet.write_table(table, path)
    report = open_dataset(str(path), View(size=8)).report

    assert (report.found, report.used) == (6, 2)
    assert report.classes == {"0": 1, "1": 1}
    assert {item.file: item.reason.partition(":")[0] for item in report.skipped} == {
        "x.parquet: row 1": "only the name of a file",
        "x.parquet: row 2": "not an image",
        "x.parquet: row 3": "no image in this row",
        "x.parquet: row 4": "has no label",
    }


def test_which_column_is_the_label(tmp_path: Path):
    path = tmp_path / "x.parquet"
    table = {"img": [content(row) for row in range(4)], "class": ["a", "b"] * 2}
    parquet.write_table(pyarrow.table(table), path)
    assert open_dataset(str(path), View()).classes == ("a", "b")

    parquet.write_table(pyarrow.table(table | {"label": [1, 1, 2, 2]}), path)
    plain = open_dataset(str(path), View())
    assert plain.labels is None
    assert plain.report.notes[0].startswith("several columns could be labels (class, label)")
    assert open_dataset(str(path), View(labels="label")).classes == ("1", "2")
    refused_in_one_line(
        lambda: open_dataset(str(path), View(labels="lable")), "no column 'lable'; did you mean"
    )


def test_what_is_refused(tmp_path: Path):
    path = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.table({"text": ["a", "b"]}), path)
    refused_in_one_line(lambda: open_dataset(str(path), View()), "has the columns text; images")

    write(path, range(4), [0, 1, 2, 7])
    refused_in_one_line(lambda: open_dataset(str(path), View()), "class 7, and there are 3 names")
    path.write_bytes(path.read_bytes()[:-9])
    refused_in_one_line(lambda: open_dataset(str(path), View()), "cannot be read as parquet")

"""Images with captions, boxes and key points: tables of JSON lines and in COCO's format."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny import refused_in_one_line

from ganvas.data import open_dataset
from ganvas.data.text import LENGTH, decode
from ganvas.data.view import View

VIEW = View(size=16)


def pictures(folder: Path, count: int = 3, width: int = 32, height: int = 32) -> Path:
    """Black images 0.png, 1.png, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (width, height)).save(folder / f"{number}.png")
    return folder


def table(folder: Path, *lines: object, name: str = "lines.jsonl") -> str:
    """Write lines, as JSON unless they are text, and return the spec of the set."""
    written = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / name).write_text(written, encoding="utf-8")
    return f"captions:{folder}"


def lines(count: int = 3, **more: object) -> list[dict[str, object]]:
    return [
        {"file": f"{number}.png", "caption": f"image {number}", **more} for number in range(count)
    ]


def reasons(spec: str, view: View = VIEW) -> dict[str, str]:
    return {item.file: item.reason for item in open_dataset(spec, view).report.skipped}


# What is read


def test_captions_are_bytes_and_shorter_lists_are_repeated(tmp_path: Path):
    spec = table(
        pictures(tmp_path),
        {"file": "0.png", "captions": ["One  Äpfel", "two", "three"]},
        {"file": "1.png", "captions": ["a", "b"]},
        {"file": "2.png", "caption": "x" * 127 + "é"},
    )
    dataset = open_dataset(spec, VIEW)
    captions = dataset.columns["caption"]

    assert (captions.shape, captions.dtype) == ((3, 3, LENGTH), np.uint8)

    texts = [[decode(caption) for caption in row] for row in captions]
    assert texts == [["one äpfel", "two", "three"], ["a", "b", "a"], ["x" * 127] * 3]
    assert any("1 caption of more than 128 bytes is cut" in note for note in dataset.report.notes)
    assert dataset.schema.widths == {"caption": LENGTH}
    assert not dataset.schema.boxes


@pytest.mark.parametrize("name", ["box", "bbox"])
def test_boxes_follow_the_image_into_its_square(tmp_path: Path, name: str):
    """An image of 64x32: 16x8 or, cut, 32x16, of which the middle 16 remain."""
    folder = pictures(tmp_path, width=64, height=32)
    spec = table(folder, *lines(**{name: [16, 8, 32, 16]}))
    cut = open_dataset(spec, VIEW).columns["box"][0]
    padded = open_dataset(spec, VIEW.model_copy(update={"fit": "pad"})).columns["box"][0]
    stretched = open_dataset(spec, VIEW.model_copy(update={"fit": "stretch"})).columns["box"][0]
    assert cut.tolist() == [0.0, 0.25, 1.0, 0.5]
    assert padded.tolist() == [0.25, 0.375, 0.5, 0.25]
    assert stretched.tolist() == [0.25, 0.25, 0.5, 0.5]


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(40, 24), (24, 40), (33, 57), (20, 20)])
def test_boxes_lie_where_the_pixels_do(tmp_path: Path, fit: str, width: int, height: int):
    folder = tmp_path / "set"
    folder.mkdir()
    left, top, box_width, box_height = width // 2 - 6, height // 2 - 4, 9, 8
    picture = Image.new("RGB", (width, height))
    picture.paste((255, 255, 255), (left, top, left + box_width, top + box_height))
    for number in range(2):
        picture.save(folder / f"{number}.png")
    spec = table(folder, *lines(2, box=[left, top, box_width, box_height]))
    dataset = open_dataset(spec, View(size=20, fit=fit, background="black"))
    lit = np.argwhere(dataset.images[0][0] > 127)
    (first_row, first_column), (last_row, last_column) = lit.min(0), lit.max(0) + 1
    found = (
        np.array([first_column, first_row, last_column - first_column, last_row - first_row]) / 20
    )

    assert np.abs(found - dataset.columns["box"][0]).max() < 1 / 20


def test_key_points_by_name_and_as_lists(tmp_path: Path):
    spec = table(
        pictures(tmp_path),
        {"parts": ["beak", "tail"]},
        {"file": "0.png", "keypoints": [[8, 16, 1], [4, 4, 0]]},
        {"file": "1.png", "keypoints": {"tail": [16, 24], "beak": None}},
        {"file": "2.png", "keypoints": {"foot": [0, 0]}},
    )
    dataset = open_dataset(spec, VIEW)

    assert dataset.schema.names["keypoints"] == ("beak", "tail", "foot")
    assert dataset.columns["keypoints"].tolist() == [
        [[0.25, 0.5, 1], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 0], [0.5, 0.75, 1], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [0, 0, 1]],
    ]


def test_coco(tmp_path: Path):
    folder = pictures(tmp_path)
    about = {
        "images": [{"id": 7 + number, "file_name": f"{number}.png"} for number in range(3)],
        "categories": [{"id": 1, "name": "bird", "keypoints": ["beak", "tail"]}],
        "annotations": [
            *({"image_id": 7 + number, "caption": f"bird {number}"} for number in range(3)),
            {"image_id": 7, "caption": "again"},
            *(
                {"image_id": 7 + n, "bbox": [0, 0, 16, 16], "keypoints": [8, 8, 2, 0, 0, 0]}
                for n in range(3)
            ),
            {"image_id": 8, "bbox": [16, 16, 2, 2], "keypoints": [17, 17, 2, 17, 17, 2]},
        ],
    }
    spec = table(folder, about, name="instances.json")
    dataset = open_dataset(spec, VIEW)

    assert [decode(row[1]) for row in dataset.columns["caption"]] == ["again", "bird 1", "bird 2"]
    assert dataset.columns["box"].tolist() == [[0, 0, 0.5, 0.5]] * 3
    assert dataset.columns["keypoints"].tolist() == [[[0.25, 0.25, 1], [0, 0, 0]]] * 3
    assert dataset.schema.names["keypoints"] == ("beak", "tail")


def test_a_caption_may_hold_a_line_separator(tmp_path: Path):
    folder = pictures(tmp_path)
    rows = lines(3)
    rows[1]["caption"] = "one\u2028two\x85three"
    content = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "captions.jsonl").write_text(content, encoding="utf-8", newline="")

    dataset = open_dataset(f"captions:{folder}", VIEW)

    assert decode(dataset.columns["caption"][1, 0]) == "one two three"
    assert dataset.report.skipped == []


def test_features_of_captions_follow_their_lines(tmp_path: Path):
    folder = pictures(tmp_path)
    spec = table(folder, {"file": "2.png", "caption": "c"}, "no json", *lines(2))
    features = torch.arange(8.0).view(4, 2)
    save_file({"features": features}, folder / "captions.safetensors")
    dataset = open_dataset(spec, VIEW)
    assert dataset.columns["caption_features"].tolist() == features[[0, 2, 3], None].tolist()
    assert dataset.schema.widths["caption_features"] == 2
    save_file({"features": torch.zeros(3, 2)}, folder / "captions.safetensors")
    refused_in_one_line(lambda: open_dataset(spec, VIEW), "with 4 lines")


def test_a_zip_that_wraps_the_images_in_a_folder(tmp_path: Path):
    folder = pictures(tmp_path / "images")
    table(
        tmp_path, *({**line, "file": f"images/{line['file']}"} for line in lines(box=[0, 0, 4, 4]))
    )
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in [*folder.iterdir(), tmp_path / "lines.jsonl"]:
            archive.write(file, file.relative_to(tmp_path))
    dataset = open_dataset(f"captions:{tmp_path / 'set.zip'}", VIEW)
    assert len(dataset) == 3
    assert {"image", "caption", "box"} == set(dataset.columns)


def test_packed_once_and_found_again_until_the_table_changes(tmp_path: Path):
    folder = pictures(tmp_path)
    first = open_dataset(table(folder, *lines()), VIEW)
    assert (
        open_dataset(table(folder, *lines()), VIEW).columns["image"].filename
        == first.columns["image"].filename
    )
    other = open_dataset(table(folder, *lines(box=[0, 0, 4, 4])), VIEW)
    assert other.fingerprint != first.fingerprint
    assert other.schema.boxes


# What is left out, and what is refused


def test_lines_that_cannot_be_used_are_named(tmp_path: Path):
    spec = table(
        pictures(tmp_path, 9),
        *lines(3, box=[2, 2, 8, 8]),
        {"file": "3.png", "caption": "x", "box": [0, 0, 0, 5]},
        {"file": "4.png", "caption": "x", "box": [40, 0, 5, 5]},
        {"file": "5.png", "caption": "x", "box": [1, 2, 3]},
        {"file": "6.png", "caption": "  ", "box": [1, 2, 3, 4]},
        {"file": "7.png", "caption": "x", "box": [1, 2, 3, 4], "keypoints": [[1, 2]]},
        "{",
        '"text"',
        {"caption": "x"},
        {"file": "0.png", "caption": "x", "box": [1, 2, 3, 4]},
        {"file": "absent.png", "caption": "x"},
    )
    found = reasons(spec)
    expected = {
        "3.png": "no area",
        "4.png": r"lies outside of its 32x32",
        "5.png": "not named",
        "6.png": "has no caption",
        "7.png": "not named",
        "8.png": "not named in lines.jsonl",
        "0.png": "named again",
        "lines.jsonl, line 6": "a box is 4 numbers",
        "lines.jsonl, line 8": "1 key points and 0 names",
        "lines.jsonl, line 9": "cannot be used",
        "lines.jsonl, line 10": "not an object",
        "lines.jsonl, line 11": 'no "file"',
    }

    assert found.keys() == expected.keys()
    assert all(reason in found[file] for file, reason in expected.items())

    dataset = open_dataset(spec, VIEW)
    assert len(dataset) == 3
    assert any("absent.png" in note for note in dataset.report.notes)


def test_a_box_that_is_cut_away_leaves_its_image_out(tmp_path: Path):
    folder = pictures(tmp_path, width=64, height=32)
    spec = table(
        folder,
        *lines(2, box=[20, 8, 20, 16]),
        {"file": "2.png", "caption": "x", "box": [0, 0, 10, 10]},
    )
    assert reasons(spec) == {"2.png": "its box [0, 0, 10, 10] is cut away with fit=crop"}
    assert not reasons(spec, VIEW.model_copy(update={"fit": "pad"}))


def test_boxes_over_the_edge_are_cut_there_and_reported(tmp_path: Path):
    dataset = open_dataset(table(pictures(tmp_path), *lines(box=[-8, 16, 16, 32])), VIEW)
    assert dataset.columns["box"][0].tolist() == [0, 0.5, 0.25, 0.5]
    assert any("3 boxes reach over the edge" in note for note in dataset.report.notes)


def test_what_few_have_is_not_used(tmp_path: Path):
    dataset = open_dataset(
        table(
            pictures(tmp_path), *lines(2), {"file": "2.png", "caption": "x", "box": [0, 0, 4, 4]}
        ),
        VIEW,
    )
    assert set(dataset.columns) == {"image", "caption"}
    assert any("1 of 3 images has a box" in note for note in dataset.report.notes)


def coco(*annotations: dict, categories: list | None = None) -> str:
    """A table in COCO's format of one image with these annotations."""
    about = {
        "images": [{"id": 1, "file_name": "0.png"}],
        "categories": categories or [{"keypoints": ["beak"]}],
        "annotations": [{"image_id": 1} | values for values in annotations],
    }
    return json.dumps(about)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "has no captions: beside the images must lie a .jsonl"),
        ({"a.jsonl": "{}", "b.jsonl": "{}"}, "only one of them"),
        ({"a.jsonl": ""}, "describes no image"),
        ({"a.jsonl": '{"file": "0.png"}'}, "describes no image"),
        ({"a.jsonl": '{"file": "9.png", "caption": "x"}'}, "names 1 file that is not there: 9.png"),
        ({"a.jsonl": '{"file": 3}'}, "describes no image.*line 1"),
        ({"a.json": "{"}, "a.json is not JSON"),
        ({"a.json": "[]"}, "COCO"),
        ({"a.json": '{"images": []}'}, "COCO.*annotations"),
        ({"a.json": "[" * 100_000}, "a.json is not JSON: it is nested too deeply"),
        ({"a.json": coco(categories=[{"keypoints": 1}])}, "COCO"),
        ({"a.json": coco({"bbox": [1]}, {"bbox": [2]})}, "describes no image.*cannot be used"),
        ({"a.json": coco({"bbox": ["a", 1, 2, 3]})}, "describes no image.*cannot be used"),
        ({"a.json": coco({"bbox": [1, 2, 3, 4], "keypoints": 5})}, "describes no image"),
    ],
)
def test_refused(tmp_path: Path, written: dict[str, str], message: str):
    folder = pictures(tmp_path)
    for name, content in written.items():
        (folder / name).write_text(content, encoding="utf-8")
    refused_in_one_line(lambda: open_dataset(f"captions:{folder}", VIEW), message)


def test_a_place_that_is_not_there(tmp_path: Path):
    refused_in_one_line(
        lambda: open_dataset(f"captions:{tmp_path / 'absent'}", VIEW), "no file or folder"
    )

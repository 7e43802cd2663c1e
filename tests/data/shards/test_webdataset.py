"""Shards of ours in webdataset, and tars that other programs wrote."""

import gc
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from shard_sets import COUNT, VIEW, draw_noise, encode_image, open_shards, write_tar
from tiny import refused_in_one_line

from ganvas.data import View, open_dataset


def test_webdataset_reads_our_shards(packed: Path):
    webdataset = pytest.importorskip("webdataset")
    dataset = open_shards(packed)
    with warnings.catch_warnings(action="ignore"):  # it leaves the closing of files to chance
        shards = webdataset.WebDataset(
            str(packed / "pets-{000000..000006}.tar"), shardshuffle=False
        )
        pictures, labels = zip(*shards.decode("rgb8").to_tuple("png", "cls"))
        del shards
        gc.collect()

    np.testing.assert_array_equal(
        np.stack(pictures).transpose(0, 3, 1, 2), dataset.images[np.arange(COUNT)]
    )
    np.testing.assert_array_equal(labels, dataset.labels)


def test_we_read_webdatasets_shards(tmp_path: Path):
    webdataset = pytest.importorskip("webdataset")
    pictures = [draw_noise(number, 16) for number in range(6)]
    for number in range(2):
        with webdataset.TarWriter(str(tmp_path / f"part-{number}.tar")) as writer:
            for row in range(3 * number, 3 * number + 3):
                writer.write(
                    {
                        "__key__": f"train/{row}",
                        "cls": 10 * row,
                        "png": pictures[row],
                        "txt": "a caption",
                    }
                )
    dataset = open_shards(tmp_path, View())

    np.testing.assert_array_equal(
        dataset.images[np.arange(6)], np.stack(pictures).transpose(0, 3, 1, 2)
    )
    assert dataset.labels is not None
    assert [dataset.classes[label] for label in dataset.labels] == [
        "0",
        "10",
        "20",
        "30",
        "40",
        "50",
    ]
    assert dataset.report.notes == ["other files are ignored: .txt (6)"]


def test_tars_of_others(tmp_path: Path, cache: Path):
    """JPEG and WebP, classes in JSON, hidden, broken and small files, second images: each used
    or reported.
    """
    first = {
        "a.jpg": encode_image(0, "jpeg"),
        "a.json": b'{"label": "cat"}',
        "b.small.png": encode_image(1),
        "b.webp": encode_image(2, "webp", 20),
        "b.json": b'{"class": "dog"}',
        "._c.png": b"of a file manager",
        "c.png": b"no image",
        "c.cls": b"cat",
        "readme": b"text",
    }
    write_tar(tmp_path / "x-9.tar", first)
    write_tar(
        tmp_path / "x-10.tar",
        {
            "d.JPEG": encode_image(3, "jpeg", 1),
            "d.cls": b"dog",
            "e.png": encode_image(4),
            "e.cls": b"owl",
        },
    )
    dataset = open_shards(tmp_path / "x-{9,10}.tar")

    assert dataset.labels is not None
    assert [dataset.classes[label] for label in dataset.labels] == ["cat", "dog", "owl"]
    assert dataset.report.notes == ["other files are ignored: .small.png (1), no ending (1)"]
    assert [(item.file, item.reason.partition(":")[0]) for item in dataset.report.skipped] == [
        ("x-9.tar: c.png", "not an image"),
        ("x-10.tar: image 1", "1x1 is less than an eighth of 16x16"),
    ]
    assert dataset.report.sizes == {"16x16": 2, "20x20": 1, "1x1": 1}
    np.testing.assert_array_equal(dataset.images[2], draw_noise(4, 16).transpose(2, 0, 1))
    assert len(dataset.images[np.arange(3)]) == 3
    refused_in_one_line(
        lambda: open_dataset(f"shards:{tmp_path}", VIEW, strict=True), "2 of 5 files cannot be used"
    )
    refused_in_one_line(
        lambda: open_shards(tmp_path, View()), "from 1x1 to 20x20; say which square"
    )

    written = list((cache / "shard-indexes").iterdir())
    open_shards(tmp_path / "x-{9,10}.tar")
    assert list((cache / "shard-indexes").iterdir()) == written


def test_classes_that_not_all_have_are_not_used(tmp_path: Path):
    write_tar(
        tmp_path / "x.tar", {"a.png": encode_image(0), "a.cls": b"1", "b.png": encode_image(1)}
    )
    dataset = open_shards(tmp_path)
    assert dataset.labels is None
    assert dataset.report.notes == ["1 of 2 images has no class, so classes are not used"]


def test_tars_that_hold_nothing_are_refused(tmp_path: Path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "x.tar").touch()
    refused_in_one_line(
        lambda: open_shards(tmp_path / "none"), r"x\.tar is not a readable uncompressed tar"
    )

    write_tar(tmp_path / "none" / "x.tar", {})
    refused_in_one_line(
        lambda: open_shards(tmp_path / "none"), r"x\.tar holds no usable image .*; remove it"
    )

    write_tar(tmp_path / "none" / "x.tar", {"a.png": encode_image(0)})
    os.truncate(tmp_path / "none" / "x.tar", 700)
    refused_in_one_line(
        lambda: open_shards(tmp_path / "none"), r"x\.tar is not a readable uncompressed tar"
    )


@pytest.mark.parametrize("dotted", ["v1.{:06}", "{:06}|frame.{:06}", "a.{}", "2024.01/v1.5/{}"])
def test_keys_may_hold_dots(dotted: str, tmp_path: Path):
    """No image vanishes, and each keeps its class."""
    patterns = dotted.split("|")
    files = {}
    for number in range(6):
        key = patterns[number % len(patterns)].format(number)
        files |= {
            f"{key}.png": encode_image(number),
            f"{key}.cls": str(number % 2).encode(),
            f"{key}.txt": b"a caption",
        }
    write_tar(tmp_path / "x.tar", files)
    dataset = open_shards(tmp_path)

    assert dataset.report.found == dataset.report.used == 6
    assert dataset.report.classes == {"0": 3, "1": 3}
    assert dataset.report.notes == ["other files are ignored: .txt (6)"]
    for row, number in enumerate(range(6)):
        expected = draw_noise(number, 16).transpose(2, 0, 1)
        np.testing.assert_array_equal(dataset.images[row], expected)


def test_second_images_of_a_key_stay_what_they_are(tmp_path: Path):
    files = {}
    for number in range(3):
        files[f"{number}.png"] = encode_image(number)
        files[f"{number}.left.png"] = encode_image(number + 10)
        files[f"{number}.cls"] = b"x"
    write_tar(tmp_path / "x.tar", files)
    dataset = open_shards(tmp_path)

    assert len(dataset) == 3
    assert dataset.report.notes == ["other files are ignored: .left.png (3)"]


def test_a_tar_of_other_images_says_so(tmp_path: Path):
    write_tar(tmp_path / "x.tar", {f"{number}.tif": b"II*" for number in range(4)})
    refused_in_one_line(
        lambda: open_shards(tmp_path), r"only \.tif \(4\); write its images as PNG or JPEG"
    )

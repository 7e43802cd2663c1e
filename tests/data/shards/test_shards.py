"""Sharded sets: written, read from folders and addresses, in an order that depends on the position
alone.
"""

import gc
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
import warnings
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from stopping import contents, interrupted_after
from tiny import refused_in_one_line

import ganvas
from ganvas.cli import main
from ganvas.data import View, open_dataset
from ganvas.data.contact_sheet import draw_contact_sheet
from ganvas.data.dataset import Dataset
from ganvas.data.inspect import examine_data
from ganvas.data.loader import Loader
from ganvas.data.pick import choose_rows
from ganvas.data.shards.cache import ShardColumn
from ganvas.data.shards.files import expand_pattern
from ganvas.data.shards.remote import ABANDONED
from ganvas.data.shards.write import pack_dataset
from ganvas.data.split import split
from ganvas.evaluation.metrics.features import Pixels
from ganvas.evaluation.references import (
    draw_rows,
    features_of_rows,
    open_reference,
    open_training_reference,
)
from ganvas.io.download import Published, download
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.training.engine import Engine
from ganvas.training.signals import InterruptedRun

VIEW = View(size=16)
COUNT, EACH = 50, 8  # pictures, and pictures of a shard: six of 8 and one of 2


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of two classes."""
    place = tmp_path_factory.mktemp("pictures")
    for number in range(COUNT):
        path = place / ("cat", "dog")[number % 2] / f"{number:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(noise(number, 16)).save(path)
    return place


@pytest.fixture(scope="module")
def packed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as shards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        return write(folder, tmp_path_factory.mktemp("shards") / "pets")


def noise(seed: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), np.uint8)


def write(source: Path | str, out: Path, each: int | None = EACH, view: View = VIEW) -> Path:
    asked = view.model_copy(update={"labels": "folders"}) if isinstance(source, Path) else view
    pack_dataset(
        str(source), asked, out, shards=True, shard_images=each, strict=True, progress=False
    )
    return out


def copied(packed: Path, place: Path) -> Path:
    """The shards where they may be damaged."""
    place.mkdir()
    for file in packed.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


def opened(place: Path | str, view: View = VIEW) -> Dataset:
    return open_dataset(f"shards:{place}", view)


def column(dataset: Dataset) -> ShardColumn:
    values = dataset.columns["image"]
    assert isinstance(values, ShardColumn)
    return values


def edited(place: Path, **changes: object) -> None:
    index = json.loads((place / "index.json").read_text())
    (place / "index.json").write_text(json.dumps(index | changes))


# Written and read


def test_shards_hold_the_pictures_of_the_folder(folder: Path, packed: Path):
    whole, parts = open_dataset(str(folder), View(size=16, labels="folders")), opened(packed)
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0)).numpy()
    assert whole.labels is not None and parts.labels is not None
    np.testing.assert_array_equal(parts.images[np.arange(COUNT)], whole.images[order])
    np.testing.assert_array_equal(parts.labels, whole.labels[order])
    assert (parts.classes, parts.size, parts.channels, parts.schema) == (
        ("cat", "dog"),
        16,
        3,
        whole.schema,
    )
    assert parts.report.classes == whole.report.classes
    assert (parts.report.found, parts.report.used, parts.report.sizes) == (
        COUNT,
        COUNT,
        {"16x16": COUNT},
    )


def test_rows_are_read_like_an_array(packed: Path):
    images = opened(packed).images
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


def test_the_same_pictures_give_the_same_bytes(folder: Path, packed: Path, tmp_path: Path):
    again = write(folder, tmp_path / "pets")
    assert sorted(file.name for file in again.iterdir()) == sorted(
        file.name for file in packed.iterdir()
    )
    assert all((again / file.name).read_bytes() == file.read_bytes() for file in packed.iterdir())
    with tarfile.open(packed / "pets-000006.tar") as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == [
        "000000048.png",
        "000000048.cls",
        "000000049.png",
        "000000049.cls",
    ]
    assert {
        (member.mtime, member.uid, member.gid, member.uname, member.gname) for member in members
    } == {(0, 0, 0, "", "")}


def test_shards_of_large_pictures_hold_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ganvas.data.shards.write.MAX_BYTES", 599 * 64)
    index = json.loads(
        (write("digits", tmp_path / "few", each=None, view=View()) / "index.json").read_text()
    )
    assert {shard["count"] for shard in index["shards"]} == {599}
    assert index["pictures"] == 1797


def test_other_sizes_and_channels_are_made_of_them(packed: Path):
    small = opened(packed, View(size=8, channels=1))
    assert small.images.shape == (COUNT, 1, 8, 8)
    assert small.report.steps == [
        "50 images turned from colour to grey",
        "50 images shrunk to 8x8",
    ]
    assert small.fingerprint != opened(packed).fingerprint
    scaled = opened(packed, View(size=8, load_scale=1.5))
    assert scaled.images.shape == (COUNT, 3, 12, 12)
    assert scaled.batch(np.array([0]))["image"].shape == (1, 3, 8, 8)
    refused_in_one_line(
        lambda: opened(packed, View(size=17)),
        "fewer than two of its 50 images can be used at size 17",
    )


def test_the_doctor_looks_at_all_of_them(packed: Path):
    found, dataset = examine_data(f"shards:{packed}", View())
    assert (found.size, found.report.used, found.copies) == (16, COUNT, [])
    sheet = np.array(draw_contact_sheet(dataset))
    assert sheet.std() > 50


def test_without_shards_the_cache_is_filled(folder: Path, cache: Path):
    def fill(source: str, **more: object) -> list[str]:
        asked = {
            "out": None,
            "shards": False,
            "shard_images": None,
            "strict": False,
            "progress": False,
        }
        return pack_dataset(
            source, View(size=16) if source != "digits" else View(), **(asked | more)
        )  # type: ignore[arg-type]

    (line,) = fill(str(folder))
    (store,) = (cache / "packed").iterdir()
    assert line == f"{folder}: 50 images, 16x16 rgb, packed in {store} (0.0 MiB)"
    assert fill("digits") == [
        "digits: 1,797 images, 8x8 grey; it is read directly, there is nothing to pack"
    ]
    refused_in_one_line(lambda: fill(str(folder), out=cache), "--out is for shards: add --shards")
    refused_in_one_line(
        lambda: fill(str(folder), shards=True), "--shards needs a folder that does not exist yet"
    )
    refused_in_one_line(
        lambda: fill(str(folder), shards=True, out=folder), "exists; choose another --out"
    )
    refused_in_one_line(
        lambda: fill("figures", shards=True, out=cache / "x"),
        "shards hold one image and at most a class",
    )
    refused_in_one_line(
        lambda: fill("digits", shards=True, out=cache / "x", shard_images=0), "choose 1 or more"
    )


def test_the_verb_tells_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    main(["pack", "digits", "--shards", "--out", str(tmp_path / "digits"), "--shard-images", "900"])
    total = sum(path.stat().st_size for path in (tmp_path / "digits").glob("*.tar"))
    made = (
        f"{tmp_path}/digits: 1,797 images, 8x8 grey, in 2 shards of 900 ({total / 2**20:.1f} MiB)"
    )
    assert capsys.readouterr().out == f"{made}\nto train on them: --data shards:{tmp_path}/digits\n"
    with pytest.raises(SystemExit) as left:
        main(["pack", "digits", "--shards", "--out", str(tmp_path / "digits")])
    assert left.value.code == 2
    assert "exists; choose another --out" in capsys.readouterr().err


def test_packing_that_dies_leaves_no_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ganvas.data.shards.write.make_index", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(folder, tmp_path / "new" / "pets")
    assert list((tmp_path / "new").iterdir()) == []


# Webdataset


def test_webdataset_reads_our_shards(packed: Path):
    webdataset = pytest.importorskip("webdataset")
    dataset = opened(packed)
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
    pictures = [noise(number, 16) for number in range(6)]
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
    dataset = opened(tmp_path, View())
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


def tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return path


def picture(seed: int, form: str = "png", size: int = 16) -> bytes:
    file = io.BytesIO()
    Image.fromarray(noise(seed, size)).save(file, form)
    return file.getvalue()


def test_tars_of_others(tmp_path: Path, cache: Path):
    """JPEG and WebP, classes in JSON, hidden, broken and small files, second pictures: each taken
    or told of.
    """
    first = {
        "a.jpg": picture(0, "jpeg"),
        "a.json": b'{"label": "cat"}',
        "b.small.png": picture(1),
        "b.webp": picture(2, "webp", 20),
        "b.json": b'{"class": "dog"}',
        "._c.png": b"of a file manager",
        "c.png": b"no image",
        "c.cls": b"cat",
        "readme": b"text",
    }
    tar(tmp_path / "x-9.tar", first)
    tar(
        tmp_path / "x-10.tar",
        {"d.JPEG": picture(3, "jpeg", 8), "d.cls": b"dog", "e.png": picture(4), "e.cls": b"owl"},
    )
    dataset = opened(tmp_path / "x-{9,10}.tar")
    assert dataset.labels is not None
    assert [dataset.classes[label] for label in dataset.labels] == ["cat", "dog", "owl"]
    assert dataset.report.notes == ["other files are ignored: .small.png (1), no ending (1)"]
    assert [(item.file, item.reason.partition(":")[0]) for item in dataset.report.skipped] == [
        ("x-9.tar: c.png", "not an image"),
        ("x-10.tar: image 1", "8x8 is smaller than 16x16"),
    ]
    assert dataset.report.sizes == {"16x16": 2, "20x20": 1, "8x8": 1}
    np.testing.assert_array_equal(dataset.images[2], noise(4, 16).transpose(2, 0, 1))
    assert len(dataset.images[np.arange(3)]) == 3
    refused_in_one_line(
        lambda: open_dataset(f"shards:{tmp_path}", VIEW, strict=True), "2 of 5 files cannot be used"
    )
    refused_in_one_line(lambda: opened(tmp_path, View()), "from 8x8 to 20x20; say which square")
    written = list((cache / "shard-indexes").iterdir())
    opened(tmp_path / "x-{9,10}.tar")
    assert list((cache / "shard-indexes").iterdir()) == written


def test_classes_that_not_all_have_are_not_used(tmp_path: Path):
    tar(tmp_path / "x.tar", {"a.png": picture(0), "a.cls": b"1", "b.png": picture(1)})
    dataset = opened(tmp_path)
    assert dataset.labels is None
    assert dataset.report.notes == ["1 of 2 images has no class, so classes are not used"]


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
    some_of = opened(packed / "pets-{000001..000002}.tar")
    whole = opened(packed / "index.json")
    np.testing.assert_array_equal(some_of.images[:], whole.images[EACH : 3 * EACH])
    assert some_of.fingerprint != whole.fingerprint == opened(packed).fingerprint


@pytest.mark.parametrize("pattern", ["pets-{000000..}.tar", "pets-{3..1}.tar", "pets-{0..1}.zip"])
def test_wrong_patterns_are_refused(packed: Path, pattern: str):
    refused_in_one_line(
        lambda: opened(packed / pattern), "is not a pattern of tars; write e.g. faces-"
    )


def test_wrong_places_are_refused(packed: Path, tmp_path: Path):
    refused_in_one_line(lambda: opened(""), "there is no folder ''; write shards:FOLDER")
    refused_in_one_line(lambda: opened(tmp_path / "nowhere"), "there is no folder .*nowhere'")
    refused_in_one_line(lambda: opened(tmp_path), "holds no tars; write some with ganvas pack")
    refused_in_one_line(
        lambda: opened(packed / "pets-{000006..000007}.tar"),
        r"the index\.json of .* does not list pets-000007\.tar",
    )
    refused_in_one_line(lambda: opened(tmp_path / "x.tar"), r"x\.tar is missing")
    refused_in_one_line(
        lambda: opened(packed, View(size=16, labels="folders")), "carries its own labels"
    )


# Damage


def test_damaged_shards_are_refused_by_name(packed: Path, tmp_path: Path):
    place = copied(packed, tmp_path / "pets")
    content = bytearray((place / "pets-000003.tar").read_bytes())
    content[600] ^= 1
    (place / "pets-000003.tar").write_bytes(content)
    dataset = opened(place)
    assert dataset.images[0].any()
    refused_in_one_line(
        lambda: dataset.images[3 * EACH],
        r"pets-000003\.tar is damaged: its digest is not the one in index",
    )
    os.truncate(place / "pets-000003.tar", 5000)
    refused_in_one_line(
        lambda: opened(place),
        r"pets-000003\.tar is damaged: it has 5,000 bytes and index\.json lists",
    )
    (place / "pets-000003.tar").unlink()
    refused_in_one_line(
        lambda: opened(place), r"pets-000003\.tar is missing, and index\.json lists it"
    )
    refused_in_one_line(lambda: dataset.images[3 * EACH], r"pets-000003\.tar cannot be read")


def test_tars_that_hold_nothing_are_refused(tmp_path: Path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "x.tar").touch()
    refused_in_one_line(
        lambda: opened(tmp_path / "none"), r"x\.tar is not a readable uncompressed tar"
    )
    tar(tmp_path / "none" / "x.tar", {})
    refused_in_one_line(
        lambda: opened(tmp_path / "none"), r"x\.tar holds no usable image .*; remove it"
    )
    tar(tmp_path / "none" / "x.tar", {"a.png": picture(0)})
    os.truncate(tmp_path / "none" / "x.tar", 700)
    refused_in_one_line(
        lambda: opened(tmp_path / "none"), r"x\.tar is not a readable uncompressed tar"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": "another"}, "is not an index of shards by ganvas pack"),
        ({"version": 2}, "is not an index of shards by ganvas pack"),
        ({"pictures": 51}, "51 images are not the sum of its shards"),
        ({"classes": ["cat", "fox"]}, "its fingerprint is not that of its shards"),
        ({"classes": ["cat"]}, r"pets-000000\.tar has a class beyond the 1"),
        ({"shards": []}, "damaged: shards: "),
        ({"extra": 1}, "damaged: extra: "),
    ],
)
def test_wrong_indexes_are_refused(
    packed: Path, tmp_path: Path, changes: dict[str, object], told: str
):
    place = copied(packed, tmp_path / "pets")
    edited(place, **changes)
    refused_in_one_line(lambda: opened(place), told)


def test_an_index_cannot_point_out_of_its_folder(packed: Path, tmp_path: Path):
    place = copied(packed, tmp_path / "pets")
    shards = json.loads((place / "index.json").read_text())["shards"]
    for name in ("../pets-000000.tar", "/etc/passwd", "..", ".hidden.tar", "a\\b.tar"):
        edited(place, shards=[{**shards[0], "file": name}, *shards[1:]])
        refused_in_one_line(lambda: opened(place), r"damaged: shards\.0\.file")
    (place / "index.json").write_text("{")
    refused_in_one_line(lambda: opened(place), r"index\.json is damaged")


def test_the_index_must_tell_the_truth(packed: Path, tmp_path: Path):
    place = copied(packed, tmp_path / "pets")
    shards = json.loads((place / "index.json").read_text())["shards"]
    shards[0] |= {"count": 7, "labels": "0 1 0 1 0 1 0"}
    edited(place, shards=shards, pictures=COUNT - 1)
    refused_in_one_line(
        lambda: opened(place).images[0], r"pets-000000\.tar holds 8 images, its index lists 7"
    )


# Order


def test_epochs_and_seeds_have_orders_of_their_own_and_mix_shards(packed: Path):
    first, second = (batches_of(packed, seed=seed, batch=25, held_out=0) for seed in (0, 1))
    orders = [
        tuple(order.indices(images)) for order in (first, second) for images in (0, 25, 50, 75)
    ]
    assert len(set(orders)) == 8
    assert orders[0] == tuple(batches_of(packed, batch=25, held_out=0).indices(0))
    assert len(set(np.array(orders[0]) // EACH)) >= 4


def batches_of(place: Path, rank: int = 0, world: int = 1, **changes: object) -> Loader:
    recipe = change(
        get_recipe("dcgan-64"), {"data": f"shards:{place}", "size": 16, "batch": 8} | changes
    )
    engine = Engine("cpu")
    engine.rank, engine.world = rank, world
    return Loader(opened(place), recipe.sampling, engine.placement)


def test_processes_share_the_same_batches_and_read_only_their_own_shards(packed: Path):
    """Also where a batch ends an epoch; each process reads the shards of its own streams."""
    alone = batches_of(packed, batch=8)
    halves = [batches_of(packed, rank, 2, batch=8) for rank in range(2)]
    read: list[set[int]] = [set(), set()]
    for half, seen in zip(halves, read):
        decoded = column(half.dataset).cache
        load = decoded.load
        decoded.load = lambda number, load=load, seen=seen: seen.add(number) or load(number)
    for images in range(0, 40, 8):
        whole = alone.at(images)
        parts = [half.at(images) for half in halves]
        for name, values in whole.items():
            assert torch.equal(values, torch.cat([part[name] for part in parts]))
    for half in halves:
        column(half.dataset).cache.stop()
    order = alone.main.interleave
    assert order is not None
    assert order.count == 4  # of 7 shards, the largest divisor of 8
    for rank, seen in enumerate(read):
        own = {
            number
            for stream in (2 * rank, 2 * rank + 1)
            for number in order.parts[order.stream_epoch(0, stream).shards]
        }
        following = {
            number
            for stream in (2 * rank, 2 * rank + 1)
            for number in order.parts[order.stream_epoch(1, stream).shards]
        }
        needed = {
            int(row) // EACH
            for images in range(0, 40, 8)
            for row in alone.indices(images)[4 * rank : 4 * rank + 4]
        }
        assert needed == own
        assert own <= seen <= own | following
    assert read[0] != read[1]


def test_drawing_with_replacement_is_refused(packed: Path):
    refused_in_one_line(
        lambda: batches_of(packed, replacement=True),
        "is read shard after shard; use --set replacement=false",
    )


def test_the_first_pictures_of_the_last_shards_are_held_out(packed: Path):
    starts = np.array([0, 8, 16, 18])
    assert split(18, 1, starts)[1].tolist() == [16]
    assert split(18, 2, starts)[1].tolist() == [16, 17]
    shown, held = split(18, 3, starts)
    assert (shown.tolist(), held.tolist()) == ([*range(8), *range(11, 18)], [8, 9, 10])
    batches = batches_of(packed, held_out=5)
    assert batches.held_out.tolist() == [40, 41, 42, 43, 44]
    seen = np.concatenate([batches.indices(images) for images in range(0, 360, 8)])
    assert set(seen) == set(batches.shown) and len(batches.shown) == 45
    assert (np.bincount(seen, minlength=COUNT)[batches.shown] == 8).all()


# Training and judging


def trained(place: Path | str, out: Path) -> ganvas.Run:
    periods = {"report_every": 12, "sample_every": 24, "checkpoint_every": 12, "health_every": 12}
    asked = {"batch": 6, "size": 8, "options.width": 4} | periods
    return ganvas.train(
        "dcgan-64",
        data=f"shards:{place}",
        out=out,
        images=54,
        device="cpu",
        settings=asked,
        quiet=True,
    )


def test_stopped_and_resumed_equals_uninterrupted(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In the middle of shards and of an epoch, with memory for four shards, so that shards are read
    again and again.
    """
    monkeypatch.setattr("ganvas.data.shards.open.MEMORY", 4 * EACH * 3 * 8 * 8)
    trained(packed, tmp_path / "whole")
    with interrupted_after(5, tmp_path / "parts"), pytest.raises(InterruptedRun):
        trained(packed, tmp_path / "parts")
    trained(packed, tmp_path / "parts")
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_resume_reads_only_the_shards_of_its_place(folder: Path, tmp_path: Path):
    batches = batches_of(write(folder, tmp_path / "many", each=2), batch=4)
    batches.at(20)
    column(batches.dataset).cache.stop()
    order = batches.main.interleave
    assert order is not None
    assert (order.count, order.together) == (4, 2)
    assert len(column(batches.dataset).cache.kept) <= 16 < 25


def test_features_do_not_depend_on_how_the_set_lies(folder: Path, packed: Path):
    rows = np.array([30, 2, 49, 11])
    sharded = opened(packed)
    values = features_of_rows(Pixels(), sharded, rows)
    expected = Pixels()(torch.from_numpy(sharded.images[rows])).values
    assert torch.equal(values, expected)


def test_judges_look_into_few_shards(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ganvas.data.dataset.FEW", 3)
    monkeypatch.setattr("ganvas.evaluation.references.MOST", 9)
    dataset = opened(write(folder, tmp_path / "many", each=4))
    everything = np.arange(COUNT)
    assert len(set(choose_rows(dataset.near(everything, 6), 6) // 4)) == 3
    assert len(set(dataset.near(everything, 30) // 4)) == 8
    chosen = draw_rows(dataset, everything, 0)
    assert len(chosen) == 9 and len(set(chosen // 4)) == 3
    assert dataset.near(everything, COUNT).tolist() == everything.tolist()
    whole = open_dataset(str(folder), VIEW)
    assert whole.near(everything, 6) is everything


def test_references_and_what_a_classifier_learns_from(
    packed: Path, monkeypatch: pytest.MonkeyPatch
):
    reference = open_training_reference(f"shards:{packed}", VIEW, 5, 10)
    assert reference.about()["name"] == "shards:pets"
    assert set(reference.rows) == set(range(COUNT)) - set(range(40, 45))
    monkeypatch.setattr("ganvas.evaluation.references.MOST_LEARNT", 12)
    learnt = reference.training_images()
    assert len(learnt) == 12 and isinstance(learnt.images, np.ndarray)
    assert len(open_reference(f"shards:{packed}", VIEW, 10).rows) == COUNT


def test_a_set_may_be_named_like_a_test_set(packed: Path, folder: Path, tmp_path: Path):
    place = copied(packed, tmp_path / "pets-test")
    assert len(open_reference(f"shards:{place}", VIEW, 10).rows) == COUNT
    (tmp_path / "pictures-test").symlink_to(folder)
    assert len(open_reference(str(tmp_path / "pictures-test"), VIEW, 10).rows) == COUNT


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


# Addresses


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that notes what it is asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path.rpartition("/")[2])
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(packed: Path, tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """An address, the folder behind it, and what was asked for."""
    place, asked = copied(packed, tmp_path / "served"), []
    handler = type("Asked", (Quiet,), {"asked": asked})
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(handler, directory=str(tmp_path))
    ) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/served/", place, asked
        serving.shutdown()
        thread.join()


def fetched(cache: Path) -> list[Path]:
    return sorted((cache / "shards").glob("*/*.tar"))


def test_shards_come_from_an_address(
    server: tuple[str, Path, list[str]], packed: Path, cache: Path
):
    address, _, asked = server
    dataset, local = opened(address), opened(packed)
    assert dataset.fingerprint == local.fingerprint
    assert asked == ["index.json"]
    np.testing.assert_array_equal(dataset.images[20], local.images[20])
    assert asked == ["index.json", "pets-000002.tar"]
    np.testing.assert_array_equal(dataset.images[:], local.images[:])
    assert len(asked) == 8
    again = opened(address + "index.json")
    np.testing.assert_array_equal(again.images[:], local.images[:])
    assert asked[8:] == ["index.json"]
    part = opened(address + "pets-{000000..000001}.tar")
    assert (len(part), len(fetched(cache))) == (2 * EACH, 7)


def test_the_cache_is_bounded(
    server: tuple[str, Path, list[str]], cache: Path, monkeypatch: pytest.MonkeyPatch
):
    address, place, asked = server
    size = (place / "pets-000000.tar").stat().st_size
    monkeypatch.setenv("GANVAS_SHARD_CACHE", str(int(2.5 * size)))
    monkeypatch.setattr("ganvas.data.shards.open.MEMORY", 1)  # two shards in memory
    images = opened(address).images
    for shard in (0, 1, 2):
        images[shard * EACH]
        os.utime(fetched(cache)[-1], (shard, shard))
    assert [path.name for path in fetched(cache)] == ["pets-000001.tar", "pets-000002.tar"]
    images[0]
    assert [path.name for path in fetched(cache)] == ["pets-000000.tar", "pets-000002.tar"]
    assert asked.count("pets-000000.tar") == 2
    # less than one shard: it is fetched all the same, and stays alone
    monkeypatch.setenv("GANVAS_SHARD_CACHE", "1k")
    images[3 * EACH]
    assert [path.name for path in fetched(cache)] == ["pets-000003.tar"]
    monkeypatch.setenv("GANVAS_SHARD_CACHE", "much")
    refused_in_one_line(
        lambda: images[4 * EACH], "GANVAS_SHARD_CACHE='much' is not a size; write e.g. 500M"
    )


def test_a_run_trains_on_more_than_its_cache_holds(
    server: tuple[str, Path, list[str]],
    packed: Path,
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    address, place, _ = server
    size = (place / "pets-000000.tar").stat().st_size
    monkeypatch.setattr("ganvas.data.shards.open.MEMORY", 4 * EACH * 3 * 8 * 8)
    trained(packed, tmp_path / "local")
    monkeypatch.setenv("GANVAS_SHARD_CACHE", str(3 * size))
    trained(address, tmp_path / "afar")
    assert sum(path.stat().st_size for path in fetched(cache)) <= 3 * size
    assert contents(tmp_path / "afar") == contents(tmp_path / "local")


def test_damage_in_the_cache_is_mended(
    server: tuple[str, Path, list[str]], packed: Path, cache: Path
):
    address, _, asked = server
    np.testing.assert_array_equal(opened(address).images[0], opened(packed).images[0])
    (path,) = fetched(cache)
    path.write_bytes(b"x" * path.stat().st_size)
    np.testing.assert_array_equal(opened(address).images[0], opened(packed).images[0])
    assert asked.count("pets-000000.tar") == 2


def test_wrong_and_missing_files_behind_an_address(server: tuple[str, Path, list[str]]):
    address, place, _ = server
    images = opened(address).images
    content = (place / "pets-000001.tar").read_bytes()
    (place / "pets-000001.tar").write_bytes(content[:-1] + b"x")
    refused_in_one_line(
        lambda: images[EACH], r"cannot download the shard pets-000001\.tar .*its digest is"
    )
    (place / "pets-000001.tar").unlink()
    refused_in_one_line(lambda: images[EACH], r"cannot download the shard pets-000001\.tar .*404")
    assert images[0].any()
    (place / "index.json").unlink()
    refused_in_one_line(
        lambda: opened(address),
        "there is no index of the shards; write one .* with ganvas pack DATA --shards",
    )


def test_without_network_the_last_index_serves(packed: Path, tmp_path: Path, cache: Path):
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(type("Asked", (Quiet,), {"asked": []}), directory=str(packed))
    ) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{serving.server_address[1]}/"
        expected = opened(address).images[0]
        serving.shutdown()
        thread.join()
    offline = opened(address)
    assert "using the last copy of its index" in offline.report.notes[0]
    np.testing.assert_array_equal(offline.images[0], expected)
    refused_in_one_line(
        lambda: offline.images[EACH], r"cannot download the shard pets-000001\.tar .*refused"
    )
    refused_in_one_line(
        lambda: opened("http://127.0.0.1:9/faces/"),
        "cannot fetch http://127.0.0.1:9/faces/index.json: .*refu",
    )


def test_a_shard_that_another_process_evicts_is_downloaded_again(
    server: tuple[str, Path, list[str]],
    packed: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    address, _, asked = server
    evictions = iter([True, False, True, True, True])

    def download_and_lose(published: Published, folder: Path) -> None:
        download(published, folder)
        if next(evictions):
            for name in published.files:
                (folder / name).unlink()

    monkeypatch.setattr("ganvas.data.shards.remote.download", download_and_lose)
    images = opened(address).images
    np.testing.assert_array_equal(images[0], opened(packed).images[0])
    assert asked.count("pets-000000.tar") == 2
    refused_in_one_line(
        lambda: images[EACH], "removed right after its download: the cache is too small"
    )


def test_unfinished_downloads_are_evicted_when_nobody_writes_to_them(
    server: tuple[str, Path, list[str]], cache: Path, monkeypatch: pytest.MonkeyPatch
):
    address, place, _ = server
    monkeypatch.setenv("GANVAS_SHARD_CACHE", str((place / "pets-000000.tar").stat().st_size))
    images = opened(address).images
    images[0]
    folder = fetched(cache)[0].parent
    for name, age in ((".partial-1-old.tar", 2 * ABANDONED), (".partial-2-new.tar", 0)):
        (folder / name).write_bytes(b"x" * 1000)
        written = time.time() - age
        os.utime(folder / name, (written, written))
    images[EACH]
    assert {path.name for path in folder.iterdir()} == {
        "index.json",
        ".partial-2-new.tar",
        "pets-000001.tar",
    }

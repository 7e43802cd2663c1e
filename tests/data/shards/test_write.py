"""`ganvas pack`: what it writes and says."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from shard_sets import COUNT, open_shards, write_shards
from tiny import refused_in_one_line

from ganvas.cli import main
from ganvas.data import View, open_dataset
from ganvas.data.shards.write import pack_dataset


def test_shards_hold_the_images_of_the_folder(folder: Path, packed: Path):
    whole, parts = open_dataset(str(folder), View(size=16, labels="folders")), open_shards(packed)
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


def test_the_same_images_give_the_same_bytes(folder: Path, packed: Path, tmp_path: Path):
    again = write_shards(folder, tmp_path / "pets")
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


def test_shards_of_large_images_hold_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ganvas.data.shards.write.MAX_BYTES", 599 * 64)
    index = json.loads(
        (
            write_shards("digits", tmp_path / "few", each=None, view=View()) / "index.json"
        ).read_text()
    )
    assert {shard["count"] for shard in index["shards"]} == {599}
    assert index["pictures"] == 1797


@pytest.mark.usefixtures("few_figures")
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
        lambda: fill(str(folder), shards=True), "--shards needs a folder for them, new or empty"
    )
    refused_in_one_line(
        lambda: fill(str(folder), shards=True, out=folder), "is not empty .*; choose a new folder"
    )
    refused_in_one_line(
        lambda: fill("figures", shards=True, out=cache / "x"),
        "shards hold one image and at most a class",
    )
    refused_in_one_line(
        lambda: fill("digits", shards=True, out=cache / "x", shard_images=0), "choose 1 or more"
    )


def test_the_verb_names_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "digits").mkdir()  # an empty folder is as good as none
    main(["pack", "digits", "--shards", "--out", str(tmp_path / "digits"), "--shard-images", "900"])
    total = sum(path.stat().st_size for path in (tmp_path / "digits").glob("*.tar"))
    made = (
        f"{tmp_path}/digits: 1,797 images, 8x8 grey, in 2 shards of 900 ({total / 2**20:.1f} MiB)"
    )
    assert capsys.readouterr().out == f"{made}\nto train on them: --data shards:{tmp_path}/digits\n"
    with pytest.raises(SystemExit) as left:
        main(["pack", "digits", "--shards", "--out", str(tmp_path / "digits")])
    assert left.value.code == 2
    assert "digits is not empty" in capsys.readouterr().err


def test_packing_that_dies_leaves_no_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ganvas.data.shards.write.make_index", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_shards(folder, tmp_path / "new" / "pets")
    assert list((tmp_path / "new").iterdir()) == []

"""Names and links: zips that do not say how their names are written, names that are not UTF-8,
folders that are links.
"""

import io
import json
import os
import shutil
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image
from tiny import refused_in_one_line

from ganvas import train
from ganvas.data import Dataset, View, open_dataset
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.zip_names import read_zip_names
from ganvas.data.inspect import data, run_doctor
from ganvas.data.open import survey_sizes
from ganvas.data.report import WARNING


def draw(place: Path, *names: str) -> Path:
    """Images of 8 pixels, no two alike."""
    for number, name in enumerate(names):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 10 + 30 * number).save(place / name)
    return place


def open_images(place: Path, **view) -> Dataset:
    return open_dataset(str(place), View(**view))


# Zips


class Undeclared(zipfile.ZipInfo):
    """An entry whose name is written as bytes, without the flag of UTF-8."""

    raw = b""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802
        return self.raw, self.flag_bits & ~0x800


def write_zip(path: Path, names: list[bytes], source: Path, extra: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            info = Undeclared(f"{number}.png")
            info.raw, info.extra = name, extra
            archive.writestr(info, (source / f"{number}.png").read_bytes())
    return path


@pytest.fixture
def six(tmp_path: Path) -> Path:
    return draw(tmp_path / "six", *(f"{number}.png" for number in range(6)))


@pytest.mark.parametrize(
    ("codec", "called", "classes"),
    [
        ("gbk", "GBK", ("圆形", "方形")),
        ("big5", "Big5", ("圓形", "圖片")),
        ("shift_jis", "Shift JIS", ("ねこ", "表")),  # the second byte of 表 is a backslash
        ("euc-kr", "EUC-KR", ("강아지 사진", "고양이 사진")),
        ("utf-8", "UTF-8", ("猫", "狗")),
        ("cp437", "CP437", ("Bäume", "Häuser")),
    ],
)
def test_the_encoding_of_a_zip_is_found(
    codec: str, called: str, classes: tuple[str, str], six: Path, tmp_path: Path
):
    names = [f"set/{classes[number % 2]}/{number}.png".encode(codec) for number in range(6)]
    dataset = open_images(write_zip(tmp_path / "set.zip", names, six), labels="folders")
    assert sorted(dataset.classes) == sorted(classes)
    (note,) = (note for note in dataset.report.notes if not note.startswith(WARNING))
    assert note.startswith(
        f"the zip does not say how its names are written; they are read as {called}"
    )


def test_a_word_that_could_be_of_two_languages_is_reported(six: Path, tmp_path: Path):
    names = [f"{'猫狗'[number % 2]}/{number}.png".encode("gbk") for number in range(6)]
    dataset = open_images(write_zip(tmp_path / "set.zip", names, six), labels="folders")
    assert sorted(dataset.classes) == ["狗", "猫"]
    assert dataset.report.notes[0].endswith("read as GBK; they would also fit EUC-KR, Big5")


def test_backslashes_between_folders_are_no_second_bytes(six: Path, tmp_path: Path):
    names = [f"动物\\{'圆方'[number % 2]}形\\{number}.png".encode("gbk") for number in range(6)]
    dataset = open_images(write_zip(tmp_path / "set.zip", names, six), labels="folders")
    assert sorted(dataset.classes) == ["圆形", "方形"]


def test_what_a_zip_declares_is_taken_at_its_word(six: Path, tmp_path: Path):
    # the field of Info-ZIP: version, CRC of the plain name, the name in UTF-8
    field = struct.pack("<BL", 1, zlib.crc32(b"0.png")) + "猫.png".encode()
    extra = struct.pack("<HH", 0x7075, len(field)) + field
    write_zip(tmp_path / "set.zip", [b"0.png"], six, extra)
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert read_zip_names(archive.infolist()) == (["猫.png"], [])

    # the name was changed by a tool that left the field as it was
    write_zip(tmp_path / "set.zip", [b"1.png"], six, extra)
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert read_zip_names(archive.infolist()) == (["1.png"], [])

    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("猫/Bäume.png", b"")
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert read_zip_names(archive.infolist()) == (["猫/Bäume.png"], [])


# Names that are not UTF-8


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder with GBK bytes in all names, its own included."""
    place = tmp_path / os.fsdecode("数据".encode("gbk"))
    for number, name in enumerate(("圆形", "方形") * 3):
        folder = place / os.fsdecode(name.encode("gbk"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            pytest.skip("this disk takes only names in UTF-8")
        Image.new("L", (8, 8), 10 + number).save(folder / f"{number}.png")
    return place


def test_names_that_are_not_utf8_are_shown_with_their_bytes(raw: Path):
    found = data(raw, labels="folders")
    assert found.classes == {r"\xb7\xbd\xd0\xce": 3, r"\xd4\xb2\xd0\xce": 3}
    for text in (repr(found), found._repr_html_(), json.dumps(found.model_dump())):
        text.encode("utf-8")
    # found again in the packed store
    assert data(raw, labels="folders").fingerprint == found.fingerprint


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_consoles_that_cannot_show_a_name(
    encoding: str, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    chinese = draw(tmp_path / "图片", "方/1.png", "方/2.png", "圆/3.png")
    for place in (raw, chinese):
        for as_json in (False, True):
            console = io.TextIOWrapper(io.BytesIO(), encoding)  # strict: what it lacks is an error
            monkeypatch.setattr(sys, "stdout", console)
            run_doctor(str(place), View(labels="folders"), None, strict=False, json=as_json)
            console.flush()
            shown = console.buffer.getvalue().decode(encoding)
            assert r"\xb7" in shown or r"\u65b9" in shown


def test_a_run_on_names_that_are_not_utf8(raw: Path, tmp_path: Path):
    out = tmp_path / "run"
    settings = {"batch": 2, "checkpoint_every": 8}
    run = train("mnist-mlp", data=raw, out=out, images=8, size=8, settings=settings, quiet=True)
    assert len(run.sample(2)) == 2
    # resumed: what was written is read again
    train(out=out, images=16, quiet=True)


# Links


def link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("this system gives no right to make links")


def test_class_folders_that_are_links_are_followed(tmp_path: Path):
    draw(tmp_path / "store", "cats/1.png", "cats/2.png", "dogs/3.png")
    link(tmp_path / "set" / "cats", "../store/cats")
    link(tmp_path / "set" / "dogs", "../store/dogs")
    dataset = open_images(tmp_path / "set", labels="folders")
    assert dataset.report.classes == {"cats": 2, "dogs": 1}
    assert "links to folders are followed: 2 (cats, dogs)" in dataset.report.notes
    link(tmp_path / "place", "set")
    assert open_images(tmp_path / "place", labels="folders").fingerprint == dataset.fingerprint


def test_links_that_are_not_followed_are_named_with_the_reason(tmp_path: Path):
    place = draw(tmp_path / "above" / "set", "a/1.png", "a/2.png")
    draw(tmp_path / "far", "3.png")
    link(place / "loop", ".")
    link(place / "up", "..")
    link(place / "again", "a")
    link(place / "z" / "far", "../../../far")
    link(place / "dead", "nowhere")
    far = f"a link to {tmp_path / 'far'}, outside of {place.parent}"
    with FileSource(place) as source:
        assert len(source.pictures) == 2
        found = {text.removeprefix(f"{place}{os.sep}") for text in source.unseen}
    assert found == {
        "loop (the same folder as the set itself)",
        f"up (a link to {place.parent}, in which it lies itself)",
        "again (the same folder as a)",
        f"z/far ({far}: --follow-links follows it)",
        "dead (a link that leads nowhere)",
    }


def test_a_set_of_links_that_are_not_followed_says_so(tmp_path: Path):
    draw(tmp_path / "far", "3.png")
    link(tmp_path / "above" / "set" / "far", "../../far")
    refused_in_one_line(
        lambda: open_images(tmp_path / "above" / "set"),
        "holds no images, no files; not looked into",
    )


def test_links_out_of_the_set_are_followed_on_request(tmp_path: Path):
    place = draw(tmp_path / "above" / "set", "cats/1.png", "cows/2.png")
    draw(tmp_path / "far" / "store", "3.png", "deep/4.png")
    link(place / "dogs", "../../far/store")
    link(tmp_path / "far" / "store" / "home", str(place))  # back to where it came from
    link(tmp_path / "far" / "store" / "above", str(tmp_path))  # to all of it
    link(tmp_path / "far" / "store" / "deep" / "loop", "..")

    plain = open_images(place, labels="folders")
    assert plain.report.classes == {"cats": 1, "cows": 1}
    dataset = open_images(place, labels="folders", follow_links=True)
    assert dataset.report.classes == {"cats": 1, "cows": 1, "dogs": 2}
    assert dataset.fingerprint != plain.fingerprint
    store = tmp_path / "far" / "store"
    notes = "\n".join(dataset.report.notes)
    assert f"of these links lead out of {place.parent}, as requested: 1 (dogs: {store})" in notes
    assert "home (the same folder as the set itself)" in notes
    assert f"above (a link to {tmp_path}, in which it lies itself)" in notes
    assert survey_sizes(str(place), View(follow_links=True)) is not None


def test_links_are_only_asked_for_where_there_can_be_some(tmp_path: Path):
    place = draw(tmp_path, "1.png", "2.png")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(place / "1.png", "1.png")
    for spec in ("digits", str(tmp_path / "set.zip")):
        refused_in_one_line(
            lambda spec=spec: open_dataset(spec, View(follow_links=True)),
            "--follow-links is for folders",
        )


# What is there instead of images


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["train-images-idx3-ubyte.gz"], "its idx files are opened with idx:{}"),
        (["faces.zip"], "its zip is opened by its own name: {}/faces.zip"),
        (["deep/b.zip", "a.zip"], "each of its zips is opened by its own name: {}/a.zip"),
        (["a-000.tar", "a-001.tar"], "its tars are opened with shards:{};"),
        (["faces.tar"], "shards:{}, or one of plain images with {}/faces.tar"),
        (["faces.tar.gz"], "faces.tar.gz must be unpacked first"),
        (["x.npy", "notes.txt"], "only 2 other files; .* by their own name: {}/x.npy"),
    ],
)
def test_other_files_are_named_with_the_way_to_open_them(files: list[str], words: str, tmp_path):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(b"x")
    refused_in_one_line(lambda: open_images(tmp_path), words.replace("{}", str(tmp_path)))


def test_a_zip_in_a_zip(six: Path, tmp_path: Path):
    shutil.make_archive(str(tmp_path / "inner"), "zip", six)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(tmp_path / "inner.zip", "inner.zip")
    refused_in_one_line(
        lambda: open_images(tmp_path / "outer.zip"), "inner.zip: unpack .*outer.zip"
    )

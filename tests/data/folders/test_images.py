"""Folders and zips of images, as people have them."""

import io
import os
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import View, open_dataset
from ganvas.errors import UserError

SIZE = View(size=48)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "pictures"


def picture(seed: int, width: int = 64, height: int = 64, mode: str = "RGB") -> Image.Image:
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(0, 256, (4, 4, 3), np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def save(made: Image.Image, path: Path, form: str | None = None, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path, form, **options)


def write(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def zip_folder(folder: Path, path: Path, wrapper: str = "") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, wrapper + file.relative_to(folder).as_posix())


def png_bomb() -> bytes:
    """A PNG of a few bytes that declares 60,000x60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def spoil(folder: Path) -> None:
    """Eleven good images of all kinds, eight that cannot be used, and a few files that are none."""
    save(picture(0), folder / "plain.jpg")
    save(picture(1), folder / "deep" / "er" / "plain.png")
    save(picture(2).convert("RGBA"), folder / "rgba.png")
    save(picture(3).quantize(16), folder / "palette.gif")
    save(
        Image.fromarray(np.arange(0, 64 * 64 * 16, 16, np.uint16).reshape(64, 64)),
        folder / "sixteen.png",
    )
    save(picture(4, mode="CMYK"), folder / "ink.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    save(picture(5, 80, 60), folder / "turned.jpg", exif=exif)
    save(picture(6), folder / "really-a-png.jpg", "PNG")
    save(picture(7, 64, 64, "LA"), folder / "la.webp")
    save(picture(8, 100, 70), folder / "wide.TIF", "TIFF")
    whole = io.BytesIO()
    picture(9).save(whole, "JPEG")
    write(whole.getvalue()[:-200], folder / "bad" / "cut.jpg")
    whole = io.BytesIO()
    picture(9).save(whole, "PNG")
    write(whole.getvalue()[:-200], folder / "bad" / "cut.png")
    write(b"Dear diary,", folder / "bad" / "text.png")
    write(b"", folder / "bad" / "zero.png")
    write(png_bomb(), folder / "bad" / "bomb.png")
    save(picture(10, 1, 1), folder / "bad" / "dot.png")
    save(picture(11, 3000, 10), folder / "bad" / "strip.png")
    write(b"%PDF-1.4", folder / "bad" / "paper.jpg")
    write(b"hello", folder / "notes.txt")
    write(b"phone", folder / "bad" / "photo.heic")
    save(picture(12), folder / ".hidden" / "x.png")
    save(picture(12), folder / "__MACOSX" / "._plain.jpg", "JPEG")
    write(b"x", folder / ".DS_Store")


def test_spoiled_folder(folder):
    spoil(folder)
    opened = open_dataset(str(folder), SIZE)
    report = opened.report

    assert opened.images.shape == (11, 3, 48, 48)
    assert (report.found, report.used) == (19, 11)

    reasons = {item.file.removeprefix("bad/"): item.reason for item in report.skipped}
    assert len(reasons) == 8
    assert "broken" in reasons["cut.jpg"]
    assert "broken" in reasons["cut.png"]
    assert reasons["text.png"] == reasons["paper.jpg"]
    assert reasons["text.png"].startswith("not an image")
    assert reasons["zero.png"] == "empty file"
    assert reasons["bomb.png"].startswith("60,000x60,000 pixels; 80 million")
    assert reasons["bomb.png"].endswith("save it as a TIFF and use --fit tiles")
    assert reasons["dot.png"] == "1x1 is less than an eighth of 48x48"
    assert reasons["photo.heic"].startswith("not an image")
    assert report.sizes["60x80"] == 1
    assert {"RGB", "RGBA", "P", "I;16", "CMYK"} <= set(report.modes)

    text = "\n".join(report.steps)
    assert "1 image turned upright" in text
    assert "16-bit" in text
    assert "CMYK" in text
    assert "laid over white" in text
    assert report.notes == [
        "2 sub-folders hold images (bad, deep); to train with them as classes: --labels folders",
        "1 of 11 images is smaller than 48x48 and was enlarged; --size 10 would not enlarge any; "
        "--fit pad enlarges none",
        "10 images of 8 bits beside others of more: there 0..255 are black and white, "
        "here 0..65535; --range LOW,HIGH sets one range for all",
        "other files are ignored: .txt (1)",
    ]


def test_strict_names_the_first(folder):
    spoil(folder)
    with pytest.raises(UserError, match=r"8 of 19 files.*'bad/bomb.png'"):
        open_dataset(str(folder), SIZE, strict=True)


@pytest.mark.parametrize("wrapper", ["", "faces/"])
def test_zip_and_folder_are_the_same_set(folder, tmp_path, wrapper):
    spoil(folder)
    zip_folder(folder, tmp_path / "set.zip", wrapper)
    one, two = open_dataset(str(folder), SIZE), open_dataset(str(tmp_path / "set.zip"), SIZE)
    assert one.fingerprint == two.fingerprint
    assert one.report.skipped == two.report.skipped
    assert one.report.steps == two.report.steps


def test_bad_zips(folder, tmp_path):
    path = tmp_path / "set.zip"
    for number in range(4):
        save(picture(number), folder / f"{number}.png")
    zip_folder(folder, path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        lies, locked = archive.infolist()[1:3]
        directory = archive.start_dir
    # The central directory claims another size for the second entry, and encryption for the third.
    second = content.index(lies.filename.encode(), directory) - 46
    content[second + 24 : second + 28] = struct.pack("<I", lies.file_size // 2)
    third = content.index(locked.filename.encode(), directory) - 46
    content[third + 8] |= 1
    content[locked.header_offset + 6] |= 1
    path.write_bytes(content)
    report = open_dataset(str(path), SIZE).report

    assert report.used == 2
    assert "damaged in the zip" in report.skipped[0].reason
    assert "encrypted" in report.skipped[1].reason

    path.write_bytes(content[:500])
    with pytest.raises(UserError, match="neither a folder nor a zip"):
        open_dataset(str(path), SIZE)


def test_nothing_usable(folder):
    folder.mkdir()
    with pytest.raises(UserError, match="holds no images, no files"):
        open_dataset(str(folder), SIZE)

    write(b"x", folder / "notes.txt")
    with pytest.raises(UserError, match="only 1 other file;"):
        open_dataset(str(folder), SIZE)

    save(picture(0), folder / "one.png")
    with pytest.raises(UserError, match="training needs at least two"):
        open_dataset(str(folder), SIZE)

    save(picture(1, 5, 9), folder / "two.png")
    with pytest.raises(UserError, match="the largest size that would work is 40: --size 40"):
        open_dataset(str(folder), View(size=64))
    assert len(open_dataset(str(folder), View(size=40))) == 2
    with pytest.raises(UserError, match="is not a colour"):
        open_dataset(str(folder), View(size=40, background="wite"))


def test_small_images_are_enlarged_and_tiny_ones_left_out_loudly(folder):
    for number in range(3):
        save(picture(number, 40, 44), folder / f"small{number}.png")
    save(picture(3), folder / "whole.png")
    note = (
        "3 of 4 images are smaller than 64x64 and were enlarged; --size 40 would not enlarge any; "
        "--fit pad enlarges none"
    )
    report = open_dataset(str(folder), View(size=64)).report
    assert (report.used, report.notes) == (4, [note])
    assert open_dataset(str(folder), View(size=40)).report.notes == []
    assert open_dataset(str(folder), View(size=64, fit="pad")).report.notes == []

    # between the size and an eighth of it, everything is kept; then a warning comes first
    save(picture(4, 500, 500), folder / "large.png")
    report = open_dataset(str(folder), View(size=320)).report
    assert (report.used, report.skipped) == (5, [])
    report = open_dataset(str(folder), View(size=330)).report
    assert (report.used, report.skipped[0].reason) == (2, "40x44 is less than an eighth of 330x330")
    assert report.notes[0] == (
        "most images are left out: 3 of 5; --size 320 keeps all that can be read"
    )


def test_copies_are_whole_images(folder):
    """Two wide images with the same middle are none; one that was saved twice is."""
    left, right = picture(0, 40, 20), picture(1, 40, 20)
    right.paste(left.crop((10, 0, 30, 20)), (10, 0))
    save(left, folder / "a.png")
    save(right, folder / "b.png")
    save(left, folder / "again" / "a.bmp")
    opened = open_dataset(str(folder), View(size=20))
    assert np.array_equal(opened.images[0], opened.images[2])  # cut to their middles
    assert opened.report.copies == [["a.png", "again/a.bmp"]]


def test_native_size_and_channels(folder):
    for number in range(3):
        save(picture(number, 20, 20, "L"), folder / f"{number}.png")
    opened = open_dataset(str(folder), View())
    assert opened.images.shape == (3, 1, 20, 20)
    assert np.array_equal(opened.images[1, 0], np.array(picture(1, 20, 20, "L")))
    save(picture(3, 20, 20), folder / "colour.png")
    assert open_dataset(str(folder), View()).channels == 3
    assert open_dataset(str(folder), View(channels=1)).channels == 1
    save(picture(4, 40, 30), folder / "other.png")
    with pytest.raises(UserError, match=r"from 20x20 to 40x30.*--size 16"):
        open_dataset(str(folder), View())


def test_fits(folder):
    save(picture(0, 40, 20), folder / "a.png")
    save(picture(1, 40, 20), folder / "b.png")
    views = {
        fit: open_dataset(str(folder), View(size=20, fit=fit)) for fit in ("crop", "pad", "stretch")
    }
    assert np.array_equal(
        views["crop"].images[0].transpose(1, 2, 0), np.array(picture(0, 40, 20))[:, 10:30]
    )
    assert (views["pad"].images[:, :, :5] == 255).all()
    assert views["crop"].report.steps == ["2 images cut to the central 20x20"]
    assert "each side by itself" in views["stretch"].report.steps[0]
    assert open_dataset(str(folder), View(size=64, fit="pad")).report.used == 2


def test_order_is_by_path(folder):
    for number, name in enumerate(["b/1.png", "a/2.png", "c.png"]):
        save(Image.new("L", (8, 8), number), folder / name)
    assert open_dataset(str(folder), View()).images[:, 0, 0, 0].tolist() == [1, 0, 2]


def classes_of(spec: Path, labels: str) -> tuple[tuple[str, ...], list[int]]:
    opened = open_dataset(str(spec), View(labels=labels))
    assert opened.labels is not None
    return opened.classes, opened.labels.tolist()


def test_labels_from_folders(folder, tmp_path):
    for name in ["class10/a.png", "class2/a.png", "class2/deep/b.png", "stray.png"]:
        save(picture(0, 8, 8), folder / name)
    assert classes_of(folder, "folders") == (("class2", "class10"), [1, 0, 0])

    report = open_dataset(str(folder), View(labels="folders")).report
    assert report.classes == {"class2": 2, "class10": 1}
    assert [(item.file, item.reason) for item in report.skipped] == [
        ("stray.png", "lies beside the class folders, not in one")
    ]

    (folder / "stray.png").unlink()
    zip_folder(folder, tmp_path / "set.zip", "set/")
    assert classes_of(tmp_path / "set.zip", "folders") == (("class2", "class10"), [1, 0, 0])

    notes = open_dataset(str(folder), View()).report.notes
    assert notes == [
        "2 sub-folders hold images (class2, class10); "
        "to train with them as classes: --labels folders"
    ]


@pytest.mark.parametrize(
    "table",
    [
        "file,label\na.png,10\nsub/b.png,9\n",
        "\ufeffa.png;10\nsub\\b.png;9",
        "a.png\t10\r\n./sub/b.png\t9\r\n",
    ],
)
def test_labels_from_a_table(folder, tmp_path, table):
    save(picture(0, 8, 8), folder / "a.png")
    save(picture(1, 8, 8), folder / "sub" / "b.png")
    write(table.encode(), folder / "labels.csv")
    assert classes_of(folder, "labels.csv") == (("9", "10"), [1, 0])
    zip_folder(folder, tmp_path / "set.zip")
    assert classes_of(tmp_path / "set.zip", "labels.csv") == (("9", "10"), [1, 0])
    elsewhere = tmp_path / "other.csv"
    shutil.move(folder / "labels.csv", elsewhere)
    assert classes_of(folder, str(elsewhere)) == (("9", "10"), [1, 0])
    elsewhere.write_text('a.png,"a cat, asleep"\nsub/b.png,狗\n', encoding="utf-8")
    assert classes_of(folder, str(elsewhere)) == (("a cat, asleep", "狗"), [0, 1])


def test_a_table_and_images_that_do_not_match(folder):
    for name in "abc":
        save(picture(0, 8, 8), folder / f"{name}.png")
    table = folder / "labels.csv"
    table.write_text("file,label\na.png,x\nb.png,y\nz.png,x\n")
    report = open_dataset(str(folder), View(labels="labels.csv")).report

    assert [(item.file, item.reason) for item in report.skipped] == [
        ("c.png", "not named in labels.csv")
    ]
    assert report.notes == ["labels.csv names 1 file that is not there: z.png"]
    assert open_dataset(str(folder), View()).report.notes[0].endswith("--labels labels.csv")
    for text, words in [
        ("a.png,x\na.png,y", "line 2: 'a.png' is 'y' here and 'x' before"),
        ("a.png,x,y", "a row is a file and a label"),
        ("q.png,x", "names none of the images"),
        ("", "is empty"),
    ]:
        table.write_text(text)
        with pytest.raises(UserError, match=words):
            open_dataset(str(folder), View(labels="labels.csv"))
    with pytest.raises(UserError, match="no such file"):
        open_dataset(str(folder), View(labels="lables.csv"))
    with pytest.raises(UserError, match="has no sub-folders"):
        open_dataset(str(folder), View(labels="folders"))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read everything"
)
def test_no_permission(folder):
    for number in range(3):
        save(picture(number), folder / f"{number}.png")
    (folder / "1.png").chmod(0)
    assert "ermission" in open_dataset(str(folder), SIZE).report.skipped[0].reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_pipes_and_devices_are_no_data(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    for place, kind in ((tmp_path / "pipe", "a pipe"), (Path(os.devnull), "a device")):
        with pytest.raises(UserError, match=f"that can be read: it is {kind}, not a file"):
            open_dataset(str(place), View(size=16))

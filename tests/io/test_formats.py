"""Formats of images: each is read, by its content, and missing decoders are named."""

import io
import struct
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from ganvas.io import formats, image_files, images
from ganvas.io.complaints import collect_complaints
from ganvas.io.images import UnreadableError

LOSSY = {"JPEG", "AVIF", "HEIF"}
MISSING = {
    "AVIF": not features.check("avif"),
    "JPEG2000": not features.check("jpg_2000"),
    "WEBP": not features.check("webp"),
    "HEIF": formats.is_missing("heic"),
}
PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def encode(picture: Image.Image, form: str, **options) -> bytes:
    formats.find_formats(b"\0" * 16)  # so that Pillow knows formats of extras
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def discs(count: int, side: int = 32) -> list[Image.Image]:
    """Images of one colour with a block of another that moves."""
    made = []
    for number in range(count):
        picture = Image.new("RGB", (side, side), (200, 40 * number, 90))
        picture.paste((20, 30, 200), (4 * number, 8, 4 * number + 8, 24))
        made.append(picture)
    return made


@pytest.mark.parametrize("form", [each.name for each in formats.FORMATS])
def test_each_format_is_read_whatever_its_ending(form):
    if MISSING.get(form):
        pytest.skip(f"this Pillow has no decoder of {form}")
    (picture,) = discs(1)
    options = {"WEBP": {"lossless": True}, "ICO": {"sizes": [(32, 32)]}}.get(form, {})
    content = encode(picture, form, **options)
    assert image_files.measure(io.BytesIO(content)) == (32, 32)

    found = image_files.read(content, 3)
    expected = images.planes(np.array(picture))
    if form == "GIF":  # of 256 colours, which are enough here
        assert found.mode == "P"
    difference = (found.pixels.int() - expected.int()).abs()
    assert difference.float().mean() <= (4 if form in LOSSY else 0)
    assert found.size == (32, 32)


def test_a_missing_decoder_is_named_with_the_command(monkeypatch):
    heic = b"\0\0\0\x18ftypheic" + b"\0" * 100
    monkeypatch.setitem(formats.MODULES, "heic", "a_module_that_is_not_there")
    with pytest.raises(UnreadableError, match=r'HEIC .*: pip install "ganvas\[heic\]"'):
        image_files.read(heic, 3)


def test_programs_are_never_started_by_a_file():
    """Pillow gives EPS to Ghostscript."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n%%EOF\n"
    with pytest.raises(UnreadableError, match=r"not an image: its content is no JPEG, PNG, .* TGA"):
        image_files.read(eps, 3)


def test_docs_name_each_format_and_ending():
    text = PAGE.read_text(encoding="utf-8")
    for each in (*formats.FORMATS, *formats.FILMS):
        row = next(line for line in text.splitlines() if line.startswith(f"| {each.label} |"))
        assert f"| {', '.join(each.endings)} |" in row
        assert (f'"ganvas[{each.extra}]"' in row) == bool(each.extra)
        assert (f"| {each.several} |" in row) == bool(each.several)


# Frames and pages


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_frames_come_one_after_another(form):
    if MISSING.get(form):
        pytest.skip(f"this Pillow has no decoder of {form}")
    first, *others = discs(5)
    options = {"lossless": True} if form == "WEBP" else {}
    content = encode(first, form, save_all=True, append_images=others, **options)

    found = list(image_files.read_frames(content, 3))
    assert [picture.frame for picture in found] == [0, 1, 2, 3, 4]
    assert {picture.frames for picture in found} == {5}
    for picture, drawn in zip(found, [first, *others]):
        difference = picture.pixels.int() - images.planes(np.array(drawn)).int()
        assert difference.abs().float().mean() <= (4 if form in LOSSY else 1)

    assert [picture.frame for picture in image_files.read_frames(content, 3, every=2)] == [0, 2, 4]
    only = image_files.read(content, 3)
    assert (only.frame, only.frames) == (0, 5)
    assert only.pixels.equal(found[0].pixels)


def test_thumbnails_and_masks_of_a_tiff_are_no_pages():
    first, second, third = discs(3)
    tags = [{}, {254: 1}, {254: 0}]  # the second is a smaller copy
    pages = []
    for picture, extra in zip((first, second, third), tags):
        picture.encoderinfo = {"tiffinfo": extra}
        pages.append(picture)
    content = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert [picture.frame for picture in image_files.read_frames(content, 3)] == [0, 2]


def test_what_follows_broken_pages_is_lost_with_a_reason():
    first, *others = discs(4)
    content = encode(first, "GIF", save_all=True, append_images=others)
    found = []
    with pytest.raises(UnreadableError, match="broken"):
        for picture in image_files.read_frames(content[: len(content) * 2 // 3], 3):
            found.append(picture)
    assert 1 <= len(found) < 4


# Large JPEGs


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_large_jpegs_are_decoded_at_a_fraction(mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    gradient = np.mgrid[:240, :320].sum(0) * 255 // 558
    picture = Image.fromarray(gradient.astype(np.uint8)).convert("RGB").convert(mode)
    content = encode(picture, "JPEG", quality=95, exif=exif)
    whole, part = image_files.read(content, 3), image_files.read(content, 3, least=60)

    sideways = orientation >= 5
    assert whole.size == part.size == ((240, 320) if sideways else (320, 240))
    assert whole.pixels.shape == ((3, 320, 240) if sideways else (3, 240, 320))
    assert part.pixels.shape == ((3, 80, 60) if sideways else (3, 60, 80))
    assert part.turned == (orientation != 1)

    # squares of 4x4 pixels become one: their mean, up to rounding and the tables of the JPEG
    means = whole.pixels.float().unfold(1, 4, 4).unfold(2, 4, 4).mean((-1, -2))
    assert (means - part.pixels).abs().max() <= 3
    # no fraction between a half and the whole
    assert image_files.read(content, 3, least=130).pixels.shape == whole.pixels.shape


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_pillows(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    random = np.random.default_rng(orientation).integers(0, 256, (6, 8, 3), np.uint8)
    picture = Image.fromarray(random).resize((80, 60), Image.Resampling.BICUBIC)
    read = image_files.read(encode(picture, "JPEG", exif=exif), 3)
    # as a PNG with the same orientation it takes the other way
    same = Image.open(io.BytesIO(encode(picture, "JPEG", exif=exif)))
    slow = image_files.read(encode(same, "PNG", exif=exif), 3)
    assert read.pixels.equal(slow.pixels)


# Complaints


def complaining_jpeg() -> bytes:
    """A JPEG whose EXIF promises a text that is longer than the file."""
    exif = Image.Exif()
    exif[0x0110] = "a model with a long name"
    content = encode(discs(1)[0], "JPEG", exif=exif)
    for order in ("<", ">"):  # tag, kind and length of the text
        entry = struct.pack(f"{order}HHL", 0x0110, 2, 25)
        content = content.replace(entry, struct.pack(f"{order}HHL", 0x0110, 2, 60_000))
    return content


def test_complaints_belong_to_the_file_that_is_read(capfd):
    heard: dict[int, list[str]] = {}
    barrier = threading.Barrier(2)

    def read(number: int) -> None:
        barrier.wait()
        for _ in range(20):
            with collect_complaints() as complaints:
                warnings.warn_explicit(f"file {number} is odd", UserWarning, "x.py", 1, "PIL.Image")
            heard.setdefault(number, []).extend(complaints)

    threads = [threading.Thread(target=read, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {number: [f"file {number} is odd"] * 20 for number in (0, 1)}
    assert capfd.readouterr().err == ""


def test_other_warnings_go_on_as_before():
    with collect_complaints() as complaints, pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
    assert complaints == []


def test_what_a_decoder_complains_of_is_kept_with_its_file(capfd):
    content = complaining_jpeg()
    assert image_files.measure(io.BytesIO(content)) == (32, 32)
    for _ in range(2):  # Python shows equal warnings only once
        (remark,) = image_files.read(content, 3).remarks
        assert remark == "Truncated File Read"
    assert capfd.readouterr().err == ""

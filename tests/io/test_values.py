"""Ranges of values, opacity, bands and label maps."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.io import image_files
from ganvas.io.images import UnreadableError
from ganvas.io.label_maps import NO_CATEGORY, encode_labels, list_labels, name_labels
from ganvas.io.planes import category_colours, show_planes, to_picture
from ganvas.io.resizing import square_labels
from ganvas.io.values import Reading, ValueRange, choose_range, scale_values


def encode(values: np.ndarray, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, form)
    return file.getvalue()


def encode_deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits in 2, 3 or 4 bands, (H, W, B)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    height, width, bands = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[bands], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (0, 4080, True, (0, 4095)),
        (3, 4095, True, (0, 4095)),
        (0, 4096, True, (0, 8191)),
        (0, 7, True, (0, 255)),
        (-1024, 1976, True, (-1024, 1976)),
        (0.0, 0.7, False, (0, 1)),
        (-0.2, 0.7, False, (-1, 1)),
        (0.0, 1.5, False, (0, 255)),
        (-3.5, 2.0, False, (-3.5, 2.0)),
        (-2, -2, True, (-2, -1)),
    ],
)
def test_the_range_of_a_set(low: float, high: float, whole: bool, expected: tuple):
    assert choose_range(low, high, whole) == expected


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.float32])
def test_values_are_scaled_alike_whatever_their_type(kind: type):
    values = np.array([[0, 51, 100, 101, 120]]).astype(kind)
    assert scale_values(values, 0, 100).tolist() == [[0, 130, 255, 255, 255]]


@pytest.mark.parametrize("bands", [2, 3, 4])
def test_png_of_16_bits_keeps_them(bands: int):
    values = np.random.default_rng(0).integers(0, 65536, (5, 7, bands)).astype(np.uint16)
    raster = image_files.read_raster(encode_deep_png(values))
    assert np.array_equal(raster.values, values)
    assert raster.alpha == (bands != 3)


def test_a_range_for_all_is_applied_to_8_bits_too():
    content = encode(np.array([[0, 10, 20, 40]], np.uint8))
    every = Reading(ValueRange(0, 20, every=True))
    assert image_files.read(content, 1, reading=every).pixels.tolist() == [[[0, 128, 255, 255]]]
    deep_only = Reading(ValueRange(0, 20))
    assert image_files.read(content, 1, reading=deep_only).pixels.tolist() == [[[0, 10, 20, 40]]]


def test_not_a_number_is_a_reason():
    values = np.zeros((2, 2), np.float32)
    values[0, 1] = np.nan
    with pytest.raises(UnreadableError, match="no numbers"):
        image_files.read(encode(values, "TIFF"), 1)


def test_opacity_multiplies_and_comes_back():
    rgba = np.random.default_rng(0).integers(0, 256, (8, 8, 4), np.uint8)
    rgba[:2, :, 3], rgba[2:, :, 3] = 0, np.maximum(rgba[2:, :, 3], 64)
    picture = image_files.read(encode(rgba), 4, reading=Reading(alpha=True))
    assert picture.transparent and picture.pixels.shape == (4, 8, 8)
    assert (picture.pixels[:, :2] == 0).all()

    back = np.array(to_picture(picture.pixels, "alpha")).astype(int)
    assert np.array_equal(back[:, :, 3], rgba[:, :, 3])
    # rounded once by 1/255: at an opacity of 64 or more a step of less than 255 / 64 / 2
    assert np.abs(back - rgba)[2:].max() <= 2

    # over the light squares of a checkerboard as over white, within the two roundings
    white = image_files.read(encode(rgba), 3).pixels.int()
    shown = show_planes(picture.pixels[None], "alpha")[0].int()
    assert (shown - white)[:, ::2, ::2].abs().max() <= 2


def test_files_without_opacity_are_opaque():
    picture = image_files.read(
        encode(np.full((3, 3), 70, np.uint8)), 4, reading=Reading(alpha=True)
    )
    assert picture.pixels[:, 0, 0].tolist() == [70, 70, 70, 255]
    assert not picture.transparent


def test_too_few_bands_are_a_reason():
    with pytest.raises(UnreadableError, match="has 3 bands, not 5"):
        image_files.read(encode(np.zeros((3, 3, 3), np.uint8)), 5)


# Label maps


def test_labels_of_numbers_palettes_and_colours():
    numbers = np.array([[0, 7], [7, 3]], np.uint8)
    palette = Image.fromarray(numbers)
    palette.putpalette([index * 11 % 256 for index in range(768)])
    file = io.BytesIO()
    palette.save(file, "PNG")
    grey_in_colour = encode(np.repeat(numbers[:, :, None], 3, axis=2))
    colours = np.zeros((2, 2, 3), np.uint8)
    colours[0, 1] = (128, 64, 0)

    for content, names in (
        (encode(numbers), ("0", "3", "7")),
        (file.getvalue(), ("0", "3", "7")),
        (grey_in_colour, ("0", "3", "7")),
        (encode(numbers.astype(np.int32), "TIFF"), ("0", "3", "7")),
        (encode(colours), ("#000000", "#804000")),
    ):
        raster = image_files.read_raster(content, indices=True)
        assert name_labels(list_labels(raster)) == names
        found = encode_labels(raster, names)
        expected = [[0, 1], [0, 0]] if names[0].startswith("#") else [[0, 2], [2, 1]]
        assert found.tolist() == expected

    raster = image_files.read_raster(encode(numbers))
    assert encode_labels(raster, ("0", "3")).tolist() == [[0, NO_CATEGORY], [NO_CATEGORY, 1]]


def test_smooth_images_are_no_label_maps():
    with pytest.raises(ValueError, match="100 different values, and 64 categories are the most"):
        name_labels(set(range(100)))
    with pytest.raises(ValueError, match="numbers and others colours"):
        name_labels({1, 2**24 + 0x804000})


def test_labels_are_never_mixed():
    labels = torch.tensor([[[[0, 9], [9, 9]]]], dtype=torch.uint8)
    for fit in ("crop", "stretch"):
        assert set(square_labels(labels, 7, fit, 255).unique().tolist()) == {0, 9}
    wide = labels.expand(1, 1, 2, 2).repeat(1, 1, 1, 2)  # 2 rows, 4 columns
    padded = square_labels(wide, 4, "pad", 255)
    assert padded[0, 0, 0].tolist() == [255] * 4
    assert padded[0, 0, 1].tolist() == [0, 9, 0, 9]


def test_label_maps_are_shown_in_colours_and_written_as_they_were():
    names = ("0", "3", "7")
    numbers = torch.tensor([[0, 2], [1, 2]])
    planes = (torch.arange(3)[:, None, None] == numbers).to(torch.uint8) * 255  # (3, 2, 2)

    shown = show_planes(planes[None], "categories", names)[0]
    colours = category_colours(names)
    assert len(set(colours)) == 3
    assert tuple(shown[:, 1, 0].tolist()) == colours[1]

    written = to_picture(planes, "categories", names)
    assert written.mode == "P"
    assert np.array(written).tolist() == [[0, 7], [3, 7]]
    assert written.convert("RGB").getpixel((0, 1)) == colours[1]

    painted = to_picture(planes[:2, :, :1], "categories", ("#000000", "#804000"))
    assert painted.getpixel((0, 1)) == (128, 64, 0)


def test_many_categories_have_colours_of_their_own():
    assert len(set(category_colours([str(number) for number in range(64)]))) == 64

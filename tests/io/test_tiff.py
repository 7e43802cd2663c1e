"""TIFF files of any number of bands and any type of number."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from ganvas.io import image_files
from ganvas.io.images import UnreadableError
from ganvas.io.tiff import encode_bands, read_bands
from ganvas.io.tiff_layout import read_layout, walk_pages

RANDOM = np.random.default_rng(0)


def decode(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)))


def write_tiff(values: np.ndarray, extras: list[int], order: str = "<", apart: bool = False):
    """Bands (H, W, B) as one strip, or as one strip for each band."""
    height, width, bands = values.shape
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    stored = values.astype(values.dtype.newbyteorder(order))
    strips = (
        [stored[:, :, band].tobytes() for band in range(bands)] if apart else [stored.tobytes()]
    )
    tags = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [8 * values.dtype.itemsize] * bands),
        259: (3, [1]),
        262: (3, [2 if bands - len(extras) == 3 else 1]),
        273: (4, [0] * len(strips)),
        277: (3, [bands]),
        278: (4, [height]),
        279: (4, [len(strip) for strip in strips]),
        284: (3, [2 if apart else 1]),
        338: (3, extras),
        339: (3, [kind] * bands),
    }
    tags = {tag: found for tag, found in tags.items() if found[1]}
    letters = {3: "H", 4: "I"}
    after = 8 + 2 + 12 * len(tags) + 4
    sizes = {tag: struct.calcsize(f"{len(v)}{letters[k]}") for tag, (k, v) in tags.items()}
    place = after + sum(size for size in sizes.values() if size > 4)
    for number, strip in enumerate(strips):
        tags[273][1][number] = place
        place += len(strip)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(tags))
    beyond = b""
    for tag, (code, found) in sorted(tags.items()):
        content = struct.pack(f"{order}{len(found)}{letters[code]}", *found)
        if len(content) > 4:
            content, beyond = struct.pack(f"{order}I", after + len(beyond)), beyond + content
        head += struct.pack(f"{order}HHI", tag, code, len(found)) + content.ljust(4, b"\0")
    return head + struct.pack("I", 0) + beyond + b"".join(strips)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "f4"])
def test_all_bands_of_all_types_are_read(kind: str, order: str, apart: bool):
    values = (RANDOM.normal(size=(5, 7, 5)) * 99).astype(kind)
    content = write_tiff(values, [0] * 4, order, apart)
    raster = image_files.read_raster(content)
    assert np.array_equal(raster.values, values)
    assert raster.mode.startswith("L+4")
    assert image_files.measure(io.BytesIO(content)) == (7, 5)


def test_opacity_of_tiffs_that_pillow_cannot_read():
    deep = np.full((5, 7, 5), 65535, np.uint16)
    deep[:, :, 4] = np.arange(7) * 257 * 40  # of which 40 * column is left with 8 bits
    alpha = image_files.read_alpha(write_tiff(deep, [0, 0, 0, 2]))
    assert alpha is not None
    assert alpha.tolist() == [[[40 * column for column in range(7)]] * 5]

    # a band that no tag declares, and one that is opaque everywhere
    assert image_files.read_alpha(write_tiff(deep, [0] * 4)) is None
    deep[:, :, 4] = 65535
    assert image_files.read_alpha(write_tiff(deep, [0, 0, 0, 2])) is None


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("predictor", [1, 2])
def test_compressed_strips_are_pillows(compression: str, predictor: int):
    picture = Image.fromarray(RANDOM.integers(0, 9, (70, 45, 3), np.uint8))
    file = io.BytesIO()
    tags = {317: predictor} if predictor == 2 and compression != "packbits" else {}
    picture.save(file, "TIFF", compression=compression, tiffinfo=tags)
    layout = read_layout(file)
    assert layout is not None and not layout.lossy_in_pillow
    read = read_bands(file.getvalue(), layout, decode).values
    assert np.array_equal(read, np.array(picture))


def test_floats_with_a_predictor():
    values = RANDOM.normal(size=(33, 21)).astype(np.float32)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF", compression="tiff_lzw", tiffinfo={317: 3})
    layout = read_layout(file)
    assert layout is not None and layout.tag(317, 1) == 3
    assert np.array_equal(read_bands(file.getvalue(), layout, decode).values[:, :, 0], values)


def test_what_is_written_is_read():
    for bands in (2, 4, 5, 16):
        values = RANDOM.integers(0, 256, (6, 9, bands), np.uint8)
        assert np.array_equal(image_files.read_raster(encode_bands(values)).values, values)


def test_16_bits_of_colour_keep_all_bits():
    values = RANDOM.integers(0, 4096, (5, 6, 3)).astype(np.uint16)
    raster = image_files.read_raster(write_tiff(values, []))
    assert raster.mode == "RGB;16"
    assert np.array_equal(raster.values, values)


def test_a_fourth_band_is_transparency_only_where_it_says_so():
    values = RANDOM.integers(0, 256, (4, 4, 4), np.uint8)
    unspecified = image_files.read(write_tiff(values, [0]), 3)
    assert not unspecified.transparent
    assert np.array_equal(unspecified.pixels.permute(1, 2, 0), values[:, :, :3])
    assert image_files.read(write_tiff(values, [2]), 3).transparent


@pytest.mark.parametrize("length", [6, 40, 150])
def test_cut_files_are_broken(length: int):
    content = write_tiff(RANDOM.integers(0, 256, (9, 9, 5), np.uint8), [0] * 4)
    with pytest.raises(UnreadableError):
        image_files.read_raster(content[:length])


def test_damaged_headers_are_no_crash():
    content = bytearray(write_tiff(RANDOM.integers(0, 256, (4, 4, 5), np.uint8), [0] * 4))
    for place in range(8, 170):
        for value in (0, 255):
            damaged = bytes(content[:place]) + bytes([value]) + bytes(content[place + 1 :])
            try:
                image_files.read(damaged, 3)
            except UnreadableError as error:
                assert str(error)


def chain(first: bytes, second: bytes) -> bytes:
    """Two little-endian TIFFs of one strip each as the pages of one."""
    shift = len(first)
    moved = bytearray(second)
    for number in range(struct.unpack_from("<H", second, 8)[0]):
        place = 10 + 12 * number
        tag, code, many, value = struct.unpack_from("<HHII", second, place)
        if tag == 273 or many * {3: 2, 4: 4}[code] > 4:
            struct.pack_into("<I", moved, place + 8, value + shift)
    joined = bytearray(first + moved)
    struct.pack_into("<I", joined, 10 + 12 * struct.unpack_from("<H", first, 8)[0], shift + 8)
    return bytes(joined)


@pytest.mark.parametrize("order", [(1, 5), (5, 1)])
def test_pages_of_different_bands_are_all_read(order: tuple[int, int]):
    pages = [RANDOM.integers(0, 256, (4, 6, bands)).astype(np.uint8) for bands in order]
    content = chain(*(write_tiff(page, [0] * (page.shape[2] - 1)) for page in pages))
    assert [page.number for page in walk_pages(io.BytesIO(content))] == [0, 1]

    frames = list(image_files.read_frames(content, 1))
    assert [(frame.frame, frame.frames) for frame in frames] == [(0, 2), (1, 2)]
    for frame, page in zip(frames, pages):
        assert np.array_equal(frame.pixels[0].numpy(), page[:, :, 0])
    for raster, page in zip(image_files.read_rasters(content, every=1), pages):
        assert np.array_equal(raster.values, page)


def test_pages_that_lead_back_end():
    content = bytearray(write_tiff(np.zeros((4, 4, 1), np.uint8), []))
    struct.pack_into("<I", content, 10 + 12 * struct.unpack_from("<H", content, 8)[0], 8)
    assert len(list(image_files.read_frames(bytes(content), 1))) == 1

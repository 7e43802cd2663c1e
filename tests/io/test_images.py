"""Image files to uint8 and back."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganvas.errors import UserError
from ganvas.io import image_files, images
from ganvas.io.images import UnreadableError
from ganvas.io.resizing import resize, to_square


def encoded(picture: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def smooth(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """An image with all kinds of frequencies and no noise."""
    y, x = np.mgrid[:height, :width]
    values = [np.sin(x / 5 + y / 9 + phase) * np.cos(y / (4 + phase)) for phase in (0, 1, 2)]
    rgb = Image.fromarray(((np.stack(values, 2) + 1) * 127.5).round().astype(np.uint8))
    return rgb.convert(mode)


def test_uint8_to_float_and_back():
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(images.to_uint8(images.to_float(every)), every)
    assert images.to_float(every).aminmax() == (-1, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_fast_jpeg_is_pillows(mode, channels):
    content = encoded(smooth(61, 47, mode), "JPEG", quality=90)
    picture = image_files.read(content, channels)
    expected = np.array(Image.open(io.BytesIO(content)).convert("L" if channels == 1 else "RGB"))
    assert picture.mode == mode
    assert np.array_equal(images.planes(expected), picture.pixels)
    assert picture.pixels.shape == (channels, 47, 61)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_lossless_formats(form):
    grey = smooth(20, 10, "L")
    content = encoded(grey, form, **({"lossless": True} if form == "WEBP" else {}))
    assert np.array_equal(image_files.read(content, 1).pixels[0], np.array(grey))


def test_first_frame_of_a_gif():
    frames = [Image.new("L", (8, 8), value) for value in (10, 200)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert image_files.read(content, 1).pixels.unique().tolist() == [10]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_lies_over_the_background(mode):
    picture = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 2, 4))
    picture = picture.convert(mode)
    read = image_files.read(encoded(picture, "PNG"), 3, "#ff8000")
    assert read.transparent
    assert read.pixels[:, 0, 0].tolist() == [0, 0, 0]
    assert read.pixels[:, 0, 3].tolist() == [255, 128, 0]


def test_half_transparent():
    content = encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 128)), "PNG")
    assert image_files.read(content, 1, "white").pixels.unique().tolist() == [127]


def test_sixteen_bits_are_scaled_not_clipped():
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    read = image_files.read(encoded(Image.fromarray(values), "PNG"), 1)
    assert np.array_equal(read.pixels[0], np.round(values / 257).astype(np.uint8))


def test_float_tiff():
    values = np.linspace(0, 1, 16, dtype=np.float32).reshape(4, 4)
    expected = np.round(values * 255)
    for scale in (1, 255):
        read = image_files.read(encoded(Image.fromarray(values * scale), "TIFF"), 1)
        assert np.array_equal(read.pixels[0], expected)
    with pytest.raises(UnreadableError, match=r"from -3 to 0; they must lie in 0..1 or 0..255"):
        image_files.read(encoded(Image.fromarray(values * 3 - 3), "TIFF"), 1)


def test_cmyk():
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    for form in ("JPEG", "TIFF"):
        read = image_files.read(encoded(red, form), 3)
        assert read.mode == "CMYK"
        assert read.pixels[:, 4, 4].tolist() == pytest.approx([255, 0, 0], abs=3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(smooth(30, 20), "JPEG", exif=exif)
    read = image_files.read(content, 3)
    sideways = orientation >= 5
    assert read.pixels.shape == ((3, 30, 20) if sideways else (3, 20, 30))
    assert image_files.measure(io.BytesIO(content)) == ((20, 30) if sideways else (30, 20))
    assert read.turned == (orientation != 1)


def test_huge_images_are_refused_from_their_header():
    content = bytearray(encoded(Image.new("L", (8, 8)), "BMP"))
    content[18:26] = np.array([100_000, 90_000], "<i4").tobytes()
    for reading in (
        lambda: image_files.read(bytes(content), 3),
        lambda: image_files.measure(io.BytesIO(bytes(content))),
    ):
        with pytest.raises(
            UnreadableError, match="100,000x90,000 pixels; 80 million pixels is the limit"
        ):
            reading()


def test_unreadable():
    with pytest.raises(UnreadableError, match="empty file"):
        image_files.read(b"", 3)
    with pytest.raises(UnreadableError, match="not an image"):
        image_files.read(b"once upon a time", 3)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]), st.data())
def test_damaged_files_never_raise_anything_else(form, data):
    content = bytearray(encoded(smooth(12, 12), form))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(content[: data.draw(st.integers(0, len(content)))])

    try:
        read = image_files.read(content, 3)
    except UnreadableError as error:
        assert str(error)
    except UserWarning:
        pass  # Pillow's complaint, an error in tests only; packing silences it
    else:
        assert read.pixels.dtype == torch.uint8
        assert read.pixels.shape[0] == 3


@pytest.mark.parametrize(
    ("width", "height", "size"), [(96, 96, 48), (64, 64, 48), (100, 70, 32), (33, 50, 7)]
)
def test_resize_is_pillows_in_float(width, height, size):
    picture = smooth(width, height, "L")
    ours = to_square(images.planes(np.array(picture))[None], size, "stretch", "white")
    theirs = np.array(picture.convert("F").resize((size, size), Image.Resampling.BICUBIC)).clip(
        0, 255
    )
    # Both round to nearest; torch's float arithmetic differs by 3e-4, so only a value at one half
    # may differ.
    assert np.abs(ours[0, 0].numpy() - theirs).max() <= 0.5 + 1e-3


def test_large_photographs_are_resized_to_the_same_values():
    large = torch.randint(
        0, 256, (1, 3, 2400, 2400), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    planes = [resize(large[:, channel : channel + 1], 30, 30) for channel in range(3)]
    assert torch.equal(resize(large, 30, 30), torch.cat(planes, 1))


def test_crop_keeps_the_centre():
    picture = torch.zeros(1, 3, 10, 30, dtype=torch.uint8)
    picture[..., 10:20] = 200
    assert to_square(picture, 10, "crop", "white").unique().tolist() == [200]


def test_pad_fills_with_the_background():
    picture = torch.zeros(1, 3, 4, 8, dtype=torch.uint8)
    padded = to_square(picture, 8, "pad", "#010203")
    assert padded[0, :, 0, 0].tolist() == padded[0, :, 7, 7].tolist() == [1, 2, 3]
    assert (padded[0, :, 2:6] == 0).all()
    assert (to_square(picture, 16, "pad", "white") == 0).sum() == 3 * 4 * 8
    assert (to_square(picture, 16, "pad", "white", enlarge=True)[0, :, 4:12] == 0).all()


def test_colours():
    assert images.colour("white") == (255, 255, 255)
    assert images.colour("#102030") == (16, 32, 48)
    with pytest.raises(UserError, match=r"'whit' is not a colour.*did you mean white"):
        images.colour("whit")

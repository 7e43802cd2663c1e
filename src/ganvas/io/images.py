"""Read and write image files, and convert between uint8 and [-1, 1]: both only here."""

import io
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import simplejpeg
import torch
from PIL import Image, ImageColor, ImageOps
from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.io.files import atomic_path
from ganvas.io.label_maps import encode_labels
from ganvas.io.rasters import Raster, convert_raster, is_deep
from ganvas.io.tiff import TiffLayout, read_bands, read_layout
from ganvas.io.unpacking import is_deep_png, unpack
from ganvas.io.values import AS_STORED, Reading

__all__ = [
    "Picture",
    "UnreadableError",
    "as_candidate",
    "as_sheet",
    "colour",
    "measure",
    "open_lazily",
    "planes",
    "read",
    "read_alpha",
    "read_raster",
    "save",
    "sheet_note",
    "to_float",
    "to_pil",
    "to_png",
    "to_uint8",
    "transparent",
]

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
DESCRIPTION, ORIENTATION = 0x010E, 0x0112  # tags of EXIF
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})  # that keep all they hold
# Written into the file of every sheet, so that none is taken for a picture to learn from.
SHEET = "sheet of images, drawn by ganvas"
# Written into images that are not the result, so that none is counted beside it.
CANDIDATE = "another candidate for a result, drawn by ganvas"
# Fewer than the number from which Pillow itself warns of a decompression bomb.
MAX_PIXELS = 80_000_000


class UnreadableError(Exception):
    """A file cannot be used as a picture; the message gives the reason."""


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8 (C, H, W), upright; of a label map the numbers of its categories (1, H, W).
        mode: of the file, Pillow's ("RGB", "L", "P", "CMYK", "I;16", ...) or as in `Raster`.
        transparent: whether it had transparency, and was laid over the background or kept.
        turned: whether the EXIF orientation was applied.
        candidate: whether it was marked by `as_candidate`.
        low: the lowest of the values that are used, where a range was applied to them.
        high: the highest of them.
    """

    pixels: Tensor
    mode: str
    transparent: bool = False
    turned: bool = False
    candidate: bool = False
    low: float | None = None
    high: float | None = None


def to_float(images: Tensor) -> Tensor:
    """Convert uint8 (N, C, H, W) in 0..255 to float32 in [-1, 1]: 0 is -1, and 255 is 1.

    Floats, such as points, stay as they are.
    """
    if images.is_floating_point():
        return images
    return images.to(torch.float32).mul_(2 / 255).sub_(1)  # in place on the copy: saves memory


def to_uint8(images: Tensor) -> Tensor:
    """Convert float (N, C, H, W) in [-1, 1] to uint8, rounded; values outside are clipped.

    The inverse of `to_float`: points stay as they are.
    """
    if images.shape[1:] == (2, 1, 1):  # points: no image of two channels is so small
        return images
    # In bfloat16 the result could be off by one; uint8 without the clamp would wrap.
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def colour(name: str) -> tuple[int, int, int]:
    """Red, green and blue, 0..255, of a colour such as "white" or "#a0b0c0".

    Raises:
        UserError: there is no such colour.
    """
    try:
        red, green, blue = ImageColor.getrgb(name)[:3]
    except ValueError as error:
        known = "'#rrggbb' or a name; " + nearest(name, ImageColor.colormap)
        raise UserError(f"{name!r} is not a colour; write {known}") from error
    return red, green, blue


def read(
    content: bytes,
    channels: int,
    background: str = "white",
    *,
    reading: Reading = AS_STORED,
) -> Picture:
    """Decode a picture file to grey, RGB, or so many planes.

    A JPEG, PNG, WebP, GIF (first frame), BMP or TIFF, recognised by its content. Values of more
    than 8 bits are in the range that `reading` names. Without one, those of 16 bits are divided by
    257, and floats must lie in 0..1 or 0..255.

    Args:
        content: of the file.
        channels: of the result. 1 or 3: grey is repeated, RGB becomes its luminance, bands beyond
            the colours are left out. 4, where `reading` has opacity: RGB, multiplied by a fourth
            plane of opacity, which is opaque in files without it. Others: the first bands.
        background: colour behind transparent pixels, where opacity is not kept.
        reading: what the values mean.

    Raises:
        UnreadableError: not a picture, broken, of more than MAX_PIXELS, of too few bands, or
            holding values that cannot be used.
    """
    ranged = reading.range is not None and reading.range.every
    usual = channels in (1, 3) and not reading.categories and not ranged
    plain = _read_plain_jpeg(content, 1 if channels == 1 else 3) if usual else None
    if plain is not None:
        return plain

    if usual and _find_bands(content) is None:
        flat = _read_flat(content, channels, background)
        if flat is not None:
            return flat

    try:
        raster = read_raster(content, indices=bool(reading.categories))
        if reading.categories:
            numbers = planes(encode_labels(raster, reading.categories))
            return Picture(numbers, raster.mode, turned=raster.turned)
        array, transparent, low, high = convert_raster(
            raster, channels, colour(background), reading
        )
        return Picture(planes(array), raster.mode, transparent, raster.turned, low=low, high=high)
    except ValueError as error:  # in words for people
        raise UnreadableError(str(error)) from error


def _read_flat(content: bytes, channels: int, background: str) -> Picture | None:
    """Decode a picture of 8 bits to grey or RGB; None: it has more bits.

    Raises:
        UnreadableError: as `read`.
    """
    try:
        with open_lazily(io.BytesIO(content)) as file:
            if is_deep(file.mode) or is_deep_png(content):
                return None
            upright = ImageOps.exif_transpose(file)
            transparent = upright.has_transparency_data
            flat = _lay_over(upright, background) if transparent else upright
            array = np.array(flat.convert("L" if channels == 1 else "RGB"))
            exif = file.getexif()
            turned = exif.get(ORIENTATION, 1) != 1  # `upright` has lost it
            candidate = exif.get(DESCRIPTION) == CANDIDATE
            return Picture(planes(array), file.mode, transparent, turned, candidate)
    except UnreadableError:
        raise
    except Exception as error:  # a broken file can make a decoder raise anything
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error


def read_raster(content: bytes, *, indices: bool = False) -> Raster:
    """Decode all values that a picture file holds, as they are.

    Args:
        content: of the file.
        indices: of a picture with a palette return the numbers of its colours, not the colours.

    Raises:
        UnreadableError: as `read`; or a value is NaN or infinite.
    """
    try:
        layout = _find_bands(content)
        if layout is not None:
            values = read_bands(content, layout, _decode_grey).values
            turned = layout.orientation != 1
            raster = Raster(values, layout.mode, layout.rgb, layout.alpha, turned)
        else:
            with open_lazily(io.BytesIO(content)) as file:
                raster = unpack(file, content, indices)
    except UnreadableError:
        raise
    except Exception as error:  # as in `_read_flat`
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error

    if raster.values.dtype.kind == "f" and not np.isfinite(raster.values).all():
        raise UnreadableError("holds values that are no numbers, or infinite")
    return raster


def _find_bands(content: bytes) -> TiffLayout | None:
    """The layout of a TIFF that Pillow refuses or reads only in part; None: Pillow reads the file.

    Raises:
        UnreadableError: it is broken, or has more than MAX_PIXELS.
    """
    if not content.startswith((b"II", b"MM")):
        return None
    return _check_bands(io.BytesIO(content))


def _check_bands(file: BinaryIO) -> TiffLayout | None:
    """As `_find_bands`, of an open file."""
    try:
        layout = read_layout(file)
    except Exception as error:  # as in `_read_flat`: the file may lie in a broken zip
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error
    if layout is None or not layout.lossy_in_pillow:
        return None
    _check_pixels(layout.width, layout.height)
    return layout


def _decode_grey(content: bytes) -> np.ndarray:
    """A TIFF of 8 bits and one band, uint8 (H, W)."""
    # not `Image.open`: a strip of many bands has more bytes than Pillow allows pixels
    with Image.OPEN["TIFF"][0](io.BytesIO(content), "") as file:
        return np.array(file)


def _read_plain_jpeg(content: bytes, channels: Literal[1, 3]) -> Picture | None:
    """Decode an upright grey or YCbCr JPEG four times as fast as Pillow, to the same values.

    Returns:
        the picture; None if the file is of another kind, or damaged.
    """
    # EXIF may turn the picture, which this decoder ignores; a chance match only costs time.
    if not content.startswith(b"\xff\xd8\xff") or b"Exif" in content:
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        # Before a pixel is decoded. Pillow decodes CMYK, and `open_lazily` refuses huge pictures.
        if colours not in ("YCbCr", "Gray") or int(height) * int(width) > MAX_PIXELS:
            return None
        array = simplejpeg.decode_jpeg(content, "GRAY" if colours == "Gray" else "RGB")  # (H, W, C)
    except ValueError:
        return None  # Pillow may still read it, and has the better message

    mode = "L" if colours == "Gray" else "RGB"
    if mode == "L" and channels == 3:
        array = array.repeat(3, axis=2)
    if mode == "RGB" and channels == 1:
        array = np.array(Image.fromarray(array).convert("L"))  # rounded as for other formats
    return Picture(planes(array), mode)


def measure(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a picture when upright, from the file's header alone.

    Raises:
        UnreadableError: not a picture, a broken header, or more than MAX_PIXELS.
    """
    layout = _check_bands(file)
    if layout is not None:
        return (
            (layout.height, layout.width)
            if layout.orientation >= 5
            else (layout.width, layout.height)
        )
    try:
        file.seek(0)
        with open_lazily(file) as picture:
            # Orientations from 5 on are turned by a quarter.
            sideways = picture.getexif().get(ORIENTATION, 1) >= 5
            return (picture.height, picture.width) if sideways else picture.size
    except UnreadableError:
        raise
    except Exception as error:  # as in `read`
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error


def open_lazily(file: BinaryIO) -> Image.Image:
    """Read a picture's header; refuse huge pictures before decoding, and sheets.

    `Image.open` does the same, but warns of large pictures before their size can be checked.

    Raises:
        UnreadableError: no decoder knows it, it has more than MAX_PIXELS, or it is a sheet that
            ganvas drew.
    """
    Image.init()  # fills Image.OPEN
    prefix = file.read(16)  # as many bytes as `Image.open` shows to decoders
    file.seek(0)
    if not prefix:
        raise UnreadableError("empty file")

    for name in FORMATS:
        factory, accept = Image.OPEN[name]
        if accept is None or not accept(prefix):
            continue
        picture = factory(file, "")
        _check_pixels(picture.width, picture.height)
        comment = picture.info.get("comment")  # bytes, in GIF and JPEG
        if picture.getexif().get(DESCRIPTION) == SHEET or comment == SHEET.encode():
            raise UnreadableError(f"not one image: a {SHEET}")
        return picture
    raise UnreadableError("not an image: its content is no JPEG, PNG, WebP, GIF, BMP or TIFF")


def _check_pixels(width: int, height: int) -> None:
    """Refuse a huge picture.

    Raises:
        UnreadableError: it has more than MAX_PIXELS.
    """
    if width * height > MAX_PIXELS:
        raise UnreadableError(
            f"{width:,}x{height:,} pixels; {MAX_PIXELS // 10**6} million pixels is the limit"
        )


def _lay_over(picture: Image.Image, background: str) -> Image.Image:
    """Lay a picture with any kind of transparency over a colour."""
    behind = Image.new("RGBA", picture.size, (*colour(background), 255))
    return Image.alpha_composite(behind, picture.convert("RGBA"))


def planes(array: np.ndarray) -> Tensor:
    """View an array, uint8 (H, W) or (H, W, C), as a tensor (C, H, W) in the same memory."""
    return torch.from_numpy(array if array.ndim == 3 else array[:, :, None]).permute(2, 0, 1)


def to_pil(image: Tensor) -> Image.Image:
    """Convert one uint8 picture (C, H, W) to a Pillow picture: grey, grey with transparency, RGB or
    RGB with transparency for a C of 1 to 4; of more channels the first three are a colour.
    """
    shown = image if len(image) <= 4 else image[:3]
    array = shown.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def to_png(image: Tensor | Image.Image) -> bytes:
    """Encode one picture, of Pillow or uint8 (C, H, W) as `to_pil` shows it, as a PNG.

    The same picture always gives the same bytes.
    """
    picture = to_pil(image) if isinstance(image, Tensor) else image
    if picture.mode not in PNG_MODES:  # such as CMYK
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def as_sheet(picture: Image.Image) -> Image.Image:
    """Mark a picture as a sheet of many: `save` writes the mark into its file."""
    picture.info[SHEET] = True
    return picture


def as_candidate(picture: Image.Image) -> Image.Image:
    """Mark a picture as one of several for the same result, and not the one that was chosen.

    It can be used like any picture, but a data set leaves it out.
    """
    picture.info[CANDIDATE] = True
    return picture


def sheet_note(mark: str = SHEET) -> dict[str, Any]:
    """Arguments of Pillow's `save` that mark a file as a sheet: EXIF, and for GIF a comment."""
    exif = Image.Exif()
    exif[DESCRIPTION] = mark
    return {"exif": exif, "comment": mark}


def save(picture: Image.Image, path: Path, durable: bool = True) -> None:
    """Write a picture atomically, in the format of its file's ending; JPEG at quality 95.

    Args:
        picture: marked by `as_sheet` if it is a sheet, by `as_candidate` if it was not chosen.
        path: where to.
        durable: as in `atomic_path`.

    Raises:
        UserError: the ending is not a picture's, or the file cannot be written.
    """
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path} does not end like an image; use .png, .jpg or .webp")
    marks = [mark for mark in (SHEET, CANDIDATE) if mark in picture.info]
    note = sheet_note(marks[0]) if marks else {}
    with atomic_path(path, durable) as partial:
        picture.save(partial, format=kind, quality=95, **note)  # PNG ignores the quality


def read_alpha(content: bytes) -> Tensor | None:
    """How opaque a picture is, uint8 (1, H, W), upright: 0 where it is clear; None if it is opaque
    everywhere.

    Raises:
        UnreadableError: as for `read`.
    """
    try:
        with open_lazily(io.BytesIO(content)) as file:
            upright = ImageOps.exif_transpose(file)
            if not upright.has_transparency_data:
                return None
            alpha = planes(np.array(upright.convert("RGBA").getchannel("A")))
            return alpha if alpha.min() < 255 else None
    except UnreadableError:
        raise
    except Exception as error:  # as in `read`
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error


def transparent(content: bytes) -> Tensor | None:
    """Where a picture is more than half transparent, bool (H, W), upright; None if nowhere.

    Raises:
        UnreadableError: as for `read`.
    """
    alpha = read_alpha(content)
    clear = None if alpha is None else alpha[0] < 128
    return clear if clear is not None and clear.any() else None

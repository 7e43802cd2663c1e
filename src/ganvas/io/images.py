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

__all__ = [
    "GREY",
    "Picture",
    "UnreadableError",
    "as_sheet",
    "colour",
    "measure",
    "planes",
    "read",
    "read_alpha",
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
# Pillow's modes without colour.
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})  # that keep all they hold
# Written into the file of every sheet, so that none is taken for a picture to learn from.
SHEET = "sheet of images, drawn by ganvas"
# Fewer than the number from which Pillow itself warns of a decompression bomb.
MAX_PIXELS = 80_000_000


class UnreadableError(Exception):
    """A file cannot be used as a picture; the message gives the reason."""


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8 (C, H, W), upright, without transparency.
        mode: Pillow's mode of the file: "RGB", "L", "P", "CMYK", "I;16", ...
        transparent: whether it had transparency and was laid over the background.
        turned: whether the EXIF orientation was applied.
    """

    pixels: Tensor
    mode: str
    transparent: bool = False
    turned: bool = False


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
    if images.shape[1] == 2:  # points; images have 1 or 3 channels
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


def read(content: bytes, channels: Literal[1, 3], background: str = "white") -> Picture:
    """Decode a picture file to grey or RGB.

    A JPEG, PNG, WebP, GIF (first frame), BMP or TIFF, recognised by its content. 16-bit values are
    divided by 257; float values must lie in 0..1 or 0..255.

    Args:
        content: of the file.
        channels: of the result; grey is repeated, RGB becomes its luminance.
        background: colour behind transparent pixels.

    Raises:
        UnreadableError: not a picture, broken, or of more than MAX_PIXELS.
    """
    plain = _read_plain_jpeg(content, channels)
    if plain is not None:
        return plain

    try:
        with _open_lazily(io.BytesIO(content)) as file:
            upright = ImageOps.exif_transpose(file)
            transparent = upright.has_transparency_data
            flat = _lay_over(upright, background) if transparent else _to_eight_bits(upright)
            array = np.array(flat.convert("L" if channels == 1 else "RGB"))
            turned = file.getexif().get(ORIENTATION, 1) != 1  # `upright` has lost it
            return Picture(planes(array), file.mode, transparent, turned)
    except UnreadableError:
        raise
    except Exception as error:  # a broken file can make a decoder raise anything
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error


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
        # Before a pixel is decoded. Pillow decodes CMYK, and `_open_lazily` refuses huge pictures.
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
    try:
        with _open_lazily(file) as picture:
            # Orientations from 5 on are turned by a quarter.
            sideways = picture.getexif().get(ORIENTATION, 1) >= 5
            return (picture.height, picture.width) if sideways else picture.size
    except UnreadableError:
        raise
    except Exception as error:  # as in `read`
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error


def _open_lazily(file: BinaryIO) -> Image.Image:
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
        if picture.width * picture.height > MAX_PIXELS:
            raise UnreadableError(
                f"{picture.width:,}x{picture.height:,} pixels; "
                f"{MAX_PIXELS // 10**6} million pixels is the limit"
            )
        comment = picture.info.get("comment")  # bytes, in GIF and JPEG
        if picture.getexif().get(DESCRIPTION) == SHEET or comment == SHEET.encode():
            raise UnreadableError(f"not one image: a {SHEET}")
        return picture
    raise UnreadableError("not an image: its content is no JPEG, PNG, WebP, GIF, BMP or TIFF")


def _lay_over(picture: Image.Image, background: str) -> Image.Image:
    """Lay a picture with any kind of transparency over a colour."""
    behind = Image.new("RGBA", picture.size, (*colour(background), 255))
    return Image.alpha_composite(behind, picture.convert("RGBA"))


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """Convert 16-bit and float grey to 8 bits; Pillow's own conversion would clip the values.

    Raises:
        UnreadableError: the values are not in a range whose white is known.
    """
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    values = np.array(picture).astype(np.float64)  # (H, W); holds 32-bit integers exactly
    low, high = values.min(), values.max()

    # 16-bit files say what white is; in float files it is 1 or 255, by the values that occur.
    allowed = (1, 255) if picture.mode == "F" else (65535,)
    white = next((white for white in allowed if high <= white), 0)  # 0: too high, or NaN
    if low < 0 or not white:
        ranges = " or ".join(f"0..{white}" for white in allowed)
        raise UnreadableError(f"its values go from {low:g} to {high:g}; they must lie in {ranges}")
    return Image.fromarray(np.round(values * (255 / white)).astype(np.uint8))


def planes(array: np.ndarray) -> Tensor:
    """View an array, uint8 (H, W) or (H, W, C), as a tensor (C, H, W) in the same memory."""
    return torch.from_numpy(array if array.ndim == 3 else array[:, :, None]).permute(2, 0, 1)


def to_pil(image: Tensor) -> Image.Image:
    """Convert one uint8 picture (C, H, W) to a Pillow picture: grey, grey with transparency, RGB or
    RGB with transparency for a C of 1 to 4.
    """
    array = image.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def to_png(image: Tensor | Image.Image) -> bytes:
    """Encode one picture, of Pillow or uint8 (C, H, W), C of 1 to 4, as a PNG.

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


def sheet_note() -> dict[str, Any]:
    """Arguments of Pillow's `save` that mark a file as a sheet: EXIF, and for GIF a comment."""
    exif = Image.Exif()
    exif[DESCRIPTION] = SHEET
    return {"exif": exif, "comment": SHEET}


def save(picture: Image.Image, path: Path, durable: bool = True) -> None:
    """Write a picture atomically, in the format of its file's ending; JPEG at quality 95.

    Args:
        picture: marked by `as_sheet` if it is a sheet.
        path: where to.
        durable: as in `atomic_path`.

    Raises:
        UserError: the ending is not a picture's, or the file cannot be written.
    """
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path} does not end like an image; use .png, .jpg or .webp")
    note = sheet_note() if SHEET in picture.info else {}
    with atomic_path(path, durable) as partial:
        picture.save(partial, format=kind, quality=95, **note)  # PNG ignores the quality


def read_alpha(content: bytes) -> Tensor | None:
    """How opaque a picture is, uint8 (1, H, W), upright: 0 where it is clear; None if it is opaque
    everywhere.

    Raises:
        UnreadableError: as for `read`.
    """
    try:
        with _open_lazily(io.BytesIO(content)) as file:
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

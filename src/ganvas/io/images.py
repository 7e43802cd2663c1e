"""Read and write image files, and convert between uint8 and [-1, 1]: both only here."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageColor, ImageOps
from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.io.complaints import collect_complaints
from ganvas.io.files import atomic_path
from ganvas.io.formats import find_formats, install_hint, is_missing, list_labels
from ganvas.io.jpeg import decode_jpeg
from ganvas.io.pages import list_pages
from ganvas.io.turning import ORIENTATION, is_sideways, turn_upright

__all__ = [
    "GREY",
    "MAX_PIXELS",
    "Picture",
    "TooLargeError",
    "UnreadableError",
    "as_sheet",
    "colour",
    "measure",
    "planes",
    "read",
    "read_frames",
    "save",
    "sheet_note",
    "to_float",
    "to_pil",
    "to_png",
    "to_uint8",
    "transparent",
]

DESCRIPTION = 0x010E  # a tag of EXIF
# Pillow's modes without colour.
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})  # that keep all they hold
# Written into the file of every sheet, so that none is taken for a picture to learn from.
SHEET = "sheet of images, drawn by ganvas"
# Fewer than the number from which Pillow itself warns of a decompression bomb.
MAX_PIXELS = 80_000_000


class UnreadableError(Exception):
    """A file cannot be used as a picture; the message gives the reason."""


class TooLargeError(UnreadableError):
    """A picture has more than MAX_PIXELS."""


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8 (C, H, W), upright, without transparency.
        mode: Pillow's mode of the file: "RGB", "L", "P", "CMYK", "I;16", ...
        transparent: whether it had transparency and was laid over the background.
        turned: whether the EXIF orientation was applied.
        size: width and height in pixels, upright; `pixels` may be a fraction of it.
        frame: which of the file's frames or pages it is, from 0.
        frames: how many frames or pages the file holds.
        remarks: what the decoder complained of.
    """

    pixels: Tensor
    mode: str
    transparent: bool = False
    turned: bool = False
    size: tuple[int, int] = (0, 0)
    frame: int = 0
    frames: int = 1
    remarks: tuple[str, ...] = ()


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


def read(
    content: bytes, channels: Literal[1, 3], background: str = "white", *, least: int = 0
) -> Picture:
    """Decode a picture file to grey or RGB; of several frames or pages the first.

    Of a format in `ganvas.io.formats.FORMATS`, recognised by its content. 16-bit values are divided
    by 257; float values must lie in 0..1 or 0..255.

    Args:
        content: of the file.
        channels: of the result; grey is repeated, RGB becomes its luminance.
        background: colour behind transparent pixels.
        least: pixels of the shorter side that are enough: a larger JPEG may be decoded at an
            eighth, ..., or a half of its size; 0: the whole size is wanted.

    Raises:
        UnreadableError: not a picture, broken, or of more than MAX_PIXELS.
    """
    return next(read_frames(content, channels, background, every=0, least=least))


def read_frames(
    content: bytes,
    channels: Literal[1, 3],
    background: str = "white",
    *,
    every: int = 1,
    least: int = 0,
) -> Iterator[Picture]:
    """Decode the frames or pages of a picture file, one after another; see `read`.

    Args:
        content: of the file.
        channels: of the result.
        background: colour behind transparent pixels.
        every: 1: each frame; 2: every second one, from the first; ...; 0: only the first.
        least: as for `read`.

    Raises:
        UnreadableError: not a picture, broken, or of more than MAX_PIXELS; also after some frames.
    """
    with _refusing() as complaints:
        plain = _read_plain_jpeg(content, channels, least)
    if plain is not None:
        yield plain._replace(remarks=tuple(complaints))
        return

    with _refusing() as complaints:
        file = _open_lazily(io.BytesIO(content))
        pages = list_pages(file)
    for page in pages[::every] if every else pages[:1]:
        with _refusing() as own:
            if every:
                file.seek(page)
            picture = _flatten(file, channels, background, least)
        remarks = tuple(dict.fromkeys(complaints + own))
        yield picture._replace(frame=page, frames=len(pages), remarks=remarks)


@contextmanager
def _refusing() -> Iterator[list[str]]:
    """Collect what decoders complain of, and turn what they raise into an UnreadableError."""
    try:
        with collect_complaints() as complaints:
            yield complaints
    except UnreadableError:
        raise
    except Exception as error:  # a broken file can make a decoder raise anything
        raise UnreadableError(f"broken: {str(error) or type(error).__name__}") from error


def _flatten(file: Image.Image, channels: Literal[1, 3], background: str, least: int) -> Picture:
    """Decode the frame at which an open file stands."""
    size = file.size
    if least and file.format == "JPEG":
        file.draft(file.mode, (least, least))  # at an eighth, a quarter or a half

    upright = ImageOps.exif_transpose(file)
    transparent = upright.has_transparency_data
    flat = _lay_over(upright, background) if transparent else _to_eight_bits(upright)
    array = np.array(flat.convert("L" if channels == 1 else "RGB"))

    orientation = file.getexif().get(ORIENTATION, 1)  # `upright` has lost it
    if is_sideways(orientation):
        size = (size[1], size[0])
    return Picture(planes(array), file.mode, transparent, orientation != 1, size)


def _read_plain_jpeg(content: bytes, channels: Literal[1, 3], least: int) -> Picture | None:
    """Decode a grey or YCbCr JPEG four times as fast as Pillow, to the same values.

    Returns:
        the picture; None if the file is of another kind, or damaged.
    """
    if not content.startswith(b"\xff\xd8\xff"):
        return None

    # This decoder knows neither the orientation, which EXIF or XMP may hold, nor the mark of a
    # sheet; a chance match only costs time.
    orientation = 1
    if b"Exif" in content or b"tiff:Orientation" in content:
        orientation = _open_lazily(io.BytesIO(content)).getexif().get(ORIENTATION, 1)
    decoded = decode_jpeg(content, least, MAX_PIXELS)
    if decoded is None:
        return None

    array, size = decoded
    mode = "L" if array.shape[2] == 1 else "RGB"
    if mode == "L" and channels == 3:
        array = array.repeat(3, axis=2)
    if mode == "RGB" and channels == 1:
        array = np.array(Image.fromarray(array).convert("L"))  # rounded as for other formats
    if is_sideways(orientation):
        size = (size[1], size[0])
    pixels = turn_upright(planes(array), orientation)
    return Picture(pixels, mode, turned=orientation != 1, size=size)


def measure(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a picture when upright, from the file's header alone.

    Raises:
        UnreadableError: not a picture, a broken header, or more than MAX_PIXELS.
    """
    with _refusing(), _open_lazily(file) as picture:
        sideways = is_sideways(picture.getexif().get(ORIENTATION, 1))
        return (picture.height, picture.width) if sideways else picture.size


def _open_lazily(file: BinaryIO) -> Image.Image:
    """Read a picture's header; refuse huge pictures before decoding, and sheets.

    `Image.open` does the same, but warns of large pictures before their size can be checked.

    Raises:
        UnreadableError: no decoder knows it, it has more than MAX_PIXELS, or it is a sheet that
            ganvas drew.
    """
    prefix = file.read(16)  # as many bytes as `Image.open` shows to decoders
    file.seek(0)
    if not prefix:
        raise UnreadableError("empty file")

    fault = f"not an image: its content is no {list_labels()}"
    for each in find_formats(prefix):
        if is_missing(each.extra):
            fault = f"{each.label} cannot be read yet: {install_hint(each.extra)}"
            continue
        try:
            picture = Image.OPEN[each.name][0](file, "")
        except SyntaxError as error:  # perhaps of the next format in the same container
            fault = f"broken: {error}"
            file.seek(0)
            continue
        _check_header(picture)
        return picture
    raise UnreadableError(fault)


def _check_header(picture: Image.Image) -> None:
    """Refuse a picture by its header.

    Raises:
        TooLargeError: it has more than MAX_PIXELS.
        UnreadableError: it is a sheet that ganvas drew.
    """
    if picture.width * picture.height > MAX_PIXELS:
        raise TooLargeError(
            f"{picture.width:,}x{picture.height:,} pixels; "
            f"{MAX_PIXELS // 10**6} million pixels is the limit"
        )
    comment = picture.info.get("comment")  # bytes, in GIF and JPEG
    if picture.getexif().get(DESCRIPTION) == SHEET or comment == SHEET.encode():
        raise UnreadableError(f"not one image: a {SHEET}")


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
    """Convert one uint8 picture (C, H, W), C of 1 or 3, to a Pillow picture."""
    array = image.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def to_png(image: Tensor | Image.Image) -> bytes:
    """Encode one picture, of Pillow or uint8 (C, H, W), C of 1 or 3, as a PNG.

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


def transparent(content: bytes) -> Tensor | None:
    """Where a picture is more than half transparent, bool (H, W), upright; None if nowhere.

    Raises:
        UnreadableError: as for `read`.
    """
    with _refusing(), _open_lazily(io.BytesIO(content)) as file:
        upright = ImageOps.exif_transpose(file)
        if not upright.has_transparency_data:
            return None
        clear = torch.from_numpy(np.array(upright.convert("RGBA").getchannel("A"))) < 128
        return clear if clear.any() else None

"""Convert images between uint8 and [-1, 1], only here, and write image files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageColor
from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.io.files import atomic_path

__all__ = [
    "CANDIDATE",
    "DESCRIPTION",
    "SHEET",
    "TooLargeError",
    "UnreadableError",
    "as_candidate",
    "as_sheet",
    "colour",
    "planes",
    "save",
    "sheet_note",
    "to_float",
    "to_pil",
    "to_png",
    "to_uint8",
]

DESCRIPTION = 0x010E  # a tag of EXIF
PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})  # that keep all they hold
# Written into the file of every sheet, so that none is taken for a picture to learn from.
SHEET = "sheet of images, drawn by ganvas"
# Written into images that are not the result, so that none is counted beside it.
CANDIDATE = "another candidate for a result, drawn by ganvas"


class UnreadableError(Exception):
    """A file cannot be used as a picture; the message gives the reason."""


class TooLargeError(UnreadableError):
    """A picture has more than MAX_PIXELS."""


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

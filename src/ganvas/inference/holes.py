"""Where an image has its hole: a mask, a box, or what is transparent."""

from pathlib import Path

import torch
from torch import Tensor

from ganvas.data.folders.source import EXTENSIONS
from ganvas.errors import UserError
from ganvas.io.images import UnreadableError, read, transparent
from ganvas.io.reading import read_bytes

__all__ = ["SMALLEST", "check_hole", "read_hole"]

SMALLEST = 8  # side of an image in pixels
WHITE = 128  # grey value from which a mask is hole


def read_hole(
    mask: Path | None, box: str | None, name: str, content: bytes, size: tuple[int, int]
) -> Tensor | None:
    """Where the hole of an image is, bool (H, W); None: there is none.

    Args:
        mask: file or folder.
        box: text of `--box`.
        name: of the image, without ending.
        content: its file.
        size: its height and width in pixels.

    Raises:
        UserError: the mask or box does not fit the image.
    """
    if mask:
        return _read_mask(mask, name, size)
    if box:
        return _read_hole_box(box, size)
    return transparent(content)


def check_hole(mask: Tensor) -> None:
    """Refuse a hole that leaves nothing to do, or nothing to go by.

    Raises:
        UserError: it is empty or covers everything.
    """
    if not mask.any():
        raise UserError(f"the hole is empty; a mask is white ({WHITE} to 255) in the hole")
    if mask.all():
        raise UserError("the hole covers the whole image; leave some pixels around it")


def _read_mask(place: Path, name: str, size: tuple[int, int]) -> Tensor:
    """The mask of an image, bool (H, W): a file, or the one of the image's name in a folder.

    Raises:
        UserError: there is none, it is not an image, or of another size.
    """
    file = _find_mask(place, name) if place.is_dir() else place
    if not file.is_file():
        raise UserError(f"there is no mask {file}")
    try:
        # transparent parts of a mask are no hole
        mask = read(read_bytes(file), 1, "black").pixels[0]
    except UnreadableError as error:
        raise UserError(f"the mask {file} cannot be used: {error}") from error

    height, width = size
    if mask.shape != (height, width):
        raise UserError(
            f"the mask {file} has {mask.shape[1]}x{mask.shape[0]} pixels, the image"
            f" {width}x{height}; make them equal"
        )
    return mask >= WHITE


def _find_mask(folder: Path, name: str) -> Path:
    """The mask of an image in a folder, whatever its ending.

    Raises:
        UserError: there is none.
    """
    place = (folder / name).parent  # the name may have folders in it
    for file in sorted(place.iterdir()) if place.is_dir() else ():  # of a.jpg and a.png the first
        if file.stem == Path(name).name and file.suffix.lower() in EXTENSIONS:
            return file
    raise UserError(f"there is no mask {name}.png, or of another ending, in {folder}")


def _read_hole_box(box: str, size: tuple[int, int]) -> Tensor:
    """The hole of `--box left,top,width,height`, bool (H, W).

    Raises:
        UserError: other than four whole numbers, or not inside the image.
    """
    numbers = box.split(",")
    # `isdecimal` refuses signs, points and empty text, too
    if len(numbers) != 4 or not all(number.strip().isdecimal() for number in numbers):
        raise UserError(
            f"--box {box}: give left, top, width and height in pixels, such as --box 10,20,30,40"
        )

    height, width = size
    left, top, wide, high = map(int, numbers)
    if left + wide > width or top + high > height:
        raise UserError(
            f"--box {box} reaches to {left + wide},{top + high}, outside of the image of"
            f" {width}x{height} pixels"
        )

    # A box without area gives an empty hole, which `check_hole` refuses.
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[top : top + high, left : left + wide] = True
    return mask

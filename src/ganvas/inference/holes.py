"""Where an image has its hole: a mask, a box, or what is transparent."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from ganvas.data.folders.source import EXTENSIONS
from ganvas.errors import UserError
from ganvas.inference.crops import Window, crop_window
from ganvas.io.image_files import read, transparent
from ganvas.io.images import UnreadableError
from ganvas.io.reading import read_bytes

__all__ = ["SMALLEST", "check_hole", "find_known", "read_hole", "shrink_hole"]

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


def shrink_hole(mask: Tensor, window: Window, size: int) -> Tensor:
    """The hole, bool (H, W), as a GAN sees it: float (1, size, size) in {0, 1}."""
    # A pixel of the GAN is hole if anything that lies under it is.
    return adaptive_max_pool2d(crop_window(mask[None].float(), window, outside=0), size)


def find_known(mask: Tensor, window: Window, size: int) -> Tensor:
    """Which pixels of a window are known at the GAN's size, float (1, size, size) in {0, 1}.

    Raises:
        UserError: none is.
    """
    beyond = 1 - crop_window(torch.ones(1, *mask.shape), window, outside=0)  # 1 beyond the image
    # a pixel of the GAN is known only if all that lies under it is
    known = (1 - shrink_hole(mask, window, size)) * (1 - adaptive_max_pool2d(beyond, size))
    if not known.any():
        raise UserError(
            f"of {size}x{size} pixels, the size of the GAN, nothing around the hole is left"
        )
    return known


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

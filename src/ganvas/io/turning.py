"""Turn pictures upright as their EXIF orientation says."""

from torch import Tensor

__all__ = ["ORIENTATION", "is_sideways", "turn_upright"]

ORIENTATION = 0x0112  # the tag of EXIF
# By orientation: whether rows and columns change places, and which axes are mirrored then.
TURNS = {
    2: (False, (-1,)),
    3: (False, (-2, -1)),
    4: (False, (-2,)),
    5: (True, ()),
    6: (True, (-1,)),
    7: (True, (-2, -1)),
    8: (True, (-2,)),
}


def is_sideways(orientation: int) -> bool:
    """Whether width and height change places."""
    return TURNS.get(orientation, (False, ()))[0]


def turn_upright(pixels: Tensor, orientation: int) -> Tensor:
    """Turn (C, H, W) as Pillow's `exif_transpose` does; unknown orientations change nothing."""
    swapped, mirrored = TURNS.get(orientation, (False, ()))
    if swapped:
        pixels = pixels.transpose(-1, -2)
    return pixels.flip(mirrored) if mirrored else pixels

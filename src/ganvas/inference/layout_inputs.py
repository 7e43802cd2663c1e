"""What a user says about a layout, as inputs of a GAN: captions, boxes and key points."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data.text import encode, plain
from ganvas.errors import UserError, nearest
from ganvas.io.tensors import read_tensor_file

__all__ = ["encode_caption", "read_box", "read_features", "read_keypoints", "refuse_flag"]


def refuse_flag(given: object, flag: str, advice: str) -> None:
    """Refuse a flag that has no effect.

    Raises:
        UserError: it was given.
    """
    if given:
        raise UserError(f"{flag} has no effect: {advice}")


def encode_caption(caption: str | None, length: int, run: str) -> Tensor:
    """A caption as bytes of UTF-8, uint8 (1, 1, length).

    Raises:
        UserError: there is none, or nothing is left of it.
    """
    if not caption or not plain(caption):
        raise UserError(f'{run} draws a caption; say what: --caption "a red bird"')
    # a copy, because the encoded bytes are read-only
    return torch.from_numpy(encode(caption, length).copy())[None, None]


def read_features(file: Path, length: int) -> Tensor:
    """The tensor "features" of a file, of shape (length,) or (K, length), as (1, K, length).

    Raises:
        UserError: there is no such tensor.
    """
    tensors = read_tensor_file(file)
    if "features" not in tensors:
        raise UserError(f'{file} holds no tensor "features"')
    features = tensors["features"].float()

    # several captions of one image are one row: the GAN takes their mean
    if features.ndim not in (1, 2) or features.shape[-1] != length:
        raise UserError(
            f"{file}: features of shape {tuple(features.shape)}; wanted ({length},) or"
            f" (captions, {length})"
        )
    return features.view(1, -1, length)


def _parse_pixels(text: str, count: int, flag: str, form: str) -> list[float]:
    """So many numbers with commas between them.

    Raises:
        UserError: they are not.
    """
    try:
        pixels = [float(part) for part in text.split(",")]
    except ValueError:
        pixels = []
    # float() also reads "nan" and "inf"
    if len(pixels) != count or not all(map(isfinite, pixels)):
        example = "12,8,40,48" if count == 4 else "beak=12,30"
        raise UserError(f"{flag} {text}: write {form} in pixels, for instance {flag} {example}")
    return pixels


def read_box(text: str, size: int) -> list[float]:
    """A box "left,top,width,height" in pixels of an image, in shares of its side.

    Raises:
        UserError: it is none, or reaches out of the image.
    """
    left, top, width, height = _parse_pixels(text, 4, "--box", "X,Y,WIDTH,HEIGHT")
    if width <= 0 or height <= 0:
        raise UserError(f"--box {text} has no area; width and height must be above 0")
    if left < 0 or top < 0 or left + width > size or top + height > size:
        raise UserError(
            f"--box {text} goes from {left:g},{top:g} to {left + width:g},{top + height:g}; "
            f"the images go from 0,0 to {size},{size}"
        )
    return [side / size for side in (left, top, width, height)]


def read_keypoints(texts: Sequence[str], parts: Sequence[str], size: int) -> Tensor:
    """Key points "part=x,y" in pixels as (1, P, 3): x and y in shares of the side, and 1 where
    given.

    Raises:
        UserError: a part is unknown or named twice, or a place is none or outside of the image.
    """
    keypoints = torch.zeros(1, len(parts), 3)  # a part of zeros is one that the GAN places
    for text in texts:
        part, _, place = text.partition("=")
        name = part.strip()
        if name not in parts:
            raise UserError(f"--keypoint {text}: unknown part {name!r}; {nearest(name, parts)}")

        row = keypoints[0, parts.index(name)]  # a view: writing to it fills `keypoints`
        if row[2]:
            raise UserError(f"--keypoint {text}: {name} has a place already; give each part once")
        x, y = _parse_pixels(place, 2, "--keypoint", "PART=X,Y")
        # a point lies in a pixel, so below `size`; a box may end at the edge
        if not (0 <= x < size and 0 <= y < size):
            raise UserError(
                f"--keypoint {text} lies outside; the images go from 0,0 to {size},{size}"
            )
        row[:] = torch.tensor([x / size, y / size, 1.0])
    return keypoints

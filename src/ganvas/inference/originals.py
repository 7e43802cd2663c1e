"""Images of the user, as the training of a GAN that translates read its own.

After a training on pairs made of images, such as pairs:grey:FOLDER, they must look like side a: a
photograph in colour is turned grey, a small one is enlarged, edges are drawn; a noisy or blurred
one is what the GAN expects.
"""

import io
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ganvas.data.degradations import Degradation, enlarge, is_drawing, parse_degradation
from ganvas.errors import UserError
from ganvas.inference.inputs import read_planes
from ganvas.inference.run import Run
from ganvas.inference.task import MAX_SIDE
from ganvas.io.image_files import measure, read_alpha
from ganvas.io.images import UnreadableError
from ganvas.io.planes import show_planes
from ganvas.io.resizing import with_channels

__all__ = [
    "EDGES_DRAWN",
    "Degrade",
    "Original",
    "check_degrade",
    "describe_pair",
    "find_degradation",
    "keep_luminance",
    "read_original",
]

Degrade = Literal["auto", "yes", "no"]
EDGES_DRAWN = "its edges were drawn first; --degrade no takes an image as it is"
COLOURED = 8  # levels between channels, from which a pixel has a colour that can be seen


class Original(NamedTuple):
    """An image of the user, as training read those of a column.

    Attributes:
        pixels: uint8 (C, H, W), its transparency laid over the background of the training.
        alpha: uint8 (1, H, W), 0 where it is clear; None: it is opaque.
        truth: uint8 (C, H, W): what its translation should be, where that is known.
        later: what is still to be applied at the size that the GAN sees: lines would be too thin
            if they were drawn before.
        notes: lines for the user.
    """

    pixels: Tensor
    alpha: Tensor | None = None
    truth: Tensor | None = None
    later: Degradation | None = None
    notes: tuple[str, ...] = ()

    def with_alpha(self, image: Tensor) -> Tensor:
        """An image, uint8 (C, H, W), with the transparency of this one."""
        return image if self.alpha is None else torch.cat([image, self.alpha])


def read_original(run: Run, content: bytes, column: str, degrade: Degrade = "auto") -> Original:
    """Decode an image as training read those of a column.

    Args:
        run: of the GAN.
        content: of the file.
        column: of the training data that the image is like.
        degrade: of a GAN that learned from pairs made of images: "yes": it is a good image, to be
            made worse first; "no": it is taken as it is, small ones enlarged; "auto": as "no", but
            edges are drawn unless it is a drawing.

    Raises:
        UnreadableError: it is not an image, has a label that training did not see, or would become
            too large.
    """
    schema = run.gan.schema
    background = run.about["recipe"].get("background", "white")
    # transparency that was learnt is in the pixels; results of several bands have none
    learnt = schema.planes(column).kind in ("alpha", "bands")
    alpha = None if learnt else read_alpha(content)

    if degradation := find_degradation(run.about, column):
        pixels = read_planes(content, schema, "b", background)
        return _prepare_image(degradation, pixels, alpha, degrade)

    # trained on files of two images side by side, it may be given one of them whole
    width, height = measure(io.BytesIO(content))
    if not run.about["data"].get("side_by_side") or width != 2 * height:
        return Original(read_planes(content, schema, column, background), alpha)

    other = run.gan.target
    halves = slice(height), slice(height, width)
    own, rest = halves if other == "b" else halves[::-1]
    pixels = read_planes(content, schema, column, background, own)
    clear = None if alpha is None else alpha[..., own]
    truth = show_planes(
        read_planes(content, schema, other, background, rest)[None], *schema.planes(other)
    )
    note = describe_pair("left" if other == "b" else "right")
    return Original(pixels, clear, truth[0], notes=(note,))


def describe_pair(side: Literal["left", "right"]) -> str:
    """What was done with two images side by side."""
    return (
        "an image twice as wide as high is taken for a pair side by side, as the files of the"
        f" training are: its {side} half was translated"
    )


# Pairs made of images


def find_degradation(about: Mapping[str, Any], column: str) -> Degradation | None:
    """How the images of a column of a run's training data were made of others; None: they were not.

    Args:
        about: of a checkpoint of the run.
        column: that images to be translated are like.
    """
    name = about["data"].get("degradation", "")
    return parse_degradation(name) if name and column == "a" else None


def check_degrade(run: Run, column: str, degrade: Degrade) -> None:
    """Refuse the setting `degrade` where it has no effect.

    Raises:
        UserError: the run learned from other data, or the images are always turned grey.
    """
    if degrade == "auto":
        return
    degradation = find_degradation(run.about, column)
    if degradation is None:
        raise UserError(
            f"--degrade {degrade} is for runs on pairs that were made of images, such as "
            f"pairs:grey:FOLDER, and {run.name} learned from other data; leave it out"
        )
    if degradation.kind == "grey":
        raise UserError(
            f"--degrade {degrade}: {run.name} gives colour to grey images, so images in colour are "
            "always turned grey; leave it out"
        )


def _prepare_image(
    degradation: Degradation, pixels: Tensor, alpha: Tensor | None, degrade: Degrade
) -> Original:
    """Make an image, uint8 (C, H, W), look like side a of the training.

    Raises:
        UnreadableError: it would become too large.
    """
    kind = degradation.kind
    if kind == "grey":
        coloured = (pixels.amax(0).int() - pixels.amin(0).int()).max() >= COLOURED
        return Original(degradation.apply(pixels), alpha, pixels if coloured else None)

    if kind == "edges":
        taken = degrade == "no" or (degrade == "auto" and is_drawing(pixels))
        if taken:
            return Original(with_channels(pixels[None], 1)[0], alpha)
        notes = (EDGES_DRAWN,) if degrade == "auto" else ()
        return Original(pixels, alpha, pixels, degradation, notes)

    if degrade == "yes":
        return Original(degradation.apply(pixels), alpha, pixels)
    if kind == "small":
        return _enlarge(pixels, alpha, degradation.strength)
    return Original(pixels, alpha)


def _enlarge(pixels: Tensor, alpha: Tensor | None, factor: int) -> Original:
    """A small image, enlarged as those of the training.

    Raises:
        UnreadableError: it would become too large.
    """
    _, height, width = pixels.shape
    if max(height, width) * factor > MAX_SIDE:
        raise UnreadableError(
            f"{width}x{height} would become {width * factor}x{height * factor}, and {MAX_SIDE:,} "
            "pixels a side are the most; make it smaller first"
        )
    clear = None if alpha is None else enlarge(alpha, factor)
    return Original(enlarge(pixels, factor), clear)


def keep_luminance(coloured: Tensor, grey: Tensor) -> Tensor:
    """Colours with the light and dark of a grey image: its detail stays, however small the GAN saw
    it.

    Args:
        coloured: uint8 (3, H, W).
        grey: uint8 (1, H, W).

    Returns:
        uint8 (3, H, W).
    """
    shift = grey.int() - with_channels(coloured[None], 1)[0].int()
    return (coloured.int() + shift).clamp(0, 255).to(torch.uint8)

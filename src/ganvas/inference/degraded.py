"""Images of the user for a GAN that was trained on pairs made of images, such as pairs:grey:FOLDER.

What such a GAN is given must look like side a of its training. A photograph in colour is turned
grey, a small one is enlarged, edges are drawn; a noisy or blurred one is what the GAN expects.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ganvas.data.degradations import Degradation, enlarge, is_drawing, parse_degradation
from ganvas.errors import UserError
from ganvas.inference.inputs import read_planes
from ganvas.inference.run import Run
from ganvas.inference.task import MAX_SIDE
from ganvas.io.images import UnreadableError
from ganvas.io.resizing import with_channels

__all__ = [
    "EDGES_DRAWN",
    "Degrade",
    "PreparedImage",
    "check_degrade",
    "find_degradation",
    "keep_luminance",
    "prepare_image",
]

Degrade = Literal["auto", "yes", "no"]
EDGES_DRAWN = "its edges were drawn first; --degrade no takes an image as it is"
COLOURED = 8  # levels between channels, from which a pixel has a colour that can be seen


class PreparedImage(NamedTuple):
    """An image as a GAN that learned from degraded images wants it.

    Attributes:
        pixels: uint8 (C, H, W), as side a of the training.
        alpha: uint8 (1, H, W), transparency; None: it is opaque.
        truth: uint8 (3 or 1, H, W): what the result should be, where that is known.
        later: what is still to be applied at the size that the GAN sees: lines would be too thin
            if they were drawn before.
        notes: lines for the user.
    """

    pixels: Tensor
    alpha: Tensor | None
    truth: Tensor | None = None
    later: Degradation | None = None
    notes: tuple[str, ...] = ()


def find_degradation(run: Run, column: str) -> Degradation | None:
    """How the images of a column of a run's training data were made of others; None: they were not.

    Args:
        run: of the GAN.
        column: that images to be translated are like.
    """
    name = run.about["data"].get("degradation", "")
    return parse_degradation(name) if name and column == "a" else None


def check_degrade(run: Run, column: str, degrade: Degrade) -> None:
    """Refuse the setting `degrade` where it has no effect.

    Raises:
        UserError: the run learned from other data, or the images are always turned grey.
    """
    if degrade == "auto":
        return
    degradation = find_degradation(run, column)
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


def prepare_image(
    run: Run, degradation: Degradation, content: bytes, alpha: Tensor | None, degrade: Degrade
) -> PreparedImage:
    """Decode an image, and prepare it as side a of the training was.

    Args:
        run: of the GAN.
        degradation: of the training.
        content: of the file.
        alpha: its transparency, uint8 (1, H, W).
        degrade: "yes": it is a good image, to be made worse first; "no": it is taken as it is,
            small ones enlarged; "auto": as "no", but edges are drawn unless it is a drawing.

    Raises:
        UnreadableError: it is no image, or would become too large.
    """
    background = run.about["recipe"].get("background", "white")
    pixels = read_planes(content, run.gan.schema, "b", background)
    kind = degradation.kind

    if kind == "grey":
        coloured = (pixels.amax(0).int() - pixels.amin(0).int()).max() >= COLOURED
        return PreparedImage(degradation.apply(pixels), alpha, pixels if coloured else None)

    if kind == "edges":
        taken = degrade == "no" or (degrade == "auto" and is_drawing(pixels))
        if taken:
            return PreparedImage(with_channels(pixels[None], 1)[0], alpha)
        notes = (EDGES_DRAWN,) if degrade == "auto" else ()
        return PreparedImage(pixels, alpha, pixels, degradation, notes)

    if degrade == "yes":
        return PreparedImage(degradation.apply(pixels), alpha, pixels)
    if kind == "small":
        return _enlarge(pixels, alpha, degradation.strength)
    return PreparedImage(pixels, alpha)


def _enlarge(pixels: Tensor, alpha: Tensor | None, factor: int) -> PreparedImage:
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
    return PreparedImage(enlarge(pixels, factor), clear)


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

"""What images lose so that a GAN can learn to give it back: colour, detail, sharpness, or all but
their edges.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ganvas.errors import UserError
from ganvas.io.resizing import resize, with_channels
from ganvas.rng import fold_in

__all__ = [
    "DEGRADATIONS",
    "WAYS",
    "Degradation",
    "draw_edges",
    "enlarge",
    "is_drawing",
    "parse_degradation",
]

# The edges are those of the extended difference of Gaussians: Winnemoeller, Kyprianidis and Olsen
# 2012, "XDoG: An eXtended Difference-of-Gaussians Compendium including Advanced Image Stylization".
FINE = 0.7  # pixels: standard deviation of the narrower Gaussian, about half of a line's width
WIDER = 1.6  # times, the other one; with it the difference is nearest to a Laplacian
INK = 24.0  # how fast a line becomes black where the difference falls
PAPER = -0.008  # the difference, in shares of white, above which paper stays white

LIGHT = 192  # levels from which a pixel counts as paper
MOSTLY = 0.7  # share of a drawing's pixels that are paper
COLOURLESS = 12.0  # levels: the mean distance of a drawing's channels from one another


@dataclass(frozen=True)
class Degradation:
    """One way to make an image worse.

    Attributes:
        name: as people write it: "grey", "small4x", "noise25", "edges", "blur2".
        kind: what it is without its strength: "grey", "small", "noise", "edges", "blur".
        strength: how many times smaller; standard deviation of the noise in levels of 0..255, or
            of the blur in pixels; 0 for grey and edges.
    """

    name: str
    kind: str
    strength: int

    @property
    def words(self) -> str:
        """What it does, for people, as the end of a sentence about side a."""
        return WAYS[self.kind].words.format(self.strength)

    @property
    def own_size(self) -> bool:
        """Whether it belongs to single pixels, so that images must be seen at their own size."""
        return self.kind in ("small", "noise", "blur")

    def apply(self, pixels: Tensor) -> Tensor:
        """Make one image worse.

        Noise depends on the pixels alone: equal images get equal noise, in any set and any order.

        Args:
            pixels: uint8 (C, H, W).

        Returns:
            uint8 (C, H, W); of grey and edges (1, H, W).
        """
        return WAYS[self.kind].apply(pixels, self.strength)


def _make_grey(pixels: Tensor, strength: int) -> Tensor:
    """The luminance, as files are read where grey is wanted."""
    del strength
    return with_channels(pixels[None], 1)[0]


def _make_small(pixels: Tensor, strength: int) -> Tensor:
    """Reduced, and enlarged again: detail is gone, the size is the same."""
    _, height, width = pixels.shape
    small = (max(1, round(height / strength)), max(1, round(width / strength)))
    return resize(resize(pixels[None], *small), height, width)[0]


def enlarge(pixels: Tensor, factor: int) -> Tensor:
    """An image, uint8 (C, h, w), as `small` has enlarged those of the training, uint8 (C, H, W)."""
    _, height, width = pixels.shape
    return resize(pixels[None], height * factor, width * factor)[0]


def _add_noise(pixels: Tensor, strength: int) -> Tensor:
    """Normal noise on each value."""
    digest = hashlib.blake2b(pixels.contiguous().numpy().tobytes(), digest_size=16).hexdigest()
    random = torch.Generator().manual_seed(fold_in("noise", digest))
    noise = torch.randn(pixels.shape, generator=random) * strength
    return (pixels + noise).round_().clamp_(0, 255).to(torch.uint8)


def _blur(pixels: Tensor, strength: int) -> Tensor:
    """A Gaussian blur, plane by plane."""
    planes = pixels.numpy().astype(np.float32)
    blurred = gaussian_filter(planes, (0, strength, strength), mode="reflect")
    return torch.from_numpy(np.clip(np.rint(blurred), 0, 255).astype(np.uint8))


def draw_edges(pixels: Tensor, strength: int = 0) -> Tensor:
    """Edges as dark lines on white paper, uint8 (1, H, W), of an image, uint8 (C, H, W)."""
    del strength
    grey = with_channels(pixels[None], 1)[0, 0].numpy().astype(np.float32) / 255
    narrow = gaussian_filter(grey, FINE, mode="reflect")
    wide = gaussian_filter(grey, FINE * WIDER, mode="reflect")
    difference = narrow - wide  # negative on the dark side of an edge

    ink = np.tanh(INK * np.maximum(0, PAPER - difference))
    return torch.from_numpy(np.rint(255 * (1 - ink)).astype(np.uint8))[None]


@dataclass(frozen=True)
class Way:
    """A kind of degradation.

    Attributes:
        apply: makes an image worse by a strength.
        words: what it does; {} is the strength.
        strengths: that are allowed; empty: it has none.
        unit: what follows the strength in a name: the x of "small4x".
        usual: the strength without a number; None: a number is needed.
        colour: whether it is for grey or RGB images alone.
    """

    apply: Callable[[Tensor, int], Tensor]
    words: str
    strengths: tuple[int, ...] = ()
    unit: str = ""
    usual: int | None = 0
    colour: bool = False


WAYS = {
    "grey": Way(_make_grey, "b without its colour", colour=True),
    "small": Way(_make_small, "b reduced {} times and enlarged again", (2, 4, 8), "x", None),
    "noise": Way(
        _add_noise, "b with noise of {} levels (standard deviation)", tuple(range(1, 101)), usual=25
    ),
    "edges": Way(draw_edges, "the edges of b as dark lines on white", colour=True),
    "blur": Way(_blur, "b blurred by {} pixels (standard deviation)", tuple(range(1, 17)), usual=2),
}
DEGRADATIONS = ("grey", "small2x", "small4x", "small8x", "noise25", "edges", "blur2")  # to be shown


def parse_degradation(text: str) -> Degradation | None:
    """What a word such as "small4x" or "noise" means; None: it is no degradation at all.

    Raises:
        UserError: the strength is not allowed.
    """
    match = re.fullmatch(r"([a-z]+?)(\d*)(x?)", text)
    if not match or match[1] not in WAYS:
        return None
    kind, digits, unit = match.groups()
    way = WAYS[kind]
    strength = int(digits) if digits else way.usual

    allowed = strength in way.strengths if way.strengths else not digits
    if not allowed or (digits and unit != way.unit) or (not digits and unit):
        raise UserError(f"{text!r} cannot be made of images; {_describe_strengths(kind)}")
    assert strength is not None
    return Degradation(f"{kind}{strength or ''}{way.unit}", kind, strength)


def _describe_strengths(kind: str) -> str:
    """Which names of a kind there are."""
    way = WAYS[kind]
    if not way.strengths:
        return f"write {kind}"
    first, *_, last = way.strengths
    if kind == "small":
        return f"write {', '.join(f'{kind}{factor}{way.unit}' for factor in way.strengths)}"
    return f"write {kind}{first} to {kind}{last}, or {kind} for {kind}{way.usual}"


def is_drawing(pixels: Tensor) -> bool:
    """Whether an image, uint8 (C, H, W), is dark lines on white paper already: mostly light, and
    without colour.
    """
    values = pixels.float()
    if len(values) == 3 and (values.amax(0) - values.amin(0)).mean() > COLOURLESS:
        return False
    return bool((values.mean(0) >= LIGHT).float().mean() >= MOSTLY)

"""What an image file holds, as it is, and how it becomes the planes that training sees."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from ganvas.io.values import Reading, scale_alpha, scale_values

__all__ = ["Converted", "Raster", "convert_raster", "is_deep", "is_grey", "multiply_by_alpha"]

# Modes without colour: Pillow's, and of two bands.
GREY = frozenset({"1", "L", "LA", "La", "I", "F", "L+1"})


class Raster(NamedTuple):
    """What a file holds, upright.

    Attributes:
        values: (H, W, B), of the file's own type.
        mode: for people, such as "RGB", "I;16", "RGB+1" (a band beside the colours), "L+4;16".
        rgb: whether the first three bands are red, green and blue.
        alpha: whether the last band is opacity.
        turned: whether it was turned as its orientation says.
    """

    values: np.ndarray
    mode: str
    rgb: bool
    alpha: bool = False
    turned: bool = False

    @property
    def deep(self) -> bool:
        """Whether its values have another type than 8 bits, so that their range must be known."""
        return self.values.dtype != np.uint8


def is_grey(mode: str) -> bool:
    """Whether a mode of a file has no colour."""
    return mode.partition(";")[0] in GREY


def is_deep(mode: str) -> bool:
    """Whether the values of a mode have more than 8 bits."""
    return mode in ("I", "F") or ";" in mode


class Converted(NamedTuple):
    """The planes of a file.

    Attributes:
        planes: uint8 (H, W, C).
        transparent: whether it had opacity, which was used.
        low: the lowest of the values that are used, where a range was applied to them.
        high: the highest of them.
    """

    planes: np.ndarray
    transparent: bool
    low: float | None
    high: float | None


def convert_raster(
    raster: Raster, channels: int, behind: tuple[int, int, int], reading: Reading
) -> Converted:
    """The planes that training sees, as `ganvas.io.image_files.read` describes them.

    Args:
        raster: of the file; no label map.
        channels: of the result.
        behind: red, green and blue behind transparent pixels, where opacity is not kept.
        reading: what the values mean.

    Raises:
        ValueError: it has too few bands, or the range of its values is not known.
    """
    if reading.ignore_alpha:
        raster = raster._replace(alpha=False)
    kept = channels == 4 and reading.alpha
    bands = _select_bands(raster, 3 if kept else channels)
    array = _scale_bands(bands, reading)  # uint8 (H, W, B)
    if (channels == 3 or kept) and array.shape[2] == 1:
        array = array.repeat(3, axis=2)

    # among other numbers of planes opacity is a band like all others
    transparent = raster.alpha and (kept or channels in (1, 3))
    opacity = scale_alpha(raster.values[:, :, -1:]) if transparent else None
    if kept:
        if opacity is None:
            opacity = np.full((*array.shape[:2], 1), 255, np.uint8)
        array = multiply_by_alpha(array, opacity)
    elif opacity is not None:
        array = _lay_over(array, opacity, behind)

    if channels == 1 and array.shape[2] == 3:
        array = _find_luminance(array)
    ranged = raster.deep or (reading.range is not None and reading.range.every)
    low, high = (float(bands.min()), float(bands.max())) if ranged else (None, None)
    return Converted(array, transparent, low, high)


def _scale_bands(bands: np.ndarray, reading: Reading) -> np.ndarray:
    """Values of any type (H, W, B) as uint8.

    Raises:
        ValueError: no range is named, and white is not known from the type of the values.
    """
    deep = bands.dtype != np.uint8
    if reading.range is not None and (deep or reading.range.every):
        return scale_values(bands, reading.range.low, reading.range.high)
    if not deep:
        return bands

    # files of whole numbers say what white is; in float files it is 1 or 255, by what occurs
    low, high = bands.min(), bands.max()
    allowed = (1, 255) if bands.dtype.kind == "f" else (65535,)
    white = next((white for white in allowed if high <= white), 0)
    if low < 0 or not white:
        ranges = " or ".join(f"0..{white}" for white in allowed)
        raise ValueError(f"its values go from {low:g} to {high:g}; they must lie in {ranges}")
    return scale_values(bands, 0, white)


def _lay_over(colours: np.ndarray, alpha: np.ndarray, behind: tuple[int, int, int]) -> np.ndarray:
    """Grey or RGB uint8 (H, W, 1 or 3) with opacity (H, W, 1) over a colour, (H, W, 3)."""
    rgb = colours if colours.shape[2] == 3 else colours.repeat(3, axis=2)
    picture = Image.fromarray(np.concatenate([rgb, alpha], 2))
    under = Image.new("RGBA", picture.size, (*behind, 255))
    return np.array(Image.alpha_composite(under, picture).convert("RGB"))


def _find_luminance(colours: np.ndarray) -> np.ndarray:
    """RGB uint8 (H, W, 3) as grey (H, W, 1), with Pillow's weights."""
    return np.array(Image.fromarray(np.ascontiguousarray(colours)).convert("L"))[:, :, None]


def _select_bands(raster: Raster, wanted: int) -> np.ndarray:
    """The bands that become `wanted` planes, (H, W, wanted) or (H, W, 1) or (H, W, 3): grey and
    colour are not yet turned into one another. Opacity counts only among more than three planes.

    Raises:
        ValueError: the file has too few bands.
    """
    values = raster.values
    colours = values.shape[2] - raster.alpha

    if wanted in (1, 3):
        # of bands without colours the first one is the grey; of more than two the first are a
        # colour
        if colours >= 3 and (raster.rgb or wanted == 3):
            return values[:, :, :3]
        return values[:, :, :1]

    if values.shape[2] < wanted:
        bands = "1 band" if values.shape[2] == 1 else f"{values.shape[2]} bands"
        raise ValueError(f"has {bands}, not {wanted}")
    return values[:, :, :wanted]


def multiply_by_alpha(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """RGB uint8 (H, W, 3) and opacity (H, W, 1) as one image (H, W, 4), the colours multiplied by
    it.

    So resizing weighs colours by how much of them is seen, and what nobody sees is black in all
    images alike. Porter and Duff 1984, "Compositing Digital Images".
    """
    product = colours.astype(np.uint16) * alpha
    return np.concatenate([((product + 127) // 255).astype(np.uint8), alpha], 2)

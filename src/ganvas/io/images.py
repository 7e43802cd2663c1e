"""The only place that knows picture files, uint8 and [-1, 1]."""

import io
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import simplejpeg
import torch
from PIL import Image, ImageColor, ImageOps
from torch import Tensor
from torch.nn import functional

from ganvas.errors import UserError, nearest
from ganvas.io.files import atomic_path

Fit = Literal["crop", "pad", "stretch"]
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
DESCRIPTION = 0x010E  # of EXIF
GREY = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
# stands in the file of each; nothing learns from one, or counts it as a picture
SHEET = "sheet of pictures, drawn by ganvas"
MAX_PIXELS = 80_000_000  # below the number from which Pillow itself warns of a decompression bomb


class UnreadableError(Exception):
    """Why a file cannot be used as a picture, for a person to read."""


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8 (C, H, W), upright, without transparency.
        mode: Pillow's name of what the file holds: "RGB", "L", "P", "CMYK", "I;16", ...
        transparent: whether it was laid over the background.
        turned: whether the EXIF orientation was applied.
    """

    pixels: Tensor
    mode: str
    transparent: bool = False
    turned: bool = False


def to_float(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W) in 0..255 to float32 in [-1, 1];

    0 is -1 and 255 is 1. What is float, such as points, stays.
    """
    if images.is_floating_point():
        return images
    return images.to(torch.float32).mul_(2 / 255).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """Float (N, C, H, W) in [-1, 1] to uint8, rounded; values outside are clipped.

    The inverse of `to_float`: points stay.
    """
    if images.shape[1] == 2:
        return images
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def colour(name: str) -> tuple[int, int, int]:
    """The red, green and blue, 0..255, of a colour's name ("white") or hexadecimal form
    ("#a0b0c0").

    Raises:
        UserError: there is no such colour.
    """
    try:
        red, green, blue = ImageColor.getrgb(name)[:3]
    except ValueError as error:
        known = "'#rrggbb' or a name; " + nearest(name, ImageColor.colormap)
        raise UserError(f"{name!r} is not a colour; write {known}") from error
    return red, green, blue


def read(content: bytes, channels: Literal[1, 3], background: str = "white") -> Picture:
    """Decode a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF, told by its content, to grey or
    RGB.

    16-bit values are divided by 257; float values must lie in 0..1 or 0..255.

    Args:
        content: the file.
        channels: of the result; grey is repeated, RGB becomes its luminance.
        background: colour behind transparent pixels.

    Raises:
        UnreadableError: not a picture, broken, or of more than MAX_PIXELS.
    """
    plain = read_plain_jpeg(content, channels)
    if plain is not None:
        return plain
    try:
        with open_lazily(io.BytesIO(content)) as file:
            upright = ImageOps.exif_transpose(file)
            transparent = upright.has_transparency_data
            flat = lay_over(upright, background) if transparent else to_eight_bits(upright)
            array = np.array(flat.convert("L" if channels == 1 else "RGB"))
            turned = file.getexif().get(0x0112, 1) != 1
            return Picture(planes(array), file.mode, transparent, turned)
    except UnreadableError:
        raise
    except Exception as error:  # a broken file can make a decoder raise anything
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error


def read_plain_jpeg(content: bytes, channels: Literal[1, 3]) -> Picture | None:
    """Decode an upright grey or YCbCr JPEG four times as fast as Pillow, to the same values;

    None: not one of those.
    """
    if not content.startswith(b"\xff\xd8\xff") or b"Exif" in content:
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        if colours not in ("YCbCr", "Gray") or int(height) * int(width) > MAX_PIXELS:
            return None
        array = simplejpeg.decode_jpeg(content, "GRAY" if colours == "Gray" else "RGB")
    except ValueError:
        return None  # Pillow's is the verdict, and the message
    mode = "L" if colours == "Gray" else "RGB"
    if mode == "L" and channels == 3:
        array = array.repeat(3, axis=2)
    if mode == "RGB" and channels == 1:
        array = np.array(Image.fromarray(array).convert("L"))
    return Picture(planes(array), mode)


def measure(file: BinaryIO) -> tuple[int, int]:
    """Width and height of an upright picture, from the file's header alone.

    Raises:
        UnreadableError: not a picture, a broken header, or more than MAX_PIXELS.
    """
    try:
        with open_lazily(file) as picture:
            sideways = picture.getexif().get(0x0112, 1) >= 5
            return (picture.height, picture.width) if sideways else picture.size
    except UnreadableError:
        raise
    except Exception as error:  # as in `read`
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error


def open_lazily(file: BinaryIO) -> Image.Image:
    """Read a picture's header with the decoder that its first bytes ask for, and refuse huge ones
    before decoding, and sheets.

    `Image.open` would do the same, but warns of large pictures before one can look at their size.

    Raises:
        UnreadableError: no decoder knows it, it has more than MAX_PIXELS, or it is a sheet that
            ganvas drew.
    """
    Image.init()
    prefix = file.read(16)
    file.seek(0)
    if not prefix:
        raise UnreadableError("empty file")
    for name in FORMATS:
        factory, accept = Image.OPEN[name]
        if accept is None or not accept(prefix):
            continue
        picture = factory(file, "")
        if picture.width * picture.height > MAX_PIXELS:
            raise UnreadableError(
                f"{picture.width:,}x{picture.height:,} pixels; {MAX_PIXELS // 10**6} million pixels is the limit"
            )
        if picture.getexif().get(DESCRIPTION) == SHEET or SHEET.encode() == picture.info.get(
            "comment"
        ):
            raise UnreadableError(f"not one picture: a {SHEET}")
        return picture
    raise UnreadableError("not a picture: its content is no JPEG, PNG, WebP, GIF, BMP or TIFF")


def lay_over(picture: Image.Image, background: str) -> Image.Image:
    """Lay a picture with transparency, of any kind, over a colour."""
    behind = Image.new("RGBA", picture.size, (*colour(background), 255))
    return Image.alpha_composite(behind, picture.convert("RGBA"))


def to_eight_bits(picture: Image.Image) -> Image.Image:
    """Bring 16-bit and float greys to 8 bits; Pillow's own conversion would clip them.

    Raises:
        UnreadableError: the values have no known white.
    """
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return picture
    values = np.array(picture).astype(np.float64)
    low, high = values.min(), values.max()
    if picture.mode == "F":
        known, white = (1, 255), 1 if high <= 1 else 255
    else:
        known, white = (65535,), 65535
    if not (low >= 0 and high <= max(known)):
        allowed = " or ".join(f"0..{white}" for white in known)
        raise UnreadableError(f"its values go from {low:g} to {high:g}; they must lie in {allowed}")
    return Image.fromarray(np.round(values * (255 / white)).astype(np.uint8))


def planes(array: np.ndarray) -> Tensor:
    """uint8 (H, W) or (H, W, C) to (C, H, W), in the same memory."""
    return torch.from_numpy(array if array.ndim == 3 else array[:, :, None]).permute(2, 0, 1)


def resize(images: Tensor, height: int, width: int) -> Tensor:
    """uint8 (N, C, h, w) to uint8 (N, C, height, width): bicubic with antialiasing, in float,
    rounded and clipped.
    """
    if images.shape[-2:] == (height, width):
        return images
    if images.shape[1] > 1 and images[0].numel() > 2**24:
        # Plane by plane, to the same values: a photograph of 50 million pixels would take gigabytes
        # as floats.
        return torch.cat([resize(plane, height, width) for plane in images.split(1, dim=1)], dim=1)
    # In one memory layout, because another gives other values in the last digit of a float.
    planes = images.to(torch.float32, memory_format=torch.contiguous_format)
    resized = functional.interpolate(planes, (height, width), mode="bicubic", antialias=True)
    return resized.round_().clamp_(0, 255).to(torch.uint8)


def to_square(
    images: Tensor, size: int, fit: Fit, background: str, enlarge: bool = False
) -> Tensor:
    """Bring pictures of one shape to (N, C, size, size).

    Args:
        images: uint8 (N, C, H, W), C of 1 or 3.
        size: side in pixels.
        fit: "crop": the shorter side becomes `size`, then the centre is cut out; "pad": the longer
            side becomes `size` and `background` fills the rest; "stretch": both sides become
            `size`.
        background: colour around padded pictures.
        enlarge: whether padding may enlarge a small picture; without, it is laid in the middle as
            it is.
    """
    top, left, height, width = place_in_square(
        images.shape[-2], images.shape[-1], size, fit, enlarge
    )
    images = resize(images, height, width)
    if fit != "pad":
        return images[..., -top : size - top, -left : size - left]
    fill = grey_or_rgb(background, images.shape[1])
    square = fill.view(1, -1, 1, 1).expand(len(images), -1, size, size).clone()
    square[..., top : top + height, left : left + width] = images
    return square


def place_in_square(
    height: int, width: int, size: int, fit: Fit, enlarge: bool = False
) -> tuple[int, int, int, int]:
    """Where `to_square` lays a whole picture: top, left, height and width in its pixels;

    "crop" cuts off what is outside.
    """
    if fit == "stretch":
        return 0, 0, size, size
    scale = size / (min(height, width) if fit == "crop" else max(height, width))
    if fit == "pad" and not enlarge:
        scale = min(scale, 1)
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    if fit == "crop":
        return -((height - size) // 2), -((width - size) // 2), height, width
    return (size - height) // 2, (size - width) // 2, height, width


def grey_or_rgb(name: str, channels: int) -> Tensor:
    """A colour as uint8 (channels,); grey is its luminance, as Pillow weighs it."""
    rgb = colour(name)
    if channels == 3:
        return torch.tensor(rgb, dtype=torch.uint8)
    return torch.tensor(
        [Image.new("RGB", (1, 1), rgb).convert("L").getpixel((0, 0))], dtype=torch.uint8
    )


def with_channels(images: Tensor, channels: int) -> Tensor:
    """uint8 (N, 1 or 3, H, W) with 1 or 3 channels: grey is repeated, RGB becomes its luminance, as
    Pillow weighs it.
    """
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.expand(-1, 3, -1, -1)
    weights = torch.tensor([19_595, 38_470, 7_471], dtype=torch.int32).view(3, 1, 1)  # of 2^16
    return ((images.int() * weights).sum(1, keepdim=True) + 2**15 >> 16).to(torch.uint8)


def to_pil(image: Tensor) -> Image.Image:
    """One uint8 picture (C, H, W), C of 1 or 3, as a Pillow picture."""
    array = image.permute(1, 2, 0).contiguous().cpu().numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def to_png(image: Tensor) -> bytes:
    """One uint8 picture (C, H, W), C of 1 or 3, as the bytes of a PNG; the same picture gives the
    same bytes.
    """
    file = io.BytesIO()
    to_pil(image).save(file, "PNG")
    return file.getvalue()


def as_sheet(picture: Image.Image) -> Image.Image:
    """The same picture, known as a sheet of many: `save` writes so into its file."""
    picture.info[SHEET] = True
    return picture


def sheet_note() -> dict[str, Any]:
    """What to give to Pillow's `save` so that the file is known as a sheet:

    EXIF, and for GIF, which has none, a comment.
    """
    exif = Image.Exif()
    exif[DESCRIPTION] = SHEET
    return {"exif": exif, "comment": SHEET}


def save(picture: Image.Image, path: Path, durable: bool = True) -> None:
    """Write a picture atomically, in the format of its file's ending (JPEG at quality 95);

    `durable` as in `atomic_path`.
    """
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{path} does not end as a picture does; use .png, .jpg or .webp")
    with atomic_path(path, durable) as partial:
        picture.save(
            partial, format=kind, quality=95, **(sheet_note() if SHEET in picture.info else {})
        )


def transparent(content: bytes) -> Tensor | None:
    """Where a picture that `read` takes is more than half transparent, bool (H, W), upright; None:
    nowhere.

    Raises:
        UnreadableError: as for `read`.
    """
    try:
        with open_lazily(io.BytesIO(content)) as file:
            upright = ImageOps.exif_transpose(file)
            if not upright.has_transparency_data:
                return None
            clear = torch.from_numpy(np.array(upright.convert("RGBA").getchannel("A"))) < 128
            return clear if clear.any() else None
    except UnreadableError:
        raise
    except Exception as error:  # as in `read`
        raise UnreadableError(f"broken: {error or type(error).__name__}") from error

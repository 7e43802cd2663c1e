"""Read image files: their frames or pages, as grey or colour, or as the values that they hold."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from ganvas.io.complaints import collect_complaints
from ganvas.io.formats import find_formats, install_hint, is_missing, list_labels
from ganvas.io.images import (
    CANDIDATE,
    DESCRIPTION,
    SHEET,
    TooLargeError,
    UnreadableError,
    colour,
    planes,
)
from ganvas.io.jpeg import decode_jpeg
from ganvas.io.label_maps import encode_labels
from ganvas.io.pages import list_pages, list_tiff_pages
from ganvas.io.rasters import Raster, convert_raster, is_deep
from ganvas.io.tiff import read_bands
from ganvas.io.tiff_layout import TiffLayout, TiffPage, read_layout
from ganvas.io.turning import ORIENTATION, is_sideways, turn_upright
from ganvas.io.unpacking import is_deep_png, unpack
from ganvas.io.values import AS_STORED, Reading, scale_alpha

__all__ = [
    "MAX_PIXELS",
    "Picture",
    "interpret",
    "measure",
    "open_lazily",
    "read",
    "read_alpha",
    "read_frames",
    "read_raster",
    "read_rasters",
    "refusing",
    "transparent",
]

# Fewer than the number from which Pillow itself warns of a decompression bomb.
MAX_PIXELS = 80_000_000


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8 (C, H, W), upright; of a label map the numbers of its categories (1, H, W).
        mode: of the file, Pillow's ("RGB", "L", "P", "CMYK", "I;16", ...) or as in `Raster`.
        transparent: whether it had transparency, and was laid over the background or kept.
        turned: whether the EXIF orientation was applied.
        candidate: whether it was marked by `as_candidate`.
        low: the lowest of the values that are used, where a range was applied to them.
        high: the highest of them.
        size: width and height in pixels, upright; `pixels` may be a fraction of it.
        frame: which of the file's frames or pages it is, from 0.
        frames: how many frames or pages the file holds; 0: not known.
        remarks: what the decoder complained of.
    """

    pixels: Tensor
    mode: str
    transparent: bool = False
    turned: bool = False
    candidate: bool = False
    low: float | None = None
    high: float | None = None
    size: tuple[int, int] = (0, 0)
    frame: int = 0
    frames: int = 1
    remarks: tuple[str, ...] = ()


def read(
    content: bytes,
    channels: int,
    background: str = "white",
    *,
    least: int = 0,
    reading: Reading = AS_STORED,
) -> Picture:
    """Decode a picture file to grey, RGB, or so many planes; of several frames or pages the first.

    Of a format in `ganvas.io.formats.FORMATS`, recognised by its content. Values of more than 8
    bits are in the range that `reading` names. Without one, those of 16 bits are divided by 257,
    and floats must lie in 0..1 or 0..255.

    Args:
        content: of the file.
        channels: of the result. 1 or 3: grey is repeated, RGB becomes its luminance, bands beyond
            the colours are left out. 4, where `reading` has opacity: RGB, multiplied by a fourth
            plane of opacity, which is opaque in files without it. Others: the first bands.
        background: colour behind transparent pixels, where opacity is not kept.
        least: pixels of the shorter side that are enough: a larger JPEG may be decoded at an
            eighth, ..., or a half of its size, if `reading` is the usual one; 0: the whole size is
            wanted.
        reading: what the values mean.

    Raises:
        UnreadableError: not a picture, broken, of more than MAX_PIXELS, of too few bands, or
            holding values that cannot be used.
    """
    frames = read_frames(content, channels, background, every=0, least=least, reading=reading)
    return next(frames)


def read_frames(
    content: bytes,
    channels: int,
    background: str = "white",
    *,
    every: int = 1,
    least: int = 0,
    reading: Reading = AS_STORED,
) -> Iterator[Picture]:
    """Decode the frames or pages of a picture file, one after another; see `read`.

    Args:
        content: of the file.
        channels: of the result.
        background: colour behind transparent pixels.
        every: 1: each frame; 2: every second one, from the first; ...; 0: only the first.
        least: as for `read`.
        reading: what the values mean.

    Raises:
        UnreadableError: as for `read`; also after some frames.
    """
    # what Pillow itself turns into 8 bits
    ranged = reading.range is not None and reading.range.every
    as_usual = not (reading.categories or ranged or reading.ignore_alpha)
    usual = channels in (1, 3) and as_usual
    with refusing() as complaints:
        plain = _read_plain_jpeg(content, 1 if channels == 1 else 3, least) if usual else None
    if plain is not None:
        yield plain._replace(remarks=tuple(complaints))
        return

    with refusing() as complaints:
        opened = _open_pages(content)
    for page in opened.choose(every):
        with refusing() as own:
            flat = _read_flat(opened, page, channels, background, least) if usual else None
            if flat is None:
                raster = _read_page(opened, page, indices=bool(reading.categories))
                flat = interpret(raster, channels, background, reading)
        remarks = tuple(dict.fromkeys(complaints + own))
        yield flat._replace(
            candidate=opened.candidate,
            frame=page.number,
            frames=len(opened.pages),
            remarks=remarks,
        )


def interpret(raster: Raster, channels: int, background: str, reading: Reading) -> Picture:
    """What training sees of the values of a file, as `read` describes it.

    Raises:
        UnreadableError: the values cannot be used so.
    """
    height, width, _ = raster.values.shape
    try:
        if reading.categories:
            numbers = planes(encode_labels(raster, reading.categories))
            return Picture(numbers, raster.mode, turned=raster.turned, size=(width, height))
        array, transparent, low, high = convert_raster(
            raster, channels, colour(background), reading
        )
    except ValueError as error:  # in words for people
        raise UnreadableError(str(error)) from error
    return Picture(
        planes(array),
        raster.mode,
        transparent,
        raster.turned,
        low=low,
        high=high,
        size=(width, height),
    )


def read_raster(content: bytes, *, indices: bool = False) -> Raster:
    """Decode all values that a picture file holds, as they are; of several pages the first.

    Args:
        content: of the file.
        indices: of a picture with a palette return the numbers of its colours, not the colours.

    Raises:
        UnreadableError: as `read`; or a value is NaN or infinite.
    """
    return next(read_rasters(content, indices=indices))


def read_rasters(content: bytes, *, every: int = 0, indices: bool = False) -> Iterator[Raster]:
    """As `read_raster`, of the frames or pages that `every` names as in `read_frames`."""
    with refusing():
        opened = _open_pages(content)
    for page in opened.choose(every):
        with refusing():
            raster = _read_page(opened, page, indices)
        yield raster


@contextmanager
def refusing() -> Iterator[list[str]]:
    """Collect what decoders complain of, and turn what they raise into an UnreadableError."""
    try:
        with collect_complaints() as complaints:
            yield complaints
    except UnreadableError:
        raise
    except Exception as error:  # a broken file can make a decoder raise anything
        raise UnreadableError(f"broken: {str(error) or type(error).__name__}") from error


class _Opened(NamedTuple):
    """A picture file of which nothing but headers was read.

    Attributes:
        content: of the file.
        file: as Pillow opens it; None: a TIFF of bands that only `read_bands` reads.
        pages: its frames or pages.
        candidate: as in `Picture`.
    """

    content: bytes
    file: Image.Image | None
    pages: list[TiffPage]
    candidate: bool = False

    def choose(self, every: int) -> list[TiffPage]:
        """The pages that `every` names, as in `read_frames`."""
        return self.pages[::every] if every else self.pages[:1]

    def show(self, page: TiffPage) -> Image.Image:
        """The file at a page.

        Raises:
            TooLargeError: the page has more than MAX_PIXELS.
        """
        assert self.file is not None
        if self.file.tell() != page.number or len(self.pages) > 1:
            self.file.seek(page.number)
            _check_pixels(self.file.width, self.file.height)
        return self.file

    def layout(self, page: TiffPage) -> TiffLayout | None:
        """The layout of a page of a TIFF that Pillow refuses or reads only in part; None: Pillow
        reads the page.

        Raises:
            TooLargeError: the page has more than MAX_PIXELS.
        """
        if not self.content.startswith((b"II", b"MM")):
            return None
        layout = read_layout(io.BytesIO(self.content), page.place)
        if layout is None or (self.file is not None and not layout.lossy_in_pillow):
            return None
        _check_pixels(layout.width, layout.height)
        return layout


def _open_pages(content: bytes) -> _Opened:
    """Open a file and list its pages.

    Raises:
        UnreadableError: as `open_lazily`.
    """
    pages = list_tiff_pages(io.BytesIO(content))
    if pages and _check_bands(io.BytesIO(content)) is not None:
        return _Opened(content, None, pages)

    file = open_lazily(io.BytesIO(content))
    candidate = file.getexif().get(DESCRIPTION) == CANDIDATE
    if not pages:
        pages = [TiffPage(number, 0) for number in list_pages(file)]
    return _Opened(content, file, pages, candidate)


def _read_flat(
    opened: _Opened, page: TiffPage, channels: int, background: str, least: int
) -> Picture | None:
    """Decode a page of 8 bits to grey or RGB; None: it has more bits."""
    if opened.layout(page) is not None or is_deep_png(opened.content):
        return None
    file = opened.show(page)
    if is_deep(file.mode):
        return None

    size = file.size
    if least and file.format == "JPEG":
        file.draft(file.mode, (least, least))  # at an eighth, a quarter or a half
    upright = ImageOps.exif_transpose(file)
    transparent = upright.has_transparency_data
    flat = _lay_over(upright, background) if transparent else upright
    array = np.array(flat.convert("L" if channels == 1 else "RGB"))

    orientation = file.getexif().get(ORIENTATION, 1)  # `upright` has lost it
    if is_sideways(orientation):
        size = (size[1], size[0])
    return Picture(planes(array), file.mode, transparent, orientation != 1, size=size)


def _read_page(opened: _Opened, page: TiffPage, indices: bool) -> Raster:
    """All values of a page, as they are.

    Raises:
        UnreadableError: a value is NaN or infinite.
    """
    layout = opened.layout(page)
    if layout is not None:
        values = read_bands(opened.content, layout, _decode_grey).values
        turned = layout.orientation != 1
        raster = Raster(values, layout.mode, layout.rgb, layout.alpha, turned)
    else:
        raster = unpack(opened.show(page), opened.content, indices)

    if raster.values.dtype.kind == "f" and not np.isfinite(raster.values).all():
        raise UnreadableError("holds values that are no numbers, or infinite")
    return raster


def _check_bands(file: BinaryIO) -> TiffLayout | None:
    """The layout of the first page of a TIFF, if Pillow refuses it or reads it only in part.

    Raises:
        UnreadableError: it is broken, or has more than MAX_PIXELS.
    """
    with refusing():  # the file may lie in a broken zip
        layout = read_layout(file)
    if layout is None or not layout.lossy_in_pillow:
        return None
    _check_pixels(layout.width, layout.height)
    return layout


def _decode_grey(content: bytes) -> np.ndarray:
    """A TIFF of 8 bits and one band, uint8 (H, W)."""
    # not `Image.open`: a strip of many bands has more bytes than Pillow allows pixels
    with Image.OPEN["TIFF"][0](io.BytesIO(content), "") as file:
        return np.array(file)


def _read_plain_jpeg(content: bytes, channels: Literal[1, 3], least: int) -> Picture | None:
    """Decode a grey or YCbCr JPEG four times as fast as Pillow, to the same values.

    Returns:
        the picture; None if the file is of another kind, or damaged.
    """
    if not content.startswith(b"\xff\xd8\xff"):
        return None

    # This decoder knows neither the orientation, which EXIF or XMP may hold, nor the mark of a
    # sheet; a chance match only costs time.
    orientation, candidate = 1, False
    if b"Exif" in content or b"tiff:Orientation" in content:
        exif = open_lazily(io.BytesIO(content)).getexif()
        orientation = exif.get(ORIENTATION, 1)
        candidate = exif.get(DESCRIPTION) == CANDIDATE
    decoded = decode_jpeg(content, least, MAX_PIXELS)
    if decoded is None:
        return None

    array, size = decoded
    mode = "L" if array.shape[2] == 1 else "RGB"
    if mode == "L" and channels == 3:
        array = array.repeat(3, axis=2)
    if mode == "RGB" and channels == 1:
        array = np.array(Image.fromarray(array).convert("L"))  # rounded as for other formats
    if is_sideways(orientation):
        size = (size[1], size[0])
    pixels = turn_upright(planes(array), orientation)
    return Picture(pixels, mode, turned=orientation != 1, candidate=candidate, size=size)


def measure(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a picture when upright, from the file's header alone.

    Raises:
        UnreadableError: not a picture, a broken header, or more than MAX_PIXELS.
    """
    layout = _check_bands(file)
    if layout is not None:
        sideways = is_sideways(layout.orientation)
        return (layout.height, layout.width) if sideways else (layout.width, layout.height)
    file.seek(0)
    with refusing(), open_lazily(file) as picture:
        sideways = is_sideways(picture.getexif().get(ORIENTATION, 1))
        return (picture.height, picture.width) if sideways else picture.size


def open_lazily(file: BinaryIO) -> Image.Image:
    """Read a picture's header; refuse huge pictures before decoding, and sheets.

    `Image.open` does the same, but warns of large pictures before their size can be checked.

    Raises:
        UnreadableError: no decoder knows it, it has more than MAX_PIXELS, or it is a sheet that
            ganvas drew.
    """
    prefix = file.read(16)  # as many bytes as `Image.open` shows to decoders
    file.seek(0)
    if not prefix:
        raise UnreadableError("empty file")

    fault = f"not an image: its content is no {list_labels()}"
    for each in find_formats(prefix):
        if is_missing(each.extra):
            fault = f"{each.label} cannot be read yet: {install_hint(each.extra)}"
            continue
        try:
            picture = Image.OPEN[each.name][0](file, "")
        except SyntaxError as error:  # perhaps of the next format in the same container
            fault = f"broken: {error}"
            file.seek(0)
            continue
        _check_header(picture)
        return picture
    raise UnreadableError(fault)


def _check_header(picture: Image.Image) -> None:
    """Refuse a picture by its header.

    Raises:
        TooLargeError: it has more than MAX_PIXELS.
        UnreadableError: it is a sheet that ganvas drew.
    """
    _check_pixels(picture.width, picture.height)
    comment = picture.info.get("comment")  # bytes, in GIF and JPEG
    if picture.getexif().get(DESCRIPTION) == SHEET or comment == SHEET.encode():
        raise UnreadableError(f"not one image: a {SHEET}")


def _check_pixels(width: int, height: int) -> None:
    """Refuse a huge picture.

    Raises:
        TooLargeError: it has more than MAX_PIXELS.
    """
    if width * height > MAX_PIXELS:
        raise TooLargeError(
            f"{width:,}x{height:,} pixels; {MAX_PIXELS // 10**6} million pixels is the limit"
        )


def _lay_over(picture: Image.Image, background: str) -> Image.Image:
    """Lay a picture with any kind of transparency over a colour."""
    behind = Image.new("RGBA", picture.size, (*colour(background), 255))
    return Image.alpha_composite(behind, picture.convert("RGBA"))


def read_alpha(content: bytes) -> Tensor | None:
    """How opaque a picture is, uint8 (1, H, W), upright: 0 where it is clear; None if it is opaque
    everywhere.

    Raises:
        UnreadableError: as for `read`.
    """
    if _check_bands(io.BytesIO(content)) is not None:
        raster = read_raster(content)
        alpha = planes(scale_alpha(raster.values[:, :, -1])) if raster.alpha else None
        return None if alpha is None or alpha.min() == 255 else alpha

    with refusing(), open_lazily(io.BytesIO(content)) as file:
        upright = ImageOps.exif_transpose(file)
        if not upright.has_transparency_data:
            return None
        alpha = planes(np.array(upright.convert("RGBA").getchannel("A")))
        return alpha if alpha.min() < 255 else None


def transparent(content: bytes) -> Tensor | None:
    """Where a picture is more than half transparent, bool (H, W), upright; None if nowhere.

    Raises:
        UnreadableError: as for `read`.
    """
    alpha = read_alpha(content)
    clear = None if alpha is None else alpha[0] < 128
    return clear if clear is not None and clear.any() else None

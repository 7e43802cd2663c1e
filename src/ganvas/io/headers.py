"""What the headers of image files say of their values, before anything is decoded."""

from typing import BinaryIO, NamedTuple

from ganvas.io.image_files import open_lazily, refusing
from ganvas.io.images import TooLargeError
from ganvas.io.rasters import is_deep
from ganvas.io.tiff_layout import read_layout, walk_pages

__all__ = ["Header", "peek"]


class Header(NamedTuple):
    """What the header of a file says of its values.

    Attributes:
        mode: as in `Raster`; of 8 bits the usual one.
        bands: values of a pixel.
        alpha: whether the last band is declared to be opacity.
        tiff: whether the file is a TIFF, where programs also declare a fourth band so.
    """

    mode: str
    bands: int
    alpha: bool
    tiff: bool = False


DEEP_PNG = {
    0: Header("I;16", 1, False),
    2: Header("RGB;16", 3, False),
    4: Header("LA;16", 2, True),
    6: Header("RGBA;16", 4, True),
}  # by the type of colour that the header names


def peek(file: BinaryIO) -> Header | None:
    """What the header of a file says of its values, of several pages that of the first; None: at
    most RGBA of 8 bits.

    Raises:
        UnreadableError: as `measure`.
    """
    with refusing():
        start = file.read(26)
        if start.startswith(b"\x89PNG"):
            return DEEP_PNG.get(start[25]) if start[24:25] == b"\x10" else None
        if start.startswith((b"II", b"MM")):
            return _peek_tiff(file)

        file.seek(0)
        with open_lazily(file) as picture:
            grey = Header(picture.mode, 1, False)
            return grey if is_deep(picture.mode) else None


def _peek_tiff(file: BinaryIO) -> Header | None:
    """What the header of a TIFF says of its values."""
    page = next((page for page in walk_pages(file) if page.own), None)
    layout = read_layout(file, page.place if page else 0)
    if layout is not None and layout.lossy_in_pillow:
        return Header(layout.mode, layout.bands, layout.alpha, tiff=True)

    alpha = layout is not None and layout.alpha
    file.seek(0)
    try:
        with open_lazily(file) as picture:
            bands = layout.bands if layout else len(picture.getbands())
            return Header(picture.mode, bands, alpha, tiff=True)
    except TooLargeError:  # it may be read in parts
        if layout is None:
            raise
        return Header(layout.mode, layout.bands, alpha, tiff=True)

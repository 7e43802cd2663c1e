"""The formats of images and films that can be read: one table for all that names them."""

import importlib.util
from typing import NamedTuple

from PIL import Image

__all__ = [
    "ENDINGS",
    "EXTRAS",
    "FILMS",
    "FILM_ENDINGS",
    "FORMATS",
    "Format",
    "find_formats",
    "install_hint",
    "is_missing",
    "list_labels",
]

# The modules that the extras of ganvas install.
MODULES = {"heic": "pillow_heif", "video": "imageio_ffmpeg"}
EXTRAS = tuple(MODULES)
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1"}
TGA_KINDS = {1, 2, 3, 9, 10, 11}  # with a palette, colour, grey; each plain or run-length encoded


class Format(NamedTuple):
    """A format of files.

    Attributes:
        name: Pillow's; of films the name of ffmpeg's demuxer.
        label: what people call it.
        endings: of its files, in small letters, with their dots.
        several: what of a file may be more than one: "pages", "frames", or "" for nothing.
        extra: of ganvas, that installs what reads it; "": nothing is needed.
    """

    name: str
    label: str
    endings: tuple[str, ...]
    several: str = ""
    extra: str = ""


# Only decoders that keep to their own memory: Pillow also knows formats that it gives to other
# programs, such as EPS, and formats of layers, such as PSD. The first that fits a file's content
# reads it, whatever the ending. JPEGs with several pictures hold previews, no pages.
FORMATS = (
    Format("JPEG", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
    Format("PNG", "PNG", (".png", ".apng"), "frames"),
    Format("WEBP", "WebP", (".webp",), "frames"),
    Format("GIF", "GIF", (".gif",), "frames"),
    Format("BMP", "BMP", (".bmp", ".dib")),
    Format("TIFF", "TIFF", (".tif", ".tiff"), "pages"),
    Format("AVIF", "AVIF", (".avif", ".avifs"), "frames"),
    Format("HEIF", "HEIC", (".heic", ".heif", ".hif"), "pages", "heic"),
    Format("JPEG2000", "JPEG 2000", (".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf")),
    Format("PPM", "PPM, PGM or PBM", (".ppm", ".pgm", ".pbm", ".pnm")),
    Format("ICO", "ICO", (".ico",)),
    Format("TGA", "TGA", (".tga",)),
)
FILMS = (
    Format("mov", "MP4 or MOV", (".mp4", ".m4v", ".mov"), "frames", "video"),
    Format("avi", "AVI", (".avi",), "frames", "video"),
    Format("matroska", "WebM or MKV", (".webm", ".mkv"), "frames", "video"),
)
ENDINGS = frozenset(ending for each in FORMATS for ending in each.endings)
FILM_ENDINGS = frozenset(ending for each in FILMS for ending in each.endings)


def find_formats(prefix: bytes) -> list[Format]:
    """The formats that a file may have by its first 16 bytes, the likeliest first.

    Those whose decoder is missing are among them.
    """
    Image.init()  # fills Image.OPEN
    _register("heic")
    return [each for each in FORMATS if _accepts(each.name, prefix)]


def _register(extra: str) -> None:
    """Make Pillow know the formats of an extra, if it is installed."""
    if "HEIF" not in Image.OPEN and not is_missing(extra):
        from pillow_heif import register_heif_opener

        register_heif_opener()


def _accepts(name: str, prefix: bytes) -> bool:
    """Whether a file begins as files of a format do."""
    # Files of several formats begin with the same container, so only its brand tells.
    if name == "HEIF":
        return prefix[4:8] == b"ftyp" and prefix[8:12] in HEIF_BRANDS

    # A TGA has no mark; its header says what there can be.
    if name == "TGA":
        return len(prefix) >= 16 and prefix[1] <= 1 and prefix[2] in TGA_KINDS and any(prefix[12:])

    _, accept = Image.OPEN[name]
    return accept is not None and bool(accept(prefix))


def is_missing(extra: str) -> bool:
    """Whether what an extra installs is not there."""
    return bool(extra) and importlib.util.find_spec(MODULES[extra]) is None


def install_hint(extra: str) -> str:
    """The command that installs an extra."""
    return f'pip install "ganvas[{extra}]"'


def list_labels() -> str:
    """The names of all formats of images: "JPEG, PNG, ... or TGA"."""
    labels = [each.label for each in FORMATS]
    return f"{', '.join(labels[:-1])} or {labels[-1]}"

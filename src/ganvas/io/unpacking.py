"""Take all values out of a file that Pillow has opened, also those that Pillow would drop."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageFile, ImageOps

from ganvas.io.rasters import Raster, is_grey
from ganvas.io.tiff import turn_upright

__all__ = ["is_deep_png", "unpack"]

ORIENTATION = 0x0112  # tag of EXIF


def unpack(file: Image.Image, content: bytes, indices: bool) -> Raster:
    """All values of a file that Pillow has opened, and whose size was checked.

    Args:
        file: as opened.
        content: of the file.
        indices: as in `ganvas.io.image_files.read_raster`.
    """
    turned = file.getexif().get(ORIENTATION, 1) != 1
    # of an animation of 16 bits the later frames keep 8
    first = file.tell() == 0
    deep = first and is_deep_png(content) and file.mode in ("RGB", "RGBA")
    if deep and "transparency" not in file.info:
        return _unpack_deep_png(file, content)

    upright = ImageOps.exif_transpose(file)
    grey = is_grey(file.mode)
    if file.mode == "F" or file.mode.startswith("I"):
        values = np.array(upright)[:, :, None]
        return Raster(
            values.astype(values.dtype.newbyteorder("=")), file.mode, False, turned=turned
        )
    if file.mode == "P" and indices:
        return Raster(np.array(upright)[:, :, None], file.mode, False, turned=turned)
    if upright.has_transparency_data:
        values = np.array(upright.convert("RGBA"))
        values = values[:, :, [0, 3]] if grey else values
        return Raster(values, file.mode, not grey, alpha=True, turned=turned)
    values = np.array(upright.convert("L" if grey else "RGB"))
    return Raster(values.reshape(*values.shape[:2], -1), file.mode, not grey, turned=turned)


def is_deep_png(content: bytes) -> bool:
    """Whether a PNG has 16 bits in several bands, of which Pillow keeps 8."""
    return content.startswith(b"\x89PNG") and content[24:25] == b"\x10" and content[25:26] != b"\0"


def _unpack_deep_png(file: Image.Image, content: bytes) -> Raster:
    """A PNG of 16 bits in several bands: read twice, for the upper and for the lower bytes."""
    grey = content[25:26] == b"\x04"
    if grey:  # grey with opacity: as many bytes a pixel as RGBA of 8 bits, and filtered alike
        header = content[12:24] + b"\x08\x06" + content[26:29]
        changed = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
        with Image.OPEN["PNG"][0](io.BytesIO(changed), "") as pairs:
            values = np.ascontiguousarray(np.array(pairs)).view(">u2").astype(np.uint16)
    else:
        halves = []
        for order in ("16B", "16L"):
            # opened anew, since a file that is loaded keeps its values; all checks are done
            with Image.OPEN["PNG"][0](io.BytesIO(content), "") as half:
                # read as little-endian, the lower byte is taken for the upper one
                assert isinstance(half, ImageFile.ImageFile)
                half.tile = [tile._replace(args=f"{half.mode};{order}") for tile in half.tile]
                halves.append(np.array(half).astype(np.uint16))
        values = halves[0] << 8 | halves[1]

    orientation = file.getexif().get(ORIENTATION, 1)
    mode = "LA;16" if grey else f"{file.mode};16"
    upright = turn_upright(values, orientation)
    return Raster(upright, mode, not grey, grey or file.mode == "RGBA", orientation != 1)

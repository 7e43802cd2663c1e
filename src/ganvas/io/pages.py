"""The pages and frames that a picture file holds."""

import logging
from typing import Any

from PIL import Image

from ganvas.io.formats import FORMATS

__all__ = ["list_pages"]

SEVERAL = {each.name for each in FORMATS if each.several}
SUBFILE = 254  # the tag of TIFF that says what a page is
NO_PAGE = 1 | 4  # its bits for a smaller copy of another page, and for a mask


def list_pages(file: Image.Image) -> list[int]:
    """The numbers of the pages or frames of an open picture file, from 0, that are pictures of
    their own; the file stands at the first of them.

    Of a file whose later pages are broken, only the first.
    """
    first = file.tell()  # not 0 where a HEIC file says which picture is the main one
    if file.format not in SEVERAL:
        return [first]

    try:
        count = getattr(file, "n_frames", 1)
        pages = list(range(count))
        if file.format == "TIFF" and count > 1:
            pages = [page for page in pages if _is_page(file, page)] or [first]
        if count > 1:
            file.seek(pages[0] if file.format == "TIFF" else first)
    except Exception as error:  # as any decoder of a broken file
        # by the logger of the decoders, so that it is collected with their own complaints
        logging.getLogger("PIL").warning("only the first page can be read: %s", error)
        file.seek(first)
        return [first]

    # the main picture first, where a part of the file is the main one
    return [first, *(page for page in pages if page != first)] if first else pages


def _is_page(file: Any, page: int) -> bool:
    """Whether a page of a TIFF is a picture of its own, no thumbnail and no mask."""
    file.seek(page)
    kind = file.tag_v2.get(SUBFILE, 0)
    return not (isinstance(kind, int) and kind & NO_PAGE)

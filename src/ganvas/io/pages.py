"""The pages and frames that a picture file holds."""

import logging
from typing import BinaryIO

from PIL import Image

from ganvas.io.formats import FORMATS
from ganvas.io.tiff_layout import TiffPage, walk_pages

__all__ = ["list_pages", "list_tiff_pages"]

SEVERAL = {each.name for each in FORMATS if each.several}


def list_pages(file: Image.Image) -> list[int]:
    """The numbers of the pages or frames of an open picture file, from 0, that are pictures of
    their own; the file stands at the first of them. Those of TIFFs are `list_tiff_pages`.

    Of a file whose later pages are broken, only the first.
    """
    first = file.tell()  # not 0 where a HEIC file says which picture is the main one
    if file.format not in SEVERAL:
        return [first]

    try:
        count = getattr(file, "n_frames", 1)
        pages = list(range(count))
        if count > 1:
            file.seek(first)
    except Exception as error:  # as any decoder of a broken file
        _complain(error)
        file.seek(first)
        return [first]

    # the main picture first, where a part of the file is the main one
    return [first, *(page for page in pages if page != first)] if first else pages


def list_tiff_pages(file: BinaryIO) -> list[TiffPage]:
    """The pages of a TIFF that are pictures of their own, no thumbnails and no masks; empty: the
    file is no TIFF, or broken from the start.

    Of a file whose later pages are broken, only the first.
    """
    pages: list[TiffPage] = []
    try:
        pages.extend(walk_pages(file))
    except Exception as error:  # as any decoder of a broken file
        if pages:
            _complain(error)
        return pages[:1]
    return [page for page in pages if page.own] or pages[:1]


def _complain(error: Exception) -> None:
    """Say that later pages are lost."""
    # by the logger of the decoders, so that it is collected with their own complaints
    logging.getLogger("PIL").warning("only the first page can be read: %s", error)

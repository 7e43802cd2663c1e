"""The images that a user gives to a trained GAN: files, folders, zips, and images in memory."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganvas.data.folders.source import MAX_BYTES, FileSource
from ganvas.errors import UserError
from ganvas.inference.task import Content
from ganvas.io.image_files import read
from ganvas.io.images import UnreadableError, to_png
from ganvas.io.label_maps import NO_CATEGORY
from ganvas.io.reading import check_regular, explain_error
from ganvas.io.values import Reading, ValueRange
from ganvas.schema import Schema

__all__ = ["InputFiles", "check_originals", "read_planes"]

ALL = slice(None)


@dataclass(frozen=True)
class InputFiles:
    """All images of some places, each with a name of its own.

    Attributes:
        places: files, and folders and zips of them; or Pillow images, which are called "image".
    """

    places: tuple[Path | Image.Image, ...]

    def __iter__(self) -> Iterator[tuple[str, Content]]:
        """Names without ending, and what reads the bytes of the file.

        Raises:
            UserError: a place does not exist or holds no images.
        """
        taken: set[str] = set()
        for place in self.places:
            for name, content in _list_images(place):
                number, fresh = 1, name
                while fresh in taken:
                    number += 1
                    fresh = f"{name}-{number}"
                taken.add(fresh)
                yield fresh, content


def _read_bytes(place: Path) -> bytes:
    """The bytes of a file.

    Raises:
        UnreadableError: the system does not give them.
    """
    try:
        size = check_regular(place).st_size
        if size > MAX_BYTES:
            raise UnreadableError(f"{size / 2**30:.1f} GiB is too large for an image")
        return place.read_bytes()
    except (OSError, MemoryError) as error:
        raise UnreadableError(explain_error(error)) from error  # without its path


def _list_images(place: Path | Image.Image) -> Iterator[tuple[str, Content]]:
    """Names without ending, each once, and what reads the bytes, of a file or of all images of a
    folder or zip.

    Raises:
        UserError: there is no such place, or no image in it.
    """
    if isinstance(place, Image.Image):
        yield "image", lambda: to_png(place)  # as a file, so that it passes the same checks
        return
    if not place.exists():
        raise UserError(f"there is no image or folder {place}")
    if not (place.is_dir() or place.suffix.lower() in (".zip", ".tar")):
        yield place.stem, lambda: _read_bytes(place)
        return

    # A zip is open only while names are yielded: read contents before the iteration ends.
    with FileSource(place) as source:
        # A zip may hold any path: what leads out of the folder is left out.
        paths = []
        for entry in source.pictures:
            parts = (part for part in entry.name.split("/") if part not in ("", ".."))
            paths.append(Path(*parts))
        stems = [path.with_suffix("").as_posix() for path in paths]

        # a.png and a.jpg of one folder become a-png and a-jpg
        counts = Counter(stems)
        for path, stem, entry in zip(paths, stems, source.pictures):
            name = stem if counts[stem] == 1 else path.as_posix().replace(".", "-")
            # `entry` as it is now, since the loop changes it
            yield name, lambda entry=entry: source.read(entry)


def read_planes(
    content: bytes,
    schema: Schema,
    column: str,
    background: str = "white",
    part: slice = ALL,
) -> Tensor:
    """Decode a picture file as training read those of a column, uint8 (C, H, W).

    Args:
        content: of the file.
        schema: of the training data.
        column: of images.
        background: colour behind transparent pixels.
        part: columns of pixels that count.

    Raises:
        UnreadableError: as `ganvas.io.image_files.read`; or a label map with a label that training
            did not see.
    """
    planes = schema.planes(column)
    found = schema.ranges.get(column)
    reading = Reading(
        ValueRange(*found) if found else None,
        planes.kind == "alpha",
        planes.names if planes.kind == "categories" else (),
        schema.ignore_alpha,
    )
    pixels = read(content, schema.channels[column], background, reading=reading).pixels[..., part]
    if not reading.categories:
        return pixels

    if (pixels == NO_CATEGORY).any():
        known = ", ".join(reading.categories)
        raise UnreadableError(f"holds a label that training did not see; it saw {known}")
    places = torch.arange(len(reading.categories))[:, None, None]
    return (pixels == places).to(torch.uint8) * 255


def check_originals(out: Path, places: Iterable[Path]) -> None:
    """Refuse to write over the user's images, as NAME.png.

    Raises:
        UserError: `out` is one of the folders, or one of the files would be written over.
    """
    for place in places:
        written = out if place.is_dir() else out / f"{place.stem}.png"
        if place.exists() and written.resolve() == place.resolve():
            raise UserError(
                f"--out {out} holds images that were given, which would be written over; choose"
                " another folder"
            )

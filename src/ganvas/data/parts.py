"""The pictures of a row's files, one after another: whole, their frames or pages, and tiles."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from ganvas.data.folders.source import Entry, FileSource
from ganvas.data.tiles import Tile, grow_to_fit, list_tiles
from ganvas.data.view import View
from ganvas.io import images
from ganvas.io.images import Picture, TooLargeError, UnreadableError
from ganvas.io.resizing import resize
from ganvas.io.strips import StripedScene, open_scene
from ganvas.io.video import is_film, read_film

__all__ = [
    "ENOUGH",
    "Frame",
    "Part",
    "Reader",
    "cut_parts",
    "is_scene",
    "read_frames",
    "read_scene",
]

BAND = 2**24  # pixels of a large scene that are decoded at once
ENOUGH = 2  # times the side at which pictures are kept: what a JPEG is decoded to at least


class Reader(Protocol):
    """Where the bytes of files come from: a folder, a zip, a tar."""

    def read(self, entry: Entry) -> bytes:
        """The file's bytes.

        Raises:
            UnreadableError: they cannot be read.
        """
        ...


class Frame(NamedTuple):
    """One picture of each image column.

    Attributes:
        mark: what tells it from the other frames of its file, "12"; "" for a whole file.
        pictures: one for each column.
    """

    mark: str
    pictures: tuple[Picture, ...]


class Part(NamedTuple):
    """What becomes one row.

    Attributes:
        mark: behind the name of the file: "#12", "#3,5"; "" for a whole file.
        pictures: one for each column.
        digest: equal for equal parts of equal files; 0: not known.
        first: whether it is the first part of its frame.
    """

    mark: str
    pictures: tuple[Picture, ...]
    digest: int
    first: bool = True


def read_frames(files: Sequence[tuple[Reader, Entry]], columns: int, view: View) -> Iterator[Frame]:
    """Decode the files of a row: one for each column, or one that holds two pictures side by side.

    Of files with several frames those that the view wants, in step.

    Raises:
        UnreadableError: a file cannot be read, the files hold different numbers of frames, or one
            that should hold two pictures is not wider than high; also after some frames.
    """
    # Tiles are cut at full size, and halves must not be moved by a pixel.
    whole = view.fit == "tiles" or len(files) != columns
    least = 0 if whole else ENOUGH * view.load_size()
    decoders = [_decode(reader, entry, view, least) for reader, entry in files]

    count = 0
    while True:
        pictures = [next(decoder, None) for decoder in decoders]
        found = [picture for picture in pictures if picture is not None]
        if not found:
            return
        if len(found) < len(pictures):
            raise UnreadableError(f"its files differ in their frames: one ends after {count:,}")

        count += 1
        several = view.every and found[0].frames != 1
        mark = str(found[0].frame + 1) if several else ""
        yield Frame(mark, tuple(found) if len(found) == columns else _cut_halves(found[0]))


def _decode(reader: Reader, entry: Entry, view: View, least: int) -> Iterator[Picture]:
    """Decode the frames of one file."""
    # RGB first where the view leaves it open: only all images together show whether there is colour
    channels = 1 if view.channels == 1 else 3
    if is_film(entry.name):
        if not isinstance(entry.where, str):
            raise UnreadableError("a film in a zip cannot be read; unpack the zip")
        yield from read_film(Path(entry.where), channels, view.every)
        return

    content = reader.read(entry)
    try:
        yield from images.read_frames(
            content, channels, view.background, every=view.every, least=least
        )
    except TooLargeError as error:
        remedy = "cut it into parts, or save it as a TIFF and use --fit tiles"
        raise UnreadableError(f"{error}; {remedy}") from error


def _cut_halves(picture: Picture) -> tuple[Picture, Picture]:
    """The left and the right half of an image, (C, H, W // 2) each.

    Raises:
        UnreadableError: it is not wider than high.
    """
    _, height, width = picture.pixels.shape
    if width <= height:
        raise UnreadableError(f"{width}x{height} is one image, not two side by side")

    middle = width // 2  # an odd column in the middle belongs to neither
    half = picture._replace(size=(middle, height))
    left = half._replace(pixels=picture.pixels[..., :middle])
    right = half._replace(pixels=picture.pixels[..., -middle:])
    return left, right


# Rows


def cut_parts(frame: Frame, view: View) -> Iterator[Part]:
    """The rows that a frame becomes: one, or its tiles.

    Raises:
        UnreadableError: tiles are wanted of pictures whose sizes differ.
    """
    digest = _hash_pictures(frame.pictures)
    if view.fit != "tiles":
        yield Part(f"#{frame.mark}" if frame.mark else "", frame.pictures, digest)
        return

    side = view.load_size()
    pictures = [_enlarge(picture, side) for picture in frame.pictures]
    _, height, width = pictures[0].pixels.shape
    for picture in pictures:
        if picture.pixels.shape[1:] != (height, width):
            sizes = " and ".join(f"{each.size[0]}x{each.size[1]}" for each in frame.pictures)
            raise UnreadableError(f"tiles need images of equal sizes, these have {sizes}")

    tiles = list_tiles(height, width, side, view.overlap, view.tiles)
    for number, tile in enumerate(tiles):
        cut = tuple(_cut_tile(picture, tile, side) for picture in pictures)
        # of the whole picture: an empty corner is no copy of another one
        own = hash((digest, tile.top, tile.left))
        yield Part(_mark_tile(frame.mark, tile, len(tiles)), cut, own, number == 0)


def _mark_tile(mark: str, tile: Tile, count: int) -> str:
    """What is written behind the name of the file: "#3,5", or "#12,3,5" in a frame."""
    place = [f"{tile.row},{tile.column}"] if count > 1 else []
    words = ([mark] if mark else []) + place
    return "#" + ",".join(words) if words else ""


def _enlarge(picture: Picture, side: int) -> Picture:
    """A picture from which a square can be cut."""
    _, height, width = picture.pixels.shape
    if min(height, width) >= side:
        return picture
    height, width = grow_to_fit(height, width, side)
    return picture._replace(pixels=resize(picture.pixels[None], height, width)[0])


def _cut_tile(picture: Picture, tile: Tile, side: int, start: int = 0) -> Picture:
    """A tile of a picture whose first row is the row `start` of the whole."""
    top = tile.top - start
    rows, columns = slice(top, top + side), slice(tile.left, tile.left + side)
    return picture._replace(pixels=picture.pixels[:, rows, columns])


def _hash_pictures(pictures: Sequence[Picture]) -> int:
    """A number that is equal for equal pictures, and hardly ever for others, in this process."""
    # in the order of the decoder's memory, which is the fastest to read
    found = [
        (*picture.pixels.shape, hash(picture.pixels.permute(1, 2, 0).numpy().tobytes()))
        for picture in pictures
    ]
    return hash(tuple(found))


# Scenes that are too large to be decoded at once


def is_scene(files: Sequence[tuple[Reader, Entry]], view: View) -> bool:
    """Whether the file of a row is a TIFF that is too large to be decoded at once, and tiles are
    wanted.

    Raises:
        UnreadableError: it cannot be read in bands.
    """
    (reader, entry), *others = files
    if view.fit != "tiles" or others or not isinstance(reader, FileSource) or is_film(entry.name):
        return False
    with reader.open(entry) as file:
        return open_scene(file) is not None


def read_scene(files: Sequence[tuple[Reader, Entry]], view: View) -> Iterator[Part]:
    """The tiles of such a file, read band by band.

    Raises:
        UnreadableError: it is broken; also after some tiles.
    """
    ((reader, entry),) = files
    assert isinstance(reader, FileSource)
    with reader.open(entry) as file:
        scene = open_scene(file)
        assert scene is not None
        yield from _cut_scene(scene, view)


def _cut_scene(scene: StripedScene, view: View) -> Iterator[Part]:
    """The tiles of a scene."""
    side = view.load_size()
    channels = 1 if view.channels == 1 else 3
    tiles = list_tiles(scene.height, scene.width, side, view.overlap, view.tiles)
    done = 0
    while done < len(tiles):
        # as many rows of tiles as the memory holds
        start = tiles[done].top
        last = done
        while last < len(tiles) and (
            tiles[last].top == start or (tiles[last].top + side - start) * scene.width <= BAND
        ):
            last += 1

        content, above = scene.read_band(start, tiles[last - 1].top + side)
        band = images.read(content, channels, view.background)
        band = band._replace(size=(scene.width, scene.height))

        for number in range(done, last):
            cut = _cut_tile(band, tiles[number], side, start - above)
            yield Part(_mark_tile("", tiles[number], len(tiles)), (cut,), 0, number == 0)
        done = last

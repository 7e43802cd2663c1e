"""The pictures of a row's files, one after another: whole, their frames or pages, and tiles."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from ganvas.data.folders.source import Entry
from ganvas.data.tiles import Tile, grow_to_fit, list_tiles
from ganvas.data.view import View
from ganvas.io import image_files
from ganvas.io.image_files import Picture
from ganvas.io.images import TooLargeError, UnreadableError
from ganvas.io.rasters import Raster
from ganvas.io.resizing import resize, resize_labels
from ganvas.io.strips import open_scene
from ganvas.io.values import Reading
from ganvas.io.video import is_film, read_film

__all__ = [
    "ENOUGH",
    "Frame",
    "Part",
    "Reader",
    "cut_parts",
    "is_scene",
    "read_frames",
    "read_rasters",
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

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream of them.

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


def read_frames(
    files: Sequence[tuple[Reader, Entry]], readings: Sequence[Reading], view: View
) -> Iterator[Frame]:
    """Decode the files of a row: one for each column, or one that holds two pictures side by side.

    Of files with several frames those that the view wants, in step.

    Args:
        files: of the row.
        readings: what the values of each column mean.
        view: with its size resolved.

    Raises:
        UnreadableError: a file cannot be read, the files hold different numbers of frames, or one
            that should hold two pictures is not wider than high; also after some frames.
    """
    # Tiles are cut at full size, and halves must not be moved by a pixel.
    halves = len(files) != len(readings)
    least = 0 if view.fit == "tiles" or halves else ENOUGH * view.load_size()

    # the values of the two halves may mean different things; a file is read once for each meaning
    wanted = [(0 if halves else column, reading) for column, reading in enumerate(readings)]
    decoders = {each: _decode(*files[each[0]], each[1], view, least) for each in wanted}

    count = 0
    while True:
        pictures = {each: next(decoder, None) for each, decoder in decoders.items()}
        found = {each: picture for each, picture in pictures.items() if picture is not None}
        if not found:
            return
        if len(found) < len(pictures):
            raise UnreadableError(f"its files differ in their frames: one ends after {count:,}")

        count += 1
        first = found[wanted[0]]
        mark = str(first.frame + 1) if view.every and first.frames != 1 else ""
        row = [found[each] for each in wanted]
        if halves:
            row = [_cut_halves(picture)[side] for side, picture in enumerate(row)]
        yield Frame(mark, tuple(row))


def _decode(
    reader: Reader, entry: Entry, reading: Reading, view: View, least: int
) -> Iterator[Picture]:
    """Decode the frames of one file."""
    # RGB first where the view leaves it open: only all images together show whether there is colour
    channels = view.channels or 3
    if is_film(entry.name):
        if not isinstance(entry.where, str):
            raise UnreadableError("a film in a zip or tar cannot be read; unpack it")
        yield from read_film(
            Path(entry.where), channels, view.every, background=view.background, reading=reading
        )
        return

    content = reader.read(entry)
    try:
        yield from image_files.read_frames(
            content, channels, view.background, every=view.every, least=least, reading=reading
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


def cut_parts(frame: Frame, readings: Sequence[Reading], view: View) -> Iterator[Part]:
    """The rows that a frame becomes: one, or its tiles.

    Args:
        frame: of a row's files.
        readings: what the values of each column mean.
        view: with its size resolved.

    Raises:
        UnreadableError: tiles are wanted of pictures whose sizes differ.
    """
    digest = _hash_pictures(frame.pictures)
    if view.fit != "tiles":
        yield Part(f"#{frame.mark}" if frame.mark else "", frame.pictures, digest)
        return

    side = view.load_size()
    pictures = [
        _enlarge(picture, side, bool(reading.categories))
        for picture, reading in zip(frame.pictures, readings)
    ]
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


def _enlarge(picture: Picture, side: int, labels: bool) -> Picture:
    """A picture, or label map, from which a square can be cut."""
    _, height, width = picture.pixels.shape
    if min(height, width) >= side:
        return picture
    height, width = grow_to_fit(height, width, side)
    grow = resize_labels if labels else resize
    return picture._replace(pixels=grow(picture.pixels[None], height, width)[0])


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
    if view.fit != "tiles" or others or is_film(entry.name):
        return False
    with reader.open(entry) as file:
        return open_scene(file) is not None


def read_scene(
    files: Sequence[tuple[Reader, Entry]], reading: Reading, view: View
) -> Iterator[Part]:
    """The tiles of such a file, read band by band.

    Raises:
        UnreadableError: it is broken; also after some tiles.
    """
    ((reader, entry),) = files
    channels = view.channels or 3
    side = view.load_size()
    with reader.open(entry) as file:
        scene = open_scene(file)
        assert scene is not None
        size = (scene.width, scene.height)
        tiles = list_tiles(scene.height, scene.width, side, view.overlap, view.tiles)
        number = 0
        for together in _group_tiles(tiles, side, scene.width):
            start = together[0].top
            content, above = scene.read_band(start, together[-1].top + side)
            band = image_files.read(content, channels, view.background, reading=reading)
            band = band._replace(size=size)
            for tile in together:
                cut = _cut_tile(band, tile, side, start - above)
                yield Part(_mark_tile("", tile, len(tiles)), (cut,), 0, number == 0)
                number += 1


def _group_tiles(tiles: Sequence[Tile], side: int, width: int) -> Iterator[Sequence[Tile]]:
    """Tiles of a scene of this width that lie in one band: as many rows of them as the memory
    holds.
    """
    done = 0
    while done < len(tiles):
        start = tiles[done].top
        last = done
        while last < len(tiles) and (
            tiles[last].top == start or (tiles[last].top + side - start) * width <= BAND
        ):
            last += 1
        yield tiles[done:last]
        done = last


# Values as they are


def read_rasters(
    reader: Reader, entry: Entry, view: View, *, indices: bool = False
) -> Iterator[Raster]:
    """All values of the frames of a file that the view wants; of a scene band by band.

    Args:
        reader: of the file.
        entry: the file.
        view: how training wants to see it.
        indices: as in `ganvas.io.image_files.read_raster`.

    Raises:
        UnreadableError: it cannot be read; also after some frames.
    """
    if not is_scene([(reader, entry)], view):
        yield from image_files.read_rasters(reader.read(entry), every=view.every, indices=indices)
        return

    with reader.open(entry) as file:
        scene = open_scene(file)
        assert scene is not None
        rows = max(1, BAND // scene.width)
        for top in range(0, scene.height, rows):
            content, _ = scene.read_band(top, min(top + rows, scene.height))
            yield image_files.read_raster(content, indices=indices)

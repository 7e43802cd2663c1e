"""Read films frame by frame, by ffmpeg, which the extra `video` installs."""

import re
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import IO

import numpy as np

from ganvas.io.films import find_ffmpeg
from ganvas.io.formats import FILM_ENDINGS, FILMS, Format, install_hint, is_missing
from ganvas.io.image_files import MAX_PIXELS, Picture, interpret
from ganvas.io.images import TooLargeError, UnreadableError
from ganvas.io.rasters import Raster
from ganvas.io.values import AS_STORED, Reading

__all__ = ["is_film", "measure_film", "read_film"]

EXTRA = "video"
# How files of each demuxer begin: the bytes, and where.
MARKS = {"mov": (b"ftyp", 4), "avi": (b"AVI ", 8), "matroska": (b"\x1aE\xdf\xa3", 0)}
LONGEST = 200  # characters of ffmpeg's own words


def is_film(name: str) -> bool:
    """Whether a file ends like a film."""
    return Path(name).suffix.lower() in FILM_ENDINGS


def measure_film(path: Path) -> tuple[int, int]:
    """Width and height of a film's frames, upright.

    Raises:
        UnreadableError: as for `read_film`.
    """
    with closing(_decode(path, 1)) as frames:
        height, width, _ = next(frames).shape
        return width, height


def read_film(
    path: Path,
    channels: int,
    every: int = 1,
    *,
    background: str = "white",
    reading: Reading = AS_STORED,
) -> Generator[Picture, None, None]:
    """Decode the frames of a film, one after another; no more than one is in memory.

    Args:
        path: of the film.
        channels: of the result, as for `ganvas.io.image_files.read`.
        every: 1: each frame; 2: every second one, from the first; ...; 0: only the first.
        background: as for `ganvas.io.image_files.read`.
        reading: what the values mean.

    Raises:
        UnreadableError: not a film, broken, or there is no ffmpeg; also after some frames.
    """
    with closing(_decode(path, max(1, every))) as frames:
        for number, array in enumerate(frames):
            picture = interpret(Raster(array, "RGB", rgb=True), channels, background, reading)
            # how many frames there are is known only at the end
            yield picture._replace(frame=number * every, frames=0)
            if not every:
                return


def _decode(path: Path, every: int) -> Generator[np.ndarray, None, None]:
    """Start ffmpeg, and yield every so many frames, uint8 (H, W, 3); at least one.

    Raises:
        UnreadableError: as for `read_film`.
    """
    kind = _find_kind(path)
    program = None if is_missing(EXTRA) else find_ffmpeg()
    if program is None:
        raise UnreadableError(f"a film ({kind.label}) cannot be read yet: {install_hint(EXTRA)}")

    # The kind is given, and only files may be opened: a file that says "play that address" or "that
    # other file" is refused. `select` drops frames before they are copied. PPM has the size of
    # each frame in its head.
    command = [program, "-v", "error", "-nostdin", "-protocol_whitelist", "file"]
    command += ["-f", kind.name, "-i", str(path.absolute()), "-an", "-sn"]
    command += ["-vf", f"select=not(mod(n\\,{every}))", "-fps_mode", "passthrough"]
    command += ["-pix_fmt", "rgb24", "-c:v", "ppm", "-f", "image2pipe", "-"]

    # a file takes the complaints: a pipe that nobody reads would fill, and stop the program
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        ) as process,
    ):
        assert process.stdout is not None
        count = 0
        try:
            while (frame := _read_ppm(process.stdout)) is not None:
                yield frame
                count += 1
        finally:
            process.kill()  # it has ended by itself unless the reader stopped early
            process.wait()

        complaints.seek(0)
        words = complaints.read(2**16).decode(errors="replace").strip()
        if words or not count:
            # without the address in memory that stands before it: "[in#0 @ 0x55c3d791] ..."
            first = re.sub(r"^\[[^]]*\] *", "", words)[:LONGEST] or "it holds no frames"
            first = first.splitlines()[0]
            raise UnreadableError(f"broken: {first}")


def _read_ppm(stream: IO[bytes]) -> np.ndarray | None:
    """The next frame of a stream of PPM files, uint8 (H, W, 3); None at its end.

    Raises:
        TooLargeError: the frame has more than MAX_PIXELS.
    """
    mark, sides, _ = stream.readline(), stream.readline(), stream.readline()
    if mark != b"P6\n":
        return None
    width, height = map(int, sides.split())
    if width * height > MAX_PIXELS:
        raise TooLargeError(f"{width:,}x{height:,} pixels are too many for a film")
    content = bytearray(stream.read(3 * width * height))
    if len(content) < 3 * width * height:
        return None
    return np.frombuffer(content, np.uint8).reshape(height, width, 3)


def _find_kind(path: Path) -> Format:
    """The kind of a film by its content.

    Raises:
        UnreadableError: it is none, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from error

    for kind in FILMS:
        mark, place = MARKS[kind.name]
        if start[place : place + len(mark)] == mark:
            return kind
    raise UnreadableError("not a film: its content is no MP4, MOV, AVI, WebM or MKV")

"""Read films frame by frame, by ffmpeg, which the extra `video` installs."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.io.formats import FILM_ENDINGS, FILMS, Format, install_hint, is_missing
from ganvas.io.images import MAX_PIXELS, Picture, TooLargeError, UnreadableError, planes

__all__ = ["is_film", "measure_film", "read_film"]

EXTRA = "video"
# How files of each demuxer begin: the bytes, and where.
MARKS = {"mov": (b"ftyp", 4), "avi": (b"AVI ", 8), "matroska": (b"\x1aE\xdf\xa3", 0)}


def is_film(name: str) -> bool:
    """Whether a file ends like a film."""
    return Path(name).suffix.lower() in FILM_ENDINGS


def measure_film(path: Path) -> tuple[int, int]:
    """Width and height of a film's frames, upright.

    Raises:
        UnreadableError: as for `read_film`.
    """
    with closing(_open(path, 1)) as frames:
        return next(frames)["size"]


def read_film(path: Path, channels: int, every: int = 1) -> Generator[Picture, None, None]:
    """Decode the frames of a film, one after another; no more than one is in memory.

    Args:
        path: of the film.
        channels: 1 for grey, 3 for RGB.
        every: 1: each frame; 2: every second one, from the first; ...

    Raises:
        UnreadableError: not a film, broken, or there is no ffmpeg; also after some frames.
    """
    with closing(_open(path, every)) as frames:
        try:
            width, height = next(frames)["size"]
            if width * height > MAX_PIXELS:
                raise TooLargeError(f"{width:,}x{height:,} pixels are too many for a film")

            for number, content in enumerate(frames):
                array = np.frombuffer(content, np.uint8).reshape(height, width, 3).copy()
                picture = Picture(planes(array), "RGB", size=(width, height))
                if channels == 1:
                    picture = picture._replace(pixels=_to_grey(array))
                # how many frames there are is known only at the end
                yield picture._replace(frame=number * every, frames=0)
        except (OSError, RuntimeError, ValueError, StopIteration) as error:
            raise UnreadableError(f"broken: {_first_line(error)}") from error


def _to_grey(array: np.ndarray) -> Any:
    """The luminance of uint8 (H, W, 3) as a tensor (1, H, W), with Pillow's weights."""
    from PIL import Image

    return planes(np.array(Image.fromarray(array).convert("L")))


def _open(path: Path, every: int) -> Generator[Any, None, None]:
    """Start ffmpeg; yields what is known of the film, then the bytes of each frame.

    Raises:
        UnreadableError: not a film, or there is no ffmpeg.
    """
    kind = _find_kind(path)
    if is_missing(EXTRA):
        raise UnreadableError(f"a film ({kind.label}) cannot be read yet: {install_hint(EXTRA)}")
    import imageio_ffmpeg

    # The kind is given, and only files may be opened: a file that says "play that address" or "that
    # other file" is refused. `select` drops frames before they are copied.
    before = ["-f", kind.name, "-protocol_whitelist", "file"]
    after = ["-vf", f"select=not(mod(n\\,{every}))", "-fps_mode", "passthrough"]
    return imageio_ffmpeg.read_frames(
        str(path.absolute()), input_params=before, output_params=after
    )


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


def _first_line(error: Exception) -> str:
    """What went wrong, in one line; ffmpeg writes many."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else "it holds no frames"

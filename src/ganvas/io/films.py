"""Films: MP4 files of images that follow one another, for places that take no animated images.

By ffmpeg, which the extra `video` installs.
"""

import importlib.util
import math
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image

from ganvas.errors import UserError

__all__ = ["encode_film", "find_ffmpeg", "has_ffmpeg", "require_ffmpeg"]

PACKAGE = "imageio_ffmpeg"
TICK = 10  # milliseconds, as a GIF counts
# H.264 in the colours that every player knows; 18 is hardly told from the original. The index comes
# first, so that a page can play the film before all of it is there.
CODEC = ["-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]


def has_ffmpeg() -> bool:
    """Whether films can be written."""
    return find_ffmpeg() is not None


def find_ffmpeg() -> str | None:
    """The program, of the extra `video`; None where it is missing."""
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    import imageio_ffmpeg

    with suppress(RuntimeError):  # the package has no program for this machine
        return imageio_ffmpeg.get_ffmpeg_exe()
    return None


def require_ffmpeg() -> None:
    """Check that films can be written.

    Raises:
        UserError: ffmpeg is not installed.
    """
    if not has_ffmpeg():
        raise UserError(
            'MP4 files need ffmpeg, which is not installed: pip install "ganvas[video]", or choose '
            ".webp or .gif"
        )


def encode_film(frames: Sequence[Image.Image], milliseconds: int | Sequence[int]) -> bytes:
    """Encode an MP4 film.

    Args:
        frames: at least one; all of one size. Where a side is odd, its last row or column is
            repeated: the format has even sides only.
        milliseconds: how long each frame is shown; one number for all, or one per frame. They
            count in steps of 10.

    Raises:
        UserError: ffmpeg is not installed, or fails.
    """
    require_ffmpeg()
    pauses = [milliseconds] * len(frames) if isinstance(milliseconds, int) else list(milliseconds)
    # A film has one pace; a frame that stays longer is repeated.
    pauses = [max(TICK, round(pause / TICK) * TICK) for pause in pauses]
    tick = math.gcd(*pauses)
    width, height = (side + side % 2 for side in frames[0].size)
    pixels = [
        _pad(frame.convert("RGB"), width, height).tobytes() * (pause // tick)
        for frame, pause in zip(frames, pauses, strict=True)
    ]
    given = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {1000 / tick} -i -"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        words = [str(find_ffmpeg()), "-loglevel", "error", *given.split(), *CODEC, path]
        try:
            done = subprocess.run(words, input=b"".join(pixels), capture_output=True)
        except OSError as error:
            raise UserError(f"{words[0]} cannot be started: {error.strerror}") from error
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise UserError(f"ffmpeg could not write the film: {said}")
        return path.read_bytes()


def _pad(frame: Image.Image, width: int, height: int) -> Image.Image:
    """A frame with its last column and row repeated up to a size."""
    if frame.size == (width, height):
        return frame
    padded = Image.new("RGB", (width, height))
    # One pixel at most is missing to the right and below: moved copies leave it behind.
    right, below = width - frame.width, height - frame.height
    for place in ((right, below), (right, 0), (0, below), (0, 0)):
        padded.paste(frame, place)
    return padded

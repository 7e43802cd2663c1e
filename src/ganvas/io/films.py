"""Films: MP4 files of images that follow one another, for places that take no animated images.

By ffmpeg, which the extra `mp4` installs.
"""

import importlib.util
import math
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from ganvas.errors import UserError

__all__ = ["encode_film", "require_ffmpeg"]

PACKAGE = "imageio_ffmpeg"
# H.264 in the colours that every player knows; 18 is hardly told from the original. The index comes
# first, so that a page can play the film before all of it is there.
CODEC = ["-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]


def require_ffmpeg() -> None:
    """Check that films can be written.

    Raises:
        UserError: ffmpeg is not installed.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise UserError(
            "MP4 files need ffmpeg, which is not installed: pip install 'ganvas[mp4]', or choose "
            ".webp or .gif"
        )


def encode_film(frames: Sequence[Image.Image], milliseconds: int | Sequence[int]) -> bytes:
    """Encode an MP4 film.

    Args:
        frames: at least one; all of one size. Where a side is odd, its last row or column is
            repeated: the format has even sides only.
        milliseconds: how long each frame is shown; one number for all, or one per frame.

    Raises:
        UserError: ffmpeg is not installed, or fails.
    """
    require_ffmpeg()
    import imageio_ffmpeg

    pauses = [milliseconds] * len(frames) if isinstance(milliseconds, int) else list(milliseconds)
    # A film has one pace; a frame that stays longer is repeated.
    tick = math.gcd(*pauses)
    width, height = (side + side % 2 for side in frames[0].size)
    pixels = [
        _pad(frame.convert("RGB"), width, height).tobytes() * (pause // tick)
        for frame, pause in zip(frames, pauses, strict=True)
    ]
    given = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r {1000 / tick} -i -"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        done = subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *given.split(), *CODEC, path],
            input=b"".join(pixels),
            capture_output=True,
        )
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

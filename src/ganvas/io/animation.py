"""Write animations: GIF, WebP or MP4 files of any images, and time-lapses of a run's samples."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image

from ganvas.errors import UserError
from ganvas.io.files import atomic_path
from ganvas.io.films import encode_film
from ganvas.io.html import figure
from ganvas.io.images import sheet_note

__all__ = ["ENDINGS", "Animation", "encode_animation", "pick_evenly", "write_timelapse"]

ENDINGS = (".gif", ".webp", ".mp4")
# Of a time-lapse: pixels of the longer side at most, and the number of frames at most. A GIF takes
# three times the bytes of a WebP for the same content.
MAX_SIDES = {".gif": 480, ".webp": 720}
MAX_FRAMES = {".gif": 40, ".webp": 60}
# Maps 256 grey values to 64, each at most 2 from the original.
GREYS = [round(round(value / 255 * 63) / 63 * 255) for value in range(256)]
DURATION = 6000  # milliseconds of a whole time-lapse
MAX_PACE = 500  # milliseconds per frame, so that a few frames are not slow
HOLD = 2000  # milliseconds that a time-lapse stays on its last frame
Item = TypeVar("Item")


@dataclass(frozen=True, repr=False)
class Animation:
    """Images that follow one another, usually again and again. A notebook plays them.

    Attributes:
        frames: Pillow images, at least one, all of one size.
        milliseconds: how long each frame is shown; one number for all, or one per frame. A GIF
            counts in steps of 10.
        exact: whether a WebP is lossless, which makes drawings of few colours smaller, and
            photographs larger.
        repeat: whether it begins again after the last frame; an MP4 leaves that to the player.
    """

    frames: Sequence[Image.Image]
    milliseconds: int | Sequence[int]
    exact: bool = False
    repeat: bool = True

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        width, height = self.frames[0].size
        return f"<Animation of {len(self)} frames, {width}x{height} pixels; .save(FILE) writes it>"

    def _repr_html_(self) -> str:
        return figure(self._encode("webp"), kind="webp")

    def save(self, path: str | Path) -> None:
        """Write a file that ends in .gif, .webp or .mp4, whole or not at all.

        Raises:
            UserError: another ending, the file cannot be written, or there is no ffmpeg for .mp4.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind not in ENDINGS:
            raise UserError(
                f"cannot write an animation as {path.name!r}: choose a name that ends in .gif,"
                " .webp or .mp4"
            )
        content = self._encode(kind[1:])
        with atomic_path(path) as partial:
            partial.write_bytes(content)

    def _encode(self, kind: str) -> bytes:
        return encode_animation(self.frames, kind, self.milliseconds, self.exact, self.repeat)


def encode_animation(
    frames: Sequence[Image.Image],
    kind: str,
    milliseconds: int | Sequence[int],
    exact: bool = False,
    repeat: bool = True,
) -> bytes:
    """Encode an animation or a film; grey frames stay grey.

    Args:
        frames: at least one; all of one size.
        kind: "gif", "webp" or "mp4".
        milliseconds: how long each frame is shown; one number for all, or one per frame. A GIF
            counts in steps of 10.
        exact: whether a WebP is lossless.
        repeat: whether it begins again after the last frame.

    Raises:
        UserError: there is no ffmpeg for an MP4.
    """
    if kind == "mp4":
        return encode_film(frames, milliseconds)
    grey = all(frame.mode == "L" for frame in frames)
    if kind == "gif":
        frames = list(frames) if grey else _share_palette(frames)
        options = {}
    else:
        frames = [frame.convert("RGB") for frame in frames]
        # Slower methods save a tenth of the size for twice the time; lossless, where they are
        # fast, they save a half.
        lossy = {"quality": 75, "method": 0}
        options = {"lossless": True, "quality": 50, "method": 4} if exact else lossy
    if kind == "webp" or repeat:  # a GIF without a number is shown once
        options |= {"loop": 0 if repeat else 1}  # 0: for ever

    durations = milliseconds if isinstance(milliseconds, int) else list(milliseconds)
    file = io.BytesIO()
    frames[0].save(
        file,
        format=kind.upper(),
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        **options,
        **sheet_note(),  # an animation is not a picture to learn from
    )
    return file.getvalue()


def _share_palette(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """Reduce frames to 256 common colours; a palette for each is slow and flickers."""
    some = [frame.convert("RGB") for frame in pick_evenly(frames, 8)]
    mosaic = Image.new("RGB", (128 * len(some), 128))  # 8 squares at most
    for index, frame in enumerate(some):
        # "Nearest" keeps the colours of the frame; averaging would add new ones.
        mosaic.paste(frame.resize((128, 128), Image.Resampling.NEAREST), (128 * index, 0))

    palette = mosaic.quantize(256)
    return [
        frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    ]


def write_timelapse(grids: Sequence[Path], folder: Path) -> None:
    """Write `timelapse.gif` and `timelapse.webp` of a run's grids of samples.

    Args:
        grids: at least one picture file, in order; evenly spaced ones are shown, always the first
            and the last. All are resized to the size of the last.
        folder: where to write.
    """
    width, height = _read_size(grids[-1])
    for kind, side in MAX_SIDES.items():
        scale = min(1, side / max(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        frames = [_load_frame(grid, size) for grid in pick_evenly(grids, MAX_FRAMES[kind])]
        if kind == ".gif":
            # Fewer greys halve the file and look the same.
            frames = [frame.point(GREYS) if frame.mode == "L" else frame for frame in frames]

        # In steps of 10 ms, as a GIF counts.
        pace = min(MAX_PACE, DURATION // len(frames)) // 10 * 10
        pauses = [pace] * (len(frames) - 1) + [HOLD]
        Animation(frames, pauses).save(folder / f"timelapse{kind}")


def _read_size(grid: Path) -> tuple[int, int]:
    """Width and height of a picture file."""
    with Image.open(grid) as picture:
        return picture.size


def _load_frame(grid: Path, size: tuple[int, int]) -> Image.Image:
    """Read a picture file as a grey or RGB picture of `size`, (width, height)."""
    with Image.open(grid) as picture:
        frame = picture.copy() if picture.mode == "L" else picture.convert("RGB")
    return frame if frame.size == size else frame.resize(size, Image.Resampling.LANCZOS)


def pick_evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most `most` items, evenly spaced, always the first and the last; `most` is at least 2."""
    if len(items) <= most:
        return list(items)
    # The step is more than 1, so no item is picked twice.
    last = len(items) - 1
    return [items[round(index * last / (most - 1))] for index in range(most)]

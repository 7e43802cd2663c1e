"""Animations: any pictures as a GIF or a WebP, and a run's grids of samples as one film."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from PIL import Image

from ganvas.errors import UserError
from ganvas.io.files import atomic_path
from ganvas.io.images import sheet_note

SIDES = {".gif": 480, ".webp": 720}  # pixels, of a time-lapse's longer side at most
# a GIF has three times the bytes of a WebP for what it shows
MOST_FRAMES = {".gif": 40, ".webp": 60}
# 64 of them, at most 2 from the true ones
GREYS = [round(round(value / 255 * 63) / 63 * 255) for value in range(256)]
HOLD = 2000  # milliseconds that a time-lapse rests on its last frame
Item = TypeVar("Item")


def save_animation(
    frames: Sequence[Image.Image],
    path: Path,
    milliseconds: int | Sequence[int],
    exact: bool = False,
) -> None:
    """Write an animation that repeats for ever, atomically; grey frames stay grey.

    Args:
        frames: at least one; all of one size.
        path: ends in .gif or .webp.
        milliseconds: how long each frame is shown; one number for all, or one for each. A GIF
            counts in steps of 10.
        exact: a WebP without loss, which makes drawings of few colours smaller, and photographs
            larger.

    Raises:
        UserError: another ending, or the place cannot be written to.
    """
    kind = path.suffix.lower()
    if kind not in SIDES:
        raise UserError(
            f"cannot write an animation as {path.name!r}: give a name that ends in .gif or .webp"
        )
    grey = all(frame.mode == "L" for frame in frames)
    if kind == ".gif":
        frames = list(frames) if grey else with_shared_palette(frames)
        options = {}
    else:
        frames = [frame.convert("RGB") for frame in frames]
        # Slower methods save a tenth of the size for twice the time; without loss, where they are
        # quick, a half.
        options = (
            {"lossless": True, "quality": 50, "method": 4}
            if exact
            else {"quality": 75, "method": 0}
        )
    durations = milliseconds if isinstance(milliseconds, int) else list(milliseconds)
    with atomic_path(path) as partial:
        frames[0].save(
            partial,
            format=kind[1:].upper(),
            save_all=True,
            append_images=frames[1:],
            duration=durations,
            loop=0,
            **options,
            **sheet_note(),  # it is no picture to learn from either
        )


def with_shared_palette(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """Frames in the 256 colours that suit them all: finding colours for each is slow, and flickers."""
    chosen = [frame.convert("RGB") for frame in evenly(frames, 8)]
    mosaic = Image.new("RGB", (128 * len(chosen), 128))
    for index, frame in enumerate(chosen):
        # Nearest keeps the colours that are there, where averaging would make new ones.
        mosaic.paste(frame.resize((128, 128), Image.Resampling.NEAREST), (128 * index, 0))
    palette = mosaic.quantize(256)
    return [
        frame.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    ]


def write_timelapse(grids: Sequence[Path], folder: Path) -> None:
    """Write `timelapse.gif` and `timelapse.webp`: some grids at even distances, the first and the
    last always.

    Args:
        grids: at least one picture file, in order; all are brought to the size of the last.
        folder: where to write.
    """
    width, height = size_of(grids[-1])
    for kind, side in SIDES.items():
        scale = min(1, side / max(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        frames = [load(grid, size) for grid in evenly(grids, MOST_FRAMES[kind])]
        if kind == ".gif":  # fewer greys halve the file, to the same eye
            frames = [frame.point(GREYS) if frame.mode == "L" else frame for frame in frames]
        # About six seconds in all, but few frames should not crawl; in tens, for the GIF.
        pace = min(500, 6000 // len(frames)) // 10 * 10
        save_animation(frames, folder / f"timelapse{kind}", [pace] * (len(frames) - 1) + [HOLD])


def size_of(grid: Path) -> tuple[int, int]:
    """Width and height of a picture file."""
    with Image.open(grid) as picture:
        return picture.size


def load(grid: Path, size: tuple[int, int]) -> Image.Image:
    """A picture file as a grey or RGB picture of `size`."""
    with Image.open(grid) as picture:
        frame = picture.copy() if picture.mode == "L" else picture.convert("RGB")
    return frame if frame.size == size else frame.resize(size, Image.Resampling.LANCZOS)


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most `most` (at least 2) items at even distances, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(index * (len(items) - 1) / (most - 1))] for index in range(most)]

"""Smooth walks through the noise of a GAN, and from class to class, as an animation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import GAN
from ganvas.inference.choice import NoiseChoice, choose_points
from ganvas.inference.direction_files import Step
from ganvas.inference.latents import LatentRng, Point
from ganvas.inference.sampling import CHUNK, class_inputs, sample_gan
from ganvas.inference.sheets import square_columns, title_classes
from ganvas.io.animation import Animation
from ganvas.io.grids import make_grid
from ganvas.io.images import to_uint8
from ganvas.io.numbers import check_numbers
from ganvas.rng import WalkRng

__all__ = ["Walk", "draw_walk", "list_paths"]

FRAMES, FPS = 96, 16.0
MOST_FRAMES, MOST_FPS, MOST_WALKS = 10_000, 100, 1024
ANCHORS = 6  # rows of noise that a walk passes through
STOPS = 13  # points on a way along a direction, so near that the sphere between them is straight
MOST_CLASSES = 20  # that walk side by side
SIDE = 128  # pixels that a single small walk is enlarged to
MOST_BYTES = 2**32  # of all frames, which are held in memory
LONGEST = 8192  # pixels of a frame
Path = list[Point]  # points that a walk passes through, in order


@dataclass(frozen=True)
class Walk:
    """How walks are drawn.

    Attributes:
        frames: number of images; None: FRAMES.
        fps: frames per second; None: FPS.
        loop: whether the walk returns to where it begins, and the animation repeats.
        walks: how many walks, each through other noise, side by side; None: 1.
        columns: of several walks; None: as square as possible.
        scale: whole number by which pixels are repeated; None: small images are enlarged.
        invert: whether to swap dark and light.
    """

    frames: int | None = None
    fps: float | None = None
    loop: bool = True
    walks: int | None = None
    columns: int | None = None
    scale: int | None = None
    invert: bool = False

    def __post_init__(self) -> None:
        check_numbers(self)
        for name, most in (("frames", MOST_FRAMES), ("fps", MOST_FPS), ("walks", MOST_WALKS)):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise UserError(f"--{name} {value:g}: give 1 to {most:,}")
        if self.columns is not None and self.columns < 1:
            raise UserError(f"--columns {self.columns}: give 1 or more")

    def given(self) -> list[str]:
        """The flags that only a walk has, as far as they were given."""
        only = {
            "--frames": self.frames is not None,
            "--fps": self.fps is not None,
            "--no-loop": not self.loop,
            "--walks": self.walks is not None,
        }
        return [flag for flag, is_given in only.items() if is_given]


def draw_walk(gan: GAN, device: torch.device, walk: Walk, paths: Sequence[Path]) -> Animation:
    """Draw walks side by side.

    Args:
        gan: of images, unconditional or with classes.
        device: where the GAN is.
        walk: how.
        paths: see `list_paths`.
    """
    columns, scale = _choose_columns(walk, len(paths)), _choose_scale(gan, walk, len(paths))
    frames = walk.frames or FRAMES

    shown = []
    for path in paths:
        parts = _follow(gan, device, path, _spread(frames, len(path), walk.loop))
        images = torch.cat([to_uint8(-part if walk.invert else part) for part in parts])
        shown.append(images)  # (frames, C, H, W)
    images = torch.stack(shown, 1)  # (frames, walks, C, H, W)

    images = images.repeat_interleave(scale, 3).repeat_interleave(scale, 4)
    titles: tuple[list[str], list[str]] = [], []
    if gan.classes and all(_is_one_class(path) for path in paths):
        titles = title_classes([gan.classes[path[0].label] for path in paths], columns)
    pictures = [make_grid(one, columns, titles[0], headings=titles[1]) for one in images]
    return Animation(pictures, round(1000 / (walk.fps or FPS)), repeat=walk.loop)


def list_paths(
    gan: GAN,
    device: torch.device,
    walk: Walk,
    choice: NoiseChoice,
    seed: int = 0,
    labels: Sequence[int] = (),
) -> list[Path]:
    """The points that each walk passes through.

    Through the noise that is chosen, or the first six rows of a seed; with several classes and no
    choice the noise stays, and the class changes. With classes and neither labels nor files that
    name them, all classes walk side by side, a row each if there are several walks. With a way
    along directions, each image that is chosen goes this way, side by side.

    Args:
        gan: unconditional, or with classes.
        device: where the GAN is.
        walk: how many there are; each goes through other rows of the seeds.
        choice: of the noise.
        seed: see `NoiseChoice.choose`.
        labels: class numbers, one for all points or one for each.

    Raises:
        UserError: a walk would have one point, points and classes are not as many, there are
            several walks where the choice says how many, or the frames would be too large.
    """
    walks = walk.walks or 1
    if walks > 1 and choice.moving and choice.fixed:
        flag = "--noise" if choice.seeds is None else "--seeds"
        raise UserError(
            f"--walks {walks} has no effect: along --direction goes one walk from each image of "
            f"{flag}"
        )
    if walks > 1 and choice.noise is not None:
        raise UserError(f"--walks {walks} has no effect on the walk through --noise; use --seeds")
    by_class = not labels and "label" in gan.inputs and choice.noise is None
    kinds = [[label] for label in range(len(gan.classes))[:MOST_CLASSES]] if by_class else [labels]

    if choice.moving:
        points = list(choose_points(gan, device, choice, seed, walks, labels))
        if by_class:
            points = [Point(one.latent, label) for (label,) in kinds for one in points]
        paths = [_move_along(point, choice.steps, walk.loop) for point in points]
    else:
        paths = [
            _pair(_list_latents(gan, device, choice, seed, number, len(classes)), classes)
            for classes in kinds
            for number in range(walks)
        ]
    _check_size(gan, walk, len(paths))
    return paths


def _move_along(start: Point, steps: Sequence[Step], loop: bool) -> Path:
    """The way of an image along directions: there, and back in a loop.

    Args:
        start: where the way begins, moved along the direction of each step already.
        steps: how far the way goes along each.
        loop: whether it leads back.
    """
    shares = torch.linspace(0, 1, STOPS).tolist()
    if loop:
        shares += shares[-2:0:-1]
    directions = [direction for direction, _ in start.latent.moves]

    path = []
    for share in shares:
        amounts = [step.first + share * (step.last - step.first) for step in steps]
        latent = replace(start.latent, moves=tuple(zip(directions, amounts)))
        path.append(Point(latent, start.label))
    return path


def _list_latents(
    gan: GAN, device: torch.device, choice: NoiseChoice, seed: int, number: int, classes: int
) -> Path:
    """The noise of one walk, the number-th of several, with the classes that it names itself."""
    count = classes if classes > 1 else ANCHORS
    if choice.fixed:
        chosen = choice.choose(gan, device, seed, count, number)
    elif choice.in_order and classes > 1:
        chosen = choice.choose(gan, device, seed, 1, number)  # the noise stays
    else:
        chosen = choice.choose(gan, device, seed, count, number * count)
    return [Point(latent, label or 0) for latent, label in chosen]


def _pair(points: Path, labels: Sequence[int]) -> Path:
    """Points with classes: one of each, or several of one and one of the other.

    Raises:
        UserError: there are several of both, and not as many; or one of both.
    """
    count = max(len(points), len(labels))
    if count < 2:
        raise UserError(
            "a walk goes from one image to another: give two or more --seeds, --noise files or"
            " classes (--label A,B)"
        )
    if len(points) not in (1, count) or len(labels) not in (0, 1, count):
        raise UserError(
            f"a walk through {len(points)} images and {len(labels)} classes: give as many of both,"
            " or one of either"
        )
    points = points * (count // len(points))
    if not labels:
        return points
    return [Point(point.latent, labels[i % len(labels)]) for i, point in enumerate(points)]


def _spread(frames: int, points: int, loop: bool) -> Tensor:
    """Positions (frames,) on a path: 1.25 is a quarter of the way from point 1 to point 2."""
    if loop:
        return torch.arange(frames) * points / frames  # the last stops short of the first
    return torch.linspace(0, points - 1, frames)


def _follow(gan: GAN, device: torch.device, path: Path, positions: Tensor) -> Iterator[Tensor]:
    """Generate the images at positions of a path, which leads back to its begin: float32 (n, C, H,
    W) in [-1, 1] each, on the CPU.
    """
    for part in positions.split(CHUNK):
        numbers = part.floor().long().tolist()
        before = [path[number % len(path)] for number in numbers]
        after = [path[(number + 1) % len(path)] for number in numbers]
        share = part % 1

        starts, ends = (LatentRng([point.latent for point in points]) for points in (before, after))
        rng = WalkRng(starts, ends, share, device)
        begun, ended = ([point.label for point in points] for points in (before, after))
        inputs = class_inputs(gan, begun, device)
        if inputs and begun != ended:
            inputs = {"label": _mix_classes(begun, ended, share, len(gan.classes)).to(device)}
        yield sample_gan(gan, rng, len(part), inputs)


def _mix_classes(before: list[int], after: list[int], share: Tensor, classes: int) -> Tensor:
    """Shares of classes, float32 (N, classes), on the way from class to class."""
    start, end = torch.eye(classes)[before], torch.eye(classes)[after]
    return torch.lerp(start, end, share[:, None])


def _is_one_class(path: Path) -> bool:
    return len({point.label for point in path}) == 1


def _choose_columns(walk: Walk, paths: int) -> int:
    """Columns of a frame: where classes walk side by side several times, a row is a class."""
    walks = walk.walks or 1
    return walk.columns or (walks if 1 < walks < paths else square_columns(paths))


def _choose_scale(gan: GAN, walk: Walk, paths: int) -> int:
    """How often pixels are repeated: a single walk is an animation of its own, to be seen."""
    return walk.scale or (max(1, SIDE // gan.size) if paths == 1 else 1)


def _check_size(gan: GAN, walk: Walk, paths: int) -> None:
    """Refuse frames that are too large.

    Raises:
        UserError: says how large they would be.
    """
    columns = min(_choose_columns(walk, paths), paths)
    side = gan.size * _choose_scale(gan, walk, paths)
    wide, high = columns * side, -(-paths // columns) * side
    if max(wide, high) > LONGEST:
        raise UserError(f"frames of {wide}x{high} pixels are too large; {LONGEST:,} is the limit")

    frames = walk.frames or FRAMES
    total = frames * wide * high * gan.channels
    if total > MOST_BYTES:
        raise UserError(
            f"{frames} frames of {wide}x{high} pixels take {total / 2**30:.0f} GiB of memory; draw"
            " fewer frames, fewer walks or a smaller --scale"
        )

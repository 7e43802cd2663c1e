"""Drawn birds with captions, boxes and key points: data to learn "what and where" from without a
download.

They are drawings by rule, not photographs: a set without files on which one can see whether a GAN
draws what its caption, box and key points say.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from ganvas.data.dataset import Dataset
from ganvas.data.report import DataReport
from ganvas.data.store import Packed, open_store, write_images
from ganvas.data.text import encode
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.images import colour

__all__ = ["COLOURS", "COUNT", "PARTS", "Bird", "Shape", "captions", "open_figures", "random_bird"]

COUNT = 3_000
SIZE = 64  # pixels, where the view names no size
FINER = 4  # drawn so many times larger, then shrunk
PARTS = (
    "beak",
    "crown",
    "left eye",
    "right eye",
    "left wing",
    "right wing",
    "tail",
    "left foot",
    "right foot",
)
COLOURS = {
    "red": "#d83a34",
    "orange": "#f08a24",
    "yellow": "#f2cb30",
    "green": "#3fa34d",
    "blue": "#3b6fd1",
    "purple": "#8a4fc0",
    "black": "#2e2e33",
    "brown": "#8c5a33",
}
POSES = ("standing", "flying", "eating")
SIDES = ("left", "right")

Point = tuple[float, float]


class Bird(NamedTuple):
    """One bird.

    Attributes:
        body: name of a colour.
        wings: name of a colour.
        pose: one of POSES.
        side: where it looks.
        middle: of its body, in shares of the picture's side.
        length: of its body, as a share of the picture's side.
        tilt: in radians, its tail down.
        ground: of the picture, red, green and blue.
    """

    body: str
    wings: str
    pose: str
    side: str
    middle: Point
    length: float
    tilt: float
    ground: tuple[int, int, int]


class Shape(NamedTuple):
    """A polygon in the bird's own measure: it looks left, its body is 1 long, its middle is 0, 0; y
    goes down.
    """

    points: Sequence[Point]
    colour: str


def open_figures(view: View) -> Dataset:
    """The set "figures": pictures, captions, boxes and key points; drawn once, then kept in the
    store.

    Raises:
        UserError: the view asks for what it has not.
    """
    if view.labels != "none":
        raise UserError(f"figures has captions and no classes; leave out --labels {view.labels}")
    view = view.model_copy(update={"size": view.size or SIZE, "channels": view.channels or 3})

    # 3: to be raised when the same birds would be drawn otherwise
    return open_store(
        ["figures", 3, COUNT, view.size, view.load_scale, view.channels],
        lambda folder: _write_figures(folder, view),
    )


def _write_figures(folder: Path, view: View) -> Packed:
    """Draw all figures and write the columns into `folder`."""
    random = np.random.default_rng(0)  # the same birds for everyone, at every size
    birds = [random_bird(random) for _ in range(COUNT)]
    side = view.load_size()
    channels = view.channels or 3

    def pictures() -> Iterator[np.ndarray]:
        for bird in birds:
            picture = _draw(bird, side).convert("L" if channels == 1 else "RGB")
            # (side, side) or (side, side, 3) to (1, channels, side, side)
            yield np.asarray(picture).reshape(1, side, side, channels).transpose(0, 3, 1, 2)

    write_images(folder / "image.npy", pictures(), (channels, side, side))

    texts = [np.stack([encode(text) for text in captions(bird)]) for bird in birds]
    np.save(folder / "caption.npy", np.stack(texts))  # (N, 3, bytes)
    np.save(folder / "box.npy", np.array([_box(bird) for bird in birds], np.float32))  # (N, 4)
    np.save(folder / "keypoints.npy", np.array([_keypoints(bird) for bird in birds], np.float32))

    assert view.size is not None
    notes = [
        "these are drawings by rule: birds that stand, fly or eat, "
        "each with three captions, a box and nine key points"
    ]
    steps = [f"{COUNT:,} birds drawn at {side}x{side}"]
    report = DataReport(spec="figures", found=COUNT, used=COUNT, steps=steps, notes=notes)
    return Packed({"keypoints": PARTS}, report, view.size)


def random_bird(random: np.random.Generator) -> Bird:
    """A random bird that fits into its picture."""
    # The order of the draws decides all later birds: a new draw belongs at the end.
    colours = list(COLOURS)
    body, wings = (colours[number] for number in random.choice(len(COLOURS), 2, replace=False))
    pose = POSES[random.integers(len(POSES))]
    side = SIDES[random.integers(2)]
    length = random.uniform(0.25, 0.48)
    tilt = random.uniform(-0.25, 0.35)  # 14 degrees up to 20 down
    red, green, blue = (int(value) for value in random.integers(240, 256, 3))  # near white

    # first around 0, 0 to learn its box, then moved so that all of it is in the picture
    bird = Bird(body, wings, pose, side, (0.0, 0.0), length, tilt, (red, green, blue))
    left, top, width, height = _box(bird)
    # a margin of 2 % of the side all around
    x = random.uniform(0.02, 0.98 - width) - left
    y = random.uniform(0.02, 0.98 - height) - top
    return bird._replace(middle=(x, y))


def captions(bird: Bird) -> list[str]:
    """Three sentences that describe it."""
    # the middle of the range of lengths
    size = "large" if bird.length > 0.365 else "small"
    article = "an" if bird.body[0] in "aeiou" else "a"
    return [
        f"{article} {bird.body} bird looking {bird.side}",
        f"a {size} {bird.body} bird with {bird.wings} wings, {bird.pose}, looking {bird.side}",
        f"a bird is {bird.pose}; it is {bird.body} and its wings are {bird.wings}",
    ]


# How it looks


def _head(pose: str) -> Point:
    """The middle of its head: low while it eats."""
    return (-0.5, 0.22) if pose == "eating" else (-0.46, -0.3)


def _ellipse(x: float, y: float, across: float, along: float, turned: float = 0.0) -> list[Point]:
    """A polygon of 24 points with two radii."""
    angles = [2 * math.pi * number / 24 for number in range(24)]
    cosine, sine = math.cos(turned), math.sin(turned)  # y goes down, so it turns clockwise
    round_it = [(across * math.cos(angle), along * math.sin(angle)) for angle in angles]
    return [(x + cosine * u - sine * v, y + sine * u + cosine * v) for u, v in round_it]


@cache  # few birds differ in these, and to compute it takes longer than to draw it
def _shapes(pose: str, body: str, wings: str) -> tuple[Shape, ...]:
    """What it is drawn of, from back to front."""
    x, y = _head(pose)
    down = 0.12 if pose == "eating" else 0.0  # the beak points to the ground

    beak = Shape(
        [(x - 0.12, y - 0.07 + down), (x - 0.36, y + 0.04 + 2 * down), (x - 0.1, y + 0.09 + down)],
        "#f0a020",
    )
    tail = Shape([(0.35, -0.12), (0.85, -0.16), (0.85, 0.06), (0.38, 0.1)], COLOURS[wings])
    neck = Shape(
        [(x - 0.1, y + 0.1), (x + 0.16, y - 0.06), (0.05, -0.2), (-0.3, 0.2)], COLOURS[body]
    )
    trunk = Shape(_ellipse(0, 0, 0.5, 0.3), COLOURS[body])
    face = Shape(_ellipse(x, y, 0.2, 0.19), COLOURS[body])
    eye = Shape(_ellipse(x - 0.06, y - 0.03, 0.062, 0.062), "#ffffff")
    pupil = Shape(_ellipse(x - 0.07, y - 0.03, 0.034, 0.034), "#101010")

    # folded, the far wing is hidden by the body
    near = _ellipse(0.12, -0.02, 0.33, 0.17, 0.25)
    far: list[Point] = []
    if pose == "flying":
        near = [(-0.2, -0.08), (0.0, -0.85), (0.3, -0.75), (0.25, -0.08)]
        far = [(-0.1, 0.05), (0.3, -0.62), (0.52, -0.5), (0.3, 0.05)]

    behind = [Shape(far, COLOURS[wings])] if far else []
    legs = [_leg(foot) for foot in _feet(pose)]

    return (
        *behind,
        *legs,
        tail,
        trunk,
        neck,
        face,
        beak,
        eye,
        pupil,
        Shape(near, COLOURS[wings]),
    )


@cache
def _outline(pose: str) -> np.ndarray:
    """The points of all its shapes, in its own measure, (N, 2)."""
    body, wings, *_ = COLOURS  # the points are the same in all colours
    return np.array([point for shape in _shapes(pose, body, wings) for point in shape.points])


def _feet(pose: str) -> list[Point]:
    """Where its feet end, the far one first: drawn in while it flies."""
    return [(0.2, 0.36), (0.1, 0.4)] if pose == "flying" else [(0.18, 0.6), (-0.02, 0.62)]


def _leg(foot: Point) -> Shape:
    """A leg from the body to a foot."""
    x, y = foot
    toes = [(x + 0.04, y - 0.05), (x + 0.04, y), (x - 0.14, y), (x - 0.01, y - 0.05)]
    return Shape([(x + 0.03, 0.2), (x + 0.08, 0.2), *toes], "#d9822b")


def _place_points(bird: Bird, points: Sequence[Point] | np.ndarray) -> np.ndarray:
    """Points of its own measure in shares of the picture's side, (N, 2)."""
    cosine, sine = math.cos(bird.tilt), math.sin(bird.tilt)
    turned = np.array(points) @ np.array([[cosine, sine], [-sine, cosine]])
    # mirrored after the turn: the tail goes down on either side
    mirror = [1, 1] if bird.side == "left" else [-1, 1]
    return np.array(bird.middle) + bird.length * turned * mirror


def _draw(bird: Bird, side: int) -> Image.Image:
    """Its picture, RGB, side x side."""
    # Pillow's polygons have hard edges: drawn larger and shrunk, they become smooth
    canvas = Image.new("RGB", (side * FINER, side * FINER), bird.ground)
    pen = ImageDraw.Draw(canvas)
    for shape in _shapes(bird.pose, bird.body, bird.wings):
        points = _place_points(bird, shape.points) * side * FINER
        pen.polygon(points.flatten().tolist(), fill=colour(shape.colour))
    return canvas.reduce(FINER)  # each pixel is the mean of 4 x 4


def _box(bird: Bird) -> tuple[float, float, float, float]:
    """Left, top, width and height of all that is drawn of it, in shares of the picture's side."""
    points = _place_points(bird, _outline(bird.pose))
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return left, top, right - left, bottom - top


def _keypoints(bird: Bird) -> list[tuple[float, float, float]]:
    """x, y and 1 for each of PARTS, all 0 for one that is not seen: the eye and the folded wing of
    its other side.
    """
    x, y = _head(bird.pose)
    down = 0.12 if bird.pose == "eating" else 0.0

    # a bird that looks left shows its left side
    near = bird.side
    far = SIDES[1 - SIDES.index(bird.side)]
    back, front = _feet(bird.pose)
    flying = bird.pose == "flying"

    # in the bird's own measure
    places = {
        "beak": (x - 0.3, y + 0.03 + 2 * down),
        "crown": (x + 0.03, y - 0.15),
        f"{near} eye": (x - 0.07, y - 0.03),
        f"{near} wing": (0.12, -0.72) if flying else (0.3, 0.04),
        "tail": (0.78, -0.05),
        f"{near} foot": front,
        f"{far} foot": back,
    }
    if flying:
        places[f"{far} wing"] = (0.4, -0.5)

    found = dict(zip(places, _place_points(bird, list(places.values())).tolist()))
    return [(*found[part], 1.0) if part in found else (0.0, 0.0, 0.0) for part in PARTS]

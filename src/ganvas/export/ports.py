"""The inputs of an exported generator: their names, shapes and meanings, and examples of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganvas.export.noise import Noise
from ganvas.gans.base import (
    GAN,
    AttributesInput,
    BoxInput,
    ChoiceInput,
    FeaturesInput,
    ImageInput,
    Input,
    KeyPointsInput,
    MaskInput,
    TextInput,
)

__all__ = ["PICTURE", "Port", "Sides", "draw_example", "list_ports", "noise_port", "picture_sides"]

PICTURE = "picture"  # the image that a generator is given; the one that it makes is "image"
Sides = tuple[int, int]  # height and width in pixels


@dataclass(frozen=True)
class Port:
    """An input of an exported generator.

    Attributes:
        name: in the file.
        argument: of `sample`; empty for noise.
        kind: what it is: "normal", "uniform", "class", "picture", "mask", "attributes", "text",
            "features", "box" or "keypoints".
        shape: for each image; "height" and "width" where the generator works at any size.
        more: what else a program should know, as JSON values.
        dtype: of its numbers.
    """

    name: str
    argument: str
    kind: str
    shape: tuple[int | str, ...]
    more: Mapping[str, Any] = field(default_factory=dict)
    dtype: torch.dtype = torch.float32

    @property
    def free_axes(self) -> list[int]:
        """The axes beside the batch, which is 0, that may have any length."""
        return [axis for axis, side in enumerate(self.shape, 1) if isinstance(side, str)]

    def describe(self) -> dict[str, Any]:
        """The input as JSON values."""
        kind = {"kind": self.kind, "type": str(self.dtype).removeprefix("torch.")}
        return kind | {"shape": ["batch", *self.shape]} | dict(self.more)


def picture_sides(gan: GAN) -> tuple[int | str, int | str]:
    """Height and width of the pictures that a GAN takes, by name where it takes any."""
    kind = gan.inputs.get("image")
    if isinstance(kind, ImageInput) and kind.own_size:
        return "height", "width"
    return gan.size, gan.size


def noise_port(noise: Noise, number: int) -> Port:
    """The input for a draw of noise: "noise", then "noise_2"."""
    name = f"noise_{number}" if number > 1 else "noise"
    return Port(name, "", noise.distribution, (noise.size,))


def list_ports(gan: GAN) -> list[Port]:
    """The inputs of `sample` beside noise, without the domain: each domain has a file."""
    sides = picture_sides(gan)
    return [
        _make_port(argument, kind, sides)
        for argument, kind in gan.inputs.items()
        if argument != "to"
    ]


def _make_port(argument: str, kind: Input, sides: tuple[int | str, int | str]) -> Port:
    """The port of one of a GAN's inputs."""
    match kind:
        case ChoiceInput(names):
            more = {"range": [0, len(names) - 1]}
            return Port(argument, argument, "class", (), more, torch.int64)
        case ImageInput(channels, multiple, _):
            more = {"range": [-1, 1], "multiple": multiple}
            return Port(PICTURE, argument, "picture", (channels, *sides), more)
        case MaskInput():
            more = {"range": [0, 1], "meaning": "1 in the hole, 0 around it"}
            return Port(argument, argument, "mask", (1, *sides), more)
        case AttributesInput(names, exclusive):
            more = {"names": list(names), "exclusive": [list(group) for group in exclusive]}
            return Port(argument, argument, "attributes", (len(names),), {"range": [0, 1], **more})
        case TextInput(length):
            more = {"meaning": "bytes of UTF-8, then zeros"}
            return Port(argument, argument, "text", (1, length), more, torch.uint8)
        case FeaturesInput(length):
            return Port(argument, argument, "features", (1, length))
        case BoxInput():
            more = {"meaning": "left, top, width, height in shares of the side", "range": [0, 1]}
            return Port(argument, argument, "box", (4,), more)
        case KeyPointsInput(parts):
            meaning = "x, y in shares of the side, and 1 where the part is given, else all 0"
            more = {"names": list(parts), "meaning": meaning, "range": [0, 1]}
            return Port(argument, argument, "keypoints", (len(parts), 3), more)


def draw_example(port: Port, count: int, sides: Sides, random: torch.Generator) -> Tensor:
    """Random values of an input, (count, ...).

    Args:
        port: the input.
        count: of images.
        sides: of pictures that may have any size.
        random: the source of the values.
    """
    named: dict[str, int] = dict(zip(("height", "width"), sides))
    shape = [count, *(named[side] if isinstance(side, str) else side for side in port.shape)]

    match port.kind:
        case "normal" | "features":
            return torch.randn(shape, generator=random)
        case "uniform" | "picture":
            return torch.rand(shape, generator=random) * 2 - 1
        case "class":
            return torch.randint(port.more["range"][1] + 1, shape, generator=random)
        case "attributes":
            return torch.randint(2, shape, generator=random).float()
        case "mask":
            mask = torch.zeros(shape)
            mask[..., shape[2] // 4 : shape[2] // 2, shape[3] // 4 : shape[3] // 2] = 1
            return mask
        case "text":
            letters = torch.randint(ord("a"), ord("z") + 1, shape, generator=random)
            letters[..., 3::6] = ord(" ")
            letters[..., shape[2] * 3 // 4 :] = 0  # the caption's end
            return letters.to(port.dtype)
        case "box":
            return torch.rand(shape, generator=random) * 0.4 + 0.1  # inside the image
        case "keypoints":
            points = torch.rand(shape, generator=random)
            given = (points[..., 2:] > 0.5).float()
            return torch.cat([points[..., :2], torch.ones_like(given)], -1) * given
    raise ValueError(f"no example for {port.kind}")

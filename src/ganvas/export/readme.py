"""The README of an exported folder: what the generator is, and ten lines that use it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["write_readme"]

# What makes an example of each kind of input, for ten images.
EXAMPLES = {
    "normal": "torch.randn({shape})",
    "uniform": "torch.rand({shape}) * 2 - 1",
    "class": "torch.arange(10) % {count}  # {names}",
    "picture": "torch.rand({shape}) * 2 - 1  # pictures, -1 is black and 1 white",
    "mask": "torch.ones({shape})  # 1 in the hole, 0 around it",
    "attributes": "torch.ones({shape})  # 1 or 0: {names}",
    "text": 'torch.tensor([[list(b"a red bird".ljust({length}, b"\\0"))]] * 10).byte()',
    "features": "torch.randn({shape})  # of your sentence encoder",
    "box": "torch.tensor([[0.2, 0.2, 0.6, 0.6]] * 10)  # left, top, width, height",
    "keypoints": "torch.full({shape}, 0.5)  # x, y, 1 if given: {names}",
}
# The first image as rows of pixels, by the number of channels.
FIRST_IMAGE = {1: "pixels[0, 0]", 3: "pixels[0].permute(1, 2, 0)", 4: "pixels[0].permute(1, 2, 0)"}
MOST_NAMES = 12  # in a comment
CARD = """# {title}

A generator of {kind}s, trained with Ganvas {ganvas}: recipe
`{recipe}`, GAN `{gan}`, {images:,} images shown.{licence}

## Use it

With PyTorch, safetensors and Pillow, in this folder:

```python
{code}
```

`model.py` has the generator's operations, `generator.safetensors` its weights. `config.json`
describes the inputs and the training data, and has the options from which Ganvas built the
generator.

## Inputs

{inputs}

The output is {output}.
"""


def write_readme(about: Mapping[str, Any]) -> str:
    """The README for a description by `describe_export`."""
    output = about["output"]
    inputs = [f"- `{name}`: {_describe_input(port)}" for name, port in about["inputs"].items()]
    if "fixed" in about:
        inputs.append(f"- none: {about['fixed']}")
    licence = about.get("licence")
    recipe = _tame(about["recipe"])
    grey = output["channels"] == "colour" and output["shape"][1] == 1
    return CARD.format(
        title=f"{recipe or about['gan']}, {'grey' if grey else output['channels']}",
        recipe=recipe,
        kind=about["output"]["kind"],
        licence=f" Licence: {licence}." if licence else "",
        code="\n".join(_write_example(about)),
        inputs="\n".join(inputs),
        output=f"`image`, float32 {_write_shape(output['shape'])} in [-1, 1]",
        **{name: about[name] for name in ("ganvas", "gan", "images")},
    )


def _write_example(about: Mapping[str, Any]) -> Iterator[str]:
    """Lines of Python that load the generator and use it once."""
    images = about["output"]["kind"] == "image"
    first = FIRST_IMAGE.get(about["output"]["shape"][1]) if images else None
    yield "import torch"
    if first:
        yield "from PIL import Image"
    yield from ("from model import generate, load", "")
    yield 'weights = load("generator.safetensors")'
    for name, port in about["inputs"].items():
        names = port.get("names") or about.get("classes") or []
        shown = [json.dumps(_tame(name), ensure_ascii=False) for name in names[:MOST_NAMES]]
        # Sides that may be any have the size of the training.
        shape = [about["size"] if isinstance(side, str) else side for side in port["shape"][1:]]
        example = EXAMPLES[port["kind"]].format(
            shape=", ".join(str(side) for side in (10, *shape)),
            length=shape[-1] if shape else 0,
            count=len(names),
            names=", ".join(shown) + ", ..." * (len(names) > MOST_NAMES),
        )
        yield f"{name} = {example}"
    shape = _write_shape([10, *about["output"]["shape"][1:]])
    yield f"image = generate(weights, {', '.join(about['inputs'])})  # {shape} in [-1, 1]"
    yield "pixels = ((image + 1) * 127.5).round().clamp(0, 255).byte()"
    if first:
        yield f'Image.fromarray({first}.numpy()).save("image.png")  # the first of ten'


def _tame(text: str) -> str:
    """A name from a stranger's file, without what would end a comment or a block of code."""
    printable = (letter if letter.isprintable() else " " for letter in str(text))
    return "".join(printable).replace("`", "'")


def _describe_input(port: Mapping[str, Any]) -> str:
    """An input in words."""
    words = f"{port['kind']}, {port['type']} {_write_shape(port['shape'])}"
    if "range" in port:
        words += f" from {port['range'][0]} to {port['range'][1]}"
    if "meaning" in port:
        words += f": {port['meaning']}"
    if port.get("multiple", 1) > 1:
        words += f"; height and width are multiples of {port['multiple']}"
    return words


def _write_shape(shape: list[int | str]) -> str:
    """A shape as in Python."""
    return f"({', '.join(str(side) for side in shape)}{',' * (len(shape) == 1)})"

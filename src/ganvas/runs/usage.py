"""The command that uses a trained GAN, by the inputs that it needs."""

import shlex
from pathlib import Path

from ganvas.gans.base import (
    GAN,
    AttributesInput,
    BoxInput,
    ChoiceInput,
    FeaturesInput,
    ImageInput,
    KeyPointsInput,
    MaskInput,
    TextInput,
)

__all__ = ["describe_use", "suggest_command"]


def suggest_command(gan: GAN, folder: str | Path) -> list[str]:
    """The words of a command that uses a run: `ganvas VERB FOLDER ...`.

    Files of the user are named picture.png and so on. The command is empty where no verb takes the
    GAN: one of attributes of several data sets.
    """
    kinds = {type(kind): kind for kind in gan.inputs.values()}
    # A GAN that takes an image is used on the user's own files.
    if AttributesInput in kinds and "known" in gan.schema.names:
        return []
    if MaskInput in kinds:
        return ["ganvas", "restore", str(folder), "image.png", "--mask", "mask.png"]
    if ImageInput in kinds:
        words = ["ganvas", "translate", str(folder), "image.png"]
        domains = gan.inputs.get("to")
        # the name shows what is translated to what
        return words + (["--to", domains.names[-1]] if isinstance(domains, ChoiceInput) else [])

    # All others generate images from noise, with whatever else they need: a box in the middle.
    words = ["ganvas", "sample", str(folder)]
    if TextInput in kinds:
        words += ["--caption", "a red bird"]
    if FeaturesInput in kinds:
        words += ["--caption-features", "caption.safetensors"]
    # Left, top, width and height in pixels of the generated image.
    if BoxInput in kinds:
        words += ["--box", f"{gan.size // 4},{gan.size // 4},{gan.size // 2},{gan.size // 2}"]
    if isinstance(parts := kinds.get(KeyPointsInput), KeyPointsInput):
        # Pixels of the generated image; one part is enough, the GAN places the others.
        words += ["--keypoint", f"{parts.parts[0]}={gan.size // 2},{gan.size // 2}"]
    return words


def describe_use(gan: GAN, folder: str | Path) -> str:
    """The end of an error message about a verb that does not fit a GAN: the one that does."""
    command = suggest_command(gan, folder)
    if command:
        return f"use {shlex.join(command)}"
    return f"use ganvas.load({str(folder)!r}).make from Python"

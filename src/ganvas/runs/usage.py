"""Which command uses a trained GAN, by the inputs that it needs."""

import shlex
from pathlib import Path

from ganvas.gans.base import (
    GAN,
    AttributesInput,
    BoxInput,
    FeaturesInput,
    ImageInput,
    KeyPointsInput,
    MaskInput,
    TextInput,
)


def suggest_command(gan: GAN, folder: str | Path) -> list[str]:
    """A command that uses a run of a GAN, by the inputs that it needs: the words of `ganvas VERB
    FOLDER ...`.

    Files of the user are named picture.png and so on. Empty where no verb can: a GAN of attributes
    of several sets.
    """
    kinds = {type(kind): kind for kind in gan.inputs.values()}
    if AttributesInput in kinds and "known" in gan.schema.names:
        return []
    if MaskInput in kinds:
        return ["ganvas", "restore", str(folder), "picture.png", "--mask", "mask.png"]
    if ImageInput in kinds:
        return ["ganvas", "translate", str(folder), "picture.png"]

    words = ["ganvas", "sample", str(folder)]
    if TextInput in kinds:
        words += ["--caption", "a red bird"]
    if FeaturesInput in kinds:
        words += ["--caption-features", "caption.safetensors"]
    if BoxInput in kinds:
        words += ["--box", f"{gan.size // 4},{gan.size // 4},{gan.size // 2},{gan.size // 2}"]
    if isinstance(parts := kinds.get(KeyPointsInput), KeyPointsInput):
        words += ["--keypoint", f"{parts.parts[0]}={gan.size // 2},{gan.size // 2}"]
    return words


def describe_use(gan: GAN, folder: str | Path) -> str:
    """The end of an error message about a verb that does not fit a GAN: what does."""
    command = suggest_command(gan, folder)
    return (
        f"use {shlex.join(command)}"
        if command
        else f"use ganvas.load({str(folder)!r}).make from Python"
    )

"""How to use a run and to train it further, as its page explains it."""

import shlex
from dataclasses import dataclass

import torch

from ganvas.gans.base import (
    GAN,
    AttributesInput,
    ChoiceInput,
    FeaturesInput,
    ImageInput,
    MaskInput,
    TextInput,
)
from ganvas.gans.options import build_gan
from ganvas.io.console import count_noun
from ganvas.runs.record import RunRecord
from ganvas.runs.usage import describe_use, suggest_command

__all__ = ["Instruction", "collect_instructions", "name_use", "suggest_resume"]


@dataclass(frozen=True)
class Instruction:
    """A sentence on how to use the run, and the command that does it, or an empty one."""

    text: str
    command: str


def collect_instructions(run: RunRecord, training: bool = False) -> list[Instruction]:
    """How to use the run, and how to train it further.

    Args:
        run: content of the run folder.
        training: whether the run is in training at this moment.
    """
    if run.checkpoint:
        with torch.device("meta"):  # only its inputs are needed, not its weights
            gan = build_gan(**run.about["gan"])
        instructions = _explain_use(gan, str(run.folder))
    else:
        first = count_noun(run.recipe.period("checkpoint_every"), "image")
        words = f"It can be used after its first checkpoint, which is saved after {first}."
        instructions = [Instruction(words, "")]

    if training:
        words = "Press Ctrl-C in its terminal to stop it; everything is saved. Resume training:"
        instructions.append(Instruction(words, suggest_resume(run)))
    elif run.state == "interrupted":
        instructions.append(Instruction("Resume training:", suggest_resume(run)))
    else:
        # The length of the whole run, not what is added to it.
        longer = f"{suggest_resume(run)} --images {2 * run.recipe.images}"
        instructions.append(Instruction("Train twice as long:", longer))
    return instructions


def suggest_resume(run: RunRecord) -> str:
    """The command that resumes a run."""
    return shlex.join(["ganvas", "train", "--out", str(run.folder)])


def _explain_use(gan: GAN, folder: str) -> list[Instruction]:
    """What a GAN can be used for, the usual first."""
    words = suggest_command(gan, folder)
    if not words:
        sentence = describe_use(gan, folder)
        return [Instruction(f"{sentence[:1].upper()}{sentence[1:]}.", "")]

    instructions = [Instruction(name_use(gan), shlex.join(words))]
    label = gan.inputs.get("label")
    if isinstance(label, ChoiceInput) and label.names:
        one = [*words, "--label", label.names[0]]
        instructions.append(Instruction("Generate images of one class:", shlex.join(one)))
    return instructions


def name_use(gan: GAN) -> str:
    """What the command does that uses a GAN."""
    kinds = {type(kind) for kind in gan.inputs.values()}
    if gan.kind == "point":
        return "Generate points:"
    if MaskInput in kinds:
        return "Fill the hole of an image, which is white in the mask:"
    if AttributesInput in kinds:
        return "Change the attributes of an image, each in turn:"
    if ImageInput in kinds:
        return "Translate an image:"
    if kinds & {TextInput, FeaturesInput}:
        return "Draw a caption, in words like those of the training captions:"
    return "Generate images:"

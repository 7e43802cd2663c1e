"""What a GAN takes and can do, as plain values for the page."""

from collections.abc import Mapping
from typing import Any

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
from ganvas.inference.originals import find_degradation
from ganvas.inference.translate import find_given_column

__all__ = ["describe_degradation", "describe_inputs", "list_views"]


def list_views(gan: GAN) -> list[str]:
    """The views that fit a GAN, in the order in which the page shows them."""
    kinds = {type(kind) for kind in gan.inputs.values()}
    views = ["watch"]
    if gan.kind == "image" and gan.unconditional:
        views += ["sample", "paint"]
    if MaskInput in kinds:
        views.append("paint")
    elif ImageInput in kinds and not _is_of_several_sets(gan):
        views.append("translate")
    if TextInput in kinds:
        views.append("place")
    return [*views, "judge"]


def describe_inputs(gan: GAN) -> dict[str, Any]:
    """Each input of a GAN by its name: a kind, and what the kind has."""
    return {name: _describe_input(kind) for name, kind in gan.inputs.items()}


def describe_degradation(gan: GAN, about: Mapping[str, Any]) -> dict[str, Any] | None:
    """How the images that a GAN translates were made of others; None: they were not.

    Args:
        gan: of a run.
        about: of a checkpoint of the run.
    """
    if "translate" not in list_views(gan):
        return None
    degradation = find_degradation(about, find_given_column(gan, None))
    if degradation is None:
        return None
    return {
        "kind": degradation.kind,
        "strength": degradation.strength,
        "own_size": degradation.own_size,
    }


def _is_of_several_sets(gan: GAN) -> bool:
    """Whether a GAN was trained on sets with different attributes, which no view can ask for."""
    has_attributes = any(isinstance(kind, AttributesInput) for kind in gan.inputs.values())
    return has_attributes and "known" in gan.schema.names


def _describe_input(kind: Input) -> dict[str, Any]:
    match kind:
        case ChoiceInput(names):
            return {"kind": "choice", "names": list(names)}
        case ImageInput(channels, multiple, own_size):
            return {
                "kind": "image",
                "channels": channels,
                "multiple": multiple,
                "own_size": own_size,
            }
        case MaskInput():
            return {"kind": "mask"}
        case AttributesInput(names, exclusive):
            return {
                "kind": "attributes",
                "names": list(names),
                "exclusive": [list(group) for group in exclusive],
            }
        case TextInput(length):
            return {"kind": "text", "length": length}
        case FeaturesInput(length):
            return {"kind": "features", "length": length}
        case BoxInput():
            return {"kind": "box"}
        case KeyPointsInput(parts):
            return {"kind": "keypoints", "parts": list(parts)}

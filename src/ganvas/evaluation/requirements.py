"""What a metric requires of the inputs, and where it is measured though nobody named it.

A requirement returns why a metric cannot be measured, or "".
"""

from collections.abc import Callable

from ganvas.data.builtin.points import MIXTURES
from ganvas.evaluation.inputs import EvaluationInputs
from ganvas.evaluation.unconditional import MANY_CLASSES
from ganvas.io.console import count_noun

__all__ = [
    "Requirement",
    "is_never_usual",
    "is_usual_for_few_classes",
    "is_usual_for_images",
    "is_usual_with_classifier",
    "is_usual_with_quick_features",
    "is_usual_without_labels",
    "require_attributes",
    "require_boxes",
    "require_classes",
    "require_count",
    "require_ground_truth",
    "require_inception",
    "require_lite0",
    "require_logits",
    "require_masks",
    "require_modes",
    "require_other_features",
    "require_two_directions",
    "require_two_of_each_class",
    "require_unseen",
]

Requirement = Callable[[EvaluationInputs], str]


# Of the features, the reference and the samples


def require_inception(inputs: EvaluationInputs) -> str:
    """The name is published for Inception features."""
    if inputs.features == "inception":
        return ""
    return f"that name is for Inception features; these are {inputs.features} features"


def require_lite0(inputs: EvaluationInputs) -> str:
    """The name is for Lite0 features."""
    if inputs.features == "lite0":
        return ""
    return f"that name is for Lite0 features; these are {inputs.features} features"


def require_other_features(inputs: EvaluationInputs) -> str:
    """The name must not be taken for those of published networks."""
    if inputs.features not in ("inception", "lite0"):
        return ""
    return "that name is for other features than Inception's and Lite0's"


def require_logits(inputs: EvaluationInputs) -> str:
    """The metric looks at logits of classes."""
    if inputs.features in ("lite0", "random", "pixels"):
        return f"{inputs.features} features do not classify"
    return ""


def require_unseen(inputs: EvaluationInputs) -> str:
    """The metric compares training images with images never trained on."""
    if inputs.reference.split == "all":
        return (
            "the training data is not known: evaluate a run with its own data, "
            "or give a published test set as the last argument"
        )
    return "" if len(inputs.reference.unseen_rows) else "no images were held out from training"


def require_modes(inputs: EvaluationInputs) -> str:
    """The metric counts known modes."""
    reference = inputs.reference
    if inputs.points:
        return "" if reference.name in MIXTURES else "their modes are not known"
    return "" if reference.dataset.labels is not None else f"{reference.name} has no labels"


def require_classes(inputs: EvaluationInputs) -> str:
    """The metric compares with the class that was requested for each sample."""
    if inputs.points:
        return "points are made without labels"
    if inputs.reference.dataset.labels is None:
        return f"{inputs.reference.name} has no labels"
    if inputs.requested is None:
        return f"{inputs.samples.name} was made without the labels of {inputs.reference.name}"
    return ""


def require_two_of_each_class(inputs: EvaluationInputs) -> str:
    """The metric takes a covariance of each class."""
    labels, names = inputs.reference.labels, inputs.reference.dataset.classes
    assert labels is not None and inputs.requested is not None
    real = labels.bincount(minlength=len(names))  # (classes,)
    fake = inputs.requested.bincount(minlength=len(names))
    few = (fake > 0) & ((fake < 2) | (real < 2))  # bool (classes,)
    if not few.any():
        return ""
    name = names[int(few.nonzero()[0])]
    return f"class {name} has fewer than 2 images; a larger --count makes more"


def require_count(count: int, why: str) -> Requirement:
    """The metric requires so many images in both sets."""

    def require(inputs: EvaluationInputs) -> str:
        samples, reference = inputs.samples, inputs.reference
        sets = ((samples.name, samples.count), (reference.name, len(reference.rows)))
        for name, found in sets:
            if found < count:
                pictures = count_noun(found, "image")
                return f"{name} has {pictures}, and {why} at least {count}; give more"
        return ""

    return require


# Of the GAN


def _takes_input(inputs: EvaluationInputs, name: str) -> bool:
    """Whether the samples are of a GAN that takes an input of that name."""
    sampler = inputs.samples.conditional
    return sampler is not None and name in sampler.gan.inputs


def require_ground_truth(inputs: EvaluationInputs) -> str:
    """The metric compares with the images that should have been generated."""
    sampler = inputs.samples.conditional
    if sampler and sampler.gan.has_ground_truth:
        return ""
    return "only for GANs with a ground truth, such as pix2pix and inpaint"


def require_masks(inputs: EvaluationInputs) -> str:
    """The metric looks into holes."""
    return "" if _takes_input(inputs, "mask") else "only for GANs that fill holes"


def require_two_directions(inputs: EvaluationInputs) -> str:
    """The metric translates forth and back."""
    return "" if _takes_input(inputs, "to") else "only for GANs that translate both ways"


def require_attributes(inputs: EvaluationInputs) -> str:
    """The metric compares with requested attributes."""
    if not _takes_input(inputs, "attributes"):
        return "only for GANs that change attributes"
    sampler = inputs.samples.conditional
    # the column exists where data sets with different attributes are put together
    if sampler and "known" in sampler.gan.schema.names:
        return "only where every attribute is known of every image"
    return ""


def require_boxes(inputs: EvaluationInputs) -> str:
    """The metric compares with requested boxes."""
    return "" if _takes_input(inputs, "box") else "only for GANs that take a box"


# Where a metric is measured though nobody named it


def is_usual_for_images(inputs: EvaluationInputs) -> bool:
    """Always, but for points."""
    return not inputs.points


def is_usual_with_classifier(inputs: EvaluationInputs) -> bool:
    """The features are a classifier's."""
    return "classifier" in inputs.features


def is_usual_for_few_classes(inputs: EvaluationInputs) -> bool:
    """The features are a classifier's, of so few classes that each has enough samples."""
    few = len(inputs.reference.dataset.classes) <= MANY_CLASSES
    return is_usual_with_classifier(inputs) and few


def is_usual_without_labels(inputs: EvaluationInputs) -> bool:
    """Points, or a classifier's features of samples without labels."""
    return inputs.points or (is_usual_with_classifier(inputs) and inputs.requested is None)


def is_usual_with_quick_features(inputs: EvaluationInputs) -> bool:
    """Features of all training images take minutes at most; Inception's take hours on a CPU."""
    return not inputs.points and inputs.features != "inception"


def is_never_usual(_: EvaluationInputs) -> bool:
    """Only on request."""
    return False

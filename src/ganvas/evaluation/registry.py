"""The metrics by name: what each requires, and which way is better."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ganvas.data.builtin.points import MIXTURES
from ganvas.errors import UserError, nearest
from ganvas.evaluation import conditional, unconditional
from ganvas.evaluation.inputs import (
    DENSITY_NEIGHBOURS,
    PRECISION_NEIGHBOURS,
    EvaluationInputs,
    Measurement,
)
from ganvas.evaluation.unconditional import MANY_CLASSES
from ganvas.io.console import count_noun

LOWER, HIGHER, ONE, NEITHER = "lower is better", "higher is better", "1 is best", ""

Requirement = Callable[[EvaluationInputs], str]  # why something cannot be measured, or ""


# What a metric may require


def require_inception(inputs: EvaluationInputs) -> str:
    """The name is published for Inception features."""
    if inputs.features == "inception":
        return ""
    return f"that name is for Inception features; these are {inputs.features} features"


def require_other_features(inputs: EvaluationInputs) -> str:
    """The name must not be taken for the published one."""
    if inputs.features != "inception":
        return ""
    return "that name is for other features than Inception's"


def require_logits(inputs: EvaluationInputs) -> str:
    """The metric looks at logits of classes."""
    if inputs.features in ("random", "pixels"):
        return f"{inputs.features} features do not classify"
    return ""


def require_unseen(inputs: EvaluationInputs) -> str:
    """The metric compares training images with images never trained on."""
    if inputs.reference.split == "all":
        return (
            "the training data is not known: evaluate a run with its own data, "
            "or give a published test set as the last argument"
        )
    return "" if len(inputs.reference.unseen_rows) else "no pictures were held out from training"


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
    real = labels.bincount(minlength=len(names))
    fake = inputs.requested.bincount(minlength=len(names))
    few = (fake > 0) & ((fake < 2) | (real < 2))
    if not few.any():
        return ""
    name = names[int(few.nonzero()[0])]
    return f"class {name} has fewer than 2 pictures; a larger --count makes more"


def require_count(count: int, why: str) -> Requirement:
    """The metric requires so many images in both sets."""

    def require(inputs: EvaluationInputs) -> str:
        samples, reference = inputs.samples, inputs.reference
        sets = ((samples.name, samples.count), (reference.name, len(reference.rows)))
        for name, found in sets:
            if found < count:
                pictures = count_noun(found, "picture")
                return f"{name} has {pictures}, and {why} at least {count}; give more"
        return ""

    return require


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


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        measure: measures it.
        better: which way, by the name of each value.
        requires: in this order.
        is_usual: whether it is measured when no metrics are named.
    """

    measure: Callable[[EvaluationInputs], Measurement]
    better: dict[str, str]
    requires: tuple[Requirement, ...] = ()
    is_usual: Callable[[EvaluationInputs], bool] = is_usual_for_images

    def obstacle(self, inputs: EvaluationInputs) -> str:
        """Why it cannot be measured, or ""."""
        return next(filter(None, (require(inputs) for require in self.requires)), "")


MANIFOLD = require_count(
    PRECISION_NEIGHBOURS + 1, f"a manifold with {PRECISION_NEIGHBOURS} neighbours needs"
)
DENSITY = require_count(
    DENSITY_NEIGHBOURS + 1, f"a manifold with {DENSITY_NEIGHBOURS} neighbours needs"
)
SPLITS = require_count(10, "10 splits need")

METRICS: dict[str, Metric] = {
    "fid": Metric(unconditional.measure_frechet, {"fid": LOWER}, (require_inception,)),
    "fd": Metric(unconditional.measure_frechet, {"fd": LOWER}, (require_other_features,)),
    "kid": Metric(unconditional.measure_kernel, {"kid": LOWER}, (require_inception,)),
    "kd": Metric(unconditional.measure_kernel, {"kd": LOWER}, (require_other_features,)),
    "inception_score": Metric(
        unconditional.measure_class_score,
        {"inception_score": HIGHER},
        (require_inception, SPLITS),
    ),
    "classifier_score": Metric(
        unconditional.measure_class_score,
        {"classifier_score": HIGHER},
        (require_other_features, require_logits, SPLITS),
    ),
    "precision": Metric(unconditional.measure_precision, {"precision": HIGHER}, (MANIFOLD,)),
    "recall": Metric(unconditional.measure_recall, {"recall": HIGHER}, (MANIFOLD,)),
    "density": Metric(unconditional.measure_density, {"density": ONE}, (DENSITY,)),
    "coverage": Metric(unconditional.measure_coverage, {"coverage": HIGHER}, (DENSITY,)),
    "memorisation": Metric(
        unconditional.measure_memorisation,
        {"memorisation": ONE, "copies": LOWER},
        (require_unseen,),
        is_usual_with_quick_features,
    ),
    "modes": Metric(
        unconditional.measure_modes,
        {"modes": HIGHER, "high_quality": HIGHER, "kl": LOWER},
        (require_modes,),
        is_usual_without_labels,
    ),
    "agreement": Metric(
        unconditional.measure_agreement,
        {"agreement": HIGHER},
        (require_classes,),
        is_usual_with_classifier,
    ),
    "class_fid": Metric(
        unconditional.measure_class_frechet,
        {"class_fid": LOWER},
        (require_inception, require_classes, require_two_of_each_class),
        is_never_usual,
    ),
    "class_fd": Metric(
        unconditional.measure_class_frechet,
        {"class_fd": LOWER},
        (require_other_features, require_classes, require_two_of_each_class),
        is_usual_for_few_classes,
    ),
    "fidelity": Metric(
        conditional.measure_fidelity,
        {"l1": LOWER, "psnr": HIGHER, "ssim": HIGHER},
        (conditional.require_ground_truth,),
    ),
    "holes": Metric(
        conditional.measure_holes,
        {"hole_l1": LOWER, "hole_psnr": HIGHER, "blur_l1": NEITHER, "blur_psnr": NEITHER},
        (conditional.require_masks,),
    ),
    "cycle": Metric(
        conditional.measure_cycle,
        {"cycle_a": LOWER, "cycle_b": LOWER},
        (conditional.require_two_directions,),
    ),
    "attributes": Metric(
        conditional.measure_attributes,
        {"attributes": HIGHER, "real_attributes": NEITHER},
        (conditional.require_attributes,),
    ),
    "places": Metric(
        conditional.measure_boxes,
        {"iou": HIGHER, "inside": HIGHER, "real_iou": NEITHER},
        (conditional.require_boxes,),
    ),
    "tstr": Metric(
        unconditional.measure_synthetic_training,
        {"tstr": HIGHER, "trtr": NEITHER},
        (require_classes, require_unseen),
        is_never_usual,
    ),
}
BETTER = {name: way for metric in METRICS.values() for name, way in metric.better.items()}
# What a user may name: a metric, with all its values, or one of its values alone.
METRIC_OF = {value: name for name, metric in METRICS.items() for value in metric.better} | {
    name: name for name in METRICS
}


def measure_metrics(
    inputs: EvaluationInputs, names: Sequence[str] | None = None
) -> dict[str, Measurement]:
    """Measure the metrics named, the usual ones, or all (see `choose_metrics`).

    Returns:
        By metric its measurement, with the requested values alone.

    Raises:
        UserError: as `choose_metrics`; or a single value was named that its metric does not give
            for these samples.
    """
    found = {}
    for name, requested in choose_metrics(names, inputs).items():
        whole = METRICS[name].measure(inputs)
        for value in requested & set(names or ()) - whole.values.keys():
            known = ", ".join(whole.values)
            raise UserError(f"--metrics {value}: {name} gives only {known} here")

        values = {
            value: number
            for value, number in whole.values.items()
            if value.removesuffix("_error") in requested
        }
        # The values by class are those of the metric's first value.
        first = next(iter(METRICS[name].better))
        by_class = whole.by_class if first in requested else {}
        found[name] = replace(whole, values=values, by_class=by_class)
    return found


def choose_metrics(names: Sequence[str] | None, inputs: EvaluationInputs) -> dict[str, set[str]]:
    """The metrics to measure, and of each the names of the requested values.

    Args:
        names: of metrics or of single values; None: the usual ones; ["all"]: every one that is
            possible.

    Raises:
        UserError: a name is unknown, or its metric cannot be measured here.
    """
    if names is None or list(names) == ["all"]:
        chosen = {}
        for name, metric in METRICS.items():
            wanted = names is not None or metric.is_usual(inputs)
            if wanted and not metric.obstacle(inputs):
                chosen[name] = set(metric.better)
        return chosen

    if "all" in names:
        raise UserError("--metrics all stands alone: it measures every metric that is possible")
    check_metric_names(names)
    chosen: dict[str, set[str]] = {}
    for name in names:
        metric = METRIC_OF[name]
        obstacle = METRICS[metric].obstacle(inputs)
        if obstacle:
            raise UserError(f"--metrics {name}: {obstacle}")
        values = METRICS[metric].better if name == metric else [name]
        chosen.setdefault(metric, set()).update(values)
    return chosen


def check_metric_names(names: Sequence[str]) -> None:
    """Refuse unknown metrics and values."""
    for name in names:
        if name not in METRIC_OF and list(names) != ["all"]:
            known = f"known: {', '.join(sorted(METRIC_OF))}"
            # where nothing is near, both are the list
            hints = dict.fromkeys([nearest(name, METRIC_OF), known])
            raise UserError(f"--metrics {name}: unknown metric; {' '.join(hints)}")

"""The metrics by name: what each requires, and which way is better."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ganvas.errors import UserError, nearest
from ganvas.evaluation import conditional, unconditional
from ganvas.evaluation.inputs import (
    EvaluationInputs,
    Measurement,
)
from ganvas.evaluation.requirements import (
    Requirement,
    is_never_usual,
    is_usual_for_few_classes,
    is_usual_for_images,
    is_usual_with_classifier,
    is_usual_with_quick_features,
    is_usual_without_labels,
    require_attributes,
    require_boxes,
    require_classes,
    require_count,
    require_ground_truth,
    require_inception,
    require_lite0,
    require_logits,
    require_masks,
    require_modes,
    require_other_features,
    require_two_directions,
    require_two_of_each_class,
    require_unseen,
)
from ganvas.evaluation.titles import find_keys

__all__ = [
    "BETTER",
    "HIGHER",
    "LOWER",
    "METRICS",
    "NEITHER",
    "ONE",
    "Metric",
    "check_metric_names",
    "choose_metrics",
    "measure_metrics",
]

LOWER, HIGHER, ONE, NEITHER = "lower is better", "higher is better", "1 is best", ""


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
        # In their order: a later requirement may rely on what an earlier one has made sure of.
        return next(filter(None, (require(inputs) for require in self.requires)), "")


# One sample per split at least; the published score has 5,000.
SPLITS = require_count(10, "10 splits need")

# In the order of the table's columns. Values through Inception have the published names.
METRICS: dict[str, Metric] = {
    "fid": Metric(unconditional.measure_frechet, {"fid": LOWER}, (require_inception,)),
    "fd_lite0": Metric(unconditional.measure_frechet, {"fd_lite0": LOWER}, (require_lite0,)),
    "fd": Metric(unconditional.measure_frechet, {"fd": LOWER}, (require_other_features,)),
    "kid": Metric(unconditional.measure_kernel, {"kid": LOWER}, (require_inception,)),
    "kd_lite0": Metric(unconditional.measure_kernel, {"kd_lite0": LOWER}, (require_lite0,)),
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
    "precision": Metric(unconditional.measure_precision, {"precision": HIGHER}),
    "recall": Metric(unconditional.measure_recall, {"recall": HIGHER}),
    "density": Metric(unconditional.measure_density, {"density": ONE}),
    "coverage": Metric(unconditional.measure_coverage, {"coverage": HIGHER}),
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
    "class_fd_lite0": Metric(
        unconditional.measure_class_frechet,
        {"class_fd_lite0": LOWER},
        (require_lite0, require_classes, require_two_of_each_class),
        is_usual_for_few_classes,
    ),
    "class_fd": Metric(
        unconditional.measure_class_frechet,
        {"class_fd": LOWER},
        (require_other_features, require_classes, require_two_of_each_class),
        is_usual_for_few_classes,
    ),
    "fidelity": Metric(
        conditional.measure_fidelity,
        {"l1": LOWER, "psnr": HIGHER, "ssim": HIGHER}
        | {"given_l1": NEITHER, "given_psnr": NEITHER, "given_ssim": NEITHER},
        (require_ground_truth,),
    ),
    "holes": Metric(
        conditional.measure_holes,
        {"hole_l1": LOWER, "hole_psnr": HIGHER, "blur_l1": NEITHER, "blur_psnr": NEITHER},
        (require_masks,),
    ),
    "cycle": Metric(
        conditional.measure_cycle,
        {"cycle_a": LOWER, "cycle_b": LOWER},
        (require_two_directions,),
    ),
    "attributes": Metric(
        conditional.measure_attributes,
        {"attributes": HIGHER, "real_attributes": NEITHER},
        (require_attributes,),
    ),
    "places": Metric(
        conditional.measure_boxes,
        {"iou": HIGHER, "inside": HIGHER, "real_iou": NEITHER},
        (require_boxes,),
    ),
    "tstr": Metric(
        unconditional.measure_synthetic_training,
        {"tstr": HIGHER, "trtr": NEITHER, "augmented": HIGHER},
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
        # Only values named one by one; a metric named as a whole gives what it can.
        named = set() if requested == METRICS[name].better.keys() else requested
        for value in named - whole.values.keys():
            known = ", ".join(whole.values)
            raise UserError(f"--metrics {value}: {name} gives only {known} here")

        values = {
            value: number
            for value, number in whole.values.items()
            if value.removesuffix("_error").removesuffix("_chance") in requested
        }
        # The values by class are those of the metric's first value.
        first = next(iter(METRICS[name].better))
        by_class = whole.by_class if first in requested else {}
        gap = any(math.isnan(value) for value in values.values())
        reason = whole.reason if gap else ""
        found[name] = replace(whole, values=values, by_class=by_class, reason=reason)
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
        # What cannot be measured is left out in silence: nobody named it.
        for name, metric in METRICS.items():
            wanted = names is not None or metric.is_usual(inputs)
            if wanted and not metric.obstacle(inputs):
                chosen[name] = set(metric.better)
        return chosen

    if "all" in names:
        raise UserError("--metrics all stands alone: it measures every metric that is possible")
    check_metric_names(names)

    # All are checked before any is measured, so that an error does not come after hours.
    chosen: dict[str, set[str]] = {}
    for name in names:
        key, obstacle = _suit_key(name, inputs)
        if obstacle:
            raise UserError(f"--metrics {name}: {obstacle}")
        # A name that is a metric's and also one of its values' means the whole metric.
        metric = METRIC_OF[key]
        values = METRICS[metric].better if key == metric else [key]
        chosen.setdefault(metric, set()).update(values)
    return chosen


def _suit_key(name: str, inputs: EvaluationInputs) -> tuple[str, str]:
    """Of what a name may mean, the first that can be measured here, and "".

    Where none can, the last, and why.
    """
    key, obstacle = "", ""
    for key in find_keys(name):
        obstacle = METRICS[METRIC_OF[key]].obstacle(inputs)
        if not obstacle:
            break
    return key, obstacle


def check_metric_names(names: Sequence[str]) -> None:
    """Refuse unknown metrics and values."""
    for name in names:
        if find_keys(name)[0] not in METRIC_OF and list(names) != ["all"]:
            known = f"known: {', '.join(sorted(METRIC_OF))}"
            # where nothing is near, both are the list
            hints = dict.fromkeys([nearest(name, METRIC_OF), known])
            raise UserError(f"--metrics {name}: unknown metric; {' '.join(hints)}")

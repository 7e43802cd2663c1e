"""The metrics by name: what each needs, and which way is better."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganvas.data.builtin.points import MIXTURES
from ganvas.errors import UserError, nearest
from ganvas.evaluation import conditional as trials
from ganvas.evaluation import unconditional as measures
from ganvas.evaluation.inputs import DENSITY_NEIGHBOURS, PRECISION_NEIGHBOURS, Case
from ganvas.evaluation.unconditional import MANY_CLASSES, Found
from ganvas.io.console import count_noun

LOWER, HIGHER, ONE, NEITHER = "lower is better", "higher is better", "1 is best", ""

Reason = Callable[[Case], str]  # why something cannot be measured in a case, or ""


# What a metric may need


def inception_features(case: Case) -> str:
    return (
        ""
        if case.features == "inception"
        else f"that name is for Inception features; these are {case.features} features"
    )


def other_features(case: Case) -> str:
    return (
        "" if case.features != "inception" else "that name is for other features than Inception's"
    )


def logits(case: Case) -> str:
    return (
        f"{case.features} features tell no classes apart"
        if case.features in ("random", "pixels")
        else ""
    )


def unseen(case: Case) -> str:
    if case.reference.split == "all":
        return "what was learnt from is not known: judge a run by its own data, or give a published test set as the last set"
    return "" if len(case.reference.unseen_rows) else "no pictures were held out from training"


def known_modes(case: Case) -> str:
    if case.kind == "point":
        return "" if case.reference.name in MIXTURES else "their modes are not known"
    return (
        "" if case.reference.dataset.labels is not None else f"{case.reference.name} has no labels"
    )


def wanted(case: Case) -> str:
    if case.kind == "point":
        return "points are made without labels"
    if case.reference.dataset.labels is None:
        return f"{case.reference.name} has no labels"
    return (
        ""
        if case.wanted is not None
        else f"{case.pictures.name} was made without the labels of {case.reference.name}"
    )


def two_a_class(case: Case) -> str:
    labels, names = case.reference.labels, case.reference.dataset.classes
    assert labels is not None and case.wanted is not None
    real, made = labels.bincount(minlength=len(names)), case.wanted.bincount(minlength=len(names))
    few = (made > 0) & ((made < 2) | (real < 2))
    return (
        f"class {names[int(few.nonzero()[0])]} has fewer than 2 pictures; a larger --count makes more"
        if few.any()
        else ""
    )


def at_least(count: int, why: str) -> Reason:
    """The need of so many pictures in both sets."""

    def few(case: Case) -> str:
        for name, there in (
            (case.pictures.name, case.pictures.count),
            (case.reference.name, len(case.reference.rows)),
        ):
            if there < count:
                return f"{name} has {count_noun(there, 'picture')}, and {why} at least {count}; give more"
        return ""

    return few


# Where a metric is taken though nobody named it


def for_pictures(case: Case) -> bool:
    return case.kind == "image"


def by_classifier(case: Case) -> bool:
    return "classifier" in case.features


def of_few_classes(case: Case) -> bool:
    return by_classifier(case) and len(case.reference.dataset.classes) <= MANY_CLASSES


def where_no_class_is_wanted(case: Case) -> bool:
    return case.kind == "point" or (by_classifier(case) and case.wanted is None)


def where_features_are_quick(case: Case) -> bool:
    return for_pictures(case) and case.features != "inception"


def on_request(_: Case) -> bool:
    return False


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        measure: takes it.
        better: which way, by the name of each value.
        needs: in this order.
        usual: whether it is taken when no metrics are named.
    """

    measure: Callable[[Case], Found]
    better: dict[str, str]
    needs: tuple[Reason, ...] = ()
    usual: Callable[[Case], bool] = for_pictures

    def lacks(self, case: Case) -> str:
        """Why it cannot be taken, or ""."""
        return next(filter(None, (reason(case) for reason in self.needs)), "")


MANIFOLD = at_least(
    PRECISION_NEIGHBOURS + 1, f"a manifold with {PRECISION_NEIGHBOURS} neighbours needs"
)
DENSITY = at_least(DENSITY_NEIGHBOURS + 1, f"a manifold with {DENSITY_NEIGHBOURS} neighbours needs")
SPLITS = at_least(10, "10 splits need")
METRICS: dict[str, Metric] = {
    "fid": Metric(measures.distance, {"fid": LOWER}, (inception_features,)),
    "fd": Metric(measures.distance, {"fd": LOWER}, (other_features,)),
    "kid": Metric(measures.kernel, {"kid": LOWER}, (inception_features,)),
    "kd": Metric(measures.kernel, {"kd": LOWER}, (other_features,)),
    "inception_score": Metric(
        measures.score, {"inception_score": HIGHER}, (inception_features, SPLITS)
    ),
    "classifier_score": Metric(
        measures.score, {"classifier_score": HIGHER}, (other_features, logits, SPLITS)
    ),
    "precision": Metric(measures.precision, {"precision": HIGHER}, (MANIFOLD,)),
    "recall": Metric(measures.recall, {"recall": HIGHER}, (MANIFOLD,)),
    "density": Metric(measures.density, {"density": ONE}, (DENSITY,)),
    "coverage": Metric(measures.coverage, {"coverage": HIGHER}, (DENSITY,)),
    "memorisation": Metric(
        measures.memorisation,
        {"memorisation": ONE, "copies": LOWER},
        (unseen,),
        where_features_are_quick,
    ),
    "modes": Metric(
        measures.found_modes,
        {"modes": HIGHER, "high_quality": HIGHER, "kl": LOWER},
        (known_modes,),
        where_no_class_is_wanted,
    ),
    "agreement": Metric(measures.agreement, {"agreement": HIGHER}, (wanted,), by_classifier),
    "class_fid": Metric(
        measures.class_distance,
        {"class_fid": LOWER},
        (inception_features, wanted, two_a_class),
        on_request,
    ),
    "class_fd": Metric(
        measures.class_distance,
        {"class_fd": LOWER},
        (other_features, wanted, two_a_class),
        of_few_classes,
    ),
    "fidelity": Metric(
        trials.fidelity, {"l1": LOWER, "psnr": HIGHER, "ssim": HIGHER}, (trials.has_ground_truth,)
    ),
    "holes": Metric(
        trials.in_holes,
        {"hole_l1": LOWER, "hole_psnr": HIGHER, "blur_l1": NEITHER, "blur_psnr": NEITHER},
        (trials.holes,),
    ),
    "cycle": Metric(trials.cycle, {"cycle_a": LOWER, "cycle_b": LOWER}, (trials.two_ways,)),
    "attributes": Metric(
        trials.attributes, {"attributes": HIGHER, "real_attributes": NEITHER}, (trials.attributed,)
    ),
    "places": Metric(
        trials.places, {"iou": HIGHER, "inside": HIGHER, "real_iou": NEITHER}, (trials.boxed,)
    ),
    "tstr": Metric(
        measures.synthetic_training, {"tstr": HIGHER, "trtr": NEITHER}, (wanted, unseen), on_request
    ),
}
BETTER = {name: way for metric in METRICS.values() for name, way in metric.better.items()}
# What can be asked for: a metric, with all its values, or one of its values alone.
METRIC_OF = {value: name for name, metric in METRICS.items() for value in metric.better} | {
    name: name for name in METRICS
}


def choose(names: Sequence[str] | None, case: Case) -> dict[str, set[str]]:
    """The metrics to take in a case, and of each the names of the values wanted.

    Args:
        names: of metrics or of single values; None: the usual ones; ["all"]: every one that is
            possible.

    Raises:
        UserError: there is none of that name, or it cannot be taken here.
    """
    if names is None or list(names) == ["all"]:
        every = names is not None
        possible = {
            name: metric
            for name, metric in METRICS.items()
            if (every or metric.usual(case)) and not metric.lacks(case)
        }
        return {name: set(metric.better) for name, metric in possible.items()}
    if "all" in names:
        raise UserError("--metrics all stands alone: it takes every metric that is possible")
    check_names(names)
    chosen: dict[str, set[str]] = {}
    for name in names:
        metric = METRIC_OF[name]
        reason = METRICS[metric].lacks(case)
        if reason:
            raise UserError(f"--metrics {name}: {reason}")
        chosen.setdefault(metric, set()).update(
            METRICS[metric].better if name == metric else [name]
        )
    return chosen


def check_names(names: Sequence[str]) -> None:
    """Refuse metrics and values that there are none of."""
    for name in names:
        if name not in METRIC_OF and list(names) != ["all"]:
            known = f"known: {', '.join(sorted(METRIC_OF))}"
            # where nothing is near, both are the list
            hints = dict.fromkeys([nearest(name, METRIC_OF), known])
            raise UserError(f"--metrics {name}: there is none of that name; {' '.join(hints)}")

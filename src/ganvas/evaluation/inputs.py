"""What the metrics look at: a set of samples, the real images, and the features of both."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.extractors import class_extractor
from ganvas.evaluation.metrics.classifier import Classifier, StackedClassifier
from ganvas.evaluation.metrics.features import CHUNK, Extractor, ImageFeatures, extract_features
from ganvas.evaluation.metrics.manifold import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    find_nearest,
    precision_recall,
)
from ganvas.evaluation.references import Reference, features_of_rows, unseen_distances
from ganvas.evaluation.samples import SampleSet
from ganvas.io.console import track

__all__ = [
    "DENSITY_NEIGHBOURS",
    "ENOUGH",
    "PRECISION_NEIGHBOURS",
    "EvaluationInputs",
    "Measurement",
]

MOST_NEIGHBOURS = 10_000  # images of each set among which neighbours are searched
PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS = 3, 5  # as in the papers
ENOUGH = 100  # images; a share of fewer is mostly chance


@dataclass(frozen=True)
class Measurement:
    """What a metric gives: values, and all that decided them.

    Attributes:
        values: by name; `NAME_error` is a standard error, `NAME_chance` what chance gives; NaN
            where there is no value.
        protocol: all that decides the values, as JSON. Only values of equal protocols compare.
        by_class: the first of the values by class or attribute, where the metric has it.
        reason: why a value is missing.
    """

    values: dict[str, float]
    protocol: dict[str, Any]
    by_class: dict[str, float] = field(default_factory=dict)
    reason: str = ""


class EvaluationInputs:
    """What the metrics look at. Each part is computed when a metric first needs it, and kept.

    Args:
        samples: to evaluate.
        reference: what they are compared with.
        extractor: gives features of both.
        seed: of all random choices among the samples.
        device: where the classifier runs, if it is needed beside `extractor`.
        progress: show progress bars on stderr.

    Raises:
        UserError: images of different sizes or channels.
    """

    def __init__(
        self,
        samples: SampleSet,
        reference: Reference,
        extractor: Extractor,
        seed: int = 0,
        device: torch.device | str = "cpu",
        progress: bool = False,
    ):
        _check_comparable(samples, reference)
        self.samples = samples
        self.reference = reference
        self.extractor = extractor

        self.seed = seed
        self.device = torch.device(device)
        self.progress = progress

    def measurement(
        self, values: dict[str, float], by_class: dict[str, float] | None = None, **more: Any
    ) -> Measurement:
        """The values of a metric with their protocol.

        Args:
            values: by name.
            by_class: the first of the values by class.
            more: what else decided the values, besides features, reference, count and seed.
        """
        return Measurement(values, self.protocol() | more, by_class or {})

    def missing(self, name: str, reason: str) -> Measurement:
        """A metric without a value, and why."""
        return Measurement({name: math.nan}, self.protocol(), reason=reason)

    def protocol(self) -> dict[str, Any]:
        """What decides the values of every metric, as JSON."""
        return {
            "features": self.extractor.protocol,
            "reference": self.reference.about(),
            "count": self.samples.count,
            "seed": self.seed,
        }

    def classifier_protocol(self) -> dict[str, Any]:
        """What decides the classes seen, besides `protocol`: the classifier, if it is another."""
        if self.classifier is self.extractor:
            return {}
        return {"classifier": self.classifier.protocol}

    def class_protocol(self) -> dict[str, Any]:
        """What decides values by class, besides `protocol`: the classes, where some are absent."""
        assert self.requested is not None
        names, present = self.reference.dataset.classes, self.requested.unique().tolist()
        if len(present) == len(names):
            return {}
        return {"classes": [names[number] for number in present]}

    @property
    def features(self) -> str:
        """The extractor's name."""
        return self.extractor.protocol["extractor"]

    @property
    def points(self) -> bool:
        """Whether points are evaluated instead of images."""
        return self.reference.dataset.kind == "point"

    @cached_property
    def requested(self) -> Tensor | None:
        """The class that each sample should show, as a number of the reference's, int64 (N,).

        None: not known.
        """
        labels, names = self.samples.labels, self.reference.dataset.classes
        if labels is None or not set(self.samples.classes) <= set(names):
            return None
        # By name, because samples and reference may number the same classes in other orders.
        return torch.tensor([names.index(name) for name in self.samples.classes])[labels]

    @cached_property
    def fake(self) -> ImageFeatures:
        """Features of the samples, (N, F), and logits where the extractor has them."""
        return self.extract(self.extractor, f"features of {self.samples.name}")

    def extract(self, extractor: Extractor, what: str) -> ImageFeatures:
        """Features of the samples by an extractor; `what` stands beside the progress bar."""
        total = -(-self.samples.count // CHUNK)
        chunks = track(self.samples.chunks(), what, total, shown=self.progress)
        return extract_features(extractor, chunks)

    @cached_property
    def real(self) -> Tensor:
        """Features of the real images compared with, (M, F)."""
        return features_of_rows(
            self.extractor, self.reference.dataset, self.reference.rows, self.progress
        )

    @cached_property
    def neighbourhood(self) -> tuple[Tensor, Tensor]:
        """Equally many features of both sets, real and fake, for metrics of neighbours.

        Of the larger set a random choice.
        """
        # These metrics depend on both counts, so neither set may be the larger one.
        count = min(len(self.real), self.samples.count, MOST_NEIGHBOURS)
        random = torch.Generator().manual_seed(self.seed)
        # drawn, because samples from files may lie there class by class
        chosen = torch.randperm(self.samples.count, generator=random)[:count]
        return self.real[:count], self.fake.values[chosen]  # the real ones are shuffled already

    @property
    def are_few(self) -> bool:
        """Whether a set is so small that a share of its neighbours is mostly chance."""
        return min(self.samples.count, len(self.reference.rows)) < ENOUGH

    @cached_property
    def precision_recall(self) -> PrecisionRecall:
        """Kynkaanniemi et al. 2019."""
        return precision_recall(*self.neighbourhood, PRECISION_NEIGHBOURS)

    @cached_property
    def density_coverage(self) -> DensityCoverage:
        """Naeem et al. 2020."""
        return density_coverage(*self.neighbourhood, DENSITY_NEIGHBOURS)

    @cached_property
    def training_distances(self) -> tuple[Tensor, Tensor]:
        """From each sample to the nearest training image.

        Distances float64 (N,), and places in `train_rows`, int64 (N,).
        """
        reference = self.reference
        train = features_of_rows(
            self.extractor, reference.train, reference.train_rows, self.progress
        )
        return find_nearest(self.fake.values, train)

    @cached_property
    def unseen_distances(self) -> tuple[Tensor, Tensor]:
        """From real images that were never trained on to the nearest training image."""
        return unseen_distances(self.extractor, self.reference, self.progress)

    @cached_property
    def classifier(self) -> Classifier | StackedClassifier:
        """What classifies the samples: the extractor itself, if it can."""
        if isinstance(self.extractor, Classifier | StackedClassifier):
            return self.extractor
        return class_extractor(self.reference, None, self.device, self.progress)

    @cached_property
    def predicted(self) -> Tensor:
        """The class that the classifier sees in each sample, int64 (N,)."""
        if self.classifier is self.extractor:
            logits = self.fake.logits
        else:
            logits = self.extract(self.classifier, f"classes of {self.samples.name}").logits
        assert logits is not None
        return logits.argmax(1)


def _check_comparable(samples: SampleSet, reference: Reference) -> None:
    """Refuse samples whose size or channels are not those of the reference."""
    data = reference.dataset
    if (samples.size, samples.channels) == (data.size, data.channels):
        return

    if (2, 1) in ((samples.channels, samples.size), (data.channels, data.size)):
        advice = ""  # points and images cannot be brought to one size
    elif samples.size != data.size:
        advice = f"; bring both to one, e.g. --size {min(samples.size, data.size)}"
    else:
        advice = f"; bring both to one, e.g. --channels {data.channels}"
    raise UserError(
        f"{samples.name} holds {samples.describe()} and {reference.name} {data.describe()}{advice}"
    )

"""A case to be judged: a set of pictures, the real ones they are compared with, and the features
through which both are seen.
"""

from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.evaluation.extractors import class_extractor
from ganvas.evaluation.metrics.classifier import Classifier, StackedClassifier
from ganvas.evaluation.metrics.features import CHUNK, Extractor, Features, extract
from ganvas.evaluation.metrics.manifold import (
    DensityCoverage,
    PrecisionRecall,
    density_coverage,
    nearest,
    precision_recall,
)
from ganvas.evaluation.references import Reference, digest, features_of, shown, unseen_distances
from ganvas.evaluation.samples import Pictures
from ganvas.schema import kind_of_channels

MOST_NEIGHBOURS = 10_000  # pictures of each set among which neighbours are looked for
PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS = 3, 5  # as the papers


class Case:
    """What the metrics look at. Each part is made when a metric first asks for it, and kept.

    Args:
        pictures: to be judged.
        reference: what they are compared with.
        extractor: looks at both.
        seed: of all choices at random among the pictures.
        device: where the classifier looks, if it is needed beside `extractor`.
        progress: show progress bars on stderr.

    Raises:
        UserError: pictures of different sizes, channels or classes.
    """

    def __init__(
        self,
        pictures: Pictures,
        reference: Reference,
        extractor: Extractor,
        seed: int = 0,
        device: torch.device | str = "cpu",
        progress: bool = False,
    ):
        self.pictures, self.reference, self.extractor = pictures, reference, extractor
        self.seed, self.device, self.progress = seed, torch.device(device), progress
        data = reference.dataset
        if (pictures.size, pictures.channels) != (data.size, data.channels):
            advice = (
                ""
                if "point" in (kind_of_channels(pictures.channels), data.kind)
                else "; bring both to one, e.g. "
            )
            if advice:
                least = min(pictures.size, data.size)
                advice += (
                    f"--size {least}"
                    if pictures.size != data.size
                    else f"--channels {data.channels}"
                )
            raise UserError(
                f"{pictures.name} holds {pictures.kind} and {reference.name} {data.describe()}{advice}"
            )

    @property
    def features(self) -> str:
        """The extractor's name."""
        return self.extractor.protocol["extractor"]

    @property
    def kind(self) -> Literal["image", "point"]:
        """What is measured."""
        return self.reference.dataset.kind

    @cached_property
    def wanted(self) -> Tensor | None:
        """The class that each picture should show, as a number of the reference's, int64 (N,);

        None: there is none.
        """
        labels, names = self.pictures.labels, self.reference.dataset.classes
        if labels is None or not set(self.pictures.classes) <= set(names):
            return None
        return torch.tensor([names.index(name) for name in self.pictures.classes])[labels]

    @cached_property
    def samples(self) -> Features:
        """Features of the pictures judged."""
        return self.look(self.extractor, "features of " + self.pictures.name)

    def look(self, extractor: Extractor, what: str) -> Features:
        """The pictures judged, through an extractor."""
        total = -(-self.pictures.count // CHUNK)
        return extract(extractor, shown(self.pictures.pieces(), total, what, self.progress))

    @cached_property
    def real(self) -> Tensor:
        """Features of the pictures compared with, (M, F)."""
        return features_of(
            self.extractor, self.reference.dataset, self.reference.rows, self.progress
        )

    @cached_property
    def neighbourhood(self) -> tuple[Tensor, Tensor]:
        """As many features of both sets, real and judged, as the measures of neighbours want it: at
        random, of the larger set.
        """
        count = min(len(self.real), self.pictures.count, MOST_NEIGHBOURS)
        random = torch.Generator().manual_seed(self.seed)
        chosen = torch.randperm(self.pictures.count, generator=random)[:count]
        return self.real[:count], self.samples.values[chosen]

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
        """From each picture judged to the nearest training picture: distances float64 (N,), places
        in `shown` int64 (N,).
        """
        train = features_of(
            self.extractor, self.reference.train, self.reference.shown, self.progress
        )
        distances, places = nearest(self.samples.values, train)
        return distances[:, 0], places[:, 0]

    @cached_property
    def unseen_distances(self) -> tuple[Tensor, Tensor]:
        """The same from real pictures that were never trained on."""
        return unseen_distances(self.extractor, self.reference, self.progress)

    @cached_property
    def classifier(self) -> Classifier | StackedClassifier:
        """What tells the classes apart: the extractor itself, if it can."""
        if isinstance(self.extractor, Classifier | StackedClassifier):
            return self.extractor
        return class_extractor(self.reference, None, self.device, self.progress)

    @cached_property
    def seen(self) -> Tensor:
        """The class that the classifier sees in each picture judged, int64 (N,)."""
        own = self.classifier is self.extractor
        logits = (
            self.samples if own else self.look(self.classifier, "classes of " + self.pictures.name)
        ).logits
        assert logits is not None
        return logits.argmax(1)

    def protocol(self) -> dict[str, Any]:
        """All that decides the values, as JSON; values of different protocols are not comparable."""
        found: dict[str, Any] = {
            "features": self.extractor.protocol,
            "reference": self.reference.about(),
            "count": self.pictures.count,
            "seed": self.seed,
        }
        if "classifier" in self.__dict__ and self.classifier is not self.extractor:
            found["classifier"] = self.classifier.protocol
        if "neighbourhood" in self.__dict__:
            found["neighbours"] = {
                "precision and recall": PRECISION_NEIGHBOURS,
                "density and coverage": DENSITY_NEIGHBOURS,
                "pictures": len(self.neighbourhood[0]),
            }
        if "unseen_distances" in self.__dict__:
            found["memorisation"] = {
                "training": len(self.reference.shown),
                "unseen": len(self.unseen_distances[0]),
            }
            found["held out"] = digest(self.reference.unseen_rows)
        if "wanted" in self.__dict__ and self.wanted is not None:
            names, present = self.reference.dataset.classes, self.wanted.unique().tolist()
            if len(present) < len(names):
                found["classes"] = [names[number] for number in present]
        return found

"""What the doctor measures while a GAN trains: a few samples compared with real images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader, on_device
from ganvas.data.pick import choose_rows, spread_evenly
from ganvas.evaluation.metrics.features import Extractor, Pixels, RandomEmbedding
from ganvas.gans.base import GAN
from ganvas.inference.sampling import evaluation, sample_gan, sample_rows
from ganvas.io.chunks import chunk_ranges
from ganvas.io.images import to_uint8
from ganvas.io.resizing import resize
from ganvas.recipes.recipe import Recipe
from ganvas.rng import RowRng, fold_in
from ganvas.training.class_guess import ClassGuess, NearestClassifier, RidgeClassifier
from ganvas.training.look import Look
from ganvas.training.variety import Variety, describe_images, mean_distance

__all__ = ["SAMPLES", "Checkup", "features_shape"]

SAMPLES = 128  # generated at each checkup, always from the same noise
REFERENCES = 4_000  # real images that samples are compared with
JUDGED = 256  # real images, seen in training and not, whose scores are compared
MOST_CLASSES = 32  # with more, the samples are too few to tell which are missing
LARGEST = 32  # pixels; larger images are shrunk before their features are computed
# Images generated and scored together, so that a checkup needs no more memory than a step.
PIECE = 32
FEATURES = 256  # numbers an image


class Checkup:
    """Compares a GAN's samples and scores with real images, always the same ones.

    Args:
        recipe: of the run.
        gan: of the run.
        dataset: what it trains on.
        loader: knows which images it does not see.
        device: where the GAN is.
    """

    def __init__(
        self, recipe: Recipe, gan: GAN, dataset: Dataset, loader: Loader, device: torch.device
    ):
        self.recipe = recipe
        self.dataset = dataset
        self.device = device
        self.target = gan.target
        self.kind = gan.kind
        self.extractor = self._make_extractor(gan)

        # Real images of the set that holds what the GAN generates; two domains are two sets.
        sampler = next(each for each in loader.orders if gan.target in each.dataset.columns)
        chosen = sampler.choose(REFERENCES)
        parts = np.split(chosen, range(PIECE, len(chosen), PIECE))
        features, shown = [], []
        # Part by part: 4,000 large images would not fit into memory.
        for part in parts:
            images = sampler.dataset.batch(part)[gan.target]
            features.append(self.extract(images))
            shown.append(describe_images(images))
        self.reference = torch.cat(features)  # (REFERENCES, F)
        self.labels = None if dataset.labels is None else torch.from_numpy(dataset.labels[chosen])
        self.guess = self._make_guess()
        self.variety = Variety(torch.cat(shown), self.labels)

        # 1,000 of them, since all would be 16 million distances.
        few = self.reference[choose_rows(np.arange(len(chosen)), 1_000)]
        self.spread = mean_distance(torch.cdist(few, few))
        # The second nearest: the nearest of a real image is itself.
        distances = torch.cdist(few, self.reference)
        self.closeness = distances.kthvalue(2).values.median().item()

        self.seen = loader.seen(JUDGED)
        self.unseen = loader.unseen(recipe.test_view, JUDGED)
        self.look = Look(self.seen[gan.target]) if self.kind == "image" else None

    def _make_extractor(self, gan: GAN) -> Extractor:
        if self.kind == "point":
            return Pixels()
        side = min(LARGEST, gan.size)
        return RandomEmbedding(side, gan.channels, FEATURES, device=self.device)

    def _make_guess(self) -> ClassGuess | None:
        # With too many classes the samples are too few to say which are missing.
        classes = len(self.dataset.classes)
        if self.labels is None or classes > MOST_CLASSES or len(self.labels.unique()) < 2:
            return None
        if self.kind == "point":
            return NearestClassifier(self.reference, self.labels)
        return RidgeClassifier(self.reference, self.labels, classes)

    @torch.no_grad()
    def measure(
        self, gan: GAN, sampler: GAN, before: Tensor | None
    ) -> tuple[dict[str, Any], Tensor]:
        """Look at the GAN, and at samples of `sampler`: the GAN itself or with averaged weights.

        Args:
            gan: that trains.
            sampler: whose samples count.
            before: the features that the last checkup returned, to see what has changed since.

        Returns:
            What was measured, and the features of the samples, float32 (SAMPLES, F).
        """
        labels = self.list_labels(gan)
        requested = labels if "label" in gan.inputs else None
        generated, fake = self.generate_samples(sampler, labels)
        images = generated if self.kind == "point" else to_uint8(generated)
        features = self.extract(images)

        found: dict[str, Any] = {
            f"{name}/weight_norm": _weight_norm(values) for name, values in gan.players().items()
        }

        # (SAMPLES, REFERENCES). The closeness is 0 where half of the real images have a copy.
        distances = torch.cdist(features, self.reference)
        found["distance"] = distances.amin(1).median().item() / max(self.closeness, 1e-12)
        found |= self.variety.compare(images, requested)
        # Row by row: sample and sample before have the same noise, so only the weights differ.
        if before is not None and self.spread:
            found["change"] = ((features - before).norm(dim=1).mean() / self.spread).item()
        if self.guess is not None:
            found |= self.measure_classes(*self.guess(features), requested)
        if self.look is not None:
            found |= self.look.compare(images)
        if self.unseen is not None:
            found |= self.measure_overfitting(gan, fake | {self.target: generated})
        return found, features

    def generate_samples(self, sampler: GAN, labels: list[int]) -> tuple[Tensor, dict[str, Tensor]]:
        """Samples, float (SAMPLES, C, H, W), and the other columns of their rows."""
        seed = fold_in(self.recipe.seed, "checkup")
        if not sampler.unconditional:
            rows = {name: values[:SAMPLES] for name, values in self.seen.items()}
            return self.generate_from_rows(sampler, rows, seed), rows

        parts = []
        for rows in chunk_ranges(SAMPLES, PIECE):
            own = labels[rows.start : rows.stop]
            parts.append(sample_rows(sampler, rows, seed, self.device, own))
        return torch.cat(parts), {"label": torch.tensor(labels)}

    def generate_from_rows(self, sampler: GAN, rows: Mapping[str, Tensor], seed: int) -> Tensor:
        """What the GAN generates from rows of data, with inputs that make it comparable to them."""
        parts = []
        for numbers, batch in self.split_rows(rows):
            rng = RowRng(seed, numbers, self.device)
            parts.append(sample_gan(sampler, rng, len(numbers), sampler.make_inputs(batch, rng)))
        return torch.cat(parts)

    def extract(self, images: Tensor) -> Tensor:
        """Features, float32 (N, F), of uint8 (N, C, H, W) or, for points, of float (N, 2, 1, 1)."""
        side = min(LARGEST, self.dataset.size)
        parts = [resize(part, side, side) for part in images.split(PIECE)]
        return torch.cat([self.extractor(part).values for part in parts])

    def list_labels(self, gan: GAN) -> list[int]:
        """The classes of the samples, in turn; of many classes a few, so that several share one."""
        count = max(1, len(gan.classes))
        chosen = spread_evenly(MOST_CLASSES, count).tolist()
        return [chosen[row % len(chosen)] for row in range(SAMPLES)]

    def measure_classes(
        self, looks: Tensor, clear: Tensor, labels: list[int] | None
    ) -> dict[str, dict[str, float]]:
        """How far each class is present among the samples.

        Args:
            looks: the class that each sample looks like, int64 (N,).
            clear: whether that is clear, bool (N,).
            labels: the requested classes.

        Returns:
            "agreement", where classes were requested: the share of each one's samples that look
            like it. "classes" otherwise: its share among the clear samples over that among the
            real images; nothing where too few samples are clear.
        """
        assert self.labels is not None
        names = self.dataset.classes
        if labels is not None:
            requested = torch.tensor(labels)
            agreement = {}
            for label in sorted(set(labels)):
                right = (looks[requested == label] == label).float().mean().item()
                agreement[names[label]] = round(right, 3)
            return {"agreement": agreement}

        looks = looks[clear]
        if len(looks) < SAMPLES / 4:
            return {}
        fake = _class_shares(looks, len(names))
        real = _class_shares(self.labels, len(names))
        # A class that the reference lacks gives NaN or infinity, and is left out.
        ratios = zip(names, (fake / real).tolist())
        return {"classes": {name: round(ratio, 3) for name, ratio in ratios if np.isfinite(ratio)}}

    def measure_overfitting(self, gan: GAN, fake: Mapping[str, Tensor]) -> dict[str, float]:
        """By how much the discriminator scores unseen real images below seen ones.

        In score; as a share of the way from seen images (0) to samples (1); in standard errors.
        """
        assert self.unseen is not None
        with evaluation(gan):
            seen, unseen, fakes = (
                self.score(gan, batch) for batch in (self.seen, self.unseen, fake)
            )

        drop = seen.mean() - unseen.mean()
        gap = seen.mean() - fakes.mean()
        # Standard error of the difference of two means.
        error = (seen.var() / len(seen) + unseen.var() / len(unseen)).sqrt().clamp(min=1e-12)
        # Without a gap a share has no meaning; a tiny gap gives any number, so it is clamped.
        share = (drop / gap).clamp(-1, 2).item() if gap > 0 else 0.0
        return {
            "score_drop": drop.item(),
            "overfitting": share,
            "overfitting_errors": (drop / error).item(),
        }

    def score(self, gan: GAN, batch: Mapping[str, Tensor]) -> Tensor:
        """One float32 score an image, (N,), on the CPU."""
        found = []
        for numbers, piece in self.split_rows(batch):
            scores = gan.score(piece).float().cpu()
            # A discriminator of patches has many scores an image.
            found.append(scores.reshape(len(numbers), -1).mean(1))
        return torch.cat(found)

    def split_rows(self, rows: Mapping[str, Tensor]) -> Iterator[tuple[range, dict[str, Tensor]]]:
        """Rows of data in pieces: their numbers, and their columns on the device."""
        for numbers in chunk_ranges(len(rows[self.target]), PIECE):
            own = {name: values[numbers.start : numbers.stop] for name, values in rows.items()}
            yield numbers, on_device(own, self.device)


def features_shape(gan: GAN, loader: Loader) -> tuple[int, int]:
    """The shape of the features that `Checkup.measure` returns."""
    rows = SAMPLES
    if not gan.unconditional:
        rows = min(SAMPLES, *(len(sampler.shown) for sampler in loader.orders))
    return rows, gan.channels if gan.kind == "point" else FEATURES


def _class_shares(labels: Tensor, classes: int) -> Tensor:
    """The share of each class among labels (N,), float64 (classes,)."""
    return torch.bincount(labels, minlength=classes).double() / len(labels)


def _weight_norm(parameters: Sequence[nn.Parameter]) -> float:
    """Euclidean norm of all weights of a player."""
    # The norm of the norms is that of all numbers together; few kernels for many tensors.
    norms = torch._foreach_norm(list(parameters))  # pyright: ignore[reportPrivateImportUsage]
    return torch.stack(norms).norm().item()

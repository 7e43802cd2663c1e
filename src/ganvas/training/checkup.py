"""What the doctor measures while a GAN trains: one round watched, a few samples held against real
pictures.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader, on_device
from ganvas.data.pick import choose_rows, spread_evenly
from ganvas.evaluation.metrics.features import Extractor, Pixels, RandomEmbedding
from ganvas.gans.base import GAN, Update
from ganvas.inference.run import evaluation, generate, make
from ganvas.io.images import resize, to_uint8
from ganvas.recipes.recipe import Recipe
from ganvas.rng import RowRng, fold_in

SAMPLES = 128  # made at each checkup, always from the same noise
REFERENCES = 4_000  # real pictures that samples are held against
JUDGED = 256  # real pictures, seen in training and not, whose scores are compared
MOST_CLASSES = 32  # with more, the samples are too few to tell which are missing
LARGEST = 32  # pixels; larger pictures are shrunk before they are looked at
# pictures looked at, made and scored together, so that a checkup needs no more memory than a round
PIECE = 32
FEATURES = 256
RIDGE = 0.01  # penalty of the linear classifier, in shares of the number of pictures
# by which the best class must lead for a sample to be clear; 1 is the lead that a real picture is
# fitted to
MARGIN = 0.1


class StepProbe:
    """Notes what one round shows of the players; nothing is read from the device before `read`."""

    def __init__(self, decision_threshold: float | None):
        self.decision_threshold = decision_threshold
        self.seen: dict[str, list[Tensor]] = {}

    @torch.no_grad()
    def __call__(self, turn: Update, parameters: Sequence[nn.Parameter]) -> None:
        """Look at a turn whose gradients are there and whose player has not moved yet."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norms = torch._foreach_norm(gradients)  # pyright: ignore[reportPrivateImportUsage]
        self.note(f"{turn.player}/gradient_norm", torch.stack(norms).norm())
        if turn.scores:
            real, fake = (scores.detach().float().flatten() for scores in turn.scores)
            middle = (
                (real.mean() + fake.mean()) / 2
                if self.decision_threshold is None
                else self.decision_threshold
            )
            self.note("real_accuracy", (real > middle).float().mean())
            self.note("fake_accuracy", (fake < middle).float().mean())
            below = torch.searchsorted(fake.sort().values, real)  # fakes below each real picture
            self.note("separation", below.float().mean() / len(fake))
            self.note("score_gap", real.mean() - fake.mean())

    def note(self, key: str, value: Tensor) -> None:
        self.seen.setdefault(key, []).append(value)

    def read(self) -> dict[str, float]:
        """What was seen; means where a player moved twice."""
        return {key: torch.stack(values).mean().item() for key, values in self.seen.items()}


class Guess(Protocol):
    """Tells which class features (N, F) look like, int64 (N,), and whether that is clear, bool
    (N,).
    """

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]: ...


class Ridge:
    """A linear classifier of standardised features, fitted by least squares with a penalty: quick,
    and with one solution.
    """

    def __init__(self, features: Tensor, labels: Tensor, classes: int):
        self.mean, self.std = features.mean(0), features.std(0).clamp(min=1e-6)
        inputs, targets = self.prepared(features), nn.functional.one_hot(labels, classes).double()
        penalty = RIDGE * len(features) * torch.eye(inputs.shape[1], dtype=torch.float64)
        self.weights = torch.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ targets)

    def prepared(self, features: Tensor) -> Tensor:
        """Standardised, with a constant: float64 (N, F + 1)."""
        return nn.functional.pad((features - self.mean) / self.std, (0, 1), value=1.0).double()

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]:
        best, classes = (self.prepared(features) @ self.weights).topk(2, dim=1)
        return classes[:, 0], best[:, 0] - best[:, 1] > MARGIN


class Nearest:
    """The class of the nearest real one; always clear."""

    def __init__(self, features: Tensor, labels: Tensor):
        self.features, self.labels = features, labels

    def __call__(self, features: Tensor) -> tuple[Tensor, Tensor]:
        looks = self.labels[torch.cdist(features, self.features).argmin(1)]
        return looks, torch.ones(len(looks), dtype=torch.bool)


class Checkup:
    """Compares a GAN's samples and scores with real pictures, always the same ones.

    Args:
        recipe: of the run.
        gan: of the run.
        dataset: what it trains on.
        batches: tell which pictures it does not see.
        device: where the GAN is.
    """

    def __init__(
        self, recipe: Recipe, gan: GAN, dataset: Dataset, batches: Loader, device: torch.device
    ):
        self.recipe, self.dataset, self.device, self.target = recipe, dataset, device, gan.target
        self.kind = gan.kind
        side = min(LARGEST, gan.size)
        self.extractor: Extractor = (
            Pixels()
            if self.kind == "point"
            else RandomEmbedding(side, gan.channels, FEATURES, device=device)
        )
        order = next(order for order in batches.orders if gan.target in order.dataset.columns)
        chosen = order.choose(REFERENCES)
        parts = np.split(chosen, range(PIECE, len(chosen), PIECE))
        self.reference = torch.cat(
            [self.look(order.dataset.batch(part)[gan.target]) for part in parts]
        )
        self.labels = None if dataset.labels is None else torch.from_numpy(dataset.labels[chosen])
        few = self.reference[choose_rows(np.arange(len(chosen)), 1_000)]
        self.guess: Guess | None = None
        if (
            self.labels is not None
            and len(dataset.classes) <= MOST_CLASSES
            and len(self.labels.unique()) > 1
        ):
            known = self.reference, self.labels
            self.guess = (
                Nearest(*known) if self.kind == "point" else Ridge(*known, len(dataset.classes))
            )
        self.spread = mean_distance(few)
        # The second nearest: the nearest of a real picture is itself.
        self.closeness = torch.cdist(few, self.reference).kthvalue(2).values.median().item()
        self.seen, self.unseen = batches.seen(JUDGED), batches.unseen(recipe.test_view, JUDGED)

    @torch.no_grad()
    def measure(
        self, gan: GAN, sampler: GAN, before: Tensor | None
    ) -> tuple[dict[str, Any], Tensor]:
        """Look at the GAN and at samples of `sampler`, which is its moving average or the GAN
        itself.

        Args:
            before: the features that the last checkup returned, to see what has changed since.

        Returns:
            What was measured, and the features of the samples, float32 (SAMPLES, F).
        """
        seed = fold_in(self.recipe.seed, "checkup")
        labels = self.wanted(gan)
        if gan.unconditional:
            pieces = [range(start, start + PIECE) for start in range(0, SAMPLES, PIECE)]
            made = [
                generate(sampler, rows, seed, self.device, labels[rows.start : rows.stop])
                for rows in pieces
            ]
            pictures, fake = torch.cat(made), {"label": torch.tensor(labels)}
        else:
            fake = {name: values[:SAMPLES] for name, values in self.seen.items()}
            pictures = self.from_rows(sampler, fake, seed)
        features = self.look(pictures if self.kind == "point" else to_uint8(pictures))
        found: dict[str, Any] = {
            f"{name}/weight_norm": norm(values) for name, values in gan.players().items()
        }
        distances = torch.cdist(features, self.reference)
        found["distance"] = distances.amin(1).median().item() / max(self.closeness, 1e-12)
        found |= self.diversity(features, labels if "label" in gan.inputs else None)
        if before is not None and self.spread:
            found["change"] = ((features - before).norm(dim=1).mean() / self.spread).item()
        if self.guess is not None:
            found |= self.classes(*self.guess(features), labels if "label" in gan.inputs else None)
        if self.unseen is not None:
            found |= self.overfitting(gan, fake | {self.target: pictures})
        return found, features

    def from_rows(self, sampler: GAN, rows: Mapping[str, Tensor], seed: int) -> Tensor:
        """What the GAN makes of rows of data, with the inputs that make it comparable to real ones."""
        made, count = [], len(rows[self.target])
        for start in range(0, count, PIECE):
            numbers = range(start, min(start + PIECE, count))
            rng = RowRng(seed, numbers, self.device)
            piece = on_device(
                {name: values[start : numbers.stop] for name, values in rows.items()}, self.device
            )
            made.append(make(sampler, rng, len(numbers), sampler.make_inputs(piece, rng)))
        return torch.cat(made)

    def look(self, pictures: Tensor) -> Tensor:
        """Features of uint8 or, for points, float (N, C, H, W): float32 (N, F)."""
        side = min(LARGEST, self.dataset.size)
        return torch.cat(
            [self.extractor(resize(part, side, side)).values for part in pictures.split(PIECE)]
        )

    def wanted(self, gan: GAN) -> list[int]:
        """The classes to ask for, in turn; a few only where there are many, so that several samples
        share one.
        """
        count = max(1, len(gan.classes))
        shown = spread_evenly(MOST_CLASSES, count).tolist()
        return [shown[row % len(shown)] for row in range(SAMPLES)]

    def diversity(self, features: Tensor, labels: list[int] | None) -> dict[str, float]:
        """Mean distance between two samples over that between real pictures; within classes, where
        these were asked for.

        Nothing where real pictures do not differ.
        """
        if labels is None or self.labels is None:
            shares = [mean_distance(features) / self.spread] if self.spread else []
        else:
            asked = torch.tensor(labels)
            pairs = (
                (features[asked == label], self.reference[self.labels == label][:200])
                for label in sorted(set(labels))
            )
            both = [
                (mean_distance(made), mean_distance(real))
                for made, real in pairs
                if len(made) > 1 and len(real) > 1
            ]
            shares = [made / real for made, real in both if real]
        return {"diversity": sum(shares) / len(shares)} if shares else {}

    def classes(
        self, looks: Tensor, sure: Tensor, labels: list[int] | None
    ) -> dict[str, dict[str, float]]:
        """How far each class is there.

        Args:
            looks: the class that each sample looks like, int64 (N,).
            sure: whether that is clear, (N,).
            labels: the classes asked for.

        Returns:
            "agreement", where classes were asked for: the share of each one's samples that look
            like it. "classes" otherwise: its share among the clear samples over that among the real
            pictures; nothing where too few samples are clear.
        """
        assert self.labels is not None
        names = self.dataset.classes
        if labels is not None:
            asked = torch.tensor(labels)
            right = {
                label: (looks[asked == label] == label).float().mean().item()
                for label in sorted(set(labels))
            }
            return {"agreement": {names[label]: round(share, 3) for label, share in right.items()}}
        looks = looks[sure]
        if len(looks) < SAMPLES / 4:
            return {}
        made, real = (
            torch.bincount(values, minlength=len(names)).double() / len(values)
            for values in (looks, self.labels)
        )
        return {
            "classes": {
                name: round(share, 3)
                for name, share in zip(names, (made / real).tolist())
                if np.isfinite(share)
            }
        }

    def overfitting(self, gan: GAN, fake: Mapping[str, Tensor]) -> dict[str, float]:
        """By how much unseen real pictures are scored below seen ones: in score, on the way from
        seen ones (0) to samples (1), and in standard errors.
        """
        assert self.unseen is not None
        with evaluation(gan):
            seen, unseen, fakes = (
                self.scores(gan, batch) for batch in (self.seen, self.unseen, fake)
            )
        drop, gap = seen.mean() - unseen.mean(), seen.mean() - fakes.mean()
        error = (seen.var() / len(seen) + unseen.var() / len(unseen)).sqrt().clamp(min=1e-12)
        share = (drop / gap).clamp(-1, 2).item() if gap > 0 else 0.0
        return {
            "score_drop": drop.item(),
            "overfitting": share,
            "overfitting_errors": (drop / error).item(),
        }

    def scores(self, gan: GAN, batch: Mapping[str, Tensor]) -> Tensor:
        """One float32 score a picture, on the CPU."""
        found, count = [], len(batch[self.target])
        for start in range(0, count, PIECE):
            piece = {name: values[start : start + PIECE] for name, values in batch.items()}
            scores = gan.score(on_device(piece, self.device)).float().cpu()
            found.append(scores.reshape(min(PIECE, count - start), -1).mean(1))
        return torch.cat(found)


def features_shape(gan: GAN, batches: Loader) -> tuple[int, int]:
    """The shape of the features that `Checkup.measure` returns."""
    rows = (
        SAMPLES
        if gan.unconditional
        else min(SAMPLES, *(len(order.shown) for order in batches.orders))
    )
    return rows, gan.channels if gan.kind == "point" else FEATURES


def mean_distance(features: Tensor) -> float:
    """Mean distance between two different rows of (N, F)."""
    count = len(features)
    return (torch.cdist(features, features).sum() / (count * (count - 1))).item()


def norm(parameters: Sequence[nn.Parameter]) -> float:
    """Euclidean norm of all weights of a player."""
    return torch.stack(torch._foreach_norm(list(parameters))).norm().item()  # pyright: ignore[reportPrivateImportUsage]

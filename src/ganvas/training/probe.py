"""What the doctor sees of one training step: gradients and scores of the players."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganvas.gans.base import Update

__all__ = ["StepProbe"]


class StepProbe:
    """Notes what one step shows of the players; nothing is read from the device before `read`.

    Args:
        decision_threshold: the score by which the discriminator cannot tell real from fake; None:
            the middle between both means, where only differences of scores count.
    """

    def __init__(self, decision_threshold: float | None):
        self.decision_threshold = decision_threshold
        self.noted: dict[str, list[Tensor]] = {}

    @torch.no_grad()
    def __call__(self, update: Update, parameters: Sequence[nn.Parameter]) -> None:
        """Look at an update whose gradients are there and whose weights are still the old ones."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norms = torch._foreach_norm(gradients)  # pyright: ignore[reportPrivateImportUsage]
        self._note(f"{update.player}/gradient_norm", torch.stack(norms).norm())
        if not update.scores:
            return

        # (N,) each; of patches (N h w,), every patch a score of its own. Comparisons of bf16 scores
        # would be full of ties.
        real, fake = (scores.detach().float().flatten() for scores in update.scores)
        threshold = self.decision_threshold
        middle = (real.mean() + fake.mean()) / 2 if threshold is None else threshold
        self._note("real_accuracy", (real > middle).float().mean())
        self._note("fake_accuracy", (fake < middle).float().mean())
        # For each real image the number of fakes with a lower score.
        below = torch.searchsorted(fake.sort().values, real)
        # As a share of all pairs it is the area under the ROC curve; ties count against it.
        self._note("separation", below.float().mean() / len(fake))
        self._note("score_gap", real.mean() - fake.mean())

    def read(self) -> dict[str, float]:
        """What was noted; the mean where a player was updated twice."""
        return {key: torch.stack(values).mean().item() for key, values in self.noted.items()}

    def _note(self, key: str, value: Tensor) -> None:
        self.noted.setdefault(key, []).append(value)

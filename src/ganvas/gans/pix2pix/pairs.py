"""What GANs that learn from pairs share: which image is given, and how results are shown."""

from typing import Literal

from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["Direction", "PairTranslator"]

Direction = Literal["a-to-b", "b-to-a"]


class PairTranslator(GAN):
    """Translates images of one kind to another kind, trained on pairs.

    Args:
        schema: of the data.
        direction: which way to translate.

    Attributes:
        given: the column of the images to be translated; `target` is that of the results.
    """

    requires = ("a", "b")
    has_ground_truth = True

    def __init__(self, schema: Schema, direction: Direction):
        self.given, target = direction.split("-to-")  # a string may precede nn.Module.__init__
        super().__init__(schema, target)
        if schema.unpaired:
            raise UserError(
                "pix2pix needs pairs of images, and this data has no pairs; "
                "use cyclegan-fast, or --data pairs:FOLDER"
            )

    def score_pair(self, given: Tensor, image: Tensor) -> Tensor:
        """Scores (N, 1, h, w) of images as the translations of others, (N, C, H, W) each."""
        raise NotImplementedError

    def score(self, batch: Batch) -> Tensor:
        return self.score_pair(batch[self.given], batch[self.target])

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        return {"image": batch[self.given]}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        given = batch[self.given]
        generated = self.sample(len(given), rng, image=given)
        return {"given": given, "generated": generated, "real": batch[self.target]}

    def column_of(self, title: str) -> str:
        return self.given if title == "given" else self.target

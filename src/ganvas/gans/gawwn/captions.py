"""What both GAWWN models share: how they read captions."""

from typing import Literal

from torch import Tensor

from ganvas.gans.base import GAN, Batch, FeaturesInput, Input, TextInput
from ganvas.gans.nn.text import CharacterReader, FeatureReader, choose_captions
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["CaptionGAN", "TextKind"]

TextKind = Literal["characters", "features"]


class CaptionGAN(GAN):
    """A GAN that generates from a caption and a place.

    Args:
        schema: of the data.
        place: the column that holds places: "box" or "keypoints".
        text: whether captions are read as characters or as features.
        text_size: numbers of an embedded caption.
        letters: channels inside the reader of characters.
        captions: captions of one image that a training step reads, at most; their mean counts.

    Raises:
        UserError: the data lacks captions in this form, or the places.
    """

    def __init__(
        self,
        schema: Schema,
        place: str,
        *,
        text: TextKind,
        text_size: int,
        letters: int,
        captions: int,
    ):
        self.text_column = "caption" if text == "characters" else "caption_features"
        # set before `GAN` checks the data against it
        self.requires = ("image", self.text_column, place)
        super().__init__(schema)
        self.captions = captions
        self.text_length = schema.widths[self.text_column]

        self.text = (
            CharacterReader(letters, text_size)
            if text == "characters"
            else FeatureReader(self.text_length, text_size)
        )

    @property
    def inputs(self) -> dict[str, Input]:
        has_characters = self.text_column == "caption"
        reads = TextInput if has_characters else FeaturesInput
        return {self.text_column: reads(self.text_length)}

    def embed_captions(self, batch: Batch, rng: Rng) -> tuple[Tensor, Tensor]:
        """Embed each row's captions, and pair each row with a wrong text, that of the row before.

        Args:
            batch: has captions (N, K, ...).
            rng: random numbers of the training step.

        Returns:
            The texts and the wrong texts, (N, text_size) each.
        """
        captions = batch[self.text_column]  # (N, K, L) bytes, or (N, K, F) numbers
        if captions.shape[1] > self.captions:
            order = rng.rand(*captions.shape[:2])  # (N, K)
            captions = choose_captions(captions, order, self.captions)

        # Every process reads the captions of all processes: its first row needs a wrong text too,
        # and the reader's batch norm sees the whole batch.
        texts = self.text(rng.gather(captions))  # (world x N, text_size)
        return rng.part(texts), rng.part(texts.roll(1, 0))

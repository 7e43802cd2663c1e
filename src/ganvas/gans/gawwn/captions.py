"""What the GAWWN models share: how they read captions, and what of them a person sees."""

from collections.abc import Callable

import torch
from torch import Tensor

from ganvas.gans.base import GAN, Batch, FeaturesInput, Input, TextInput
from ganvas.gans.nn.boxes import draw_boxes, draw_keypoints
from ganvas.gans.nn.text import TextKind, choose_captions, make_reader
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["CaptionGAN", "preview_boxes", "preview_keypoints"]

# texts (N, text_size) and places (N, ...) to images (N, C, H, W), always from the same noise
Generate = Callable[[Tensor, Tensor], Tensor]


class CaptionGAN(GAN):
    """A GAN that generates from a caption and a place.

    Args:
        schema: of the data.
        place: the column that holds places: "box" or "keypoints".
        text: how captions are read.
        text_size: numbers of an embedded caption.
        letters: channels inside the reader of characters or words.
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
        self.text_column = "caption_features" if text == "features" else "caption"
        # set before `GAN` checks the data against it
        self.requires = ("image", self.text_column, place)
        super().__init__(schema)
        self.captions = captions
        self.text_length = schema.widths[self.text_column]

        self.text = make_reader(text, self.text_length, letters, text_size)

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


def preview_boxes(
    generate: Generate, image: Tensor, text: Tensor, box: Tensor
) -> dict[str, Tensor]:
    """Real images beside generated ones, with their own boxes, others, and another caption.

    Args:
        generate: see `Generate`.
        image: (N, C, H, W).
        text: (N, text_size).
        box: (N, 4).
    """
    # boxes of half the size at the left and at the right, and one wide box; (N, 4) each
    half = box[:, 2:] / 2  # (N, 2): width and height
    middle = (1 - half[:, 1:]) / 2  # (N, 1): top of a box in the middle
    left = torch.cat([torch.full_like(middle, 0.05), middle, half], 1)
    right = torch.cat([0.95 - half[:, :1], middle, half], 1)
    wide = torch.tensor([0.05, 0.3, 0.9, 0.4], device=box.device).expand(len(box), -1)

    columns = {"real": draw_boxes(image, box)}
    boxes = {"generated": box, "left": left, "right": right, "stretched": wide}
    for name, place in boxes.items():
        columns[name] = draw_boxes(generate(text, place), place)
    return columns | {"another caption": draw_boxes(generate(text.roll(1, 0), box), box)}


def preview_keypoints(
    generate: Generate,
    complete: Callable[[Tensor], Tensor],
    image: Tensor,
    text: Tensor,
    keypoints: Tensor,
) -> dict[str, Tensor]:
    """Real images beside generated ones, with their own parts, others, and another caption.

    Args:
        generate: see `Generate`.
        complete: places the parts that are not given, (N, P, 3) to (N, P, 3).
        image: (N, C, H, W).
        text: (N, text_size).
        keypoints: (N, P, 3).
    """
    x, y, seen = keypoints.split(1, 2)  # (N, P, 1) each
    first = (seen.cumsum(1) == 1) & (seen > 0)  # the first part that is seen
    places = {
        "generated": keypoints,
        "mirrored": torch.cat([(1 - x) * seen, y, seen], 2),  # a part not seen stays 0
        # half the size, around the middle of the image
        "smaller": torch.cat([0.25 * seen + x / 2, 0.25 * seen + y / 2, seen], 2),
        "one part given": complete(keypoints * first),
    }

    columns = {"real": draw_keypoints(image, keypoints)}
    for name, place in places.items():
        columns[name] = draw_keypoints(generate(text, place), place)
    other = generate(text.roll(1, 0), keypoints)
    return columns | {"another caption": draw_keypoints(other, keypoints)}

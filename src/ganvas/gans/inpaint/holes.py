"""What GANs that fill holes share: random holes, and how errors in them are averaged."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import GAN, Batch, ImageInput, Input, MaskInput
from ganvas.gans.nn.masks import draw_holes
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["COARSEST", "OUTSIDE", "HoleFiller", "Share", "mean_inside"]

COARSEST = 8  # pixels on each side of the smallest images that may have a hole
OUTSIDE = 0.1  # weight of an error outside the hole, which nobody will see, beside one inside

Share = Annotated[float, Field(gt=0, lt=1)]


class HoleFiller(GAN):
    """Fills holes of images with what could have been there.

    Args:
        schema: of the data.
        least: smallest share of the image that a hole in training covers.
        most: largest share of the image that a hole in training covers.
    """

    has_ground_truth = True

    def __init__(self, schema: Schema, least: float, most: float):
        super().__init__(schema)
        if self.size < COARSEST:
            raise UserError(
                f"size {self.size} is too small to have a hole; use --size {COARSEST} or more"
            )
        if least > most:
            raise UserError(
                f"holes of at least {least:g} and at most {most:g} of an image: "
                "options.least is above options.most"
            )
        self.least = least
        self.most = most

    @property
    def inputs(self) -> dict[str, Input]:
        return {"image": ImageInput(self.channels, multiple=1), "mask": MaskInput()}

    def generate(self, image: Tensor, mask: Tensor) -> Tensor:
        """Whole images (N, C, H, W) for images and masks (N, 1, H, W) that are 1 in the hole.

        The content of the hole has no effect.
        """
        raise NotImplementedError

    def draw_masks(self, image: Tensor, rng: Rng) -> Tensor:
        """Random masks (N, 1, H, W) for images (N, C, H, W), 1 in the hole."""
        height, width = image.shape[2:]

        def draw(random: torch.Generator, count: int) -> Tensor:
            return draw_holes(random, count, height, width, self.least, self.most)

        return rng.on_device(len(image), draw).to(image)

    def sample(self, count: int, rng: Rng, *, image: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask > 0, self.generate(image, mask), image)

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        return {"image": batch["image"], "mask": self.draw_masks(batch["image"], rng)}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        real, mask = batch["image"], self.draw_masks(batch["image"], rng)
        filled = self.sample(len(real), rng, image=real, mask=mask)
        return {"hole": real * (1 - mask), "filled": filled, "real": real}


def mean_inside(values: Tensor, share: Tensor) -> Tensor:
    """The mean of (N, C, h, w) in each image, weighted by (N, 1, h, w): (N,)."""
    # The share is the same for all C channels, so its sum counts C times. A hole that was moved out
    # of a tiny image leaves a sum of 0.
    total = share.sum((1, 2, 3)).clamp(min=1e-6)
    return (values * share).sum((1, 2, 3)) / (total * values.shape[1])

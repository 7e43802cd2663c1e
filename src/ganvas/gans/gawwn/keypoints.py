"""GAWWN with key points: Reed et al. 2016, "Learning What and Where to Draw".

An image is generated from a caption and the positions of parts, such as a bird's beak. A part is a
map with a 1 in the cell where the part is. A second GAN places the parts that are not given.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, PositiveInt
from torch import Tensor

from ganvas.gans.base import Batch, Clock, Input, KeyPointsInput, Update, Updates
from ganvas.gans.gawwn.blocks import (
    grid_stages,
    initialise_convolutions,
    matching_updates,
)
from ganvas.gans.gawwn.captions import CaptionGAN, preview_keypoints
from ganvas.gans.gawwn.keypoint_networks import (
    KeyPointDiscriminator,
    KeyPointGenerator,
    KeyPointImageDiscriminator,
    KeyPointImageGenerator,
)
from ganvas.gans.nn.boxes import location_maps
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g
from ganvas.gans.nn.text import TextKind
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["GAWWNKeyPoints"]


class GAWWNKeyPoints(CaptionGAN):
    """Generates an image from a caption and the positions of some of its parts.

    Reed et al. 2016, "Learning What and Where to Draw".

    Players:

    - text: embeds captions.
    - generator: one path sees the whole image, the other draws in the cells where any part is. Then
      both are merged with the location maps of the parts.
    - discriminator: one path sees the whole image, the other the cells where parts are.
    - keypoint_generator: places the parts that are not given.
    - keypoint_discriminator: tells real sets of parts from completed ones.

    Losses, for an image x with its caption t and key points k, and t' the caption of another image:

    - discriminator and text: -mean log D(x, t, k) - 1/2 mean log(1 - D(x, t', k))
      - 1/2 mean log(1 - D(G(z, t, k), t, k))
    - generator: -mean log D(G(z, t, k), t, k)
    - keypoint_discriminator: -mean log E(k, t) - mean log(1 - E(k', t)), with
      k' = s k + (1 - s) f(z, t, k, s), where s keeps each part of k with probability `kept`
    - keypoint_generator: -mean log E(k', t)

    Where we differ from the paper:

    - Captions are read as in `gawwn-box`.
    - The GAN of key points is trained in the same run and on the same batches, not before.
    - There are no biases before a batch norm, where they have no effect.
    - The left and right parts of a mirrored image change places; the released code forgot this.
    - Discriminators have no batch norms of vectors; `ScoreHead` explains why.

    Recipe: `gawwn-keypoints`.

    Args:
        text: form of the captions: "characters" are read letter by letter, "words" as hashed words,
            "features" are the numbers that the data has for them.
        width: channels of maps; the paper's ngf and ndf.
        noise_size: numbers of noise, standard normal.
        text_size: numbers of an embedded caption.
        letters: channels inside the reader of characters or words.
        captions: captions of one image that a training step reads, at most; their mean counts.
        kept: probability that a part is given while the key points are trained.
    """

    ema_players = ("generator", "text", "keypoint_generator")
    requires = ("image", "caption", "keypoints")

    def __init__(
        self,
        schema: Schema,
        *,
        text: TextKind = "characters",
        width: PositiveInt = 128,
        noise_size: PositiveInt = 100,
        text_size: PositiveInt = 1024,
        letters: PositiveInt = 128,
        captions: PositiveInt = 4,
        kept: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    ):
        super().__init__(
            schema, "keypoints", text=text, text_size=text_size, letters=letters, captions=captions
        )
        self.noise_size = noise_size
        self.kept = kept

        stages = grid_stages(self.size)
        self.cells = stages.cells
        parts = len(schema.names["keypoints"])
        self.generator = KeyPointImageGenerator(
            noise_size, text_size, parts, width, stages, self.channels
        )
        self.discriminator = KeyPointImageDiscriminator(
            text_size, parts, width, stages, self.channels
        )
        self.keypoint_generator = KeyPointGenerator(noise_size, text_size, parts, width)
        self.keypoint_discriminator = KeyPointDiscriminator(text_size, parts, width)
        initialise_convolutions(self.generator)
        initialise_convolutions(self.discriminator)

    @property
    def inputs(self) -> dict[str, Input]:
        return super().inputs | {"keypoints": KeyPointsInput(self.schema.names["keypoints"])}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, keypoints = batch["image"], batch["keypoints"]  # (N, C, H, W), (N, P, 3)
        maps = location_maps(keypoints, self.cells)  # (N, P, cells, cells)
        text, wrong_text = self.embed_captions(batch, rng)  # (N, text_size) each

        # The generators do not train the text reader.
        fixed = text.detach()
        fake = self.generator(rng.normal(len(real), self.noise_size), fixed, maps)
        yield matching_updates(self.discriminator, real, fake, maps, (text, wrong_text))

        score = self.discriminator(fake, fixed, maps)  # by the updated discriminator
        yield Update("generator", {"adversarial": non_saturating_g(score)})

        # (N, P, 3): most parts are hidden, and the second GAN has to place them
        given = keypoints * (rng.rand(*keypoints.shape[:2]) < self.kept)[:, :, None]
        completed = self.complete_keypoints(given, fixed, rng)  # (N, P, 3)
        adversarial = non_saturating_d(
            self.keypoint_discriminator(keypoints, fixed),
            self.keypoint_discriminator(completed.detach(), fixed),
        )
        yield Update("keypoint_discriminator", {"adversarial": adversarial})

        score = self.keypoint_discriminator(completed, fixed)
        yield Update("keypoint_generator", {"adversarial": non_saturating_g(score)})

    def score(self, batch: Batch) -> Tensor:
        maps = location_maps(batch["keypoints"], self.cells)
        return self.discriminator(batch["image"], self.text(batch[self.text_column]), maps)

    def sample(self, count: int, rng: Rng, *, keypoints: Tensor, **captions: Tensor) -> Tensor:
        noise = rng.normal(count, self.noise_size)  # drawn first: the order of draws is fixed
        text = self.text(captions[self.text_column])
        completed = self.complete_keypoints(keypoints, text, rng)
        return self.generator(noise, text, location_maps(completed, self.cells))

    def complete_keypoints(self, keypoints: Tensor, text: Tensor, rng: Rng) -> Tensor:
        """Place the parts that are not given: (N, P, 3) to (N, P, 3)."""
        # not len(), which an export would turn into a constant
        noise = rng.normal(keypoints.shape[0], self.noise_size)
        return self.keypoint_generator(noise, text, keypoints)

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """Generated from the real parts, then with other parts, then with another caption."""
        text = self.text(batch[self.text_column])
        noise = rng.normal(len(text), self.noise_size)

        def generate(text: Tensor, keypoints: Tensor) -> Tensor:
            return self.generator(noise, text, location_maps(keypoints, self.cells))

        def complete(keypoints: Tensor) -> Tensor:
            return self.complete_keypoints(keypoints, text, rng)

        return preview_keypoints(generate, complete, batch["image"], text, batch["keypoints"])

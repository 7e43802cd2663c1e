"""GAWWN with boxes: Reed et al. 2016, "Learning What and Where to Draw".

An image is generated from a caption and a box. Both networks place the text inside the box; the
generator draws its foreground there, and the discriminator cuts the box out and looks at it
closely.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import Batch, BoxInput, Clock, Input, Update, Updates
from ganvas.gans.gawwn.blocks import (
    Bottleneck,
    ScoreHead,
    Stages,
    doubling_layers,
    grid_stages,
    halving_layers,
    image_encoder,
    initialise_convolutions,
    matching_updates,
    region_encoder,
    tile_vector,
)
from ganvas.gans.gawwn.captions import CaptionGAN, preview_boxes
from ganvas.gans.nn.boxes import box_mask, crop_boxes, paste_into_boxes, shrink_images
from ganvas.gans.nn.losses import non_saturating_g
from ganvas.gans.nn.networks import VectorNorm, add_norm, upsample
from ganvas.gans.nn.text import TextKind
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["BoxDiscriminator", "BoxGenerator", "GAWWNBox"]


class BoxGenerator(nn.Module):
    """Noise, text and a box to an image.

    Args:
        noise_size: numbers of noise.
        text_size: numbers of an embedded caption.
        width: the paper's ngf.
        stages: sizes of the maps.
        channels: of the image.
    """

    def __init__(self, noise_size: int, text_size: int, width: int, stages: Stages, channels: int):
        super().__init__()
        self.cells = stages.cells

        # "global" serves the whole image, "local" the thing in the box
        self.noise_global = nn.Linear(noise_size, 4 * width)
        self.noise_local = nn.Linear(noise_size, 4 * width)
        self.text_global = nn.Linear(text_size, 4 * width)
        self.text_local = nn.Linear(text_size, 4 * width)

        # where the box is: (N, 4 x width, cells, cells) to (N, 4 x width)
        where: list[nn.Module] = []
        for _ in range(stages.grid):
            where += halving_layers(4 * width, 4 * width, leaky=False)
        where.append(nn.Conv2d(4 * width, 4 * width, stages.start, bias=False))
        self.where = nn.Sequential(*where, nn.Flatten(), VectorNorm(4 * width), nn.ReLU(True))

        # Both paths: (N, 8 x width, 1, 1) to (N, 2 x width, cells, cells), with 8, 4 and 2 x width
        # channels on the way. The local path ends without a ReLU, since its map is pasted first.
        widths = [2 * width * 2 ** min(depth, 2) for depth in reversed(range(stages.grid + 1))]
        whole = add_norm(
            nn.ConvTranspose2d(8 * width, widths[0], stages.start, bias=False), nn.ReLU(True)
        )
        part = add_norm(nn.ConvTranspose2d(8 * width, widths[0], stages.start, bias=False))
        part.append(Bottleneck(widths[0], widths[0] // 4))
        for inputs, outputs in pairwise(widths):
            whole += doubling_layers(inputs, outputs)
            part += doubling_layers(inputs, outputs)[:-1]  # no ReLU before the sum or the paste
            if outputs > 2 * width:
                part.append(Bottleneck(outputs, outputs // 4))
        self.whole = nn.Sequential(*whole)
        self.part = nn.Sequential(*part)

        # both maps together, doubled from the grid to the image
        doublings = stages.doublings
        # 128 pixels (3 doublings): 2, 1 and 1/4 x width channels
        outward = [2 * width, width, *[max(1, width // 4)] * doublings][:doublings]
        merge = add_norm(nn.Conv2d(4 * width, 2 * width, 3, padding=1, bias=False), nn.ReLU(True))
        for inputs, outputs in pairwise(outward):
            merge += doubling_layers(inputs, outputs)
        merge.append(upsample(outward[-1], channels, 4))
        self.merge = nn.Sequential(*merge, nn.Tanh())

    def forward(self, noise: Tensor, text: Tensor, box: Tensor) -> Tensor:
        """(N, noise_size), (N, text_size) and (N, 4) to (N, C, H, W) in [-1, 1]."""
        # (N, 4 x width, cells, cells): the text in every cell of the box, 0 outside
        placed = tile_vector(self.text_global(text), self.cells) * box_mask(box, self.cells)

        # (N, 8 x width) each, the beginnings of the two paths
        scene = torch.cat([self.noise_global(noise), self.where(placed)], 1).relu()
        thing = torch.cat([self.noise_local(noise), self.text_local(text)], 1).relu()

        whole = self.whole(scene[:, :, None, None])  # (N, 2 x width, cells, cells)
        part = paste_into_boxes(self.part(thing[:, :, None, None]), box).relu()
        return self.merge(torch.cat([whole, part], 1))  # from 4 x width channels


class BoxDiscriminator(nn.Module):
    """An image, text and a box to a score.

    Args:
        text_size: numbers of an embedded caption.
        width: the paper's ndf.
        stages: sizes of the maps.
        channels: of the image.
    """

    def __init__(self, text_size: int, width: int, stages: Stages, channels: int):
        super().__init__()
        self.cells = stages.cells
        leaky = nn.LeakyReLU(0.2, True)  # shared: it has no weights

        self.text = nn.Sequential(nn.Linear(text_size, width), leaky)
        self.encoder = image_encoder(channels, width, stages.doublings)
        self.join = nn.Sequential(
            *add_norm(nn.Conv2d(3 * width, 2 * width, 3, padding=1, bias=False), leaky)
        )
        self.part = region_encoder(2 * width, width)

        # where the text is: from the grid down to the smallest map
        # a grid of 16 over a map of 4: 1, 4 and 1 x width
        widths = [width, *[4 * width] * (stages.grid - 1), *[width] * min(stages.grid, 1)]
        where: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            where += halving_layers(inputs, outputs, leaky=False)
        self.where = nn.Sequential(*where)

        self.head = ScoreHead(width, stages)

    def forward(self, image: Tensor, text: Tensor, box: Tensor) -> Tensor:
        """(N, C, H, W), (N, text_size) and (N, 4) to scores (N,)."""
        return self.score(self.encoder(image), text, box)

    def score(self, features: Tensor, text: Tensor, place: Tensor) -> Tensor:
        """Scores (N,) of encoded images (N, 2 x width, cells, cells) with texts and boxes."""
        tiled = tile_vector(self.text(text), self.cells)  # (N, width, cells, cells)
        where = self.where(tiled * box_mask(place, self.cells))  # (N, width, start, start)
        # 3 x width channels are joined to 2 x width, cut out, averaged to (N, width)
        part = self.part(crop_boxes(self.join(torch.cat([features, tiled], 1)), place))
        return self.head(features, where, part)


class GAWWNBox(CaptionGAN):
    """Generates an image from a caption, and puts what the caption describes into a box.

    Reed et al. 2016, "Learning What and Where to Draw".

    Players:

    - text: embeds captions.
    - generator: one path sees the whole image and where in it the text is. The other path draws the
      thing by itself; its map is pasted into the box, with zeros outside. Then both are merged.
    - discriminator: one path sees the whole image, the other what is cut out of the box.

    Losses, for an image x with its caption t and box b, and t' the caption of another image:

    - discriminator and text: -mean log D(x, t, b) - 1/2 mean log(1 - D(x, t', b))
      - 1/2 mean log(1 - D(G(z, t, b), t, b))
    - generator: -mean log D(G(z, t, b), t, b)

    Where we differ from the paper:

    - Its text encoder is pretrained on data sets with classes. Ours reads letters too, but is
      smaller and is trained together with D. With `text="features"` the numbers come from any
      encoder, as in the paper, and a linear layer learns to read them.
    - D encodes a real image once for its right and its wrong caption.
    - The generator's update uses the texts as they were embedded before the discriminator's update.
    - There are no biases before a batch norm, where they have no effect.
    - Things pasted into a box are smoothed, as an antialiased resizing does.
    - The discriminator has no batch norms of vectors; `ScoreHead` explains why.
    - `smallest` is our addition.

    Recipe: `gawwn-box`.

    Args:
        text: form of the captions: "characters" are read letter by letter, "words" as hashed words,
            "features" are the numbers that the data has for them.
        width: channels of maps; the paper's ngf and ndf.
        noise_size: numbers of noise, standard normal.
        text_size: numbers of an embedded caption.
        letters: channels inside the reader of characters or words.
        captions: captions of one image that a training step reads, at most; their mean counts.
        smallest: real images are shrunk at random, down to this share of their side, and put on a
            ground of the colour of their corners. For data whose things fill the image, from which
            the meaning of a box cannot be learned. 1 leaves images as they are.
    """

    ema_players = ("generator", "text")
    requires = ("image", "caption", "box")

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
        smallest: Annotated[float, Field(gt=0, le=1)] = 1.0,
    ):
        super().__init__(
            schema, "box", text=text, text_size=text_size, letters=letters, captions=captions
        )
        self.noise_size = noise_size
        self.smallest = smallest

        stages = grid_stages(self.size)
        self.generator = BoxGenerator(noise_size, text_size, width, stages, self.channels)
        self.discriminator = BoxDiscriminator(text_size, width, stages, self.channels)
        initialise_convolutions(self.generator)
        initialise_convolutions(self.discriminator)

    @property
    def inputs(self) -> dict[str, Input]:
        return super().inputs | {"box": BoxInput()}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, box = batch["image"], batch["box"]
        text, wrong_text = self.embed_captions(batch, rng)  # (N, text_size) each
        if self.smallest < 1:
            real, box = shrink_images(real, box, self.smallest, rng.rand(len(real), 3))

        # The generator does not train the text reader.
        fixed = text.detach()
        fake = self.generator(rng.normal(len(real), self.noise_size), fixed, box)  # (N, C, H, W)
        yield matching_updates(self.discriminator, real, fake, box, (text, wrong_text))

        score = self.discriminator(fake, fixed, box)  # by the updated discriminator
        yield Update("generator", {"adversarial": non_saturating_g(score)})

    def score(self, batch: Batch) -> Tensor:
        text = self.text(batch[self.text_column])
        return self.discriminator(batch["image"], text, batch["box"])

    def sample(self, count: int, rng: Rng, *, box: Tensor, **captions: Tensor) -> Tensor:
        text = self.text(captions[self.text_column])
        return self.generator(rng.normal(count, self.noise_size), text, box)

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """Generated from an image's own caption and box; then with other boxes, and with another
        image's caption.
        """
        text = self.text(batch[self.text_column])
        noise = rng.normal(len(text), self.noise_size)

        def generate(text: Tensor, box: Tensor) -> Tensor:
            return self.generator(noise, text, box)

        return preview_boxes(generate, batch["image"], text, batch["box"])

"""Reed et al. 2016, "Learning What and Where to Draw" (GAWWN): a picture from a caption and a box.

What the caption tells is drawn in the box: both players lay the text into it, G draws its
foreground there, and D cuts it out to look at it closely.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from ganvas.gans.base import (
    GAN,
    Batch,
    BoxInput,
    Clock,
    FeaturesInput,
    Input,
    TextInput,
    Update,
    Updates,
)
from ganvas.gans.nn.boxes import (
    Residual,
    Verdict,
    box_mask,
    doubling,
    grid_stages,
    halving,
    initialise_convolutions,
    into_box,
    looking,
    looking_closely,
    normed,
    out_of_box,
    shrunk,
    tiled,
    with_frames,
)
from ganvas.gans.nn.losses import matching_d, non_saturating_g
from ganvas.gans.nn.networks import VectorNorm
from ganvas.gans.nn.text import CharacterReader, FeatureReader, some_captions
from ganvas.rng import Rng
from ganvas.schema import Schema


class BoxGenerator(nn.Module):
    """Noise, text and a box to a picture.

    Args:
        noise_size: numbers of noise.
        text_size: numbers of text.
        width: the paper's ngf.
        sizes: of the maps, from the smallest to the picture's.
        grid: which of them tells places.
        channels: of the picture.
    """

    def __init__(
        self,
        noise_size: int,
        text_size: int,
        width: int,
        sizes: list[int],
        grid: int,
        channels: int,
    ):
        super().__init__()
        self.cells, start = sizes[grid], sizes[0]
        self.noise_global, self.noise_local = (nn.Linear(noise_size, 4 * width) for _ in range(2))
        self.text_global, self.text_local = (nn.Linear(text_size, 4 * width) for _ in range(2))
        where = [
            module for _ in range(grid) for module in halving(4 * width, 4 * width, leaky=False)
        ]
        to_one = nn.Conv2d(4 * width, 4 * width, start, bias=False)
        self.where = nn.Sequential(
            *where, to_one, nn.Flatten(), VectorNorm(4 * width), nn.ReLU(True)
        )
        # 8, 4 and 2 x width
        widths = [2 * width * 2 ** min(depth, 2) for depth in reversed(range(grid + 1))]
        whole = normed(nn.ConvTranspose2d(8 * width, widths[0], start, bias=False), nn.ReLU(True))
        part = [
            *normed(nn.ConvTranspose2d(8 * width, widths[0], start, bias=False)),
            Residual(widths[0], widths[0] // 4),
        ]
        for inputs, outputs in pairwise(widths):
            whole += doubling(inputs, outputs)
            part += doubling(inputs, outputs)[:-1]
            part += [Residual(outputs, outputs // 4)] if outputs > 2 * width else []
        self.whole, self.part = nn.Sequential(*whole), nn.Sequential(*part)
        doublings = len(sizes) - 1 - grid
        outward = [2 * width, width, *[max(1, width // 4)] * doublings][:doublings]
        fold_in = normed(nn.Conv2d(4 * width, 2 * width, 3, padding=1, bias=False), nn.ReLU(True))
        fold_in += [
            module for inputs, outputs in pairwise(outward) for module in doubling(inputs, outputs)
        ]
        self.fold_in = nn.Sequential(
            *fold_in, nn.ConvTranspose2d(outward[-1], channels, 4, 2, 1), nn.Tanh()
        )

    def forward(self, noise: Tensor, text: Tensor, box: Tensor) -> Tensor:
        """(N, noise_size), (N, text_size) and (N, 4) to (N, C, H, W) in [-1, 1]."""
        # the text in every cell of the box
        placed = tiled(self.text_global(text), self.cells) * box_mask(box, self.cells)
        everything = torch.cat([self.noise_global(noise), self.where(placed)], 1).relu()[
            :, :, None, None
        ]
        thing = torch.cat([self.noise_local(noise), self.text_local(text)], 1).relu()[
            :, :, None, None
        ]
        return self.fold_in(
            torch.cat([self.whole(everything), into_box(self.part(thing), box).relu()], 1)
        )


class BoxDiscriminator(nn.Module):
    """A picture, text and a box to a score.

    Args:
        text_size: numbers of text.
        width: the paper's ndf.
        sizes: as the generator; grid and channels too.
    """

    def __init__(self, text_size: int, width: int, sizes: list[int], grid: int, channels: int):
        super().__init__()
        self.cells = sizes[grid]
        leaky = nn.LeakyReLU(0.2, True)
        self.text = nn.Sequential(nn.Linear(text_size, width), leaky)
        self.look = looking(channels, width, halvings=len(sizes) - 1 - grid)
        self.join = nn.Sequential(
            *normed(nn.Conv2d(3 * width, 2 * width, 3, padding=1, bias=False), leaky)
        )
        self.part = looking_closely(2 * width, width)
        told = [width, *[4 * width] * (grid - 1), *[width] * min(grid, 1)]
        self.where = nn.Sequential(
            *(module for pair in pairwise(told) for module in halving(*pair, leaky=False))
        )
        self.verdict = Verdict(width, grid, sizes[0])

    def forward(self, image: Tensor, text: Tensor, box: Tensor) -> Tensor:
        """(N, C, H, W), (N, text_size) and (N, 4) to scores (N,)."""
        return self.judge(self.look(image), text, box)

    def judge(self, seen: Tensor, text: Tensor, box: Tensor) -> Tensor:
        """What `look` has seen in pictures, text and boxes to scores (N,): so one look serves two
        texts.
        """
        told = self.text(text)
        part = self.part(out_of_box(self.join(torch.cat([seen, tiled(told, self.cells)], 1)), box))
        where = self.where(tiled(told, self.cells) * box_mask(box, self.cells))
        return self.verdict(seen, where, part)


class GAWWNBox(GAN):
    """What to draw is told by a caption, where by a box.

    Players: text, a reader of captions; generator, of which one path sees the whole picture and
    where the text is in it, while the other draws the thing by itself, which is laid into the box
    (zero outside), then both are mixed; discriminator, likewise with a path for the whole picture
    and one for what is cut out of the box.
    Losses: discriminator and text -mean log D(x, t, b) - 1/2 mean log(1 - D(x, t', b)) - 1/2 mean
    log(1 - D(G(z, t, b), t, b)) with captions t' of other pictures; generator -mean log D(G(z, t,
    b), t, b).
    Where we differ: the paper's text encoder was trained beforehand on sets with classes; ours
    reads letters too, is smaller, and learns in the game, with D. With `text="features"` the
    numbers come from any encoder, as in the paper, and a linear layer learns to read them. D looks
    at a real picture once for its right and its wrong caption. In the generator's move D is told
    the text as it was read before the discriminator's. No biases before a batch norm, where they
    have no effect. Things laid into a box are smoothed as an antialiased resizing does. The
    discriminator has no batch norms of vectors; see `Verdict`. `smallest` is ours.
    Recipe: `gawwn-box`.

    Args:
        text: what captions are: "characters", read letter by letter, or "features", the data's
            numbers for them.
        width: channels of maps; the paper's ngf and ndf.
        noise_size: numbers of noise, standard normal.
        text_size: numbers that a caption becomes.
        letters: channels in the reader of characters.
        captions: of one picture that are read in a round, at most; their mean counts.
        smallest: real pictures are laid, at random, smaller on a ground of the colour of their
            corners, down to this share of their side: for data whose things fill the picture, of
            which nobody could learn what a box is. 1 leaves them.
    """

    ema_players = ("generator", "text")
    requires = ("image", "caption", "box")

    def __init__(
        self,
        schema: Schema,
        *,
        text: Literal["characters", "features"] = "characters",
        width: PositiveInt = 128,
        noise_size: PositiveInt = 100,
        text_size: PositiveInt = 1024,
        letters: PositiveInt = 128,
        captions: PositiveInt = 4,
        smallest: Annotated[float, Field(gt=0, le=1)] = 1.0,
    ):
        self.told = "caption" if text == "characters" else "caption_features"
        self.requires = ("image", self.told, "box")
        super().__init__(schema)
        self.noise_size, self.captions, self.smallest = noise_size, captions, smallest
        sizes, grid = grid_stages(self.size)
        length = schema.widths[self.told]
        self.text = (
            CharacterReader(letters, text_size)
            if text == "characters"
            else FeatureReader(length, text_size)
        )
        self.generator = BoxGenerator(noise_size, text_size, width, sizes, grid, self.channels)
        self.discriminator = BoxDiscriminator(text_size, width, sizes, grid, self.channels)
        initialise_convolutions(self.generator)
        initialise_convolutions(self.discriminator)

    @property
    def inputs(self) -> dict[str, Input]:
        length = self.schema.widths[self.told]
        return {
            self.told: TextInput(length) if self.told == "caption" else FeaturesInput(length),
            "box": BoxInput(),
        }

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, box, told = batch["image"], batch["box"], batch[self.told]
        if told.shape[1] > self.captions:
            told = some_captions(told, rng.rand(*told.shape[:2]), self.captions)
        if self.smallest < 1:
            real, box = shrunk(real, box, self.smallest, rng.rand(len(real), 3))
        # of all processes, so that each has the next picture's too
        texts = self.text(rng.gather(told))
        text, wrong_text = rng.part(texts), rng.part(texts.roll(1, 0))
        fake = self.generator(rng.normal(len(real), self.noise_size), text.detach(), box)
        seen = self.discriminator.look(real)
        right, wrong = (self.discriminator.judge(seen, what, box) for what in (text, wrong_text))
        fake_score = self.discriminator(fake.detach(), text, box)
        losses = {"adversarial": matching_d(right, wrong, fake_score)}
        yield (
            Update("discriminator", losses, {"wrong_text": wrong.mean()}, (right, fake_score)),
            Update("text", losses),
        )
        yield Update(
            "generator",
            {"adversarial": non_saturating_g(self.discriminator(fake, text.detach(), box))},
        )

    def score(self, batch: Batch) -> Tensor:
        return self.discriminator(batch["image"], self.text(batch[self.told]), batch["box"])

    def sample(self, count: int, rng: Rng, *, box: Tensor, **told: Tensor) -> Tensor:
        return self.generator(rng.normal(count, self.noise_size), self.text(told[self.told]), box)

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """Made from a picture's own caption and box; then from boxes of half its size elsewhere,
        and another's caption.
        """
        box, text = batch["box"], self.text(batch[self.told])
        noise = rng.normal(len(box), self.noise_size)
        half = box[:, 2:] / 2
        middle = (1 - half[:, 1:]) / 2
        left = torch.cat([torch.full_like(middle, 0.05), middle, half], 1)
        right = torch.cat([0.95 - half[:, :1], middle, half], 1)
        flat = torch.tensor([0.05, 0.3, 0.9, 0.4], device=box.device).expand(len(box), -1)
        columns = {"real": with_frames(batch["image"], box)}
        for name, place in {"made": box, "left": left, "right": right, "stretched": flat}.items():
            columns[name] = with_frames(self.generator(noise, text, place), place)
        return columns | {
            "another caption": with_frames(self.generator(noise, text.roll(1, 0), box), box)
        }

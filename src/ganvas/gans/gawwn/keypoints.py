"""Reed et al. 2016, "Learning What and Where to Draw" (GAWWN): a picture from a caption and the
places of parts.

A part is a map with a 1 in the cell where it is. Parts of which no place is given get one from a
GAN of their own.
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
    Clock,
    FeaturesInput,
    Input,
    KeyPointsInput,
    TextInput,
    Update,
    Updates,
)
from ganvas.gans.nn.boxes import (
    Residual,
    Verdict,
    doubling,
    grid_stages,
    halving,
    initialise_convolutions,
    location_maps,
    looking,
    looking_closely,
    normed,
    tiled,
    with_points,
)
from ganvas.gans.nn.losses import matching_d, non_saturating_d, non_saturating_g
from ganvas.gans.nn.networks import VectorNorm
from ganvas.gans.nn.text import CharacterReader, FeatureReader, some_captions
from ganvas.rng import Rng
from ganvas.schema import Schema


class KeyPointPictureGenerator(nn.Module):
    """Noise, text and location maps to a picture.

    Args:
        noise_size: numbers of noise.
        text_size: numbers of text.
        parts: key points.
        width: the paper's ngf.
        sizes: of the maps, from the smallest to the picture's.
        grid: which of them tells places.
        channels: of the picture.
    """

    def __init__(
        self,
        noise_size: int,
        text_size: int,
        parts: int,
        width: int,
        sizes: list[int],
        grid: int,
        channels: int,
    ):
        super().__init__()
        self.cells, start = sizes[grid], sizes[0]
        self.noise, self.text = nn.Linear(noise_size, 4 * width), nn.Linear(text_size, 4 * width)
        self.to_whole, self.to_parts = (
            nn.Sequential(
                nn.Linear(8 * width, 4 * width, bias=False), VectorNorm(4 * width), nn.ReLU(True)
            )
            for _ in range(2)
        )
        told = [parts, *(width * 2 ** min(depth, 1) for depth in range(grid))]
        where = [module for pair in pairwise(told) for module in halving(*pair, leaky=False)]
        to_one = nn.Conv2d(told[-1], 4 * width, start, bias=False)
        self.where = nn.Sequential(
            *where, to_one, nn.Flatten(), VectorNorm(4 * width), nn.ReLU(True)
        )
        # 4, 2 and 1 x width
        widths = [width * 2 ** min(depth, 2) for depth in reversed(range(grid + 1))]
        whole = normed(nn.ConvTranspose2d(8 * width, widths[0], start, bias=False), nn.ReLU(True))
        self.whole = nn.Sequential(
            *whole, *(module for pair in pairwise(widths) for module in doubling(*pair))
        )
        self.parts = nn.Sequential(
            *normed(nn.Conv2d(4 * width, 4 * width, 3, padding=1, bias=False), nn.ReLU(True))
        )
        outward = [max(1, 4 * width // 2**depth) for depth in range(len(sizes) - 1 - grid)]
        self.fold_in = nn.Sequential(
            *normed(
                nn.Conv2d(5 * width + parts, 4 * width, 3, padding=1, bias=False), nn.ReLU(True)
            ),
            *normed(nn.Conv2d(4 * width, 4 * width, 3, padding=1, bias=False)),
            Residual(4 * width, width),
            *(module for pair in pairwise(outward) for module in doubling(*pair)),
            nn.ConvTranspose2d(outward[-1], channels, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor, text: Tensor, maps: Tensor) -> Tensor:
        """(N, noise_size), (N, text_size) and (N, P, M, M) to (N, C, H, W) in [-1, 1]."""
        what = torch.cat([self.noise(noise), self.text(text)], 1).relu()
        whole = self.whole(torch.cat([self.to_whole(what), self.where(maps)], 1)[:, :, None, None])
        parts = self.parts(tiled(self.to_parts(what), self.cells) * attention(maps))
        return self.fold_in(torch.cat([whole, parts, maps], 1))


class KeyPointPictureDiscriminator(nn.Module):
    """A picture, text and location maps to a score.

    Args:
        text_size: numbers of text.
        parts: key points.
        width: the paper's ndf.
        sizes: as the generator; grid and channels too.
    """

    def __init__(
        self, text_size: int, parts: int, width: int, sizes: list[int], grid: int, channels: int
    ):
        super().__init__()
        self.cells, self.start = sizes[grid], sizes[0]
        leaky = nn.LeakyReLU(0.2, True)
        self.text = nn.Sequential(nn.Linear(text_size, width), leaky)
        self.look = looking(channels, width, halvings=len(sizes) - 1 - grid)
        self.join = nn.Sequential(
            *normed(nn.Conv2d(3 * width, 2 * width, 3, padding=1, bias=False), leaky)
        )
        self.parts = looking_closely(2 * width + parts, width)
        self.verdict = Verdict(width, grid, sizes[0])

    def forward(self, image: Tensor, text: Tensor, maps: Tensor) -> Tensor:
        """(N, C, H, W), (N, text_size) and (N, P, M, M) to scores (N,)."""
        return self.judge(self.look(image), text, maps)

    def judge(self, seen: Tensor, text: Tensor, maps: Tensor) -> Tensor:
        """What `look` has seen in pictures, text and location maps to scores (N,): so one look
        serves two texts.
        """
        told = self.text(text)
        joined = self.join(torch.cat([seen, tiled(told, self.cells)], 1)) * attention(maps)
        return self.verdict(seen, tiled(told, self.start), self.parts(torch.cat([joined, maps], 1)))


def attention(maps: Tensor) -> Tensor:
    """Location maps (N, P, M, M) as one mask (N, 1, M, M): 1 where any part is."""
    return maps.sum(1, keepdim=True).clamp(0, 1)


def dense(inputs: int, outputs: int) -> list[nn.Module]:
    """A linear layer, batch norm, ReLU."""
    return [nn.Linear(inputs, outputs, bias=False), VectorNorm(outputs), nn.ReLU(True)]


class KeyPointGenerator(nn.Module):
    """Noise, text and some key points to all of them: k' = s k + (1 - s) f(z, t, k, s), with s = 1
    where k is given.

    Args:
        noise_size: numbers of noise.
        text_size: numbers of text.
        parts: key points.
        width: the paper's ngf.
    """

    def __init__(self, noise_size: int, text_size: int, parts: int, width: int):
        super().__init__()
        self.noise = nn.Sequential(nn.Linear(noise_size, 4 * width), nn.ReLU(True))
        self.text = nn.Sequential(nn.Linear(text_size, 4 * width), nn.ReLU(True))
        self.given = nn.Sequential(
            nn.Flatten(), *dense(3 * parts, 4 * width), *dense(4 * width, 2 * width)
        )
        self.all = nn.Sequential(
            *dense(10 * width, 8 * width),
            *dense(8 * width, 4 * width),
            *dense(4 * width, 2 * width),
            nn.Linear(2 * width, 3 * parts),
            nn.Unflatten(1, (parts, 3)),
            nn.Sigmoid(),
        )

    def forward(self, noise: Tensor, text: Tensor, keypoints: Tensor) -> Tensor:
        """(N, noise_size), (N, text_size) and (N, P, 3), the last 1 where given, to (N, P, 3), the
        last the chance to be seen.
        """
        switch = keypoints[..., 2:]
        keypoints = keypoints * switch
        made = self.all(torch.cat([self.noise(noise), self.text(text), self.given(keypoints)], 1))
        return keypoints + (1 - switch) * made


class KeyPointDiscriminator(nn.Module):
    """Key points and text to a score; without batch norms, for the reason told at `Verdict`.

    Args:
        text_size: numbers of text.
        parts: key points.
        width: the paper's ndf.
    """

    def __init__(self, text_size: int, parts: int, width: int):
        super().__init__()
        leaky = nn.LeakyReLU(0.2, True)
        self.places, self.text = (
            nn.Sequential(
                nn.Flatten(),
                nn.Linear(inputs, 4 * width),
                leaky,
                nn.Linear(4 * width, 2 * width),
                leaky,
            )
            for inputs in (3 * parts, text_size)
        )
        self.both = nn.Sequential(
            nn.Linear(4 * width, 2 * width), leaky, nn.Linear(2 * width, 1), nn.Flatten(0)
        )

    def forward(self, keypoints: Tensor, text: Tensor) -> Tensor:
        """(N, P, 3) and (N, text_size) to scores (N,)."""
        return self.both(torch.cat([self.places(keypoints), self.text(text)], 1))


class GAWWNKeyPoints(GAN):
    """What to draw is told by a caption, where by the places of some of its parts; the others are
    made up.

    Players: text, a reader of captions; generator, of which one path sees the whole picture and the
    other draws where any part is, then both are mixed with the location maps of the parts;
    discriminator, likewise with a path for the whole picture and one for where parts are;
    keypoint_generator, which fills in the parts that are not given, and keypoint_discriminator.
    Losses: discriminator and text -mean log D(x, t, k) - 1/2 mean log(1 - D(x, t', k)) - 1/2 mean
    log(1 - D(G(z, t, k), t, k)) with captions t' of other pictures; generator -mean log D(G(z, t,
    k), t, k); keypoint_discriminator -mean log E(k, t) - mean log(1 - E(k', t)) with k' = s k + (1
    - s) f(z, t, k, s), each part of k kept with a chance of `kept`; keypoint_generator -mean log
    E(k', t).
    Where we differ: as `gawwn-box` in how text is read; key points are learnt to be made in the
    same run and from the same batches, not in a run before. No biases before a batch norm, where
    they have no effect. A mirrored picture's left and right parts change places, which the released
    code forgot. No batch norms of vectors in discriminators.
    Recipe: `gawwn-keypoints`.

    Args:
        text: what captions are: "characters", read letter by letter, or "features", the data's
            numbers for them.
        width: channels of maps; the paper's ngf and ndf.
        noise_size: numbers of noise, standard normal.
        text_size: numbers that a caption becomes.
        letters: channels in the reader of characters.
        captions: of one picture that are read in a round, at most; their mean counts.
        kept: chance of a part to be given while filling in is learnt.
    """

    ema_players = ("generator", "text", "keypoint_generator")
    requires = ("image", "caption", "keypoints")

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
        kept: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    ):
        self.told = "caption" if text == "characters" else "caption_features"
        self.requires = ("image", self.told, "keypoints")
        super().__init__(schema)
        self.noise_size, self.captions, self.kept = noise_size, captions, kept
        sizes, grid = grid_stages(self.size)
        self.cells = sizes[grid]
        length, parts = schema.widths[self.told], len(schema.names["keypoints"])
        self.text = (
            CharacterReader(letters, text_size)
            if text == "characters"
            else FeatureReader(length, text_size)
        )
        self.generator = KeyPointPictureGenerator(
            noise_size, text_size, parts, width, sizes, grid, self.channels
        )
        self.discriminator = KeyPointPictureDiscriminator(
            text_size, parts, width, sizes, grid, self.channels
        )
        self.keypoint_generator = KeyPointGenerator(noise_size, text_size, parts, width)
        self.keypoint_discriminator = KeyPointDiscriminator(text_size, parts, width)
        initialise_convolutions(self.generator)
        initialise_convolutions(self.discriminator)

    @property
    def inputs(self) -> dict[str, Input]:
        length = self.schema.widths[self.told]
        text = TextInput(length) if self.told == "caption" else FeaturesInput(length)
        return {self.told: text, "keypoints": KeyPointsInput(self.schema.names["keypoints"])}

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real, keypoints, told = batch["image"], batch["keypoints"], batch[self.told]
        if told.shape[1] > self.captions:
            told = some_captions(told, rng.rand(*told.shape[:2]), self.captions)
        maps = location_maps(keypoints, self.cells)
        # of all processes, so that each has the next picture's too
        texts = self.text(rng.gather(told))
        text, wrong_text = rng.part(texts), rng.part(texts.roll(1, 0))
        fixed = text.detach()
        fake = self.generator(rng.normal(len(real), self.noise_size), fixed, maps)
        seen = self.discriminator.look(real)
        right, wrong = (self.discriminator.judge(seen, what, maps) for what in (text, wrong_text))
        fake_score = self.discriminator(fake.detach(), text, maps)
        losses = {"adversarial": matching_d(right, wrong, fake_score)}
        yield (
            Update("discriminator", losses, {"wrong_text": wrong.mean()}, (right, fake_score)),
            Update("text", losses),
        )
        yield Update(
            "generator", {"adversarial": non_saturating_g(self.discriminator(fake, fixed, maps))}
        )
        given = keypoints * (rng.rand(*keypoints.shape[:2]) < self.kept)[:, :, None]
        filled = self.keypoint_generator(rng.normal(len(real), self.noise_size), fixed, given)
        scores = (
            self.keypoint_discriminator(keypoints, fixed),
            self.keypoint_discriminator(filled.detach(), fixed),
        )
        yield Update("keypoint_discriminator", {"adversarial": non_saturating_d(*scores)})
        yield Update(
            "keypoint_generator",
            {"adversarial": non_saturating_g(self.keypoint_discriminator(filled, fixed))},
        )

    def score(self, batch: Batch) -> Tensor:
        maps = location_maps(batch["keypoints"], self.cells)
        return self.discriminator(batch["image"], self.text(batch[self.told]), maps)

    def sample(self, count: int, rng: Rng, *, keypoints: Tensor, **told: Tensor) -> Tensor:
        noise, text = rng.normal(count, self.noise_size), self.text(told[self.told])
        return self.generator(
            noise, text, location_maps(self.fill(keypoints, text, rng), self.cells)
        )

    def fill(self, keypoints: Tensor, text: Tensor, rng: Rng) -> Tensor:
        """Key points (N, P, 3) with places also for those that are not given."""
        return self.keypoint_generator(rng.normal(len(keypoints), self.noise_size), text, keypoints)

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """Made where the real parts are; then mirrored, smaller, from one part and its text alone,
        and with another's caption.
        """
        keypoints, text = batch["keypoints"], self.text(batch[self.told])
        noise = rng.normal(len(keypoints), self.noise_size)
        seen = keypoints[..., 2:]
        x, y = keypoints[..., :1], keypoints[..., 1:2]
        first = (seen.cumsum(1) == 1) & (seen > 0)  # the first part that is seen
        places = {
            "made": keypoints,
            "mirrored": torch.cat([(1 - x) * seen, y, seen], 2),
            "smaller": torch.cat([0.25 * seen + x / 2, 0.25 * seen + y / 2, seen], 2),
            "one part given": self.fill(keypoints * first, text, rng),
        }
        columns = {"real": with_points(batch["image"], keypoints)}
        for name, place in places.items():
            columns[name] = with_points(
                self.generator(noise, text, location_maps(place, self.cells)), place
            )
        other = self.generator(noise, text.roll(1, 0), location_maps(keypoints, self.cells))
        return columns | {"another caption": with_points(other, keypoints)}

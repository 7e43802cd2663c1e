"""A small GAN that draws what a caption says, inside a box or at key points, in minutes on a CPU.

The question of GAWWN (Reed et al. 2016) with the networks and the losses of our small relativistic
GAN: places are planes beside the maps of every size, and the right caption of an image has to score
higher than a wrong one.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import Batch, BoxInput, Clock, Input, KeyPointsInput, Update, Updates
from ganvas.gans.gawwn.captions import CaptionGAN, preview_boxes, preview_keypoints
from ganvas.gans.gawwn.place_networks import PlaceDiscriminator, PlaceGenerator
from ganvas.gans.nn.augment import shift_images
from ganvas.gans.nn.boxes import box_planes, heat_maps, shrink_images
from ganvas.gans.nn.folded import REACH
from ganvas.gans.nn.losses import relativistic, squared_gradient
from ganvas.gans.nn.networks import FOLDED_SIZE, stage_sizes, stage_widths
from ganvas.gans.nn.text import TextKind
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["RelativisticGAWWN"]

PlaceKind = Literal["box", "keypoints"]


class RelativisticGAWWN(CaptionGAN):
    """Draws what a caption says where a box or key points say, after minutes on a CPU.

    The question of Reed et al. 2016, "Learning What and Where to Draw"; the game of
    Jolicoeur-Martineau 2018, "The relativistic discriminator: a key element missing from standard
    GAN", and Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?".

    Players:

    - text: embeds captions, word by word.
    - generator: noise and text → linear → maps that are doubled by repeating their pixels. At every
      size planes that mark the place stand beside the map, and noise and text scale its channels.
    - discriminator: the image → convolution 3x3 → halvings, with the planes beside every map →
      features, which are scored by themselves and against the text.

    Planes of a box: inside it, and where in it, across and down, from -1 to 1. Planes of key
    points: a bell around each part that is given.

    Losses, for an image x with its caption t and place b, and t' the caption of another image:

    - discriminator: mean softplus(D(G(z, t, b), t, b) - D(x, t, b))
      + m mean softplus(D(x, t', b) - D(x, t, b)) + gamma / 2 mean |∇ D(x, t, b)|²
    - text: the first two of these terms
    - generator: mean softplus(D(x, t, b) - D(G(z, t, b), t, b))
      + m mean softplus(D(G(z, t, b), t', b) - D(G(z, t, b), t, b))

    The fakes are generated once in a training step and serve both updates. Images of 48 pixels or
    more are folded, as in `relativistic`. The discriminator sees all images moved by up to two
    pixels, so that no lattice pays.

    Where we differ from the papers:

    - Reed et al. compare each score with zero. Here a fake competes with a real image of the same
      caption and place, and the caption of an image with another's. Two captions that are equal
      then teach nothing, where the paper's loss calls one of them wrong; and the generator, too,
      learns that its images must not fit another caption.
    - No batch norms but that of the texts; cells of the generator's maps are normalised by
      themselves. No paths for the box and the rest, and no pasting: the planes say where.
    - Captions are read word by word and not letter by letter; see `WordReader`.
    - There is no second GAN of key points: in training a random share of an image's parts is
      hidden, so that parts which are not given are the generator's choice.
    - The penalty is computed in every `penalty_every`-th training step at that many times its
      weight (the lazy form of Karras et al. 2020).

    Recipe: `gawwn-fast`.

    Args:
        place: what says where: "box" or "keypoints".
        text: form of the captions: "words" are read as hashed words, "characters" letter by letter,
            "features" are the numbers that the data has for them.
        width: channels of the largest map; doubled at every halving, up to `most` x.
        most: see `width`.
        noise_size: numbers of noise, standard normal.
        text_size: numbers of an embedded caption.
        letters: channels inside the reader of words or characters.
        captions: captions of one image that a training step reads, at most; their mean counts.
        features: numbers by which the discriminator summarises an image.
        smallest: real images are shrunk at random, down to this share of their side, and put on a
            ground of the colour of their corners, as in `gawwn-box`. 1 leaves images as they are.
        matching: m, the weight of the right caption against the wrong one.
        gamma: the penalty's weight.
        penalty_every: training steps from one penalty to the next.

    Raises:
        UserError: images are to be shrunk around key points.
    """

    ema_players = ("generator", "text")
    double_backward = True
    decision_threshold = None

    def __init__(
        self,
        schema: Schema,
        *,
        place: PlaceKind = "box",
        text: TextKind = "words",
        width: PositiveInt = 24,
        most: PositiveInt = 4,
        noise_size: PositiveInt = 64,
        text_size: PositiveInt = 64,
        letters: PositiveInt = 64,
        captions: PositiveInt = 1,
        features: PositiveInt = 128,
        smallest: Annotated[float, Field(gt=0, le=1)] = 1.0,
        matching: NonNegativeFloat = 1.0,
        gamma: NonNegativeFloat = 0.5,
        penalty_every: PositiveInt = 4,
    ):
        super().__init__(
            schema, place, text=text, text_size=text_size, letters=letters, captions=captions
        )
        if place == "keypoints" and smallest < 1:
            raise UserError(
                f"smallest={smallest} shrinks images around boxes; with place=keypoints use 1"
            )
        self.place = place
        self.noise_size = noise_size
        self.smallest = smallest
        self.matching = matching
        self.gamma = gamma
        self.penalty_every = penalty_every

        self.sizes = stage_sizes(self.size)  # 64 pixels: [4, 8, 16, 32, 64]
        if self.size >= FOLDED_SIZE:
            self.sizes.pop()  # the largest map has half of the image's side
        fold = self.size // self.sizes[-1]

        widths = stage_widths(width, len(self.sizes), most)
        planes = 3 if place == "box" else len(schema.names["keypoints"])
        self.generator = PlaceGenerator(
            noise_size + text_size, planes, self.sizes[0], widths, self.channels, fold
        )
        self.discriminator = PlaceDiscriminator(
            text_size, planes, self.sizes[0], widths, self.channels, features, fold
        )

    @property
    def inputs(self) -> dict[str, Input]:
        if self.place == "box":
            return super().inputs | {"box": BoxInput()}
        return super().inputs | {"keypoints": KeyPointsInput(self.schema.names["keypoints"])}

    def mark(self, place: Tensor) -> list[Tensor]:
        """Planes (N, P, M, M) of boxes or key points, for the side M of every map."""
        draw = box_planes if self.place == "box" else heat_maps
        return [draw(place, cells) for cells in self.sizes]

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        text, wrong_text = self.embed_captions(batch, rng)  # (N, text_size) each
        real, place = self.change(batch, rng)
        planes = self.mark(place)
        moves = rng.rand(len(real), 2)  # the same for both players

        # The generator does not train the text reader.
        fixed, wrong = text.detach(), wrong_text.detach()
        fake = self.generator(rng.normal(len(real), self.noise_size), fixed, planes)

        with_penalty = clock.every(self.penalty_every)
        real.requires_grad_(with_penalty)
        seen_real = shift_images(real, moves, REACH)
        features = self.discriminator.encode(seen_real, planes)
        right = self.discriminator.score(features, text)
        wrongly = self.discriminator.score(features, wrong_text)
        seen_fake = shift_images(fake.detach(), moves, REACH)
        generated = self.discriminator(seen_fake, text, planes)

        losses = {
            "adversarial": relativistic(right, generated),
            "matching": self.matching * relativistic(right, wrongly),
        }
        penalty = torch.zeros_like(losses["adversarial"])
        if with_penalty:
            penalty = squared_gradient(right, real).mean()
            penalty = self.penalty_every * self.gamma / 2 * penalty  # the same on average
            real.requires_grad_(False)  # from here on only the generator learns
        reader = Update("text", dict(losses))
        losses["penalty"] = penalty
        # One tuple of updates: both gradients are taken before any weight changes.
        yield Update("discriminator", losses, scores=(right, generated)), reader

        # The discriminator has changed, so the opponents are scored again.
        with torch.no_grad():
            opponent = self.discriminator(seen_real, fixed, planes)
        features = self.discriminator.encode(shift_images(fake, moves, REACH), planes)
        score = self.discriminator.score(features, fixed)
        losses = {
            "adversarial": relativistic(score, opponent),
            "matching": self.matching
            * relativistic(score, self.discriminator.score(features, wrong)),
        }
        yield Update("generator", losses)

    def change(self, batch: Batch, rng: Rng) -> tuple[Tensor, Tensor]:
        """Images and places as a training step sees them: shrunk, or with some parts hidden."""
        real, place = batch["image"], batch[self.place]
        if self.place == "keypoints":
            # of each image another share of its parts, so that one part alone can be given too
            shares = rng.rand(len(place), 1 + place.shape[1])
            return real, place * (shares[:, 1:] < shares[:, :1])[:, :, None]
        if self.smallest < 1:
            return shrink_images(real, place, self.smallest, rng.rand(len(real), 3))
        return real, place

    def score(self, batch: Batch) -> Tensor:
        text = self.text(batch[self.text_column])
        return self.discriminator(batch["image"], text, self.mark(batch[self.place]))

    def sample(self, count: int, rng: Rng, **inputs: Tensor) -> Tensor:
        text = self.text(inputs[self.text_column])
        noise = rng.normal(count, self.noise_size)
        return self.generator(noise, text, self.mark(inputs[self.place])).clamp(-1, 1)

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """Generated from an image's own caption and place; then at other places, and with another
        image's caption.
        """
        text = self.text(batch[self.text_column])
        noise = rng.normal(len(text), self.noise_size)

        def generate(text: Tensor, place: Tensor) -> Tensor:
            return self.generator(noise, text, self.mark(place)).clamp(-1, 1)

        image, place = batch["image"], batch[self.place]
        if self.place == "box":
            return preview_boxes(generate, image, text, place)
        # Parts that are not given are left to the generator.
        return preview_keypoints(generate, lambda given: given, image, text, place)

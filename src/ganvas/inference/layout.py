"""Images from a caption and from where its subject should be: `ganvas sample --caption`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganvas.errors import UserError
from ganvas.gans.base import BoxInput, FeaturesInput, KeyPointsInput, TextInput
from ganvas.gans.nn.boxes import draw_boxes, draw_keypoints
from ganvas.inference.layout_inputs import (
    encode_caption,
    read_box,
    read_features,
    read_keypoints,
    refuse_flag,
)
from ganvas.inference.naming import AS_NUMBERED, Naming
from ganvas.inference.run import Run
from ganvas.inference.sampling import CHUNK, sample_gan
from ganvas.inference.task import Attachment, Result, Task
from ganvas.io.chunks import chunk_ranges
from ganvas.io.console import count_noun
from ganvas.io.grids import make_table
from ganvas.io.images import to_uint8
from ganvas.rng import RowRng
from ganvas.runs.usage import describe_use

__all__ = ["LayoutTask", "move_box", "move_points"]

MIDDLE = (0.15, 0.15, 0.7, 0.7)  # the usual box: left, top, width, height in shares of the side
ROWS = 6  # of the sheet


@dataclass(frozen=True)
class LayoutTask(Task):
    """Generate images from a caption, with a box or key points.

    Attributes:
        caption: what to draw.
        box: "left,top,width,height" in pixels of the generated images; None: a large one in the
            middle.
        keypoints: "part=x,y" in pixels each; the GAN places the parts that are not named.
        features: file with the caption as numbers, for GANs trained on such.
        count: of images.
        seed: of the noise; an image depends on it and its own number alone.
        naming: of the files.
    """

    folder = "generated"
    sheet = "grid"

    caption: str | None = None
    box: str | None = None
    keypoints: tuple[str, ...] = ()
    features: Path | None = None
    count: int = 64
    seed: int = 0
    naming: Naming = AS_NUMBERED

    def check(self, run: Run) -> None:
        if self.count < 1:
            raise UserError(f"--count {self.count}: ask for at least one image")
        self.naming.check(self.count)
        self.read_inputs(run)

    def results(self, run: Run) -> Iterator[Result | str]:
        inputs = self.read_inputs(run)
        yield from self.describe_choices(run, inputs)

        # whole chunks always, so that an image does not depend on the count
        rows = {name: values.to(run.device) for name, values in _repeat_rows(inputs, CHUNK).items()}
        for chunk in chunk_ranges(self.count, CHUNK, whole=True):
            rng = RowRng(self.seed, chunk, run.device)
            images = to_uint8(sample_gan(run.gan, rng, CHUNK, rows))  # (CHUNK, C, H, W)
            for number, image in enumerate(images[: self.count - chunk.start], chunk.start):
                name = self.naming.name(number, self.count)
                yield Result(name, {name: image})

    def attachments(self, run: Run) -> Mapping[str, Attachment]:
        return {
            "caption.txt": f"{self.caption or self.features}\n",
            "sheets/places.png": self.draw_places(run),
        }

    @property
    def expected(self) -> int:
        return self.count

    @property
    def grid_caption(self) -> str:
        return f"caption: {self.caption or self.features}"

    def read_inputs(self, run: Run) -> dict[str, Tensor]:
        """The inputs of the GAN, one row each.

        Raises:
            UserError: the GAN takes no captions, no box, or no key points, or one of them is not as
                it should be.
        """
        inputs = self.read_text(run)
        size, folder = run.gan.size, run.name
        if any(isinstance(kind, BoxInput) for kind in run.gan.inputs.values()):
            refuse_flag(self.keypoints, "--keypoint", f"{folder} takes a box: use --box X,Y,W,H")
            inputs["box"] = torch.tensor([read_box(self.box, size) if self.box else MIDDLE])
            return inputs

        advice = f"{folder} takes the places of parts: use --keypoint PART=X,Y"
        refuse_flag(self.box, "--box", advice)
        kind = run.gan.inputs["keypoints"]
        assert isinstance(kind, KeyPointsInput)
        inputs["keypoints"] = read_keypoints(self.keypoints, kind.parts, size)
        return inputs

    def read_text(self, run: Run) -> dict[str, Tensor]:
        """The caption in the form that the GAN takes, one row.

        Raises:
            UserError: the GAN takes no captions, or another form, or there is none.
        """
        for name, kind in run.gan.inputs.items():
            if isinstance(kind, TextInput):
                advice = f"{run.name} reads captions: use --caption TEXT"
                refuse_flag(self.features, "--caption-features", advice)
                return {name: encode_caption(self.caption, kind.length, run.name)}
            if isinstance(kind, FeaturesInput):
                if self.features is None:
                    raise UserError(
                        f"{run.name} was trained on captions as {kind.length} numbers; give them"
                        " by --caption-features FILE"
                    )
                return {name: read_features(self.features, kind.length)}

        use = describe_use(run.gan, run.name)
        raise UserError(
            f"{run.name} was trained without captions: --caption, --box and --keypoint have no"
            f" effect; {use}"
        )

    def describe_choices(self, run: Run, inputs: Mapping[str, Tensor]) -> Iterator[str]:
        """A line about what the user left open."""
        if "box" in inputs:
            if not self.box:
                place = ",".join(f"{share * run.gan.size:.0f}" for share in MIDDLE)
                yield f"no --box: one in the middle is used, --box {place}"
            return

        given = inputs["keypoints"][0, :, 2]  # (P,), 1 where the user placed the part
        open_parts = len(given) - int(given.sum())
        if open_parts:
            places = "its place" if open_parts == 1 else "their places"
            parts = count_noun(len(given), "part")
            yield f"{open_parts} of {parts} without a --keypoint: the GAN chooses {places}"

    def draw_places(self, run: Run) -> Image.Image:
        """A sheet of the first images, a row each, as requested and with the box or key points
        elsewhere, drawn as frames or dots.
        """
        inputs = self.read_inputs(run)
        # the same noise in every column, so that only the place differs
        name = "box" if "box" in inputs else "keypoints"
        mark = draw_boxes if name == "box" else draw_keypoints
        move = move_box if name == "box" else move_points

        columns = {}
        for heading, place in move(inputs[name]).items():
            rows = _repeat_rows({**inputs, name: place}, min(self.count, ROWS))
            columns[heading] = to_uint8(mark(run.make(rows, seed=self.seed), rows[name]))
        return make_table(columns, caption=self.grid_caption)


def _repeat_rows(inputs: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """One row of each input, `count` times."""
    # Views of one row: writing to one would change them all.
    return {name: values.expand(count, *values.shape[1:]) for name, values in inputs.items()}


def move_box(box: Tensor) -> dict[str, Tensor]:
    """The requested box (1, 4), and others of half its sides, or stretched, that lie in the image
    too.
    """
    left, top, width, height = box[0].tolist()  # in shares of the side
    w, h = width / 2, height / 2
    # a box of half the sides keeps its centre where it does not move
    y, x = top + h / 2, left + w / 2

    # 0.05 of the side stays free at the edges
    boxes = {
        "asked": (left, top, width, height),
        "left": (0.05, y, w, h),
        "right": (0.95 - w, y, w, h),
        "up": (x, 0.05, w, h),
        "down": (x, 0.95 - h, w, h),
        "wide": (0.05, y, 0.9, h),
        "high": (x, 0.05, w, 0.9),
    }
    return {name: torch.tensor([place]) for name, place in boxes.items()}


def move_points(keypoints: Tensor) -> dict[str, Tensor]:
    """The requested key points (1, P, 3), and others mirrored or nearer to the middle of the image.

    What the user left open stays 0.
    """
    x, y, given = keypoints.unbind(2)  # (1, P) each; `given` is 0 where the GAN chooses
    return {
        "asked": keypoints,
        # places lie in [0, 1), and the mirror image of 0 would be 1
        "mirrored": torch.stack([(1 - x).clamp(max=0.999) * given, y, given], 2),
        "smaller": torch.stack([(0.25 + x / 2) * given, (0.25 + y / 2) * given, given], 2),
        "wide": torch.stack([x, (0.25 + y / 2) * given, given], 2),
    }

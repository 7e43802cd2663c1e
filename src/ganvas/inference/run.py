"""A trained GAN, loaded from a run: `ganvas.load`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Unpack, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.data.builtin.points import mode_discs
from ganvas.devices import pick_device
from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN
from ganvas.inference.choice import NoiseChoice, NoiseFlags, choose_points
from ganvas.inference.latents import draw_points
from ganvas.inference.sampling import (
    Labels,
    class_number,
    class_numbers,
    sample_chunks,
    sample_gan,
    take_turns,
)
from ganvas.inference.sheets import draw_grid
from ganvas.inference.walk import Walk, draw_walk, list_paths
from ganvas.io.animation import Animation
from ganvas.io.console import count_noun
from ganvas.io.html import escape, figure
from ganvas.io.images import to_uint8
from ganvas.io.notebook import show_image
from ganvas.io.planes import show_planes, to_picture
from ganvas.io.scatter import draw_sheet
from ganvas.rng import RowRng
from ganvas.runs.checkpoint import load_gan
from ganvas.runs.curves import collect_losses
from ganvas.runs.folder import grid_path
from ganvas.runs.locate import locate_checkpoint
from ganvas.runs.log import read_log
from ganvas.runs.places import RunPlace, find_place
from ganvas.runs.usage import describe_use
from ganvas.schema import Planes

__all__ = ["MOST_COLUMNS", "Run", "load"]

SHOWN, POINTS_SHOWN = 64, 1000  # images of a grid, points of a scatter picture
MOST_COLUMNS = 16  # of a grid with a column for each class


class Run:
    """A trained GAN, ready to use. A notebook shows its samples.

    Attributes:
        path: the checkpoint that was loaded.
        gan: in evaluation mode, with the moving average of the weights or the last weights.
        about: the checkpoint's description.
        device: where the GAN is.
        place: where the run is, and where results made with it go.
    """

    def __init__(
        self,
        path: Path,
        gan: GAN,
        about: dict[str, Any],
        device: torch.device,
        place: RunPlace | None = None,
    ):
        self.path = path
        self.place = place or RunPlace(path)
        self.gan = gan.to(device)
        self.about = about
        self.device = device

    def __repr__(self) -> str:
        return f"<Run of {self._describe()}>"

    def _describe(self) -> str:
        """The GAN, its images, how long it was trained, and where it is."""
        name = self.about["gan"]["name"]
        kind = f"{self.gan.size}x{self.gan.size}x{self.gan.channels}"
        classes = ""
        if self.gan.classes:
            classes = f", {count_noun(len(self.gan.classes), 'class', 'classes')}"
        images = count_noun(self.about["images"], "image")
        return f"{name}, {kind}{classes}, {images}, {self.place.name or self.path}"

    def _repr_html_(self) -> str:
        """The grid of samples that training drew at this checkpoint, or a new one, and a line."""
        grid: bytes | Image.Image | None = None
        file = grid_path(self.folder, self.about["images"])
        if file.is_file():
            grid = file.read_bytes()
        elif self.gan.unconditional:
            grid = self.grid()
        picture = figure(grid, f"Samples of {self.name}") if grid is not None else ""
        return f"<div>{picture}<div>{escape(self._describe())}</div></div>"

    @property
    def folder(self) -> Path:
        """The run folder; the checkpoint itself where it lies elsewhere."""
        return self.path.parents[1] if self.path.parent.name == "checkpoints" else self.path

    @property
    def name(self) -> str:
        """What commands and messages call it: its folder, or a name such as "zoo:mnist"."""
        return self.place.name or str(self.folder)

    @property
    def title(self) -> str:
        """One word for titles and names of files, such as "faces" for "hf:me/faces@v2"."""
        named = re.split("[:/]", self.place.name.partition("@")[0])[-1]
        # The folder of a run that was fetched is called by its commit.
        return named or (self.place.outputs or self.folder.resolve()).name

    @property
    def outputs(self) -> Path:
        """The folder in which results are written: the run's own, where that may be."""
        return self.place.outputs or self.folder

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image."""
        return self.gan.channels, self.gan.size, self.gan.size

    @property
    def losses(self) -> dict[str, np.ndarray]:
        """The losses while the run was trained, as columns of equal length.

        "images" is the number of images shown; "generator" and "discriminator" are the networks'
        whole losses, "generator/TERM" their terms; other columns are the GAN's statistics. Each is
        float64 (N,), a mean since the row before; NaN where a value is missing or not finite. The
        columns are empty where the checkpoint lies outside its run folder.
        """
        log = self.folder / "log.jsonl"
        return collect_losses(read_log(log) if log.exists() else [])

    @overload
    def sample(
        self,
        count: int | None = ...,
        *,
        seed: int = ...,
        label: Labels = ...,
        as_images: Literal[False] = ...,
        **noise: Unpack[NoiseFlags],
    ) -> Tensor: ...

    @overload
    def sample(
        self,
        count: int | None = ...,
        *,
        seed: int = ...,
        label: Labels = ...,
        as_images: Literal[True],
        **noise: Unpack[NoiseFlags],
    ) -> list[Image.Image]: ...

    def sample(
        self,
        count: int | None = None,
        *,
        seed: int = 0,
        label: Labels = None,
        as_images: bool = False,
        **noise: Unpack[NoiseFlags],
    ) -> Tensor | list[Image.Image]:
        """Generate images. The same seed gives the same images, whatever the count.

        Args:
            count: of images; None: 64, or as many as `seeds` or `noise` name.
            seed: of the noise.
            label: a class name or number, for GANs with classes, or several that take turns; None:
                the classes in turn.
            as_images: whether to return Pillow images instead of a tensor.
            **noise: `seeds`, `noise`, `near`, `spread`, `truncation`, `direction` and
                `directions`, as `ganvas.sample` has them.

        Returns:
            float32 (count, C, H, W) in [-1, 1], on the CPU; or a list of Pillow images.

        Raises:
            UserError: the count is negative, the GAN has no such class, it needs more than noise
                and a class, the noise is no noise of it, or Pillow images are requested of a GAN
                that generates points.
        """
        choice = self._choose_noise(noise)
        if choice.moving:
            raise UserError("a direction with a way FROM..TO is a walk: use run.walk")
        if as_images:
            self._check_images()
        if count is not None and (count < 0 or choice.fixed):
            wanted = "leave it out beside seeds and noise" if choice.fixed else "ask for 0 or more"
            raise UserError(f"{count} images cannot be generated; {wanted}")
        self.check_free()
        labels = class_numbers(self.gan, label)
        choice.check(self.gan, self.device, seed)

        usual = SHOWN if count is None else count
        points = choose_points(self.gan, self.device, choice, seed, usual, labels)
        # the empty tensor gives a count of 0 its shape
        drawn = draw_points(self.gan, points, self.device)
        samples = torch.cat([*(images for _, images in drawn), torch.empty(0, *self.shape)])
        return [self.to_picture(image) for image in to_uint8(samples)] if as_images else samples

    @property
    def planes(self) -> Planes:
        """What the channels of the generated images are."""
        return self.gan.schema.planes(self.gan.target)

    def show_planes(self, images: Tensor) -> Tensor:
        """Generated images uint8 (N, C, H, W) for people, (N, 1 or 3, H, W); points as they are."""
        return show_planes(images, *self.planes)

    def to_picture(self, image: Tensor) -> Image.Image:
        """A generated image uint8 (C, H, W) as a Pillow image, with transparency if it has any; of
        bands the first ones.
        """
        return to_picture(image, *self.planes)

    def chunks(
        self, count: int, *, seed: int = 0, label: str | int | None = None
    ) -> Iterator[Tensor]:
        """As `sample`, a few images at a time, for counts that do not fit into memory."""
        if count < 0:
            raise UserError(f"{count} images cannot be generated; ask for 0 or more")
        self.check_free()
        fixed = None if label is None else class_number(self.gan, label)
        yield from sample_chunks(self.gan, range(count), seed, self.device, fixed)

    def check_free(self) -> None:
        """Refuse a GAN that needs more than noise and a class.

        Raises:
            UserError: names the command that fits it.
        """
        if not self.gan.unconditional:
            inputs = ", ".join(self.gan.inputs)
            use = describe_use(self.gan, self.name)
            raise UserError(f"{self.name} generates images from {inputs}, not from noise: {use}")

    def _choose_noise(self, given: NoiseFlags) -> NoiseChoice:
        """The choice of noise, with directions from this run where no other place was named.

        Raises:
            UserError: there is no such argument.
        """
        for name in given:
            if name not in NoiseFlags.__annotations__:
                hint = nearest(name, NoiseFlags.__annotations__)
                raise UserError(f"run.sample and run.walk have no argument {name!r}; {hint}")
        return NoiseChoice(**given).of(self.outputs, self.name)

    def _check_images(self) -> None:
        """Refuse a GAN that generates points.

        Raises:
            UserError: says what to use.
        """
        if self.gan.kind == "point":
            raise UserError(f"{self.name} makes points, not images; use run.sample or run.grid")

    def make(self, inputs: Mapping[str, Tensor], *, seed: int = 0) -> Tensor:
        """Generate one image for each row of the inputs that the GAN needs; see `GAN.inputs`.

        Returns:
            float32 (N, C, H, W) in [-1, 1], on the CPU.
        """
        count = len(next(iter(inputs.values())))
        on_device = {name: values.to(self.device) for name, values in inputs.items()}
        return sample_gan(self.gan, RowRng(seed, range(count), self.device), count, on_device)

    def grid(
        self,
        count: int | None = None,
        *,
        seed: int = 0,
        label: str | int | None = None,
        columns: int | None = None,
    ) -> Image.Image:
        """Draw samples as one Pillow image: a grid of images, or a scatter plot of points.

        Args:
            count: of samples, 1 or more; None: 64 images or 1,000 points.
            seed: of the noise.
            label: a class name or number, for GANs with classes; None: the classes in turn.
            columns: images in a row; None: a column for each of up to 16 classes, otherwise as
                square as possible.

        Raises:
            UserError: a number is below 1, the GAN has no such class, or it needs more than noise
                and a class.
        """
        points = self.gan.kind == "point"
        classes = len(self.gan.classes) if "label" in self.gan.inputs and label is None else 0
        if count is None:
            count = POINTS_SHOWN if points else SHOWN
            # Whole rows of all classes, so that a column shows one class.
            if 1 < classes <= MOST_COLUMNS:
                count = classes * (SHOWN // classes)
                columns = columns or classes
        if count < 1 or (columns is not None and columns < 1):
            raise UserError(f"count {count}, columns {columns}: both must be 1 or more")

        samples = self.show_planes(to_uint8(self.sample(count, seed=seed, label=label)))
        if points:
            return draw_sheet(samples, 1, discs=mode_discs(self.about["data"]["spec"]))
        turns = take_turns(self.gan, range(count)) if classes else []
        names = [self.gan.classes[number] for number in turns]
        return draw_grid([*samples], columns, labels=names)

    def show(
        self,
        count: int | None = None,
        *,
        seed: int = 0,
        label: str | int | None = None,
        columns: int | None = None,
    ) -> None:
        """Show samples: in the output of a notebook's cell, or else in the system's image viewer.

        Args:
            count: as in `grid`, and so are the others.
            seed: of the noise.
            label: a class name or number.
            columns: images in a row.

        Raises:
            UserError: as `grid`.
        """
        show_image(self.grid(count, seed=seed, label=label, columns=columns))

    def walk(
        self,
        frames: int | None = None,
        *,
        seed: int = 0,
        label: Labels = None,
        invert: bool = False,
        fps: float | None = None,
        loop: bool = True,
        walks: int | None = None,
        columns: int | None = None,
        scale: int | None = None,
        **noise: Unpack[NoiseFlags],
    ) -> Animation:
        """Draw a smooth walk: through the noise of the first six samples, through noise that is
        given, or from class to class.

        A notebook plays it; `run.walk().save("walk.webp")` writes it to a file.

        Args:
            frames: number of images, 1 or more; None: 96.
            seed: of the noise.
            label: a class name or number, or several to walk through; None: all classes side by
                side, 20 at most.
            invert: whether to swap dark and light.
            fps: frames per second; None: 16.
            loop: whether the walk returns to its begin, and the animation repeats.
            walks: how many walks through different noise, side by side; None: 1.
            columns: of several walks; None: as square as possible.
            scale: whole number by which pixels are repeated; None: small images are enlarged.
            **noise: `seeds`, `noise`, `near`, `spread`, `truncation`, `direction` and
                `directions`, as `ganvas.sample` has them: the walk passes through these images, or
                goes along a direction ("3:-3..3").

        Raises:
            UserError: the GAN generates points, has no such class, or needs more than noise and a
                class; or the walk would go nowhere or is too large.
        """
        settings = Walk(frames, fps, loop, walks, columns, scale, invert)
        choice = self._choose_noise(noise)
        self._check_images()
        self.check_free()
        choice.check(self.gan, self.device, seed)
        labels = class_numbers(self.gan, label)
        paths = list_paths(self.gan, self.device, settings, choice, seed, labels)
        return draw_walk(self.gan, self.device, settings, paths)


def load(path: str | Path, *, device: str = "cpu", ema: bool = True) -> Run:
    """Load a run: its newest checkpoint, or the one that is named.

    Args:
        path: a run folder or one of its checkpoints, or a name such as "zoo:mnist".
        device: where images will be generated.
        ema: whether to use the moving average of the weights, where there is one.

    Raises:
        UserError: there is nothing to load, or it is damaged.
    """
    place = find_place(path)
    found = locate_checkpoint(place.folder)
    return Run(found, *load_gan(found, ema), pick_device(device), place)

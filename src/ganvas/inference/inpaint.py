"""Fill holes in images: `ganvas restore`.

An inpainting GAN fills them directly; of any other unconditional GAN the noise is searched.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from ganvas.errors import UserError
from ganvas.inference.blur_test import NO_TEST, compare_with_blur
from ganvas.inference.crops import Window, choose_window, crop_window, paste_window
from ganvas.inference.damage import (
    Damage,
    describe_candidates,
    describe_damage,
    describe_effort,
    describe_projection,
    describe_window,
    suggest_size,
)
from ganvas.inference.holes import SMALLEST, check_hole, find_known, read_hole, shrink_hole
from ganvas.inference.inversion import (
    Candidates,
    SearchSettings,
    estimate_search,
    hole_weights,
    search_noise,
)
from ganvas.inference.poisson import blur_fill, poisson
from ganvas.inference.run import Run
from ganvas.inference.sampling import class_number
from ganvas.inference.task import MAX_SIDE, Inputs, Result, Task, use_inputs
from ganvas.io.console import track
from ganvas.io.image_files import read
from ganvas.io.images import to_float, to_uint8
from ganvas.io.resizing import resize
from ganvas.runs.usage import describe_use

__all__ = ["InpaintTask"]

GREY = 127  # of the hole on sheets
CANDIDATES, STEPS = 4, 300  # of a search
# Goes through the steps of a search and shows how far it is; gets the name of the image, too.
Follow = Callable[[Iterable[int], str], Iterator[int]]


def _show_bar(steps: Iterable[int], name: str) -> Iterator[int]:
    """Go through the steps of a search with a bar on the terminal."""
    return track(steps, f"searching for {name}")


@dataclass(frozen=True)
class InpaintTask(Task):
    """Fill holes, or project whole images into what a GAN can generate.

    Attributes:
        inputs: the images.
        mask: file, white in the hole, or folder of such files with the names of the images.
        box: the hole as "left,top,width,height" in pixels. Without mask and box: where the image is
            transparent.
        project: whether to search for the GAN's image nearest to the whole picture instead.
        candidates: results of a search; None: CANDIDATES.
        size: to which the shorter side is brought for an inpainting GAN, in pixels; None: its own.
        steps: of a search; None: STEPS.
        label: class of a search, by name or number; None: whichever fits best.
        seed: of the noise.
        follow: shows how far a search is, and may end it by an exception.
    """

    folder = "restored"
    sheet = "each"

    inputs: Inputs = ()
    mask: Path | None = None
    box: str | None = None
    project: bool = False
    candidates: int | None = None
    size: int | None = None
    steps: int | None = None
    label: str | None = None
    seed: int = 0
    follow: Follow = _show_bar

    def check(self, run: Run) -> None:
        gan, folder = run.gan, run.name
        if self.mask and self.box:
            raise UserError("--mask and --box both say where the hole is; give one of them")
        if self.project and (self.mask or self.box):
            raise UserError("--project is for whole pictures; give it without --mask and --box")
        if gan.kind == "point":
            raise UserError(f"{folder} makes points, not images: there is nothing to restore")
        if run.planes.kind != "colour":
            raise UserError(
                f"{folder} makes images of {gan.channels} channels; grey and RGB can be restored"
            )
        if not gan.unconditional and set(gan.inputs) != {"image", "mask"}:
            use = describe_use(gan, folder)
            raise UserError(f"{folder} generates images from {', '.join(gan.inputs)}: {use}")

        # A flag without effect is refused, so that nobody waits for one.
        inpaints = "mask" in gan.inputs
        for name in ("project", "candidates", "steps", "label") if inpaints else ("size",):
            if getattr(self, name) not in (None, False):
                reason = f"generates images of {gan.size}x{gan.size} pixels"
                if inpaints:
                    reason = "is an inpainting GAN, which fills a hole in one way"
                raise UserError(f"--{name} has no effect: {folder} {reason}")

        if self.label is not None:
            class_number(gan, self.label)  # refuses an unknown class
        if self.size is not None and self.size > MAX_SIDE:
            raise UserError(f"--size {self.size}: {MAX_SIDE:,} pixels is the limit")
        for name, least in (("candidates", 1), ("steps", 0), ("size", SMALLEST)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UserError(f"--{name} {value}: give {least} or more")

    def results(self, run: Run) -> Iterator[Result | str]:
        @cache
        def time_search() -> float:
            return estimate_search(run.gan, self.search_settings(run), run.device)

        def restore_file(name: str, content: bytes) -> Result:
            damage = self.read_damage(run, name, content)
            if "mask" in run.gan.inputs:
                return self.fill_directly(run, damage)
            if damage.mask is None and not self.project:
                raise UserError(describe_projection(self.search_settings(run), time_search()))
            return self.fill_by_search(run, damage)

        yield from use_inputs(self.inputs, restore_file)

    def read_damage(self, run: Run, name: str, content: bytes) -> Damage:
        """Decode an image and find its hole.

        Raises:
            UnreadableError: it is not an image.
            UserError: the hole is of another size, empty, or all of the image, or there is none
                though the GAN needs one.
        """
        picture = read(content, 1 if run.gan.channels == 1 else 3).pixels  # (C, H, W)
        height, width = picture.shape[1:]
        if min(height, width) < SMALLEST:
            raise UserError(f"{width}x{height} pixels are too few; {SMALLEST}x{SMALLEST} at least")

        mask = None
        if not self.project:
            mask = read_hole(self.mask, self.box, name, content, (height, width))
        if mask is not None:
            check_hole(mask)
        elif "mask" in run.gan.inputs:
            raise UserError(
                "it has no hole; say where it is by --mask or --box, or make it transparent"
            )
        return Damage(name, picture, mask)

    def fill_directly(self, run: Run, damage: Damage) -> Result:
        """Fill a hole with an inpainting GAN, at the image's own size or at the requested one."""
        picture, mask = damage.picture, damage.mask
        assert mask is not None
        height, width = mask.shape
        # Before resizing, which mixes what lies in the hole into the pixels around it.
        blurred = blur_fill(picture, mask)

        scale = (self.size or min(height, width)) / min(height, width)
        high, wide = round(height * scale), round(width * scale)
        image = to_float(resize(blurred[None], high, wide))  # (1, C, h, w)
        # a small pixel is hole if any of its large ones is
        small_mask = adaptive_max_pool2d(mask[None].float(), (high, wide))  # (1, h, w)
        generated = to_uint8(run.make({"image": image, "mask": small_mask[None]}, seed=self.seed))

        # A result of another size has other pixels at the rim, so it must be fitted in.
        if scale == 1:
            filled = torch.where(mask, generated[0], picture)
        else:
            filled = poisson(picture, resize(generated, height, width)[0], mask)

        columns = {"hole": torch.where(mask, GREY, picture), "filled": filled, "blur": blurred}
        return Result(
            damage.name,
            {damage.name: filled},
            columns,
            title=describe_damage(damage),
            notes=tuple(suggest_size(mask, scale, run.gan.size)),
        )

    def fill_by_search(self, run: Run, damage: Damage) -> Result:
        """Search the noise for images that fit around a hole or, where there is none, for the whole
        image.
        """
        picture, size = damage.picture, run.gan.size
        _, height, width = picture.shape
        mask = damage.mask
        if mask is None:
            mask = torch.zeros(height, width, dtype=torch.bool)
        blurred = blur_fill(picture, mask)

        # The GAN sees a square at its own size.
        window = choose_window(mask)
        target = resize(crop_window(blurred, window)[None], size, size)  # (1, C, S, S)
        known = find_known(mask, window, size)  # (1, S, S)
        # A projection has no hole to be near to: all known pixels count the same.
        weights = known if damage.mask is None else hole_weights(known)
        settings = self.search_settings(run)
        found = search_noise(
            run.gan,
            to_float(target)[0],
            weights,
            settings,
            run.device,
            progress=lambda steps: self.follow(steps, damage.name),
        )

        compared = self.compare_with_blur(run, damage, window, target[0], known)

        # Found are squares; only what lies in the hole is taken from them.
        images = list(to_uint8(found.images))  # (C, S, S) each, the best first
        columns = {"image": target[0]}
        if damage.mask is not None:
            images = [
                poisson(picture, paste_window(blurred, image, window), mask) for image in images
            ]
            columns = {"hole": torch.where(mask, GREY, picture)}
        columns |= {str(number): image for number, image in enumerate(images, 1)}
        if damage.mask is not None:
            columns["blur"] = blurred

        others = {
            f"candidates/{damage.name}-{number}.png": image
            for number, image in enumerate(images[1:], 2)
        }
        noise_file = f"noise/{damage.name}.safetensors"
        effort = describe_effort(settings)
        searched = f"{describe_window(damage, window)}searched at {size}x{size}, {effort}"
        return Result(
            damage.name,
            {damage.name: images[0]},
            columns,
            title=describe_damage(damage),
            notes=(
                f"{searched}; noise in {noise_file}",
                *compared,
                *describe_candidates(run, found),
            ),
            attachments=others | {noise_file: _pack_noise(found)},
        )

    def compare_with_blur(
        self, run: Run, damage: Damage, window: Window, target: Tensor, known: Tensor
    ) -> list[str]:
        """Whether the search beats a blur, as far as that can be known; nothing without a hole.

        Args:
            run: whose GAN searches.
            damage: the image.
            window: the square that the GAN sees.
            target: it, uint8 (C, S, S).
            known: (1, S, S), where it is known.
        """
        if damage.mask is None:
            return []
        test = compare_with_blur(
            run.gan,
            target,
            shrink_hole(damage.mask, window, run.gan.size)[0] > 0,
            known,
            self.search_settings(run),
            run.device,
            lambda steps: self.follow(steps, f"a test hole in {damage.name}"),
        )
        if test is None:
            return [NO_TEST]
        return list(test.describe())

    def search_settings(self, run: Run) -> SearchSettings:
        """How to search, with the usual numbers where none were given."""
        return SearchSettings(
            candidates=self.candidates or CANDIDATES,
            steps=STEPS if self.steps is None else self.steps,  # 0 is allowed
            seed=self.seed,
            label=None if self.label is None else class_number(run.gan, self.label),
        )


def _pack_noise(found: Candidates) -> dict[str, Tensor]:
    """The noise of the candidates, (K, size) for each draw of the GAN, and their class numbers."""
    # "noise", "noise1", ...: most GANs draw once, and have no number
    tensors = {
        f"noise{number or ''}": values.contiguous() for number, values in enumerate(found.noise)
    }
    return tensors | {"label": torch.tensor(found.labels)}

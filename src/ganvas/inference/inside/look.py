"""What `ganvas inside` shows of a trained GAN, as pictures in memory, and as files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ganvas.gans.base import GAN
from ganvas.inference.inside.journeys import draw_classes, draw_sums, draw_walks
from ganvas.inference.inside.page import Look, render_page
from ganvas.inference.inside.sheet import draw_judgement, draw_stages
from ganvas.inference.inside.stages import NotedRng, Stage, note_stages, pick_stages
from ganvas.inference.run import Run
from ganvas.inference.sampling import class_inputs, class_number, evaluation, preview_rows
from ganvas.io.console import count_noun
from ganvas.io.files import own_folder, write_text
from ganvas.io.html import figure, side_by_side
from ganvas.io.images import save, to_pil, to_uint8

__all__ = ["Inside", "look_inside", "write_inside"]

FOLDER = "inside"
PAGE = "inside.html"
# Names of the sheets, and of their files.
GENERATOR, DISCRIMINATOR = "generator", "discriminator"
SUMS, CLASSES, WALKS = "sums", "classes", "walks"


@dataclass(frozen=True, repr=False)
class Inside:
    """A look inside a trained GAN. A notebook shows its sheets.

    Attributes:
        image: that the GAN made, as a picture; of a GAN of points, a plot of 1,000 of them.
        score: that the discriminator gave it, the mean of its scores; None: the run has none, such
            as a ready-made generator.
        generator: the stages of the generator for this image, each with a `name` and `values`
            (C, H, W).
        discriminator: those of the discriminator.
        sheets: pictures by name: "generator" and "discriminator" (maps); of GANs that need noise
            and a class at most, "sums" (a - b + c), "walks", and with classes "classes".
        page: all of it as one HTML page, in English and Chinese.
    """

    image: Image.Image
    score: float | None
    generator: list[Stage]
    discriminator: list[Stage]
    sheets: Mapping[str, Image.Image]
    page: str

    def save(self, folder: str | Path) -> None:
        """Write the sheets as PNG and the page as inside.html into a folder.

        Raises:
            UserError: a file cannot be written.
        """
        for _ in self.write(Path(folder)):
            pass

    def write(self, folder: Path) -> Iterator[str]:
        for name, sheet in self.sheets.items():
            save(sheet, folder / f"{name}.png")
        write_text(folder / PAGE, self.page)
        yield f"{count_noun(len(self.sheets), 'sheet')} in {folder}: {', '.join(self.sheets)}"
        yield f"page: {folder / PAGE}"

    def __repr__(self) -> str:
        judged = ""
        if self.score is not None:
            count = len(self.discriminator)
            judged = f", {count} of the discriminator; score {self.score:.3g}"
        return f"<Inside: {len(self.generator)} stages of the generator{judged}>"

    def _repr_html_(self) -> str:
        return side_by_side(figure(sheet, name) for name, sheet in self.sheets.items())


def look_inside(
    run: Run, seed: int = 0, label: str | int | None = None, rows: dict[str, Tensor] | None = None
) -> Inside:
    """Look at what a GAN makes of one row of noise, or of data.

    Args:
        run: of any GAN.
        seed: of the noise.
        label: a class name or number, for GANs with classes; None: the first.
        rows: one row of data as a batch on the run's device, for GANs that are not unconditional.

    Raises:
        UserError: the GAN has no such class.
    """
    gan = run.gan
    number = 0 if label is None else class_number(gan, label)
    rng = NotedRng(seed, run.device)
    with evaluation(gan), torch.no_grad():
        if gan.unconditional:
            inputs = class_inputs(gan, [number], run.device)
        else:
            assert rows is not None
            inputs = gan.make_inputs(rows, rng)
        made, stages = note_stages(gan, GENERATOR, lambda: gan.sample(1, rng, **inputs))
        batch = {**(rows or {}), **inputs, gan.target: made}
        score, judged = None, []
        if _has_discriminator(gan):
            scores, judged = note_stages(gan, DISCRIMINATOR, lambda: gan.score(batch))
            score = float(scores.float().mean())

    generator, discriminator = pick_stages(stages, made), pick_stages(judged)
    image = run.grid() if gan.kind == "point" else to_pil(run.show_planes(to_uint8(made.cpu()))[0])
    given = {} if rows is None else preview_rows(gan, rows, run.device, seed)
    pictures = {name: to_pil(column[0]) for name, column in given.items()}

    noise = torch.cat(rng.noise) if rng.noise else None
    # the first column of the preview is the image that such a GAN was given
    first = next(iter(pictures.values())) if "image" in gan.inputs else None
    sheets = {GENERATOR: draw_stages(generator, image, noise, first)}
    if score is not None:
        sheets[DISCRIMINATOR] = draw_judgement(discriminator, image, score)
    sheets |= _draw_journeys(run, seed, number)
    look = Look(
        title=run.title,
        seed=seed,
        label=gan.classes[number] if "label" in gan.inputs and gan.unconditional else "",
        score=score,
        threshold=gan.decision_threshold,
        is_point=gan.kind == "point",
        given=pictures,
    )
    page = render_page(look, image, noise, generator, discriminator, sheets)
    return Inside(image, score, generator, discriminator, sheets, page)


def write_inside(run: Run, inside: Inside, out: Path | None) -> Iterator[str]:
    """Write sheets and the page; yields a line for each thing written.

    Args:
        run: that was looked into.
        inside: what was seen.
        out: folder, new or empty; None: the next of RUN/inside/1, 2, ...

    Raises:
        UserError: the folder is not empty, or cannot be written to.
    """
    with own_folder(out, run.outputs / FOLDER) as folder:
        yield from inside.write(folder)


def _has_discriminator(gan: GAN) -> bool:
    """Whether a run holds more than the generator."""
    return any(name.startswith(DISCRIMINATOR) for name, _ in gan.named_children())


def _draw_journeys(run: Run, seed: int, label: int) -> dict[str, Image.Image]:
    """Sheets of where noise leads, of GANs that need no more than noise and a class."""
    gan: GAN = run.gan
    if not gan.unconditional or gan.kind == "point":
        return {}
    sheets = {SUMS: draw_sums(run, seed, label), WALKS: draw_walks(run, seed, label)}
    if "label" in gan.inputs and len(gan.classes) > 1:
        sheets[CLASSES] = draw_classes(run, seed)
    return sheets

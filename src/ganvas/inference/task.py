"""What every use of a GAN has in common: settings, a check, and results."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from PIL import Image
from torch import Tensor

from ganvas.errors import UserError
from ganvas.inference.run import Run
from ganvas.io.images import UnreadableError
from ganvas.io.numbers import check_numbers

__all__ = [
    "MAX_SIDE",
    "Attachment",
    "Content",
    "Inputs",
    "Result",
    "Task",
    "refuse_points",
    "use_inputs",
]

MAX_SIDE = 8192  # pixels of the shorter side of an image that a GAN is given
# text, a sheet, another candidate for the result (an image, uint8 (C, H, W)), or tensors to be kept
# as safetensors
Attachment = str | Image.Image | Tensor | Mapping[str, Tensor]
Content = Callable[[], bytes]  # raises `UnreadableError` where the file cannot be read
Inputs = Iterable[tuple[str, Content]]  # images of the user: a name without ending, and its file


@dataclass(frozen=True)
class Result:
    """What a task generated from one input, or one of its samples.

    Attributes:
        name: of the input, or the number of the sample; may have folders in it ("sub/photo").
        images: the generated images, uint8 (C, H, W), or one point, float32 (2, 1, 1), by the names
            of their files without ending; the best first.
        columns: the row of the result on a sheet, uint8 (C, H, W) by heading: the images and what
            they should be compared with.
        label: name of the requested class.
        title: one line about it, without a full stop; on a grid it stands under the image.
        notes: lines for the user.
        attachments: other files that belong to it, by path.
    """

    name: str
    images: Mapping[str, Tensor]
    columns: Mapping[str, Tensor] = field(default_factory=dict)
    label: str | None = None
    title: str = ""
    notes: tuple[str, ...] = ()
    attachments: Mapping[str, Attachment] = field(default_factory=dict)

    @property
    def image(self) -> Tensor:
        """The best image."""
        return next(iter(self.images.values()))


@dataclass(frozen=True)
class Task(ABC):
    """One use of a GAN, with all its settings.

    A task reads no run folder and writes no file, so that any page or program can use it.

    Attributes:
        folder: name of the sub-folder of a run for the results.
        sheet: how results are shown together: "grid", all images in one grid; "rows", one table
            with a row for each result; "each", a table for each result.
    """

    folder: ClassVar[str]
    sheet: ClassVar[Literal["grid", "rows", "each"]]

    def __post_init__(self) -> None:
        check_numbers(self)

    @abstractmethod
    def check(self, run: Run) -> None:
        """Refuse what the run's GAN cannot do.

        Raises:
            UserError: says what does not fit and which command does.
        """

    @abstractmethod
    def results(self, run: Run) -> Iterator[Result | str]:
        """Yield the results one by one, and between them lines for the user.

        Raises:
            UserError: no input can be used.
        """

    def attachments(self, run: Run) -> Mapping[str, Attachment]:
        """Files that belong to all results together, by path."""
        return {}

    @property
    def expected(self) -> int | None:
        """How many results there will be; None where nobody knows."""
        return None

    @property
    def grid_caption(self) -> str:
        """The line under the grid."""
        return ""

    def grid_columns(self, run: Run) -> int | None:
        """Images in a row of the grid where nobody chose them; None: as square as possible."""
        return None


def use_inputs(inputs: Inputs, work: Callable[[str, bytes], Result]) -> Iterator[Result | str]:
    """Yield the result of every input that can be used, and a line for each of the others.

    Args:
        inputs: names and files.
        work: makes the result of a name and the bytes of its file; raises `UserError` or
            `UnreadableError` where it cannot.

    Raises:
        UserError: no input can be used; gives the first reason.
    """
    left_out: list[str] = []
    used = 0

    for name, content in inputs:
        try:
            result = work(name, content())
        except (UserError, UnreadableError) as error:
            left_out.append(f"{name}: {error}")
            if used:
                yield f"left out: {left_out[-1]}"
            continue

        # The reasons wait until one input is used: if none is, the error itself says why.
        if not used:
            yield from (f"left out: {reason}" for reason in left_out)
        used += 1
        yield result

    if not used:
        reason = left_out[0] if left_out else "none was given"
        raise UserError(
            reason if len(left_out) == 1 else f"none of the images can be used; {reason}"
        )


def refuse_points(run: Run) -> None:
    """Refuse a request that only fits images.

    Raises:
        UserError: the GAN generates points.
    """
    if run.gan.kind == "point":
        raise UserError(
            f"{run.name} makes points: --interpolate, --invert, --columns, --format, --names and"
            " --scale are for images"
        )

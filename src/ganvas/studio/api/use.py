"""Trained GANs in use: samples, walks, directions, translations, fillings, placed captions."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, cast, get_args
from urllib.parse import quote

import torch
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from torch import Tensor

from ganvas.errors import UserError
from ganvas.inference.direction_files import Direction
from ganvas.inference.directions import Way
from ganvas.inference.inpaint import InpaintTask
from ganvas.inference.latents import Latent, sample_latents
from ganvas.inference.layout import LayoutTask
from ganvas.inference.originals import Degrade
from ganvas.inference.run import Run
from ganvas.inference.sampling import class_number
from ganvas.inference.task import Result, Task
from ganvas.inference.translate import TranslateTask
from ganvas.io.animation import encode_animation
from ganvas.io.films import require_ffmpeg
from ganvas.io.image_files import measure
from ganvas.io.images import UnreadableError, to_pil, to_png, to_uint8
from ganvas.io.tiff import encode_bands
from ganvas.studio.api.answers import Body, answer, parse, studio_of
from ganvas.studio.models import OutdatedError
from ganvas.studio.pictures import png_address

__all__ = ["ROUTES"]

MOST_IMAGES = 256  # of one request
MOST_PIXELS = 64_000_000  # of an answer
# of a requested side, and of a search
LARGEST_SIDE, MOST_STEPS, MOST_CANDIDATES, LARGEST_SEED = 2048, 2000, 16, 2**53
MOST_UNEQUAL = 16  # times that an image may be longer than wide
PLACED = 4  # images of a caption that are generated at once: a canvas waits for them
WISH = "x-wish"  # "CHANNEL:NUMBER", see `Models.use`


Seed = Annotated[int, Field(ge=0, lt=2**63)]


class LatentBody(Body):
    """A point in the space of noise, as `Latent` has it."""

    terms: list[tuple[Seed, Seed, float]] = Field(min_length=1, max_length=32)
    truncation: float = Field(1.0, ge=0, le=2)
    moves: list[tuple[int, float]] = Field([], max_length=16)

    def latent(self, vectors: Tensor) -> Latent:
        """As the code knows it.

        Args:
            vectors: (D, size), the directions that moves count.

        Raises:
            UserError: a move counts none of them.
        """
        for number, _ in self.moves:
            if not 0 <= number < len(vectors):
                raise UserError(f"there is no direction {number}; {len(vectors)} are known")
        moves = tuple((Direction(vectors[number]), amount) for number, amount in self.moves)
        return Latent(tuple(self.terms), self.truncation, moves)


class SampleBody(Body):
    """Points, the class of each, and how they are answered.

    Attributes:
        latents: N points.
        labels: name or number of the class of each; empty: the first class.
        way: of the directions that moves count.
        format: "png": one image, all samples row by row without gaps; "zip": a file each;
            "webp", "gif" or "mp4": an animation, a frame each.
        columns: of the one image.
        scale: whole number by which animations are enlarged.
        milliseconds: of a frame.
    """

    latents: list[LatentBody] = Field(min_length=1, max_length=MOST_IMAGES)
    labels: list[Annotated[str, Field(max_length=500)] | Seed] = Field([], max_length=MOST_IMAGES)
    way: Way = "layer"
    format: Literal["png", "zip", "webp", "gif", "mp4"] = "png"
    columns: int = Field(6, ge=1, le=MOST_IMAGES)
    scale: int = Field(1, ge=1, le=16)
    milliseconds: int = Field(60, ge=20, le=1000)


class PlaceBody(Body):
    """A caption, a box or key points in shares of the side, and the seed of the noise."""

    caption: str = Field(max_length=2000)
    box: tuple[float, float, float, float] | None = None
    keypoints: dict[str, tuple[float, float]] = {}
    seed: int = Field(0, ge=0, lt=2**62)
    count: int = Field(1, ge=1, le=16)


def send_samples(request: Request, body: bytes) -> Response:
    """POST /api/runs/ID/sample: the images of points in the space of noise."""
    studio, run_id = studio_of(request), request.path_params["id"]
    wanted = parse(SampleBody, body)
    if wanted.format == "mp4":
        require_ffmpeg()  # before anything is generated
    checkpoint = studio.checkpoint(run_id)
    if len(wanted.labels) > len(wanted.latents):
        raise UserError(f"{len(wanted.labels)} labels are given for {len(wanted.latents)} images")
    vectors = torch.empty(0)
    if any(one.moves for one in wanted.latents):
        vectors = studio.models.directions(checkpoint, wanted.way)
    latents = [one.latent(vectors) for one in wanted.latents]

    def draw(run: Run) -> tuple[Run, Tensor]:
        if len(latents) * (run.gan.size * wanted.scale) ** 2 > MOST_PIXELS:
            raise UserError("so many images of this size are too large for one answer")
        labels = [class_number(run.gan, label) for label in wanted.labels]
        labels += [0] * (len(latents) - len(labels))
        return run, to_uint8(sample_latents(run, latents, labels))

    run, images = studio.models.use(checkpoint, draw, request.headers.get(WISH, ""))
    return _encode_samples(run, images, wanted)


def _encode_samples(run: Run, images: Tensor, wanted: SampleBody) -> Response:
    """Samples of a run, uint8 (N, C, H, W), in the requested format."""
    if wanted.format == "zip":
        return _send_zip(run, images)
    shown = run.show_planes(images)
    if wanted.format == "png":
        return _send_png(_tile(shown, wanted.columns))

    large = shown.repeat_interleave(wanted.scale, 2).repeat_interleave(wanted.scale, 3)
    frames = [to_pil(frame) for frame in large]
    content = encode_animation(frames, wanted.format, wanted.milliseconds)
    kind = "video" if wanted.format == "mp4" else "image"
    return _send_file(content, f"{kind}/{wanted.format}", f"walk.{wanted.format}")


def _send_zip(run: Run, images: Tensor) -> Response:
    """Samples, uint8 (N, C, H, W), as files that keep what they are: transparency, all bands."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number, image in enumerate(images):
            if run.planes.kind == "bands":  # as `ganvas sample` writes them
                archive.writestr(f"{number:03}.tif", encode_bands(image.permute(1, 2, 0).numpy()))
            else:
                archive.writestr(f"{number:03}.png", to_png(run.to_picture(image)))
    return _send_file(buffer.getvalue(), "application/zip", "samples.zip")


def _tile(images: Tensor, columns: int) -> Tensor:
    """Images (N, C, H, W) row by row as one, (C, rows x H, columns x W); the rest is black."""
    count, channels, height, width = images.shape
    columns = min(columns, count)
    rows = -(-count // columns)  # rounded up
    missing = images.new_zeros(rows * columns - count, channels, height, width)
    cells = torch.cat([images, missing]).unflatten(0, (rows, columns))
    return cells.permute(2, 0, 3, 1, 4).reshape(channels, rows * height, columns * width)


def count_directions(request: Request, _: bytes) -> Any:
    """GET /api/runs/ID/directions?way=layer: how many there are; finds them if needed."""
    studio = studio_of(request)
    way = request.query_params.get("way", "layer")
    if way not in ("layer", "images"):
        raise UserError(f"way={way}: directions are found by layer or by images")
    checkpoint = studio.checkpoint(request.path_params["id"])
    return {"count": len(studio.models.directions(checkpoint, way)), "way": way}


def translate_image(request: Request, body: bytes) -> Any:
    """POST /api/runs/ID/translate?to=..&attributes=A=1,B=0&size=64&degrade=no with an image as its
    body.
    """
    query = request.query_params
    attributes = {}
    for pair in filter(None, query.get("attributes", "").split(",")):
        name, _, value = pair.rpartition("=")
        attributes[name] = value == "1"
    task = TranslateTask(
        inputs=[("image", lambda: body)],
        to=query.get("to") or None,
        attributes=attributes,
        size=_read_number(query.get("size"), LARGEST_SIDE),
        seed=_read_number(query.get("seed"), LARGEST_SEED) or 0,
        degrade=_read_degrade(query.get("degrade", "auto")),
    )
    _check_shape(body)
    return _run_task(request, task, lambda result: result.columns)


def _check_shape(body: bytes) -> None:
    """Refuse an image that is much longer than wide: brought to a size, it would be huge.

    Raises:
        UserError: it is.
    """
    with suppress(UnreadableError):  # the task says why
        width, height = measure(io.BytesIO(body))
        if max(width, height) > MOST_UNEQUAL * min(width, height):
            raise UserError(f"{width}x{height} pixels are too unequal; cut the image first")


def restore_image(request: Request, body: bytes) -> Any:
    """POST /api/runs/ID/restore?steps=..&candidates=.. with an image that is transparent in the
    hole as its body.
    """
    query = request.query_params

    def follow(steps: Iterable[int], _: str) -> Iterator[int]:
        for step in steps:
            if request.state.left.is_set():
                raise OutdatedError
            yield step

    task = InpaintTask(
        inputs=[("image", lambda: body)],
        candidates=_read_number(query.get("candidates"), MOST_CANDIDATES),
        steps=_read_number(query.get("steps"), MOST_STEPS),
        size=_read_number(query.get("size"), LARGEST_SIDE),
        seed=_read_number(query.get("seed"), LARGEST_SEED) or 0,
        follow=follow,
    )

    def choose(result: Result) -> Mapping[str, Tensor]:
        others = {
            path: image
            for path, image in result.attachments.items()
            if isinstance(image, Tensor) and path.startswith("candidates/")
        }
        return {"filled": result.image} | others

    return _run_task(request, task, choose)


def place_caption(request: Request, body: bytes) -> Any:
    """POST /api/runs/ID/place: images of a caption with its subject at a place."""
    studio = studio_of(request)
    wanted = parse(PlaceBody, body)
    checkpoint = studio.checkpoint(request.path_params["id"])

    def draw(run: Run) -> Tensor:
        size = run.gan.size  # the task takes pixels of the generated images
        box = None
        if wanted.box:
            box = ",".join(f"{share * size:.4f}" for share in wanted.box)
        points = tuple(
            f"{part}={x * size:.4f},{y * size:.4f}" for part, (x, y) in wanted.keypoints.items()
        )
        task = LayoutTask(wanted.caption, box, points, count=wanted.count, seed=wanted.seed)
        task.check(run)
        # a few at once, always as many, so that an image does not depend on how many are wanted
        rows = -(-wanted.count // PLACED) * PLACED
        inputs = {
            name: values.expand(rows, *values.shape[1:])
            for name, values in task.read_inputs(run).items()
        }
        return run.show_planes(to_uint8(run.make(inputs, seed=wanted.seed)[: wanted.count]))

    images = studio.models.use(checkpoint, draw, request.headers.get(WISH, ""))
    return _send_png(_tile(images, max(1, round(len(images) ** 0.5))))


def _run_task(
    request: Request, task: Task, choose: Callable[[Result], Mapping[str, Tensor]]
) -> dict[str, Any]:
    """Do a task of one input; the chosen images by name, and the lines for the user."""
    studio = studio_of(request)
    checkpoint = studio.checkpoint(request.path_params["id"])

    def work(run: Run) -> tuple[list[Result], list[str]]:
        task.check(run)
        found = list(task.results(run))
        results = [one for one in found if isinstance(one, Result)]
        lines = [one for one in found if isinstance(one, str)]
        return results, lines

    results, lines = studio.models.use(checkpoint, work, request.headers.get(WISH, ""))
    images = []
    for result in results:
        lines += result.notes
        for name, image in choose(result).items():
            images.append({"name": name, "src": png_address(image)})
    return {"images": images, "notes": lines}


def _send_png(image: Tensor) -> Response:
    return Response(to_png(image), media_type="image/png")


def _send_file(content: bytes, kind: str, name: str) -> Response:
    headers = {"content-disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return Response(content, media_type=kind, headers=headers)


def _read_number(text: str | None, most: int) -> int | None:
    """A whole number of an address, or none.

    Raises:
        UserError: it is something else, or larger than `most`.
    """
    if text is None or text == "":
        return None
    if not text.isdecimal() or len(text) > len(str(most)) or int(text) > most:
        raise UserError(f"{text[:20]!r} is not a whole number of at most {most:,}")
    return int(text)


def _read_degrade(text: str) -> Degrade:
    """Whether an image is made worse first.

    Raises:
        UserError: it is another word.
    """
    if text not in get_args(Degrade):
        raise UserError(f"degrade={text[:20]}: choose from {', '.join(get_args(Degrade))}")
    return cast(Degrade, text)


RUN = "/api/runs/{id}"
ROUTES = [
    Route(f"{RUN}/sample", answer(send_samples), methods=["POST"]),
    Route(f"{RUN}/directions", answer(count_directions)),
    Route(f"{RUN}/translate", answer(translate_image), methods=["POST"]),
    Route(f"{RUN}/restore", answer(restore_image, cancellable=True), methods=["POST"]),
    Route(f"{RUN}/place", answer(place_caption), methods=["POST"]),
]

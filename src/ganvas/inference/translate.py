"""Images through a GAN that translates, of any size: `ganvas translate`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from torch import Tensor
from torch.nn.functional import interpolate

from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN, AttributesInput, ChoiceInput, ImageInput
from ganvas.inference.inputs import read_planes
from ganvas.inference.run import Run
from ganvas.inference.sampling import sample_gan
from ganvas.inference.task import MAX_SIDE, Inputs, Result, Task, use_inputs
from ganvas.inference.tiles import pad_to_multiple, translate_tiles
from ganvas.io.images import to_float, to_uint8
from ganvas.io.planes import show_planes
from ganvas.io.resizing import resize
from ganvas.rng import RowRng
from ganvas.runs.usage import describe_use, suggest_command

__all__ = ["TranslateTask", "find_given_column", "parse_attributes", "translate_image"]

MUCH_LARGER = 1.5  # times the size trained on: things then look unlike those that the GAN knows
Way = dict[str, Tensor]  # inputs of `GAN.sample` beside the image, of one row


@dataclass(frozen=True)
class TranslateTask(Task):
    """Translate images into another domain, or change their attributes.

    Attributes:
        inputs: the images.
        to: the requested domain, for GANs that know two; None: the second.
        attributes: which to set or take away, for GANs that know attributes; none: each in turn.
        size: to which the shorter side is brought first, in pixels; None: the image's own, or the
            size trained on where that suits the GAN better.
        seed: of the noise, where the GAN takes some.
    """

    folder = "translated"
    sheet = "rows"

    inputs: Inputs = ()
    to: str | None = None
    attributes: Mapping[str, bool] = field(default_factory=dict)
    size: int | None = None
    seed: int = 0

    def check(self, run: Run) -> None:
        kind = run.gan.inputs.get("image")
        use = describe_use(run.gan, run.folder)
        if not isinstance(kind, ImageInput) or "mask" in run.gan.inputs:
            raise UserError(f"{run.folder} does not translate images: {use}")
        # a GAN of two sets with different attributes: which one is meant, a flag could not say
        if not suggest_command(run.gan, run.folder):
            raise UserError(
                f"{run.folder} was trained on two sets with different attributes; {use}"
            )

        _check_domain(run, self.to)
        _check_attributes(run, self.attributes)
        if self.size is not None and not kind.multiple <= self.size <= MAX_SIDE:
            raise UserError(
                f"--size {self.size}: {run.folder} takes images of {kind.multiple} to "
                f"{MAX_SIDE:,} pixels"
            )

    def results(self, run: Run) -> Iterator[Result | str]:
        numbers = count()  # of the images that can be read: their rows of noise

        def translate_file(name: str, content: bytes) -> Result:
            column = find_given_column(run.gan, self.to)
            pixels = read_planes(content, run.gan.schema, column)
            return self.translate(run, name, pixels, next(numbers))

        yield from use_inputs(self.inputs, translate_file)

    def translate(self, run: Run, name: str, pixels: Tensor, number: int) -> Result:
        """Translate one image in every requested way.

        Args:
            run: of the GAN.
            name: of the results.
            pixels: uint8 (C, H, W).
            number: row of the noise.
        """
        trained = run.gan.size
        # U-Nets such as pix2pix's are at home only at the size trained on
        side = self.size or (None if _read_kind(run.gan).own_size else trained)
        given = run.gan.schema.planes(find_given_column(run.gan, self.to))
        picture = pixels
        if side is not None:
            picture = _resize_shorter_side(pixels, side, mixed=given.kind != "categories")
        image = to_float(picture[None]).to(run.device)  # (1, C, H, W)

        generated = {
            way: translate_image(run, image, inputs, self.seed, number)
            for way, inputs in self.choose_ways(run.gan, image).items()
        }
        images = {}
        for way, result in generated.items():
            ending = f"-{way.replace(' ', '_')}" if len(generated) > 1 else ""
            images[name + ending] = result

        notes = ()
        if min(picture.shape[1:]) > MUCH_LARGER * trained:
            notes = (f"trained at {trained} px; add --size {trained} to translate at that scale",)
        columns = {"given": show_planes(picture[None], *given)[0]}
        for way, result in generated.items():
            columns[way] = run.show_planes(result[None])[0]
        return Result(name, images, columns, notes=notes)

    def choose_ways(self, gan: GAN, image: Tensor) -> dict[str, Way]:
        """The requested ways to translate an image, float (1, C, H, W), by name."""
        ways = gan.ways(image, self.attributes)
        domains = _list_domains(gan)
        if not domains:
            return ways
        name = self.to or domains[-1]  # usually from the first domain to the second
        return {name: ways[name]}


def parse_attributes(pairs: Sequence[str]) -> dict[str, bool]:
    """`["Eyeglasses=1,Bald=0"]` as `{"Eyeglasses": True, "Bald": False}`.

    Raises:
        UserError: a value is neither 0 nor 1.
    """
    attributes = {}
    for pair in ",".join(pairs).split(",") if pairs else []:
        name, _, value = pair.partition("=")
        if value not in ("0", "1"):
            raise UserError(
                f"--set {pair}: write NAME=1 for an attribute that is wanted and NAME=0 for one"
                " that is not"
            )
        attributes[name.strip()] = value == "1"
    return attributes


def _check_domain(run: Run, domain: str | None) -> None:
    """Refuse a domain that the GAN does not generate.

    Raises:
        UserError: names those that it does.
    """
    domains = _list_domains(run.gan)
    if domain is None or domain in domains:
        return
    if not domains:
        raise UserError(f"--to {domain}: {run.folder} knows attributes: use --set NAME=1")
    raise UserError(f"--to {domain}: {run.folder} generates only {' and '.join(domains)}")


def _check_attributes(run: Run, attributes: Mapping[str, bool]) -> None:
    """Refuse attributes that the GAN does not know.

    Raises:
        UserError: names the nearest, or what the GAN generates instead.
    """
    known = run.gan.inputs.get("attributes")
    names = known.names if isinstance(known, AttributesInput) else ()
    for name in attributes:
        if name in names:
            continue
        if names:
            raise UserError(f"--set {name}: unknown attribute; {nearest(name, names)}")
        domains = _list_domains(run.gan)
        only = f"; it generates {domains[0]}" if len(domains) == 1 else ""
        raise UserError(f"--set {name}: {run.folder} knows no attributes{only}")


def _list_domains(gan: GAN) -> tuple[str, ...]:
    """The names of the domains that a GAN can generate; none where it knows attributes."""
    choice = gan.inputs.get("to")
    if isinstance(choice, ChoiceInput):
        return choice.names
    return () if "attributes" in gan.inputs else (gan.target,)


def _read_kind(gan: GAN) -> ImageInput:
    """Which images a GAN that translates takes."""
    kind = gan.inputs["image"]
    assert isinstance(kind, ImageInput)
    return kind


def translate_image(
    run: Run, image: Tensor, inputs: Mapping[str, Tensor], seed: int, number: int
) -> Tensor:
    """Translate an image, float (1, C, H, W), to uint8 (C, H, W) of its own size, with one row of
    a seed's noise.
    """
    multiple = _read_kind(run.gan).multiple

    def translate_piece(piece: Tensor) -> Tensor:
        _, _, height, width = piece.shape
        padded = pad_to_multiple(piece, multiple)
        rng = RowRng(seed, [number], run.device)  # begins anew: all tiles get the same noise
        generated = sample_gan(run.gan, rng, 1, {"image": padded, **inputs})
        return generated[..., :height, :width]  # without the mirrored edges

    return to_uint8(translate_tiles(image, run.gan.channels, translate_piece))[0]


def find_given_column(gan: GAN, to: str | None) -> str:
    """The column of the training data that images to be translated are like.

    Args:
        gan: that translates.
        to: the requested domain, as in `TranslateTask`.
    """
    if gan.schema.unpaired:
        return "b" if to == "a" else "a"
    return gan.column_of("given")


def _resize_shorter_side(picture: Tensor, side: int, mixed: bool = True) -> Tensor:
    """uint8 (C, H, W) with its shorter side brought to a number of pixels.

    Args:
        picture: to be resized.
        side: in pixels.
        mixed: whether pixels may be mixed; if not, each takes the value of the nearest.
    """
    _, height, width = picture.shape
    scale = side / min(height, width)
    high, wide = round(height * scale), round(width * scale)
    if not mixed:
        return interpolate(picture[None], (high, wide), mode="nearest-exact")[0]
    return resize(picture[None], high, wide)[0]

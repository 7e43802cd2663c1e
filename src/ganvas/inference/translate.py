"""Images through a GAN that translates, of any size: `ganvas translate`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from torch import Tensor

from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN, AttributesInput, ChoiceInput, ImageInput
from ganvas.inference.originals import (
    Degrade,
    Original,
    check_degrade,
    find_degradation,
    keep_luminance,
    read_original,
)
from ganvas.inference.run import Run
from ganvas.inference.sampling import sample_gan
from ganvas.inference.scaling import BEST_KNOWN, Scaling, choose_scaling, describe_scalings
from ganvas.inference.task import MAX_SIDE, Inputs, Result, Task, use_inputs
from ganvas.inference.tiles import Tiling, pad_to_multiple, translate_tiles
from ganvas.io.images import to_float, to_uint8
from ganvas.io.lists import split_pairs
from ganvas.io.planes import show_planes
from ganvas.rng import RowRng
from ganvas.runs.usage import describe_use, suggest_command

__all__ = [
    "TranslateTask",
    "find_given_column",
    "parse_attributes",
    "translate_image",
]

MUCH_LARGER = 1.5  # times the size trained on: things then look unlike those that the GAN knows
COLUMNS = ("a", "b")  # of pairs and of two domains
Way = dict[str, Tensor]  # inputs of `GAN.sample` beside the image, of one row


@dataclass(frozen=True)
class TranslateTask(Task):
    """Translate images into another domain, or change their attributes.

    Results have the size and the transparency of the images.

    Attributes:
        inputs: the images.
        to: the requested domain, by its name or as "a" or "b", for GANs that know two; None: the
            second.
        attributes: which to set or take away, for GANs that know attributes; none: each in turn.
        size: to which the shorter side is brought for the GAN, in pixels; None: the image's own, or
            the size trained on where that suits the GAN better.
        seed: of the noise, where the GAN takes some.
        degrade: of a GAN that was trained on pairs made of images: whether these are made worse
            first, as those of the training were; see `read_original`.
    """

    folder = "translated"
    sheet = "rows"

    inputs: Inputs = ()
    to: str | None = None
    attributes: Mapping[str, bool] = field(default_factory=dict)
    size: int | None = None
    seed: int = 0
    degrade: Degrade = "auto"

    def check(self, run: Run) -> None:
        kind = run.gan.inputs.get("image")
        use = describe_use(run.gan, run.name)
        if not isinstance(kind, ImageInput) or "mask" in run.gan.inputs:
            raise UserError(f"{run.name} does not translate images: {use}")
        # a GAN of two sets with different attributes: which one is meant, a flag could not say
        if not suggest_command(run.gan, run.name):
            raise UserError(f"{run.name} was trained on two sets with different attributes; {use}")

        _find_domain(run, self.to)
        _check_attributes(run, self.attributes)
        check_degrade(run, find_given_column(run.gan, self.to), self.degrade)
        if self.size is not None and not kind.multiple <= self.size <= MAX_SIDE:
            raise UserError(
                f"--size {self.size}: {run.name} takes images of {kind.multiple} to "
                f"{MAX_SIDE:,} pixels"
            )

    def results(self, run: Run) -> Iterator[Result | str]:
        numbers = count()  # of the images that can be read: their rows of noise
        scalings: list[Scaling] = []

        def translate_file(name: str, content: bytes) -> Result:
            column = find_given_column(run.gan, self.to)
            original = read_original(run, content, column, self.degrade)
            result, scaling = self.translate(run, name, original, next(numbers))
            # the grey image has all detail of what gets only its colours
            degradation = find_degradation(run.about, column)
            if degradation is None or degradation.kind != "grey":
                scalings.append(scaling)
            return result

        yield from use_inputs(self.inputs, translate_file)
        for line in describe_scalings(scalings, self.advise(run.gan)):
            yield f"note: {line}"

    def translate(
        self, run: Run, name: str, original: Original, number: int
    ) -> tuple[Result, Scaling]:
        """Translate one image in every requested way.

        Args:
            run: of the GAN.
            name: of the results.
            original: the image.
            number: row of the noise.

        Returns:
            The result, and at which size the GAN has seen the image.
        """
        column = find_given_column(run.gan, self.to)
        given = run.gan.schema.planes(column)
        degradation = find_degradation(run.about, column)
        _, height, width = original.pixels.shape
        as_it_is = degradation is not None and degradation.own_size
        own_size = _read_kind(run.gan).own_size or as_it_is
        scaling = choose_scaling(run, (height, width), self.size, own_size)
        seen = scaling.shrink(original.pixels, mixed=given.kind != "categories")
        shown = original.pixels
        if original.later:
            seen = original.later.apply(seen)
            shown = scaling.restore(seen)
        image = to_float(seen[None]).to(run.device)  # (1, C, h, w)

        tiling = _choose_tiling(run, self.size)
        columns = {"given": original.with_alpha(show_planes(shown[None], *given)[0])}
        generated = {}
        for way, inputs in self.choose_ways(run, image).items():
            translated = translate_image(run, image, inputs, self.seed, number, tiling)
            restored = scaling.restore(translated)
            if degradation and degradation.kind == "grey":
                restored = keep_luminance(restored, original.pixels)
            columns[way] = original.with_alpha(run.show_planes(restored[None])[0])
            # bands and label maps have no transparency
            colour = run.planes.kind == "colour"
            generated[way] = original.with_alpha(restored) if colour else restored

        images = {}
        for way, result in generated.items():
            ending = f"-{way.replace(' ', '_')}" if len(generated) > 1 else ""
            images[name + ending] = result

        if original.truth is not None:
            columns["real"] = original.truth
        trained = run.gan.size
        notes = original.notes
        if not as_it_is and tiling == Tiling() and min(scaling.seen) > MUCH_LARGER * trained:
            scale = f"trained at {trained} px; add --size {trained} to translate at that scale"
            notes = (*notes, scale)
        return Result(name, images, columns, notes=notes), scaling

    def choose_ways(self, run: Run, image: Tensor) -> dict[str, Way]:
        """The requested ways to translate an image, float (1, C, H, W), by name."""
        ways = run.gan.ways(image, self.attributes)
        name = _find_domain(run, self.to)
        return ways if name is None else {name: ways[name]}

    def advise(self, gan: GAN) -> str:
        """What to do for more detail than at the size at which images were translated."""
        if self.size and _read_kind(gan).own_size:
            return "without --size images are translated at their own size"
        larger = max(2 * gan.size, BEST_KNOWN)
        return f"train with --size {larger} for more"


def _choose_tiling(run: Run, size: int | None) -> Tiling:
    """How images are cut for a GAN: trained on tiles of large images, it sees tiles as large."""
    if size or run.about["recipe"].get("fit") != "tiles" or _read_kind(run.gan).own_size:
        return Tiling()
    side = run.gan.size
    return Tiling(side, overlap=side // 4, whole=side**2)


def parse_attributes(pairs: Sequence[str]) -> dict[str, bool]:
    """`["Eyeglasses=1,Bald=0", "Old=1"]` as `{"Eyeglasses": True, "Bald": False, "Old": True}`.

    Raises:
        UserError: a value is neither 0 nor 1.
    """
    attributes = {}
    for pair in split_pairs(pairs):
        name, _, value = pair.partition("=")
        if value not in ("0", "1"):
            raise UserError(
                f"--attributes {pair}: write NAME=1 for an attribute that is wanted and NAME=0 for"
                " one that is not"
            )
        attributes[name.strip()] = value == "1"
    return attributes


def _find_domain(run: Run, wanted: str | None) -> str | None:
    """The name of the domain that is meant; None for a GAN that knows attributes instead.

    Raises:
        UserError: the GAN does not generate it; names those that it does.
    """
    names = _list_domains(run.gan)
    if wanted is None:
        return names[-1] if names else None  # usually from the first domain to the second
    if not names:
        raise UserError(f"--to {wanted}: {run.name} knows attributes: use --attributes NAME=1")

    # their columns "a" and "b" mean the same
    columns = COLUMNS if len(names) == 2 else (run.gan.target,)
    for column, name in zip(columns, names):
        if wanted.casefold() in (column, name.casefold()):
            return name
    raise UserError(f"--to {wanted}: {run.name} generates only {' and '.join(names)}")


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
            raise UserError(f"--attributes {name}: unknown attribute; {nearest(name, names)}")
        domains = _list_domains(run.gan)
        only = f"; it generates {domains[0]}" if len(domains) == 1 else ""
        raise UserError(f"--attributes {name}: {run.name} knows no attributes{only}")


def _list_domains(gan: GAN) -> tuple[str, ...]:
    """The names of the domains that a GAN can generate; none where it knows attributes."""
    choice = gan.inputs.get("to")
    if isinstance(choice, ChoiceInput):
        return choice.names
    return () if "attributes" in gan.inputs else (gan.schema.domain(gan.target),)


def _read_kind(gan: GAN) -> ImageInput:
    """Which images a GAN that translates takes."""
    kind = gan.inputs["image"]
    assert isinstance(kind, ImageInput)
    return kind


def find_given_column(gan: GAN, to: str | None) -> str:
    """The column of the training data that images to be translated are like.

    Args:
        gan: that translates.
        to: the requested domain, as in `TranslateTask`.
    """
    if not gan.schema.unpaired:
        return gan.column_of("given")
    first = gan.schema.domain("a").casefold()
    return "b" if to is not None and to.casefold() in ("a", first) else "a"


def translate_image(
    run: Run,
    image: Tensor,
    inputs: Mapping[str, Tensor],
    seed: int,
    number: int,
    tiling: Tiling | None = None,
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

    pieces = translate_tiles(image, run.gan.channels, translate_piece, tiling or Tiling())
    return to_uint8(pieces)[0]

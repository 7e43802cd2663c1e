"""Which noise images are drawn from, as a user says it: seeds, files, arithmetic, variations."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypedDict

import torch

from ganvas.errors import UserError, shorten
from ganvas.gans.base import GAN
from ganvas.inference.latents import Latent, Point, Term, latent_row
from ganvas.inference.noise_files import StoredNoise, check_fit, read_noise
from ganvas.inference.sampling import take_turns
from ganvas.io.numbers import check_numbers

__all__ = [
    "AS_DRAWN",
    "Chosen",
    "NoiseChoice",
    "NoiseFlags",
    "Noises",
    "Seeds",
    "choose_points",
    "read_seeds",
]

Seeds = str | int | Iterable[str | int]
Noises = str | Path | Sequence[str | Path]
MOST_SEEDS = 100_000
SPREAD = 0.3  # usual share of the variance of a variation that is new
MOST_TRUNCATION = 2
RANGE = re.compile(r"\s*(\d{1,15})\s*(?:-\s*(\d{1,15})\s*)?")  # a seed, or FIRST-LAST
SIGN = re.compile(r"\s+([+-])\s+")  # with spaces, since names of files may have hyphens
PLACE = re.compile(r"(.+):(\d{1,6})")  # FILE:NUMBER


class Chosen(NamedTuple):
    """A point in the space of noise, and its class where the point itself decides it."""

    latent: Latent
    label: int | None


class NoiseFlags(TypedDict, total=False):
    """Keyword arguments that say which noise images are drawn from, as `NoiseChoice` has them."""

    seeds: Seeds | None
    noise: Noises | None
    near: str | int | Path | None
    spread: float | None
    truncation: float


@dataclass(frozen=True)
class NoiseChoice:
    """Which noise images are drawn from. Without any of these: the rows of one seed, in order.

    Attributes:
        seeds: one image each: the first that a seed gives. Numbers, or "3,17,40-60".
        noise: files that `ganvas restore` has written, or sums "a - b + c" of files and seeds. A
            file alone stands for all its images, else for its first; FILE:2 is its second.
        near: a seed or file whose variations are drawn; the first image is the one itself.
        spread: of variations, 0 (the same) to 1 (unrelated), as a share of the variance; None:
            SPREAD.
        truncation: factor towards the mean of all noise, 0 to 2; 1 changes nothing.
    """

    seeds: Seeds | None = None
    noise: Noises | None = None
    near: str | int | Path | None = None
    spread: float | None = None
    truncation: float = 1.0

    def __post_init__(self) -> None:
        check_numbers(self)
        given = [f"--{name}" for name in ("seeds", "noise", "near") if self._is_given(name)]
        if len(given) > 1:
            raise UserError(f"{' and '.join(given)} both say what is drawn; give one of them")
        if self.spread is not None and not self._is_given("near"):
            raise UserError(f"--spread {self.spread:g} has no effect without --near SEED")
        if self.spread is not None and not 0 <= self.spread <= 1:
            raise UserError(f"--spread {self.spread:g}: give 0 (the same) to 1 (unrelated)")
        if not 0 <= self.truncation <= MOST_TRUNCATION:
            raise UserError(
                f"--truncation {self.truncation:g}: give 0 (the mean) to {MOST_TRUNCATION}; 1"
                " changes nothing"
            )

    @property
    def in_order(self) -> bool:
        """Whether images are drawn from the rows of one seed, in order."""
        return not any(map(self._is_given, ("seeds", "noise", "near")))

    @property
    def fixed(self) -> bool:
        """Whether the choice itself says how many images there are."""
        return self._is_given("seeds") or self._is_given("noise")

    @cached_property
    def seed_list(self) -> list[int]:
        """The seeds as numbers.

        Raises:
            UserError: one is none, or there are too many.
        """
        return read_seeds(() if self.seeds is None else self.seeds)

    def check(self, gan: GAN, device: torch.device, seed: int = 0) -> None:
        """Refuse what this GAN cannot draw.

        Raises:
            UserError: a seed or an expression is none, a file is another GAN's, or the seed has no
                effect.
        """
        if self.fixed and seed:
            flag = "--seeds" if self._is_given("seeds") else "--noise"
            raise UserError(f"--seed {seed} has no effect beside {flag}; leave one of them out")
        next(self.choose(gan, device, seed, 1), None)

    def choose(
        self, gan: GAN, device: torch.device, seed: int, count: int, row: int = 0
    ) -> Iterator[Chosen]:
        """The points to draw, one for each image.

        Args:
            gan: unconditional, or with classes.
            device: where the GAN is.
            seed: of the rows, and of variations.
            count: of images; of no effect where the choice is `fixed`.
            row: of the table of each seed, or the first one of variations and of rows in order.
        """
        if self._is_given("seeds"):
            chosen = (Chosen(latent_row(one, row), 0) for one in self.seed_list)
        elif self._is_given("noise"):
            chosen = iter(self._combine(gan, device))
        elif self._is_given("near"):
            chosen = self._vary(gan, device, seed, range(row, row + count))
        else:
            chosen = (Chosen(latent_row(seed, row + one), None) for one in range(count))
        for latent, label in chosen:
            yield Chosen(replace(latent, truncation=self.truncation), label)

    def _is_given(self, name: str) -> bool:
        return getattr(self, name) is not None

    def _combine(self, gan: GAN, device: torch.device) -> list[Chosen]:
        """The points of expressions.

        Raises:
            UserError: an expression is none, or a file does not fit the GAN.
        """
        assert self.noise is not None
        given = [self.noise] if isinstance(self.noise, str | Path) else self.noise
        texts = [text for value in given for text in _split_places(value)]
        if not texts:
            raise UserError("--noise names no noise; give files or seeds")
        reader = _TermReader(gan, device)
        if len(texts) == 1 and not SIGN.search(texts[0]):
            return reader.read_all(texts[0])

        combined = []
        for text in texts:
            first, *others = SIGN.split(text)
            terms = [(first, 1.0)]
            terms += [(one, -1.0 if sign == "-" else 1.0) for sign, one in zip(*[iter(others)] * 2)]
            found = [(reader.read(one.strip(), text), weight) for one, weight in terms]
            latent = Latent(tuple((table, row, weight) for (table, row), weight in found))
            combined.append(Chosen(latent, _find_label(latent.terms[0])))
        return combined

    def _vary(
        self, gan: GAN, device: torch.device, seed: int, rows: Iterable[int]
    ) -> Iterator[Chosen]:
        """Variations of one image, numbered by rows; that of row 0 is the image itself."""
        table, place = _TermReader(gan, device).read(str(self.near), str(self.near))
        label = _find_label((table, place, 1.0))
        spread = SPREAD if self.spread is None else self.spread
        for row in rows:
            # Variances add up. Row 0 of a seed is an image that may be varied itself.
            fresh: list[Term] = [(seed, row, spread**0.5)] if row else []
            kept = (1 - spread) ** 0.5 if row else 1.0
            yield Chosen(Latent(((table, place, kept), *fresh)), label)


class _TermReader:
    """Reads the parts of expressions; each file once.

    Args:
        gan: that draws the noise.
        device: where it is.
    """

    def __init__(self, gan: GAN, device: torch.device):
        self.gan, self.device = gan, device
        self.files: dict[Path, StoredNoise] = {}

    def read(self, text: str, whole: str) -> tuple[int | StoredNoise, int]:
        """A seed as (seed, 0); a file or FILE:NUMBER as (noise, row).

        Args:
            text: the part.
            whole: the expression, for messages.

        Raises:
            UserError: it is neither.
        """
        if text.isascii() and text.isdecimal() and len(text) <= 15:
            return int(text), 0
        if not text:
            raise UserError(f'{whole!r} is no sum; write files or seeds: --noise "3 - 5 + 8"')

        file, number = Path(text).expanduser(), 1
        if not file.exists() and (match := PLACE.fullmatch(text)):
            file, number = Path(match[1]).expanduser(), int(match[2])
        noise = self._open(file)
        if not 1 <= number <= len(noise):
            raise UserError(f"{text}: {file} holds the noise of images 1 to {len(noise)}")
        return noise, number - 1

    def read_all(self, text: str) -> list[Chosen]:
        """All images of a file; one, of a seed or FILE:NUMBER."""
        table, place = self.read(text, text)
        rows = [place]
        if isinstance(table, StoredNoise) and Path(text).expanduser() == table.file:
            rows = list(range(len(table)))
        latents = [Latent(((table, row, 1.0),)) for row in rows]
        return [Chosen(latent, _find_label(latent.terms[0])) for latent in latents]

    def _open(self, file: Path) -> StoredNoise:
        if file not in self.files:
            noise = read_noise(file)
            check_fit(noise, self.gan, self.device)
            self.files[file] = noise
        return self.files[file]


def _find_label(term: Term) -> int:
    """The class of a row of noise: as its file says; of a seed the first, as `--count 1` has it."""
    table, row, _ = term
    return table.labels[row] if isinstance(table, StoredNoise) and table.labels else 0


def _split_places(value: str | Path) -> list[str]:
    """Expressions with commas between them; a file whose name has commas is one."""
    text = str(value).strip()
    match = PLACE.fullmatch(text)
    if any(Path(name).expanduser().exists() for name in (text, match[1] if match else text)):
        return [text]
    return [part.strip() for part in text.split(",")]


def read_seeds(given: Seeds) -> list[int]:
    """Read "3,17,40-60", or numbers and such texts, as a list of seeds.

    Raises:
        UserError: a part is neither a seed nor FIRST-LAST, or there are more than MOST_SEEDS.
    """
    values = [given] if isinstance(given, str | int) else list(given)
    seeds: list[int] = []
    for part in (part for value in values for part in str(value).split(",")):
        match = RANGE.fullmatch(part)
        if not match:
            raise UserError(f"--seeds {shorten(part)}: write numbers and ranges, as 3,17,40-60")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise UserError(f"--seeds {first}-{last}: write the smaller first, {last}-{first}")
        if len(seeds) + last - first + 1 > MOST_SEEDS:
            raise UserError(f"--seeds {part.strip()}: {MOST_SEEDS:,} seeds are the limit")
        seeds += range(first, last + 1)
    if not seeds:
        raise UserError("--seeds names no seed; write numbers and ranges, as 3,17,40-60")
    return seeds


AS_DRAWN = NoiseChoice()  # frozen, so one object may be the default of all


def choose_points(
    gan: GAN,
    device: torch.device,
    choice: NoiseChoice,
    seed: int,
    count: int,
    labels: Sequence[int] = (),
) -> Iterator[Point]:
    """The points to draw with their classes.

    Args:
        gan: unconditional, or with classes.
        device: where the GAN is.
        choice: of the noise.
        seed: see `NoiseChoice.choose`.
        count: see `NoiseChoice.choose`.
        labels: class numbers that take turns; empty: those of the points, or all classes in turn.
    """
    for number, (latent, label) in enumerate(choice.choose(gan, device, seed, count)):
        if labels:
            label = labels[number % len(labels)]
        elif label is None:
            (label,) = take_turns(gan, [number])
        yield Point(latent, label)

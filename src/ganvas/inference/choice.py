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
from ganvas.inference.direction_files import (
    FOLDER,
    Direction,
    Step,
    Steps,
    find_direction,
    read_directions,
    read_steps,
)
from ganvas.inference.latents import Latent, Point, Term, latent_row
from ganvas.inference.noise_files import measure_noise
from ganvas.inference.sampling import take_turns
from ganvas.inference.terms import SIGN, TermReader, find_label, split_places
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
    direction: Steps | None
    directions: str | Path | None


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
        direction: how far to move along directions: "3:2.5", several "1:2,Eyeglasses:-1.5", for a
            walk "3:-3..3"; or amounts by number or name.
        directions: folder that `ganvas directions` wrote; None: the newest of the run, see `of`.
    """

    seeds: Seeds | None = None
    noise: Noises | None = None
    near: str | int | Path | None = None
    spread: float | None = None
    truncation: float = 1.0
    direction: Steps | None = None
    directions: str | Path | None = None

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
        if self.directions is not None and not self._is_given("direction"):
            raise UserError(f"--directions {self.directions} has no effect without --direction")
        self.steps  # noqa: B018  wrong ones are refused now

    def of(self, outputs: Path, name: str) -> "NoiseChoice":
        """This choice, with directions from a run where no other place of them was named.

        Args:
            outputs: the folder in which results of the run are written.
            name: of the run, for messages.

        Raises:
            UserError: none of them were found yet.
        """
        if not self._is_given("direction") or self.directions is not None:
            return self
        if not (outputs / FOLDER).is_dir():
            raise UserError(
                f"no directions of {name} were found yet", command=f"ganvas directions {name}"
            )
        return replace(self, directions=outputs / FOLDER)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """How far to move along directions.

        Raises:
            UserError: what is given says something else.
        """
        return () if self.direction is None else read_steps(self.direction)

    @property
    def moving(self) -> bool:
        """Whether there is a way along a direction, for a walk."""
        return any(step.first != step.last for step in self.steps)

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
            UserError: a seed or an expression is none, a file is another GAN's, there are no such
                directions, or the seed has no effect.
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
        moves = self._find_moves(gan, device)
        for latent, label in chosen:
            yield Chosen(replace(latent, truncation=self.truncation, moves=moves), label)

    def list_names(self, count: int) -> list[str]:
        """What each image is called beside the others: its seed, or its noise; none where images
        are drawn in order, or vary one.

        Args:
            count: of images.
        """
        if self._is_given("seeds"):
            return [str(seed) for seed in self.seed_list]
        if not self._is_given("noise"):
            return []
        texts = self._split_noise()
        if len(texts) < count:  # the images of one file, FILE:1 and so on
            return [str(number) for number in range(1, count + 1)]
        # a file without its folder
        return [" ".join(Path(word).name for word in text.split(" ")) for text in texts]

    def _split_noise(self) -> list[str]:
        """The expressions of `noise`."""
        assert self.noise is not None
        given = [self.noise] if isinstance(self.noise, str | Path) else self.noise
        return [text for value in given for text in split_places(value)]

    def _is_given(self, name: str) -> bool:
        return getattr(self, name) is not None

    def _find_moves(self, gan: GAN, device: torch.device) -> tuple[tuple[Direction, float], ...]:
        """Directions and how far along each.

        Raises:
            UserError: there are no such directions, or none of this GAN.
        """
        if not self.steps:
            return ()
        assert self.directions is not None
        known = read_directions(Path(self.directions), sum(measure_noise(gan, device)))
        return tuple((find_direction(known, step.name), step.first) for step in self.steps)

    def _combine(self, gan: GAN, device: torch.device) -> list[Chosen]:
        """The points of expressions.

        Raises:
            UserError: an expression is none, or a file does not fit the GAN.
        """
        texts = self._split_noise()
        if not texts:
            raise UserError("--noise names no noise; give files or seeds")
        reader = TermReader(gan, device)
        if len(texts) == 1 and not SIGN.search(texts[0]):
            return [Chosen(latent, label) for latent, label in reader.read_all(texts[0])]

        combined = []
        for text in texts:
            first, *others = SIGN.split(text)
            terms = [(first, 1.0)]
            terms += [(one, -1.0 if sign == "-" else 1.0) for sign, one in zip(*[iter(others)] * 2)]
            found = [(reader.read(one.strip(), text), weight) for one, weight in terms]
            latent = Latent(tuple((table, row, weight) for (table, row), weight in found))
            combined.append(Chosen(latent, find_label(latent.terms[0])))
        return combined

    def _vary(
        self, gan: GAN, device: torch.device, seed: int, rows: Iterable[int]
    ) -> Iterator[Chosen]:
        """Variations of one image, numbered by rows; that of row 0 is the image itself."""
        table, place = TermReader(gan, device).read(str(self.near), str(self.near))
        label = find_label((table, place, 1.0))
        spread = SPREAD if self.spread is None else self.spread
        for row in rows:
            # Variances add up. Row 0 of a seed is an image that may be varied itself.
            fresh: list[Term] = [(seed, row, spread**0.5)] if row else []
            kept = (1 - spread) ** 0.5 if row else 1.0
            yield Chosen(Latent(((table, place, kept), *fresh)), label)


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

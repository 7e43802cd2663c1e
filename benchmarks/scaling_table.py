"""How well GANs would scale to 8 and 64 GPUs, computed; nothing here is measured.

`python benchmarks/scaling.py --table` prints it. Of the recipes, one round is played without
numbers, on PyTorch's "meta" device, in the order of the real one and with the real buckets: that
tells FLOP, operations, bytes, and how far the round has come when each bucket is sent. A round then
takes

    compute    the longer of FLOP / SUSTAINED and operations x LAUNCH a sum      2 (n - 1) / n x
    bytes / (REACHED x rate) + 2 ceil(log2 n) x hop, as a ring's bytes and a tree's latency a round
    compute, and what of the sums is not over when its turn's backward is; the next player waits for
    that

A turn's buckets travel one after another, each from when it is sent. The losses' checks (one small
sum a term) are never hidden.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from step_speed import Stopwatch
from torch import Tensor

from ganvas.gans.options import build_gan
from ganvas.recipes import get_recipe
from ganvas.rng import StepRng
from ganvas.schema import Schema
from ganvas.training.engine import BUCKET
from ganvas.training.speed.reducer import GradientReducer
from ganvas.training.state import RunClock
from ganvas.training.step import sum_of

# FLOP/s; assumed: a tenth of the 495 TFLOP/s that an H100 SXM is said to reach in TF32 without
# sparsity
SUSTAINED = 50e12
LAUNCH = 5e-6  # seconds; assumed: what starting an operation from Python takes
REACHED = 0.7  # of a link's rate; assumed
# batches to divide: the recipe's own where 64 GPUs can share it
RECIPES = {"dcgan-64": 128, "mnist-cdcgan": 128, "pix2pix": 64}
PLAYER = 23_000_000  # parameters of either player of R3GAN at 256 pixels, about
MIB = 2**20


@dataclass(frozen=True)
class Link:
    """What joins GPUs.

    Attributes:
        name: for the table.
        gpus: how many.
        rate: bytes a second in either direction, of the slowest link that a ring through all of
            them passes.
        hop: seconds from one to the next.
    """

    name: str
    gpus: int
    rate: float
    hop: float

    def latency(self) -> float:
        """Seconds of a sum of nothing."""
        return 2 * math.ceil(math.log2(self.gpus)) * self.hop

    def seconds(self, size: int) -> float:
        """Seconds of a sum over all GPUs of that many bytes."""
        return self.latency() + 2 * (self.gpus - 1) / self.gpus * size / (REACHED * self.rate)


LINKS = (
    Link("NVLink, 450 GB/s", 8, 450e9, 5e-6),
    Link("PCIe 4 x16, 32 GB/s", 8, 32e9, 10e-6),
    Link("400 Gb/s InfiniBand", 64, 50e9, 10e-6),
    Link("100 Gb/s Ethernet", 64, 12.5e9, 50e-6),
)


@dataclass
class Update:
    """One player's move, as a link sees it.

    Attributes:
        sent: bytes of each bucket, and the share of the round's work that is done when it is sent.
        end: share of the round's work that is done when backward ends.
    """

    sent: list[tuple[int, float]]
    end: float

    def exposed(self, compute: float, link: Link, overlapped: bool) -> float:
        """Seconds from the end of backward until all gradients are there, in a round of that many
        seconds of work.
        """
        end = compute * self.end
        if not overlapped:
            return link.seconds(sum(size for size, _ in self.sent))
        free = 0.0
        for size, share in self.sent:
            free = max(free, compute * share) + link.seconds(size)
        return max(0.0, free - end)


@dataclass
class StepContext:
    """A round of a GAN, as much of it as counts here.

    Attributes:
        name: for the table.
        batch: images a GPU when each has the recipe's whole batch.
        divided: the batch that is divided among all.
        flops: for an image.
        launches: operations of a round.
        terms: losses in a round.
        by_flops, by_launches: the turns, with shares of either; which counts depends on what a
            round waits for.
        links: that such GPUs may have.
    """

    name: str
    batch: int
    divided: int
    flops: float
    launches: float
    terms: int
    by_flops: list[Update]
    by_launches: list[Update]
    links: Sequence[Link] = LINKS

    def compute(self, images: float) -> float:
        """Seconds of work of a GPU in a round."""
        return max(images * self.flops / SUSTAINED, self.launches * LAUNCH)

    def turns(self, images: float) -> list[Update]:
        """The turns as the work of so many images spreads."""
        return (
            self.by_flops
            if images * self.flops / SUSTAINED > self.launches * LAUNCH
            else self.by_launches
        )

    def exposed(self, images: float, link: Link, overlapped: bool) -> float:
        """Seconds of a round in which a GPU only waits for the others."""
        compute = self.compute(images)
        return self.terms * link.latency() + sum(
            turn.exposed(compute, link, overlapped) for turn in self.turns(images)
        )

    def sums(self, images: float, link: Link) -> float:
        """Seconds that the sums of a round take on the link, hidden or not."""
        return self.terms * link.latency() + sum(
            link.seconds(size) for turn in self.turns(images) for size, _ in turn.sent
        )


class Counter(Stopwatch):
    """Counts the FLOP and the operations that launch something."""

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.launches = 0.0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Note one operation of PyTorch."""
        self.launches += not func.is_view
        return super().__torch_dispatch__(func, types, args, kwargs)


@dataclass
class Noted:
    """What one turn sends, with the counts of FLOP and launches at that moment, and those at the
    end of its backward.
    """

    sent: list[tuple[int, float, float]] = field(default_factory=list)
    end: tuple[float, float] = (0.0, 0.0)

    def turn(self, kind: int, whole: float) -> Update:
        """The turn by shares of FLOP (0) or launches (1), of which the round has that many."""
        return Update(
            [(size, counts[kind] / whole) for size, *counts in self.sent], self.end[kind] / whole
        )


class Notebook:
    """Stands where the other processes would, and notes what they are sent."""

    world = 1

    def __init__(self, counter: Counter):
        self.counter, self.turns = counter, list[Noted]()

    def start_sum(self, values: Tensor) -> "Notebook":
        """Note a bucket."""
        self.turns[-1].sent.append((values.nbytes, self.counter.flops, self.counter.launches))
        return self

    def wait(self) -> None:
        """Nothing to wait for."""

    def main_order(self, order: list[int]) -> list[int]:
        """This is the main process."""
        return order


def played(name: str) -> StepContext:
    """A recipe's game, by two rounds without numbers: the first shows in which order gradients
    come.
    """
    recipe, device = get_recipe(name), torch.device("meta")
    size, channels, count = recipe.size or 64, recipe.channels or 3, max(2, recipe.batch)
    names = {"label": tuple("0123456789")}
    schema = Schema(
        size=size,
        channels=dict.fromkeys(("image", "a", "b"), channels),
        names=names,
        widths={},
        boxes=False,
    )
    with device:
        gan = build_gan(recipe.gan, schema, recipe.options)
        batch = {key: torch.empty(count, channels, size, size) for key in ("image", "a", "b")}
        batch["label"] = torch.zeros(count, dtype=torch.int64)
    with Counter() as counter:
        notebook, players = Notebook(counter), gan.players()
        averagings = {
            player: GradientReducer(parameters, BUCKET, notebook)
            for player, parameters in players.items()
        }
        terms = 0
        for _ in range(2):
            notebook.turns, counter.flops, counter.launches, terms = [], 0.0, 0.0, 0
            for move in gan.step(batch, RunClock(count, count), StepRng(0, 0, device)):
                for turn in move if isinstance(move, tuple) else (move,):
                    terms += len(turn.losses)
                    notebook.turns.append(Noted())
                    with averagings[turn.player]:
                        sum_of(turn.losses).backward(
                            inputs=players[turn.player], retain_graph=isinstance(move, tuple)
                        )
                        notebook.turns[-1].end = counter.flops, counter.launches
                    gan.zero_grad()
    whole = counter.flops, counter.launches
    by_flops, by_launches = (
        [noted.turn(kind, whole[kind]) for noted in notebook.turns] for kind in (0, 1)
    )
    return StepContext(
        f"`{name}`",
        recipe.batch,
        RECIPES[name],
        whole[0] / count,
        whole[1],
        terms,
        by_flops,
        by_launches,
    )


def published(name: str, images_per_second: float, links: Sequence[Link]) -> StepContext:
    """R3GAN at 256 pixels, batch 256, of a published speed: two equal turns, each half backward,
    gradients coming evenly.
    """
    count = math.ceil(4 * PLAYER / BUCKET)
    turns = [
        Update(
            [(4 * PLAYER // count, start + 0.25 * (number + 1) / count) for number in range(count)],
            start + 0.25,
        )
        for start in (0.25, 0.75)
    ]
    return StepContext(name, 32, 256, SUSTAINED / images_per_second, 0, 3, turns, turns, links)


def row(game: StepContext, link: Link | None, images: float, alone: float) -> str:
    """A line of the table.

    Args:
        link: None for one GPU.
        images: of each GPU in a round.
        alone: images a second of one GPU.
    """
    compute, head = game.compute(images), f"| {game.name} |"
    if link is None:
        return f"{head} 1 | | {images:g} | {1e3 * compute:.1f} | | | {images / compute:,.0f} | 100 % | |"
    sums, waits, whole = (
        game.sums(images, link),
        *(game.exposed(images, link, overlapped) for overlapped in (True, False)),
    )
    rates = [link.gpus * images / (compute + wait) for wait in (waits, whole)]
    efficiency = " | ".join(
        f"{rate / (link.gpus * alone):.0%}".replace("%", " %") for rate in rates
    )
    hidden = f"{max(0.0, 1 - waits / sums):.0%}".replace("%", " %")
    times = f"{1e3 * compute:.1f} | {1e3 * sums:.2f} | {hidden}"
    return f"{head} {link.gpus} | {link.name} | {images:g} | {times} | {rates[0]:,.0f} | {efficiency} |"


def print_table() -> None:
    """Print what goes into a round, and the two tables."""
    games = [played(name) for name in RECIPES]
    games += [
        published("R3GAN, A6000", 110 / 8, LINKS[1:]),
        published("R3GAN, four times as fast", 4 * 110 / 8, LINKS),
    ]
    print(
        "| game | sent in a round, MiB | buckets | GFLOP an image | operations a round |\n|---|---|---|---|---|"
    )
    for game in games:
        sizes = [f"{sum(size for size, _ in turn.sent) / MIB:.1f}" for turn in game.by_flops]
        work = f"{game.flops / 1e9:.2f} | {game.launches:,.0f}" if game.launches else "- | -"
        print(
            f"| {game.name} | {' + '.join(sizes)} | {' + '.join(str(len(turn.sent)) for turn in game.by_flops)} | {work} |"
        )
    heading = (
        "| game | GPUs | link | images a GPU | compute, ms | sums, ms | hidden | images/s | efficiency | without buckets |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    print(f"\nEach GPU has a batch of its own:\n\n{heading}")
    for game in games:
        alone = game.batch / game.compute(game.batch)
        for link in (None, *game.links):
            print(row(game, link, game.batch, alone))
    print(f"\nOne batch is divided among all:\n\n{heading}")
    for game in games:
        alone = game.divided / game.compute(game.divided)
        for link in (None, *game.links):
            print(row(game, link, game.divided / (link.gpus if link else 1), alone))

"""GANs that translate images: two processes equal one, and what is refused."""

import copy
import threading
from collections.abc import Callable

import pytest
import torch
from tiny import FixedClock, make_batch, make_gan, refused_in_one_line
from torch import Tensor

from ganvas.gans import GAN
from ganvas.gans.options import build_gan
from ganvas.rng import Rng, StepRng
from ganvas.schema import Schema


class DoubleDraw(StepRng):
    """The same numbers in float64."""

    def rows(self, count, make):
        return super().rows(count, make).double()


def in_two_processes(compute: Callable[[int, Rng], object]) -> list:
    """What two threads find that act as two processes, each with its draw."""
    barrier, shared, found = threading.Barrier(2), {}, {}

    def run(rank: int):
        def collect(rows: Tensor) -> Tensor:
            shared[rank] = rows
            barrier.wait(20)
            whole = torch.cat([shared[0], shared[1]])
            barrier.wait(20)
            return whole

        try:
            found[rank] = compute(rank, DoubleDraw(0, 0, rank=rank, world=2, collect=collect))
        finally:
            if rank not in found:
                barrier.abort()

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [found[0], found[1]]


def gradients(gan: GAN, batch: dict[str, Tensor], rng: Rng) -> dict[str, Tensor]:
    """Gradients of all updates of a step whose weights stay as they are, by player and number."""
    found = {}
    for update in gan.step(batch, FixedClock(), rng):
        values = gan.players()[update.player]
        grads = torch.autograd.grad(sum(update.losses.values()), values, retain_graph=True)
        found |= {f"{update.player}/{number}": grad for number, grad in enumerate(grads)}
    return found


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan", "cut", "stargan", "inpaint"])
def test_two_processes_compute_the_gradients_of_one(name):
    gan = make_gan(name, channels=3, classes=3).double()
    batch = {key: value.double() for key, value in make_batch(gan, 6).items()}
    copies = [copy.deepcopy(gan) for _ in range(2)]
    whole = gradients(gan, batch, DoubleDraw(0, 0))

    def compute(rank: int, rng: Rng):
        return gradients(
            copies[rank], {key: value[3 * rank : 3 * rank + 3] for key, value in batch.items()}, rng
        )

    halves = in_two_processes(compute)
    for key, gradient in whole.items():
        torch.testing.assert_close(
            (halves[0][key] + halves[1][key]) / 2, gradient, rtol=1e-9, atol=1e-12
        )
    for key, value in gan.state_dict().items():
        for copied in copies:
            torch.testing.assert_close(copied.state_dict()[key], value)
    if name == "cyclegan":
        assert gan.pool_a_count == 3  # six images went through it


# Refusals


@pytest.mark.parametrize("name", ["cyclegan", "stargan"])
@pytest.mark.parametrize(("size", "better"), [(4, "8"), (10, "8 and 12"), (63, "60 and 64")])
def test_sizes_that_cannot_be_halved_twice_are_refused(name, size, better):
    refused_in_one_line(lambda: make_gan(name, size), rf"^size {size} cannot be made .*: {better}$")


def test_data_of_another_kind_is_refused():
    pictures = Schema(size=8, channels={"image": 3})
    refused_in_one_line(
        lambda: build_gan("cyclegan", pictures, {}),
        "needs images of two domains: .*unpaired:FOLDER",
    )
    refused_in_one_line(
        lambda: build_gan("stargan", pictures, {}),
        "needs images with attributes: --data attributes:FOLDER",
    )


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("cyclegan", "blocks", 0),
        ("cyclegan", "pool", -1),
        ("cyclegan", "cycle_weight", -1),
        ("stargan", "n_critic", 0),
    ],
)
def test_options_outside_their_range_are_refused(name, option, value):
    refused_in_one_line(lambda: make_gan(name, **{option: value}), rf"options\.{option}={value}")

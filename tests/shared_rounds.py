"""A few rounds of several GANs that any number of processes must play alike; `torchrun` runs it for
test_processes.py.

    torchrun --nproc-per-node 2 tests/shared_rounds.py FOLDER

In float64, so that only the order of additions differs; with buckets so small that every player
needs several.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from tiny import OPTIONS, FixedClock, make_batch, make_context, make_schema
from torch import Tensor, nn

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g
from ganvas.gans.options import build_gan
from ganvas.rng import Rng
from ganvas.training import engine as engines
from ganvas.training.engine import Engine
from ganvas.training.step import take_step

BATCH, ROUNDS, BUCKET = 8, 5, 256


class Resting(GAN):
    """Both players move at once; one of the generator's layers rests in every second round, one
    always.
    """

    def __init__(self):
        super().__init__(make_schema(8, 1))
        self.generator = nn.ModuleDict(
            {name: nn.Linear(64, 64) for name in ("never", "always", "sometimes")}
        )
        self.discriminator = nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 1))

    def step(self, batch: Batch, clock: Clock, rng: Rng) -> Iterator[Updates]:
        real = batch["image"].flatten(1)
        fake = self.generator["always"](rng.normal(len(real), 64)).tanh()
        if clock.steps % 2:
            fake = self.generator["sometimes"](fake).tanh()
        real_score, fake_score = self.discriminator(real), self.discriminator(fake)
        yield (
            Update("discriminator", {"adversarial": non_saturating_d(real_score, fake_score)}),
            Update("generator", {"adversarial": non_saturating_g(fake_score)}),
        )


def games() -> dict[str, GAN]:
    """The GANs by name, always with the same first weights."""
    torch.manual_seed(0)
    changes = {
        "mlp": {},
        "relativistic": {"penalty_every": 2, "augmentation": "adaptive"},
        "r3gan": {"augmentation": 0.5},
    }
    built = {
        name: build_gan(name, make_schema(8, 1), OPTIONS[name] | options)
        for name, options in changes.items()
    }
    built["relativistic"].get_buffer("probability").fill_(0.5)  # from where it can move either way
    return built | {"resting": Resting()}


def play(gan: GAN, engine: Engine) -> None:
    """Play the rounds on this process's part of each batch."""
    game, part = make_context(gan, engine=engine, lr=1e-2, betas=(0.5, 0.99)), BATCH // engine.world
    for rounds in range(ROUNDS):
        whole = make_batch(gan, BATCH, seed=rounds)
        batch = {
            name: rows[engine.rank * part : (engine.rank + 1) * part]
            for name, rows in whole.items()
        }
        clock = FixedClock(rounds * BATCH, rounds)
        take_step(game, batch, clock, engine.rng(0, clock.images))


def all_weights(engine: Engine) -> dict[str, Tensor]:
    """The weights of all games after their rounds, by game and name."""
    weights = {}
    for game, gan in games().items():
        play(gan, engine)
        weights |= {f"{game}.{name}": tensor for name, tensor in gan.state_dict().items()}
    return weights


def order_of_events(engine: Engine) -> list[list[str]]:
    """When each of two `backward` sends buckets, and when it reaches the first layer."""
    network, events, all_reduce = (
        nn.Sequential(*[nn.Linear(8, 8) for _ in range(3)]),
        [],
        dist.all_reduce,
    )

    def noted(*arguments, **options):
        events[-1].append("sent")
        return all_reduce(*arguments, **options)

    network[0].weight.register_post_accumulate_grad_hook(lambda _: events[-1].append("first layer"))
    dist.all_reduce = noted
    parameters = list(network.parameters())
    for _ in range(2):
        events.append([])
        with engine.averaging(parameters):
            network(torch.ones(4, 8)).sum().backward(inputs=parameters)
            events[-1].append("backward ends")
    dist.all_reduce = all_reduce
    return events


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    engines.BUCKET = BUCKET
    folder = Path(sys.argv[1])
    with Engine("cpu") as engine:
        weights, events = all_weights(engine), order_of_events(engine)
        save_file(weights, folder / f"{engine.rank}.safetensors")
        (folder / f"{engine.rank}.json").write_text(json.dumps(events))

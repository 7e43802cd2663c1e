"""Steps of several GANs that any number of processes must take alike; `torchrun` runs it.

    torchrun --nproc-per-node 2 tests/shared_steps.py FOLDER

In float64, so that only the order of additions differs. It also compares what PyTorch's own
DistributedDataParallel makes of a discriminator with a gradient penalty.
"""

import copy
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny import OPTIONS, FixedClock, make_batch, make_context, make_schema
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ganvas.gans.base import GAN, Batch, Clock, Update, Updates
from ganvas.gans.nn.losses import non_saturating_d, non_saturating_g, squared_gradient
from ganvas.gans.options import build_gan
from ganvas.rng import Rng
from ganvas.training.engine import Engine
from ganvas.training.step import take_step

BATCH, STEPS = 8, 5


class Resting(GAN):
    """Both players are updated at once; one of the generator's layers rests in every second step,
    one always.
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


def build_gans() -> dict[str, GAN]:
    """The GANs by name, always with the same first weights."""
    torch.manual_seed(0)
    changes = {
        "mlp": {},
        "relativistic": {"penalty_every": 2, "augmentation": "adaptive"},
        "r3gan": {"augmentation": 0.5},
        "pix2pix-relativistic": {},
        "stargan-relativistic": {},
        "inpaint-relativistic": {},
        "gawwn-relativistic": {},
        "cut": {},
    }
    built = {
        name: build_gan(name, make_schema(8, 1), OPTIONS[name] | options)
        for name, options in changes.items()
    }
    built["relativistic"].get_buffer("probability").fill_(0.5)  # from where it can move either way
    return built | {"resting": Resting()}


def train(gan: GAN, engine: Engine) -> None:
    """Take the steps on this process's part of each batch."""
    context = make_context(gan, engine=engine, lr=1e-2, betas=(0.5, 0.99))
    part = BATCH // engine.world
    for steps in range(STEPS):
        whole = make_batch(gan, BATCH, seed=steps)
        batch = {
            name: rows[engine.rank * part : (engine.rank + 1) * part]
            for name, rows in whole.items()
        }
        clock = FixedClock(steps * BATCH, steps)
        take_step(context, batch, clock, engine.rng(0, clock.images))


def all_weights(engine: Engine) -> dict[str, Tensor]:
    """The weights of all GANs after their steps, by GAN and name."""
    weights = {}
    for key, gan in build_gans().items():
        train(gan, engine)
        weights |= {f"{key}.{name}": tensor for name, tensor in gan.state_dict().items()}
    return weights


def penalised_gradients(network: nn.Module, engine: Engine, own: bool) -> list[Tensor]:
    """Gradients of a discriminator's loss with a gradient penalty on this process's rows, twice.

    The network is called twice a step, on real and fake rows, and differentiated twice.

    Args:
        own: whether our engine averages; else the network's wrapper does.
    """
    part = BATCH // engine.world
    rows = slice(engine.rank * part, (engine.rank + 1) * part)
    parameters = list(network.parameters())
    found = []
    for number in range(2):
        random = torch.Generator().manual_seed(number)
        real, fake = torch.randn(2, BATCH, 8, generator=random)[:, rows]
        real = real.clone().requires_grad_()
        score = network(real)
        loss = non_saturating_d(score, network(fake)) + squared_gradient(score, real).mean()

        network.zero_grad(set_to_none=True)
        loss.backward()
        if own:
            engine.average_gradients(parameters)
        gradients = [each.grad for each in parameters if each.grad is not None]
        found.append(torch.cat([gradient.flatten() for gradient in gradients]))
    return found


def compare_wrappers(engine: Engine) -> dict[str, float]:
    """How far averaged gradients are from those of one process with the whole batch, at most."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    truth = penalised_gradients(copy.deepcopy(network), engine.alone(), own=False)

    ours = penalised_gradients(copy.deepcopy(network), engine, own=True)
    static = DistributedDataParallel(copy.deepcopy(network), static_graph=True)
    theirs = penalised_gradients(static, engine, own=False)
    return {
        name: max((one - other).abs().max().item() for one, other in zip(truth, found))
        for name, found in {"ours": ours, "static graph": theirs}.items()
    }


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    folder = Path(sys.argv[1])
    with Engine("cpu") as engine:
        save_file(all_weights(engine), folder / f"{engine.rank}.safetensors")
        (folder / f"{engine.rank}.json").write_text(json.dumps(compare_wrappers(engine)))

    # Everything is written and closed. An interpreter that held a DistributedDataParallel sometimes
    # aborts while it ends, which ours never did in as many trials.
    os._exit(0)

"""The losses of every GAN's first training steps, frozen: a refactor may not change them.

A change of mathematics does. This command writes `first_steps.json` again; read its diff:

    PYTHONPATH=tests .venv/bin/python tests/gans/test_first_steps.py

In float64, so that another CPU's rounding stays far below the tolerance; without dropout,
whose masks are other ones where PyTorch is built with another library.
"""

import json
from pathlib import Path

import pytest
import torch
from tiny import FixedClock, make_batch, make_context, make_gan

from ganvas.gans import GANS
from ganvas.rng import StepRng
from ganvas.training.step import take_step

FROZEN = Path(__file__).with_name("first_steps.json")
OPTIONS = {
    "mlp-deep": {"dropout": 0.0},
    "relativistic": {"penalty_every": 2},
    "gawwn-relativistic": {"penalty_every": 2},
    **{name: {"n_critic": 2} for name in ("stargan", "sngan", "wgan-gp")},
}
# GANs that are frozen a second time, with other options.
VARIANTS = {
    "relativistic, folded": ("relativistic", {"penalty_every": 2, "fold": True}),
    "gawwn-relativistic, key points": (
        "gawwn-relativistic",
        {"penalty_every": 2, "place": "keypoints"},
    ),
}
CASES = {name: (name, OPTIONS.get(name, {})) for name in GANS} | VARIANTS
BATCH = 4
# As long as all scores lie within the hinge, the gradient of the last bias is a sum that cancels:
# nothing, or rounding of 1e-16, of which Adam, dividing by its own size + 1e-8, makes a step of
# 1e-10.
ROUNDED = {"sngan": 1e-9}


def first_steps(case: str) -> list[dict[str, float]]:
    """What three training steps report; call it under a default dtype of float64."""
    name, options = CASES[case]
    gan = make_gan(name, size=8, channels=3, classes=3, **options)
    context = make_context(gan, lr=1e-2, betas=(0.5, 0.999))
    reports = []
    for steps in range(3):
        clock, rng = FixedClock(steps * BATCH, steps), StepRng(0, steps * BATCH)
        values = take_step(context, make_batch(gan, BATCH, seed=steps), clock, rng)
        reports.append({key: value.item() for key, value in values.items()})
    return reports


@pytest.fixture
def double():
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", CASES)
def test_first_steps(name, double):
    frozen = json.loads(FROZEN.read_text())[name]
    found = first_steps(name)
    assert len(found) == len(frozen) == 3
    for step_found, step_frozen in zip(found, frozen):
        assert step_found == pytest.approx(step_frozen, rel=1e-9, abs=ROUNDED.get(name, 0))


def test_every_gan_is_frozen():
    assert json.loads(FROZEN.read_text()).keys() == CASES.keys()


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    FROZEN.write_text(json.dumps({name: first_steps(name) for name in CASES}, indent=2) + "\n")

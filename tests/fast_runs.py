"""A tiny run of mnist-fast, on which ways to compute a step are compared."""

from pathlib import Path

import torch

from ganvas.data import open_dataset
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import Recipe, change
from ganvas.training.engine import Engine
from ganvas.training.trainer import Trainer

# Of 16 pixels, where channels last matter; digits are enlarged.
CHANGES = {
    **{
        "data": "digits",
        "size": 16,
        "options.width": 4,
        "batch": 6,
        "images": 54,
        "report_every": 60,
        "checkpoint_every": 12,
    },
    # rates of runs of any length
    **{f"optimizers.{player}.constant": None for player in ("generator", "discriminator")},
}


def make_recipe(**changes: object) -> Recipe:
    return change(get_recipe("mnist-fast"), CHANGES | changes)


def make_trainer(folder: Path, recipe: Recipe) -> Trainer:
    assert recipe.data
    return Trainer(
        recipe, open_dataset(recipe.data, recipe.view), folder, Engine("cpu"), quiet=True
    )


def on_cuda(world: int = 1) -> Engine:
    """An engine that says that it has a GPU; nothing may be computed with it."""
    engine = Engine("cpu")
    engine.device, engine.world = torch.device("cuda"), world
    return engine


def state_tensors(trainer: Trainer) -> dict[str, torch.Tensor]:
    """All tensors of a run's state."""
    state = trainer.state
    assert state.ema
    found = {f"gan {name}": value for name, value in state.gan.state_dict().items()}
    found |= {f"average {name}": value for name, value in state.ema.state_dict().items()}
    for player, optimizer in state.optimizers.items():
        for number, moments in optimizer.state_dict()["state"].items():
            found |= {f"{player} {number} {name}": value for name, value in moments.items()}
    return found | {f"mean {name}": value for name, value in state.means.sums.items()}

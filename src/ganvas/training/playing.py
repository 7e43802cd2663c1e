"""The rounds of a run, one after another: everything that a round needs follows from the images
shown before it.
"""

from collections.abc import Callable

from torch import Tensor

from ganvas.data.loader import Loader
from ganvas.gans.base import Batch, Clock
from ganvas.recipes.recipe import Recipe
from ganvas.rng import Rng, fold_in
from ganvas.training.engine import Engine
from ganvas.training.state import TrainingState
from ganvas.training.step import Guard, StepContext, StepProbe, take_step

# such as `take_step`
TakeStep = Callable[[StepContext, Batch, Clock, Rng, StepProbe | None], dict[str, Tensor]]


class Playing:
    """Plays a run's next round each time it is called.

    Attributes:
        game: of this run.
        play: how a round is played; another may be set at any time.
    """

    def __init__(self, recipe: Recipe, state: TrainingState, batches: Loader, engine: Engine):
        self.recipe, self.state, self.batches = recipe, state, batches
        guard = Guard(state.optimizers, engine.device.type == "cuda", engine.device)
        self.game = StepContext(state.gan, state.optimizers, guard, engine)
        self.play: TakeStep = take_step

    def __call__(self, probe: StepProbe | None = None) -> dict[str, Tensor]:
        """Play one round and return its losses; nothing is read from the device.

        Raises:
            NotFiniteError: a loss is NaN or infinite (where the guard does not defer it).
        """
        recipe, state, engine = self.recipe, self.state, self.game.engine
        clock = state.clock
        engine.seed(fold_in(recipe.seed, "layers", clock.images, engine.rank))  # for dropout
        rng = engine.rng(recipe.seed, clock.images)
        for player, optimizer in state.optimizers.items():
            adam = recipe.optimizers[player]
            optimizer.param_groups[0] |= {
                "lr": adam.lr_at(clock.images, clock.total),
                "betas": adam.betas_at(clock.images),
            }
        values = self.play(self.game, self.batches.at(clock.images), clock, rng, probe)
        clock.advance()
        if state.ema:
            state.ema.update(clock.images, clock.batch)
        state.means.add(values)
        return values

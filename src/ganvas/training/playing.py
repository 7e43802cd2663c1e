"""The rounds of a run, one after another: everything that a round needs follows from the images shown before it."""

from collections.abc import Callable

from torch import Tensor

from ganvas.data.loader import Loader
from ganvas.gans.base import Batch, Clock
from ganvas.recipes.recipe import Recipe
from ganvas.rng import Draw, mix
from ganvas.runs.checkpoint import TrainingState
from ganvas.training.engine import Engine
from ganvas.training.step import Game, Guard, Watch, play_round

PlayRound = Callable[[Game, Batch, Clock, Draw, Watch | None], dict[str, Tensor]]  # such as `play_round`


class Playing:
    """Plays a run's next round each time it is called.

    Attributes:
        game: of this run.
        play: how a round is played; another may be set at any time.
    """

    def __init__(self, recipe: Recipe, state: TrainingState, batches: Loader, engine: Engine):
        self.recipe, self.state, self.batches = recipe, state, batches
        guard = Guard(state.optimizers, engine.device.type == "cuda", engine.device)
        self.game = Game(state.gan, state.optimizers, guard, engine)
        self.play: PlayRound = play_round

    def __call__(self, watch: Watch | None = None) -> dict[str, Tensor]:
        """Play one round and return its losses; nothing is read from the device.

        Raises:
            NotFiniteError: a loss is NaN or infinite (where the guard does not defer it).
        """
        recipe, state, engine = self.recipe, self.state, self.game.engine
        clock = state.clock
        engine.seed(mix(recipe.seed, "layers", clock.images, engine.rank))  # for dropout
        draw = engine.draw(recipe.seed, clock.images)
        for player, optimizer in state.optimizers.items():
            adam = recipe.optimizers[player]
            optimizer.param_groups[0] |= {"lr": adam.lr_at(clock.images, clock.total), "betas": adam.betas_at(clock.images)}
        values = self.play(self.game, self.batches.at(clock.images), clock, draw, watch)
        clock.advance()
        if state.average:
            state.average.update(clock.images, clock.batch)
        state.means.add(values)
        return values

"""Those who look on while a GAN trains: grids of samples, losses at rest, the doctor's checkups, a
score of quality.
"""

import copy
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ganvas.data.builtin.points import mode_discs
from ganvas.data.dataset import Dataset
from ganvas.data.loader import Loader, on_device
from ganvas.evaluation.quick import Yardstick, open_yardstick, quick_score
from ganvas.gans.base import GAN
from ganvas.inference.run import evaluation, preview_rows, training_grid
from ganvas.io.console import count_noun
from ganvas.io.files import find_leftovers, remove
from ganvas.io.grids import table
from ganvas.io.images import save, to_uint8
from ganvas.io.scatter import draw_sheet
from ganvas.recipes.recipe import Recipe
from ganvas.rng import fold_in
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.folder import GRID, grid_path
from ganvas.runs.log import Log
from ganvas.training.checkup import Checkup, StepProbe
from ganvas.training.engine import Engine
from ganvas.training.progress import Meter
from ganvas.training.state import TrainingState
from ganvas.training.step import measure_step

MEASURED_BATCHES = 10
SHOWN = 6  # rows of data in a sheet


class Monitor:
    """Looks at a run's state when something is due, and writes what it finds; it never changes what
    is trained.

    Attributes:
        best: score and images of the best evaluation so far; None: there was none.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        folder: Path,
        engine: Engine,
        state: TrainingState,
        batches: Loader,
        log: Log,
        meter: Meter,
    ):
        self.recipe, self.dataset, self.folder, self.engine = recipe, dataset, folder, engine
        self.state, self.batches, self.log, self.meter = state, batches, log, meter
        self.diagnosis = Diagnosis()
        self.best: tuple[float, int] | None = None
        self.checkup: Checkup | None = None  # these two are made when first needed
        self.yardstick: Yardstick | None = None

    def drop_grids(self) -> None:
        """Remove the grids that a killed process wrote after the checkpoint from which the run goes
        on; they will be made again.

        Only those that the log names, before it is cut, and unfinished ones. Other pictures are the
        user's, and so is what lies behind a link.
        """
        samples = self.folder / "samples"
        if samples.is_symlink():
            return
        for leftover in find_leftovers(samples, GRID):
            remove(leftover)
        for entry in self.log.entries():
            grid = grid_path(self.folder, entry["images"])
            beyond = entry["kind"] == "samples" and entry["images"] > self.state.clock.images
            if beyond and grid.is_file() and not grid.is_symlink():
                remove(grid)

    def take_up(self) -> None:
        """Learn from the log what was seen before this process."""
        entries = self.log.entries()
        self.diagnosis = Diagnosis(entry for entry in entries if entry["kind"] == "health")
        scores = [
            (entry["distance"], entry["images"])
            for entry in entries
            if entry["kind"] == "evaluated"
        ]
        self.best = min(scores, default=None)

    @property
    def sampler(self) -> GAN:
        """The GAN whose samples count: the moving average, or the one that trains."""
        return self.state.ema.gan if self.state.ema else self.state.gan

    def probe(self) -> StepProbe | None:
        """What is to watch the coming round, if a checkup follows it."""
        due = self.engine.is_main and self.state.clock.coming(self.recipe.period("health_every"))
        return StepProbe(self.state.gan.decision_threshold) if due else None

    def check_health(self, probe: StepProbe) -> None:
        """Look at the GAN after a round that was watched, log what is found, and tell what has
        begun or is over.
        """
        state, images = self.state, self.state.clock.images
        if self.checkup is None:
            self.checkup = Checkup(
                self.recipe, state.gan, self.dataset, self.batches, self.engine.device
            )
        measured, state.seen = self.checkup.measure(state.gan, self.sampler, state.seen)
        measured = probe.read() | measured
        self.log.add(images, "health", measured)
        for change in self.diagnosis.add({"images": images} | measured):
            self.log.add(images, "condition", change.entry())
            self.meter.say(change.line())
        self.meter.note = "; ".join(finding.title for finding in self.diagnosis.active.values())

    def measure(self) -> None:
        """Both losses in evaluation mode over a few batches, nobody moving; every process must call
        it.

        Of a copy, since a round also changes what a GAN remembers: pools of pictures, how often it
            augments.
        """
        clock, engine, found = self.state.clock, self.engine, []
        gan = copy.deepcopy(self.state.gan)
        with evaluation(gan):
            for number in range(MEASURED_BATCHES):
                position = clock.images + number * clock.batch
                rng = engine.rng(fold_in(self.recipe.seed, "measure"), position)
                with engine.autocast():
                    found.append(measure_step(gan, self.batches.at(position), clock, rng))
        means = {
            player: engine.mean(torch.stack([values[player] for values in found]).mean())
            for player in found[0]
        }
        if engine.is_main:
            self.log.add(
                clock.images, "measured", {player: value.item() for player, value in means.items()}
            )

    def evaluate(self) -> bool:
        """Score the samples, and tell whether they are the best so far; every process must call it.

        Raises:
            UserError: the samples hold NaN.
        """
        better = False
        if self.engine.is_main:
            images, yardstick = self.state.clock.images, self.prepared_yardstick()
            score = quick_score(
                self.sampler, yardstick, self.engine.device, self.recipe.evaluate_count
            )
            better = self.best is None or score < self.best[0]
            if better:
                self.best = score, images
            features = yardstick.extractor.protocol["extractor"]
            self.log.add(
                images,
                "evaluated",
                {"distance": score, "features": features, "count": self.recipe.evaluate_count},
            )
            self.meter.say(
                f"evaluated: {features} distance {score:.4g}{', the best so far' if better else ''}"
            )
        return self.engine.any(better)

    def prepared_yardstick(self) -> Yardstick:
        """The yardstick, made when it is first needed."""
        if self.yardstick is None:
            self.yardstick = open_yardstick(
                self.recipe, self.engine.device, target=self.state.gan.target
            )
        return self.yardstick

    @cached_property
    def shown_rows(self) -> dict[str, Tensor]:
        """A few rows of data, always the same: unseen ones, if there are any."""
        rows = self.batches.unseen(self.recipe.test_view, SHOWN) or self.batches.seen(SHOWN)
        return on_device(rows, self.engine.device)

    def show_samples(self) -> None:
        """Write the grid of samples; of a GAN that is not free, what it makes of a few rows that it
        does not train on.
        """
        clock, device = self.state.clock, self.engine.device
        caption = f"round {clock.steps:,}, {count_noun(clock.images, 'image')}"
        if self.sampler.unconditional:
            pictures, columns, names = training_grid(self.sampler, self.recipe.seed, device)
            grid = draw_sheet(
                to_uint8(pictures), columns, names, caption, mode_discs(self.dataset.report.spec)
            )
        else:
            grid = table(
                preview_rows(self.sampler, self.shown_rows, device, self.recipe.seed),
                caption=caption,
            )
        self.log.add(clock.images, "samples", {})  # first, so that no grid is ever without an entry
        save(grid, grid_path(self.folder, clock.images))

"""What looks on while a GAN trains: sample grids, losses at rest, checkups, a quick score."""

import copy
from functools import cached_property

import torch
from PIL.Image import Image
from torch import Tensor

from ganvas.data.builtin.points import mode_discs
from ganvas.data.loader import Loader, on_device
from ganvas.evaluation.quick import QuickReference, prepare_quick_score, quick_score
from ganvas.gans.base import GAN
from ganvas.inference.sampling import evaluation, preview_rows, training_grid
from ganvas.io.console import count_noun
from ganvas.io.files import find_leftovers, remove
from ganvas.io.grids import make_table
from ganvas.io.images import save, to_uint8
from ganvas.io.planes import show_planes
from ganvas.io.scatter import draw_sheet
from ganvas.rng import fold_in
from ganvas.runs.diagnosis import Diagnosis, schedule_of
from ganvas.runs.folder import GRID, grid_path
from ganvas.runs.verdict import HEALTHY
from ganvas.training.checkup import Checkup
from ganvas.training.live_page import LivePage
from ganvas.training.probe import StepProbe
from ganvas.training.progress import Meter
from ganvas.training.state import RunContext, TrainingState
from ganvas.training.step import measure_step

__all__ = ["Monitor"]

MEASURED_BATCHES = 10  # of which losses at rest are the mean
SHOWN = 6  # rows of data in a sheet


class Monitor:
    """Looks at a run when something is due and writes what it finds; it changes nothing.

    Attributes:
        best: score and images of the best evaluation so far; None: there was none.
        page: `summary.html`, while the run trains.
    """

    def __init__(self, context: RunContext, state: TrainingState, loader: Loader, meter: Meter):
        self.context = context
        self.state = state
        self.loader = loader
        self.meter = meter
        self.diagnosis = Diagnosis(schedule=schedule_of(context.recipe))
        self.page = LivePage(context.folder)
        self.best: tuple[float, int] | None = None
        # Both are made when first needed: they take seconds, and memory.
        self.checkup: Checkup | None = None
        self.reference: QuickReference | None = None

    @property
    def sampler(self) -> GAN:
        """The GAN whose samples count: with averaged weights, or the one that trains."""
        return self.state.ema.gan if self.state.ema else self.state.gan

    # When a run is resumed

    def drop_grids(self) -> None:
        """Remove grids that a killed process wrote after the checkpoint from which it resumes.

        Only those that the log names, before it is cut, and unfinished ones. Other images are the
        user's, and so is what lies behind a link.
        """
        context = self.context
        samples = context.folder / "samples"
        if samples.is_symlink():
            return

        for leftover in find_leftovers(samples, GRID):
            remove(leftover)
        for entry in context.log.entries():
            grid = grid_path(context.folder, entry["images"])
            beyond = entry["kind"] == "samples" and entry["images"] > self.state.clock.images
            if beyond and grid.is_file() and not grid.is_symlink():
                remove(grid)

    def resume(self) -> None:
        """Take up from the log what was seen before this process began."""
        entries = self.context.log.entries()
        checkups = [entry for entry in entries if entry["kind"] == "health"]
        self.diagnosis = Diagnosis(checkups, schedule_of(self.context.recipe))
        evaluated = [entry for entry in entries if entry["kind"] == "evaluated"]
        scores = [(entry["distance"], entry["images"]) for entry in evaluated]
        self.best = min(scores, default=None)

    # The doctor

    def make_probe(self) -> StepProbe | None:
        """What watches the coming step, if a checkup follows it."""
        period = self.context.recipe.period("health_every")
        due = self.context.engine.is_main and self.state.clock.coming(period)
        return StepProbe(self.state.gan.decision_threshold) if due else None

    def check_health(self, probe: StepProbe | None) -> None:
        """Look at the GAN after a step that was watched; log findings, print what began or ended.

        Args:
            probe: of the last step; None: this process does not watch.
        """
        if probe is None:
            return
        context, state = self.context, self.state
        images = state.clock.images
        if self.checkup is None:
            device = context.engine.device
            self.checkup = Checkup(context.recipe, state.gan, context.dataset, self.loader, device)

        # The features are kept for the next checkup, and saved, so that a resumed run sees the same
        # change.
        measured, state.seen = self.checkup.measure(state.gan, self.sampler, state.seen)
        measured = probe.read() | measured
        changes = self.diagnosis.add({"images": images} | measured)
        state = self.diagnosis.verdict.state
        context.log.add(images, "health", measured | {"state": state})

        for change in changes:
            context.log.add(images, "condition", change.entry())
            self.meter.say(change.line())
        titles = [finding.title for finding in self.diagnosis.active.values()]
        self.meter.note = "; ".join(titles or ([] if state == HEALTHY else [state]))

    # Losses at rest

    def measure_losses(self) -> None:
        """Log each player's loss in evaluation mode over a few batches, without any update.

        Every process must call it. It works on a copy, since a step also changes what a GAN
        remembers: pools of images, how often it augments.
        """
        context, clock = self.context, self.state.clock
        engine = context.engine
        gan = copy.deepcopy(self.state.gan)

        found = []
        with evaluation(gan):
            # The coming batches; training gets them all the same, since it reads by position.
            # Gradients stay enabled: a loss may contain gradients with respect to images.
            for number in range(MEASURED_BATCHES):
                position = clock.images + number * clock.batch
                batch = self.loader.at(position)
                rng = engine.rng(fold_in(context.recipe.seed, "measure"), position)
                with engine.autocast():
                    found.append(measure_step(gan, batch, clock, rng))

        means = {}
        for player in found[0]:
            # Every process has the players in the same order, so their sums meet.
            own = torch.stack([values[player] for values in found]).mean()
            means[player] = engine.mean(own).item()
        if engine.is_main:
            context.log.add(clock.images, "measured", means)

    # A quick score

    def evaluate(self) -> bool:
        """Score the samples; whether they are the best so far. Every process must call it.

        Raises:
            UserError: the samples hold NaN.
        """
        context = self.context
        # Only the main process scores, but all must know: saving a checkpoint needs them all.
        better = context.engine.is_main and self._score_samples()
        return context.engine.any(better)

    def _score_samples(self) -> bool:
        recipe, images = self.context.recipe, self.state.clock.images
        reference = self.prepare_score()
        device = self.context.engine.device
        score = quick_score(self.sampler, reference, device, recipe.evaluate_count)

        # A distance: lower is better. Of equal scores the earlier checkpoint stays the best.
        better = self.best is None or score < self.best[0]
        if better:
            self.best = score, images
        features = reference.extractor.protocol["extractor"]
        entry = {"distance": score, "features": features, "count": recipe.evaluate_count}
        self.context.log.add(images, "evaluated", entry)
        remark = ", the best so far" if better else ""
        self.meter.say(f"evaluated: {features} distance {score:.4g}{remark}")
        return better

    def prepare_score(self) -> QuickReference:
        """What samples are compared with, made when it is first needed.

        Raises:
            UserError: what it needs is missing, such as weights of a network.
        """
        if self.reference is None:
            context, target = self.context, self.state.gan.target
            self.reference = prepare_quick_score(
                context.recipe, context.engine.device, target=target
            )
        return self.reference

    # Samples

    @cached_property
    def shown_rows(self) -> dict[str, Tensor]:
        """A few rows of data, always the same: unseen ones, if there are any."""
        view = self.context.recipe.test_view
        rows = self.loader.unseen(view, SHOWN) or self.loader.seen(SHOWN)
        return on_device(rows, self.context.engine.device)

    def draw_samples(self) -> Image:
        """Draw the grid of samples; nothing is written.

        A GAN that is not unconditional shows what it generates from rows that it does not train on.
        """
        context, clock = self.context, self.state.clock
        device, seed = context.engine.device, context.recipe.seed
        caption = f"step {clock.steps:,}, {count_noun(clock.images, 'image')}"
        if not self.sampler.unconditional:
            rows = preview_rows(self.sampler, self.shown_rows, device, seed)
            return make_table(rows, caption=caption)

        images, columns, names = training_grid(self.sampler, seed, device)
        discs = mode_discs(context.dataset.report.spec)
        shown = show_planes(to_uint8(images), *self.sampler.schema.planes(self.sampler.target))
        return draw_sheet(shown, columns, names, caption, discs)

    def show_samples(self) -> None:
        """Write the grid of samples, and the page that shows it, in the main process."""
        context, clock = self.context, self.state.clock
        if not context.engine.is_main:
            return

        grid = self.draw_samples()
        # The entry comes first, so that no grid is ever without one.
        context.log.add(clock.images, "samples", {})
        save(grid, grid_path(context.folder, clock.images))
        # The last page shows how the run ended; it is written after the loop.
        if not clock.finished:
            self.page.refresh()

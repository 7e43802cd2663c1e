"""The loop: from a recipe to a run folder."""

import json
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganvas.data import Dataset, open_dataset
from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.inference.run import Run, load
from ganvas.io.console import count_noun
from ganvas.io.files import write_json
from ganvas.recipes.recipe import Recipe
from ganvas.runs.checkpoint import find_checkpoints
from ganvas.runs.diagnosis import diverged
from ganvas.runs.folder import check_same, read_recipe, write_description
from ganvas.runs.log import Log
from ganvas.runs.summary import write_report
from ganvas.training.checkup import features_shape
from ganvas.training.engine import Engine
from ganvas.training.guard import NotFiniteError
from ganvas.training.monitor import Monitor
from ganvas.training.probe import StepProbe
from ganvas.training.progress import Meter, announce_run
from ganvas.training.setup import (
    DEFAULT,
    claim_folder,
    rehearse,
    resolve_recipe,
    set_epochs,
    start_state,
)
from ganvas.training.signals import InterruptedRun, StopSignals
from ganvas.training.speed.autotune import (
    FILE,
    ExecutionPlan,
    apply_plan,
    choose_plan,
    read_plan,
)
from ganvas.training.state import RunContext, resume_checkpoint, save_checkpoint
from ganvas.training.step import TrainingStep

__all__ = ["Trainer", "train"]


def train(
    recipe: str | Recipe | None = None,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    images: int | None = None,
    epochs: float | None = None,
    seed: int | None = None,
    device: str = "auto",
    settings: Mapping[str, Any] | None = None,
    strict: bool = False,
    quiet: bool = False,
) -> Run:
    """Train a GAN, or resume a run that was stopped.

    Args:
        recipe: a recipe or its name; None is the run folder's own, or "digits".
        data: what to train on, if not the recipe's own data: a name, a folder or a zip.
        out: the run folder; None is a fresh one under `runs/`. An existing run is resumed.
        images: length of the whole run, in images shown.
        epochs: length of the whole run, in passes through the data.
        seed: random seed.
        device: "auto", "cpu", "cuda" or "mps".
        settings: other changes of the recipe, e.g. {"batch": 64, "options.width": 32}.
        strict: whether a broken image file is an error.
        quiet: whether to print nothing.

    Returns:
        The trained run, ready to `sample`.

    Raises:
        UserError: something given is wrong or something is missing; nothing was lost.
        InterruptedRun: by Ctrl-C or SIGTERM; everything is saved, and the same call resumes.
    """
    if images is not None and epochs is not None:
        raise UserError("images and epochs both set the length of the run; give one of them")
    given = {"data": None if data is None else str(data), "images": images, "seed": seed}
    changes = {key: value for key, value in given.items() if value is not None}
    changes |= dict(settings or {})

    name = recipe.name if isinstance(recipe, Recipe) else recipe or DEFAULT
    with Engine(device) as engine, claim_folder(out, name, engine) as folder:
        own = read_recipe(folder)
        with engine.main_first():
            progress = engine.is_main and not quiet
            resolved = resolve_recipe(recipe, changes, own, engine.device, progress)
            assert resolved.data is not None
            dataset = open_dataset(resolved.data, resolved.view, strict=strict, progress=progress)

        if not engine.agree(json.dumps(resolved.model_dump())):
            raise UserError(
                "the processes chose different settings: name a recipe instead of auto, "
                "or use equal machines"
            )
        if not engine.agree(dataset.fingerprint):
            raise UserError(
                f"--data {resolved.data} is not the same for all processes: copy it to every "
                "machine"
            )

        resolved = set_epochs(resolved, epochs, dataset)
        if own:
            check_same(folder, own, resolved, dataset)
        Trainer(resolved, dataset, folder, engine, quiet).run()
        engine.wait()
    return load(folder)


class Trainer:
    """One run on one process: everything that the loop touches.

    Args:
        recipe: what to train.
        dataset: what to train on.
        folder: the run folder, which exists.
        engine: started.
        quiet: whether to print nothing.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, folder: Path, engine: Engine, quiet: bool):
        engine = engine.with_precision(recipe.precision)
        log = Log(folder / "log.jsonl")
        self.context = RunContext(recipe, dataset, folder, engine, log)

        self.state = start_state(recipe, dataset, engine)
        self.loader = Loader(dataset, recipe.sampling, engine.placement)
        self.training_step = TrainingStep(recipe, self.state, self.loader, engine)

        shown = engine.is_main and not quiet
        players = list(recipe.optimizers)
        self.meter = Meter(self.state.clock, len(self.loader.shown), players, shown)
        self.monitor = Monitor(self.context, self.state, self.loader, self.meter)
        self.probe: StepProbe | None = None  # of the last step, if a checkup follows it
        self.saved: int | None = None  # images shown at this process's last checkpoint
        self.signals = StopSignals()

    def run(self) -> None:
        """Resume or begin, train to the end, and write the report.

        Raises:
            InterruptedRun: by a signal; everything is saved.
            NotFiniteError: a loss is NaN or infinite; the last checkpoint is good.
        """
        clock, state = self.state.clock, self.state
        resumed = self.resume_or_start()
        self.autotune()
        self.begin_monitoring(resumed)
        events = self.list_events()

        with self.reported(), self.meter, self.signals:
            while not clock.finished and not state.stopped:
                # ---------------------------------------------------------------------------------
                # The training step: a batch, the GAN's `step`, each update that it yields.
                losses = self.step()
                # ---------------------------------------------------------------------------------

                for period, act in events:
                    if clock.due(period):
                        act(losses)
                self.meter.update()
                self.stop_if_asked()

        ending = state.stopped or "done"
        images = count_noun(clock.images, "image")
        self.meter.say(f"{ending}: {images}; see {self.context.folder / 'summary.html'}")

    def list_events(self) -> list[tuple[int, Callable[[Mapping[str, Tensor]], None]]]:
        """What happens after a step, in this order, when its period in images has passed.

        Each is called with the losses of that step.
        """
        recipe = self.context.recipe
        events = [
            (recipe.period("report_every"), self.report),
            (recipe.measure_every, lambda _: self.monitor.measure_losses()),
            (recipe.period("health_every"), lambda _: self.monitor.check_health(self.probe)),
            (recipe.period("sample_every"), lambda _: self.monitor.show_samples()),
            (recipe.evaluate_every, lambda _: self.evaluate()),
            (recipe.period("checkpoint_every"), lambda _: self.save()),
        ]
        return [(period, act) for period, act in events if period]

    def step(self) -> dict[str, Tensor]:
        """Take one training step and return its losses; nothing is read from the device."""
        self.probe = self.monitor.make_probe()
        try:
            return self.training_step(self.probe)
        except NotFiniteError as error:
            raise self.explain(error) from None

    # Before the loop

    def resume_or_start(self) -> bool:
        """Bring the state to the newest checkpoint if there is one, and prepare the run folder.

        Returns:
            Whether there was one.

        Raises:
            UserError: the run has its length already, or its checkpoint does not fit.
        """
        context, clock = self.context, self.state.clock
        folder, engine = context.folder, context.engine
        seen = features_shape(self.state.gan, self.loader)
        resumed = resume_checkpoint(folder / "checkpoints", self.state, seen) is not None

        if clock.images - clock.batch >= clock.total:
            shown = count_noun(clock.images, "image")
            raise UserError(f"{folder} is already trained on {shown}; ask for more than that")
        engine.wait()  # nobody writes while another process still reads
        if not engine.agree(str(clock.images)):
            raise UserError(
                f"the processes do not see the same checkpoints in {folder}: "
                "put it where all machines reach it"
            )

        announce_run(context, self.state, self.loader, self.meter, resumed)
        if engine.is_main:
            if not resumed:
                rehearse(context, self.state)
            write_description(folder, context.recipe, context.dataset)
            self.monitor.drop_grids()
            context.log.cut(clock.images)
        return resumed

    def autotune(self) -> None:
        """Take steps in the way that is fastest here, print which it is, and record it."""
        context = self.context
        plan = self.apply_own_plan()
        self.meter.say(plan.line())
        if context.engine.is_main and plan != read_plan(context.folder):
            write_json(context.folder / FILE, plan.model_dump())
            entry = plan.model_dump(exclude_defaults=True)
            context.log.add(self.state.clock.images, "autotuned", entry)

    def apply_own_plan(self) -> ExecutionPlan:
        """Choose how steps are taken, the same in every process, and take them so from now on."""
        engine = self.context.engine
        chosen = ""
        if engine.is_main:
            chosen = choose_plan(self.context, self.state, self.loader).model_dump_json()
        plan = ExecutionPlan.model_validate_json(engine.share(chosen))
        apply_plan(plan.parts, self.training_step, self.meter.say)
        return plan

    def begin_monitoring(self, resumed: bool) -> None:
        """Take up what the log holds, and show the first samples of a new run."""
        if self.context.engine.is_main:
            self.monitor.resume()
            self.log_stop(self.state.stopped)
            if self.context.recipe.evaluate_every:
                # Whatever it needs is missed now, not after hours.
                self.monitor.prepare_score()
            if not resumed:
                self.monitor.show_samples()
        self.meter.restart()

    # In the loop

    def report(self, losses: Mapping[str, Tensor]) -> None:
        """Read the mean losses since the last report and log them; end the run if they are low."""
        context, clock, means = self.context, self.state.clock, self.state.means
        self.stop_early(losses)
        self.stop_if_tripped()

        values = means.read(context.engine)
        means.reset()
        self.meter.report(values)
        if context.engine.is_main:
            context.log.add(clock.images, "losses", values)
            rate = {"images_per_second": round(self.meter.rate, 3)}
            context.log.add(clock.images, "speed", rate)
        self.log_stop(self.state.stopped)

    def stop_early(self, losses: Mapping[str, Tensor]) -> None:
        """End the run if the losses of this very step are as low as its recipe asks for."""
        limits = self.context.recipe.stop_below
        if not limits or not limits.keys() <= losses.keys():  # a player may rest for some steps
            return

        own = torch.stack([losses[name] for name in limits])
        means = dict(zip(limits, self.context.engine.mean(own).tolist()))
        if all(means[name] <= limit for name, limit in limits.items()):
            reached = [f"{name} {means[name]:.3f} <= {limit:g}" for name, limit in limits.items()]
            self.state.stopped = ", ".join(reached)

    def evaluate(self) -> None:
        """Score the samples, and keep a checkpoint of the best."""
        if self.monitor.evaluate():
            self.save()

    def save(self) -> None:
        """Write a checkpoint, unless there is one of this very moment."""
        context, images = self.context, self.state.clock.images
        if self.saved == images:
            return

        self.stop_if_tripped()
        means = self.state.means.state(context.engine)
        if context.engine.is_main:
            best = self.monitor.best[1] if self.monitor.best else None
            place = context.folder / "checkpoints"
            save_checkpoint(place, self.state, means, context.recipe, context.dataset, best)
        self.saved = images

    def stop_if_asked(self) -> None:
        """Save when the run ends early, and leave the loop when a signal has come.

        Raises:
            InterruptedRun: a signal has come before the end of the run.
        """
        clock = self.state.clock
        interrupted = self.context.engine.any(bool(self.signals.number))
        if interrupted or self.state.stopped:
            self.save()
        if interrupted and not clock.finished:
            total = count_noun(clock.total, "image")
            command = f"ganvas train --out {shlex.quote(str(self.context.folder))}"
            raise InterruptedRun(
                f"stopped at {clock.images:,} of {total}, everything is saved; "
                f"to resume: {command}",
                self.signals.number or signal.SIGTERM,
            )

    # Endings

    def log_stop(self, reason: str) -> None:
        """Note in the log why the run ends before its length, if it does."""
        if reason and self.context.engine.is_main:
            self.context.log.add(self.state.clock.images, "stopped", {"reason": reason})

    def stop_if_tripped(self) -> None:
        """Raise if a loss since the last call was not finite, where only a flag was set."""
        try:
            self.training_step.context.guard.stop_if_tripped()
        except NotFiniteError as error:
            raise self.explain(error) from None

    def explain(self, error: NotFiniteError) -> NotFiniteError:
        """The error with the place in the run and what to do."""
        found = find_checkpoints(self.context.folder / "checkpoints")
        good = f"the last good checkpoint is {found[-1]}" if found else "there is no checkpoint yet"
        after = f"after {count_noun(self.state.clock.images, 'image')}"
        advice = "try a lower learning rate, e.g. --set optimizers.discriminator.lr=1e-4"
        return NotFiniteError(f"{error} {after}; {good}; {advice}")

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Log a loss that is not finite, and write the report however the loop ends."""
        context, clock = self.context, self.state.clock
        try:
            yield
        except NotFiniteError as error:
            self.log_stop(str(error))
            if context.engine.is_main:
                entry = diverged(clock.images, str(error)).entry()
                context.log.add(clock.images, "condition", entry)
            raise
        finally:
            if context.engine.is_main:
                # If something failed before, that error is the one to show.
                with suppress(UserError) if sys.exception() else nullcontext():
                    write_report(context.folder)

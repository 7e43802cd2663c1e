"""The loop: from a recipe to a run folder."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from ganvas.data import Dataset
from ganvas.data.loader import Loader
from ganvas.errors import UserError
from ganvas.inference.run import Run, load
from ganvas.io.console import count_noun
from ganvas.io.files import write_json
from ganvas.loggers.find import find_loggers
from ganvas.loggers.live import LiveLoggers
from ganvas.loggers.logger import Logger
from ganvas.recipes.recipe import Recipe
from ganvas.runs.folder import FolderWatch, write_description
from ganvas.runs.log import Log
from ganvas.runs.places import find_place, refuse_named
from ganvas.training.beginning import ORIGIN_FILE, Beginning, begin_with
from ganvas.training.budget import make_budget
from ganvas.training.checkup import features_shape
from ganvas.training.ending import (
    describe_end,
    describe_low_losses,
    interrupt,
    log_stop,
    report_at_end,
)
from ganvas.training.engine import Engine
from ganvas.training.fitting import fit_run
from ganvas.training.monitor import Monitor
from ganvas.training.notebook import choose_meter
from ganvas.training.probe import StepProbe
from ganvas.training.progress import announce_run
from ganvas.training.request import Request
from ganvas.training.setup import claim_folder, prepare, rehearse, start_state
from ganvas.training.signals import StopSignals
from ganvas.training.speed.autotune import (
    FILE,
    ExecutionPlan,
    apply_plan,
    describe_threads,
    read_plan,
    share_plan,
)
from ganvas.training.state import RunContext, resume_checkpoint, save_checkpoint
from ganvas.training.step import TrainingStep
from ganvas.training.stop_file import StopFile
from ganvas.training.unused import mention_unused

__all__ = ["Trainer", "train"]


def train(
    recipe: str | Recipe | None = None,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    from_: str | Path | None = None,
    images: int | None = None,
    epochs: float | None = None,
    minutes: float | None = None,
    until: str | None = None,
    seed: int | None = None,
    device: str = "auto",
    settings: Mapping[str, Any] | None = None,
    strict: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    log_to: Sequence[str] = (),
) -> Run:
    """Train a GAN, or resume a run that was stopped.

    Args:
        recipe: a recipe or its name; None is the run folder's own, that of `from_`, or "digits".
        data: what to train on, if not the recipe's own data: a name, a folder or a zip.
        out: the run folder; None is a fresh one under `runs/`. An existing run is resumed.
        from_: a run or checkpoint whose weights a new run begins with, as far as they fit.
        images: length of the whole run, in images shown.
        epochs: length of the whole run, in passes through the data.
        minutes: time that a new run may take on this machine; its length is chosen to fit.
        until: end of a new run instead, HH:MM of local time.
        seed: random seed.
        device: "auto", "cpu", "cuda" or "mps".
        settings: other changes of the recipe, e.g. {"batch": 64, "options.width": 32}.
        strict: whether a broken image file is an error.
        quiet: whether to print nothing.
        verbose: whether to print the reason of every setting that was chosen.
        log_to: names of loggers that get what the run logs.

    Returns:
        The trained run, ready to `sample`.

    Raises:
        UserError: something given is wrong or something is missing; nothing was lost.
        InterruptedRun: by Ctrl-C, SIGTERM, a closed terminal, or a file named stop in the run
            folder; everything is saved, and the same call resumes.
    """
    given = {"data": None if data is None else str(data), "images": images, "seed": seed}
    changes = {key: value for key, value in given.items() if value is not None}
    budget = make_budget(minutes, until, datetime.now())
    if out:
        refuse_named(out)
    place = None if from_ is None else find_place(from_).folder
    request = Request(recipe, changes | dict(settings or {}), epochs, strict, budget, place)
    loggers = find_loggers(log_to)  # what is misspelt or not installed is said before all else

    # A folder that is named needs no name, and a run in it does not need the other run any more.
    name = "" if out else request.name
    with Engine(device) as engine, claim_folder(out, name, engine) as folder:
        # The folder is locked before the data is opened: packing may take hours, and a second
        # training must be refused before that.
        found = prepare(request, folder, engine, progress=engine.is_main and not quiet)
        found, dataset = fit_run(request, found, folder, engine)
        Trainer(found, dataset, folder, engine, quiet, verbose).run(loggers)
        # Every process loads the run below; the main one may still be writing it.
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
        verbose: whether to print the reasons of all settings.
    """

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        folder: Path,
        engine: Engine,
        quiet: bool,
        verbose: bool = False,
    ):
        # Only now: the recipe knows the precision, and `auto` chose it for the engine's device.
        engine = engine.with_precision(recipe.precision)
        log = Log(folder / "log.jsonl")
        self.state = start_state(recipe, dataset, engine)
        dataset = mention_unused(dataset, self.state.gan, recipe.gan)
        self.context = RunContext(recipe, dataset, folder, engine, log)
        self.loader = Loader(dataset, recipe.sampling, engine.placement)
        self.training_step = TrainingStep(recipe, self.state, self.loader, engine)

        shown = engine.is_main and not quiet
        players = list(recipe.optimizers)
        lines = recipe.log == "lines"
        self.verbose = verbose
        meter = choose_meter(folder)  # another one in a notebook
        self.meter = meter(self.state.clock, len(self.loader.shown), players, shown, lines)
        self.monitor = Monitor(self.context, self.state, self.loader, self.meter)
        self.watch = FolderWatch(folder)
        self.probe: StepProbe | None = None  # of the last step, if a checkup follows it
        self.saved: int | None = None  # images shown at this process's last checkpoint
        self.signals = StopSignals(self.meter.announce_stop)
        self.stop_file = StopFile(folder, self.meter.announce_stop)

    def run(self, loggers: Mapping[str, Logger] | None = None) -> None:
        """Resume or begin, train to the end, and write the report.

        Args:
            loggers: by name; the main process gives them what it logs.

        Raises:
            InterruptedRun: by a signal or the stop file; everything is saved.
            NotFiniteError: a loss is NaN or infinite; the last checkpoint is good.
        """
        clock, state = self.state.clock, self.state

        # The plan comes after the weights: moments from a checkpoint have the usual layout, and
        # fused Adam needs them in that of the weights.
        resumed = self.resume_or_start()
        had_its_length = clock.finished
        self.autotune(resumed)
        self.begin_monitoring(resumed)
        context = self.context
        served = loggers if loggers and context.engine.is_main else {}
        live = LiveLoggers(served, context.folder, context.recipe, self.meter.say)
        events = self.list_events(live)
        self.watch.begin()

        # They end in reverse: the usual signal handlers are back before the report is written, so
        # Ctrl-C can end a report that takes long, or loggers that do.
        with live, report_at_end(context, state), self.meter, self.signals:
            while not clock.finished and not state.stopped:
                # ---------------------------------------------------------------------------------
                # The single training step: a batch, the GAN's `step`, and one gradient step of one
                # player for each update that it yields. After it the clock stands at the new count
                # of images; the losses are still on the device.
                losses = self.step()
                # ---------------------------------------------------------------------------------

                # What looks on or writes; none of it changes what the next step computes.
                for period, act in events:
                    if clock.due(period):
                        self.watch.check()
                        act(losses)
                self.meter.update()
                self.stop_if_asked()

        self.meter.say(describe_end(context, state, had_its_length))

    def list_events(
        self, live: LiveLoggers
    ) -> list[tuple[int, Callable[[Mapping[str, Tensor]], None]]]:
        """What happens after a step, in this order, when its period in images has passed.

        Each is called with the losses of that step.

        Args:
            live: the loggers of the run; what they have to say is printed now and then.
        """
        # The report comes before the checkpoint: it empties the means, and a run that resumes from
        # here must not log the same losses again. So does the checkup, whose features are saved.
        recipe = self.context.recipe
        events = [
            (recipe.period("report_every"), self.report),
            (recipe.measure_every, lambda _: self.monitor.measure_losses()),
            (recipe.period("health_every"), lambda _: self.monitor.check_health(self.probe)),
            (recipe.period("sample_every"), lambda _: self.monitor.show_samples()),
            (recipe.evaluate_every, lambda _: self.evaluate()),
            (recipe.period("checkpoint_every"), lambda _: self.save()),
            (recipe.period("report_every"), lambda _: live.report()),
        ]
        return [(period, act) for period, act in events if period]  # None: never

    def step(self) -> dict[str, Tensor]:
        """Take one training step and return its losses; nothing is read from the device."""
        self.probe = self.monitor.make_probe()
        return self.training_step(self.probe)

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
        beginning = None if resumed else self.take_origin()

        # A run passes its length by less than a batch; only beyond that is it longer than asked.
        if clock.images - clock.batch >= clock.total:
            shown = count_noun(clock.images, "image")
            longer = 2 * clock.images
            raise UserError(
                f"{folder} is already trained on {shown}; ask for more, e.g. --images {longer}"
            )
        engine.wait()  # nobody writes while another process still reads
        # From another checkpoint a process would average gradients of other weights into these.
        if not engine.agree(str(clock.images)):
            raise UserError(
                f"the processes do not see the same checkpoints in {folder}: "
                "put it where all machines reach it"
            )

        announce_run(context, self.state, self.loader, self.meter, resumed, self.verbose)
        for line in beginning.describe() if beginning else []:
            self.meter.say(line)
        if engine.is_main:
            if not resumed:
                rehearse(context, self.state)
            # After the rehearsal: a folder whose GAN cannot be trained must not become a run.
            write_description(folder, context.recipe, context.dataset)
            if beginning:
                write_json(folder / ORIGIN_FILE, beginning.record())
            # Grids first: the log names those to be dropped, until it is cut.
            self.monitor.drop_grids()
            # Before its first checkpoint a run begins anew, and logs all of it again.
            context.log.cut(clock.images if resumed else -1)
        return resumed

    def take_origin(self) -> Beginning | None:
        """Take the weights of the run that this one begins with, if it does; say which fit."""
        origin = self.context.recipe.origin
        return begin_with(self.state, origin) if origin else None

    def autotune(self, resumed: bool) -> None:
        """Take steps in the way that is fastest here, print which it is, and record it."""
        context = self.context
        plan = self.apply_own_plan()
        self.meter.say(plan.line())
        if not context.engine.is_main:
            return
        record = read_plan(context.folder)
        if warning := describe_threads(record, plan):
            self.meter.say(warning)
        if plan != record or not resumed:
            write_json(context.folder / FILE, plan.model_dump())
            # The log is the same whatever the number of threads.
            entry = plan.model_dump(exclude_defaults=True, exclude={"threads"})
            context.log.add(self.state.clock.images, "autotuned", entry)

    def apply_own_plan(self) -> ExecutionPlan:
        """Choose how steps are taken, the same in every process, and take them so from now on."""
        plan = share_plan(self.context, self.state, self.loader)
        apply_plan(plan.parts, self.training_step, self.meter.say)
        return plan

    def begin_monitoring(self, resumed: bool) -> None:
        """Take up what the log holds, show the first samples of a new run, and write its page."""
        if self.context.engine.is_main:
            self.monitor.resume()
            log_stop(self.context, self.state.clock.images, self.state.stopped)
            if self.context.recipe.evaluate_every:
                # Whatever it needs is missed now, not after hours.
                self.monitor.prepare_score()
            if not resumed:
                self.monitor.show_samples()
            if not self.state.clock.finished:
                self.monitor.page.refresh()
                self.meter.say(f"watch: open {self.monitor.page.path} in a browser")
        # Images a second are measured from here, without the trials and the first grid.
        self.meter.restart()

    # In the loop

    def report(self, losses: Mapping[str, Tensor]) -> None:
        """Read the mean losses since the last report and log them; end the run if they are low."""
        context, state, clock = self.context, self.state, self.state.clock
        limits, engine = context.recipe.stop_below, context.engine

        # Losses of this very step, not the means; every process must call it.
        state.stopped = describe_low_losses(losses, limits, engine) or state.stopped
        self.training_step.stop_if_tripped()

        # A sum over all processes: read by those too that log nothing.
        values = state.means.read(engine)
        state.means.reset()
        self.meter.report(values)
        if engine.is_main:
            context.log.add(clock.images, "losses", values)
            rate = {"images_per_second": round(self.meter.rate, 3)}
            context.log.add(clock.images, "speed", rate)
        log_stop(context, clock.images, state.stopped)

    def evaluate(self) -> None:
        """Score the samples, and keep a checkpoint of the best."""
        if self.monitor.evaluate():
            self.save()

    def save(self) -> None:
        """Write a checkpoint, unless there is one of this very moment."""
        context, images = self.context, self.state.clock.images
        if self.saved == images:
            return

        self.watch.check()
        self.training_step.stop_if_tripped()
        # A sum over all processes, so `saved` is kept in each: all come here, or none.
        means = self.state.means.state(context.engine)
        if context.engine.is_main:
            best = self.monitor.best[1] if self.monitor.best else None
            place = context.folder / "checkpoints"
            save_checkpoint(place, self.state, means, context.recipe, context.dataset, best)
        self.saved = images

    def stop_if_asked(self) -> None:
        """Save when the run ends early, and leave the loop when a signal has come.

        Raises:
            InterruptedRun: a signal or the stop file has come before the end of the run.
        """
        clock = self.state.clock
        # Asked in every step: the signal may reach one process alone, and all must leave after the
        # same step, or those that go on wait for the others' gradients in vain.
        asked = bool(self.signals.number) or self.stop_file.asked()
        interrupted = self.context.engine.any(asked)
        if interrupted or self.state.stopped:
            self.save()
        # The run ends here: what it has learned is to be seen, unless it has just been drawn.
        drawn = clock.due(self.context.recipe.period("sample_every"))
        if self.state.stopped and not interrupted and not drawn:
            self.monitor.show_samples()
        if interrupted and not clock.finished:
            raise interrupt(self.context, clock.images, self.signals.number)

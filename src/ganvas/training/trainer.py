"""The loop: from a recipe to a run folder."""

import json
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from ganvas.data import Dataset, open_dataset
from ganvas.data.loader import Loader
from ganvas.data.split import held_out_count
from ganvas.errors import UserError
from ganvas.inference.run import Run, load
from ganvas.io.console import count_noun
from ganvas.io.files import write_json
from ganvas.recipes import get_recipe
from ganvas.recipes.auto import AUTO, auto_recipe, told
from ganvas.recipes.recipe import Recipe, change
from ganvas.runs.checkpoint import find_checkpoints
from ganvas.runs.diagnosis import diverged
from ganvas.runs.folder import check_same, describe, fresh_folder, locked, read_recipe
from ganvas.runs.log import Log
from ganvas.runs.summary import write_report
from ganvas.training.checkup import StepProbe, features_shape
from ganvas.training.engine import Engine
from ganvas.training.monitor import Monitor
from ganvas.training.playing import Playing
from ganvas.training.progress import Meter
from ganvas.training.setup import rehearse, start_state
from ganvas.training.speed.autotune import FILE, ExecutionPlan, decide, play_so, read_record
from ganvas.training.state import resume_checkpoint, save_checkpoint
from ganvas.training.step import NotFiniteError

DEFAULT = "digits"  # the recipe of those who name none


class InterruptedRun(Exception):
    """Training was asked to stop by a signal, and has saved everything.

    Attributes:
        number: the signal's.
    """

    def __init__(self, message: str, number: int):
        super().__init__(message)
        self.number = number


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
    """Train a GAN, or go on with a run that was stopped.

    Args:
        recipe: a recipe or its name; None is the run folder's own, or "digits".
        data: what to train on, if not the recipe's own data: a name, a folder or a zip.
        out: the run folder; None is a fresh one under `runs/`. One that exists is gone on with.
        images: length of the whole run, in images shown; `epochs` the same in passes through the
            data.
        seed: of all random numbers.
        device: "auto", "cpu", "cuda" or "mps".
        settings: other changes of the recipe, e.g. {"batch": 64, "options.width": 32}.
        strict: whether a broken picture is an error.
        quiet: whether to say nothing.

    Returns:
        The trained run, ready to `sample`.

    Raises:
        UserError: something given is wrong or something is missing; nothing was lost.
        InterruptedRun: by Ctrl-C or SIGTERM; everything is saved, and the same call goes on.
    """
    if images is not None and epochs is not None:
        raise UserError("images and epochs both set the length of the run; give one of them")
    name = recipe.name if isinstance(recipe, Recipe) else recipe or DEFAULT
    with Engine(device) as engine, claimed(out, name, engine) as folder:
        own = read_recipe(folder)
        with engine.main_first():
            shown = engine.is_main and not quiet
            asked = resolve(
                recipe,
                own,
                engine.device,
                data=data,
                images=images,
                seed=seed,
                settings=settings,
                progress=shown,
            )
            assert asked.data is not None
            dataset = open_dataset(asked.data, asked.view, strict=strict, progress=shown)
        if not engine.agree(json.dumps(asked.model_dump())):
            raise UserError(
                "the processes chose different settings: name a recipe instead of auto, or use equal machines"
            )
        if not engine.agree(dataset.fingerprint):
            raise UserError(
                f"--data {asked.data} is not the same for all processes: copy it to every machine"
            )
        asked = with_epochs(asked, epochs, dataset)
        if own:
            check_same(folder, own, asked, dataset)
        Trainer(asked, dataset, folder, engine, quiet).run()
        engine.wait()
    return load(folder)


@contextmanager
def claimed(out: str | Path | None, name: str, engine: Engine) -> Iterator[Path]:
    """The run folder, kept from other trainings by the main process; without `out` a fresh one."""
    if not engine.is_main:
        yield Path(engine.share(""))
        return
    place = Path(out) if out else fresh_folder(name)
    with locked(place, fresh=not out) as folder:
        yield Path(engine.share(str(folder)))


def resolve(
    recipe: str | Recipe | None,
    own: Recipe | None,
    device: torch.device,
    *,
    data: str | Path | None,
    images: int | None,
    seed: int | None,
    settings: Mapping[str, Any] | None,
    progress: bool,
) -> Recipe:
    """The recipe that the arguments of `train` ask for.

    Args:
        own: the run folder's, if there is a run: what counts without a recipe, and its length
            without a length.
        device: for which "auto" chooses its settings; a run that is gone on with keeps those that
            it has.
        progress: show a bar while "auto" looks at data that must be packed first.

    Raises:
        UserError: a recipe or key is unknown, a value is not allowed, or data is missing.
    """
    if images is None and own:
        images = own.images
    given = {"data": None if data is None else str(data), "images": images, "seed": seed}
    changes = {key: value for key, value in given.items() if value is not None} | dict(
        settings or {}
    )
    if isinstance(recipe, Recipe):
        base = recipe
    elif own and (recipe is None or recipe == own.name == AUTO):
        base = own
    elif recipe == AUTO:
        base = auto_recipe(changes.get("data"), changes, device, progress=progress)
    else:
        base = get_recipe(recipe or DEFAULT)
    asked = change(base, changes)
    if not asked.data:
        raise UserError(
            f"{asked.name} trains on your own pictures: give a folder or zip with --data"
        )
    return asked


def with_epochs(recipe: Recipe, epochs: float | None, dataset: Dataset) -> Recipe:
    """The recipe with its length given in passes through the data, if it is.

    Raises:
        UserError: the number is not above 0.
    """
    if epochs is None:
        return recipe
    if not 0 < epochs < float("inf"):
        raise UserError(f"--epochs {epochs:g}: ask for more than 0")
    count = len(dataset) - held_out_count(len(dataset), recipe.held_out, dataset.report.test)
    return change(recipe, {"images": max(1, round(epochs * count))})


class Trainer:
    """One run on one process: everything that the loop touches.

    Args:
        recipe: what to train.
        dataset: what to train on.
        folder: the run folder, which exists.
        engine: started.
        quiet: whether to say nothing.
    """

    def __init__(self, recipe: Recipe, dataset: Dataset, folder: Path, engine: Engine, quiet: bool):
        self.recipe, self.dataset, self.folder, self.engine = recipe, dataset, folder, engine
        engine.half = recipe.precision == "bf16"
        self.state = start_state(recipe, dataset, engine)
        self.batches = Loader(dataset, recipe.sampling, engine.placement)
        self.playing = Playing(recipe, self.state, self.batches, engine)
        self.log = Log(folder / "log.jsonl")
        self.meter = Meter(
            self.state.clock,
            len(self.batches.shown),
            list(recipe.optimizers),
            engine.is_main and not quiet,
        )
        self.monitor = Monitor(
            recipe, dataset, folder, engine, self.state, self.batches, self.log, self.meter
        )
        self.probe: StepProbe | None = None  # watched the last round
        self.signal = 0

    def run(self) -> None:
        """Resume or begin, train to the end, and write the report.

        Raises:
            InterruptedRun: by a signal; everything is saved.
            NotFiniteError: a loss is NaN or infinite; the last checkpoint is good.
        """
        clock = self.state.clock
        seen = features_shape(self.state.gan, self.batches)
        resumed = resume_checkpoint(self.folder / "checkpoints", self.state, seen)
        if clock.images - clock.batch >= clock.total:
            shown = count_noun(clock.images, "image")
            raise UserError(
                f"{self.folder} has shown {shown} already; ask for more than {clock.total:,}"
            )
        self.engine.wait()  # nobody writes while another still reads
        if not self.engine.agree(str(clock.images)):
            raise UserError(
                f"the processes do not see the same checkpoints in {self.folder}: put it where all machines reach it"
            )
        self.announce(resumed is not None)
        if self.engine.is_main:
            if resumed is None:
                rehearse(self.recipe, self.dataset, self.folder, self.engine, self.state)
            describe(self.folder, self.recipe, self.dataset)
            self.monitor.drop_grids()
            self.log.cut(clock.images)
        self.take_up_speed()
        if self.engine.is_main:
            self.monitor.take_up()
            self.log_stop()
            if self.recipe.evaluate_every:
                # so that what it needs is missed now, not after hours
                self.monitor.prepared_yardstick()
            if resumed is None:
                self.monitor.show_samples()
        self.meter.restart()
        try:
            with self.meter, self.signals():
                while not clock.finished and not self.state.stopped:
                    self.after_round(self.round())
        except NotFiniteError as error:
            self.log_stop(str(error))
            if self.engine.is_main:
                self.log.add(clock.images, "condition", diverged(clock.images, str(error)).entry())
            raise
        finally:
            if self.engine.is_main:
                # the first error is the one to show
                with suppress(UserError) if sys.exception() else nullcontext():
                    write_report(self.folder)
        self.meter.say(
            f"{self.state.stopped or 'done'}: {count_noun(clock.images, 'image')}; see {self.folder / 'summary.html'}"
        )

    def announce(self, resumed: bool) -> None:
        """Say what is about to happen."""
        recipe, clock, report = self.recipe, self.state.clock, self.dataset.report
        classes = (
            f", {count_noun(len(self.dataset.classes), 'class', 'classes')}"
            if self.dataset.classes
            else ""
        )
        held_out = (
            f", {len(self.batches.held_out):,} of them held out to judge by"
            if len(self.batches.held_out)
            else ""
        )
        self.meter.say(
            f"data: {report.spec}, {count_noun(len(self.dataset), 'picture')}{held_out}, {self.dataset.describe()}{classes}"
        )
        if report.skipped:
            where = self.folder / "data.json"
            self.meter.say(
                f"left out: {count_noun(len(report.skipped), 'file')}; each is named with its reason in {where}"
            )
        for note in report.notes:
            self.meter.say(f"note: {note}")
        counts = [
            f"{name} {sum(p.numel() for p in values):,}"
            for name, values in self.state.gan.players().items()
        ]
        for key, reason in recipe.reasons.items():
            self.meter.say(f"{key}: {told(recipe, key)}; {reason}")
        self.meter.say(
            f"recipe: {recipe.name} on {self.engine.device}, parameters: {', '.join(counts)}"
        )
        where = f"going on from {count_noun(clock.images, 'image')}" if resumed else "new run"
        self.meter.say(f"run: {self.folder}, {where}, {count_noun(clock.total, 'image')} in all")

    def adapt(self) -> ExecutionPlan:
        """Play rounds from now on in the way that is fastest here, the same in every process, and
        tell which it is.
        """
        own = (
            decide(self.recipe, self.state, self.batches, self.engine, self.folder)
            if self.engine.is_main
            else None
        )
        decision = ExecutionPlan.model_validate_json(
            self.engine.share(own.model_dump_json() if own else "")
        )
        play_so(decision.parts, self.playing, self.meter.say)
        return decision

    def take_up_speed(self) -> None:
        """Adapt, and tell and record what was decided."""
        decision = self.adapt()
        self.meter.say(decision.line())
        if self.engine.is_main and decision != read_record(self.folder):
            write_json(self.folder / FILE, decision.model_dump())
            self.log.add(
                self.state.clock.images, "autotuned", decision.model_dump(exclude_defaults=True)
            )

    def round(self) -> dict[str, Tensor]:
        """Play one round and return its losses; nothing is read from the device."""
        self.probe = self.monitor.probe()
        try:
            return self.playing(self.probe)
        except NotFiniteError as error:
            raise self.explained(error) from None

    def after_round(self, values: Mapping[str, Tensor]) -> None:
        """Report, look and save what is due after a round with these losses."""
        recipe, clock = self.recipe, self.state.clock
        if clock.due(recipe.period("report_every")):
            self.stop_early(values)
            self.report()
        if recipe.measure_every and clock.due(recipe.measure_every):
            self.monitor.measure()
        if self.probe:
            self.monitor.check_health(self.probe)
        if clock.due(recipe.period("sample_every")) and self.engine.is_main:
            self.monitor.show_samples()
        better = (
            bool(recipe.evaluate_every)
            and clock.due(recipe.evaluate_every)
            and self.monitor.evaluate()
        )
        stop = self.engine.any(bool(self.signal))
        if stop or better or self.state.stopped or clock.due(recipe.period("checkpoint_every")):
            self.save()
        self.meter.update()
        if stop and not clock.finished:
            place = f"stopped at {clock.images:,} of {count_noun(clock.total, 'image')}, everything is saved"
            command = f"ganvas train --out {shlex.quote(str(self.folder))}"
            raise InterruptedRun(f"{place}; to go on: {command}", self.signal or signal.SIGTERM)

    def stop_early(self, values: Mapping[str, Tensor]) -> None:
        """End the run if the losses of this very round are as low as its recipe asks for."""
        limits = self.recipe.stop_below
        if not limits or not limits.keys() <= values.keys():  # a player may rest for some rounds
            return
        losses = dict(
            zip(limits, self.engine.mean(torch.stack([values[name] for name in limits])).tolist())
        )
        if all(losses[name] <= limit for name, limit in limits.items()):
            self.state.stopped = ", ".join(
                f"{name} {losses[name]:.3f} <= {limit:g}" for name, limit in limits.items()
            )

    def report(self) -> None:
        """Read the losses and log them."""
        clock, means = self.state.clock, self.state.means
        self.stop_if_tripped()
        values = means.read(self.engine)
        means.reset()
        self.meter.report(values)
        if self.engine.is_main:
            self.log.add(clock.images, "losses", values)
            self.log.add(clock.images, "speed", {"images_per_second": round(self.meter.rate, 3)})
        self.log_stop()

    def log_stop(self, reason: str = "") -> None:
        """Note in the log why the run ends before its length, if it does."""
        if (reason or self.state.stopped) and self.engine.is_main:
            self.log.add(
                self.state.clock.images, "stopped", {"reason": reason or self.state.stopped}
            )

    def save(self) -> None:
        """Write a checkpoint."""
        self.stop_if_tripped()
        means = self.state.means.state(self.engine)
        if self.engine.is_main:
            best = self.monitor.best[1] if self.monitor.best else None
            save_checkpoint(
                self.folder / "checkpoints", self.state, means, self.recipe, self.dataset, best
            )

    def stop_if_tripped(self) -> None:
        try:
            self.playing.game.guard.stop_if_tripped()
        except NotFiniteError as error:
            raise self.explained(error) from None

    def explained(self, error: NotFiniteError) -> NotFiniteError:
        """The error with the place in the run and what to do."""
        found = find_checkpoints(self.folder / "checkpoints")
        good = f"the last good checkpoint is {found[-1]}" if found else "there is no checkpoint yet"
        after = f"after {count_noun(self.state.clock.images, 'image')}"
        return NotFiniteError(
            f"{error} {after}; {good}; try a lower learning rate, e.g. --set optimizers.discriminator.lr=1e-4"
        )

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Finish the round on Ctrl-C and SIGTERM instead of dying."""

        def note(number: int, _: FrameType | None) -> None:
            self.signal = number
            signal.signal(
                number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            )

        try:
            before = {
                number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)
            }
        except ValueError:  # not the main thread, where signals do not arrive
            before = {}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

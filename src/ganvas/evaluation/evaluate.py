"""`ganvas.evaluate`: from a run, or any set of pictures, to numbers with all that decides them."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganvas.data import open_dataset
from ganvas.data.builtin.stacked_mnist import STACKED
from ganvas.devices import pick_device
from ganvas.errors import UserError
from ganvas.evaluation.extractors import check_features, make_extractor, usual_features
from ganvas.evaluation.inputs import Case
from ganvas.evaluation.nearest import draw_lookalikes
from ganvas.evaluation.references import MOST, Reference, of_spec, of_training
from ganvas.evaluation.registry import METRICS, check_names, choose
from ganvas.evaluation.samples import NOISE, Pictures, of_dataset, of_noise, of_run, of_trial
from ganvas.evaluation.trial import Trial, unseen_rows
from ganvas.inference.run import Run, load
from ganvas.io.console import count_noun
from ganvas.io.files import explained
from ganvas.recipes.recipe import make_view
from ganvas.runs.checkpoint import recipe_of, versions

# samples judged: of pictures; of points and of Stacked-MNIST, as in their papers
COUNT, POINTS, STACKS = 10_000, 2_500, 26_000
RECORD, FIGURE = "evaluations.jsonl", "memorisation.png"


@dataclass(frozen=True)
class Evaluation:
    """What was measured, and how.

    Attributes:
        name: of the set judged.
        about: what it is: a run's folder, checkpoint and images shown, or the name and fingerprint
            of data.
        values: by name; `NAME_error` is a standard error.
        by_class: values by metric and class.
        protocol: all that decides the values: features, reference, counts, seed. Only values of
            equal protocols compare.
        notes: what a reader must know.
        versions: of the software.
        time: when, UTC.
    """

    name: str
    about: dict[str, Any]
    values: dict[str, float]
    by_class: dict[str, dict[str, float]]
    protocol: dict[str, Any]
    notes: list[str]
    versions: dict[str, str]
    time: str

    def to_json(self) -> dict[str, Any]:
        """As JSON; a value that is not a number (a divergence of nothing) is null."""
        found = asdict(self)
        found["values"] = {
            name: value if math.isfinite(value) else None for name, value in self.values.items()
        }
        return found


def evaluate(
    what: Run | str | Path,
    against: str | Path | None = None,
    *,
    data: str | Path | None = None,
    metrics: Sequence[str] | None = None,
    features: str | None = None,
    weights: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    view: dict[str, Any] | None = None,
    device: str = "auto",
    progress: bool = False,
) -> Evaluation:
    """Judge a run, or any set of pictures, by real ones.

    Args:
        what: a run, its folder or one of its checkpoints; or a folder or zip of pictures, a data
            set's name, or "noise".
        against: the pictures to compare with. None: the published test set of the run's data, or
            without one the data itself.
        data: where the run's data is, if it was moved; or what a set that is no run is compared
            with, as a run on that data.
        metrics: names of metrics or of single values, or ["all"]; None: the usual ones.
        features: "inception", "inception-legacy", "classifier", "random" or "pixels"; None: what
            suits the data.
        weights: a file for Inception or the classifier.
        count: samples; None: 10,000, of points 2,500, of Stacked-MNIST 26,000.
        seed: of the samples and of all choices at random.
        view: other sizes, channels, fit, background or labels than the run's.
        device: where samples and features are made.
        progress: show progress on stderr.

    Returns:
        The values with their protocol. Those of a run folder are also added to its
        `evaluations.jsonl`, and with memorisation its `memorisation.png` is drawn.

    Raises:
        UserError: something given is wrong, or something is missing.
    """
    if count is not None and count < 2:
        raise UserError(f"--count {count}: judge at least 2 pictures")
    check_names(metrics or [])  # before anything takes time
    if features:
        check_features(features)
    place = pick_device(device)
    run = what if isinstance(what, Run) else load(what, device=device) if is_run(what) else None
    reference, notes = find_reference(run, what, against, data, count, view or {}, progress)
    count = count or usual_count(reference)
    pictures = find_pictures(run, what, reference, data, count, seed, view or {}, progress)
    file = Path(weights) if weights else None
    if features is None:
        features, note = usual_features(reference, file)
        notes += [note] if note else []
    extractor = make_extractor(features, reference, file, place, progress)
    case = Case(pictures, reference, extractor, seed, place, progress)
    values, by_class = judge(case, metrics)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    notes += cautions(case, count, values)
    found = Evaluation(
        pictures.name, pictures.about, values, by_class, case.protocol(), notes, versions(), now
    )
    folder = run.path.parents[1] if run and run.path.parent.name == "checkpoints" else None
    if folder:
        if "memorisation" in values:
            draw_lookalikes(case, folder / FIGURE)
        append(folder / RECORD, found)
    return found


def judge(
    case: Case, metrics: Sequence[str] | None = None
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Take the metrics named, the usual ones, or all (see `scores.choose`): values by name, and by
    metric and class.

    Raises:
        UserError: as `scores.choose`; or a single value was asked for that its metric does not give
            in this case.
    """
    values: dict[str, float] = {}
    by_class: dict[str, dict[str, float]] = {}
    for name, wanted in choose(metrics, case).items():
        found, classes = METRICS[name].measure(case)
        for value in wanted & set(metrics or ()) - found.keys():
            raise UserError(f"--metrics {value}: of {name} there is only {', '.join(found)} here")
        values |= {
            value: number
            for value, number in found.items()
            if value.removesuffix("_error") in wanted
        }
        if classes and next(iter(METRICS[name].better)) in wanted:
            by_class[name] = classes
    return values, by_class


def is_run(what: str | Path) -> bool:
    """Whether it is a run folder or a checkpoint, rather than data."""
    return any(
        (Path(what) / name).exists() for name in ("about.json", "recipe.json", "checkpoints")
    )


def find_reference(
    run: Run | None,
    what: Run | str | Path,
    against: str | Path | None,
    data: str | Path | None,
    count: int | None,
    view: dict[str, Any],
    progress: bool,
) -> tuple[Reference, list[str]]:
    """The real pictures to judge by, and notes about them.

    Raises:
        UserError: none are named, or they cannot be opened.
    """
    recipe = recipe_of(run.path, run.about) if run else None
    base = (
        recipe.test_view.model_dump() | {"size": run.gan.size, "channels": run.gan.channels}
        if run and recipe
        else {}
    )
    if against is not None:
        base.pop("labels", None)
        target = run.gan.target if run and not Path(against).exists() else "image"
        return of_spec(str(against), make_view(**(base | view)), count or 0, target, progress), []
    spec = str(data) if data is not None else recipe.data if recipe else None
    if spec is None:
        raise UserError(
            f"{what} is no run: name a second set to compare it with, e.g. ganvas evaluate {what} mnist-test"
        )
    try:
        held_out, target = (recipe.held_out, run.gan.target) if run and recipe else (None, "image")
        reference = of_training(
            spec, make_view(**(base | view)), held_out, count or 0, target, progress
        )
    except UserError as error:
        raise UserError(
            f"{error}; the run's data can be named with --data"
            if run and data is None
            else str(error)
        ) from None
    notes = []
    if (
        run
        and recipe
        and run.about["data"]["fingerprint"]
        != open_dataset(spec, recipe.view, progress=progress).fingerprint
    ):
        notes.append(f"{spec} is not the data that the run was trained on: the fingerprints differ")
    return reference, notes


def usual_count(reference: Reference) -> int:
    """Samples judged when nobody says how many."""
    return (
        POINTS
        if reference.dataset.kind == "point"
        else STACKS
        if reference.name == STACKED
        else COUNT
    )


def find_pictures(
    run: Run | None,
    what: Run | str | Path,
    reference: Reference,
    own: str | Path | None,
    count: int,
    seed: int,
    view: dict[str, Any],
    progress: bool,
) -> Pictures:
    """The pictures to be judged; `own` is where the run's data is, if it was moved.

    Raises:
        UserError: they cannot be had.
    """
    data = reference.dataset
    if run and not run.gan.unconditional:
        recipe = recipe_of(run.path, run.about)
        trained = open_dataset(str(own or recipe.data), recipe.test_view, progress=progress)
        rows = unseen_rows(run, recipe, trained, count)
        return of_trial(run, Trial(run.gan, rows, run.device, seed))
    if run:
        return of_run(run, count, seed, make_view(**view))
    if str(what) == NOISE:
        return of_noise(data.size, data.channels, count, seed)
    return of_dataset(open_dataset(str(what), make_view(**view), progress=progress), count, seed)


def cautions(case: Case, asked: int, values: dict[str, float]) -> list[str]:
    """What a reader of these values must know."""
    notes = []
    pictures, reference = case.pictures, case.reference
    if pictures.count < asked and pictures.trial is None:
        notes.append(f"{pictures.name} has {count_noun(pictures.count, 'picture')}, not {asked:,}")
    for name, count in ((pictures.name, pictures.count), (reference.name, len(reference.rows))):
        if count < MOST and case.kind == "image":
            frechet, kernel = ("fid", "kid") if case.features == "inception" else ("fd", "kd")
            few = f"{count_noun(count, 'picture')}, fewer than {MOST:,}"
            notes.append(f"{name}: {few}; {frechet} comes out too large, so compare {kernel}")
    if {"memorisation", "copies"} & values.keys() and len(reference.unseen_rows) < 100:
        held_out = count_noun(len(reference.unseen_rows), "picture was", "pictures were")
        notes.append(f"memorisation: only {held_out} held out, 100 or more would tell more")
    return notes


def append(path: Path, found: Evaluation) -> None:
    """Add a line to a run's record."""
    with explained(path), path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(json.dumps(found.to_json(), ensure_ascii=False) + "\n")

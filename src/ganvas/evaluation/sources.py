"""Which samples are evaluated, which real images they are compared with, and by which settings."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganvas.data import open_dataset
from ganvas.data.builtin.stacked_mnist import STACKED
from ganvas.data.names import NOISE
from ganvas.data.open import name_split
from ganvas.data.view import View, make_view
from ganvas.errors import UserError
from ganvas.evaluation.conditional import unseen_rows
from ganvas.evaluation.references import Reference, open_reference, open_training_reference
from ganvas.evaluation.samples import (
    ConditionalSampler,
    SampleSet,
    samples_of_dataset,
    samples_of_noise,
    samples_of_rows,
    samples_of_run,
)
from ganvas.inference.run import Run
from ganvas.recipes.recipe import Recipe
from ganvas.runs.places import is_named
from ganvas.runs.trust import read_safe_recipe

__all__ = [
    "OTHER_DATA",
    "EvaluationSettings",
    "find_reference",
    "find_samples",
    "is_run",
    "usual_count",
]

OTHER_DATA = "is not the data that the run was trained on"  # in the note that names the data
# Samples evaluated: of images; of points and of Stacked-MNIST, as in their papers.
COUNT, POINTS, STACKS = 10_000, 2_500, 26_000


@dataclass(frozen=True)
class EvaluationSettings:
    """The settings of an evaluation, as in `evaluate`."""

    data: str | Path | None = None
    metrics: tuple[str, ...] | None = None
    features: str | None = None
    weights: Path | None = None
    count: int | None = None
    seed: int = 0
    view: dict[str, Any] = field(default_factory=dict)
    device: str = "auto"
    progress: bool = False


def is_run(what: str | Path) -> bool:
    """Whether it is a run, by its name or its folder, or a checkpoint, rather than data."""
    if is_named(what):
        return True
    names = ("about.json", "recipe.json", "checkpoints")
    return any((Path(what) / name).exists() for name in names)


def find_reference(
    run: Run | None,
    what: Run | str | Path,
    against: str | Path | None,
    settings: EvaluationSettings,
) -> tuple[Reference, list[str]]:
    """Open the real images to compare with, and collect notes about them.

    Raises:
        UserError: none are named, or they cannot be opened.
    """
    recipe = read_safe_recipe(run.place, run.path, run.about) if run else None
    # The real images are prepared as the GAN saw its own, unless the user wants another view.
    view = recipe.test_view.model_dump() if recipe else {}
    # Other data may have another size or other channels of its own.
    generated = {"size": run.gan.size, "channels": run.gan.channels} if run else {}
    count = settings.count or 0  # 0: as many as a reference has at least

    split = settings.view.get("split")
    own = settings.data or (recipe.data if recipe else None)
    if against is None and split and own:
        # The same data, but another part of it judges.
        for name in ("split", "subset"):
            view.pop(name, None)
        view |= settings.view
        target = run.gan.target if run else "image"
        return open_reference(str(own), make_view(**view), count, target, settings.progress), []

    if against is not None:
        # Labels, the split and the subset of the run's data mean nothing for another data set.
        for name in ("labels", "split", "subset"):
            view.pop(name, None)
        view |= generated | settings.view
        # A folder of single images has no column of the run's data, such as "b" of pairs.
        target = run.gan.target if run and not Path(against).exists() else "image"
        if run and view.get("categories") and target != run.gan.target:
            view["categories"] = target if view["categories"] == run.gan.target else None
        seen = _pin_values(make_view(**view), run, target)
        return open_reference(str(against), seen, count, target, settings.progress), []

    spec = settings.data
    if spec is None and recipe:
        spec = recipe.data
    if spec is None and run:
        raise _unknown_data(run)
    if spec is None:
        raise UserError(
            f"{what} is no run: name a second set to compare it with, "
            f"e.g. ganvas evaluate {what} mnist-test"
        )

    held_out = recipe.held_out if recipe else None
    target = run.gan.target if run else "image"
    notes = []
    other = False
    try:
        if run and recipe and _is_other_data(run, recipe, str(spec), settings.progress):
            view |= generated | {"subset": None}
            other = True
            notes = [f"{spec} {OTHER_DATA}: the fingerprints differ"]
        view |= settings.view  # last, so that the user's choice wins
        seen = _pin_values(make_view(**view), run, target) if other else make_view(**view)
        found = open_training_reference(str(spec), seen, held_out, count, target, settings.progress)
    except UserError as error:
        if run and settings.data is None:
            raise UserError(f"{error}; the run's data can be named with --data") from None
        raise

    return found, notes


def _unknown_data(run: Run) -> UserError:
    """The error for a run whose data is not here."""
    spec = run.about["data"]["spec"]
    return UserError(f"{run.name} was trained on {spec}, which is not here: name data with --data")


def _pin_values(view: View, run: Run | None, column: str) -> View:
    """A view of other data, whose values mean what those of a run's data did.

    Args:
        view: how the data is seen; a range that it names comes first.
        run: whose GAN knows what the values of its data meant.
        column: of the other data, which corresponds to the one that the GAN generates.
    """
    if run is None or view.range:
        return view
    schema, target = run.gan.schema, run.gan.target
    planes = {name: schema.planes(name) for name in schema.channels}
    categories = {name: one.names for name, one in planes.items() if one.kind == "categories"}
    ranges = dict(schema.ranges)
    if target in ranges:
        ranges[column] = ranges[target]
    if target in categories:
        categories[column] = categories[target]
    return view.pinned(ranges, categories)


def _is_other_data(run: Run, recipe: Recipe, spec: str, progress: bool) -> bool:
    """Whether the data is not what a run was trained on."""
    # As training saw it: the test view may keep images of another size.
    dataset = open_dataset(spec, recipe.view, progress=progress)
    return run.about["data"]["fingerprint"] != dataset.fingerprint


def usual_count(reference: Reference) -> int:
    """How many samples are evaluated when the user does not say."""
    if reference.dataset.kind == "point":
        return POINTS
    return STACKS if reference.name == STACKED else COUNT


def find_samples(
    run: Run | None,
    what: Run | str | Path,
    reference: Reference,
    count: int,
    settings: EvaluationSettings,
) -> SampleSet:
    """Find the samples to evaluate.

    Raises:
        UserError: they cannot be opened or generated.
    """
    # A split and a subset are asked for of the images compared with.
    view = {name: settings.view[name] for name in settings.view.keys() - {"split", "subset"}}
    seed = settings.seed
    if run and not run.gan.unconditional:
        recipe = read_safe_recipe(run.place, run.path, run.about)
        spec = settings.data or recipe.data
        if not spec:
            raise _unknown_data(run)
        spec = str(spec)
        dataset = open_dataset(spec, recipe.test_view, progress=settings.progress)
        if split := settings.view.get("split"):
            test, _ = name_split(spec, make_view(split=split))
            dataset = dataset.with_report(test=test)
            recipe = recipe.model_copy(update={"held_out": 0})  # rows of that split, no others
        rows = unseen_rows(run, recipe, dataset, count)
        return samples_of_rows(run, ConditionalSampler(run.gan, rows, run.device, seed))

    if run:
        return samples_of_run(run, count, seed, make_view(**view))
    if str(what) == NOISE:
        data = reference.dataset
        return samples_of_noise(data.size, data.channels, count, seed)
    # their values mean what those of the images do that they are compared with
    report = reference.dataset.report
    seen = make_view(**view).pinned(report.ranges, report.categories)
    dataset = open_dataset(str(what), seen, progress=settings.progress)
    return samples_of_dataset(dataset, count, seed)

"""What a training run would be: data, time and memory, then settings, before it begins."""

from pathlib import Path

from ganvas.data import Dataset
from ganvas.data.report import WARNING
from ganvas.io.console import count_noun, describe_duration, describe_rate, print_text
from ganvas.recipes.auto import AUTO
from ganvas.recipes.expectations import describe_expectation
from ganvas.recipes.explain import explain_choices
from ganvas.recipes.listing import describe_counts, print_settings
from ganvas.recipes.quicker import advise_quicker
from ganvas.recipes.recipe import Recipe
from ganvas.runs.locate import find_checkpoints
from ganvas.training.budget import Budget, Costs
from ganvas.training.engine import Engine
from ganvas.training.fitting import fit_run, measure_looks, time_steps
from ganvas.training.request import Request
from ganvas.training.setup import prepare
from ganvas.training.trainer import Trainer

__all__ = ["print_plan"]

# Seconds of training beside which everything else takes little, so that it need not be measured:
# checkups of large images may take minutes.
SHORT = 1800


def print_plan(request: Request, out: Path | None, device: str) -> None:
    """What `--dry-run` shows: what is trained, on what data, for how long, with how much memory.

    Below these four lines follow advice, the data, the networks and all settings.

    Args:
        request: of the user.
        out: the run folder, if one is named; a run that is in it is planned from where it is.
        device: "auto", "cpu", "cuda" or "mps".

    Raises:
        UserError: what training would raise at its start.
    """
    # The folder is only read, for the plan of a run that is there; nothing is written into it.
    folder = out or Path("runs")
    with Engine(device) as engine:
        found = prepare(request, out, engine, progress=True)
        recipe, dataset = fit_run(request, found, folder, engine)

        trainer = Trainer(recipe, dataset, folder, engine, quiet=True)
        beginning = None if find_checkpoints(folder / "checkpoints") else trainer.take_origin()
        plan = trainer.apply_own_plan()
        costs = Costs(step=time_steps(trainer.step, engine))
        if recipe.images / recipe.batch * costs.step < SHORT:
            costs = measure_looks(costs, trainer.context, trainer.state, trainer.loader)
        # After the steps: the most that this process has used, trials of the plan included.
        most = engine.memory()
        memory = f"about {most / 2**20:,.0f} MiB on {engine.device}" if most else "not known here"

    budget = request.budget if recipe is not found[0] else None
    print_text(_describe_training(recipe), _describe_data(dataset))
    seconds = _print_time(recipe, costs, budget)
    print_text(f"memory: {memory}", "")

    advice = advise_quicker(recipe, seconds)
    if advice:
        print_text(*advice, "", wrap=False)  # commands stay whole, so that they can be copied
    print_text(*describe_expectation(recipe, seconds))
    print_text(*(beginning.describe() if beginning else []))
    report = trainer.context.dataset.report  # with what the GAN does not use
    for line in [*report.steps, *report.notes]:
        print_text(line if line.startswith(WARNING) else f"data: {line}")
    print_text(describe_counts(trainer.state.gan.count_parameters()), plan.line(), "")

    print_text(*explain_choices(recipe), "All settings:")
    print_settings(recipe)


def _describe_training(recipe: Recipe) -> str:
    """What is trained, in a line."""
    images = count_noun(recipe.images, "image")
    return f"train: {recipe.name}, the GAN {recipe.gan}, {images} in batches of {recipe.batch:,}"


def _describe_data(dataset: Dataset) -> str:
    """What it is trained on, in a line."""
    report = dataset.report
    words = [report.spec, count_noun(len(dataset), "image"), dataset.describe()]
    if dataset.classes:
        words.append(count_noun(len(dataset.classes), "class", "classes"))
    if report.skipped:
        words.append(f"{count_noun(len(report.skipped), 'file')} left out")
    return f"data: {', '.join(words)}"


def _print_time(recipe: Recipe, costs: Costs, budget: Budget | None) -> float:
    """Print how long training takes, and return it in seconds.

    Args:
        recipe: that is trained.
        costs: of its parts; those of the looks at it may be unknown.
        budget: the time that its length was chosen for, if it was.
    """
    training = recipe.images / recipe.batch * costs.step
    known = costs.grid > 0
    besides = costs.besides(recipe) if known else 0.0

    rate = describe_rate(recipe.batch / costs.step)
    line = f"time: about {describe_duration(training + besides)}, {rate}"
    if known:
        line += f"; {describe_duration(besides)} of it for samples, checkups and checkpoints"
    if budget:
        line += f"; to fit into {budget.words}"
    elif recipe.name == AUTO:
        line += "; --minutes sets another time"
    print_text(line)
    return training + besides

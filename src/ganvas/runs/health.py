"""What `ganvas health` tells of a run, finished or going: its conditions, and its last checkup
explained.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from ganvas.errors import UserError
from ganvas.io.console import PlainConsole, count_noun, print_json, print_text
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.folder import is_going
from ganvas.runs.summary import Record, read_record, status

# What a checkup measures: title and meaning. Keys with a player are found by what follows the
# slash.
MEANINGS = {
    "real_accuracy": (
        "real recognised",
        "share of real pictures that the discriminator takes for real",
    ),
    "fake_accuracy": (
        "fakes recognised",
        "share of generated pictures that it takes for generated; 1/2 when it cannot tell",
    ),
    "separation": (
        "pairs ranked",
        "share of pairs in which it scores the real picture higher; 1/2 when it cannot tell",
    ),
    "score_gap": ("score gap", "mean score of real minus that of generated pictures"),
    "gradient_norm": ("gradient", "length of the player's gradient in one round"),
    "weight_norm": ("weights", "length of the player's weights"),
    "distance": (
        "distance",
        "from a sample to the nearest real picture; 1: as from one real picture to the next",
    ),
    "diversity": (
        "diversity",
        "how much samples differ from each other; 1: as much as real pictures",
    ),
    "change": (
        "change",
        "how much a sample has changed since the checkup before; 1: as much as real pictures differ",
    ),
    "score_drop": ("score drop", "mean score of real pictures trained on minus that of others"),
    "overfitting": (
        "overfitting",
        "where real pictures not trained on are scored between those trained on (0) and fakes (1)",
    ),
    "overfitting_errors": (
        "overfitting, errors",
        "the same difference in standard errors; below 3 it may be chance",
    ),
    "classes": ("rarest classes", "their share of the samples; 1: as in the data"),
    "agreement": ("weakest classes", "share of the samples asked of them that look like them"),
}
MOST_CLASSES = 5  # shown, the weakest


def print_health(folder: Path, as_json: bool) -> None:
    """What `ganvas health` does.

    Raises:
        UserError: not a run folder, or a run without a checkup yet.
    """
    if not (folder / "recipe.json").is_file():
        raise UserError(f"{folder} is not a run folder: there is no recipe.json in it")
    run = read_record(folder)
    diagnosis = Diagnosis.of(run.log)
    if not diagnosis.checkups:
        period = run.recipe.period("health_every")
        raise UserError(
            f"{folder} has had no checkup yet: the first comes after {period:,} images (health_every)"
        )
    if as_json:
        print_json(facts(run, diagnosis))
        return
    going = f"Going on, {run.images:,} of {count_noun(run.recipe.images, 'image')}."
    print_text(f"{folder}: {run.recipe.name}. {going if is_going(folder) else status(run)}")
    for line in diagnosis.told():
        print_text(line)
    PlainConsole().print(vitals(diagnosis.checkups[-1]))


def vitals(checkup: Mapping[str, Any]) -> Table:
    """The last checkup, explained."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in (f"checkup at {count_noun(checkup['images'], 'image')}", "value", "meaning"):
        table.add_column(heading, no_wrap=heading == "value")
    for key, value in checkup.items():
        player, _, last = key.rpartition("/")
        if last in MEANINGS:
            title, meaning = MEANINGS[last]
            table.add_row(f"{player} {title}".strip(), readable(value), meaning)
    return table


def readable(value: float | Mapping[str, float]) -> RenderableType:
    """A number, or the weakest of several by name."""
    if isinstance(value, Mapping):
        weakest = sorted(value.items(), key=lambda item: item[1])[:MOST_CLASSES]
        return Group(*(f"{name}: {share:.2f}" for name, share in weakest))
    return f"{value:.3g}"


def facts(run: Record, diagnosis: Diagnosis) -> dict[str, Any]:
    """The same for programs."""
    return {
        "run": str(run.folder),
        "images": run.images,
        "going": is_going(run.folder),
        "active": [
            {"since": diagnosis.since(name)} | finding.entry()
            for name, finding in diagnosis.active.items()
        ],
        "changes": [{"images": change.images, **change.entry()} for change in diagnosis.changes],
        "checkup": diagnosis.checkups[-1],
    }

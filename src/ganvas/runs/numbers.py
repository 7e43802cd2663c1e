"""A run in numbers, as its summary page lists them: length, speed, parameters, losses."""

import math
from contextlib import suppress
from pathlib import Path

from ganvas.data.dataset import describe_pictures
from ganvas.data.split import held_out_count
from ganvas.io.console import count_noun, describe_rate
from ganvas.io.reading import DamagedFileError
from ganvas.io.tensors import read_shapes
from ganvas.runs.record import RunRecord
from ganvas.schema import read_schema

__all__ = ["collect_numbers"]


def collect_numbers(run: RunRecord) -> dict[str, str]:
    """What a person asks first about a run; only what is known."""
    held_out = held_out_count(run.data.used, run.recipe.held_out, run.data.test)
    trained = run.data.used - held_out  # images in an epoch
    parameters = _count_parameters(run.checkpoint) if run.checkpoint else {}
    # Each is a mean since its process began, so the last one stands for the last process.
    speeds = [entry["images_per_second"] for entry in run.log if entry["kind"] == "speed"]
    versions = run.about.get("versions", {})

    rows = {
        "Images shown": f"{run.images:,} of {run.recipe.images:,}",
        "Epochs": f"{run.images / max(1, trained):,.1f}, each of {count_noun(trained, 'image')}",
        "Held out": count_noun(held_out, "image") if held_out else "",
        "Batch": f"{run.recipe.batch:,}",
        "GAN": _describe_gan(run),
        "Parameters": "; ".join(f"{player} {count:,}" for player, count in parameters.items()),
        "Last losses": "; ".join(
            f"{player} {value:.4g}" for player, value in _find_last_losses(run).items()
        ),
        "Best checkpoint": _describe_best(run),
        "Speed": describe_rate(speeds[-1]) if speeds else "",
        "Data": run.data.spec,
        "Data fingerprint": run.about.get("data", {}).get("fingerprint", ""),
        "Seed": str(run.recipe.seed),
        "Software": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return {name: value for name, value in rows.items() if value}


def _describe_gan(run: RunRecord) -> str:
    """The GAN with its sizes and classes: "relativistic, 8x8 grey, 10 classes"."""
    words = [run.recipe.gan]
    if gan := run.about.get("gan"):
        schema = read_schema(gan["data"])
        # Both images of a pair may have the same size and colours.
        sizes = {
            describe_pictures(schema.size, count, schema.planes(column)): None
            for column, count in schema.channels.items()
        }
        words.append(" and ".join(sizes))
        domains = [schema.domain(column) for column in schema.channels]
        words += [" and ".join(domains)] if domains != [*schema.channels] else []
        words += [
            _count_names(column, len(values))
            for column, values in schema.names.items()
            if column not in schema.channels
        ]
    return ", ".join(words)


def _count_names(column: str, count: int) -> str:
    """How many names a column of the data has: "10 classes", "1 attribute"."""
    if column == "label":
        return count_noun(count, "class", "classes")
    return count_noun(count, column.removesuffix("s"))


def _describe_best(run: RunRecord) -> str:
    """The checkpoint with the smallest distance, or empty if none was evaluated."""
    scores = [
        (entry["distance"], entry["images"], entry["features"])
        for entry in run.log
        if entry["kind"] == "evaluated"
    ]
    if not scores:
        return ""
    # Of equal distances the earlier checkpoint.
    distance, images, features = min(scores)
    return f"checkpoints/{images:012d}, {features} distance {distance:.4g}"


def _find_last_losses(run: RunRecord) -> dict[str, float]:
    """Each network's last logged loss."""
    found: dict[str, float] = {}
    for entry in run.log:
        if entry["kind"] == "losses":
            for player in sorted(run.recipe.optimizers):
                if player in entry:
                    found[player] = entry[player]
    return found


def _count_parameters(checkpoint: Path) -> dict[str, int]:
    """Trained parameters of each network: those of which Adam keeps a mean gradient; none where
    the file is missing or damaged.
    """
    counts: dict[str, int] = {}
    file = checkpoint / "training.safetensors"
    if not file.exists():
        return counts

    # A run with a damaged checkpoint can still be looked at; what uses the file says what is wrong.
    with suppress(DamagedFileError):
        for key, shape in read_shapes(file).items():
            player, _, name = key.partition("/")
            if name.endswith("/exp_avg"):
                counts[player] = counts.get(player, 0) + math.prod(shape)
    return counts

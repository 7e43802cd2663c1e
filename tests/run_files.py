"""A short run, and ways to change the files in its folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from short_runs import train_tiny

import ganvas
from ganvas.io.files import hash_file
from ganvas.runs.locate import find_checkpoints

SETTINGS = {
    **{
        "batch": 6,
        "sample_every": 12,
        "checkpoint_every": 6,
        "ema_halflife": 12,
    },
    **{"options.hidden": 8, "stop_below": {}, "size": 8, "keep": 2},
}


def train(out: Path, images: int = 18, **more: Any) -> ganvas.Run:
    return train_tiny("mnist-mlp", out, images, "digits", **SETTINGS | more)


def newest_checkpoint(run: Path) -> Path:
    return find_checkpoints(run / "checkpoints")[-1]


def seal(path: Path) -> None:
    """Write the digests of all files of a checkpoint anew."""
    about = json.loads((path / "about.json").read_text())
    about["files"] = {
        file.name: hash_file(file) for file in path.iterdir() if file.name != "about.json"
    }
    (path / "about.json").write_text(json.dumps(about))


def edit(file: Path, change: Callable[[Any], Any]) -> None:
    """Change the JSON of a file; what `change` returns takes its place, unless it is None."""
    values = json.loads(file.read_text())
    changed = change(values)
    file.write_text(json.dumps(values if changed is None else changed))

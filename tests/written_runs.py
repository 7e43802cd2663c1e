"""A run folder that is written by hand, as training would leave it."""

import json
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from ganvas.data.report import DataReport, Skipped
from ganvas.recipes import get_recipe
from ganvas.recipes.recipe import change
from ganvas.runs.checkpoint import FORMAT

TOTAL = 1000


def write_run(folder: Path) -> Path:
    """A run of 1,000 images that was finished: five grids, ten reports, one checkpoint."""
    checkpoint = folder / "checkpoints" / f"{TOTAL:012d}"
    checkpoint.mkdir(parents=True)
    (folder / "samples").mkdir()

    recipe = change(
        get_recipe("digits"), {"images": TOTAL, "batch": 50, "optimizers.generator.lr": 0.25}
    )
    (folder / "recipe.json").write_text(json.dumps(recipe.model_dump()))
    data = DataReport(
        spec="digits & co",
        found=502,
        used=500,
        sizes={"8x8": 502},
        classes={"zero": 250, "one": 250},
    )
    data.skipped = [Skipped(file="<script>alert(1)</script>.png", reason="broken: a < b")]
    data.notes = ["Look <here>."]
    (folder / "data.json").write_text(json.dumps({"fingerprint": "f00d", **data.model_dump()}))

    for number in range(5):
        draw_grid(folder / "samples" / f"{number * 250:012d}.png", number)
    write_log(folder, [losses(100 * (number + 1), 1 / (number + 1)) for number in range(10)])

    # The parameters are counted from these shapes.
    moments = {"generator/0/exp_avg": torch.zeros(3, 4), "generator/1/exp_avg": torch.zeros(5)}
    others = {"generator/0/step": torch.zeros(()), "discriminator/0/exp_avg": torch.zeros(2000)}
    save_file(moments | others, checkpoint / "training.safetensors")

    about = {
        "format": FORMAT,
        "recipe": recipe.model_dump(),
        "images": TOTAL,
        "gan": {
            "name": "relativistic",
            "data": {"size": 8, "channels": {"image": 1}, "names": {"label": ["zero", "one"]}},
            "options": {},
        },
        "data": {"spec": "digits & co", "pictures": 500, "fingerprint": "f00d"},
        "versions": {"ganvas": "0.1.0", "torch": "9.8.7"},
        "files": {},
    }
    (checkpoint / "about.json").write_text(json.dumps(about))
    return folder


def draw_grid(path, number, size=(90, 60), mode="L"):
    grid = Image.new(mode, size, "white")
    grid.paste(Image.new(mode, (10, 10), "black"), (10 * number, 20))
    grid.save(path)


def losses(images, value):
    terms = {"discriminator/real": value / 2, "discriminator/fake": value / 2}
    return {
        "images": images,
        "kind": "losses",
        "discriminator": value,
        "generator": 2 * value,
        **terms,
        "opinion": 0.5,
    }


def write_log(folder, entries):
    (folder / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))

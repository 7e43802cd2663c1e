"""Write a trained run into the package, as a ready-made generator: zoo:NAME.

    python docs/make_zoo.py runs/mnist mnist --data mnist

The numbers are kept in half precision, and of the generator only the averaged weights. What is
kept is evaluated, against the data that is named, and gets a card.
"""

import json
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from PIL import Image
from safetensors.torch import save_file

import ganvas
from ganvas.export.public import make_public
from ganvas.export.push import collect_files
from ganvas.inference.run import Run
from ganvas.io.files import hash_file
from ganvas.runs.folder import grid_path
from ganvas.runs.kept import Kept
from ganvas.runs.places import ZOO_FOLDER
from ganvas.runs.zoo import ZOO

# Of which the discriminator is kept, too, so that a training may begin with both.
TO_BEGIN_WITH = ("cartoon-faces", "emoji")
LARGEST = torch.finfo(torch.float16).max
COMPARED = 256  # samples whose difference to those of full precision is printed
# By features. Those of Lite0 take minutes, so not of all training images, as memorisation would.
METRICS = {
    "random": ("fd", "kd", "precision", "recall", "memorisation", "agreement"),
    "lite0": ("fd_lite0", "kd_lite0", "precision", "recall"),
}
SHOWN, COLUMNS = 60, 10  # of the picture in the documentation
PICTURES = Path(__file__).parent / "pictures"
COLOURS = 128  # of the grid, so that it is small


def reduce_run(run: Run, folder: Path, players: tuple[str, ...]) -> None:
    """Write a run folder with no more than what using a run needs.

    Args:
        run: with its averaged weights, if there are some.
        folder: new.
        players: whose weights are kept.

    Raises:
        ValueError: a weight is too large for half precision.
    """
    checkpoint = folder / "checkpoints" / run.path.name
    checkpoint.mkdir(parents=True)
    lost = {name for name, _ in run.gan.named_children()} - {*players}
    weights = {
        name: value.half() if value.is_floating_point() else value
        for name, value in run.gan.state_dict().items()
        if name.partition(".")[0] not in lost
    }
    for name, value in weights.items():
        if not value.isfinite().all():
            raise ValueError(f"{name} has values beyond {LARGEST:,.0f}")
    file = checkpoint / "gan.safetensors"
    save_file({name: value.contiguous() for name, value in weights.items()}, file)

    averaged = "ema.safetensors" in run.about["files"]
    kept = Kept(players=players, dtype="float16", weights="ema" if averaged else "last")
    about = run.about | {
        "kept": kept.model_dump(mode="json"),
        "files": {file.name: hash_file(file)},
    }
    (checkpoint / "about.json").write_text(json.dumps(about), encoding="utf-8")

    for name in ("recipe.json", "data.json"):
        shutil.copy(run.folder / name, folder)
    grid = grid_path(run.folder, run.about["images"])
    if grid.is_file():
        (folder / "samples").mkdir()
        with Image.open(grid) as picture:
            small = picture.convert("RGB").quantize(COLOURS)
        small.save(folder / "samples" / grid.name, optimize=True)


def describe_difference(run: Run, half: Run) -> str:
    """How far samples in half precision are from those in full precision, in levels of 255."""
    levels = (run.sample(COMPARED) - half.sample(COMPARED)).abs() * 127.5
    return (
        f"{COMPARED} samples in half precision differ by {levels.mean():.3f} of 255 levels in the "
        f"mean, {levels.max():.2f} at most"
    )


def evaluate_half(half: Run, data: str, count: int | None) -> None:
    """Measure a run with each kind of features; its folder keeps the values."""
    for features, metrics in METRICS.items():
        wanted = metrics if half.gan.classes else [one for one in metrics if one != "agreement"]
        measured = ganvas.evaluate(half, data=data, features=features, metrics=wanted, count=count)
        print(measured.values, *measured.notes, sep="\n", flush=True)


def write_generator(half: Run, name: str) -> int:
    """Write what the package has of a run; returns its size in bytes."""
    generator = ZOO[name]
    files = collect_files(make_public(half), generator.name, generator.licence, generator.terms)
    target = ZOO_FOLDER / name
    with TemporaryDirectory() as place:
        fresh = Path(place) / name
        for path, content in files:
            file = fresh / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.read_bytes() if isinstance(content, Path) else content)
        # the licence of the data was put there by a person
        if (licence := target / "LICENSE").is_file():
            shutil.copy(licence, fresh)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(fresh, target)
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())


def draw_picture(name: str) -> None:
    """Draw the picture of a generator for the documentation."""
    grid = ganvas.load(ZOO[name].name).grid(SHOWN, columns=COLUMNS)
    grid.convert("RGB").save(PICTURES / f"zoo-{name}.webp", quality=85, method=6)


def main() -> None:
    """Read the command, and do the steps."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("name", choices=[*ZOO])
    parser.add_argument("--data", required=True, help="with which it is compared")
    parser.add_argument("--count", type=int, help="samples that are evaluated; default: as usual")
    given = parser.parse_args()

    run = ganvas.load(given.run)
    players = tuple(name for name, _ in run.gan.named_children())
    if given.name not in TO_BEGIN_WITH:
        players = run.gan.ema_players
    with TemporaryDirectory() as place:
        folder = Path(place) / given.name
        reduce_run(run, folder, players)
        half = ganvas.load(folder)
        print(describe_difference(run, half))
        evaluate_half(half, given.data, given.count)
        if (drawn := folder / "memorisation.png").exists():
            shutil.copy(drawn, f"{given.name}-memorisation.png")
        size = write_generator(half, given.name)
    draw_picture(given.name)
    print(f"{ZOO_FOLDER / given.name}: {size / 1e6:.2f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()

"""The `ganvas` command: one verb per public function.

Nothing here imports torch before a verb needs it, so that `--help` answers at once.
"""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from ganvas.errors import UserError

app = App(
    name="ganvas",
    help="Train, judge and use generative adversarial networks on your own images.",
    help_epilogue="Start with `ganvas train`: a minute or two, nothing else needed. After an error, --debug shows its origin.",
    version_flags=["--version"],
)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: status 0; 2 after a one-line error of the user's; 128 + n after signal n."""
    tokens = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in tokens
    tokens = [token for token in tokens if token != "--debug"]
    try:
        app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os._exit(0)  # the reader of our output has seen enough
    except (UserError, CycloptsError, OSError, MemoryError, RuntimeError) as error:
        exhausted = isinstance(error, MemoryError) or "memory" in str(error)
        if isinstance(error, RuntimeError) and not exhausted:
            raise  # a fault of ours, to be seen whole
        if debug:
            traceback.print_exc()
        smaller = "--set batch=... or --set options.width=..." if tokens[:1] == ["train"] else "--size or fewer pictures"
        advice = f"; use a smaller {smaller}" if exhausted else ""
        fail(one_line(error) + advice)


def fail(message: str) -> None:
    """Print an error and leave with status 2."""
    rank = os.environ.get("RANK", "0")
    where = f" (process {rank})" if os.environ.get("WORLD_SIZE", "1") != "1" else ""
    print(f"ganvas{where}: {message}", file=sys.stderr, flush=True)
    sys.exit(2)


def one_line(error: Exception) -> str:
    """An error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__


@app.command
def train(
    recipe: str | None = None,
    *,
    data: str | None = None,
    out: Path | None = None,
    images: int | None = None,
    epochs: float | None = None,
    size: int | None = None,
    channels: int | None = None,
    fit: str | None = None,
    labels: str | None = None,
    background: str | None = None,
    seed: int | None = None,
    evaluate_every: int | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    settings: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    strict: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train a GAN. The same command on an existing run folder goes on where it stopped.

    Parameters
    ----------
    recipe
        What to train; `ganvas recipes` lists them. "auto" chooses all settings for the data and this machine, and says why.
        Without it: the run folder's own, or digits.
    data
        What to train on: a folder or zip of pictures; pairs:PLACE, unpaired:PLACE, attributes:PLACE or captions:PLACE, where
        PLACE is a folder or zip; shards:PLACE, tars in a folder or behind https://...; mnist, fashion-mnist, mnist:FOLDER,
        idx:FOLDER, digits, stacked-mnist, cifar10, figures (drawn birds); or points: rings, grid.
    out
        The run folder. Without it: a fresh, dated one under runs/.
    images
        Length of the whole run, in images shown. A larger number goes on with a finished run.
    epochs
        The same, in passes through the data.
    size
        Side of the pictures in pixels.
    channels
        1 for grey, 3 for colour.
    fit
        How pictures become square: crop, pad or stretch.
    labels
        Classes of a folder or zip: none, folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded pictures.
    seed
        Of all random numbers; the same seed gives the same run.
    evaluate_every
        Images between two quick scores of the samples; the checkpoint with the best one is kept beside the newest.
    device
        Where to train.
    settings
        KEY=VALUE: any other setting of the recipe, e.g. --set batch=64 --set options.width=32. Can be given many times.
    strict
        Make a broken picture an error.
    dry_run
        Only show what would be done, with the memory and time expected.
    quiet
        Say nothing.
    """
    if images is not None and epochs is not None:
        raise UserError("--images and --epochs both set the length of the run; give one of them")
    direct = {"size": size, "channels": channels, "fit": fit, "labels": labels, "background": background}
    direct["evaluate_every"] = evaluate_every
    changes = parse_settings(settings or [])
    flags = direct | {"data": data, "images": images, "seed": seed}
    for key in changes.keys() & {key for key, value in flags.items() if value is not None}:
        raise UserError(f"--{key.replace('_', '-')} and --set {key}= are the same setting; give one of them")
    changes |= {key: value for key, value in direct.items() if value is not None}
    from ganvas import trainer
    from ganvas.run_folder import read_recipe

    if dry_run:
        from ganvas.engine import pick_device
        from ganvas.plan import print_plan

        own = read_recipe(out) if out else None
        asked = trainer.resolve(
            recipe, own, pick_device(device), data=data, images=images, seed=seed, settings=changes, progress=True
        )
        print_plan(asked, own, out or Path("runs"), epochs, device, strict)
        return
    try:
        trainer.train(
            recipe,
            data=data,
            out=out,
            images=images,
            epochs=epochs,
            seed=seed,
            device=device,
            settings=changes,
            strict=strict,
            quiet=quiet,
        )
    except trainer.InterruptedRun as stop:
        print(stop, file=sys.stderr, flush=True)
        sys.exit(128 + stop.number)


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """`["batch=64"]` as `{"batch": 64}`."""
    from ganvas.recipe import parse_value

    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set {pair} has no value; write --set {pair}=VALUE")
        found[key] = parse_value(value)
    return found


@app.command
def sample(
    run: Path,
    *,
    count: int = 64,
    label: str | None = None,
    seed: int = 0,
    out: Path | None = None,
    picture_format: Annotated[Literal["png", "jpg"], Parameter(name="--format")] = "png",
    grid: Path | None = None,
    columns: int | None = None,
    invert: Annotated[bool, Parameter(negative="")] = False,
    interpolate: Path | None = None,
    caption: str | None = None,
    box: str | None = None,
    keypoints: Annotated[list[str] | None, Parameter(name="--keypoint", negative="")] = None,
    caption_features: Path | None = None,
    average: bool = True,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> None:
    """Make pictures with a trained GAN: separate files, a grid, or a smooth walk from picture to picture.

    Without --out, --grid and --interpolate: separate files and a grid in RUN/generated. With --caption also a sheet of the same
    in other places.

    Parameters
    ----------
    run
        A run folder, or one checkpoint of it.
    count
        How many pictures.
    label
        The class wanted, by name or number. Without it: all classes in turn.
    seed
        Which pictures; the same seed gives the same ones, whatever the count.
    out
        Folder for separate files; with classes, a labels.csv is written beside them.
    picture_format
        Of the separate files.
    grid
        File for one picture with all of them.
    columns
        Pictures in a row of the grid. Without it: as square as possible.
    invert
        Swap dark and light, e.g. dark ink on white for digits.
    interpolate
        File (.gif or .webp) for a smooth walk through the noise.
    caption
        What to draw, for runs that learnt from captions.
    box
        Where to draw it: X,Y,WIDTH,HEIGHT in pixels of the pictures made. Without it: in the middle.
    keypoints
        PART=X,Y: where a part of it is, in pixels. Can be given many times; the GAN places the other parts.
    caption_features
        File (.safetensors) with the caption as numbers, for runs that learnt from such.
    average
        Use the moving average of the weights, where the run has one.
    device
        Where to make them.
    """
    if caption or box or keypoints or caption_features:
        of_no_use = {"--label": label, "--grid": grid, "--columns": columns, "--invert": invert, "--interpolate": interpolate}
        if found := [flag for flag, value in of_no_use.items() if value]:
            raise UserError(f"{', '.join(found)} cannot go with --caption, --box or --keypoint")
        from ganvas.place import write_placed

        for line in write_placed(
            run,
            caption=caption,
            box=box,
            keypoints=keypoints or [],
            features=caption_features,
            count=count,
            seed=seed,
            out=out,
            ending=picture_format,
            average=average,
            device=device,
        ):
            print(line)
        return
    from ganvas.generate import write_samples

    for line in write_samples(
        run,
        count=count,
        label=label,
        seed=seed,
        out=out,
        ending=picture_format,
        grid=grid,
        columns=columns,
        invert=invert,
        walk=interpolate,
        average=average,
        device=device,
    ):
        print(line)


@app.command
def restore(
    run: Path,
    pictures: Path,
    *,
    mask: Path | None = None,
    box: str | None = None,
    out: Path | None = None,
    candidates: int | None = None,
    size: int | None = None,
    steps: int | None = None,
    label: str | None = None,
    seed: int = 0,
    average: bool = True,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> None:
    """Fill holes in pictures, with a GAN that learnt to or with any that makes pictures from noise.

    The first is a run of the recipe inpaint. Of the others the noise is searched for pictures that fit around the hole; without
    a hole, for the whole picture. Everything outside the hole stays as it is, to the bit.

    Parameters
    ----------
    run
        A run folder, or one checkpoint of it.
    pictures
        A picture, or a folder or zip of them.
    mask
        A picture of the same size, white in the hole; or a folder of them, by the pictures' names. Without it and --box: the hole
        is where the picture is transparent.
    box
        The hole as left,top,width,height in pixels.
    out
        Folder for the restored pictures and, in sub-folders, sheets, other candidates and noise. Without it: RUN/restored.
    candidates
        How many different ones a search is to find. Without it: 4.
    size
        Shorter side in pixels to which a picture is brought for a GAN that learnt to fill holes. Without it: its own.
    steps
        Of the search. Without it: 300.
    label
        The class wanted of a search, by name or number. Without it: whichever fits best.
    seed
        Of the search's starts.
    average
        Use the moving average of the weights, where the run has one.
    device
        Where to work.
    """
    from ganvas.restore import Settings, write_restored

    settings = Settings(candidates=candidates, size=size, seed=seed, steps=steps, label=label)
    for line in write_restored(run, pictures, mask, box, out, settings, average=average, device=device):
        print(line)


@app.command
def translate(
    run: Path,
    pictures: Annotated[list[Path], Parameter(negative="")],
    *,
    out: Path | None = None,
    to: str | None = None,
    settings: Annotated[list[str] | None, Parameter(name="--set", negative="")] = None,
    size: int | None = None,
    seed: int = 0,
    average: bool = True,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> None:
    """Turn pictures of one kind into another with a trained GAN: pix2pix, cyclegan or stargan.

    Writes one file for each picture and a sheet with all beside their originals. Pictures may have any size: cyclegan and stargan
    take them as they are, large ones in parts; pix2pix at the size that it learnt from.

    Parameters
    ----------
    run
        A run folder, or one checkpoint of it.
    pictures
        Pictures, and folders or zips of them.
    out
        Folder for the results. Without it: RUN/translated.
    to
        The domain wanted of cyclegan, a or b. Without it: b.
    settings
        NAME=1 or NAME=0, several with commas between: attributes wanted of stargan, e.g. --set Eyeglasses=1,Black_Hair=1. Without
        it: every attribute in turn.
    size
        Shorter side in pixels to which pictures are brought first.
    seed
        Of the noise, where the GAN has some.
    average
        Use the moving average of the weights, where the run has one.
    device
        Where to make them.
    """
    from ganvas.translate import parse_attributes, write_translations

    wanted = parse_attributes(settings or [])
    for line in write_translations(
        run, pictures, out=out, to=to, settings=wanted, size=size, seed=seed, device=device, average=average
    ):
        print(line)


@app.command
def health(run: Path, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """The doctor's opinion of a run, finished or going: what is wrong, why it thinks so, and what to do.

    Parameters
    ----------
    run
        A run folder.
    json
        Print it as JSON.
    """
    from ganvas.health import print_health

    print_health(run, json)


@app.command
def evaluate(
    *sets: str,
    data: str | None = None,
    metrics: str | None = None,
    features: str | None = None,
    weights: Path | None = None,
    count: int | None = None,
    seed: int = 0,
    size: int | None = None,
    channels: int | None = None,
    fit: str | None = None,
    labels: str | None = None,
    background: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> None:
    """Judge runs, or any pictures, by real ones: distances, precision and recall, memorisation, classes.

    A run is compared with the test set that was published with its data or, where there is none, with the pictures that it
    learnt from. If the last set is no run, all others are compared with it.

    Parameters
    ----------
    sets
        Run folders or checkpoints; folders or zips of pictures; data sets such as mnist-test:FOLDER; noise (random pixels).
    data
        Where the runs' data is, if it was moved. Sets that are no runs are then compared as if trained on it.
    metrics
        Names with commas between them: fd (fid with Inception), kd (kid), classifier_score (inception_score), precision, recall,
        density, coverage, memorisation, modes, agreement, class_fd (class_fid), tstr; of GANs that work on pictures or captions
        fidelity, holes, cycle, attributes, places; or all. Without it: a
        choice that suits the data and takes minutes at most; all: every possible one.
    features
        What the pictures are seen through: inception, inception-legacy (resized as the first FIDs were, for comparison with
        papers), classifier, random or pixels. Without it: of labelled grey pictures
        (digits, MNIST) a classifier trained on them once, a minute or less; of colour pictures of 32 pixels or more Inception,
        if its weights are named or in the cache; of points their coordinates; else a network with random weights.
    weights
        A file of weights for inception (the default with this flag) or classifier.
    count
        How many samples. Without it: 10,000; of points 2,500, of stacked-mnist 26,000.
    seed
        Of the samples, as in `ganvas sample`, and of all choices at random.
    size
        Bring all pictures to this side in pixels.
    channels
        1 for grey, 3 for colour.
    fit
        How pictures become square: crop, pad or stretch.
    labels
        Classes of a folder or zip: none, folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded pictures.
    json
        Print values and protocols as JSON.
    device
        Where samples and features are made.
    """
    from ganvas.evaluation.verdict import run_evaluate

    view = {"size": size, "channels": channels, "fit": fit, "labels": labels, "background": background}
    run_evaluate(
        sets,
        data,
        json,
        metrics=None if metrics is None else metrics.split(","),
        features=features,
        weights=weights,
        count=count,
        seed=seed,
        view={key: value for key, value in view.items() if value is not None},
        device=device,
    )


@app.command
def data(
    spec: str,
    *,
    size: int | None = None,
    channels: int | None = None,
    fit: str = "crop",
    labels: str = "none",
    background: str = "white",
    out: Path = Path("contact-sheet.png"),
    strict: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """The data doctor: what is in a folder, zip or data set, what is broken, and what training will see.

    Parameters
    ----------
    spec
        A folder or zip of pictures; pairs:PLACE, unpaired:PLACE, attributes:PLACE or captions:PLACE; shards:PLACE; mnist,
        fashion-mnist, mnist:FOLDER, idx:FOLDER, digits, stacked-mnist, cifar10, figures, rings or grid.
    size
        Side of the pictures that training will see, in pixels.
    channels
        1 for grey, 3 for colour.
    fit
        How pictures become square: crop, pad or stretch.
    labels
        Classes of a folder or zip: none, folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded pictures.
    out
        File (PNG) for the contact sheet, written anew each time: pictures as training will see them.
    strict
        Make a broken picture an error.
    json
        Print the report as JSON.
    """
    from ganvas.data.doctor import run_doctor
    from ganvas.recipe import make_view

    view = make_view(size=size, channels=channels, fit=fit, labels=labels, background=background)
    run_doctor(spec, view, out, strict, json)


@app.command
def pack(
    spec: str,
    *,
    out: Path | None = None,
    shards: Annotated[bool, Parameter(negative="")] = False,
    shard_images: int | None = None,
    size: int | None = None,
    channels: int | None = None,
    fit: str = "crop",
    labels: str = "none",
    background: str = "white",
    strict: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Decode pictures ahead of a training: into the cache or, with --shards, into tars that a training reads from afar.

    Without --shards: what the first training on a folder or zip does by itself, now; tells where in the cache it is. With
    --shards: tars in webdataset's layout with an index.json, in random order, for --data shards:FOLDER and shards:https://....

    Parameters
    ----------
    spec
        A folder or zip of pictures, or another data set with one picture a row, such as mnist:FOLDER.
    out
        Folder for the shards; it must not exist yet.
    shards
        Write shards.
    shard_images
        Pictures in a shard. Without it: 1,000, or fewer of large pictures, so that a decoded shard has at most 64 MiB.
    size
        Side of the pictures in pixels, as training will see them.
    channels
        1 for grey, 3 for colour.
    fit
        How pictures become square: crop, pad or stretch.
    labels
        Classes of a folder or zip: none, folders, or a CSV file (file,label).
    background
        Colour behind transparent pixels and around padded pictures.
    strict
        Make a broken picture an error.
    """
    from ganvas.data.sharding import pack
    from ganvas.recipe import make_view

    view = make_view(size=size, channels=channels, fit=fit, labels=labels, background=background)
    progress = sys.stderr.isatty()
    for line in pack(spec, view, out, shards=shards, shard_images=shard_images, strict=strict, progress=progress):
        print(line)


@app.command
def theory(
    *,
    target: str = "gaussian",
    loss: str = "non-saturating",
    penalty: float = 0.05,
    d_steps: int = 2,
    steps: int = 4000,
    seed: int = 0,
    out: Path = Path("runs/theory"),
) -> None:
    """Watch a GAN on a line come to rest, or not: the theory in numbers and in pictures.

    Writes figure 1 of the first paper (four-panels.png), its course (course.gif, course.webp) and why it is hard (saddle.png).

    Parameters
    ----------
    target
        The density to learn: gaussian, two, rare, five, skewed or uniform.
    loss
        What the players minimise: minimax, non-saturating, least-squares, wasserstein or relativistic.
    penalty
        Weight of R1 + R2, which keep the discriminator from being steep; 0 for none.
    d_steps
        Moves of the discriminator for each of the generator.
    steps
        Moves of the generator.
    seed
        Of all random numbers; the same seed gives the same game.
    out
        Folder for the pictures.
    """
    from ganvas.theory.game import Settings
    from ganvas.theory.lab import run_lab

    run_lab(Settings(target=target, loss=loss, steps=steps, d_steps=d_steps, penalty=penalty, seed=seed), out)


@app.command
def recipes(name: str | None = None) -> None:
    """List what can be trained, or show one recipe whole.

    Parameters
    ----------
    name
        The recipe to show.
    """
    from ganvas.plan import print_recipe, print_recipes

    if name is None:
        print_recipes()
    else:
        print_recipe(name)

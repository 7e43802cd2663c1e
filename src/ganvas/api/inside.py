"""`ganvas.inside`: as the verb, with results in memory."""

from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.api.making import find_run
from ganvas.data import open_dataset
from ganvas.data.loader import on_device
from ganvas.errors import UserError
from ganvas.evaluation.conditional import unseen_rows
from ganvas.inference.inside.look import Inside, look_inside
from ganvas.inference.run import Run
from ganvas.io.files import refuse_used
from ganvas.runs.trust import read_safe_recipe

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["inside", "look_into_run"]

ROWS = 16  # of the data, of which the seed chooses one


def inside(
    run: Run | str | Path,
    *,
    seed: int = 0,
    label: str | int | None = None,
    data: str | Path | None = None,
    out: str | Path | None = None,
    ema: bool = True,
    device: str = "auto",
) -> Inside:
    """Look inside a trained GAN: what each layer makes of one image, walks, and sums of noise.
    Files are written only where `out` is given.

    Args:
        run: a run, its folder or one of its checkpoints, or its name: zoo:NAME, hf:OWNER/NAME.
        seed: of the noise; of GANs that need a row of data, also the number of that row.
        label: class of the image, by its name; None: the first. Only for GANs with classes.
        data: data set of the run, if it was moved, for GANs that need a row of data; None: the one
            that it was trained on.
        out: folder for sheets and the page inside.html, new or empty.
        ema: whether to use the moving average of the weights, where there is one.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        Maps of the layers, sheets as Pillow images, and a page.

    Raises:
        UserError: the run cannot be read, an argument is wrong, or a file cannot be written.
    """
    if out is not None:
        refuse_used(Path(out))  # first, since the rest takes seconds
    found = look_into_run(find_run(run, ema, device), seed, label, data)
    if out is not None:
        found.save(out)
    return found


def look_into_run(
    run: Run, seed: int, label: str | int | None = None, data: str | Path | None = None
) -> Inside:
    """Look inside a GAN, with a row of its data where it needs one; see `inside`.

    Raises:
        UserError: the data is not there, or has no effect.
    """
    if seed < 0:
        raise UserError(f"--seed {seed}: give 0 or more")
    if run.gan.unconditional:
        if data is not None:
            raise UserError(f"--data {data} has no effect: {run.name} generates from noise alone")
        return look_inside(run, seed, label)
    if label is not None:
        raise UserError(f"--label {label} has no effect: {run.name} generates from a row of data")
    return look_inside(run, seed, rows=_find_row(run, seed, data))


def _find_row(run: Run, seed: int, data: str | Path | None) -> "dict[str, Tensor]":
    """A row of data that a run was not trained on, as a batch on its device.

    Raises:
        UserError: the data is not there.
    """
    recipe = read_safe_recipe(run.place, run.path, run.about)
    spec = data or recipe.data
    if not spec:
        raise UserError(
            f"{run.name} was trained on {run.about['data']['spec']}, which is not here: "
            "name data with --data"
        )
    dataset = open_dataset(str(spec), recipe.test_view)
    rows = unseen_rows(run, recipe, dataset, ROWS)
    number = seed % len(next(iter(rows.values())))
    return on_device(
        {name: values[number : number + 1] for name, values in rows.items()}, run.device
    )

"""`ganvas whatif`: what goes wrong with GANs, to be seen before it happens in one's own runs."""

from pathlib import Path

from ganvas.cli.flags import Whole

__all__ = ["whatif"]


def whatif(
    name: str | None = None,
    /,
    *,
    data: str | None = None,
    size: Whole | None = None,
    labels: str | None = None,
    images: Whole | None = None,
    seed: Whole = 0,
    out: Path | None = None,
) -> None:
    """Make a weakness of GANs on purpose, mend it, and show both side by side on one page.

    It trains a broken and a mended GAN from the same seed, and writes NAME.html, a page in English
    and Chinese, and NAME.png.

    Parameters
    ----------
    name
        What goes wrong: no-batch-norm, d-too-fast, no-smoothing, wrong-range, missing-class,
        rate-too-high, too-few-images, mode-collapse or non-convergence. Without it: a list of them.
    data
        Data set to train on instead of the built-in ones: a name such as mnist, or a folder or zip
        of images; for non-convergence points, rings or grid.
    size
        Side in pixels to which images are resized; only with --data. Default: their own.
    labels
        Classes of a folder or zip, for missing-class: folders, or a table.
    images
        Length of each of the two trainings, in images shown. Default: two minutes at most for both
        on one CPU core, with the built-in data.
    seed
        Random seed; the same seed gives the same result.
    out
        Folder for the results, new or empty: the page and the picture. Without it: runs/whatif/1,
        then runs/whatif/2, and so on.
    """
    from ganvas.whatif.lab import collect_changes, list_experiments, run_lab

    if name is None:
        list_experiments()
        return
    run_lab(name, collect_changes(data, size, labels, images, seed), out)

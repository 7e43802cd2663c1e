"""`ganvas inside`: what the layers of a trained GAN compute."""

from pathlib import Path

from ganvas.cli.flags import AS_USUAL, Loading, Whole

__all__ = ["inside"]


def inside(
    run: Path,
    /,
    *,
    seed: Whole = 0,
    label: str | None = None,
    data: str | None = None,
    out: Path | None = None,
    loading: Loading = AS_USUAL,
) -> None:
    """Look inside a trained GAN: what each layer makes of one image, walks, and sums of noise.

    Writes sheets, and inside.html: a page with all of them and with words, in English and Chinese.
    There are maps of the generator and of the discriminator for every GAN; ways from class to
    class, from noise to noise and sums a - b + c where it generates from noise and a class at most.

    Parameters
    ----------
    run
        Run folder, one of its checkpoints, or a name: zoo:NAME or hf:OWNER/NAME[@REVISION].
    seed
        Random seed of the noise; the same seed gives the same image. Of GANs that need a row of
        data, also the number of that row.
    label
        Class to generate, by its name; where no class is called by a number, also by its place,
        from 0. Without it: the first.
    data
        Data set of the run, if it was moved, for GANs that need a row of data.
    out
        Folder for the results, new or empty: sheets and inside.html. Without it: RUN/inside/1, then
        RUN/inside/2, and so on.
    """
    from ganvas.api.inside import look_into_run
    from ganvas.inference.inside.look import write_inside
    from ganvas.io.console import print_text
    from ganvas.io.files import refuse_used

    if out is not None:
        refuse_used(out)  # first, since the rest takes seconds
    loaded = loading.load(run)
    found = look_into_run(loaded, seed, label, data)
    print_text(*write_inside(loaded, found, out))

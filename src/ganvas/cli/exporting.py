"""`ganvas export`: a trained generator as a file for other programs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganvas.cli.early import check_run
from ganvas.cli.flags import Switch
from ganvas.cli.making import print_lines

__all__ = ["export"]


def export(
    run: Path,
    /,
    *,
    to: str,
    out: Path | None = None,
    half: Switch = False,
    licence: Annotated[str | None, Parameter(name=["--licence", "--license"])] = None,
    runtime: Path | None = None,
    ema: bool = True,
) -> None:
    """Write a trained generator as files that run without Ganvas.

    They are tried and compared with PyTorch before they are written. A GAN that translates to two
    domains gets a file for each.

    Parameters
    ----------
    run
        Run folder, one of its checkpoints, or a name: zoo:NAME or hf:OWNER/NAME[@REVISION].
    to
        Target format: onnx, a file for many languages and browsers; page, an HTML file that opens
        from the disk in any browser, without network; or safetensors, a folder with weights and
        plain PyTorch code. The first two need pip install 'ganvas[onnx]'.
    out
        Folder for the results, new or empty; for onnx and page also a file (.onnx, .html). Without
        it: RUN/exported/1, then RUN/exported/2, and so on.
    half
        Store weights in half precision, in half the space.
    licence
        Licence of the generator, such as "CC BY 4.0", for its description. Without it:
        that of a ready-made generator; of others nothing is said.
    runtime
        For pages: the package onnxruntime-web of npm (.tgz), or a folder with its files. Without
        it: it is downloaded. Either way it is kept in the cache, and needed once.
    ema
        Use the moving average (EMA) of the weights if the run has one; its images are usually
        better. --no-ema: the weights as they were last trained.
    """
    from ganvas.export.destination import check_export

    check_export(to, out)
    check_run(run)

    from ganvas.export.export import Request, write_export
    from ganvas.inference.run import load

    request = Request(out, half, licence, runtime)
    print_lines(str(file) for file in write_export(load(run, ema=ema), to, request))

"""`ganvas.export`: write a trained generator in a format that other programs read."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from ganvas.errors import UserError
from ganvas.export.destination import ENDINGS, check_export
from ganvas.export.graph import list_graphs
from ganvas.export.onnx import Model, convert, require_onnx
from ganvas.export.page.assemble import assemble_page, check_page
from ganvas.export.page.runtime import read_runtime
from ganvas.export.plain import write_folder
from ganvas.inference.run import Run, load
from ganvas.io.files import atomic_path, own_folder

__all__ = ["FORMATS", "Exported", "Request", "export", "name_directions", "write_export"]


@dataclass(frozen=True)
class Request:
    """How a generator is exported.

    Attributes:
        out: folder, new or empty, or a file with the format's ending; None: a new folder
            RUN/exported/1, RUN/exported/2, ...
        half: whether weights are stored in half precision.
        licence: of the generator; None: nothing is said of it.
        runtime: where the runtime of a page is, see `read_runtime`; None: it is downloaded once.
    """

    out: Path | None = None
    half: bool = False
    licence: str | None = None
    runtime: Path | None = None


@dataclass(frozen=True)
class Exported:
    """A file or folder that was written.

    Attributes:
        file: its place.
        size: in bytes.
        difference: the largest from PyTorch, of values in [-1, 1].
        seconds: that it took, with the comparison.
    """

    file: Path
    size: int
    difference: float
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.size / 1e6:.2f} MB; largest difference from PyTorch "
            f"{self.difference:.1g} of values from -1 to 1; {self.seconds:.1f} seconds"
        )


def write_onnx(run: Run, request: Request) -> Iterator[Exported]:
    """Write ONNX files: one, or one for each domain that the GAN translates to."""
    yield from _write_models(run, request, ENDINGS["onnx"], lambda model: model.content)


def write_pages(run: Run, request: Request) -> Iterator[Exported]:
    """Write HTML files: one, or one for each domain that the GAN translates to."""
    check_page(run)
    require_onnx()  # before a download
    runtime = read_runtime(request.runtime)
    yield from _write_models(
        run, request, ENDINGS["page"], lambda model: assemble_page(run, model, runtime).encode()
    )


def _write_models(
    run: Run, request: Request, ending: str, make: Callable[[Model], bytes]
) -> Iterator[Exported]:
    """Write a file for each model of a run.

    Args:
        run: of the generator.
        request: how it is exported.
        ending: of the files.
        make: the content of a file.
    """
    names = name_directions([graph.domain for graph in list_graphs(run.gan)])
    with _place_file(run, request.out, ending) as place:
        for model in convert(run, request.half, request.licence):
            name = names[model.about.get("domain", "")]
            file = place.with_stem(f"{place.stem}-{name}" if name else place.stem)
            content = make(model)
            with atomic_path(file) as partial:
                partial.write_bytes(content)
            yield Exported(file, len(content), model.difference, model.seconds)


def write_plain(run: Run, request: Request) -> Iterator[Exported]:
    """Write a folder with weights and code for PyTorch, or one for each domain."""
    graphs = list_graphs(run.gan)
    names = name_directions([graph.domain for graph in graphs])
    with own_folder(request.out, run.outputs / "exported") as place:
        for graph in graphs:
            folder = place / names[graph.domain]
            difference, seconds = write_folder(run, graph, folder, request.half, request.licence)
            size = sum(file.stat().st_size for file in folder.iterdir())
            yield Exported(folder, size, difference, seconds)


# What writes each format.
FORMATS: Mapping[str, Callable[[Run, Request], Iterator[Exported]]] = {
    "onnx": write_onnx,
    "page": write_pages,
    "safetensors": write_plain,
}


def name_directions(domains: Sequence[str]) -> dict[str, str]:
    """What the names of the files say of the domain that each translates to, by domain.

    No two are the same, also where a disk takes small and capital letters for the same.

    Args:
        domains: names that differ; "" alone where a generator has no domains.
    """
    names: dict[str, str] = {}
    taken = {""}
    for domain in domains:
        plain = name = re.sub(r"[^\w.-]+", "_", domain)
        number = 1
        while domain and name.casefold() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        names[domain] = f"to-{name}" if domain else ""
    return names


def write_export(run: Run, to: str, request: Request) -> Iterator[Exported]:
    """Write a run's generator in a format of `FORMATS`.

    Raises:
        UserError: the format is unknown, the place is not for it, or its own reasons.
    """
    check_export(to, request.out)  # first, since the rest takes long
    if request.runtime is not None and to != "page":
        raise UserError(f"--runtime {request.runtime} has no effect: it is for --to page")

    if run.device.type != "cpu":  # the copy stays where it is
        run = Run(run.path, copy.deepcopy(run.gan), run.about, torch.device("cpu"), run.place)
    yield from FORMATS[to](run, request)


def export(
    run: Run | str | Path,
    *,
    to: str,
    out: str | Path | None = None,
    half: bool = False,
    licence: str | None = None,
    runtime: str | Path | None = None,
    ema: bool = True,
) -> list[Exported]:
    """Write a trained generator as a file that runs without Ganvas, and compare it with PyTorch.

    Args:
        run: a run, its folder, or one of its checkpoints.
        to: "onnx"; "page": an HTML file that opens from the disk; or "safetensors": a folder with
            weights and plain PyTorch code.
        out: folder, new or empty; for "onnx" and "page" also a file (.onnx, .html), which is
            replaced. None: a new folder RUN/exported/1, RUN/exported/2, ...
        half: whether to store weights in half precision, in half the space.
        licence: of the generator, for its description; None: nothing is said of it.
        runtime: for pages: the npm package onnxruntime-web as a .tgz file, or a folder with its
            files; None: it is downloaded. Either way it is kept in the cache, and needed once.
        ema: whether to use the moving average of the weights, where there is one.

    Returns:
        The files or folders that were written; a CycleGAN has one for each direction.

    Raises:
        UserError: the format is unknown, a package is missing, the result differs from PyTorch, or
            a file cannot be written.
    """
    if isinstance(run, Run) and not ema:
        raise UserError("ema has no effect on a run that is loaded already; give its folder")
    loaded = run if isinstance(run, Run) else load(run, ema=ema)
    request = Request(
        None if out is None else Path(out),
        half,
        licence,
        None if runtime is None else Path(runtime),
    )
    return list(write_export(loaded, to, request))


@contextmanager
def _place_file(run: Run, out: Path | None, ending: str) -> Iterator[Path]:
    """The file to write: `out` if it has that ending, otherwise one in that folder, or in a new one
    of the run.

    Raises:
        UserError: the folder is not empty.
    """
    if out is not None and out.suffix.lower() == ending:
        yield out
        return
    with own_folder(out, run.outputs / "exported") as folder:
        yield folder / f"{run.title}{ending}"

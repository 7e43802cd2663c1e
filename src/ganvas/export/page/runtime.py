"""Where the runtime of a page comes from: onnxruntime-web, downloaded once, or given as files."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ganvas.errors import UserError
from ganvas.io.cache import cache_folder
from ganvas.io.download import Published, download
from ganvas.io.files import atomic_path
from ganvas.io.reading import expand_home, explain_error, open_file, read_bytes
from ganvas.io.tars import TarError, list_tar

__all__ = ["RUNTIME", "SCRIPT", "WASM", "Runtime", "read_runtime"]

VERSION = "1.30.0"
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
MAX_UNPACKED = 2**29  # bytes of the package

# MIT licence; both servers serve the files of the npm package.
RUNTIME = Published(
    f"onnxruntime-web {VERSION}",
    (
        f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/",
        f"https://unpkg.com/onnxruntime-web@{VERSION}/dist/",
    ),
    {
        SCRIPT: "sha256:11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
        WASM: "sha256:3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    },
    f"get the package with `npm pack onnxruntime-web@{VERSION}` and give the file by --runtime",
    {SCRIPT: 73_054, WASM: 14_239_897},
)


class Runtime(NamedTuple):
    """What runs ONNX models in a browser.

    Attributes:
        script: an ES module.
        wasm: the program that the module loads.
    """

    script: bytes
    wasm: bytes


def read_runtime(place: Path | None) -> Runtime:
    """The runtime, checked by its digests.

    Args:
        place: the package as npm packs it (.tgz), or a folder with the two files, from where they
            are copied into the cache; None: the cache, into which it is downloaded if need be.

    Raises:
        UserError: it cannot be downloaded, or the place does not hold it.
    """
    folder = cache_folder() / "runtimes" / f"onnxruntime-web-{VERSION}"
    if place is None:
        download(RUNTIME, folder, progress=True)
        return _check(_read_folder(folder), folder)

    place = expand_home(place)
    runtime = _check(_read_folder(place) if place.is_dir() else _read_package(place), place)
    _keep(runtime, folder)
    return runtime


def _keep(runtime: Runtime, folder: Path) -> None:
    """Write what was given into the cache, so that it need not be given again."""
    for name, content in ((SCRIPT, runtime.script), (WASM, runtime.wasm)):
        # a cache that cannot be written to is no reason not to make the page
        if not (folder / name).is_file():
            with suppress(UserError), atomic_path(folder / name) as partial:
                partial.write_bytes(content)


def _check(found: dict[str, bytes], place: Path) -> Runtime:
    """Compare the files with the published ones.

    Raises:
        UserError: one is missing or another one.
    """
    for name, digest in RUNTIME.files.items():
        if name not in found:
            raise UserError(f"--runtime {place}: there is no {name} in it; {RUNTIME.elsewhere}")
        if f"sha256:{hashlib.sha256(found[name]).hexdigest()}" != digest:
            raise UserError(
                f"--runtime {place}: its {name} is not that of {RUNTIME.name}; {RUNTIME.elsewhere}"
            )
    return Runtime(found[SCRIPT], found[WASM])


def _read_folder(folder: Path) -> dict[str, bytes]:
    """The files of the runtime that lie in a folder, or in `dist` or `package/dist` below it."""
    for inner in (folder, folder / "dist", folder / "package" / "dist"):
        if (inner / WASM).is_file():
            files = (inner / name for name in RUNTIME.files)
            return {file.name: read_bytes(file, MAX_UNPACKED) for file in files if file.is_file()}
    return {}


def _read_package(file: Path) -> dict[str, bytes]:
    """The files of the runtime that lie in a package of npm.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with open_file(file) as packed, gzip.open(packed) as unpacked:
            content = unpacked.read(MAX_UNPACKED)
        return dict(_read_members(content))
    except (OSError, EOFError, zlib.error, TarError) as error:
        raise UserError(
            f"--runtime {file} is no package of npm: {explain_error(error)}; {RUNTIME.elsewhere}"
        ) from None


def _read_members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the runtime's files in a tar."""
    for name, size, start in list_tar(io.BytesIO(content), len(content)):
        folder, _, own = name.rpartition("/")
        if folder == "package/dist" and own in RUNTIME.files:
            yield own, content[start : start + size]

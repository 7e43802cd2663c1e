"""Read safetensors files that others may have written. Unlike a pickle, none can run code."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load, load_file
from torch import Tensor

from ganvas.io.reading import DamagedFileError, check_regular, explain_error

__all__ = ["parse_tensors", "read_notes", "read_shapes", "read_tensor_file"]

# What a header that does not fit its file makes the library raise: besides its own error, what a
# type that PyTorch lacks or a name that is no text leads to.
DAMAGE = (
    OSError,
    SafetensorError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    MemoryError,
)


def read_tensor_file(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a .safetensors file, by name, on the CPU.

    Raises:
        DamagedFileError: there is no such file, or it is damaged.
    """
    try:
        check_regular(path)
        return load_file(path)
    except DAMAGE as error:
        raise _damaged(str(path), error) from None


def parse_tensors(content: bytes, where: str) -> dict[str, Tensor]:
    """Read the tensors of the bytes of a .safetensors file, by name.

    Args:
        content: of the file.
        where: name of the file, in messages.

    Raises:
        DamagedFileError: it is damaged.
    """
    try:
        return load(content)
    except DAMAGE as error:
        raise _damaged(where, error) from None


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes of the tensors of a .safetensors file by name; no tensor is read.

    Raises:
        DamagedFileError: there is no such file, or it is damaged.
    """
    try:
        check_regular(path)
        with safe_open(path, "numpy") as file:
            # `keys`, since it is no mapping.
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except DAMAGE as error:
        raise _damaged(str(path), error) from None


def read_notes(path: Path) -> dict[str, str]:
    """Read the texts that a .safetensors file holds besides its tensors, by name.

    Raises:
        DamagedFileError: there is no such file, or it is damaged.
    """
    try:
        check_regular(path)
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except DAMAGE as error:
        raise _damaged(str(path), error) from None


def _damaged(where: str, error: Exception) -> DamagedFileError:
    """The error to raise for what reading a file raised."""
    # The system's errors are about reading, all others about the content.
    how = "cannot be read" if isinstance(error, OSError) else "is damaged"
    return DamagedFileError(f"{where} {how}: {explain_error(error)}")

"""Tensors from files of weights, without running any code that a file may hold."""

import hashlib
import io
from pathlib import Path

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.io.reading import read_bytes
from ganvas.io.tensors import read_tensor_file

__all__ = ["read_published_pth", "read_safetensors"]


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a .safetensors file, by name.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    return read_tensor_file(path)


def read_published_pth(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read the tensors of a published .pth file, by name, after checking its digest.

    A .pth file is a pickle. Only the one file whose digest is known is ever given to PyTorch's
    reader, and that reader refuses everything but tensors.

    Args:
        path: the file.
        sha256: its published SHA-256, in hexadecimal.

    Raises:
        UserError: the file cannot be read, or its content is another.
    """
    # Read once, so that the bytes that are loaded are those that were checked.
    content = read_bytes(path)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UserError(
            f"{path} has the sha256 {found}, expected {sha256}: "
            "give the published file, or the tensors of another one as .safetensors"
        )
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)

"""Read the tensors of a PyTorch .pth file without unpickling it.

Such a file is a pickle, that is, a program which may call anything, and the numbers beside it. The
pickle of a plain dictionary of tensors needs a handful of instructions; here they are read as data,
into dictionaries, tuples and descriptions of tensors. Nothing that the file names is ever imported
or called, and a file that names anything else is refused.
"""

import io
import math
import pickletools
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import torch
from torch import Tensor

from ganvas.errors import UserError

Kind = TypeVar("Kind")

MAGIC = 0x1950A86A20F9469CFC6C  # with which files written before torch 1.6 begin
LEGACY_VERSION = 1001

DICTIONARY = "collections OrderedDict"
TENSOR = "torch._utils _rebuild_tensor_v2"
DTYPES = {
    "torch DoubleStorage": torch.float64,
    "torch FloatStorage": torch.float32,
    "torch HalfStorage": torch.float16,
    "torch BFloat16Storage": torch.bfloat16,
    "torch LongStorage": torch.int64,
    "torch IntStorage": torch.int32,
}
VALUES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
PLAIN = {"BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"}
TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class Name:
    """Something that the file would have Python import: "module name"."""

    name: str


@dataclass(frozen=True)
class Storage:
    """A stretch of numbers that lies beside the pickle."""

    dtype: torch.dtype
    key: str
    count: int


@dataclass(frozen=True)
class View:
    """A tensor, as a part of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch_file(path: Path) -> dict[str, Tensor]:
    """The tensors of a state dict that `torch.save` wrote, in either of its formats (zip, or before
    torch 1.6).

    Raises:
        UserError: there is no such file, it is damaged, or it holds anything but a plain dictionary
            of tensors.
    """
    try:
        file = io.BytesIO(path.read_bytes())
        return read_zip(file) if file.getbuffer()[:2] == b"PK" else read_legacy(file)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # a damaged file can break anything
        reason = f"{error}" if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise UserError(
            f"{path} is not a whole PyTorch file of weights, nothing in it was run: {reason}"
        ) from error


def read_zip(file: BinaryIO) -> dict[str, Tensor]:
    """The zip: one folder with data.pkl, and each storage in data/KEY."""
    with zipfile.ZipFile(file) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("it is a compressed zip, as PyTorch writes none")
        folders = [
            name.removesuffix("data.pkl")
            for name in archive.namelist()
            if name.endswith("/data.pkl")
        ]
        if len(folders) != 1:
            raise ValueError(f"it is a zip with {len(folders)} data.pkl, not one")
        folder = folders[0]
        if (
            f"{folder}byteorder" in archive.namelist()
            and archive.read(f"{folder}byteorder") != sys.byteorder.encode()
        ):
            raise ValueError("it comes from a machine of another byte order")
        views = tensors_in(program(io.BytesIO(archive.read(f"{folder}data.pkl"))))

        def content(storage: Storage) -> bytes:
            return archive.read(f"{folder}data/{storage.key}")

        return build(views, content)


def read_legacy(file: BinaryIO) -> dict[str, Tensor]:
    """The format before torch 1.6: five pickles (magic number, version, machine, state, keys), then
    for each key a count and the numbers.
    """
    if program(file) != MAGIC:
        raise ValueError("it does not begin as one")
    if program(file) != LEGACY_VERSION:
        raise ValueError(f"its version is not {LEGACY_VERSION}")
    if program(file).get("little_endian") is not (sys.byteorder == "little"):
        raise ValueError("it comes from a machine of another byte order")
    views = tensors_in(program(file))
    sizes = {view.storage.key: view.storage for view in views.values()}
    contents = {}
    for key in program(file):
        size = 8 + sizes[key].count * sizes[key].dtype.itemsize
        found = file.read(size)
        if len(found) != size or int.from_bytes(found[:8], sys.byteorder) != sizes[key].count:
            raise ValueError("it ends too early")
        contents[key] = found[8:]
    return build(views, lambda storage: contents[storage.key])


def build(views: dict[str, View], content: Callable[[Storage], bytes]) -> dict[str, Tensor]:
    """The tensors themselves.

    Args:
        views: what each of them is.
        content: gives the bytes of a storage.
    """
    storages: dict[Storage, Tensor] = {}
    tensors = {}
    for name, view in views.items():
        storage = view.storage
        if storage not in storages:
            found, size = bytearray(content(storage)), storage.count * storage.dtype.itemsize
            if len(found) != size:
                raise ValueError(f"{name} has {len(found):,} bytes, not {size:,}")
            empty = torch.empty(0, dtype=storage.dtype)
            storages[storage] = torch.frombuffer(found, dtype=storage.dtype) if found else empty
        tensors[name] = torch.as_strided(storages[storage], view.shape, view.strides, view.offset)
    return tensors


def tensors_in(state: Any) -> dict[str, View]:
    """The state as it should be: names and tensors, each within its storage."""
    if not isinstance(state, dict) or not all(isinstance(view, View) for view in state.values()):
        raise ValueError("it holds more than a dictionary of tensors; save the state_dict() alone")
    for name, view in state.items():
        last = view.offset + sum(
            (size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True)
        )
        numbers = (view.offset, *view.shape, *view.strides)
        elements = math.prod(view.shape)
        inside = (
            min(numbers) >= 0
            and elements <= view.storage.count
            and (last < view.storage.count or not elements)
        )
        if not inside:
            raise ValueError(f"{name!r} lies outside of its numbers")
    return state


def program(file: BinaryIO) -> Any:
    """What the next pickle in a file describes; leaves the file behind its end.

    Raises:
        ValueError: it needs more than dictionaries, tuples, lists, plain values and tensors.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def take(count: int) -> list[Any]:
        if count > len(stack):
            raise ValueError("its instructions do not add up")
        start = len(stack) - count
        taken = stack[start:]
        del stack[start:]
        return taken

    def since_mark() -> list[Any]:
        return take(len(stack) - marks.pop())

    for code, argument in instructions(file):
        if code in PLAIN:
            stack.append(argument)
        elif code in VALUES:
            stack.append(VALUES[code])
        elif code in TUPLES:
            stack.append(tuple(take(TUPLES[code])))
        elif code == "TUPLE":
            stack.append(tuple(since_mark()))
        elif code == "MARK":
            marks.append(len(stack))
        elif code in ("EMPTY_DICT", "EMPTY_LIST"):
            stack.append({} if code == "EMPTY_DICT" else [])
        elif code in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif code in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif code == "GLOBAL":
            stack.append(known(argument))
        elif code == "BINPERSID":
            stack.append(storage_of(*take(1)))
        elif code == "REDUCE":
            stack.append(made(*take(2)))
        elif code in ("SETITEM", "SETITEMS"):
            items = take(2) if code == "SETITEM" else since_mark()
            keys = [expect(key, str) for key in items[::2]]
            expect(stack[-1], dict).update(zip(keys, items[1::2], strict=True))
        elif code in ("APPEND", "APPENDS"):
            items = take(1) if code == "APPEND" else since_mark()
            expect(stack[-1], list).extend(items)
        elif (
            code == "BUILD"
        ):  # attributes of the dictionary, such as versions of layers: not needed
            expect(take(1)[0], dict)
            expect(stack[-1], dict)
        elif code != "PROTO":
            raise ValueError(f"it has the instruction {code}, which weights do not need")
    (result,) = stack
    return result


def instructions(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Names and arguments of a pickle's instructions, but for the one that ends it."""
    for operation, argument, _ in pickletools.genops(file):
        if operation.name != "STOP":
            yield operation.name, argument


def known(name: str) -> Name:
    """One of the few names that a file of weights has to mention."""
    if name not in (DICTIONARY, TENSOR, *DTYPES):
        raise ValueError(f"it asks for {name.replace(' ', '.')}, which weights do not need")
    return Name(name)


def storage_of(reference: Any) -> Storage:
    """A storage from its description:

    ("storage", type, key, device, count), and None in the old format.
    """
    word, kind, key, _, count, *rest = expect(reference, tuple)
    if word != "storage" or rest not in ([], [None]):
        raise ValueError("it shares storages in a way that weights do not need")
    return Storage(DTYPES[expect(kind, Name).name], expect(key, str), expect(count, int))


def made(what: Any, arguments: Any) -> Any:
    """What the file would have had made by a call: an empty dictionary, or a tensor."""
    name = expect(what, Name).name
    if name == DICTIONARY and arguments == ():
        return {}
    if name != TENSOR:
        raise ValueError(f"it calls {name.replace(' ', '.')} in a way that weights do not need")
    # the rest: gradient wanted or not, hooks
    numbers, offset, shape, strides, *_ = expect(arguments, tuple)
    for number in (offset, *expect(shape, tuple), *expect(strides, tuple)):
        expect(number, int)
    return View(expect(numbers, Storage), offset, shape, strides)


def expect(value: Any, kind: type[Kind]) -> Kind:
    """The value, if it is of that kind."""
    if not isinstance(value, kind):
        raise ValueError(f"it has a {type(value).__name__} where a {kind.__name__} belongs")
    return value

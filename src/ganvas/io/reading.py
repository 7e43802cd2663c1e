"""Read files that others may have written: only regular files, of bounded size, checked content.

Whatever such a file holds, nothing but `DamagedFileError` comes out, which names the file.
"""

import json
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ganvas.errors import UserError, describe_validation

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = [
    "DamagedFileError",
    "check_regular",
    "check_values",
    "expand_home",
    "explain_error",
    "open_file",
    "parse_json",
    "read_bytes",
    "read_json",
    "read_json_lines",
    "read_text",
]

MAX_BYTES = 2**30  # of a file that is read into memory as a whole; ours have some MiB at most
MAX_DEPTH = 64  # of nested lists and objects in a JSON file; ours have a handful
MAX_DIGITS = 300  # of an integer in a JSON file: beyond it, it is no floating-point number, either
# What kinds of files there are that are no regular files, by the test for each.
KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}

Model = TypeVar("Model", bound="BaseModel")


class DamagedFileError(UserError):
    """A file has unexpected content; the message names it and the reason."""


def expand_home(place: str | Path) -> Path:
    """A path in which `~` and `~NAME` stand for home folders.

    Raises:
        UserError: there is no such user, or the name holds a NUL byte.
    """
    if "\0" in str(place):
        raise UserError(f"{str(place)!r} is no path: it holds a NUL byte")
    try:
        return Path(place).expanduser()
    except RuntimeError:
        user = Path(place).parts[0]
        raise UserError(f"{place}: {user} is no home folder on this machine") from None


def explain_error(error: Exception) -> str:
    """Why something could not be read, in a few words without the path."""
    return (getattr(error, "strerror", "") or str(error)).strip() or type(error).__name__


def check_regular(path: Path) -> os.stat_result:
    """Refuse what is no regular file: reading a pipe may wait for ever, and a device has no end.

    Returns:
        what the system knows of the file.

    Raises:
        OSError: it is missing, of another kind, or may not be looked at.
    """
    try:
        state = path.stat()
    except ValueError as error:  # a name with a NUL byte
        raise OSError(str(error)) from None
    if not stat.S_ISREG(state.st_mode):
        kind = next((name for test, name in KINDS.items() if test(state.st_mode)), "something else")
        raise OSError(f"it is {kind}, not a file")
    return state


def open_file(path: Path) -> BufferedReader:
    """Open a regular file for reading its bytes.

    Raises:
        DamagedFileError: it is missing, no regular file, or may not be read.
    """
    try:
        check_regular(path)
        return path.open("rb")
    except OSError as error:
        raise DamagedFileError(f"{path} cannot be read: {explain_error(error)}") from None


def read_bytes(path: Path, most: int = MAX_BYTES) -> bytes:
    """The content of a regular file.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        DamagedFileError: it is missing, no regular file, may not be read, or has more bytes.
    """
    with open_file(path) as file:
        try:
            content = file.read(most + 1)  # one more shows that there are more
        except (OSError, MemoryError) as error:
            raise DamagedFileError(f"{path} cannot be read: {explain_error(error)}") from None
    if len(content) > most:
        raise DamagedFileError(
            f"{path} cannot be read: it has more than {most / 2**20:,.0f} MiB, so it is not the "
            "expected file"
        )
    return content


def read_text(path: Path, errors: str = "strict") -> str:
    """The content of a text file in UTF-8.

    Args:
        path: of the file.
        errors: what becomes of bytes that are not UTF-8, as in `bytes.decode`.

    Raises:
        DamagedFileError: as `read_bytes`; or it is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8", errors)
    except UnicodeDecodeError as error:
        raise DamagedFileError(f"{path} cannot be read: {error}") from None


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        DamagedFileError: there is no such file, or `parse_json` cannot read it.
    """
    text = read_text(path)
    try:
        return parse_json(text)
    except ValueError as error:
        raise DamagedFileError(f"{path} cannot be read: {error}") from None


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read a file with a JSON object a line; what a crash has cut short is left out.

    Yields:
        the number of each line, from 1, and its object.

    Raises:
        DamagedFileError: it cannot be read, or a line is JSON but not an object.
    """
    # Not `splitlines`: JSON's texts may hold characters at which it would cut, too.
    for number, line in enumerate(read_text(path, errors="replace").split("\n"), 1):
        try:
            value = parse_json(line)
        except json.JSONDecodeError:  # first, since it is a ValueError, too
            continue
        except ValueError as error:
            raise DamagedFileError(
                f"{path} is damaged: line {number}: {error}; remove the line"
            ) from None
        if not isinstance(value, dict):
            raise DamagedFileError(
                f"{path} is damaged: line {number}: it is not an object; remove the line"
            )
        yield number, value


def check_values(model: type[Model], values: Any, path: Path, advice: str = "") -> Model:
    """Check what was read from a file against what it must have.

    Args:
        model: of pydantic.
        values: such as `read_json` returns.
        path: of the file, in messages.
        advice: what to do, at the end of the message.

    Raises:
        DamagedFileError: a value is missing, unknown, or not allowed.
    """
    # Imported here: `ganvas --help` needs none of it.
    from pydantic import ValidationError

    try:
        return model.model_validate(values)
    except ValidationError as error:
        end = f"; {advice}" if advice else ""
        raise DamagedFileError(f"{path} is damaged: {describe_validation(error)}{end}") from None


def parse_json(text: str) -> Any:
    """Parse JSON from anywhere, raising nothing but ValueError.

    Raises:
        ValueError: it is not JSON, has an integer of more than MAX_DIGITS digits, or more than
            MAX_DEPTH nested levels.
    """
    try:
        value = DECODER.decode(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None

    # Nesting that the decoder accepts could still break code that prints or compares the value.
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        level = below
    if level:
        raise ValueError("it is nested too deeply")
    return value


def _parse_integer(digits: str) -> int:
    """An integer that can also become a floating-point number.

    Raises:
        ValueError: it has too many digits.
    """
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"it has a number of {len(digits):,} digits")
    return int(digits)


DECODER = json.JSONDecoder(parse_int=_parse_integer)

"""Read files that are made up at random: the numbers of examples, and how files are made up."""

import copy
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganvas.errors import UserError
from ganvas.io.images import UnreadableError

FEW = 50  # examples of each reader in every run of the tests
MANY = int(os.environ.get("GANVAS_FUZZ", 1_000))  # in the slow ones

Read = Callable[[bytes], object]
Files = st.SearchStrategy[bytes]
# Bytes that often mean something: lengths, ends, signs, quotes.
TELLING = [
    b"",
    b"\0",
    b"\xff" * 8,
    b"\x80" + b"\0" * 7,
    b"-1",
    b"9" * 20,
    b'"',
    b"\n",
    b"{",
    b"NaN",
]
LONG = 2_000  # characters of the longest text


@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Attributes:
        read: reads the content of a file.
        files: contents.
    """

    read: Read
    files: Files


def try_out(reader: Reader, examples: int) -> None:
    """Give a reader made-up files; nothing may come out but the house's own errors."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        # else a rare fault would make a run of the tests fail by luck
        derandomize="GANVAS_FUZZ" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.files)
    def run(content: bytes) -> None:
        try:
            reader.read(content)
        except (UserError, UnreadableError) as error:
            assert str(error) and len(str(error)) < 20_000

    run()


def spoil_bytes(*valid: bytes) -> Files:
    """Valid files with some bytes replaced, put in, left out or repeated; or any bytes at all."""

    def spoil(content: bytes, changes: list[tuple[float, str, bytes, int]]) -> bytes:
        for where, what, new, length in changes:
            place = round(where * len(content))
            if what == "replace":
                content = content[:place] + new + content[place + len(new) :]
            elif what == "put in":
                content = content[:place] + new + content[place:]
            elif what == "leave out":
                content = content[:place] + content[place + length :]
            elif what == "repeat":
                content = content[: place + length] + content[place:]
            else:
                content = content[:place]
        return content

    change = st.tuples(
        st.floats(0, 1),
        st.sampled_from(["replace", "replace", "put in", "leave out", "repeat", "cut"]),
        st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from(TELLING)),
        st.integers(1, 600),
    )
    spoiled = st.builds(spoil, st.sampled_from(valid), st.lists(change, min_size=1, max_size=5))
    return st.one_of(spoiled, spoiled, spoiled, st.binary(max_size=300))


def nest(levels: int) -> Any:
    """A list in a list in a list."""
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


# What stands for JSON that Python cannot write.
BEYOND = {"a long number": "1" * 5_000, "a deep list": "[" * 5_000 + "]" * 5_000}
ODD = [
    *(0, -1, 10**400, 10**30, -(10**18), 2**63, 1e308, -1e308, 5e-324),
    *(float("nan"), float("inf"), float("-inf"), True, False, None, "", " ", "\0", "\ud800"),
    *("x" * LONG, "a/b", "../..", [], {}, [None], [[]], {"": None}, nest(70), *BEYOND),
]
ANY_JSON = st.one_of(
    st.sampled_from(ODD),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=5)), max_size=4),
    st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.floats()), max_size=3),
)


def list_places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands inside a JSON value."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from list_places(value[key], (*path, key))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from list_places(value[number], (*path, number))


def change_value(value: Any, path: tuple[Any, ...], what: str, new: Any) -> Any:
    """A JSON value with another one at a place, one less, or one more beside it."""
    if not path:
        return new
    *way, last = path
    level = value
    for key in way:
        if not isinstance(level, dict | list) or (isinstance(level, dict) and key not in level):
            return value  # an earlier change has removed it
        if isinstance(level, list) and (not isinstance(key, int) or key >= len(level)):
            return value
        level = level[key]
    if isinstance(level, dict):
        if what == "remove":
            level.pop(last, None)
        else:
            level["more" if what == "add" else last] = new
    elif isinstance(level, list) and isinstance(last, int) and last < len(level):
        if what == "remove":
            level.pop(last)
        elif what == "add":
            level.insert(last, new)
        else:
            level[last] = new
    return value


def write_oddly(value: Any) -> bytes:
    """A value as JSON, with what Python itself would not write in the place of its stand-ins."""
    text = json.dumps(value)
    for stand_in, written in BEYOND.items():
        text = text.replace(json.dumps(stand_in), written)
    return text.encode("utf-8", "surrogatepass")


def spoil_json(*valid: Any) -> Files:
    """JSON files whose values are changed, missing or too many; and files that are no JSON."""

    def spoil(value: Any, changes: list[tuple[float, str, Any]]) -> bytes:
        value = copy.deepcopy(value)
        for where, what, new in changes:
            places = list(list_places(value))
            place = places[min(len(places) - 1, int(where * len(places)))]
            value = change_value(value, place, what, copy.deepcopy(new))
        return write_oddly(value)

    change = st.tuples(
        st.floats(0, 1), st.sampled_from(["set", "set", "set", "remove", "add"]), ANY_JSON
    )
    spoiled = st.builds(spoil, st.sampled_from(valid), st.lists(change, min_size=1, max_size=3))
    written = [json.dumps(value).encode() for value in valid]
    return st.one_of(spoiled, spoiled, spoiled, spoil_bytes(*written))


def spoil_lines(*valid: Any) -> Files:
    """JSON lines, some of them spoiled, some missing, the last one cut."""
    line = st.one_of(st.sampled_from([write_oddly(value) for value in valid]), spoil_json(*valid))
    lines = st.lists(line, min_size=1, max_size=6)
    return st.builds(
        lambda parts, cut: b"\n".join(parts)[: None if cut < 0.8 else -3], lines, st.floats(0, 1)
    )

"""The error for what the page names and is not there, or no longer."""

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["MissingError", "find_named"]

Item = TypeVar("Item")


class MissingError(Exception):
    """There is no run, data set, game or file of this name; the page gets the status 404."""


def find_named(items: Mapping[str, Item], name: str) -> Item:
    """The item of a name.

    Raises:
        MissingError: there is none.
    """
    if name not in items:
        raise MissingError(name)
    return items[name]

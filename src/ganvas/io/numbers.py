"""Numbers that a user or a file gives: whole where they count something, and finite."""

import math
import os
import re
from dataclasses import fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from ganvas.errors import UserError, shorten

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "LARGEST",
    "Count",
    "Fraction",
    "Integer",
    "Whole",
    "check_numbers",
    "find_number_fault",
    "read_size",
]

LARGEST = 10**15  # of whole numbers; exact as a float, and more than any count of images


def find_number_fault(value: Any, whole: bool) -> str:
    """Why a value is not a number that may be given; empty if it is one.

    Args:
        value: of any type.
        whole: whether it counts something.
    """
    # To Python, true and false are numbers, too.
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
        return "a whole number is needed" if whole else "a number is needed"
    if isinstance(value, Integral) and abs(int(value)) > LARGEST:
        return f"{LARGEST:,} is the largest number"
    if not math.isfinite(value):
        return "a finite number is needed"
    return ""


def _require_number(value: Any) -> Any:
    """A value that is neither true nor false nor digits in a text: pydantic makes numbers of them.

    Raises:
        ValueError: it is one.
    """
    if isinstance(value, bool) or (isinstance(value, str) and re.search(r"\d", value)):
        raise ValueError("a number is needed")
    return value


# Fields of pydantic: any whole number, 0 or more, 1 or more, and a finite number.
Integer = Annotated[int, BeforeValidator(_require_number)]
Whole = Annotated[Integer, Field(ge=0, le=LARGEST)]
Count = Annotated[Integer, Field(gt=0, le=LARGEST)]
Fraction = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_require_number)]


def check_numbers(settings: "DataclassInstance") -> None:
    """Refuse numbers in a dataclass's fields that are no whole numbers, or not finite.

    Call it in `__post_init__`: Python does not check what the annotations say.

    Raises:
        UserError: names the first such field and its value.
    """
    for field in fields(settings):
        value = getattr(settings, field.name)
        if field.type not in (int, int | None, float, float | None):
            continue
        if value is None and field.type in (int | None, float | None):
            continue
        fault = find_number_fault(value, whole=field.type in (int, int | None))
        if fault:
            raise UserError(f"{field.name}={shorten(value)}: {fault}")


def read_size(variable: str, usual: str) -> int:
    """Bytes that an environment variable allows, written e.g. 500M.

    Args:
        variable: its name.
        usual: what holds where it is not set.

    Raises:
        UserError: it is not a size.
    """
    text = os.environ.get(variable) or usual
    found = re.fullmatch(
        r"(\d{1,15}(?:\.\d{1,15})?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE
    )
    if found is None:
        raise UserError(f"{variable}={text!r} is not a size; write e.g. 500M, 20G or 1T")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))

"""Numbers that a user or a file gives: whole where they count something, and finite."""

import math
from dataclasses import fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from ganvas.errors import UserError, shorten

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["LARGEST", "Count", "Fraction", "Whole", "check_numbers", "find_number_fault"]

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
    """A value that is no text and neither true nor false, which pydantic would make numbers of.

    Raises:
        ValueError: it is one.
    """
    if isinstance(value, bool | str):
        raise ValueError("a number is needed")
    return value


# Fields of pydantic: 0 or more, 1 or more, and a finite number.
Whole = Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(_require_number)]
Count = Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(_require_number)]
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

"""Numbers are taken as they are given, or refused."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError
from tiny import refused_in_one_line

from ganvas.io.numbers import LARGEST, Count, Fraction, Whole, check_numbers


@dataclass
class Settings:
    count: int = 1
    size: int | None = None
    weight: float = 0.5
    name: str = "any"

    def __post_init__(self) -> None:
        check_numbers(self)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 1.5}, "count=1.5: a whole number is needed"),
        ({"count": 2.0}, "count=2.0: a whole number is needed"),
        ({"count": True}, "count=True: a whole number is needed"),
        ({"count": "3"}, "count='3': a whole number is needed"),
        ({"count": None}, "count=None: a whole number is needed"),
        ({"size": float("nan")}, "size=nan: a whole number is needed"),
        ({"count": 10**5_000}, "count=a huge number: 1,000,000,000,000,000 is the largest number"),
        ({"weight": float("inf")}, "weight=inf: a finite number is needed"),
        ({"weight": False}, "weight=False: a number is needed"),
    ],
)
def test_settings_that_are_no_such_numbers(values: dict[str, Any], message: str):
    refused_in_one_line(lambda: Settings(**values), message)


def test_numbers_of_all_libraries_are_numbers():
    settings = Settings(count=np.int64(3), size=LARGEST, weight=np.float32(0.5), name="x")  # type: ignore[arg-type]
    assert settings.count == 3
    assert Settings(weight=2).weight == 2


class Model(BaseModel):
    count: Count = 1
    whole: Whole = 0
    fraction: Fraction = 0.0


@pytest.mark.parametrize(
    "values",
    [
        {"count": 0},
        {"count": 1.5},
        {"count": True},
        {"count": "6_4"},
        {"whole": -1},
        {"whole": LARGEST + 1},
        {"fraction": float("nan")},
        {"fraction": "1e-3"},
        {"fraction": False},
    ],
)
def test_fields_that_are_no_such_numbers(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        Model(**values)


def test_a_whole_number_may_be_written_as_a_float():
    assert Model(count=1e6).count == 10**6  # type: ignore[arg-type]  # --set images=1e6

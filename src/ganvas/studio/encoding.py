"""JSON for the page, whatever stands in names and logs."""

import json
import math
from typing import Any

__all__ = ["encode_json"]


def encode_json(value: Any) -> str:
    """A value as JSON in ASCII: numbers that are not finite become null, and bytes of file names
    that are no text become escapes.
    """
    return json.dumps(_make_finite(value), allow_nan=False)


def _make_finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _make_finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_make_finite(one) for one in value]
    return value

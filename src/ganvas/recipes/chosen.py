"""Settings that were chosen automatically, each with its reason."""

from collections.abc import Mapping
from typing import Any

from ganvas.recipes.recipe import REQUESTED

__all__ = ["Choices", "Fitted"]

Fitted = Mapping[str, tuple[Any, str]]  # by dotted key: a value and the reason for it


class Choices:
    """Settings by their dotted keys, and why each was chosen.

    Args:
        given: settings that the user requested; they are kept, and the others are chosen to fit.
        fitted: settings that are smaller than usual, so that training fits into a given time.
    """

    def __init__(self, given: Mapping[str, Any], fitted: Fitted | None = None) -> None:
        self.given = given
        self.fitted = fitted or {}
        self.values: dict[str, Any] = {}
        self.reasons: dict[str, str] = {}

    def set(self, key: str, value: Any, reason: str) -> Any:
        """Choose a value unless the user requested one, and return the one that holds.

        Args:
            key: of the setting, dotted.
            value: that is chosen.
            reason: why, in plain sentences.
        """
        if key in self.given:
            value, reason = self.given[key], REQUESTED
        elif key in self.fitted:
            value, reason = self.fitted[key]
        self.values[key] = value
        self.reasons[key] = reason
        return value

    def set_number(self, key: str, value: int, reason: str) -> int:
        """As `set`, for a number that others depend on.

        A requested value that is no positive number is kept, too: it is refused later, with what is
        allowed. What depends on it goes by `value`.
        """
        chosen = self.set(key, value, reason)
        return chosen if isinstance(chosen, int) and chosen > 0 else value

"""Build a GAN of the table in __init__.py from its name, a schema and checked options."""

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, ValidationError, create_model

from ganvas.errors import UserError, describe_validation, nearest, shorten
from ganvas.gans import GANS
from ganvas.gans.base import GAN
from ganvas.io.numbers import LARGEST
from ganvas.schema import Schema, read_schema

__all__ = ["build_gan", "check_options", "option_defaults"]


def option_defaults(gan: str) -> dict[str, Any]:
    """The keyword arguments of a GAN's constructor, with their defaults; {} for an unknown GAN."""
    parameters = inspect.signature(GANS[gan]).parameters.values() if gan in GANS else ()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY  # options follow the `*`, the data precedes it
    }


def check_options(gan: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options, converted as the constructor's annotations say: 32.0 to 32, a list to a tuple.

    Raises:
        UserError: an option is unknown (with the nearest ones) or its value is not allowed.
    """
    if gan not in GANS:
        raise UserError(f"unknown GAN {gan!r}; {nearest(gan, GANS)}")
    defaults = option_defaults(gan)
    for name in options:
        if name not in defaults:
            raise UserError(f"unknown key 'options.{name}'; {nearest(name, defaults)}")

    # A pydantic model of the constructor's arguments does the checking.
    hints = get_type_hints(GANS[gan].__init__, include_extras=True)  # with `Annotated`
    for name, value in options.items():
        _check_number(name, value, hints[name])
    fields: dict[str, Any] = {name: (hints[name], default) for name, default in defaults.items()}
    try:
        model = create_model("options", __config__=ConfigDict(allow_inf_nan=False), **fields)
        checked = model(**options)
    except ValidationError as error:
        raise UserError(describe_validation(error, "options.")) from None
    return {name: getattr(checked, name) for name in options}  # without the defaults


def _check_number(name: str, value: Any, hint: Any) -> None:
    """Refuse texts, true and false where a number is needed, and numbers beyond all use.

    Raises:
        UserError: names the option.
    """
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    numbers = (int, float, int | None, float | None)
    if kind in numbers and isinstance(value, bool | str):
        raise UserError(f"options.{name}={shorten(value)}: a number is needed")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise UserError(f"options.{name} is too large: {LARGEST:,} is the largest number")


def build_gan(name: str, data: Schema | dict[str, Any], options: dict[str, Any]) -> GAN:
    """Build a GAN.

    Args:
        name: in `GANS`.
        data: a schema, or one read from JSON.
        options: keyword arguments of the constructor.

    Raises:
        UserError: the schema is invalid or lacks what the GAN requires, the GAN cannot generate
            that size, or an option is unknown or not allowed.
    """
    values = check_options(name, options)
    if not isinstance(data, Schema):
        try:
            data = read_schema(data)
        except ValidationError as error:
            raise UserError(describe_validation(error)) from None
    return GANS[name](data, **values)

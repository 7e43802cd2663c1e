"""The page of `ganvas inside`: maps, sums, walks and classes with words, in English and Chinese."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from PIL import Image
from torch import Tensor

from ganvas.inference.inside.sheet import choose_side, draw_noise, most_tiles
from ganvas.inference.inside.stages import Stage
from ganvas.io.html import data_address
from ganvas.io.images import to_pil, to_png

__all__ = ["Look", "render_page"]

UNIT = 8  # pixels of a unit on the page
LARGE = 224  # pixels of the image's side, about


@dataclass(frozen=True)
class Look:
    """What the page says of a look inside a GAN.

    Attributes:
        title: of the run.
        seed: of the noise.
        label: of the image; empty without classes.
        score: that the discriminator gave the image; None: the run has no discriminator.
        threshold: score at which the discriminator is undecided; None: only differences of scores
            have a meaning.
        is_point: whether the GAN makes points.
        given: pictures by heading: what the GAN was given, and what it made of it.
    """

    title: str
    seed: int
    label: str
    score: float | None
    threshold: float | None
    is_point: bool
    given: Mapping[str, Image.Image]


def render_page(
    look: Look,
    image: Image.Image,
    noise: Tensor | None,
    generator: Sequence[Stage],
    discriminator: Sequence[Stage],
    sheets: Mapping[str, Image.Image],
) -> str:
    """The page as HTML, with all pictures in it."""
    style, script = _read("inside.css"), _read("inside.js")
    return _load_template().render(
        look=look,
        score=None if look.score is None else f"{look.score:.3g}",
        image=_embed(image, max(1, round(LARGE / max(image.size)))),
        noise=None if noise is None else {"count": len(noise), **_embed(draw_noise(noise))},
        parts={"generator": _list_rows(generator), "discriminator": _list_rows(discriminator)},
        given={
            name: _embed(one, max(1, round(LARGE / max(one.size))))
            for name, one in look.given.items()
        },
        sheets={name: _embed(sheet) for name, sheet in sheets.items()},
        style=Markup(style),
        script=Markup(script),
        policy=(
            "default-src 'none'; connect-src 'none'; img-src data:; "
            f"style-src {_hash(style)}; script-src {_hash(script)}"
        ),
    )


def _list_rows(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """The stages for the template: sizes, names, and maps as pictures."""
    rows = []
    for stage in stages:
        tiles = stage.draw_tiles(most_tiles(stage))
        scale = choose_side(max(stage.size)) // max(stage.size) if stage.has_maps else UNIT
        high, wide = stage.size
        rows.append(
            {
                "name": stage.name,
                "count": stage.count,
                "shown": len(tiles),
                "size": f"{wide} × {high}" if stage.has_maps else "",
                "tiles": [_embed(to_pil(tile[None]), scale) for tile in tiles],
            }
        )
    return rows


def _embed(picture: Image.Image, scale: int = 1) -> dict[str, Any]:
    """A picture for the template: its address, and in which size it is shown."""
    return {
        "source": Markup(data_address(to_png(picture), "png")),
        "width": picture.width * scale,
        "height": picture.height * scale,
    }


def _hash(text: str) -> str:
    """A source of the policy: exactly this text."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _read(name: str) -> str:
    return files("ganvas.inference.inside").joinpath("static", name).read_text(encoding="utf-8")


@cache
def _load_template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_read("inside.html"))

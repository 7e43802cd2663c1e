"""Assemble the page of the theory lab: style, scripts, and the networks with which games begin."""

import base64
import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from torch import nn

from ganvas.errors import UserError
from ganvas.export.page.link import link_modules
from ganvas.io.files import atomic_path
from ganvas.rng import fold_in
from ganvas.studio.lab import Lab
from ganvas.theory.game import Game, Settings
from ganvas.theory.plane import PlaneGame
from ganvas.theory.targets import TARGETS

__all__ = ["assemble_lab", "write_lab"]

STATIC = Path(__file__).parent / "static"
STUDIO = Path(__file__).parents[1] / "static"
EXPORT = Path(__file__).parents[2] / "export" / "page" / "static"
STYLES = (STUDIO / "style.css", STUDIO / "views" / "learn.css", STATIC / "page.css")
# What stands in the place of the studio's server, its frame and its texts.
REPLACED = {
    STUDIO / "api.js": STATIC / "api.js",
    STUDIO / "app.js": STATIC / "frame.js",
    STUDIO / "texts.js": EXPORT / "texts.js",
    EXPORT / "tables.js": STATIC / "tables.js",
}
FILE = Path("theory-lab.html")
TWISTER = 2**32 - 1  # PyTorch's generator on the CPU uses the lowest 32 bits of a seed


def write_lab(out: Path | None) -> Path:
    """Write the page.

    Args:
        out: file that ends in .html, which is replaced; None: theory-lab.html in this folder.

    Returns:
        the file.

    Raises:
        UserError: the file has another ending, or cannot be written.
    """
    file = out or FILE
    if file.suffix != ".html":
        raise UserError(f"--out {file}: a page is a file that ends in .html")
    page = assemble_lab()
    with atomic_path(file) as partial:
        partial.write_text(page, encoding="utf-8", newline="\n")
    return file


@cache
def assemble_lab() -> str:
    """The page, as HTML. It needs no other file and makes no request."""
    style = "\n".join(file.read_text(encoding="utf-8") for file in STYLES)
    script = link_modules(
        STATIC / "main.js", {key.resolve(): own.resolve() for key, own in REPLACED.items()}
    )
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((STATIC / "page.html").read_text(encoding="utf-8"))
    spec = json.dumps(_describe_lab(), ensure_ascii=False).replace("<", "\\u003c")
    return template.render(
        policy=_make_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        spec=Markup(spec),
    )


def _describe_lab() -> dict[str, Any]:
    """What the page knows: targets and losses, and how each kind of game begins."""
    line, plane = Game(Settings()), PlaneGame()
    return {
        "ganvas": version("ganvas"),
        "lab": Lab().describe(),
        "modes": {name: target.modes for name, target in TARGETS.items()},
        "starts": {
            "line": _pack_start(line.players, fold_in(0, "theory")),
            "plane": _pack_start(plane.players, fold_in(0, "plane")),
        },
    }


def _pack_start(players: dict[str, Any], seed: int) -> dict[str, Any]:
    """The seed of a game's random numbers, and the first weights of its players as base64."""
    return {"seed": seed & TWISTER} | {name: _pack(player) for name, player in players.items()}


def _pack(player: nn.Module) -> str:
    """A network's weights, layer by layer, as float32 in base64."""
    weights = torch.cat([one.detach().flatten() for one in player.parameters()])
    return base64.b64encode(weights.numpy().astype("<f4").tobytes()).decode()


def _make_policy(style: str, script: str) -> str:
    """The content security policy: this style and this script, and no connection at all."""
    return (
        "default-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )


def _hash(text: str) -> str:
    """A source of the policy: exactly this text."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"

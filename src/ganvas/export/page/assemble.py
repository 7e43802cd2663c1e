"""Assemble the page of a generator: texts, scripts, the runtime and the model, all in one file."""

import base64
import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from ganvas.errors import UserError
from ganvas.export.onnx import Model
from ganvas.export.page.link import link_modules
from ganvas.export.page.runtime import Runtime
from ganvas.gans.base import FeaturesInput, ImageInput
from ganvas.inference.directions import find_directions
from ganvas.inference.run import Run
from ganvas.inference.translate import find_given_column
from ganvas.io.images import colour
from ganvas.io.planes import category_colours
from ganvas.io.resizing import with_channels

__all__ = ["assemble_page", "check_page"]

STATIC = Path(__file__).parent / "static"
# The style, the easel and the boards are the studio's.
STUDIO = Path(__file__).parents[2] / "studio" / "static"
STYLES = (
    STUDIO / "style.css",
    STUDIO / "views" / "paint.css",
    STUDIO / "views" / "place.css",
    STATIC / "page.css",
)
DIRECTIONS = 6  # sliders
DIGITS = 5  # of the numbers of directions


def check_page(run: Run) -> None:
    """Refuse a GAN whose inputs a page cannot ask for.

    Raises:
        UserError: it takes embeddings of captions, label maps, bands, or images of two sets with
            different attributes.
    """
    other = "use --to onnx"
    for kind in run.gan.inputs.values():
        if isinstance(kind, FeaturesInput):
            raise UserError(
                f"{run.name} takes embeddings of captions, which a page cannot compute: {other}"
            )
        if isinstance(kind, ImageInput):
            planes = run.gan.schema.planes(_given_column(run))
            if planes.kind != "colour":
                raise UserError(
                    f"{run.name} takes images of {planes.kind}; a page takes photos, grey or in "
                    f"colour: {other}"
                )
    if "known" in run.gan.schema.names:
        raise UserError(f"{run.name} was trained on two sets with different attributes: {other}")


def assemble_page(run: Run, model: Model, runtime: Runtime) -> str:
    """The page of a model, as HTML.

    Args:
        run: that the model is from.
        model: the generator.
        runtime: what runs it.
    """
    style = "\n".join(file.read_text(encoding="utf-8") for file in STYLES)
    script = _link_script()
    spec = _describe_page(run, model)
    parts = {"runtime": runtime.script, "wasm": runtime.wasm, "model": model.content}
    # Names of classes and runs come from strangers' files: none may end the script that holds them.
    json_text = json.dumps(spec, ensure_ascii=False).replace("<", "\\u003c")
    return _template().render(
        title=spec["name"],
        policy=_make_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        spec=Markup(json_text),
        parts={name: Markup(_pack(content)) for name, content in parts.items()},
    )


def _describe_page(run: Run, model: Model) -> dict[str, Any]:
    """What the page knows of the GAN: the model's description, and how it treats photos."""
    photo = run.gan.inputs.get("image")
    channels = photo.channels if isinstance(photo, ImageInput) else 3
    output = dict(model.about["output"])
    if "categories" in output:
        output["colours"] = category_colours(output["categories"])
    background = torch.tensor(colour(run.about["recipe"].get("background", "white")))
    return model.about | {
        "name": run.title,
        "output": output,
        "fit": run.about["recipe"].get("fit", "crop"),
        "background": with_channels(background.to(torch.uint8).view(1, 3, 1, 1), channels)
        .flatten()
        .tolist(),
        "directions": _list_directions(run),
    }


def _given_column(run: Run) -> str:
    """The column that a photo is like; of a GAN that fills holes the only one."""
    return run.gan.target if "mask" in run.gan.inputs else find_given_column(run.gan, None)


def _list_directions(run: Run) -> list[list[float]]:
    """Directions in the noise of a GAN that takes noise, and a class at most; of points none."""
    if not run.gan.unconditional or run.gan.kind == "point":
        return []
    try:
        found = find_directions(run, "layer", DIRECTIONS)
    except UserError:  # no layer reads the noise directly
        found = find_directions(run, "images", DIRECTIONS)
    return [[round(value, DIGITS) for value in row] for row in found.tolist()]


@cache
def _link_script() -> str:
    """The script of the page, with texts of its own in the place of the studio's."""
    texts = {STUDIO / "texts.js": STATIC / "texts.js"}
    return link_modules(STATIC / "app.js", {key.resolve(): own for key, own in texts.items()})


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string((STATIC / "page.html").read_text(encoding="utf-8"))


def _make_policy(style: str, script: str) -> str:
    """The content security policy: nothing but what is in the file, and no connection at all."""
    return (
        "default-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; "
        # the runtime is a module behind a blob: address, and compiles WebAssembly
        f"script-src {_hash(script)} blob: 'wasm-unsafe-eval'"
    )


def _hash(text: str) -> str:
    """A source of the policy: exactly this text."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _pack(content: bytes) -> str:
    """Compressed, as text. The time is left out, so that equal models give equal pages."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()

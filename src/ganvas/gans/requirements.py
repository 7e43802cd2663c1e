"""Refuse data that a GAN cannot train on, and say which data it needs instead."""

from collections.abc import Sequence

from ganvas.errors import UserError
from ganvas.schema import Schema

__all__ = ["check_schema"]

DOMAINS = "images of two domains: --data pairs:FOLDER or --data unpaired:FOLDER"
# what a user can do about a missing column
SOURCES = {
    "label": (
        "classes: sub-folders as classes (--labels folders) or a CSV file (--labels labels.csv)"
    ),
    "image": "single images: a folder or zip",
    "a": DOMAINS,
    "b": DOMAINS,
    "attributes": "images with attributes: --data attributes:FOLDER",
    "caption": "images with captions: --data captions:FOLDER",
    "caption_features": (
        "captions as numbers: --data captions:FOLDER with a captions.safetensors in it"
    ),
    "box": "images with boxes: --data captions:FOLDER, whose lines have a bbox",
    "keypoints": "images with key points: --data captions:FOLDER, whose lines have keypoints",
}
# what a user can do about data of the other kind, by the kind that the GAN makes
OTHERS = {
    "point": "use --data rings or --data grid",
    "image": "use the recipes rings and grid, or gan=points",
}


def check_schema(schema: Schema, kind: str, requires: Sequence[str]) -> None:
    """Refuse data without the columns that a GAN requires, and data of another kind.

    Args:
        schema: of the data.
        kind: what the GAN makes: "image" or "point".
        requires: columns that a batch must have.

    Raises:
        UserError: names what is missing and which data has it.
    """
    columns = {*schema.channels, *schema.names, *schema.widths}
    if schema.boxes:
        columns.add("box")

    for column in requires:
        # a column of names may be there and have none
        nameless = column in ("label", "attributes", "keypoints") and not schema.names.get(column)
        if column not in columns or nameless:
            raise UserError(
                f"this GAN needs {SOURCES[column]}; the data has {', '.join(sorted(columns))}"
            )

    if kind != schema.kind:
        raise UserError(f"this GAN makes {kind}s, not {schema.kind}s: {OTHERS[kind]}")

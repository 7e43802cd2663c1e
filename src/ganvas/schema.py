"""What the rows of a data set hold, as much as a GAN must know of it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt


class Schema(BaseModel):
    """The columns of a data set, of which a batch holds some rows.

    A batch has these entries, as far as its data has them:

    - "image", or "a" and "b" for two domains: pictures, float32 (N, C, size, size) in [-1, 1];
    - "label": int64 (N,), an index into `names["label"]`;
    - "attributes": float32 (N, A) in {0, 1}, in the order of `names["attributes"]`;
    - "known": float32 (N, A), 1 where an attribute is known of a row, where rows of several sets
      are mixed; its names are those of the attributes;
    - "caption": uint8 (N, K, L), K captions as bytes of UTF-8, padded with zeros;
    - "caption_features": float32 (N, K, F), the same as numbers from a sentence encoder;
    - "box": float32 (N, 4): left, top, width and height in shares of the picture's side;
    - "keypoints": float32 (N, P, 3): x and y in shares of the side and whether it can be seen (1 or
      0), for each part of `names["keypoints"]`.

    Attributes:
        size: side of the pictures in pixels.
        channels: of each column of pictures.
        names: by column: of classes, attributes, parts.
        widths: of columns of numbers: "caption" has its bytes L, "caption_features" its numbers F.
        boxes: whether there is a "box".
        unpaired: whether "a" and "b" are drawn independently of one another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: PositiveInt
    channels: Mapping[str, PositiveInt]
    names: Mapping[str, tuple[str, ...]] = {}
    widths: Mapping[str, PositiveInt] = {}
    boxes: bool = False
    unpaired: bool = False


def read_schema(values: Mapping[str, Any]) -> Schema:
    """A schema from values of JSON, whose lists of names are tuples here.

    Raises:
        ValidationError: of pydantic; they are none.
    """
    names = values.get("names", {})
    if isinstance(names, Mapping):
        names = {
            column: tuple(found) if isinstance(found, list) else found
            for column, found in names.items()
        }
    return Schema.model_validate({**values, "names": names})

"""The columns of a data set: all that a GAN knows of its data."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

__all__ = ["Schema", "kind_of_channels", "read_schema"]

POINT_CHANNELS = 2  # a point is stored like an image of one pixel, whose channels are x and y


class Schema(BaseModel):
    """The columns of a data set.

    A batch has an entry for each column that its data set has:

    - "image", or "a" and "b" for two domains: float32 (N, C, size, size) in [-1, 1];
    - "label": int64 (N,), an index into `names["label"]`;
    - "attributes": float32 (N, A) in {0, 1}, in the order of `names["attributes"]`;
    - "known": float32 (N, A), 1 where the attribute is known for this row, in data sets that are
      mixed from several; same names as "attributes";
    - "caption": uint8 (N, K, L), K captions as UTF-8 bytes, padded with zeros;
    - "caption_features": float32 (N, K, F), the K captions as vectors from a sentence encoder;
    - "box": float32 (N, 4): left, top, width and height as shares of the image's side;
    - "keypoints": float32 (N, P, 3): x and y as shares of the side, and 1 if the part is visible,
      else 0, for each part of `names["keypoints"]`.

    Attributes:
        size: side of the images in pixels.
        channels: of each image column: 1 (grey), 3 (RGB) or 2 (points in the plane).
        names: by column: names of the classes, attributes or parts; of "a" and "b" one name each,
            that of the domain, where it has one.
        widths: by column: bytes L of "caption", numbers F of "caption_features".
        boxes: whether there is a "box".
        unpaired: whether "a" and "b" are drawn independently of each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: PositiveInt
    channels: Mapping[str, PositiveInt]
    names: Mapping[str, tuple[str, ...]] = {}
    widths: Mapping[str, PositiveInt] = {}
    boxes: bool = False
    unpaired: bool = False

    @property
    def kind(self) -> Literal["image", "point"]:
        """What the image columns hold: images, or points in the plane."""
        points = any(kind_of_channels(count) == "point" for count in self.channels.values())
        return "point" if points else "image"

    def domain(self, column: str) -> str:
        """The name by which people know the images of a column: "winter", or the column's own."""
        return self.names.get(column, (column,))[0]


def kind_of_channels(channels: int | None) -> Literal["image", "point"]:
    """What data with so many channels holds; None (not chosen yet) stands for images."""
    return "point" if channels == POINT_CHANNELS else "image"


def read_schema(values: Mapping[str, Any]) -> Schema:
    """A schema from JSON values; lists of names become tuples.

    Raises:
        ValidationError: of pydantic; the values are no schema.
    """
    names = values.get("names", {})

    if isinstance(names, Mapping):
        names = {
            column: tuple(found) if isinstance(found, list) else found
            for column, found in names.items()
        }

    return Schema.model_validate({**values, "names": names})

"""The columns of a data set: all that a GAN knows of its data."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, PositiveInt

__all__ = ["Planes", "Schema", "kind_of_images", "read_schema"]

POINT = (2, 1)  # channels and side: a point is stored like one pixel whose channels are x and y


class Planes(NamedTuple):
    """What the channels of an image column are.

    Attributes:
        kind: grey or RGB; RGB and opacity; bands of a sensor; one plane for each category; or
            coordinates.
        names: of the categories.
    """

    kind: Literal["colour", "alpha", "bands", "categories", "points"]
    names: tuple[str, ...] = ()


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
        channels: of each image column: 1 (grey), 3 (RGB), another number of bands or categories;
            2 and size 1 are points in the plane.
        names: by column: names of the classes, attributes or parts; of an image column the
            categories, as files hold them ("7", or "#804080"), or of "a" and "b" one name each,
            that of the domain, where it has one.
        widths: by column: bytes L of "caption", numbers F of "caption_features".
        boxes: whether there is a "box".
        unpaired: whether "a" and "b" are drawn independently of each other.
        alpha: whether the fourth of four channels is opacity; the others are multiplied by it.
        ignore_alpha: whether opacity that files declare is a band like all others.
        ranges: by image column: the values in files that became -1 and 1; and whether files of 8
            bits were read so, too, or as 0..255.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    size: PositiveInt
    channels: Mapping[str, PositiveInt]
    names: Mapping[str, tuple[str, ...]] = {}
    widths: Mapping[str, PositiveInt] = {}
    boxes: bool = False
    unpaired: bool = False
    alpha: bool = False
    ignore_alpha: bool = False
    ranges: Mapping[str, tuple[float, float, bool]] = {}

    @property
    def kind(self) -> Literal["image", "point"]:
        """What the image columns hold: images, or points in the plane."""
        kinds = {kind_of_images(count, self.size) for count in self.channels.values()}
        return "point" if "point" in kinds else "image"

    def planes(self, column: str) -> Planes:
        """What the channels of an image column are."""
        if len(names := self.names.get(column, ())) > 1:
            return Planes("categories", names)
        count = self.channels[column]
        if count == 4 and self.alpha:
            return Planes("alpha")
        if self.kind == "point":
            return Planes("points")
        return Planes("colour" if count in (1, 3) else "bands")

    def domain(self, column: str) -> str:
        """The name by which people know the images of a column: "winter", or the column's own."""
        names = self.names.get(column, ())
        return names[0] if len(names) == 1 else column


def kind_of_images(channels: int | None, size: int | None) -> Literal["image", "point"]:
    """What data of so many channels and pixels a side holds; None (not chosen yet) is images."""
    return "point" if (channels, size) == POINT else "image"


def read_schema(values: Mapping[str, Any]) -> Schema:
    """A schema from JSON values; lists become tuples.

    Raises:
        ValidationError: of pydantic; the values are no schema.
    """
    tuples = {}
    for field in ("names", "ranges"):
        by_column = values.get(field, {})
        if isinstance(by_column, Mapping):
            by_column = {
                column: tuple(found) if isinstance(found, list) else found
                for column, found in by_column.items()
            }
        tuples[field] = by_column

    return Schema.model_validate({**values, **tuples})

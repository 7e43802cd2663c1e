"""What GANs that change attributes share: which there are, and what people see of them."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ganvas.errors import UserError, nearest
from ganvas.gans.base import GAN, AttributesInput, Batch, ImageInput, Input
from ganvas.gans.nn.losses import in_float32
from ganvas.io.images import to_float, to_uint8
from ganvas.io.resizing import to_square
from ganvas.rng import Rng
from ganvas.schema import Schema

__all__ = ["LEVELS", "UNKNOWN", "AttributeTranslator", "attribute_cross_entropy", "share_right"]

UNKNOWN = 0.5  # in the place of an attribute that an image's data set does not know
LEVELS = 127.5  # of 0..255 in one unit of [-1, 1]


class AttributeTranslator(GAN):
    """Changes attributes of images, such as hair colour.

    Two data sets may know different attributes. What a set does not know is 0 in the conditions of
    the generator and not in the loss. One more condition for each attribute says whether it is
    known.

    Args:
        schema: of the data.
        exclusive: groups of attributes of which an image has one at a time.

    Attributes:
        names: of the attributes.
        conditions: numbers by which wanted attributes enter the networks.
        multiple: sides of images must be multiples of it.
        own_size: whether images of any size work well.
    """

    requires = ("image", "attributes")
    decision_threshold = None  # only differences of scores count
    multiple = 4
    own_size = True

    def __init__(self, schema: Schema, exclusive: tuple[tuple[str, ...], ...]):
        super().__init__(schema)
        self.names = schema.names["attributes"]
        _check_groups(exclusive, self.names)
        self.exclusive = exclusive
        self.alternatives = {name for group in exclusive for name in group}
        self.mixed = "known" in schema.names  # rows of several data sets
        # values, then whether they are known
        self.conditions = len(self.names) * (2 if self.mixed else 1)

    @property
    def inputs(self) -> dict[str, Input]:
        return {
            "image": ImageInput(self.channels, self.multiple, self.own_size),
            "attributes": AttributesInput(self.names, self.exclusive),
        }

    def translate(self, image: Tensor, attributes: Tensor) -> Tensor:
        """Images (N, C, H, W) changed to have attributes (N, A): 0, 1, or UNKNOWN."""
        raise NotImplementedError

    def recognise(self, image: Tensor) -> Tensor:
        """The discriminator's logits (N, A) of the attributes of images (N, C, size, size)."""
        raise NotImplementedError

    def read_attributes(self, batch: Batch) -> Tensor:
        """Attributes of rows of data, (N, A): 0, 1, or UNKNOWN."""
        own = batch["attributes"]
        return torch.where(batch["known"] > 0, own, UNKNOWN) if self.mixed else own

    def make_conditions(self, attributes: Tensor) -> Tensor:
        """The inputs (N, conditions) of the networks for wanted attributes (N, A)."""
        if not self.mixed:
            return attributes
        known = (attributes != UNKNOWN).to(attributes.dtype)
        return torch.cat([attributes * known, known], 1)

    def sample(self, count: int, rng: Rng, *, image: Tensor, attributes: Tensor) -> Tensor:
        """`image` with `attributes`; 0.5 for an attribute that the wanted set does not know."""
        del count, rng
        return self.translate(image, attributes)

    def make_inputs(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        return {"image": batch["image"], "attributes": rng.permute(self.read_attributes(batch))}

    def make_preview(self, batch: Batch, rng: Rng) -> dict[str, Tensor]:
        """The image with each attribute changed in turn, and the last of these changed back.

        In the titles "+" stands for an attribute that is set, "±" for one that is reversed.
        """
        image, own = batch["image"], self.read_attributes(batch)
        columns = {"real": image}
        for number, name in enumerate(self.names):
            # An image whose set does not know the attribute takes all attributes of the first image
            # whose set does.
            knows = own[:, number] != UNKNOWN  # bool (N,)
            start = own
            if knows.any():
                start = torch.where(knows[:, None], own, own[knows.nonzero()[:1, 0]])

            sign = "+" if name in self.alternatives else "±"
            title = f"{sign} {name.replace('_', ' ')}"
            columns[title] = self.translate(image, self.turn(start, name))

        last = next(reversed(columns.values()))
        return columns | {"back": self.translate(last, own)}

    def ways(self, image: Tensor, changes: Mapping[str, bool]) -> dict[str, dict[str, Tensor]]:
        # The discriminator sees squares of the size trained on.
        square = to_square(to_uint8(image.cpu()), self.size, "crop", "white", enlarge=True)
        with torch.no_grad():
            own = self.guess(to_float(square).to(image.device))

        if changes:
            for name, value in changes.items():
                own = self.change(own, name, value)
            return {", ".join(changes): {"attributes": own}}

        return {name: {"attributes": self.turn(own, name)} for name in self.names}

    def guess(self, image: Tensor) -> Tensor:
        """The attributes that the discriminator recognises, (N, A) in {0, 1}.

        Args:
            image: (N, C, H, W), of the size in training.
        """
        return (self.recognise(image) > 0).to(image.dtype)  # a logit of 0 is undecided

    def change(self, attributes: Tensor, name: str, value: bool) -> Tensor:
        """Attributes (N, A) with one set or removed; setting one removes those that it excludes.

        Raises:
            UserError: the attribute is unknown.
        """
        if name not in self.names:
            raise UserError(f"there is no attribute {name!r}; {nearest(name, self.names)}")

        changed = attributes.clone()
        if value:
            for group in self.exclusive:
                if name in group:
                    # The whole group, `name` too: it gets its value below.
                    changed[:, [self.names.index(other) for other in group]] = 0
        changed[:, self.names.index(name)] = float(value)
        return changed

    def turn(self, attributes: Tensor, name: str) -> Tensor:
        """Attributes (N, A) with one reversed, or set if it excludes others."""
        on = self.change(attributes, name, True)
        if name in self.alternatives:
            return on
        has = attributes[:, [self.names.index(name)]] == 1  # (N, 1)
        return torch.where(has, self.change(attributes, name, False), on)


def _check_groups(groups: tuple[tuple[str, ...], ...], names: tuple[str, ...]) -> None:
    """Refuse groups of unknown attributes, and groups that exclude nothing.

    Raises:
        UserError: names the group or the attribute.
    """
    for group in groups:
        for name in group:
            if name not in names:
                raise UserError(
                    f"options.exclusive: the data has no attribute {name!r}; {nearest(name, names)}"
                )
        if len(set(group)) < 2:
            raise UserError(
                f"options.exclusive: the group {list(group)} has one attribute; "
                "a group has two or more"
            )


@in_float32
def attribute_cross_entropy(logits: Tensor, attributes: Tensor) -> Tensor:
    """Binary cross-entropy, summed over known attributes and averaged over images; eq. 2 and 3.

    Args:
        logits: (N, A).
        attributes: (N, A): 0, 1, or UNKNOWN.
    """
    each = binary_cross_entropy_with_logits(logits, attributes.to(logits.dtype), reduction="none")
    # UNKNOWN is 1/2, a valid target, so its terms must be removed here.
    return (each * (attributes != UNKNOWN)).sum() / len(logits)


def share_right(logits: Tensor, attributes: Tensor) -> Tensor:
    """The share of known attributes (N, A) on whose side the logits (N, A) are, a scalar."""
    known = attributes != UNKNOWN
    right = ((logits > 0) == (attributes == 1)) & known
    return right.sum().float() / known.sum()

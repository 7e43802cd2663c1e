"""Networks for images that are folded: squares of 2x2 pixels are one place with more channels.

A pixel shuffle (Shi et al. 2016) and its inverse stand at the ends, so that no layer works at the
image's full size. Layers at full size have few channels, which a CPU computes slowly, and they are
what draws lattices.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganvas.errors import UserError
from ganvas.gans.nn.networks import downsample, resize_upsample, unfold

__all__ = [
    "FOLD",
    "REACH",
    "FoldedPatchDiscriminator",
    "FoldedUNet",
    "activation",
    "check_folds",
    "compare_maps",
    "folded_sizes",
]

FOLD = 2  # pixels of the image along a side of each place of the largest map
SLOPE = 0.2  # of LeakyReLU
# Pixels by which a discriminator sees images moved, in each direction: any place can be any of the
# four of the grid that folding and the first halving make.
REACH = 2
QUIET = 0.1  # factor of first weights: of what a residual block adds, and of the last layer


def folded_sizes(size: int, smallest: int = 4) -> list[int]:
    """Sizes of the maps of a folded image, from the largest to the smallest.

    They are halved while they are even and stay at `smallest` or above: 64 gives [32, 16, 8, 4].
    """
    sizes = [size // FOLD]
    while sizes[-1] % 2 == 0 and sizes[-1] // 2 >= smallest:
        sizes.append(sizes[-1] // 2)
    return sizes


def check_folds(size: int) -> None:
    """Refuse a size that cannot be folded and halved once.

    Raises:
        UserError: the size is no multiple of 4, or below 8.
    """
    if size % 4 or size < 8:
        nearest = max(8, round(size / 4) * 4)
        raise UserError(
            f"size {size} cannot be folded and halved; use a multiple of 4 such as {nearest}, "
            "best a multiple of 16"
        )


def activation() -> nn.Module:
    """LeakyReLU in place."""
    return nn.LeakyReLU(SLOPE, inplace=True)


class PlainBlock(nn.Module):
    """What two 3x3 convolutions add to a map; at first nearly nothing.

    Args:
        width: channels of the map.
        norms: whether group norms (Wu and He 2018) are before the convolutions, with 8 groups where
            each has at least four channels.
    """

    def __init__(self, width: int, norms: bool):
        super().__init__()
        groups = max(1, math.gcd(width, 32) // 4)
        modules: list[nn.Module] = []
        for _ in range(2):
            # not in place: the map is needed for the sum
            modules += [nn.GroupNorm(groups, width)] if norms else []
            modules += [nn.LeakyReLU(SLOPE), nn.Conv2d(width, width, 3, padding=1)]
        self.layers = nn.Sequential(*modules)
        with torch.no_grad():
            modules[-1].weight.mul_(QUIET)  # pyright: ignore[reportCallIssue]

    def forward(self, maps: Tensor) -> Tensor:
        """(N, width, h, w) to the same shape."""
        return maps + self.layers(maps)


class FoldedUNet(nn.Module):
    """Planes to planes of the same size, by way of small maps, with skip connections.

    Unfolded planes → 3x3 convolution → halvings by 4x4 kernels → residual blocks → doublings
    that repeat pixels, each joined with the map of its size on the way down → pixel shuffle. A lean
    one interpolates instead, and has one 3x3 convolution after each doubling, which sees both maps;
    else there is one before and one after the maps are joined, and a residual block.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        sizes: of the maps, from the largest to the smallest; see `folded_sizes`.
        width: channels of the largest map; doubled at every halving, up to `most` x.
        most: see `width`.
        blocks: residual blocks at the smallest map.
        norms: whether residual blocks have group norms.
        lean: see above; at equal width it takes 0.6 of the time.
        conditions: numbers by which the whole output is to be guided; they are constant planes
            beside the largest and the smallest map.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        sizes: list[int],
        *,
        width: int = 32,
        most: int = 4,
        blocks: int = 2,
        norms: bool = False,
        lean: bool = False,
        conditions: int = 0,
    ):
        super().__init__()
        widths = [width * min(most, 2**depth) for depth in range(len(sizes))]
        self.multiple = FOLD * 2 ** (len(sizes) - 1)  # sides must be multiples of it
        self.first = nn.Sequential(
            nn.Conv2d(inputs * FOLD**2 + conditions, width, 3, padding=1), activation()
        )
        self.downs = nn.ModuleList(
            nn.Sequential(downsample(before, after, 4), activation())
            for before, after in pairwise(widths)
        )
        last = widths[-1]
        self.enter = nn.Conv2d(last + conditions, last, 3, padding=1) if conditions else None
        self.blocks = nn.Sequential(*(PlainBlock(last, norms) for _ in range(blocks)))

        self.ups, self.joins = nn.ModuleList(), nn.ModuleList()
        for after, before in pairwise(reversed(widths)):  # from the smallest map
            smooth = nn.Upsample(scale_factor=2, mode="bilinear")
            up = smooth if lean else resize_upsample(after, before)
            self.ups.append(nn.Sequential(activation(), up))
            joined = before + (after if lean else before)
            join: nn.Module = nn.Conv2d(joined, before, 3, padding=1)
            if not lean:
                join = nn.Sequential(join, PlainBlock(before, norms))
            self.joins.append(join)
        unfolding = unfold(width, outputs, FOLD)
        with torch.no_grad():
            unfolding.weight.mul_(QUIET)  # grey at first, or hardly any change
        self.last = nn.Sequential(activation(), unfolding)

    def forward(self, planes: Tensor, conditions: Tensor | None = None) -> Tensor:
        """(N, inputs, H, W) and (N, conditions) to (N, outputs, H, W), without limits."""
        maps = self.encode(planes, conditions)
        return self.decode(maps, conditions)

    def encode(self, planes: Tensor, conditions: Tensor | None = None) -> list[Tensor]:
        """The maps on the way down, (N, C', h, w) each, from the largest to the smallest."""
        folded = nn.functional.pixel_unshuffle(planes, FOLD)
        maps = [self.first(_beside(folded, conditions))]
        for down in self.downs:
            maps.append(down(maps[-1]))
        return maps

    def decode(self, maps: list[Tensor], conditions: Tensor | None = None) -> Tensor:
        """The maps of `encode` to (N, outputs, H, W)."""
        *skips, x = maps
        if self.enter is not None:
            x = x + self.enter(_beside(x, conditions))
        x = self.blocks(x)
        for up, join, skip in zip(self.ups, self.joins, reversed(skips)):
            x = join(torch.cat([up(x), skip], 1))
        return nn.functional.pixel_shuffle(self.last(x), FOLD)


class FoldedPatchDiscriminator(nn.Module):
    """Scores of overlapping patches of folded images, without norms.

    Unfolded planes → 3x3 convolution → halvings by 4x4 kernels → 3x3 convolution → score. With two
    halvings each score sees 56x56 pixels.

    Args:
        channels: of everything that is scored together.
        width: channels of the first map; doubled at every halving, up to 4 x.
        halvings: after folding.

    Attributes:
        reach: half the pixels from one score to the next. Where images are moved by up to so many,
            no place of the grid of folding and halvings is special.
    """

    def __init__(self, channels: int, width: int, halvings: int = 2):
        super().__init__()
        self.reach = FOLD * 2**halvings // 2
        widths = [width * min(4, 2**level) for level in range(halvings + 1)]
        layers: list[nn.Module] = [nn.Conv2d(channels * FOLD**2, width, 3, padding=1)]
        layers += [downsample(before, after, 4) for before, after in pairwise(widths)]
        layers.append(nn.Conv2d(widths[-1], widths[-1], 3, padding=1))
        self.layers = nn.ModuleList(layers)
        # a constant cancels in relativistic losses
        self.score = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, H, W) to scores (N, 1, h, w)."""
        return self.compute_features(image)[1]

    def compute_features(self, image: Tensor) -> tuple[list[Tensor], Tensor]:
        """The maps of all layers, (N, C', h, w) each, and the scores (N, 1, h, w)."""
        x = nn.functional.pixel_unshuffle(image, FOLD)
        maps: list[Tensor] = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), SLOPE)
            maps.append(x)
        return maps, self.score(x)


def compare_maps(maps: list[Tensor], others: list[Tensor]) -> Tensor:
    """Mean absolute difference of maps (N, C, h, w), each layer counted alike: a scalar."""
    layers = [(one - other).abs().mean() for one, other in zip(maps, others)]
    return torch.stack(layers).mean()


def _beside(maps: Tensor, conditions: Tensor | None) -> Tensor:
    """Maps (N, C, h, w) with one constant plane for each of the conditions (N, K)."""
    if conditions is None:
        return maps
    planes = conditions.to(maps.dtype)[:, :, None, None].expand(-1, -1, *maps.shape[2:])
    return torch.cat([maps, planes], 1)

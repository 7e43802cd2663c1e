"""CUT's generator, which also compares places of images, and its contrastive loss."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from ganvas.gans.nn.folded import FoldedUNet
from ganvas.gans.nn.losses import in_float32

__all__ = ["Translator", "patch_nce"]

MOST = 4  # channels of the smallest maps, in widths
LEAK = 0.1  # of what leaves [-1, 1]: at a hard limit there would be no gradient


class Translator(nn.Module):
    """Adds a change to an image; and compares places of images.

    Args:
        channels: of the images.
        sizes: of the maps, from the largest to the smallest.
        width: channels of the largest map.
        blocks: residual blocks at the smallest map.
        features: numbers by which a place is compared with others.
        directions: 1 or 2; with 2 a plane says to which domain.
    """

    def __init__(
        self,
        channels: int,
        sizes: list[int],
        width: int,
        blocks: int,
        features: int,
        directions: int,
    ):
        super().__init__()
        self.conditions = directions - 1
        self.network = FoldedUNet(
            channels,
            channels,
            sizes,
            width=width,
            most=MOST,
            blocks=blocks,
            conditions=self.conditions,
        )
        widths = [width * min(MOST, 2**depth) for depth in range(len(sizes))]
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Linear(each, features), nn.ReLU(), nn.Linear(features, features))
            for each in widths
        )

    def forward(self, image: Tensor, to: Tensor | None) -> Tensor:
        """(N, C, H, W) and, with two directions, int64 (N,), 0 for a and 1 for b, to (N, C, H, W).

        The result may leave [-1, 1] a little.
        """
        return self.translate(image, to)[0]

    def translate(self, image: Tensor, to: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """The result of `forward`, and the maps of the image on the way."""
        maps = self.encode(image, to)
        conditions = self.make_conditions(to)
        changed = image + self.network.decode(maps, conditions)
        return torch.lerp(changed.clamp(-1, 1), changed, LEAK), maps

    def encode(self, image: Tensor, to: Tensor | None) -> list[Tensor]:
        """Maps of an image, (N, C', h, w) each, from the largest to the smallest."""
        return self.network.encode(image, self.make_conditions(to))

    def make_conditions(self, to: Tensor | None) -> Tensor | None:
        """int64 (N,), 0 or 1, as (N, 1) with -1 or 1; None with one direction."""
        if not self.conditions:
            return None
        assert to is not None
        return (2 * to[:, None] - 1).to(self.network.last[-1].weight.dtype)  # pyright: ignore

    def project(self, maps: list[Tensor], places: list[Tensor]) -> list[Tensor]:
        """Features (N, P, features) of length 1 of places (N, P) of each map."""
        features = []
        for values, index, projection in zip(maps, places, self.projections):
            rows = values.flatten(2).transpose(1, 2)  # (N, h * w, C')
            chosen = rows.gather(1, index[..., None].expand(-1, -1, rows.shape[2]))
            features.append(normalize(projection(chosen), dim=2))
        return features


@in_float32
def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy of finding each place's key among those of its image; eq. 3.

    Args:
        queries: features (N, P, F) of length 1 of places of generated images.
        keys: of the same places of the given images; without gradient.
        temperature: by which cosines are divided.
    """
    cosines = queries @ keys.detach().transpose(1, 2)  # (N, P, P)
    right = torch.arange(cosines.shape[1], device=cosines.device).expand(len(cosines), -1)
    return cross_entropy(cosines.flatten(0, 1) / temperature, right.flatten())

"""Keep the first blocks of the discriminators as they are while the others learn.

Mo et al. 2020, "Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs": the first layers
of a trained discriminator see edges and colours, which few images teach no better.
"""

from torch import nn

from ganvas.errors import UserError
from ganvas.gans.base import GAN

__all__ = ["freeze_blocks", "list_blocks"]

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def freeze_blocks(gan: GAN, count: int) -> list[str]:
    """Take the first blocks of each discriminator out of what its player learns.

    Args:
        gan: without optimizers yet.
        count: of the blocks; 0 changes nothing.

    Returns:
        The names of the parameters that stay.

    Raises:
        UserError: no block would be left to learn, or the GAN has no discriminator.
    """
    if not count:
        return []
    for name, network in _list_discriminators(gan).items():
        blocks = list_blocks(network)
        if count >= len(blocks):
            raise UserError(
                f"origin.frozen={count}: the {name} has {len(blocks)} blocks, and one must learn; "
                f"at most {len(blocks) - 1} can stay"
            )
        for module in (each for block in blocks[:count] for each in block):
            module.requires_grad_(False)
    return [name for name, parameter in gan.named_parameters() if not parameter.requires_grad]


def list_blocks(network: nn.Module) -> list[list[nn.Module]]:
    """The blocks of a network, from the image on: each layer with weights, or residual block.

    A norm belongs to the layer before it.
    """
    blocks: list[list[nn.Module]] = []
    for module in _flatten(network):
        kernels = [parameter for parameter in module.parameters() if parameter.ndim > 1]
        if kernels:
            blocks.append([module])
        elif blocks:
            blocks[-1].append(module)
    return blocks


def _flatten(network: nn.Module) -> list[nn.Module]:
    """The modules in a network's chain, without the containers around them."""
    found: list[nn.Module] = []
    for child in network.children():
        found += _flatten(child) if isinstance(child, CONTAINERS) else [child]
    return found


def _list_discriminators(gan: GAN) -> dict[str, nn.Module]:
    """The networks that score images, by name; of a player with several, each of them."""
    found: dict[str, nn.Module] = {}
    for name, player in gan.named_children():
        if "discriminator" in name and isinstance(player, nn.ModuleDict):
            found |= {f"{name}.{part}": network for part, network in player.items()}
        elif "discriminator" in name:
            found[name] = player
    return found

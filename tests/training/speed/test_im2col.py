"""Convolutions as matrix products: the same numbers as PyTorch's, forward and through two
derivatives.
"""

import pytest
import torch
from torch import Tensor, nn

from ganvas.training.speed import im2col as products
from ganvas.training.speed.im2col import has_im2col_layers, use_im2col

LAYERS = {
    "halving": (lambda: nn.Conv2d(3, 5, 4, 2, 1), 6),
    "halving an odd map": (lambda: nn.Conv2d(3, 5, 5, 2, 2), 7),
    "keeping": (lambda: nn.Conv2d(3, 5, 3, padding=1, bias=False), 4),
    "one number": (lambda: nn.Conv2d(3, 1, 4), 4),
    "oblong": (lambda: nn.Conv2d(3, 5, (1, 3), (2, 1), (0, 1)), 4),
    "doubling": (lambda: nn.ConvTranspose2d(3, 5, 4, 2, 1), 3),
    "doubling by an odd kernel": (lambda: nn.ConvTranspose2d(3, 5, 5, 2, 2, 1, bias=False), 3),
    "from one number": (lambda: nn.ConvTranspose2d(3, 5, 4), 1),
    "oblong, doubling": (lambda: nn.ConvTranspose2d(3, 5, (3, 2), (2, 1), (1, 0)), 3),
}


@pytest.fixture(autouse=True)
def small_kernels_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(products, "WEIGHTS", 1)


def differentiate(layer: nn.Module, maps: Tensor) -> list[Tensor]:
    """What a layer makes of maps, all first derivatives, and those of a penalty on a slope."""
    maps = maps.clone().requires_grad_()
    made = layer(maps)
    made.square().sum().backward(retain_graph=True)
    assert maps.grad is not None
    first = [
        maps.grad,
        *(parameter.grad for parameter in layer.parameters() if parameter.grad is not None),
    ]
    (slope,) = torch.autograd.grad(made.square().sum(), maps, create_graph=True)
    return [made, *first, *torch.autograd.grad(slope.square().sum(), [maps, *layer.parameters()])]


@pytest.mark.parametrize("last", [False, True], ids=["plain", "channels last"])
@pytest.mark.parametrize("name", LAYERS)
def test_products_are_convolutions(name: str, last: bool, monkeypatch: pytest.MonkeyPatch):
    make, size = LAYERS[name]
    torch.manual_seed(0)
    layer, maps = make().double(), torch.randn(2, 3, size, size, dtype=torch.float64)
    if last:
        layer, maps = (
            layer.to(memory_format=torch.channels_last),
            maps.contiguous(memory_format=torch.channels_last),
        )
    expected = differentiate(layer, maps)
    use_im2col(layer)
    for parameter in layer.parameters():
        parameter.grad = None
    monkeypatch.setattr(torch, "conv2d", None)  # PyTorch's own are not asked
    monkeypatch.setattr(torch.nn.functional, "conv2d", None)
    monkeypatch.setattr(torch.nn.functional, "conv_transpose2d", None)

    for one, other in zip(differentiate(layer, maps), expected, strict=True):
        torch.testing.assert_close(one, other)


def test_patches_are_summed_precisely_in_bf16():
    patches = torch.rand(2, 4, 4, 2 * 5 * 5)
    arguments = (8, 8), (5, 5), (2, 2), (2, 2), False
    summed = products.Overlap.apply(patches.bfloat16(), *arguments)
    expected = products.Overlap.apply(patches.bfloat16().float(), *arguments)
    assert summed.dtype == torch.bfloat16
    assert torch.equal(summed, expected.bfloat16())


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_larger_maps_are_left_to_pytorch(
    kind: type[nn.Conv2d | nn.ConvTranspose2d], monkeypatch: pytest.MonkeyPatch
):
    cut = []
    for way in (products.Patches, products.Overlap):
        monkeypatch.setattr(way, "apply", lambda *arguments, way=way: cut.append(way))
    layer, maps = kind(2, 2, 3, padding=1), torch.randn(1, 2, 5, 5)
    expected = layer(maps)
    use_im2col(layer)
    assert torch.equal(layer(maps), expected)
    assert not cut


def test_a_wanted_output_size_is_kept():
    layer, maps = nn.ConvTranspose2d(2, 2, 3, 2, 1), torch.randn(1, 2, 3, 3)
    expected = layer(maps, output_size=[6, 6])
    use_im2col(layer)
    assert torch.equal(layer(maps, output_size=[6, 6]), expected)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, padding="same"),
        nn.Conv2d(4, 4, 3, padding="valid"),
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 4, 3)),
        nn.Conv1d(4, 4, 3),
        nn.Linear(4, 4),
    ],
    ids=[
        "groups",
        "dilation",
        "reflection",
        "same",
        "valid",
        "spectral norm",
        "one dimension",
        "no convolution",
    ],
)
def test_unusual_layers_stay_as_they_are(layer: nn.Module):
    before = type(layer)
    use_im2col(layer)
    assert not has_im2col_layers(layer)
    assert type(layer) is before


def test_only_large_kernels_gain(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(products, "WEIGHTS", 4 * 4 * 9)
    network = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(3, 4, 3))
    assert has_im2col_layers(network)
    use_im2col(network)
    assert has_im2col_layers(network)  # still known when its products are in use
    use_im2col(network)
    assert [type(layer) for layer in network] == [products.Im2colConv2d, nn.Conv2d]
    assert not has_im2col_layers(network[1])

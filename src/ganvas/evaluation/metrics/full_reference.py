"""How alike two images are, pixel by pixel: for images with a ground truth, such as paired data.

All functions take two batches of images, uint8 (N, C, H, W), and return one number per image,
float64 (N,).
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ganvas.errors import UserError

__all__ = ["WINDOW", "hole_l1", "hole_psnr", "l1", "psnr", "ssim"]

WINDOW, SIGMA = 11, 1.5  # pixels
WHITE = 255  # the highest level: the peak of PSNR, and L of SSIM
CHUNK = 16  # images compared at a time; bounds the memory of float64 copies


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference of pixels, from 0 to 255.

    Raises:
        UserError: other than two batches of uint8 of one shape.
    """
    _check_pair(a, b)
    return _map_chunks(a, b, lambda a, b: (a - b).abs().mean((1, 2, 3)))


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio 10 log10(255^2 / mean squared difference), in dB.

    Infinite for equal images.

    Raises:
        UserError: other than two batches of uint8 of one shape.
    """
    _check_pair(a, b)
    return _map_chunks(
        a, b, lambda a, b: 10 * (WHITE**2 / (a - b).square().mean((1, 2, 3))).log10()
    )


def hole_l1(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of the pixels in a hole, from 0 to 255.

    Args:
        a: images.
        b: images.
        mask: bool (N, 1, H, W), true in the hole.

    Raises:
        UserError: other than two batches of uint8 of one shape with a hole in each.
    """
    _check_holes(a, b, mask)
    # float64 first, because a difference of uint8 below 0 wraps around
    return _mean_in_hole((a.double() - b.double()).abs(), mask)


def hole_psnr(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of the pixels in a hole, in dB; infinite where they are equal.

    Args:
        a: images.
        b: images.
        mask: bool (N, 1, H, W), true in the hole.

    Raises:
        UserError: other than two batches of uint8 of one shape with a hole in each.
    """
    _check_holes(a, b, mask)
    return 10 * (WHITE**2 / _mean_in_hole((a.double() - b.double()).square(), mask)).log10()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Mean structural similarity, at most 1; Wang et al. 2004, eq. 13 and 17.

    "Image Quality Assessment: From Error Visibility to Structural Similarity". As in section III.C:
    a Gaussian window of 11 pixels and sigma 1.5, K1 = 0.01, K2 = 0.03, variances without
    correction. The mean is over channels and over the windows that lie wholly inside, as in the
    authors' code and in scikit-image's
    `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)`.
    torchmetrics reflects the images at their borders and counts those windows too, which gives
    other numbers. No image is made smaller first.

    Raises:
        UserError: other than two batches of uint8 of one shape, or images smaller than the window.
    """
    _check_pair(a, b)
    height, width = a.shape[2:]
    if min(height, width) < WINDOW:
        raise UserError(
            f"images of {width}x{height} are too small for SSIM, "
            f"whose window needs {WINDOW}x{WINDOW} pixels"
        )
    return _map_chunks(a, b, _similarity)


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    """SSIM of float64 (n, C, H, W), as (n,)."""
    shape = (len(a), -1)
    # (n C, 1, H, W): each channel alone
    a, b = a.flatten(0, 1).unsqueeze(1), b.flatten(0, 1).unsqueeze(1)

    mean_a, mean_b = _window_means(a), _window_means(b)  # (n C, 1, H - 10, W - 10)
    # Of both windows together. E[x^2] - E[x]^2 cancels where they are even: float64.
    variances = _window_means(a * a) - mean_a**2 + _window_means(b * b) - mean_b**2
    covariance = _window_means(a * b) - mean_a * mean_b

    # The paper's constants keep the quotients stable where the denominators are near 0.
    c1, c2 = (0.01 * WHITE) ** 2, (0.03 * WHITE) ** 2
    # eq. 13 as a product of two quotients; its mean is eq. 17
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return (luminance * (2 * covariance + c2) / (variances + c2)).reshape(shape).mean(1)


def _window_means(images: Tensor) -> Tensor:
    """Gaussian means of (n, 1, H, W) over the windows inside, (n, 1, H - 10, W - 10)."""
    offsets = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    weights = (-0.5 * (offsets / SIGMA) ** 2).exp()
    weights = weights / weights.sum()  # an even window keeps its value
    # A Gaussian is separable: columns first, then rows.
    return conv2d(conv2d(images, weights.reshape(1, 1, -1, 1)), weights.reshape(1, 1, 1, -1))


def _map_chunks(a: Tensor, b: Tensor, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Apply a function to the images in float64, a few at a time: (N, C, H, W) twice to (N,)."""
    chunks = zip(a.split(CHUNK), b.split(CHUNK))
    return torch.cat([function(part_a.double(), part_b.double()) for part_a, part_b in chunks])


def _mean_in_hole(values: Tensor, mask: Tensor) -> Tensor:
    """Means of (N, C, H, W) where the mask (N, 1, H, W) is true, (N,)."""
    # The mask is the same for all channels, so each of its pixels counts once in every channel.
    return (values * mask).sum((1, 2, 3)) / (mask.sum((1, 2, 3)) * values.shape[1])


def _check_pair(a: Tensor, b: Tensor) -> None:
    """Refuse other than two batches of images of one shape."""
    if a.dtype != torch.uint8 or b.dtype != torch.uint8:
        raise UserError(f"images are {a.dtype} and {b.dtype}; give uint8, from 0 to 255")
    if a.shape != b.shape or a.ndim != 4 or not a.numel():
        raise UserError(
            f"images are {tuple(a.shape)} and {tuple(b.shape)}; "
            "give two batches (N, C, H, W) of the same shape"
        )


def _check_holes(a: Tensor, b: Tensor, mask: Tensor) -> None:
    """Refuse other than two batches of images of one shape, each with a hole."""
    _check_pair(a, b)
    fits = mask.dtype == torch.bool and mask.shape == (len(a), 1, *a.shape[2:])
    if not fits or not mask.flatten(1).any(1).all():
        raise UserError(
            f"masks are {mask.dtype} {tuple(mask.shape)}; "
            "give bool (N, 1, H, W) for each image, true somewhere"
        )

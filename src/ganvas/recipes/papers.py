"""GANs that make pictures, or points, from noise, with the numbers of their papers."""

from typing import Any

from ganvas.recipes.recipe import Adam, Recipe


def dcgan_64() -> Recipe:
    """Radford et al. 2016 at 64 pixels on any folder of pictures: `--data FOLDER`; 10,000 rounds of
    128.

    Measured: rough faces after 64,000 images of 10,000 anime faces, a twentieth of its length.
    """
    adam = Adam(lr=2e-4, beta1=0.5)
    return Recipe(
        name="dcgan-64",
        gan="dcgan",
        size=64,
        channels=3,
        batch=128,
        images=10_000 * 128,
        optimizers={"generator": adam, "discriminator": adam},
    )


def stacked_mnist() -> Recipe:
    """A thousand classes to forget: three MNIST digits in red, green and blue, from a plain DCGAN,
    50 epochs as in PacGAN.

    Noise, batch, rates and length are those of PacGAN's DCGAN; its kernels are 5x5, its smallest
    map is 2x2, and its generator moves twice a round.

    Measured: 944 of 1,000 classes after one of its 50 epochs.
    """
    adam = Adam(lr=2e-4, beta1=0.5)
    return Recipe(
        name="stacked-mnist",
        gan="dcgan",
        data="stacked-mnist",
        size=28,
        channels=3,
        batch=64,
        images=50 * 128_000,
        optimizers={"generator": adam, "discriminator": adam},
    )


def points(name: str) -> Recipe:
    """What `rings` and `grid` share."""
    adam = Adam(lr=1e-3, beta1=0.8)
    return Recipe(
        name=name,
        gan="points",
        data=name,
        size=1,
        channels=2,
        batch=100,
        images=2_000_000,
        optimizers={"generator": adam, "discriminator": adam},
    )


def rings() -> Recipe:
    """Points from 8 Gaussians on a circle, to see a GAN find modes and lose them; with `--set
    options.packing=2`, PacGAN.

    Measured: 6.1 of 8 modes, 81 % good samples; packed 7.9 and 81 % (means of three seeds).
    """
    return points("rings")


def grid() -> Recipe:
    """Points from 25 Gaussians in a 5x5 grid, to see a GAN find modes and lose them; with `--set
    options.packing=2`, PacGAN.

    Measured: 21.5 of 25 modes, 81 % good samples; packed 23.9 and 71 % (means of three seeds).
    """
    return points("grid")


def wgan_gp() -> Recipe:
    """Gulrajani et al. 2017 at 32 pixels on any folder of pictures: `--data FOLDER`; the paper's
    batch and rates.

    100,000 rounds of 64, the generator moving in every fifth; `distance` in the log falls while
    pictures get better.

    Measured: nothing yet.
    """
    adam = Adam(lr=1e-4, beta1=0.0, beta2=0.9)
    return Recipe(
        name="wgan-gp",
        gan="wgan-gp",
        size=32,
        channels=3,
        batch=64,
        images=100_000 * 64,
        optimizers={"generator": adam, "discriminator": adam},
    )


def sngan() -> Recipe:
    """Miyato et al. 2018 at 32 pixels on any folder of pictures, `--data FOLDER`, told their
    classes by `--labels folders`.

    100,000 rounds of 64, the generator moving in every fifth. Rates are those that the paper has
    for its residual networks.

    Measured: nothing yet.
    """
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9)
    return Recipe(
        name="sngan",
        gan="sngan",
        size=32,
        channels=3,
        batch=64,
        images=100_000 * 64,
        optimizers={"generator": adam, "discriminator": adam},
    )


def r3gan(name: str, burn_in: int, lr_end: float | None = 5e-5, **settings: Any) -> Recipe:
    """What the recipes of Huang et al.

    2024 share: rate, second beta, penalty, average and augmentation change over a burn-in.
    """
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9, burn_in=burn_in, lr_end=lr_end, beta2_end=0.99)
    optimizers = {"generator": adam, "discriminator": adam}
    return Recipe(name=name, gan="r3gan", optimizers=optimizers, ema_burn_in=burn_in, **settings)


def stacked_mnist_r3gan() -> Recipe:
    """Huang et al. 2024 (R3GAN) on Stacked-MNIST: all 1,000 modes in the paper, unconditional, 10
    million images; for a GPU.

    Measured: nothing yet; it takes a GPU.
    """
    return r3gan(
        "stacked-mnist-r3gan",
        burn_in=2_000_000,
        lr_end=None,
        data="stacked-mnist",
        size=28,
        channels=3,
        options={"conditional": False, "gamma": [1.0, 0.1], "burn_in": 2_000_000},
        batch=512,
        images=10_000_000,
        ema_halflife=500_000,
    )


def cifar10_r3gan() -> Recipe:
    """Huang et al. 2024 (R3GAN) on CIFAR-10, of a wanted class; 250 million images, for GPUs.

    Measured: nothing yet; it takes GPUs. The paper's FID is 1.96.
    """
    return r3gan(
        "cifar10-r3gan",
        flip=True,
        burn_in=20_000_000,
        data="cifar10",
        size=32,
        channels=3,
        options={"gamma": [0.05, 0.005], "burn_in": 20_000_000, "augmentation": 0.55},
        batch=512,
        images=250_000_000,
        ema_halflife=5_000_000,
    )


def ffhq_64_r3gan() -> Recipe:
    """Huang et al. 2024 (R3GAN) on FFHQ or any faces at 64 pixels: `--data FOLDER`; 200 million
    images, for GPUs.

    Measured: nothing yet; it takes GPUs. The paper's FID is 1.95.
    """
    return r3gan(
        "ffhq-64-r3gan",
        flip=True,
        burn_in=20_000_000,
        size=64,
        channels=3,
        options={"gamma": [2.0, 0.2], "burn_in": 20_000_000, "augmentation": 0.3},
        batch=256,
        images=200_000_000,
        ema_halflife=500_000,
    )

"""GANs that generate images or points from noise, with the numbers of their papers."""

from typing import Any

from ganvas.recipes.recipe import Adam, Recipe

__all__ = [
    "cifar10_r3gan",
    "dcgan_64",
    "ffhq_64_r3gan",
    "grid",
    "points",
    "r3gan",
    "rings",
    "sngan",
    "stacked_mnist",
    "stacked_mnist_r3gan",
    "wgan_gp",
]


def dcgan_64() -> Recipe:
    """DCGAN (Radford et al. 2016) at 64 pixels on a folder of images, `--data FOLDER`.

    10,000 training steps with batches of 128.

    Measured: rough faces after 64,000 images of 10,000 anime faces, 1/20 of the recipe.
    """
    # Section 4: rate 0.0002, and beta1 0.5, since 0.9 oscillated; batches of 128.
    adam = Adam(lr=2e-4, beta1=0.5)

    return Recipe(
        name="dcgan-64",
        gan="dcgan",
        size=64,
        channels=3,
        batch=128,
        images=10_000 * 128,  # training steps x batch
        optimizers={"generator": adam, "discriminator": adam},
    )


def stacked_mnist() -> Recipe:
    """Stacked-MNIST (three digits in red, green and blue, 1,000 classes) with a plain DCGAN.

    It shows mode collapse. Noise, batch, rates and length (50 epochs) are those of the DCGAN in the
    PacGAN paper. There kernels are 5x5, the smallest map is 2x2, and the generator has two updates
    per training step; here they are 4x4, 7x7 and one.

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
        images=50 * 128_000,  # epochs x images
        optimizers={"generator": adam, "discriminator": adam},
    )


def points(name: str) -> Recipe:
    """Build `rings` or `grid`."""
    # Ten times the rate of PacGAN, for a twentieth of its length.
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
    """Points from 8 Gaussians on a circle: shows how a GAN finds modes and loses them.

    With `--set options.packing=2` it is PacGAN.

    Measured: 6.1 of 8 modes and 81 % good samples; with packing 7.9 and 81 % (means of three
    seeds); 51 seconds of one CPU core.
    """
    return points("rings")


def grid() -> Recipe:
    """Points from 25 Gaussians in a 5x5 grid: shows how a GAN finds modes and loses them.

    With `--set options.packing=2` it is PacGAN.

    Measured: 21.5 of 25 modes and 81 % good samples; with packing 23.9 and 71 % (means of three
    seeds); 51 seconds of one CPU core.
    """
    return points("grid")


def wgan_gp() -> Recipe:
    """WGAN-GP (Gulrajani et al. 2017) at 32 pixels on a folder of images, `--data FOLDER`.

    The paper's batch and learning rates; 100,000 training steps with batches of 64, and a generator
    update in every fifth step. `distance` in the log falls while the images improve.

    Measured: not yet.
    """
    # Algorithm 1: alpha 0.0001, beta1 0, beta2 0.9, m = 64.
    adam = Adam(lr=1e-4, beta1=0.0, beta2=0.9)

    return Recipe(
        name="wgan-gp",
        gan="wgan-gp",
        size=32,
        channels=3,
        batch=64,
        images=100_000 * 64,  # training steps x batch
        optimizers={"generator": adam, "discriminator": adam},
    )


def sngan() -> Recipe:
    """SNGAN (Miyato et al. 2018) at 32 pixels on a folder of images, `--data FOLDER`.

    `--labels folders` makes it class-conditional. 100,000 training steps with batches of 64, and a
    generator update in every fifth step. The learning rates are the paper's for its residual
    networks.

    Measured: not yet.
    """
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9)
    return Recipe(
        name="sngan",
        gan="sngan",
        size=32,
        channels=3,
        batch=64,
        images=100_000 * 64,  # training steps x batch
        optimizers={"generator": adam, "discriminator": adam},
    )


def r3gan(
    name: str,
    burn_in: int,
    options: dict[str, Any],
    lr_end: float | None = 5e-5,
    **settings: Any,
) -> Recipe:
    """Build a recipe of the R3GAN paper (Huang et al. 2024).

    Learning rate, second beta, gradient penalty, EMA and augmentation change over a burn-in.

    Args:
        burn_in: its length in images.
        options: of the GAN, but for the burn-in.
        lr_end: the learning rate after it; None: the rate stays.
    """
    # Without momentum. Beta2 is small at first: 0.9 averages over 10 updates, 0.99 over 100, so
    # the scale of the gradients may change while both players are new.
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9, burn_in=burn_in, lr_end=lr_end, beta2_end=0.99)
    return Recipe(
        name=name,
        gan="r3gan",
        options=options | {"burn_in": burn_in},
        optimizers={"generator": adam, "discriminator": adam},
        ema_burn_in=burn_in,
        **settings,
    )


def stacked_mnist_r3gan() -> Recipe:
    """R3GAN (Huang et al. 2024) on Stacked-MNIST, unconditional; needs a GPU.

    10 million images. The paper reports all 1,000 modes.

    Measured: not yet; it needs a GPU.
    """
    return r3gan(
        "stacked-mnist-r3gan",
        burn_in=2_000_000,
        lr_end=None,  # the rate stays; the other values change
        data="stacked-mnist",
        size=28,
        channels=3,
        # gamma: weight of R1 + R2, at first and after the burn-in, as in the paper.
        options={"conditional": False, "gamma": [1.0, 0.1]},
        batch=512,
        images=10_000_000,
        ema_halflife=500_000,
    )


def cifar10_r3gan() -> Recipe:
    """R3GAN (Huang et al. 2024) on CIFAR-10, images of a chosen class; needs GPUs.

    250 million images. The paper reports an FID of 1.96.

    Measured: not yet; it needs GPUs.
    """
    return r3gan(
        "cifar10-r3gan",
        flip=True,
        burn_in=20_000_000,
        data="cifar10",
        size=32,
        channels=3,
        options={"gamma": [0.05, 0.005], "augmentation": 0.55},
        batch=512,
        images=250_000_000,
        ema_halflife=5_000_000,
    )


def ffhq_64_r3gan() -> Recipe:
    """R3GAN (Huang et al. 2024) on FFHQ or other faces at 64 pixels; needs GPUs.

    Needs `--data FOLDER`. 200 million images. The paper reports an FID of 1.95.

    Measured: not yet; it needs GPUs.
    """
    return r3gan(
        "ffhq-64-r3gan",
        flip=True,
        burn_in=20_000_000,
        size=64,
        channels=3,
        options={"gamma": [2.0, 0.2], "augmentation": 0.3},
        batch=256,
        images=200_000_000,
        ema_halflife=500_000,
    )

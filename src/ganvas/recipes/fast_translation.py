"""Quick recipes for GANs that take images, attributes, captions or boxes, tuned for a CPU."""

from ganvas.recipes.recipe import Adam, Recipe

__all__ = ["cyclegan_fast", "gawwn_fast", "inpaint_fast", "pix2pix_fast", "stargan_fast"]


def quick_players(generator: float, discriminator: float, beta1: float = 0.0) -> dict[str, Adam]:
    """The optimizers of a quick recipe, with rates that fall to 0 in the second half."""
    rates = {"generator": generator, "discriminator": discriminator}
    return {
        player: Adam(lr=lr, beta1=beta1, beta2=0.99, constant=0.5) for player, lr in rates.items()
    }


def pix2pix_fast() -> Recipe:
    """Translation from pairs, `--data pairs:FOLDER`, in minutes on a CPU.

    64 pixels; `--size 128` is possible, too. The other direction: `--set
    options.direction=b-to-a`. The length suits a few hundred pairs; with thousands `--images 50000`
    is better.

    Measured: windows, walls and sky of unseen facades without grain after 117 seconds of one CPU
    core; kernel distance (Lite0 features) 0.42, `pix2pix` 0.84 after 641 seconds.
    """
    return Recipe(
        name="pix2pix-fast",
        gan="pix2pix-relativistic",
        options={"gamma": 0.01},
        size=64,
        load_scale=1.25,  # random crops of 64 from 80 pixels: few pairs are memorised quickly
        flip=True,
        batch=8,
        images=8_000,
        optimizers=quick_players(4e-4, 1e-4),
        ema_halflife=2_000,
        report_every=128,  # two periods of the gradient penalty
    )


def cyclegan_fast() -> Recipe:
    """Translates between two folders without pairs, in minutes on a CPU.

    Needs `--data unpaired:FOLDER`, where FOLDER has trainA and trainB.

    Measured: after 300 seconds of one CPU core a linear classifier sees the other season in 64 % of
    the images (untranslated: 34 %, real: 66 %), as sharp as before; changes are mild.
    """
    return Recipe(
        name="cyclegan-fast",
        gan="cut",
        size=64,
        load_scale=286 / 256,  # random crops, as in CycleGAN's paper
        flip=True,
        batch=4,
        images=10_000,
        optimizers=quick_players(5e-4, 5e-4),
        ema_halflife=2_000,
        report_every=64,  # two periods of the gradient penalty
    )


def stargan_fast() -> Recipe:
    """Changes attributes of faces, `--data attributes:FOLDER`, in minutes on a CPU.

    64 pixels; `--size 128` is possible, too. Attributes are selected, and those that exclude one
    another named, as in `stargan`.

    Measured: a classifier finds the requested hair colours and glasses in 98.3 % of unseen cartoon
    faces after 535 seconds of one CPU core, and white backgrounds stay white.
    """
    return Recipe(
        name="stargan-fast",
        gan="stargan-relativistic",
        size=64,
        flip=True,
        batch=16,
        images=60_000,
        optimizers=quick_players(3e-4, 5e-4),
        ema_halflife=2_000,
        report_every=256,  # two periods of the gradient penalty
    )


def inpaint_fast() -> Recipe:
    """Fills holes in images, from a folder of whole images, in minutes on a CPU.

    64 pixels; `--size 128` is possible, too. To use it: `ganvas restore RUN IMAGE --mask MASK`.

    Measured: Fréchet distance (Lite0 features) of filled anime faces 276, `inpaint` 304, after 290
    seconds of one CPU core; mean absolute error in the holes 32.9 levels. Eyes are dark ovals yet.
    """
    return Recipe(
        name="inpaint-fast",
        gan="inpaint-relativistic",
        size=64,
        channels=3,
        flip=True,
        batch=16,
        images=40_000,
        optimizers=quick_players(8e-4, 5e-5, beta1=0.5),
        ema_halflife=5_000,
        report_every=256,  # two periods of the gradient penalty
    )


def gawwn_fast() -> Recipe:
    """Draws what a caption says inside a box, in minutes on a CPU.

    Needs `--data captions:FOLDER`. Captions that share words, such as hair colours, teach most.
    Real images are shrunk at random, down to 0.4 of their side, so that boxes are anywhere. Key
    points instead of boxes: `--set options.place=keypoints --set options.smallest=1`.

    Measured: of cartoon faces hair colours are right in 100 % of the samples and glasses in 94.8 %,
    boxes overlap by 0.91 (IoU), after 978 seconds of one CPU core.
    """
    # Without momentum (beta1), as is usual for GANs with a gradient penalty.
    adam = Adam(lr=1e-3, beta1=0.0, beta2=0.99, constant=0.5)

    return Recipe(
        name="gawwn-fast",
        gan="gawwn-relativistic",
        options={"smallest": 0.4},
        size=64,
        channels=3,
        batch=25,
        images=180_000,
        optimizers=dict.fromkeys(("generator", "discriminator", "text"), adam),
        ema_halflife=10_000,
        report_every=4_000,  # forty periods of the gradient penalty
    )

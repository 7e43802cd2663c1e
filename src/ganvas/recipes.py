"""What to train: one short function per experiment, with its measured result."""

from collections.abc import Callable
from typing import Any

from ganvas.errors import UserError, nearest
from ganvas.recipe import Adam, Recipe


def fast(name: str, lr: float = 3e-3, **settings: Any) -> Recipe:
    """What the quick recipes share: a small relativistic GAN, small batches, high rates that fall to 0 in the second half.

    Small batches and high rates make many moves of few pictures, and a narrow generator makes each of them cheap: on two cores
    that counted more than anything else. Twice the rate is unstable in some runs.
    """
    adam = Adam(lr=lr, beta1=0.0, beta2=0.99, constant=0.5)
    shared = {"gan": "relativistic", "batch": 50, "optimizers": dict.fromkeys(("generator", "discriminator"), adam)}
    return Recipe(**{"name": name, "average_halflife": 10_000, **shared, **settings})


def digits() -> Recipe:
    """Handwritten digits of a wanted class in half a minute on two cores, from 1,797 scans that come with the installation.

    Measured: 98.6 % seen as the class asked for, coverage 97.6 %, after 69 seconds of one core.
    """
    # Reports after whole periods of the penalty.
    return fast("digits", data="digits", size=8, channels=1, options={"width": 32}, images=150_000, report_every=800)


def mnist_fast() -> Recipe:
    """MNIST digits of a wanted class, better than the tutorials' in a tenth of the time, on two cores in minutes.

    Measured: distance 0.38 to 0.43 (training pictures 0.22), 99.4 % seen as the class asked for, in 446 seconds of one core.
    """
    return fast("mnist-fast", data="mnist", size=28, channels=1, images=300_000, report_every=4_000)


def fashion_fast() -> Recipe:
    """Clothes of a wanted class from Fashion-MNIST, on two cores in minutes.

    Measured: distance 0.76 (classifier features) in 406 seconds of one core; 18.0, which `mnist-cdcgan` has after 779 s, in 6 s.
    """
    return fast("fashion-fast", data="fashion-mnist", size=28, channels=1, images=300_000, report_every=4_000)


def avatars_fast() -> Recipe:
    """Avatars from a folder of faces, `--data FOLDER`, on two cores; 48 pixels, or `--size 64`.

    Measured: clear faces in 647 seconds of one core; what `avatars-dcgan` has at its best in 1,170 s after 46 s.
    """
    options = {"most": 8, "gamma": 2.0, "penalty_every": 4}  # with a tenth of this penalty some runs fell apart
    return fast("avatars-fast", lr=2e-3, size=48, channels=3, flip=True, options=options, images=120_000, report_every=4_000)


def mnist_mlp() -> Recipe:
    """MNIST digits from one hidden layer in each player, as in the first TensorFlow tutorials.

    100,000 rounds of 128 at most; every 1,000 rounds both losses are printed, a checkpoint is saved, and the run stops early
    where, in that round, the generator's loss is at most 3 and the discriminator's at most 0.4.

    Measured: stops at 4,224,000 images, most digits readable; clear ones after all 100,000 rounds without the stop.
    """
    adam = Adam(lr=2e-4)
    return Recipe(
        name="mnist-mlp",
        gan="mlp",
        data="mnist",
        size=28,
        channels=1,
        batch=128,
        images=12_800_000,
        optimizers={"generator": adam, "discriminator": adam},
        report_every=128_000,
        sample_every=128_000,
        checkpoint_every=128_000,
        stop_below={"generator": 3.0, "discriminator": 0.4},
    )


def mnist_mlp_deep() -> Recipe:
    """MNIST digits from three hidden layers in each player, dropout and label smoothing, as in the Keras tutorials.

    An epoch is 469 rounds of 128 pictures drawn with replacement; 50 epochs.

    Measured: clear digits of all kinds after 1,500,800 images.
    """
    adam = Adam(lr=2e-4, beta1=0.5)
    return Recipe(
        name="mnist-mlp-deep",
        gan="mlp-deep",
        data="mnist",
        size=28,
        channels=1,
        replacement=True,
        batch=128,
        images=50 * 469 * 128,
        seed=10,
        optimizers={"generator": adam, "discriminator": adam},
        sample_every=469 * 128,
        checkpoint_every=469 * 128,
    )


def mnist_mlp_tanh() -> Recipe:
    """200 rounds of a small tanh GAN on MNIST, reporting in each round both costs, the brightest generated pixel and D's opinion.

    The tutorial's real pixels were in [0, 1] and its fakes in [0, 255]; here both are in [0, 1]. 200 rounds show the game
    beginning, not digits: for these go on with `--images 2000000`.

    Measured: one blurred shape after its 200 rounds, digits after 2,000,000 images.
    """
    adam = Adam(lr=1e-3)
    return Recipe(
        name="mnist-mlp-tanh",
        gan="mlp-tanh",
        data="mnist",
        size=28,
        channels=1,
        batch=128,
        images=200 * 128,
        optimizers={"generator": adam, "discriminator": adam},
        report_every=128,
    )


def mnist_cdcgan() -> Recipe:
    """MNIST digits of a wanted class from a conditional DCGAN with 5x5 kernels, 30 epochs.

    The rate falls by 5 % every 500 rounds; after each epoch both losses are measured in evaluation mode. The tutorial never
    asked for the digit 9 while training, so its 9 stays unclear; here all ten are asked for. It also drew a grid every 10
    rounds (`--set sample_every=1000`).

    Measured: 92 % of 1,000 samples are of their class after 2 of the 30 epochs.
    """
    adam = Adam(lr=2e-4, beta1=0.5, decay=0.95, decay_every=500 * 100)
    return Recipe(
        name="mnist-cdcgan",
        gan="cdcgan",
        data="mnist",
        size=28,
        channels=1,
        batch=100,
        images=30 * 60_000,
        optimizers={"generator": adam, "discriminator": adam},
        report_every=2_000,
        sample_every=10_000,
        checkpoint_every=20_000,
        measure_every=60_000,
    )


def avatars_dcgan() -> Recipe:
    """Avatars of 48 pixels from a folder of faces, as in the anime-avatar tutorials: `--data FOLDER`; or `--size 64`, `96`.

    Batches of 64, one discriminator move and two generator moves on the same noise; 60 epochs of 8,903 pictures. Running it
    again with more `--epochs` goes on from there. The tutorial's number of pictures made had to be its training batch; here
    it is free.

    Measured: faces with eyes, hair and mouth after 100,000 images of 10,000 anime faces.
    """
    adam = Adam(lr=2e-4, beta1=0.5)
    return Recipe(
        name="avatars-dcgan",
        gan="avatar-dcgan",
        size=48,
        channels=3,
        batch=64,
        images=60 * 8_903,
        optimizers={"generator": adam, "discriminator": adam},
    )


def dcgan_64() -> Recipe:
    """Radford et al. 2016 at 64 pixels on any folder of pictures: `--data FOLDER`; 10,000 rounds of 128.

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


def sngan() -> Recipe:
    """Miyato et al. 2018 at 32 pixels on any folder of pictures, `--data FOLDER`, told their classes by `--labels folders`.

    100,000 rounds of 64, the generator moving in every fifth. Rates are those that the paper has for its residual networks.

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


def wgan_gp() -> Recipe:
    """Gulrajani et al. 2017 at 32 pixels on any folder of pictures: `--data FOLDER`; the paper's batch and rates.

    100,000 rounds of 64, the generator moving in every fifth; `distance` in the log falls while pictures get better.

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


def stacked_mnist() -> Recipe:
    """A thousand classes to forget: three MNIST digits in red, green and blue, from a plain DCGAN, 50 epochs as in PacGAN.

    Noise, batch, rates and length are those of PacGAN's DCGAN; its kernels are 5x5, its smallest map is 2x2, and its generator
    moves twice a round.

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


def stacked_mnist_fast() -> Recipe:
    """A thousand classes that no one names: the small relativistic GAN on Stacked-MNIST, against the forgetting of
    `stacked-mnist`.

    Measured: all 1,000 classes, divergence 0.041, after half of the run, 306,250 images and 519 seconds of one core.
    """
    options = {"conditional": False}
    return fast("stacked-mnist-fast", data="stacked-mnist", size=28, channels=3, options=options, images=600_000)


def r3gan(name: str, burn_in: int, lr_end: float | None = 5e-5, **settings: Any) -> Recipe:
    """What the recipes of Huang et al. 2024 share: rate, second beta, penalty, average and augmentation change over a burn-in."""
    adam = Adam(lr=2e-4, beta1=0.0, beta2=0.9, burn_in=burn_in, lr_end=lr_end, beta2_end=0.99)
    optimizers = {"generator": adam, "discriminator": adam}
    return Recipe(name=name, gan="r3gan", optimizers=optimizers, average_burn_in=burn_in, **settings)


def stacked_mnist_r3gan() -> Recipe:
    """Huang et al. 2024 (R3GAN) on Stacked-MNIST: all 1,000 modes in the paper, unconditional, 10 million images; for a GPU.

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
        average_halflife=500_000,
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
        average_halflife=5_000_000,
    )


def ffhq_64_r3gan() -> Recipe:
    """Huang et al. 2024 (R3GAN) on FFHQ or any faces at 64 pixels: `--data FOLDER`; 200 million images, for GPUs.

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
        average_halflife=500_000,
    )


def inpaint() -> Recipe:
    """Holes in pictures, filled: boxes and strokes cut into any folder of pictures, `--data FOLDER`; 64 pixels, or `--size 128`.

    Afterwards `ganvas restore RUN PICTURE --mask MASK`.

    Measured: errors in holes 32.8 levels against 42.3 of a blur, after 32,000 images of anime faces.
    """
    return Recipe(
        name="inpaint",
        gan="inpaint",
        size=64,
        channels=3,
        flip=True,
        batch=16,
        images=1_000_000,
        # At the same rate for both, scores swing to and fro and the fillings turn to noise.
        optimizers={"generator": Adam(lr=4e-4, beta1=0.5, beta2=0.99), "discriminator": Adam(lr=2e-4, beta1=0.5, beta2=0.99)},
        average_halflife=10_000,
        report_every=12_800,  # a hundred of the penalty's periods
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
    """Points from 8 Gaussians on a circle, to see a GAN find modes and lose them; with `--set options.packing=2`, PacGAN.

    Measured: 6.1 of 8 modes, 81 % good samples; packed 7.9 and 81 % (means of three seeds).
    """
    return points("rings")


def grid() -> Recipe:
    """Points from 25 Gaussians in a 5x5 grid, to see a GAN find modes and lose them; with `--set options.packing=2`, PacGAN.

    Measured: 21.5 of 25 modes, 81 % good samples; packed 23.9 and 71 % (means of three seeds).
    """
    return points("grid")


def points_fast(name: str, data: str) -> Recipe:
    """What `rings-fast` and `grid-fast` share."""
    return fast(name, lr=2e-3, gan="points-relativistic", data=data, size=1, channels=2, batch=100, images=1_000_000)


def rings_fast() -> Recipe:
    """All 8 Gaussians of the circle, evenly, against the forgetting of `rings`: pairs with real points, and a penalty on slopes.

    Measured: 8 of 8 modes in each of five runs, 97.0 % good samples, in a minute of one core.
    """
    return points_fast("rings-fast", "rings")


def grid_fast() -> Recipe:
    """All 25 Gaussians of the grid, evenly, against the forgetting of `grid`: pairs with real points, and a penalty on slopes.

    Measured: 25 of 25 modes in each of five runs, 93.5 % good samples, in a minute of one core.
    """
    return points_fast("grid-fast", "grid")


def pix2pix() -> Recipe:
    """Isola et al. 2017: pictures of one kind redrawn as another, learnt from pairs: `--data pairs:FOLDER`.

    The facades of the paper: 200 epochs of 400 pairs, one at a time, at half of the run's length the rates begin to fall.
    The other way with `--set options.direction=b-to-a`; smaller and quicker with `--size 64 --set batch=4`.

    Measured: facades at 64 pixels, kernel distance 0.0018 against 0.0085 of the distance alone.
    """
    adam = Adam(lr=2e-4, beta1=0.5, constant=0.5)
    return Recipe(
        name="pix2pix",
        gan="pix2pix",
        size=256,
        load_scale=286 / 256,
        flip=True,
        batch=1,
        images=200 * 400,
        optimizers={"generator": adam, "discriminator": adam},
    )


def cyclegan() -> Recipe:
    """Zhu et al. 2017: pictures of one domain as if they were of another, learnt without pairs: `--data unpaired:FOLDER`.

    FOLDER has trainA and trainB. One picture of each at a time, 200 epochs of about 1,000 pictures, the rates falling in the
    second half. Smaller and quicker with `--size 64 --set options.width=24 --set batch=4`.

    Measured: after 28 epochs of 150 pictures at 64 pixels 28 levels of error there and back; colours of the seasons, soft.
    """
    adam = Adam(lr=2e-4, beta1=0.5, constant=0.5)
    return Recipe(
        name="cyclegan",
        gan="cyclegan",
        size=256,
        load_scale=286 / 256,
        flip=True,
        batch=1,
        images=200_000,
        optimizers={"generator": adam, "discriminator_a": adam, "discriminator_b": adam},
    )


def gawwn_box() -> Recipe:
    """Reed et al. 2016 (GAWWN): pictures of what a caption tells, in a box: `--data captions:FOLDER`; 600 epochs of 1,660.

    The paper's batch, rates and their halving every 100 epochs, but narrower players (its width was 128) and 64 pixels for its
    128. Real pictures are laid smaller, down to 0.4 of their side, so that boxes are anywhere.

    Measured: boxes asked for and found overlap by 0.88 after 11 epochs of emoji; colours follow the caption, shapes not yet.
    """
    adam = Adam(lr=2e-4, beta1=0.5, decay=0.5, decay_every=100 * 1_660)
    return Recipe(
        name="gawwn-box",
        gan="gawwn-box",
        options={"width": 32, "text_size": 128, "letters": 64, "smallest": 0.4},
        size=64,
        channels=3,
        batch=16,
        images=600 * 1_660,
        optimizers={"generator": adam, "discriminator": adam, "text": adam},
        average_halflife=10_000,
    )


def gawwn_keypoints() -> Recipe:
    """Reed et al. 2016 (GAWWN): pictures of what a caption tells, with its parts where one says, of drawn birds; 100 epochs.

    Of any pictures with captions and key points by `--data captions:FOLDER`. As `gawwn-box`, but narrower still.

    Measured: nothing yet; it trains, resumes and draws, for want of time no longer.
    """
    adam = Adam(lr=2e-4, beta1=0.5)
    players = ("generator", "discriminator", "text", "keypoint_generator", "keypoint_discriminator")
    return Recipe(
        name="gawwn-keypoints",
        gan="gawwn-keypoints",
        data="figures",
        options={"width": 16, "text_size": 128, "letters": 64},
        size=64,
        channels=3,
        batch=16,
        images=100 * 3_000,
        optimizers=dict.fromkeys(players, adam),
        average_halflife=10_000,
    )


def stargan() -> Recipe:
    """Choi et al. 2018: faces with another hair colour, glasses, a smile, all by one generator: `--data attributes:FOLDER`.

    FOLDER has pictures and a table of their attributes, as CelebA has; `--set 'attributes=["Smiling", "Young"]'` chooses some.
    Name those that exclude one another: `--set 'options.exclusive=[["Black_Hair", "Blond_Hair", "Brown_Hair"]]'`. 200,000 rounds
    of 16, the rates falling in the second half. Smaller and quicker with `--size 64 --set options.width=24`.

    Measured: 98.9 % of the hair colours and glasses asked for, by a classifier, after 32,000 images at 64 pixels.
    """
    adam = Adam(lr=1e-4, beta1=0.5, constant=0.5)
    return Recipe(
        name="stargan",
        gan="stargan",
        size=128,
        flip=True,
        batch=16,
        images=200_000 * 16,
        optimizers={"generator": adam, "discriminator": adam},
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    "digits": digits,
    "mnist-fast": mnist_fast,
    "fashion-fast": fashion_fast,
    "avatars-fast": avatars_fast,
    "mnist-mlp": mnist_mlp,
    "mnist-mlp-deep": mnist_mlp_deep,
    "mnist-mlp-tanh": mnist_mlp_tanh,
    "mnist-cdcgan": mnist_cdcgan,
    "avatars-dcgan": avatars_dcgan,
    "dcgan-64": dcgan_64,
    "sngan": sngan,
    "wgan-gp": wgan_gp,
    "stacked-mnist": stacked_mnist,
    "stacked-mnist-fast": stacked_mnist_fast,
    "stacked-mnist-r3gan": stacked_mnist_r3gan,
    "cifar10-r3gan": cifar10_r3gan,
    "ffhq-64-r3gan": ffhq_64_r3gan,
    "pix2pix": pix2pix,
    "inpaint": inpaint,
    "cyclegan": cyclegan,
    "stargan": stargan,
    "gawwn-box": gawwn_box,
    "gawwn-keypoints": gawwn_keypoints,
    "rings": rings,
    "grid": grid,
    "rings-fast": rings_fast,
    "grid-fast": grid_fast,
}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UserError: there is none; the message has the nearest names.
    """
    if name not in RECIPES:
        raise UserError(f"there is no recipe {name!r}; {nearest(name, [*RECIPES, 'auto'])}")
    return RECIPES[name]()

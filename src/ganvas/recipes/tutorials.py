"""The GANs of the tutorials, with their numbers."""

from ganvas.recipes.recipe import Adam, Recipe


def mnist_mlp() -> Recipe:
    """MNIST digits from one hidden layer in each player, as in the first TensorFlow tutorials.

    100,000 rounds of 128 at most; every 1,000 rounds both losses are printed, a checkpoint is
    saved, and the run stops early where, in that round, the generator's loss is at most 3 and the
    discriminator's at most 0.4.

    Measured: stops at 4,224,000 images, most digits readable; clear ones after all 100,000 rounds
    without the stop.
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
    """MNIST digits from three hidden layers in each player, dropout and label smoothing, as in the
    Keras tutorials.

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
    """200 rounds of a small tanh GAN on MNIST, reporting in each round both costs, the brightest
    generated pixel and D's opinion.

    The tutorial's real pixels were in [0, 1] and its fakes in [0, 255]; here both are in [0, 1].
    200 rounds show the game beginning, not digits: for these go on with `--images 2000000`.

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

    The rate falls by 5 % every 500 rounds; after each epoch both losses are measured in evaluation
    mode. The tutorial never asked for the digit 9 while training, so its 9 stays unclear; here all
    ten are asked for. It also drew a grid every 10 rounds (`--set sample_every=1000`).

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
    """Avatars of 48 pixels from a folder of faces, as in the anime-avatar tutorials: `--data
    FOLDER`; or `--size 64`, `96`.

    Loader of 64, one discriminator move and two generator moves on the same noise; 60 epochs of
    8,903 pictures. Running it again with more `--epochs` goes on from there. The tutorial's number
    of pictures made had to be its training batch; here it is free.

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

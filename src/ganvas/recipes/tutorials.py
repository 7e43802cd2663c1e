"""The GANs of well-known tutorials, with their numbers and the lines that they print."""

from ganvas.recipes.recipe import Adam, Recipe

__all__ = ["avatars_dcgan", "mnist_cdcgan", "mnist_mlp", "mnist_mlp_deep", "mnist_mlp_tanh"]

# TensorFlow's loader of MNIST, which three of the tutorials use, sets the first 5,000 images aside.
SUBSET = "5000:60000"
EPOCH = 55_000  # images that are left


def mnist_mlp() -> Recipe:
    """MNIST digits from one hidden layer in each network, as in the first TensorFlow tutorials.

    At most 100,000 training steps with batches of 128. Every 1,000 steps the losses are reported
    and a checkpoint is saved, and the run stops early if the generator's loss in this step is at
    most 3 and the discriminator's at most 0.4.

    Measured: it stops after 3,456,000 images, about half of the digits readable. Without the early
    stop all 100,000 steps take 772 seconds of one CPU core and give clear digits.
    """
    adam = Adam(lr=2e-4)

    return Recipe(
        name="mnist-mlp",
        gan="mlp",
        data="mnist",
        subset=SUBSET,
        size=28,
        channels=1,
        batch=128,
        images=100_000 * 128,  # training steps x batch
        optimizers={"generator": adam, "discriminator": adam},
        log="lines",
        report_every=1_000 * 128,
        sample_every=1_000 * 128,
        checkpoint_every=1_000 * 128,
        stop_below={"generator": 3.0, "discriminator": 0.4},
    )


def mnist_mlp_deep() -> Recipe:
    """MNIST digits from three hidden layers in each network, as in the Keras tutorials.

    With dropout and label smoothing. An epoch is 469 training steps with batches of 128 images,
    drawn with replacement. The tutorial trains one epoch (`--epochs 1`), the recipe 50.

    Measured: clear digits of all classes after 1,500,800 images (half of the recipe) and 801
    seconds of one CPU core.
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
        images=50 * 469 * 128,  # epochs x training steps x batch
        seed=10,
        optimizers={"generator": adam, "discriminator": adam},
        log="lines",
        sample_every=469 * 128,  # every epoch
        checkpoint_every=469 * 128,
    )


def mnist_mlp_tanh() -> Recipe:
    """MNIST digits from a small GAN with tanh layers, as in a tutorial of 200 training steps.

    After each step both losses are reported, and of one fake the brightest pixel and the
    discriminator's opinion.
    The tutorial's real pixels were in [0, 1] and its fakes in [0, 255]; here both are in [0, 1].
    After 200 steps there are no digits yet; continue with `--images 2000000`.

    Measured: one blurred shape after its 200 steps and 18 seconds of one busy CPU core; digits
    after 2,000,000 images.
    """
    adam = Adam(lr=1e-3)

    return Recipe(
        name="mnist-mlp-tanh",
        gan="mlp-tanh",
        data="mnist",
        subset=SUBSET,
        size=28,
        channels=1,
        replacement=True,
        batch=128,
        images=200 * 128,  # training steps x batch
        optimizers={"generator": adam, "discriminator": adam},
        log="lines",
        report_every=128,  # every training step
    )


def mnist_cdcgan() -> Recipe:
    """MNIST digits of a chosen class from a conditional DCGAN with 5x5 kernels, 30 epochs.

    The learning rate falls by 5 % every 500 training steps. After each epoch both losses are
    measured in evaluation mode. The tutorial never trained its generator with the label 9, so its 9
    stays unclear; here all ten labels are used. The tutorial saves samples every 10 steps
    (`--set sample_every=1000`).

    Measured: a classifier recognises 99.7 % of 1,000 samples as the requested class after all 30
    epochs, 3.1 hours of one CPU core with `--set precision=bf16`.
    """
    adam = Adam(lr=2e-4, beta1=0.5, decay=0.95, decay_every=500 * 100)  # training steps x batch

    return Recipe(
        name="mnist-cdcgan",
        gan="cdcgan",
        data="mnist",
        subset=SUBSET,
        size=28,
        channels=1,
        batch=100,
        images=30 * EPOCH,  # 550 training steps each
        optimizers={"generator": adam, "discriminator": adam},
        log="lines",
        report_every=2_000,  # 20 training steps
        sample_every=10_000,  # 100 training steps
        checkpoint_every=20_000,
        measure_every=EPOCH,
    )


def avatars_dcgan() -> Recipe:
    """Avatars of 48 pixels from a folder of faces, as in the anime-avatar tutorials.

    Needs `--data FOLDER`; `--size 64` and `--size 96` are possible, too. Batches of 64, one update
    of the discriminator and two of the generator with the same noise; 60 epochs of 8,903 images. To
    train it further, run it again with more `--epochs`. In the tutorial the number of generated
    images must equal the training batch; here it can be any number.

    Measured: faces with eyes, hair and mouth after 100,000 images of 10,000 anime faces.
    """
    adam = Adam(lr=2e-4, beta1=0.5)

    return Recipe(
        name="avatars-dcgan",
        gan="avatar-dcgan",
        size=48,
        channels=3,
        batch=64,
        images=60 * 8_903,  # epochs x images of the tutorial
        optimizers={"generator": adam, "discriminator": adam},
        log="lines",
    )

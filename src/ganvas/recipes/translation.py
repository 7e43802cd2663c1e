"""GANs that take images, attributes, captions or boxes, with the numbers of their papers."""

from ganvas.recipes.recipe import Adam, Recipe

__all__ = ["cyclegan", "gawwn_box", "gawwn_keypoints", "inpaint", "pix2pix", "stargan"]


def inpaint() -> Recipe:
    """Fills holes in images: learns from a folder of whole images, `--data FOLDER`.

    Boxes and strokes are cut out of the images. 64 pixels; `--size 128` is possible, too. To use
    it: `ganvas restore RUN IMAGE --mask MASK`.

    Measured: mean absolute error in the holes 32.8 levels (a blur: 42.3), after 32,000 images of
    anime faces.
    """
    return Recipe(
        name="inpaint",
        gan="inpaint",
        size=64,
        channels=3,
        flip=True,
        batch=16,
        images=1_000_000,
        # With the same rate for both, scores oscillate and the filled holes turn to noise.
        optimizers={
            "generator": Adam(lr=4e-4, beta1=0.5, beta2=0.99),
            "discriminator": Adam(lr=2e-4, beta1=0.5, beta2=0.99),
        },
        ema_halflife=10_000,
        report_every=12_800,  # a hundred periods of the gradient penalty
    )


def pix2pix() -> Recipe:
    """pix2pix (Isola et al. 2017): learns a translation from pairs, `--data pairs:FOLDER`.

    The numbers are those of the paper's facades: 200 epochs of 400 pairs, batches of 1, and
    learning rates that fall in the second half. The other direction: `--set
    options.direction=b-to-a`. Smaller and faster: `--size 64 --set batch=4`.

    Measured: facades at 64 pixels, kernel distance 0.0018 (with the L1 loss alone: 0.0085).
    """
    # Section 3.3: rate 0.0002, beta1 0.5; beta2 is Adam's own.
    adam = Adam(lr=2e-4, beta1=0.5, constant=0.5)

    return Recipe(
        name="pix2pix",
        gan="pix2pix",
        size=256,
        load_scale=286 / 256,  # random crops of 256 from 286 pixels, as in the paper
        flip=True,
        batch=1,
        images=200 * 400,  # epochs x pairs
        optimizers={"generator": adam, "discriminator": adam},
    )


def cyclegan() -> Recipe:
    """CycleGAN (Zhu et al. 2017): learns a translation between two folders without pairs.

    Needs `--data unpaired:FOLDER`, where FOLDER has trainA and trainB. One image of each per
    training step, 200 epochs of about 1,000 images, learning rates that fall in the second half.
    Smaller and faster: `--size 64 --set options.width=24 --set batch=4`.

    Measured: after 28 epochs of 150 images at 64 pixels the cycle reconstructs images with a mean
    error of 28 levels; the seasons' colours are right, the images soft.
    """
    # Section 4: rate 0.0002 for 100 epochs, then linearly to 0 over 100 more.
    adam = Adam(lr=2e-4, beta1=0.5, constant=0.5)

    return Recipe(
        name="cyclegan",
        gan="cyclegan",
        size=256,
        load_scale=286 / 256,  # random crops of 256 from 286 pixels, as in the paper
        flip=True,
        batch=1,
        images=200_000,  # 200 epochs of about 1,000
        optimizers={"generator": adam, "discriminator_a": adam, "discriminator_b": adam},
    )


def stargan() -> Recipe:
    """StarGAN (Choi et al. 2018): changes attributes of faces, such as hair colour or a smile.

    Needs `--data attributes:FOLDER`, where FOLDER has images and a table of their attributes, as
    CelebA has. `--set 'attributes=["Smiling", "Young"]'` selects some. Name those that exclude one
    another: `--set 'options.exclusive=[["Black_Hair", "Blond_Hair", "Brown_Hair"]]'`. 200,000
    training steps with batches of 16, learning rates that fall in the second half. Smaller and
    faster: `--size 64 --set options.width=24`.

    Measured: a classifier finds the requested hair colours and glasses in 98.9 % of the images,
    after 32,000 images at 64 pixels.
    """
    # Rate 0.0001 and beta1 0.5 as in the paper, the fall to 0 in the second half, too.
    adam = Adam(lr=1e-4, beta1=0.5, constant=0.5)

    return Recipe(
        name="stargan",
        gan="stargan",
        size=128,
        flip=True,
        batch=16,
        images=200_000 * 16,  # training steps x batch
        optimizers={"generator": adam, "discriminator": adam},
    )


def gawwn_box() -> Recipe:
    """GAWWN (Reed et al. 2016): draws what a caption says inside a box.

    Needs `--data captions:FOLDER`. The paper's batch and learning rates, halved every 100 of 600
    epochs of 1,660 images, but narrower networks (the paper's width is 128) and 64 pixels instead
    of 128. Real images are shrunk at random, down to 0.4 of their side, so that boxes are anywhere.

    Measured: requested and found boxes overlap by 0.88 (IoU) after 11 epochs of emoji; colours
    follow the caption, shapes not yet.
    """
    # The rate of 0.0002 is the paper's. decay_every is in images, as all periods are.
    adam = Adam(lr=2e-4, beta1=0.5, decay=0.5, decay_every=100 * 1_660)

    return Recipe(
        name="gawwn-box",
        gan="gawwn-box",
        options={"width": 32, "text_size": 128, "letters": 64, "smallest": 0.4},
        size=64,
        channels=3,
        batch=16,
        images=600 * 1_660,  # epochs x images
        optimizers={"generator": adam, "discriminator": adam, "text": adam},
        ema_halflife=10_000,
    )


def gawwn_keypoints() -> Recipe:
    """GAWWN (Reed et al. 2016): draws what a caption says, with parts at given key points.

    The data are drawn birds, 100 epochs; `--data captions:FOLDER` takes any images with captions
    and key points. As `gawwn-box`, but narrower still.

    Measured: not yet.
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
        images=100 * 3_000,  # epochs x images
        optimizers=dict.fromkeys(players, adam),
        ema_halflife=10_000,
    )

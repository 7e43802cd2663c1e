"""GANs that are asked with pictures, attributes, captions or places, with the numbers of their
papers.
"""

from ganvas.recipes.recipe import Adam, Recipe


def inpaint() -> Recipe:
    """Holes in pictures, filled: boxes and strokes cut into any folder of pictures, `--data
    FOLDER`; 64 pixels, or `--size 128`.

    Afterwards `ganvas restore RUN PICTURE --mask MASK`.

    Measured: errors in holes 32.8 levels against 42.3 of a blur, after 32,000 images of anime
    faces.
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
        optimizers={
            "generator": Adam(lr=4e-4, beta1=0.5, beta2=0.99),
            "discriminator": Adam(lr=2e-4, beta1=0.5, beta2=0.99),
        },
        ema_halflife=10_000,
        report_every=12_800,  # a hundred of the penalty's periods
    )


def pix2pix() -> Recipe:
    """Isola et al. 2017: pictures of one kind redrawn as another, learnt from pairs: `--data
    pairs:FOLDER`.

    The facades of the paper: 200 epochs of 400 pairs, one at a time, at half of the run's length
    the rates begin to fall. The other way with `--set options.direction=b-to-a`; smaller and
    quicker with `--size 64 --set batch=4`.

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
    """Zhu et al. 2017: pictures of one domain as if they were of another, learnt without pairs:
    `--data unpaired:FOLDER`.

    FOLDER has trainA and trainB. One picture of each at a time, 200 epochs of about 1,000 pictures,
    the rates falling in the second half. Smaller and quicker with `--size 64 --set options.width=24
    --set batch=4`.

    Measured: after 28 epochs of 150 pictures at 64 pixels 28 levels of error there and back;
    colours of the seasons, soft.
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


def stargan() -> Recipe:
    """Choi et al. 2018: faces with another hair colour, glasses, a smile, all by one generator:
    `--data attributes:FOLDER`.

    FOLDER has pictures and a table of their attributes, as CelebA has; `--set
    'attributes=["Smiling", "Young"]'` chooses some. Name those that exclude one another: `--set
    'options.exclusive=[["Black_Hair", "Blond_Hair", "Brown_Hair"]]'`. 200,000 rounds of 16, the
    rates falling in the second half. Smaller and quicker with `--size 64 --set options.width=24`.

    Measured: 98.9 % of the hair colours and glasses asked for, by a classifier, after 32,000 images
    at 64 pixels.
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


def gawwn_box() -> Recipe:
    """Reed et al. 2016 (GAWWN): pictures of what a caption tells, in a box: `--data
    captions:FOLDER`; 600 epochs of 1,660.

    The paper's batch, rates and their halving every 100 epochs, but narrower players (its width was
    128) and 64 pixels for its
    128. Real pictures are laid smaller, down to 0.4 of their side, so that boxes are anywhere.

    Measured: boxes asked for and found overlap by 0.88 after 11 epochs of emoji; colours follow the
    caption, shapes not yet.
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
        ema_halflife=10_000,
    )


def gawwn_keypoints() -> Recipe:
    """Reed et al. 2016 (GAWWN): pictures of what a caption tells, with its parts where one says, of
    drawn birds; 100 epochs.

    Of any pictures with captions and key points by `--data captions:FOLDER`. As `gawwn-box`, but
    narrower still.

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
        ema_halflife=10_000,
    )

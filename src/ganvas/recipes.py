"""What to train: one short function per experiment, with its measured result."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError, create_model, model_validator

from ganvas.data.dataset import View
from ganvas.errors import UserError, nearest
from ganvas.gans import GANS


class Adam(BaseModel):
    """Kingma and Ba 2015, with a staircase decay: the rate is lr x decay ** (images shown // decay_every)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lr: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    decay_every: PositiveInt | None = None  # images

    def lr_at(self, images: int) -> float:
        """The learning rate after `images` images shown."""
        return self.lr * self.decay ** (images // self.decay_every) if self.decay_every else self.lr


class Recipe(View):
    """One experiment, whole: data, GAN, length, optimizers, periods. All lengths and periods are in images shown."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]  # also a folder's
    gan: str  # a name in `ganvas.gans.GANS`
    options: dict[str, Any] = {}  # the GAN's own keyword arguments
    data: str | None = None  # what `--data` takes; None: the user must give it
    # Pictures kept from training to judge by; None: a 50th, at most 500, or none where the set has a test set of its own.
    held_out: NonNegativeInt | None = None
    flip: bool = False  # mirror every second picture, at random
    replacement: bool = False  # draw pictures with replacement instead of by epochs
    batch: PositiveInt
    images: PositiveInt
    seed: NonNegativeInt = 0
    optimizers: dict[str, Adam]  # by player
    average_halflife: PositiveInt | None = None  # of the moving average of weights; None: no average
    precision: Literal["fp32", "bf16"] = "fp32"
    report_every: PositiveInt | None = None  # losses to the log; None: a 200th of the run
    sample_every: PositiveInt | None = None  # a grid of samples; None: a 50th of the run
    checkpoint_every: PositiveInt | None = None  # None: a 20th of the run
    health_every: PositiveInt | None = None  # a checkup by the doctor; None: a 100th of the run, but at least 200 rounds
    evaluate_every: PositiveInt | None = None  # a quick score of the samples; the best checkpoint is kept
    evaluate_count: Annotated[int, Field(ge=16)] = 2_048  # samples scored
    keep: PositiveInt = 5  # newest checkpoints kept
    stop_below: dict[str, float] = {}  # stop at a report in whose round every loss named is at most this
    measure_every: PositiveInt | None = None  # both losses in evaluation mode, over 10 batches

    @model_validator(mode="after")
    def check_names(self) -> Self:
        """Refuse names that nothing answers to: of the GAN, its options, its players."""
        if self.gan not in GANS:
            raise UserError(f"gan={self.gan!r}: there is none of that name; {nearest(self.gan, GANS)}")
        check_options(self.gan, self.options)
        for name in self.stop_below:
            if name not in self.optimizers:
                raise UserError(f"unknown key 'stop_below.{name}'; {nearest(name, self.optimizers)}")
        return self

    @property
    def view(self) -> View:
        """How the data is to be seen."""
        return View(**{name: getattr(self, name) for name in View.model_fields})

    def period(self, name: Literal["report_every", "sample_every", "checkpoint_every", "health_every"]) -> int:
        """A period in images, its default worked out: at least one round."""
        if name == "health_every":  # a checkup costs as much as a few rounds of a small GAN
            return max(self.batch, self.health_every or max(self.images // 100, 200 * self.batch))
        share = {"report_every": 200, "sample_every": 50, "checkpoint_every": 20}[name]
        return max(self.batch, getattr(self, name) or self.images // share)


def digits() -> Recipe:
    """Handwritten digits of a wanted class in a minute or two on two cores, from 1,797 scans that come with the installation.

    Measured: 99.2 % of 1,000 samples are of their class.
    """
    adam = Adam(lr=5e-4, beta1=0.0, beta2=0.99)
    return Recipe(
        name="digits",
        gan="relativistic",
        data="digits",
        size=8,
        channels=1,
        batch=100,
        images=300_000,
        optimizers={"generator": adam, "discriminator": adam},
        average_halflife=10_000,
        report_every=1_600,  # two of the penalty's periods
    )


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


RECIPES: dict[str, Callable[[], Recipe]] = {
    "digits": digits,
    "mnist-mlp": mnist_mlp,
    "mnist-mlp-deep": mnist_mlp_deep,
    "mnist-mlp-tanh": mnist_mlp_tanh,
    "mnist-cdcgan": mnist_cdcgan,
    "avatars-dcgan": avatars_dcgan,
    "dcgan-64": dcgan_64,
    "stacked-mnist": stacked_mnist,
    "rings": rings,
    "grid": grid,
}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UserError: there is none; the message has the nearest names.
    """
    if name not in RECIPES:
        raise UserError(f"there is no recipe {name!r}; {nearest(name, RECIPES)}")
    return RECIPES[name]()


def change(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A copy of the recipe with other values, e.g. {"batch": 64, "options.width": 32, "optimizers.generator.lr": 1e-4}.

    Raises:
        UserError: a key is unknown (with the nearest ones) or a value is not allowed.
    """
    values = recipe.model_dump()
    for key, value in sorted(changes.items(), key=lambda change: "." in change[0]):  # the GAN before its options
        *path, last = key.split(".")
        level, known, prefix = values, list(Recipe.model_fields), ""
        for step in path:
            if step not in known or not isinstance(level.get(step), dict):
                break
            level, prefix = level[step], f"{prefix}{step}."
            known = list(option_defaults(values["gan"])) if step == "options" else list(level)
        if prefix + last != key or (last not in known and path != ["stop_below"]):
            raise UserError(f"unknown key {key!r}; {nearest(key, [prefix + name for name in known])}")
        level[last] = value
    try:
        return Recipe(**values)
    except ValidationError as error:
        raise UserError(readable(error)) from None


def make_view(**values: Any) -> View:
    """A view of data.

    Raises:
        UserError: a value is not allowed.
    """
    try:
        return View(**values)
    except ValidationError as error:
        raise UserError(readable(error)) from None


def option_defaults(gan: str) -> dict[str, Any]:
    """The keyword arguments that a GAN's constructor takes, with their defaults; empty for an unknown GAN."""
    parameters = inspect.signature(GANS[gan]).parameters.values() if gan in GANS else ()
    return {parameter.name: parameter.default for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}


def check_options(gan: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the annotations of the GAN's constructor want them: 32.0 as 32, a list as a tuple.

    Raises:
        UserError: an option is unknown (with the nearest ones) or its value is not allowed.
    """
    defaults = option_defaults(gan)
    for name in options:
        if name not in defaults:
            raise UserError(f"unknown key 'options.{name}'; {nearest(name, defaults)}")
    hints = get_type_hints(GANS[gan].__init__, include_extras=True)
    fields: dict[str, Any] = {name: (hints[name], default) for name, default in defaults.items()}
    try:
        checked = create_model("options", **fields)(**options)
    except ValidationError as error:
        raise UserError(readable(error, "options.")) from None
    return {name: getattr(checked, name) for name in options}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings with dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = list(value) if isinstance(value, tuple) else value
    return found


def all_settings(recipe: Recipe) -> dict[str, Any]:
    """Every setting by its dotted key, as `--set` takes it; the GAN's own defaults included."""
    return flat({**recipe.model_dump(), "options": option_defaults(recipe.gan) | recipe.options})


def readable(error: ValidationError, prefix: str = "") -> str:
    """Pydantic's findings in one line: the key after `prefix`, the value given, what is allowed."""
    findings = []
    for problem in error.errors():
        key = prefix + ".".join(str(part) for part in problem["loc"])
        findings.append(f"{key}={problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}")
    return "; ".join(findings)


def parse_value(text: str) -> Any:
    """The value in `--set key=value`: JSON where it is JSON (64, 0.5, true, null, [1, 2]), else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text

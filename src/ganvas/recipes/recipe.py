"""What a recipe is: all settings of one experiment, validated, and how to change them."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from ganvas.data.dataset import View
from ganvas.data.sampler import Sampling
from ganvas.errors import UserError, describe_validation, nearest
from ganvas.gans import GANS
from ganvas.gans.options import check_options, option_defaults
from ganvas.recipes.schedule import cosine

REQUESTED = "as requested"  # the reason of a setting that the user gave
Speed = Literal[
    "auto",
    "plain",
    "channels_last",
    "im2col",
    "channels_last+im2col",
    "graphs",
    "compile",
    "channels_last+graphs",
    "channels_last+compile",
    "graphs+compile",
    "channels_last+graphs+compile",
]


class Adam(BaseModel):
    """Kingma and Ba 2015, with a staircase decay: the rate is lr x decay ** (images shown //
    decay_every).

    With `constant`, the rate falls linearly to 0 after that share of the run. With `burn_in`, rate
    and second beta go from `lr` and `beta2` to `lr_end` and `beta2_end` over so many images, along
    half a cosine (Huang et al. 2024).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    lr: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    decay_every: PositiveInt | None = None  # images
    constant: Annotated[float, Field(ge=0, lt=1)] | None = None
    burn_in: NonNegativeInt = 0  # images
    lr_end: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None  # None: as `lr`
    beta2_end: Annotated[float, Field(ge=0, lt=1)] | None = None  # None: as `beta2`

    def lr_at(self, images: int, total: int) -> float:
        """The learning rate after `images` of `total` images shown."""
        rate = (
            self.lr if self.lr_end is None else cosine(self.lr, self.lr_end, images, self.burn_in)
        )
        if self.decay_every:
            rate *= self.decay ** (images // self.decay_every)
        return (
            rate
            if self.constant is None
            else rate * min(1.0, max(0.0, 1 - images / total) / (1 - self.constant))
        )

    def betas_at(self, images: int) -> tuple[float, float]:
        """Both betas after `images` images shown."""
        return self.beta1, self.beta2 if self.beta2_end is None else cosine(
            self.beta2, self.beta2_end, images, self.burn_in
        )


class Recipe(View):
    """One experiment, whole: data, GAN, length, optimizers, periods.

    All lengths and periods are in images shown.
    """

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]  # also a folder's
    gan: str  # a name in `ganvas.gans.GANS`
    options: dict[str, Any] = {}  # the GAN's own keyword arguments
    data: str | None = None  # what `--data` takes; None: the user must give it
    # Pictures kept from training to judge by; None: a 50th, at most 500, or none where the set has
    # a test set of its own.
    held_out: NonNegativeInt | None = None
    flip: bool = False  # mirror every second picture, at random
    replacement: bool = False  # draw pictures with replacement instead of by epochs
    batch: PositiveInt
    images: PositiveInt
    seed: NonNegativeInt = 0
    optimizers: dict[str, Adam]  # by player
    ema_halflife: PositiveInt | None = None  # of the moving average of weights; None: no average
    # Images over which the half-life grows from 0; None: it is at most 5 % of those shown.
    ema_burn_in: PositiveInt | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    # how rounds are played: parts of `adapt.py` with + between them; auto: the fastest here
    speed: Speed = "auto"
    report_every: PositiveInt | None = None  # losses to the log; None: a 200th of the run
    sample_every: PositiveInt | None = None  # a grid of samples; None: a 50th of the run
    checkpoint_every: PositiveInt | None = None  # None: a 20th of the run
    # a checkup by the doctor; None: a 100th of the run, but at least 200 rounds
    health_every: PositiveInt | None = None
    # a quick score of the samples; the best checkpoint is kept
    evaluate_every: PositiveInt | None = None
    evaluate_count: Annotated[int, Field(ge=16)] = 2_048  # samples scored
    keep: PositiveInt = 5  # newest checkpoints kept
    # stop at a report in whose round every loss named is at most this
    stop_below: dict[str, float] = {}
    measure_every: PositiveInt | None = None  # both losses in evaluation mode, over 10 batches
    # why settings are as they are, by their dotted keys, where they were chosen automatically
    reasons: dict[str, str] = {}

    @model_validator(mode="after")
    def check_names(self) -> Self:
        """Refuse names that nothing answers to: of the GAN, its options, its players."""
        if self.gan not in GANS:
            raise UserError(
                f"gan={self.gan!r}: there is none of that name; {nearest(self.gan, GANS)}"
            )
        check_options(self.gan, self.options)
        for name in self.stop_below:
            if name not in self.optimizers:
                raise UserError(
                    f"unknown key 'stop_below.{name}'; {nearest(name, self.optimizers)}"
                )
        return self

    @property
    def view(self) -> View:
        """How the data is to be seen."""
        return View(**{name: getattr(self, name) for name in View.model_fields})

    @property
    def sampling(self) -> Sampling:
        """How rows of the data are drawn."""
        return Sampling(self.seed, self.batch, self.flip, self.replacement, self.held_out)

    @property
    def test_view(self) -> View:
        """How data is to be seen that is judged by: nothing is cut away."""
        return self.view.model_copy(update={"load_scale": 1.0})

    def period(
        self, name: Literal["report_every", "sample_every", "checkpoint_every", "health_every"]
    ) -> int:
        """A period in images, its default worked out: at least one round."""
        if name == "health_every":  # a checkup costs as much as a few rounds of a small GAN
            return max(self.batch, self.health_every or max(self.images // 100, 200 * self.batch))
        share = {"report_every": 200, "sample_every": 50, "checkpoint_every": 20}[name]
        return max(self.batch, getattr(self, name) or self.images // share)


def change(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A copy of the recipe with other values, e.g. {"batch": 64, "options.width": 32,
    "optimizers.generator.lr": 1e-4}.

    Raises:
        UserError: a key is unknown (with the nearest ones) or a value is not allowed.
    """
    values = recipe.model_dump()
    # the GAN before its options
    for key, value in sorted(changes.items(), key=lambda change: "." in change[0]):
        *path, last = key.split(".")
        level, known, prefix = values, list(Recipe.model_fields), ""
        for step in path:
            if step not in known or not isinstance(level.get(step), dict):
                break
            level, prefix = level[step], f"{prefix}{step}."
            known = list(option_defaults(values["gan"])) if step == "options" else list(level)
        if prefix + last != key or (last not in known and path != ["stop_below"]):
            raise UserError(
                f"unknown key {key!r}; {nearest(key, [prefix + name for name in known])}"
            )
        level[last] = value
    try:
        changed = Recipe(**values)
    except ValidationError as error:
        raise UserError(describe_validation(error)) from None
    return (
        changed.model_copy(update={"reasons": keep_reasons(recipe, changed)})
        if recipe.reasons
        else changed
    )


def keep_reasons(before: Recipe, after: Recipe) -> dict[str, str]:
    """The reasons that still hold after a change: a setting with another value was asked for, and
    so was what is in a group.
    """
    old, new = all_settings(before), all_settings(after)
    kept: dict[str, str] = {}
    for key, reason in before.reasons.items():
        own = [name for name in new if name == key or name.startswith(f"{key}.")]
        changed = [name for name in own if name not in old or new[name] != old[name]]
        if own and not changed:
            kept[key] = reason
        kept |= dict.fromkeys(changed, REQUESTED)
    return kept


def find_reasons(recipe: Recipe) -> dict[str, str]:
    """Why settings are as they are, by the keys of `all_settings`; the reason of a group stands at
    its first setting.
    """
    left, found = dict(recipe.reasons), {}
    for key in all_settings(recipe):
        for name in (key, key.partition(".")[0]):
            if name in left:
                found[key] = left.pop(name)
    return found


def make_view(**values: Any) -> View:
    """A view of data.

    Raises:
        UserError: a value is not allowed.
    """
    try:
        return View(**values)
    except ValidationError as error:
        raise UserError(describe_validation(error)) from None


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
    return flat(
        {
            **recipe.model_dump(exclude={"reasons"}),
            "options": option_defaults(recipe.gan) | recipe.options,
        }
    )


def parse_value(text: str) -> Any:
    """The value in `--set key=value`:

    JSON where it is JSON (64, 0.5, true, null, [1, 2]), else the text itself.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text

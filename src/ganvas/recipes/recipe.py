"""A recipe: all settings of one experiment, validated, and how to change them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ganvas.data.names import NAMED, find_kind_name
from ganvas.data.sampler import Sampling
from ganvas.data.view import View
from ganvas.errors import UserError, describe_validation, nearest
from ganvas.gans import GANS
from ganvas.gans.options import check_options, option_defaults
from ganvas.io.numbers import Count, Fraction, Whole
from ganvas.io.reading import parse_json
from ganvas.recipes.origin import Origin
from ganvas.recipes.schedule import cosine

__all__ = [
    "PERIODS",
    "REQUESTED",
    "Adam",
    "Recipe",
    "all_settings",
    "build_recipe",
    "change",
    "find_reasons",
    "flatten_settings",
    "parse_value",
]

REQUESTED = "As requested."  # the reason of a setting that the user gave
# Periods that a recipe may leave open: (200, 1) is a 200th of the run, but at least one step.
PERIODS = {
    "report_every": (200, 1),
    "sample_every": (50, 1),
    "checkpoint_every": (20, 1),
    "health_every": (100, 200),  # a checkup costs as much as a few steps of a small GAN
}
# How training steps are executed: mechanisms of `training/speed/` with + between them, in the order
# in which they are tried, so that each way has one name.
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
    """Settings of Adam (Kingma and Ba 2015), and how its rate and second beta change.

    - `decay_every`: the rate is lr * decay ** (images shown // decay_every), a staircase.
    - `constant`: after this share of the run the rate falls linearly to 0.
    - `burn_in`: rate and second beta go from `lr` and `beta2` to `lr_end` and `beta2_end` over so
      many images, along half a cosine (Huang et al. 2024).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    lr: Annotated[Fraction, Field(gt=0)]
    beta1: Annotated[Fraction, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[Fraction, Field(ge=0, lt=1)] = 0.999
    decay: Annotated[Fraction, Field(gt=0, le=1)] = 1.0
    decay_every: Count | None = None  # images
    constant: Annotated[Fraction, Field(ge=0, lt=1)] | None = None
    burn_in: Whole = 0  # images
    lr_end: Annotated[Fraction, Field(gt=0)] | None = None  # None: as `lr`
    beta2_end: Annotated[Fraction, Field(ge=0, lt=1)] | None = None  # None: as `beta2`

    def lr_at(self, images: int, total: int) -> float:
        """The learning rate after `images` of `total` images shown."""
        rate = self.lr
        if self.lr_end is not None:
            rate = cosine(self.lr, self.lr_end, images, self.burn_in)
        if self.decay_every:
            rate *= self.decay ** (images // self.decay_every)
        if self.constant is not None:
            # 1 up to the share `constant` of the run, then a line to 0 at its end.
            rate *= min(1.0, max(0.0, 1 - images / total) / (1 - self.constant))
        return rate

    def betas_at(self, images: int) -> tuple[float, float]:
        """Both betas after `images` images shown."""
        if self.beta2_end is None:
            return self.beta1, self.beta2
        return self.beta1, cosine(self.beta2, self.beta2_end, images, self.burn_in)


class Recipe(View):
    """One experiment in full: data, GAN, length, optimizers, periods.

    All lengths and periods are in images shown.
    """

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]  # also part of a folder's name
    gan: str  # a name in `ganvas.gans.GANS`
    options: dict[str, Any] = {}  # the GAN's own keyword arguments
    data: str | None = None  # what `--data` takes; None: the user must give it
    # Images held out of training for evaluation; None: a 50th, at most 500, or none where the data
    # set has a published test set.
    held_out: Whole | None = None
    flip: bool = False  # mirror each image with probability 1/2
    replacement: bool = False  # draw images with replacement instead of by epochs
    batch: Count
    images: Count  # length of the run
    seed: Whole = 0
    origin: Origin | None = None  # the run whose weights it begins with; None: random ones
    optimizers: dict[str, Adam]  # by network
    ema_halflife: Count | None = None  # of the averaged weights; None: no average
    # Images over which the half-life grows from 0; None: it is at most 5 % of the images shown.
    ema_burn_in: Count | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    speed: Speed = "auto"  # auto: the fastest on this machine
    report_every: Count | None = None  # losses to the log; None: a 200th of the run
    # What the terminal shows: a progress bar, or a line of losses at each report.
    log: Literal["bar", "lines"] = "bar"
    sample_every: Count | None = None  # a grid of samples; None: a 50th of the run
    checkpoint_every: Count | None = None  # None: a 20th of the run
    # A checkup by the doctor; None: a 100th of the run, but at least 200 training steps.
    health_every: Count | None = None
    # A quick score of the samples, after which the best checkpoint is kept; None: never.
    evaluate_every: Count | None = None
    evaluate_count: Annotated[Count, Field(ge=16)] = 2_048  # samples scored
    keep: Count = 5  # newest checkpoints kept
    # Stop at a report in whose training step each of these losses is at most this.
    stop_below: dict[str, Fraction] = {}
    # Losses in evaluation mode, over 10 batches; None: never.
    measure_every: Count | None = None
    # Why settings were chosen, by their dotted keys, where `auto` chose them.
    reasons: dict[str, str] = {}

    @model_validator(mode="after")
    def check_names(self) -> Self:
        """Refuse an unknown GAN, unknown options of it, and losses of unknown networks."""
        if self.gan not in GANS:
            raise UserError(f"gan={self.gan!r}: unknown GAN; {nearest(self.gan, GANS)}")
        check_options(self.gan, self.options)
        for name in self.stop_below:
            if name not in self.optimizers:
                key = f"stop_below.{name}"
                raise UserError(f"unknown key {key!r}; {nearest(name, self.optimizers)}")
        return self

    @property
    def view(self) -> View:
        """How training sees the data."""
        return View(**{name: getattr(self, name) for name in View.model_fields})

    @property
    def sampling(self) -> Sampling:
        """How rows of the data are drawn."""
        return Sampling(self.seed, self.batch, self.flip, self.replacement, self.held_out)

    @property
    def test_view(self) -> View:
        """How evaluation sees the data: whole images, without random crops."""
        return self.view.model_copy(update={"load_scale": 1.0})

    def period(self, name: str) -> int:
        """A period of PERIODS in images, with its default filled in: at least one training step."""
        share, steps = PERIODS[name]
        default = max(self.images // share, steps * self.batch)
        return max(self.batch, getattr(self, name) or default)


def build_recipe(values: Any) -> Recipe:
    """Build a recipe from its settings, such as those in `recipe.json`.

    Raises:
        UserError: a key is unknown or missing, or a value is not allowed.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise UserError(describe_validation(error)) from None


def change(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Copy a recipe with other values.

    Args:
        changes: by dotted key, e.g. {"batch": 64, "options.width": 32,
            "optimizers.generator.lr": 1e-4}.

    Raises:
        UserError: a key is unknown (with the nearest ones) or a value is not allowed.
    """
    values = recipe.model_dump()
    if recipe.subset and "subset" not in changes and _is_other_set(recipe.data, changes):
        values["subset"] = None  # rows of MNIST, as some tutorials choose them, are no other set's
    # A new GAN comes before its options.
    for key, value in sorted(changes.items(), key=lambda item: "." in item[0]):
        _set_value(values, key, value)
    changed = build_recipe(values)

    if not recipe.reasons:
        return changed
    return changed.model_copy(update={"reasons": _keep_reasons(recipe, changed)})


def _is_other_set(data: str | None, changes: Mapping[str, Any]) -> bool:
    """Whether a published set of images is exchanged for another set."""
    own = find_kind_name(data) if data else None
    if own is None or NAMED[own].place_needed or not isinstance(changes.get("data"), str):
        return False
    return find_kind_name(changes["data"]) != own


def _set_value(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a value of a recipe's nested settings by its dotted key.

    Raises:
        UserError: the key is unknown (with the nearest ones).
    """
    *path, last = key.split(".")
    level = values
    known = list(Recipe.model_fields)
    prefix = ""
    for group in path:
        if group not in known or not isinstance(level.get(group), dict):
            break
        level = level[group]
        prefix += f"{group}."
        # Options that the recipe leaves at their defaults can be set, too.
        known = list(option_defaults(values["gan"])) if group == "options" else list(level)

    # `stop_below` may be empty; the names in it are checked by the recipe itself.
    if prefix + last != key or (last not in known and path != ["stop_below"]):
        allowed = [prefix + name for name in known]
        raise UserError(f"unknown key {key!r}; {nearest(key, allowed)}")
    level[last] = value


def _keep_reasons(before: Recipe, after: Recipe) -> dict[str, str]:
    """The reasons that still hold after a change; a changed setting was requested.

    Where one setting of a group was changed, the others of the group lose their common reason.
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
    """Why settings were chosen, by the keys of `all_settings`.

    The reason of a group stands at its first setting.
    """
    left = dict(recipe.reasons)
    found = {}
    for key in all_settings(recipe):
        for name in (key, key.partition(".")[0]):
            if name in left:
                found[key] = left.pop(name)
    return found


def flatten_settings(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one dictionary with dotted keys; an empty group stays, as {}."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= flatten_settings(value, f"{prefix}{key}.")
        else:
            # Lists, as JSON reads them, so that a recipe equals the one that was saved.
            found[prefix + key] = list(value) if isinstance(value, tuple) else value
    return found


def all_settings(recipe: Recipe) -> dict[str, Any]:
    """Every setting by its dotted key, as `--set` takes it, with the GAN's own defaults."""
    values = recipe.model_dump(exclude={"reasons"})
    return flatten_settings(values | {"options": option_defaults(recipe.gan) | recipe.options})


def parse_value(text: str) -> Any:
    """The value in `--set key=value`: as JSON (64, 0.5, true, null, [1, 2]), or else as text."""
    try:
        return parse_json(text)
    except ValueError:
        return text

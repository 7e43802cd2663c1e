"""The experiments by name: which settings, or which GAN, break what, and what mends it."""

from collections.abc import Callable, Mapping
from typing import Any

from ganvas.recipes.fast import fast
from ganvas.recipes.recipe import Adam, Recipe
from ganvas.whatif.broken import MinimaxMLP, NineLabelsDCGAN, RawPixelsMLP, UnnormalisedDCGAN
from ganvas.whatif.experiment import Experiment

__all__ = ["EXPERIMENTS"]

BOTH = ("generator", "discriminator")
# The doctor's measures of the discriminator, in curves and in the table.
OF_D = ("separation", "score_gap")


def _make_recipe(gan: str, images: int, lr: float, **settings: Any) -> Recipe:
    """A recipe for the digits of 8x8 pixels, which every installation has."""
    adam = Adam(lr=lr, beta1=0.5)
    shared = {"data": "digits", "size": 8, "channels": 1, "batch": 64}
    return Recipe(
        **shared | settings,
        name="whatif",
        gan=gan,
        images=images,
        optimizers=dict.fromkeys(BOTH, adam),
    )


def _make_deep_recipe() -> Recipe:
    """Digits from the fully connected GAN of the Keras tutorials, with narrower layers."""
    return _make_recipe("mlp-deep", 120_000, 2e-4, options={"hidden": [128, 256]})


def _break_norms() -> Experiment:
    # At 16 pixels there are three batch norms, at 8 pixels only one.
    recipe = _make_recipe("dcgan", 50_000, 2e-4, size=16, options={"width": 16})
    return Experiment(recipe, "distance", build=UnnormalisedDCGAN)


def _break_balance() -> Experiment:
    return Experiment(
        _make_recipe("mlp", 100_000, 1e-3),
        "distance",
        broken={"optimizers.discriminator.lr": 2e-2},
        build=MinimaxMLP,
        build_mended=MinimaxMLP,
        measures=("classes", *OF_D, "diversity", "change"),
        curves=OF_D,
    )


def _break_smoothing() -> Experiment:
    return Experiment(
        _make_deep_recipe(),
        "score_gap",
        broken={"options.real_target": 1.0},
        measures=("separation", "distance", "classes", "diversity"),
        curves=OF_D,
    )


def _break_range() -> Experiment:
    return Experiment(
        _make_deep_recipe(),
        "distance",
        build=RawPixelsMLP,
        measures=("classes", "brightness", "diversity", *OF_D),
        curves=("separation", "diversity"),
    )


def _break_labels() -> Experiment:
    recipe = _make_recipe("cdcgan", 100_000, 2e-4, batch=100, options={"width": 32})
    return Experiment(
        recipe,
        "last_class",
        build=NineLabelsDCGAN,
        measures=("classes", "distance", *OF_D),
        curves=OF_D,
    )


def _break_rate() -> Experiment:
    return Experiment(
        _make_recipe("mlp", 100_000, 1e-3),
        "distance",
        broken={f"optimizers.{player}.lr": 2e-2 for player in BOTH},
        measures=("classes", *OF_D, "diversity", "change"),
        curves=("score_gap", "change"),
    )


def _break_data() -> Experiment:
    recipe = fast(
        "whatif",
        data="digits",
        size=8,
        channels=1,
        options={"width": 32, "conditional": False},
        images=60_000,
        held_out=500,
    )
    return Experiment(
        recipe,
        "copies",
        few=20,
        measures=("distance", "score_drop", "classes", "diversity"),
        curves=("score_drop", "diversity"),
    )


def _break_modes() -> Experiment:
    return Experiment(
        _make_recipe("mlp", 100_000, 1e-3),
        "diversity",
        broken={"optimizers.generator.lr": 2e-2},
        measures=("classes", "distance", "change", *OF_D),
        curves=("diversity", "change"),
    )


def _break_convergence() -> Experiment:
    plain = Adam(lr=2e-3)  # with Adam's usual betas, 0.9 and 0.999, and a constant rate
    recipe = fast(
        "whatif",
        lr=2e-3,
        gan="points-relativistic",
        data="rings",
        size=1,
        channels=2,
        batch=100,
        images=300_000,
    )
    broken = {
        "gan": "points",
        "options": {"hidden": 64},
        "optimizers": {player: plain.model_dump() for player in BOTH},
        "ema_halflife": None,
    }
    return Experiment(
        recipe,
        "change",
        broken=broken,
        measures=("modes", "good", "diversity"),
        curves=("change", "diversity"),
    )


EXPERIMENTS: Mapping[str, Callable[[], Experiment]] = {
    "no-batch-norm": _break_norms,
    "d-too-fast": _break_balance,
    "no-smoothing": _break_smoothing,
    "wrong-range": _break_range,
    "missing-class": _break_labels,
    "rate-too-high": _break_rate,
    "too-few-images": _break_data,
    "mode-collapse": _break_modes,
    "non-convergence": _break_convergence,
}

"""Synthetic checkups of a training: healthy ones, and ones with one thing wrong."""

from typing import Any

CLASSES = {"cat": 1.0, "dog": 0.9, "owl": 1.1}


def checkup(number: int, **changes: Any) -> dict[str, Any]:
    """A healthy checkup of a trained GAN."""
    return {
        "images": 1_000 * (number + 1),
        "kind": "health",
        "real_accuracy": 0.7,
        "fake_accuracy": 0.75,
        "separation": 0.8,
        "score_gap": 1.2,
        "generator/gradient_norm": 0.5,
        "discriminator/gradient_norm": 0.5,
        "generator/weight_norm": 30.0,
        "discriminator/weight_norm": 25.0,
        "distance": 1.2,
        "diversity": 0.9,
        "change": 0.2,
        "classes": dict(CLASSES),
        "lattice_2": 0.9,
        "lattice_4": 1.1,
        "palette": 0.9,
        "score_drop": 0.1,
        "overfitting": 0.1,
        "overfitting_errors": 0.8,
    } | changes


FAULTS = {
    "diverging": {"score_gap": 80.0},
    "dead gradients": {"generator/gradient_norm": 1e-7},
    "mode collapse": {"diversity": 0.02},
    "partial collapse": {"classes": CLASSES | {"dog": 0.02}},
    "discriminator wins": {"separation": 1.0, "score_gap": 25.0},
    "generator wins": {"separation": 0.1, "score_gap": -2.0},
    "oscillation": {"change": 0.8, "diversity": 0.4},
    "discriminator memorises": {"overfitting": 0.8, "overfitting_errors": 6.0, "score_drop": 1.0},
    "lattice": {"lattice_2": 6.0},
    "one palette": {"palette": 0.04},
}

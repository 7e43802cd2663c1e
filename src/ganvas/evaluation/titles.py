"""The names of values: as tables and the studio show them, and as a user may write them."""

__all__ = ["ARROWS", "TITLES", "find_keys"]

ARROWS = "↓↑→"  # at a column: lower is better, higher is better, 1 is best

# As the studio shows them in English, in the order of the columns.
TITLES = {
    "fid": "FID",
    "fd_lite0": "Frechet distance (Lite0)",
    "fd": "Frechet distance",
    "kid": "KID",
    "kd_lite0": "Kernel distance (Lite0)",
    "kd": "Kernel distance",
    "inception_score": "Inception score",
    "classifier_score": "Classifier score",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
    "memorisation": "Memorisation",
    "copies": "Copies",
    "modes": "Modes",
    "high_quality": "High quality",
    "kl": "Unevenness (KL)",
    "agreement": "Agreement",
    "class_fid": "FID by class",
    "class_fd_lite0": "Frechet distance by class (Lite0)",
    "class_fd": "Frechet distance by class",
    "l1": "Mean difference (L1)",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "given_l1": "Mean difference of the inputs (L1)",
    "given_psnr": "PSNR of the inputs",
    "given_ssim": "SSIM of the inputs",
    "hole_l1": "Mean difference in holes (L1)",
    "hole_psnr": "PSNR in holes",
    "blur_l1": "The blur's difference (L1)",
    "blur_psnr": "The blur's PSNR",
    "cycle_a": "Reconstruction of A",
    "cycle_b": "Reconstruction of B",
    "attributes": "Attributes",
    "real_attributes": "Attributes of real images",
    "iou": "Overlap with the box (IoU)",
    "inside": "Inside the box",
    "real_iou": "Overlap of real images (IoU)",
    "tstr": "Trained on samples",
    "trtr": "Trained on real images",
    "augmented": "Trained on both",
}
# Words for a distance whose name depends on the features: whichever suits these is meant.
FAMILIES = {
    "frechet distance": ("fid", "fd_lite0", "fd"),
    "kernel distance": ("kid", "kd_lite0", "kd"),
    "frechet distance by class": ("class_fid", "class_fd_lite0", "class_fd"),
}


def _simplify(text: str) -> str:
    """A name without what does not distinguish it: case, accents, arrows, underscores."""
    plain = text.lower().replace("é", "e").replace("_", " ")
    for arrow in ARROWS:
        plain = plain.replace(arrow, " ")
    return " ".join(plain.split())


# By simplified name, the values that it may mean.
KEYS = {_simplify(title): (key,) for key, title in TITLES.items()} | FAMILIES


def find_keys(text: str) -> tuple[str, ...]:
    """The names of values or metrics that a user may mean, the most special first.

    Args:
        text: a column's heading, with its arrow or without, a title as in the studio, or any name
            that --metrics takes, which is returned as it is.
    """
    plain = _simplify(text)
    return KEYS.get(plain, (plain.replace(" ", "_"),))

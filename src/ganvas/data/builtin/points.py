"""Points in the plane from known modes: the sets on which mode collapse is seen and counted,
"rings" and "grid".

The protocol is that of VEEGAN (Srivastava et al. 2017, section 4.1) as PacGAN (Lin et al. 2018)
runs it. Read in PacGAN's own code (`2DRing_GAN&PacGAN/config.py`, `2DGrid_GAN&PacGAN/config.py`,
`MetricLogger`): the centres, 0.01 and 0.05, 100,000 points, and that 2,500 samples are judged, each
by its nearest centre within three standard deviations. Many ports place the ring by `linspace(0, 2
pi, 8)`, whose first and last centres are the same: theirs has seven modes.
"""

from dataclasses import dataclass

import numpy as np

from ganvas.data.dataset import Dataset, single
from ganvas.data.report import DataReport
from ganvas.data.view import View
from ganvas.errors import UserError

__all__ = ["COUNT", "GRID", "MIXTURES", "RINGS", "Mixture", "mode_discs", "open_points"]

COUNT = 100_000
SIDE = 0.8  # where the outermost centres lie in [-1, 1]
SEED = 0


@dataclass(frozen=True)
class Mixture:
    """Round Gaussians in the plane, all equally likely.

    Attributes:
        centres: float64 (modes, 2), in the coordinates of training: the published ones times
            `scale`.
        std: of each Gaussian along each axis, times `scale` too.
        scale: what brings the published coordinates into [-1, 1].
    """

    centres: np.ndarray
    std: float
    scale: float


def _mixture(centres: np.ndarray, std: float) -> Mixture:
    """Published centres (modes, 2) and standard deviation, scaled so that the outermost centre has
    a coordinate of SIDE.
    """
    scale = SIDE / float(np.abs(centres).max())
    return Mixture(centres * scale, std * scale, scale)


TURN = 2 * np.pi * np.arange(8) / 8  # eight angles; 2 pi would be the first again
# times 0.8: radius 0.8, std 0.008
RINGS = _mixture(np.stack([np.cos(TURN), np.sin(TURN)], axis=1), 0.01)
# times 0.2: std 0.01
GRID = _mixture(
    np.array([[x, y] for x in range(-4, 5, 2) for y in range(-4, 5, 2)], np.float64), 0.05
)
MIXTURES = {"rings": RINGS, "grid": GRID}


def mode_discs(spec: str) -> list[tuple[float, float, float]]:
    """A disc (x, y, radius of three standard deviations) for each mode of "rings" or "grid"; none
    for other data.
    """
    if spec not in MIXTURES:
        return []
    source = MIXTURES[spec]
    return [(x, y, 3 * source.std) for x, y in source.centres.tolist()]


def open_points(spec: str, view: View) -> Dataset:
    """100,000 points of a mixture, always the same ones: "pictures" float32 (N, 2, 1, 1); labels
    are the modes they came from.

    Raises:
        UserError: the view has settings that points do not have.
    """
    _check_view(spec, view)
    source = MIXTURES[spec]

    random = np.random.RandomState(SEED)  # whose numbers are the same in every version of NumPy
    # labels before noise: in the other order they would be other points
    labels = random.randint(len(source.centres), size=COUNT, dtype=np.int64)
    points = source.centres[labels] + source.std * random.standard_normal((COUNT, 2))  # (N, 2)

    # (N, 2, 1, 1): pictures of one pixel with two channels, so that all GANs take them
    images = points.astype(np.float32).reshape(COUNT, 2, 1, 1)
    classes = tuple(map(str, range(len(source.centres))))

    report = DataReport(
        spec=spec,
        found=COUNT,
        used=COUNT,
        classes=dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist())),
        steps=[
            f"published coordinates times {source.scale:g}: "
            f"standard deviation {source.std:g} along each axis of each mode"
        ],
    )

    return single(images, labels, classes, report)


def _check_view(spec: str, view: View) -> None:
    """Refuse settings that would have no effect on points.

    Raises:
        UserError: a size other than 1, channels other than 2, a fit or a background.
    """
    # for each setting what may be said: its default, or what points have anyway
    own = {
        "size": (None, 1),
        "channels": (None, 2),
        "fit": ("crop",),
        "background": ("white",),
        "load_scale": (1.0,),
    }

    wrong = []
    for key, allowed in own.items():
        value = getattr(view, key)
        if value not in allowed:
            wrong.append(f"{key}={value}")

    if wrong:
        raise UserError(
            f"{spec} holds points in the plane, not images: {', '.join(wrong)} does not apply; "
            f"use the recipe {spec}"
        )

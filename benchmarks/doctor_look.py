"""What the doctor's figures for lattice and palette are of real images, and of real images under a
drawn lattice: what its thresholds rest on.

    python benchmarks/doctor_look.py SPEC [SPEC ...] [--size N]

SPEC is what `--data` takes. 256 images are the reference; the others are looked at in groups of 128
(smaller sets: half of the images each), none of them twice. Printed for each set: the largest
lattice of any group, the smallest and largest palette, and the lattice of one group under a
chequered pattern that is so many levels lighter and darker.
"""

import argparse

import numpy as np
import torch
from torch import Tensor

from ganvas.data import View, open_dataset
from ganvas.evaluation.metrics.artefacts import PERIODS
from ganvas.training.look import FEWEST, Look

REFERENCE, GROUP = 256, 128
MOST = 4_096  # images of a set
LEVELS = (2, 4, 8)


def measure(spec: str, size: int | None) -> None:
    """Print one set's row."""
    dataset = open_dataset(spec, View(size=size))
    name = next(iter(dataset.columns))
    images = torch.from_numpy(np.array(dataset.columns[name][:MOST]))
    images = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]

    count = min(REFERENCE, len(images) // 2)
    look, rest = Look(images[:count]), images[count:]
    groups = [group for group in rest.split(GROUP) if len(group) >= FEWEST]
    found = [look.compare(group) for group in groups]

    lattices = [max(each[f"lattice_{period}"] for each in found) for period in PERIODS]
    palettes = [each["palette"] for each in found if "palette" in each]
    spread = f"{min(palettes):.2f} to {max(palettes):.2f}" if palettes else "-"
    drawn = [
        look.compare(draw_lattice(groups[0], period, levels))[f"lattice_{period}"]
        for period in PERIODS
        for levels in LEVELS
    ]
    figures = [*lattices, *drawn]
    side = images.shape[-1]
    cells = [spec, str(side), str(len(groups)), *(f"{value:.2f}" for value in figures), spread]
    print(f"| {' | '.join(cells)} |", flush=True)


def draw_lattice(images: Tensor, period: int, levels: int) -> Tensor:
    """Images (N, C, S, S) under a chequered pattern."""
    light = torch.arange(images.shape[-1]) % period < period / 2
    pattern = torch.where(light == light[:, None], levels, -levels)
    return (images.int() + pattern).clamp(0, 255).to(torch.uint8)


def main() -> None:
    """Measure the requested sets."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("specs", nargs="+", metavar="SPEC")
    parser.add_argument("--size", type=int, help="side in pixels; the images' own without")
    given = parser.parse_args()

    drawn = [f"{period} px, ±{levels}" for period in PERIODS for levels in LEVELS]
    heads = ["data", "size", "groups", *(f"lattice of {period}" for period in PERIODS)]
    heads += [*drawn, "palette"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for spec in given.specs:
        measure(spec, given.size)


if __name__ == "__main__":
    main()

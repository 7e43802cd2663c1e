"""Stacked MNIST: three digits in the three channels of an image, 1,000 classes, so that forgotten
modes can be counted.

The set of Che et al. 2017 and Metz et al. 2017 by the protocol of VEEGAN (Srivastava et al. 2017)
and PacGAN (Lin et al. 2018): 128,000 pictures, all three digits drawn at random with replacement.
PacGAN's code draws from training and test digits together; here only from the 60,000 for training,
so that an evaluation can use the others.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganvas.data.builtin.digits_mnist import mnist_files, open_mnist
from ganvas.data.dataset import Dataset
from ganvas.data.report import DataReport
from ganvas.data.store import Packed, open_store, write_images
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.io.chunks import chunk_slices

__all__ = ["COUNT", "PIECE", "STACKED", "open_stacked"]

STACKED = "stacked-mnist"
COUNT = 128_000
SEED = 0
SIZE = 28  # MNIST's side
# "407": 4 in the red channel, 0 in the green, 7 in the blue
CLASSES = tuple(f"{number:03}" for number in range(1000))
PIECE = 4096  # pictures stacked at once


def open_stacked(spec: str, view: View, progress: bool = False) -> Dataset:
    """`stacked-mnist`, or with `:FOLDER`, which holds MNIST's files; always the same pictures, kept
    in the packed store.

    Raises:
        UserError: the view has one channel, or MNIST cannot be downloaded.
    """
    if view.channels == 1:
        raise UserError(
            f"{STACKED} has a digit in each of its 3 channels; channels=1 is not possible"
        )

    # by the content of the files: MNIST from any folder gives one and the same store
    name = spec.removeprefix("stacked-")
    files = mnist_files(name, progress)
    digests = [hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest() for file in files]
    view = view.model_copy(update={"size": view.size or SIZE, "channels": 1})  # of the digits
    key = [STACKED, COUNT, SEED, digests, view.key()]
    dataset = open_store(key, lambda folder: _write_stacks(folder, name, view))
    return dataset.with_report(spec=spec)


def _write_stacks(folder: Path, name: str, view: View) -> Packed:
    """Stack the digits of the MNIST of that name, and write pictures and labels into `folder`."""
    digits = open_mnist(name, view)
    assert digits.labels is not None

    random = np.random.RandomState(SEED)  # whose numbers are the same in every version of NumPy
    chosen = random.randint(len(digits), size=(COUNT, 3), dtype=np.int64)

    def pieces() -> Iterator[np.ndarray]:
        for rows in chunk_slices(COUNT, PIECE):
            # (K, 3) rows of (N, 1, S, S) become (K, 3, S, S)
            yield digits.images[chosen[rows], 0]

    write_images(folder / "image.npy", pieces(), (3, digits.size, digits.size))
    # the three digits read as one number, red first
    labels = digits.labels[chosen] @ np.array([100, 10, 1])
    np.save(folder / "label.npy", labels)

    report = DataReport(
        spec=f"stacked-{name}",
        found=COUNT,
        used=COUNT,
        sizes=dict.fromkeys(digits.report.sizes, COUNT),
        modes={"RGB": COUNT},
        classes=dict(zip(CLASSES, np.bincount(labels, minlength=len(CLASSES)).tolist())),
        steps=[
            f"three of {len(digits):,} digits drawn at random for each image",
            *digits.report.steps,
        ],
        notes=digits.report.notes,
    )

    return Packed({"label": CLASSES}, report, digits.size)

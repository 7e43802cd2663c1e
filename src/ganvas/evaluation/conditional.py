"""GANs that need rows of data: what they generate from rows never trained on, and its metrics.

Fidelity to a ground truth, holes, cycles, attributes and boxes.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ganvas.data.dataset import Dataset
from ganvas.data.degradations import parse_degradation
from ganvas.data.sampler import orders, unseen
from ganvas.errors import UserError
from ganvas.evaluation.inputs import EvaluationInputs, Measurement
from ganvas.evaluation.metrics.attributes import balanced_agreement, classify_attributes
from ganvas.evaluation.metrics.boxes import compare_boxes
from ganvas.evaluation.metrics.classifier import Classifier
from ganvas.evaluation.metrics.classifier_training import (
    ClassificationData,
    LabelledImages,
    load_or_train_classifier,
)
from ganvas.evaluation.metrics.full_reference import WINDOW, hole_l1, hole_psnr, l1, psnr, ssim
from ganvas.evaluation.samples import ConditionalSampler, name_without_place
from ganvas.inference.poisson import blur_fill
from ganvas.inference.run import Run
from ganvas.io.images import to_float
from ganvas.recipes.recipe import Recipe
from ganvas.rng import RowRng

__all__ = [
    "measure_attributes",
    "measure_boxes",
    "measure_cycle",
    "measure_fidelity",
    "measure_holes",
    "unseen_rows",
]

MOST = 2_000  # rows, since their images are kept in memory
SMALLEST = 0.5  # scale of the data's boxes when other boxes are requested
EQUAL = 100.0  # dB, as which images without any difference count; they would be infinite
WHITE = 255  # of the background; objects on other backgrounds are not found


def unseen_rows(run: Run, recipe: Recipe, dataset: Dataset, count: int) -> dict[str, Tensor]:
    """At most `count` rows that a run was not trained on, with whole images.

    Raises:
        UserError: there are none.
    """
    rows = unseen(orders(dataset, recipe.sampling), recipe.test_view, min(count, MOST))
    if rows is None:
        raise UserError(
            f"{dataset.report.spec} has no images that {run.path} was not trained on; "
            "train with --set held_out=50"
        )
    return rows


def _sampler_of(inputs: EvaluationInputs) -> ConditionalSampler:
    """The sampler, where there is one."""
    assert inputs.samples.conditional is not None
    return inputs.samples.conditional


def measure_fidelity(inputs: EvaluationInputs) -> Measurement:
    """Distances from the ground truth, pixel by pixel; of images that were made worse, also those
    of what the GAN was given.
    """
    sampler = _sampler_of(inputs)
    truth = sampler.rows[sampler.gan.target]  # uint8 (N, C, H, W)
    values = _compare_with_truth(sampler.images, truth)

    # what a GAN must beat; drawn edges are no image that could be compared
    degradation = parse_degradation(inputs.reference.train.report.degradation)
    if degradation and degradation.kind != "edges" and sampler.gan.target == "b":
        given = sampler.rows["a"].expand_as(truth)
        found = _compare_with_truth(given, truth)
        values |= {f"given_{name}": value for name, value in found.items()}
    return inputs.measurement(values)


def _compare_with_truth(images: Tensor, truth: Tensor) -> dict[str, float]:
    """Means of the distances of images, uint8 (N, C, H, W), from others."""
    values = {
        "l1": l1(images, truth).mean().item(),
        "psnr": psnr(images, truth).clamp(max=EQUAL).mean().item(),
    }
    if truth.shape[-1] >= WINDOW:
        values["ssim"] = ssim(images, truth).mean().item()
    return values


def measure_holes(inputs: EvaluationInputs) -> Measurement:
    """Distances from the truth inside the holes, and those of a blur of the surroundings."""
    sampler = _sampler_of(inputs)
    truth, mask = sampler.rows["image"], sampler.inputs["mask"] > 0.5  # bool (N, 1, H, W)

    # What a GAN must beat: the surroundings, blurred into the hole.
    blurred = torch.stack([blur_fill(image, hole[0]) for image, hole in zip(truth, mask)])

    each = {  # float64 (N,) each
        "hole_l1": hole_l1(sampler.images, truth, mask),
        "hole_psnr": hole_psnr(sampler.images, truth, mask).clamp(min=0, max=EQUAL),
        "blur_l1": hole_l1(blurred, truth, mask),
        "blur_psnr": hole_psnr(blurred, truth, mask).clamp(min=0, max=EQUAL),
    }
    return inputs.measurement({name: values.mean().item() for name, values in each.items()})


def measure_cycle(inputs: EvaluationInputs) -> Measurement:
    """How far an image is from itself after translation to the other domain and back.

    In levels of 0..255.
    """
    sampler = _sampler_of(inputs)
    values = {}
    # `there` and `back` are the domains translated to: 0 is a, 1 is b
    for name, there, back in (("a", 1, 0), ("b", 0, 1)):
        real = sampler.rows[name]  # uint8 (N, C, H, W)
        to = torch.full((sampler.count,), there)  # int64 (N,)
        # Through uint8 on the way, as through a user's files: its rounding is part of the error.
        other = sampler.generate({"image": to_float(real), "to": to})
        again = sampler.generate({"image": to_float(other), "to": torch.full_like(to, back)})
        values[f"cycle_{name}"] = l1(again, real).mean().item()
    return inputs.measurement(values)


def measure_attributes(inputs: EvaluationInputs) -> Measurement:
    """How often a classifier, trained on real images, sees the requested attributes.

    Beside it how often the classifier is right on real images, which is the most to expect.
    """
    sampler = _sampler_of(inputs)
    dataset, rows = inputs.reference.train, inputs.reference.train_rows
    classifier = _attribute_classifier(inputs)

    fake = balanced_agreement(  # (A,)
        classify_attributes(classifier, sampler.images), sampler.inputs["attributes"]
    )
    real = balanced_agreement(  # (A,)
        classify_attributes(classifier, sampler.rows["image"]), sampler.rows["attributes"]
    )
    values = {"attributes": fake.nanmean().item(), "real_attributes": real.nanmean().item()}

    by_attribute = {}
    for name, share in zip(dataset.names["attributes"], fake.tolist()):
        if share == share:  # NaN: no sample tells
            by_attribute[name] = share
    return inputs.measurement(values, by_attribute, attribute_classifier={"trained_on": len(rows)})


def _attribute_classifier(inputs: EvaluationInputs) -> Classifier:
    """The classifier of the attributes of real images, from the cache or trained now.

    Raises:
        UserError: the images are too small.
    """
    dataset, rows = inputs.reference.train, inputs.reference.train_rows
    attributes = np.asarray(dataset.columns["attributes"]).astype(np.float32)  # (M, A)
    train = LabelledImages(np.asarray(dataset.images), attributes, rows)
    data = ClassificationData(
        name_without_place(dataset.report.spec),
        dataset.fingerprint,
        dataset.names["attributes"],
        train,
        test=replace(train, rows=rows[:0]),  # `measure_attributes` says how often it is right
    )
    return load_or_train_classifier(data, inputs.device, inputs.progress)


def measure_boxes(inputs: EvaluationInputs) -> Measurement:
    """Whether objects lie in the requested boxes: the data's, shrunk and moved at random."""
    sampler = _sampler_of(inputs)

    # (N, 3) in [0, 1): the scale of the box, and its place within the room that is left.
    shares = RowRng(inputs.seed, range(sampler.count)).rand(sampler.count, 3)
    extent = sampler.rows["box"][:, 2:] * (SMALLEST + (1 - SMALLEST) * shares[:, :1])
    boxes = torch.cat([(1 - extent) * shares[:, 1:], extent], 1)  # (N, 4), always inside

    white = torch.full((inputs.samples.channels,), WHITE)
    fake = compare_boxes(sampler.generate(sampler.inputs | {"box": boxes}), boxes, white)
    # What real images reach with the data's own boxes.
    real = compare_boxes(sampler.rows["image"], sampler.rows["box"], white)
    return inputs.measurement(
        {
            "iou": fake.iou.mean().item(),
            "inside": fake.inside.mean().item(),
            "real_iou": real.iou.mean().item(),
        }
    )

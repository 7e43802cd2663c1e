"""Metrics of GANs at work on rows of data: how near the truth, the way there and back, the
attributes and places asked for.
"""

import numpy as np
import torch

from ganvas.evaluation.inputs import Case
from ganvas.evaluation.metrics.attributes import agreement, learn_attributes, tell_attributes
from ganvas.evaluation.metrics.boxes import placement
from ganvas.evaluation.metrics.full_reference import WINDOW, hole_l1, hole_psnr, l1, psnr, ssim
from ganvas.evaluation.trial import Trial
from ganvas.evaluation.unconditional import Found
from ganvas.inference.poisson import blur_fill
from ganvas.io.images import to_float
from ganvas.rng import RowRng

SMALLEST = 0.5  # of the data's boxes when places are asked for
EQUAL = 100.0  # dB, as which pictures without any difference count
WHITE = 255  # of the background; things on other grounds cannot be found


def trial_of(case: Case) -> Trial:
    """The trial, where there is one."""
    assert case.pictures.trial is not None
    return case.pictures.trial


# What a metric may need


def has_ground_truth(case: Case) -> str:
    trial = case.pictures.trial
    return (
        ""
        if trial and trial.gan.has_ground_truth
        else "only for GANs that make a picture again, such as pix2pix and inpaint"
    )


def holes(case: Case) -> str:
    return (
        ""
        if case.pictures.trial and "mask" in case.pictures.trial.gan.inputs
        else "only for GANs that fill holes"
    )


def two_ways(case: Case) -> str:
    return (
        ""
        if case.pictures.trial and "to" in case.pictures.trial.gan.inputs
        else "only for GANs that translate both ways"
    )


def attributed(case: Case) -> str:
    trial = case.pictures.trial
    if not (trial and "attributes" in trial.gan.inputs):
        return "only for GANs that change attributes"
    return (
        "only where every attribute is known of every picture"
        if "known" in trial.gan.schema.names
        else ""
    )


def boxed(case: Case) -> str:
    return (
        ""
        if case.pictures.trial and "box" in case.pictures.trial.gan.inputs
        else "only for GANs that are told a box"
    )


# The metrics


def fidelity(case: Case) -> Found:
    """Distances pixel by pixel from the true pictures."""
    trial = trial_of(case)
    truth = trial.rows[trial.gan.target]
    found = {
        "l1": l1(trial.made, truth).mean().item(),
        "psnr": psnr(trial.made, truth).clamp(max=EQUAL).mean().item(),
    }
    return found | (
        {"ssim": ssim(trial.made, truth).mean().item()} if trial.gan.size >= WINDOW else {}
    ), {}


def in_holes(case: Case) -> Found:
    """The same in the holes alone, and what blurring the surroundings into them gives."""
    trial = trial_of(case)
    truth, mask = trial.rows["image"], trial.asked["mask"] > 0.5
    blurred = torch.stack([blur_fill(picture, hole[0]) for picture, hole in zip(truth, mask)])
    found = {
        "hole_l1": hole_l1(trial.made, truth, mask),
        "hole_psnr": hole_psnr(trial.made, truth, mask),
    }
    found |= {
        "blur_l1": hole_l1(blurred, truth, mask),
        "blur_psnr": hole_psnr(blurred, truth, mask),
    }
    return {
        name: values.clamp(max=EQUAL if "psnr" in name else None, min=0).mean().item()
        for name, values in found.items()
    }, {}


def cycle(case: Case) -> Found:
    """How far a picture is from itself after the way to the other domain and back, in levels of
    0..255.
    """
    trial, errors = trial_of(case), {}
    for name, there, back in (("a", 1, 0), ("b", 0, 1)):
        real = trial.rows[name]
        to = torch.full((trial.count,), there)
        other = trial.answers({"image": to_float(real), "to": to})
        again = trial.answers({"image": to_float(other), "to": torch.full_like(to, back)})
        errors[f"cycle_{name}"] = l1(again, real).mean().item()
    return errors, {}


def attributes(case: Case) -> Found:
    """How often a classifier, trained on real pictures, sees the attributes wanted; and how often
    it is right at all.
    """
    trial = trial_of(case)
    dataset = case.reference.train
    images, wanted = np.asarray(dataset.images), np.asarray(dataset.columns["attributes"])
    network = learn_attributes(images, wanted, case.reference.shown, case.progress)
    names = dataset.names["attributes"]
    each = agreement(tell_attributes(network, trial.made), trial.asked["attributes"])
    real = agreement(tell_attributes(network, trial.rows["image"]), trial.rows["attributes"])
    values = {"attributes": each.nanmean().item(), "real_attributes": real.nanmean().item()}
    return values, {name: share for name, share in zip(names, each.tolist()) if share == share}


def places(case: Case) -> Found:
    """Whether things lie in the boxes asked for: those of the data, made smaller and moved at
    random.
    """
    trial = trial_of(case)
    shares = RowRng(case.seed, range(trial.count)).rand(trial.count, 3)
    extent = trial.rows["box"][:, 2:] * (SMALLEST + (1 - SMALLEST) * shares[:, :1])
    boxes = torch.cat([(1 - extent) * shares[:, 1:], extent], 1)
    made = trial.answers(trial.asked | {"box": boxes})
    found = placement(made, boxes, torch.full((case.pictures.channels,), WHITE))
    real = placement(
        trial.rows["image"], trial.rows["box"], torch.full((case.pictures.channels,), WHITE)
    )
    values = {"iou": found.iou, "inside": found.inside, "real_iou": real.iou}
    return {name: each.mean().item() for name, each in values.items()}, {}

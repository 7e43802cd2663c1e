"""`ganvas.evaluate`: from a run, or any set of images, to values with all that decided them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganvas.devices import pick_device
from ganvas.errors import UserError
from ganvas.evaluation.extractors import check_feature_name, make_extractor, usual_features
from ganvas.evaluation.html import evaluation_page
from ganvas.evaluation.inputs import ENOUGH, EvaluationInputs, Measurement
from ganvas.evaluation.nearest import draw_nearest
from ganvas.evaluation.references import MOST
from ganvas.evaluation.registry import check_metric_names, measure_metrics
from ganvas.evaluation.sources import (
    EvaluationSettings,
    find_reference,
    find_samples,
    is_run,
    usual_count,
)
from ganvas.inference.run import Run, load
from ganvas.io.console import count_noun
from ganvas.io.files import explained
from ganvas.io.numbers import check_numbers
from ganvas.runs.checkpoint import versions

__all__ = ["FIGURE", "RECORD", "Evaluation", "evaluate"]

RECORD, FIGURE = "evaluations.jsonl", "memorisation.png"  # in the run's folder


@dataclass(frozen=True)
class Evaluation:
    """What was measured, and how.

    Attributes:
        name: of the samples.
        about: where they come from: a run's folder, checkpoint and images shown, or the name and
            fingerprint of data.
        measurements: by metric; each has its own protocol.
        protocol: all that decides the values: features, reference, count, seed, and what single
            metrics add.
        notes: what a reader must know.
        versions: of the software.
        time: when, UTC.
        figure: file of the samples beside their nearest training images, where it was drawn.
    """

    name: str
    about: dict[str, Any]
    measurements: dict[str, Measurement]
    protocol: dict[str, Any]
    notes: list[str]
    versions: dict[str, str]
    time: str
    figure: Path | None = None

    @property
    def values(self) -> dict[str, float]:
        """All values by name.

        `NAME_error` is a standard error, `NAME_chance` what chance gives; NaN: there is no value,
        and a note says why.
        """
        found: dict[str, float] = {}
        for measurement in self.measurements.values():
            found |= measurement.values
        return found

    @property
    def by_class(self) -> dict[str, dict[str, float]]:
        """Values by metric and class."""
        return {
            name: measurement.by_class
            for name, measurement in self.measurements.items()
            if measurement.by_class
        }

    def _repr_html_(self) -> str:
        return evaluation_page(self.name, self.values, self.by_class, self.protocol, self.notes)

    def to_json(self) -> dict[str, Any]:
        """As JSON; a value that is not a number (a divergence without samples) is null."""
        values = {}
        for name, value in self.values.items():
            values[name] = value if math.isfinite(value) else None  # JSON has no NaN

        return {
            "name": self.name,
            "about": self.about,
            "values": values,
            "by_class": self.by_class,
            "protocol": self.protocol,
            "notes": self.notes,
            "versions": self.versions,
            "time": self.time,
        }


def evaluate(
    what: Run | str | Path,
    against: str | Path | None = None,
    *,
    data: str | Path | None = None,
    metrics: Sequence[str] | None = None,
    features: str | None = None,
    weights: str | Path | None = None,
    count: int | None = None,
    seed: int = 0,
    view: dict[str, Any] | None = None,
    device: str = "auto",
    progress: bool = False,
) -> Evaluation:
    """Compare a run, or any set of images, with real images.

    Args:
        what: a run, its folder or one of its checkpoints; or a folder or zip of images, a data
            set's name, or "noise".
        against: the images to compare with. None: the published test set of the run's data, or
            without one the data itself.
        data: where the run's data is, if it was moved; or, for samples that are not from a run, the
            data with which they are compared as if trained on it.
        metrics: names of metrics or of single values, or ["all"]; None: the usual ones.
        features: "inception", "inception-legacy", "lite0", "classifier", "random" or "pixels";
            None: what suits the data.
        weights: a file for Inception or the classifier.
        count: samples; None: 10,000, of points 2,500, of Stacked-MNIST 26,000.
        seed: of the samples and of all random choices.
        view: other sizes, channels, fit, background or labels than the run's.
        device: where samples and features are computed.
        progress: show progress on stderr.

    Returns:
        The values with their protocol. Those of a run folder are also added to its
        `evaluations.jsonl`, and with memorisation its `memorisation.png` is drawn.

    Raises:
        UserError: an argument is wrong, or something is missing.
    """
    settings = EvaluationSettings(
        data=data,
        metrics=None if metrics is None else tuple(metrics),
        features=features,
        weights=Path(weights) if weights else None,
        count=count,
        seed=seed,
        view=view or {},
        device=device,
        progress=progress,
    )
    _check_settings(settings)
    if isinstance(what, Run):
        run = what
    else:
        run = load(what, device=device) if is_run(what) else None

    inputs, notes = _prepare_inputs(run, what, against, settings)
    evaluation = _measure_inputs(inputs, notes, settings)

    # A checkpoint that was copied out of its run has no folder to write to.
    if run and run.path.parent.name == "checkpoints":
        if "memorisation" in evaluation.values and not inputs.points:
            evaluation = replace(evaluation, figure=run.outputs / FIGURE)
            draw_nearest(inputs, run.outputs / FIGURE)
        _append_record(run.outputs / RECORD, evaluation)
    return evaluation


def _check_settings(settings: EvaluationSettings) -> None:
    """Refuse wrong settings before anything takes time."""
    check_numbers(settings)
    if settings.count is not None and settings.count < 2:
        raise UserError(f"--count {settings.count}: evaluate at least 2 images")
    check_metric_names(settings.metrics or ())
    if settings.features:
        check_feature_name(settings.features)


def _prepare_inputs(
    run: Run | None,
    what: Run | str | Path,
    against: str | Path | None,
    settings: EvaluationSettings,
) -> tuple[EvaluationInputs, list[str]]:
    """Find samples, reference and extractor, and collect notes about them."""
    device = pick_device(settings.device)
    reference, notes = find_reference(run, what, against, settings)
    count = settings.count or usual_count(reference)  # 0 and 1 were refused
    samples = find_samples(run, what, reference, count, settings)

    features = settings.features
    if features is None:
        features, note = usual_features(reference, settings.weights)
        notes += [note] if note else []
    extractor = make_extractor(features, reference, settings.weights, device, settings.progress)

    # Rows of data are few in any case, and their number stands in the protocol.
    if samples.count < count and samples.conditional is None:
        notes.append(f"of a set with fewer than {count:,} images all are used")
    inputs = EvaluationInputs(
        samples, reference, extractor, settings.seed, device, settings.progress
    )
    return inputs, notes


def _measure_inputs(
    inputs: EvaluationInputs, notes: list[str], settings: EvaluationSettings
) -> Evaluation:
    """Measure the metrics, and add what a reader of their values must know."""
    measurements = measure_metrics(inputs, settings.metrics)
    # Metrics agree in the keys that they share, so the union loses nothing.
    protocol = inputs.protocol()
    for measurement in measurements.values():
        protocol |= measurement.protocol

    return Evaluation(
        name=inputs.samples.name,
        about=inputs.samples.about,
        measurements=measurements,
        protocol=protocol,
        notes=notes + _find_cautions(inputs, measurements),
        versions=versions(),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _find_cautions(inputs: EvaluationInputs, measured: Mapping[str, Measurement]) -> list[str]:
    """Why values are missing, and which of the others are less certain than they look.

    The sentences name no set, so that the rows of a table have them in common.
    """
    notes = [each.reason for each in measured.values() if each.reason]
    # The bias falls as either set grows; the kernel distance has none at any count.
    smallest = min(inputs.samples.count, len(inputs.reference.rows))
    for frechet, kernel in (("fid", "kid"), ("fd_lite0", "kd_lite0"), ("fd", "kd")):
        if frechet in measured and smallest < MOST and not inputs.points:
            notes.append(
                f"with fewer than {MOST:,} samples or real images {frechet} is too high; "
                f"look at {kernel}"
            )

    held_out = len(inputs.reference.unseen_rows)
    ratio = measured["memorisation"].values if "memorisation" in measured else {}
    if "memorisation" in ratio and held_out < ENOUGH:
        images = count_noun(held_out, "held-out image")
        notes.append(f"memorisation is rough with only {images}; hold out {ENOUGH} or more")
    return list(dict.fromkeys(notes))


def _append_record(path: Path, evaluation: Evaluation) -> None:
    """Add a line to a run's record."""
    line = json.dumps(evaluation.to_json(), ensure_ascii=False)
    # A path in the record may hold bytes that are no text; the values must not be lost for it.
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)  # an output folder that is new
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line + "\n")

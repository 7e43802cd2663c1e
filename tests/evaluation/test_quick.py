"""The quick score of a GAN while it trains."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_gan

from ganvas.data import open_dataset
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.evaluation.quick import prepare_quick_score, quick_score
from ganvas.inference.run import load
from ganvas.recipes import get_recipe

CPU = torch.device("cpu")


def test_quick_score(run: Path):
    reference = prepare_quick_score(get_recipe("digits"), CPU, "random")
    untrained, better = make_gan("relativistic", classes=10).train(), load(run).gan
    torch.manual_seed(5)
    before = torch.get_rng_state()
    bad = quick_score(untrained, reference, CPU, count=300)
    good = quick_score(better, reference, CPU, count=300)

    assert untrained.training
    assert torch.equal(torch.get_rng_state(), before)
    assert 0 < good < bad
    assert quick_score(untrained, reference, CPU, count=300) == bad

    for parameter in untrained.generator.parameters():  # pyright: ignore[reportAttributeAccessIssue]
        parameter.data.fill_(torch.nan)

    with pytest.raises(UserError, match="NaN"):
        quick_score(untrained, reference, CPU, count=300)


def test_quick_score_of_points(monkeypatch: pytest.MonkeyPatch):
    reference = prepare_quick_score(get_recipe("rings"), CPU)
    gan = make_gan("points", size=1, channels=2)
    score = quick_score(gan, reference, CPU, count=300)
    assert 0.5 < score <= 1

    # real points, some of which are not among those that it compares with
    points = torch.from_numpy(np.array(open_dataset("rings", View()).images[:320]))
    parts = iter(points.split(32))
    monkeypatch.setattr(gan, "sample", lambda count, rng, **_: next(parts))
    assert quick_score(gan, reference, CPU, count=300) < 0.15

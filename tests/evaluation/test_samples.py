"""Sets of samples: their order and their choice, which do not depend on counts and chunks."""

from pathlib import Path

import pytest
import torch

from ganvas.data import View, open_dataset
from ganvas.evaluation.samples import (
    samples_of_dataset,
    samples_of_noise,
    samples_of_run,
)
from ganvas.inference.run import load


def test_ten_thousand_in_turn(run: Path):
    pictures = samples_of_run(load(run), 10_000, 0, View())
    assert pictures.labels is not None
    assert pictures.labels.bincount().tolist() == [1000] * 10
    assert pictures.labels[:12].tolist() == [*range(10), 0, 1]


def test_images_at_rows_are_those_of_the_pieces(run: Path):
    pictures = samples_of_run(load(run), 70, 0, View())
    whole = torch.cat(list(pictures.chunks()))
    rows = torch.tensor([69, 0, 33])
    assert torch.equal(pictures.at(rows), whole[rows])


def test_a_few_rows_are_generated_without_the_others(run: Path, monkeypatch: pytest.MonkeyPatch):
    loaded = load(run)
    generated = []
    sample = loaded.gan.sample

    def count(number: int, *given, **inputs):
        generated.append(number)
        return sample(number, *given, **inputs)

    monkeypatch.setattr(loaded.gan, "sample", count)
    samples_of_run(loaded, 10_000, 0, View()).at(torch.tensor([9_999, 5, 7]))
    assert generated == [32, 32]


def test_fewer_images_are_chosen_at_random():
    dataset = open_dataset("digits", View())
    one, same, other = (samples_of_dataset(dataset, 100, seed) for seed in (0, 0, 1))
    first = torch.cat(list(one.chunks()))
    assert torch.equal(first, torch.cat(list(same.chunks())))
    assert not torch.equal(first, torch.cat(list(other.chunks())))
    assert one.labels is not None
    assert one.labels.bincount(minlength=10).min() > 0


def test_noise_does_not_depend_on_the_count():
    few, many = (torch.cat(list(samples_of_noise(8, 1, count, 0).chunks())) for count in (5, 300))
    assert torch.equal(few, many[:5])
    assert abs(many.float().mean() - 127.5) < 2
    rows = torch.tensor([299, 40, 3])
    assert torch.equal(samples_of_noise(8, 1, 300, 0).at(rows), many[rows])

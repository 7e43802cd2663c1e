"""Which noise is drawn, as a user says it: seeds, files, sums, variations; and files of noise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from short_runs import make_varied_run
from tiny import make_gan, refused_in_one_line
from torch import Tensor

import ganvas
from ganvas.gans import GAN
from ganvas.inference.choice import NoiseChoice, choose_points, read_seeds
from ganvas.inference.latents import LatentRng
from ganvas.inference.noise_files import check_fit, read_noise
from ganvas.rng import Rng, RowRng

CPU = torch.device("cpu")
SIZE = 5  # numbers of noise of the tiny GANs


@pytest.fixture(scope="module")
def gan() -> GAN:
    return make_gan("cdcgan", classes=3)


@pytest.fixture(scope="module")
def digits() -> ganvas.Run:
    return make_varied_run()


def write_noise(file: Path, rows: int = 3, size: int = SIZE, **others: Tensor) -> Tensor:
    """A file as `ganvas restore` writes it; its noise (rows, size)."""
    noise = torch.randn(rows, size, generator=torch.Generator().manual_seed(rows))
    save_file({"noise": noise} | others, file)
    return noise


def draw(gan: GAN, choice: NoiseChoice, count: int = 4, seed: int = 0) -> Tensor:
    """The normal noise of a choice, (count, SIZE)."""
    chosen = [latent for latent, _ in choice.choose(gan, CPU, seed, count)]
    return LatentRng(chosen).normal(len(chosen), SIZE)


# Seeds


def test_seeds_are_numbers_and_ranges():
    assert read_seeds("3,17, 40-43") == [3, 17, 40, 41, 42, 43]
    assert read_seeds([np.int64(3), "5-6"]) == [3, 5, 6]  # type: ignore[list-item]
    assert read_seeds(8) == [8]
    for text in ("5-2", "1e9", "", "a", "-1", "1,,2", "3-", "1" * 16):
        refused_in_one_line(lambda text=text: read_seeds(text), "--seeds")
    refused_in_one_line(lambda: read_seeds("0-1000000000"), "100,000 seeds are the limit")
    refused_in_one_line(lambda: read_seeds([]), "names no seed")


def test_each_seed_gives_what_it_gives_alone(digits: ganvas.Run):
    chosen = digits.sample(seeds="7,3,4")
    alone = [digits.sample(1, seed=seed) for seed in (7, 3, 4)]
    assert torch.equal(chosen, torch.cat(alone))
    labelled = digits.sample(seeds=[7, 3], label=["8", 5])
    expected = [digits.sample(1, seed=7, label=8), digits.sample(1, seed=3, label=5)]
    assert torch.equal(labelled, torch.cat(expected))


def test_chosen_images_are_called_by_their_noise(tmp_path: Path):
    write_noise(tmp_path / "faces.safetensors")
    file = str(tmp_path / "faces.safetensors")
    assert NoiseChoice(seeds="7,3-4").list_names(3) == ["7", "3", "4"]
    assert NoiseChoice(noise=file).list_names(3) == ["1", "2", "3"]
    assert NoiseChoice(noise=[f"{file}:2 - 5", "8"]).list_names(2) == [
        "faces.safetensors:2 - 5",
        "8",
    ]
    assert NoiseChoice(near=3).list_names(4) == NoiseChoice().list_names(4) == []


def test_seeds_stand_on_the_sheet(digits: ganvas.Run):
    named = ganvas.sample(digits, seeds="7,3", label=3)
    bare = ganvas.sample(digits, count=2, label=3)
    assert named.sheets[0].height > bare.sheets[0].height + 15
    # a row a class: the seed stands under each
    rows = ganvas.sample(digits, seeds="7,3", rows="classes", label=["8", "5"])
    assert rows.labels == ["8", "8", "5", "5"]
    assert rows.notes == []


def test_the_first_class_is_named_where_nobody_named_one(digits: ganvas.Run, tmp_path: Path):
    for choice in ({"seeds": "7,3"}, {"near": 5, "count": 2}, {"noise": "3 - 5 + 8"}):
        first = ganvas.sample(digits, **choice)  # type: ignore[arg-type]
        assert set(first.labels) == {"0"}
        assert len(first.notes) == 1 and "of the first one, 0: --label NAME" in first.notes[0]
        assert ganvas.sample(digits, label="0", **choice).notes == []  # type: ignore[arg-type]
    # a file says the class of its images
    size = digits.gan.noise_size
    assert isinstance(size, int)
    file = tmp_path / "faces.safetensors"
    write_noise(file, 2, size, label=torch.tensor([4, 6]))
    of_file = ganvas.sample(digits, noise=file)
    assert (of_file.labels, of_file.notes) == (["4", "6"], [])
    assert ganvas.sample(digits, count=2).notes == []


# Variations and truncation


def test_the_first_variation_is_the_image_itself(gan: GAN):
    near = draw(gan, NoiseChoice(near=6), 5)
    start = RowRng(6, [0]).normal(1, SIZE)[0]
    torch.testing.assert_close(near[0], start)
    assert len(near.unique(dim=0)) == 5
    assert not torch.equal(near[1:], draw(gan, NoiseChoice(near=6), 5, seed=1)[1:])
    still = draw(gan, NoiseChoice(near="6", spread=0.0), 5)
    torch.testing.assert_close(still, start.expand(5, -1))


def test_a_larger_spread_goes_farther(gan: GAN):
    distances = []
    for spread in (0.1, 0.4, 1.0):
        near = draw(gan, NoiseChoice(near=6, spread=spread), 9)
        distances.append(float((near[1:] - near[0]).norm(dim=1).mean()))
    assert distances == sorted(distances)


def test_truncation_shortens_whatever_is_drawn(gan: GAN):
    for choice in (NoiseChoice(), NoiseChoice(seeds=[1, 2, 3, 4]), NoiseChoice(near=3)):
        half = draw(gan, replace(choice, truncation=0.5))
        torch.testing.assert_close(half, draw(gan, choice) / 2)


# Files and sums


def test_a_file_alone_is_all_its_images(gan: GAN, tmp_path: Path):
    file = tmp_path / "a,b-c.safetensors"  # commas and hyphens are no signs here
    noise = write_noise(file, label=torch.tensor([2, 0, 1]))
    choice = NoiseChoice(noise=file)
    assert torch.equal(draw(gan, choice), noise)
    assert torch.equal(draw(gan, NoiseChoice(noise=f"{file}:2")), noise[1:2])
    assert [point.label for point in choose_points(gan, CPU, choice, 0, 1)] == [2, 0, 1]
    assert [point.label for point in choose_points(gan, CPU, choice, 0, 1, [1])] == [1, 1, 1]


def test_sums_of_files_and_seeds(gan: GAN, tmp_path: Path):
    file = tmp_path / "a.safetensors"
    first = write_noise(file)[0]
    three, five = RowRng(3, [0]).normal(1, SIZE)[0], RowRng(5, [0]).normal(1, SIZE)[0]
    mix, alone = draw(gan, NoiseChoice(noise=f"{file} - 3 + 5,5"))

    plain = first - three + five
    length = torch.stack([first, three, five]).norm(dim=1).mean()
    torch.testing.assert_close(mix, plain * length / plain.norm())
    torch.testing.assert_close(alone, five)
    near = draw(gan, NoiseChoice(near=f"{file}:3"), 2)
    torch.testing.assert_close(near[0], write_noise(file)[2])


def test_what_restore_writes_gives_its_images_again(digits: ganvas.Run, tmp_path: Path):
    (image,) = ganvas.sample(digits, count=1, seed=9, label=4)
    restored = ganvas.restore(
        digits, image, project=True, candidates=2, steps=1, out=tmp_path / "restored"
    )
    found = ganvas.sample(digits, noise=tmp_path / "restored/noise/image.safetensors")
    expected = [restored[0], *restored.others.values()]
    for again, before in zip(found, expected, strict=True):
        difference = np.asarray(again, int) - np.asarray(before.convert("L"), int)
        assert abs(difference).max() <= 1


class _Several(torch.nn.Module):
    """Draws normal noise, other numbers, uniform noise, and normal noise again."""

    @staticmethod
    def draw(count: int, rng: Rng) -> tuple[Tensor, ...]:
        return rng.normal(count, 3), rng.rand(count, 2), rng.uniform(count, 4), rng.normal(count, 3)


def test_gans_that_draw_several_times_get_what_each_row_gives_alone(gan: GAN):
    chosen = NoiseChoice(noise="3 - 5 + 8").choose(gan, CPU, 0, 1)
    drawn = _Several.draw(1, LatentRng([latent for latent, _ in chosen]))
    three, five, eight = (_Several.draw(1, RowRng(seed, [0])) for seed in (3, 5, 8))

    assert torch.equal(drawn[1], three[1])
    torch.testing.assert_close(drawn[2], (three[2] - five[2] + eight[2]).clamp(-1, 1))
    plain = three[3] - five[3] + eight[3]
    torch.testing.assert_close(drawn[3] / drawn[3].norm(), plain / plain.norm())


# Refusals


def test_wrong_files_are_refused_in_one_line(gan: GAN, tmp_path: Path):
    file = tmp_path / "noise.safetensors"
    wrong = {
        "no tensor": {"other": torch.zeros(2, 5)},
        "of shape": {"noise": torch.zeros(5)},
        "not finite": {"noise": torch.full((1, 5), torch.nan)},
        "0 images": {"noise": torch.zeros(0, 5)},
        r"labels as float32": {"noise": torch.zeros(1, 5), "label": torch.zeros(1)},
        r"wanted int64 \(2,\)": {"noise": torch.zeros(2, 5), "label": torch.tensor([1, 2, 3])},
    }
    for message, tensors in wrong.items():
        save_file(tensors, file)
        refused_in_one_line(lambda: read_noise(file), message)
    file.write_bytes(b"no tensors")
    refused_in_one_line(lambda: read_noise(file), "damaged")

    write_noise(file, size=6)
    refused_in_one_line(lambda: check_fit(read_noise(file), gan, CPU), "holds 6 numbers .* draws 5")
    write_noise(file, noise1=torch.zeros(3, 5))
    refused_in_one_line(lambda: check_fit(read_noise(file), gan, CPU), "holds 5 and 5 numbers")
    write_noise(file, label=torch.tensor([0, 1, 3]))
    refused_in_one_line(lambda: check_fit(read_noise(file), gan, CPU), "names class 3")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"seeds": "1", "near": 2}, "--seeds and --near"),
        ({"spread": 0.5}, "without --near"),
        ({"near": 1, "spread": 1.5}, "--spread 1.5"),
        ({"truncation": -1.0}, "--truncation -1"),
        ({"truncation": float("nan")}, "truncation=nan"),
        ({"noise": "none.safetensors"}, "no noise file none"),
        ({"noise": "3-5"}, "spaces around the signs"),
        ({"noise": "3 - "}, "no noise file 3 -"),
        ({"noise": "3,,5"}, "is no sum"),
        ({"noise": []}, "names no noise"),
        ({"near": -1}, "no noise file -1"),
    ],
)
def test_wrong_choices_are_refused_in_one_line(gan: GAN, flags: dict, message: str):
    refused_in_one_line(lambda: NoiseChoice(**flags).check(gan, CPU), message)


def test_flags_without_effect_are_refused(digits: ganvas.Run, tmp_path: Path):
    refused_in_one_line(lambda: digits.sample(3, seeds=[1]), "leave it out")
    refused_in_one_line(lambda: digits.sample(seeds=[1], seed=4), "--seed 4 has no effect")
    refused_in_one_line(lambda: ganvas.sample(digits, count=3, seeds=[1]), "--count 3")
    write_noise(tmp_path / "one.safetensors", 1)
    refused_in_one_line(
        lambda: digits.sample(noise=f"{tmp_path}/one.safetensors:2"), "images 1 to 1"
    )

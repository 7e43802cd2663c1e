"""The quick GAWWN: its pairs, its planes, and that captions and places matter to both players."""

import pytest
import torch
from tiny import FixedClock, list_updates, make_batch, make_gan, refused_in_one_line
from torch import Tensor, nn

from ganvas.data.text import encode
from ganvas.gans.nn.losses import relativistic
from ganvas.rng import RowRng, StepRng

NAME = "gawwn-relativistic"
PLACES = ["box", "keypoints"]


def test_losses_are_pairs_of_right_and_fake_and_of_right_and_wrong_captions():
    gan = make_gan(NAME, matching=0.5)
    scores, texts = [], []
    score = gan.discriminator.score

    def remember(features: Tensor, text: Tensor) -> Tensor:
        found = score(features, text)
        scores.append(found)
        texts.append(text)
        return found

    gan.discriminator.score = remember
    (discriminator, reader), generator = list_updates(gan, make_batch(gan, 6), steps=1)
    right, wrong, fake, opponent, judged, judged_wrong = scores

    assert discriminator.losses["adversarial"] == relativistic(right, fake)
    assert discriminator.losses["matching"] == relativistic(right, wrong) / 2
    assert discriminator.losses["penalty"] == 0  # the first step after that of a penalty
    assert reader.losses.keys() == {"adversarial", "matching"}
    assert generator.losses["adversarial"] == relativistic(judged, opponent)
    assert generator.losses["matching"] == relativistic(judged, judged_wrong) / 2
    assert discriminator.scores == (right, fake)

    # the wrong texts are those of other rows
    assert torch.equal(texts[1], texts[0].roll(1, 0))
    assert torch.equal(texts[5], texts[4].roll(1, 0))
    assert all(torch.equal(text, texts[0]) for text in (texts[2], texts[3], texts[4]))
    assert not texts[4].requires_grad


def test_equal_captions_teach_nothing_about_matching():
    gan = make_gan(NAME)
    batch = make_batch(gan, 4)
    batch["caption"] = batch["caption"][:1, :1].expand(4, 1, -1)
    (discriminator, _), _ = gan.step(batch, FixedClock(steps=1), StepRng(0, 0))

    discriminator.losses["matching"].backward()

    largest = max(value.grad.abs().max() for value in gan.discriminator.parameters())
    assert largest < 1e-7


def test_the_penalty_comes_at_its_period():
    gan = make_gan(NAME, penalty_every=3)
    batch = make_batch(gan, 4)
    found = [
        list_updates(gan, batch, steps)[0][0].losses["penalty"].item() > 0 for steps in range(4)
    ]

    assert found == [True, False, False, True]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("changed", ["caption", "place"])
def test_caption_and_place_matter_to_both_players(place: str, changed: str):
    gan = make_gan(NAME, 32, 3, width=4, place=place).eval()
    batch = make_batch(gan, 8)
    key = place if changed == "place" else "caption"
    other = batch | {key: batch[key].roll(1, 0)}

    with torch.no_grad():
        images = [
            gan.sample(8, RowRng(0, range(8)), **gan.make_inputs(rows, RowRng(0, range(8))))
            for rows in (batch, other)
        ]
        scores = [gan.score(rows) for rows in (batch, other)]

    assert ((images[0] - images[1]).abs().amax((1, 2, 3)) > 1e-6).all()
    assert ((scores[0] - scores[1]).abs() > 1e-6).all()


def test_the_planes_of_a_box_say_where_in_it_a_cell_lies():
    gan = make_gan(NAME, 32, 3)
    planes = gan.mark(torch.tensor([[0.25, 0.5, 0.5, 0.25]]))

    assert [plane.shape for plane in planes] == [(1, 3, side, side) for side in (4, 8, 16, 32)]
    inside, across, down = planes[2][0]  # 16 cells: the box has 8 x 4
    assert inside[9, 8] == 1
    assert inside[0].abs().max() == 0
    assert across[0].tolist() == pytest.approx(
        [-1.0] * 4 + [-0.875 + 0.25 * n for n in range(8)] + [1.0] * 4
    )
    assert down[:, 0].tolist() == pytest.approx([-1.0] * 8 + [-0.75, -0.25, 0.25, 0.75] + [1.0] * 4)


def test_boxes_are_marked_where_shrunk_images_are():
    gan = make_gan(NAME, smallest=0.5)
    seen = []
    gan.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2][-1]))
    batch = make_batch(gan, 200)
    list_updates(gan, batch)

    # the area of the boxes, by the plane that says what is inside
    area = seen[0][:, 0].mean((1, 2))
    share = (area.sum() / batch["box"][:, 2:].prod(1).sum()).item()
    assert share == pytest.approx((1 - 0.5**3) / 1.5, rel=0.1)  # the mean of s² for s in [1/2, 1]


def test_parts_are_hidden_while_training_and_not_when_asked_for():
    gan = make_gan(NAME, place="keypoints")
    seen = []
    gan.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2][-1]))
    batch = make_batch(gan, 300)
    list_updates(gan, batch)
    gan.sample(300, RowRng(0, range(300)), **gan.make_inputs(batch, RowRng(0, range(300))))

    given = [(maps.amax((2, 3)) > 0) for maps in seen]  # (300, 3) each
    assert given[0].float().mean().item() == pytest.approx(0.5, abs=0.06)
    # of an image all three parts are hidden as often as none or any other number
    counts = given[0].sum(1).bincount(minlength=4) / 300
    assert counts.tolist() == pytest.approx([0.25] * 4, abs=0.1)
    assert given[1].all()


def test_images_are_not_shrunk_around_key_points():
    refused_in_one_line(lambda: make_gan(NAME, place="keypoints", smallest=0.5), "smallest=0.5")


def test_one_form_of_captions_is_read_at_a_time():
    for text, column in [
        ("words", "caption"),
        ("characters", "caption"),
        ("features", "caption_features"),
    ]:
        gan = make_gan(NAME, text=text)
        assert gan.requires == ("image", column, "box")
        assert len(gan.score(make_batch(gan, 3))) == 3


def test_samples_follow_the_words_and_not_the_spaces_between_them():
    gan = make_gan(NAME).eval()
    box = torch.tensor([[0.1, 0.1, 0.8, 0.8]])

    def draw(caption: str) -> Tensor:
        return gan.sample(
            1, RowRng(0, [0]), caption=torch.tensor(encode(caption))[None, None], box=box
        )

    assert torch.equal(draw("a red, round bird"), draw("a red round bird!"))
    assert not torch.equal(draw("a red bird"), draw("a blue bird"))


@pytest.mark.parametrize("place", PLACES)
def test_the_sheet_shows_real_and_generated_images_and_another_caption(place: str):
    gan = make_gan(NAME, 16, 3, place=place).eval()
    with torch.no_grad():
        columns = gan.make_preview(make_batch(gan, 3), RowRng(0, range(3)))

    assert list(columns)[:2] == ["real", "generated"]
    assert list(columns)[-1] == "another caption"
    assert len(columns) == 6
    assert all(images.shape == (3, 3, 16, 16) for images in columns.values())


@pytest.mark.parametrize(("size", "folds"), [(32, False), (48, True), (64, True)])
def test_large_images_are_folded(size: int, folds: bool):
    gan = make_gan(NAME, size, 3)
    sides = []
    for layer in gan.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, inputs, output: sides.append(output.shape[-1]))
    batch = make_batch(gan, 2)
    images = gan.sample(2, RowRng(0, range(2)), **gan.make_inputs(batch, RowRng(0, range(2))))
    gan.score(batch | {"image": images})

    assert images.shape == (2, 3, size, size)
    assert max(sides) == (size // 2 if folds else size)

"""How captions are stored, drawn and read."""

import pytest
import torch
from torch import Tensor

from ganvas.data.text import decode, encode
from ganvas.gans.nn.text import CharacterReader, WordReader, choose_captions


def write(*captions: str, length: int = 128) -> Tensor:
    """Captions of one image each, (N, 1, length)."""
    return torch.stack([torch.tensor(encode(caption, length)) for caption in captions])[:, None]


def test_captions_there_and_back():
    assert decode(encode("  A red\tBIRD ")) == "a red bird"
    assert decode(encode("ä" * 100)) == "ä" * 64
    assert decode(encode("xä" * 50, 6)) == "xäxä"
    assert encode("bird", 8).tolist() == [98, 105, 114, 100, 0, 0, 0, 0]
    assert decode(encode("a\0b")) == "a b"


@pytest.mark.parametrize("kind", [CharacterReader, WordReader])
def test_what_a_caption_becomes_does_not_depend_on_the_zeros_after_it(kind):
    torch.manual_seed(0)
    reader = kind(8, 5).eval()
    for words in ("a", "a red bird", "birds of all colours"):
        short, long = (torch.tensor(encode(words, length))[None, None] for length in (20, 128))
        assert torch.allclose(reader(short), reader(long), atol=1e-6)
    assert not torch.allclose(reader(torch.tensor(encode("a red bird"))[None, None]), reader(long))
    assert reader(torch.zeros(1, 1, 16, dtype=torch.uint8)).isfinite().all()


@pytest.mark.parametrize("kind", [CharacterReader, WordReader])
def test_several_captions_count_by_their_mean_in_any_order(kind):
    torch.manual_seed(0)
    reader = kind(8, 5).eval()
    captions = torch.stack(
        [torch.tensor(encode(words)) for words in ("red", "a bird", "it flies")]
    )[None]
    assert torch.allclose(reader(captions), reader(captions.flip(1)), atol=1e-6)
    repeated = captions[:, [0, 1, 2, 0, 1, 2]]
    assert torch.allclose(reader(captions), reader(repeated), atol=1e-6)


def test_at_most_so_many_captions_are_drawn():
    captions = torch.arange(40).view(4, 10, 1)
    some = choose_captions(captions, torch.rand(4, 10), 4)
    assert some.shape == (4, 4, 1)
    for row, chosen in zip(captions, some):
        assert len({*chosen.flatten().tolist()} & {*row.flatten().tolist()}) == 4


# Words


def word_reader() -> WordReader:
    torch.manual_seed(0)
    return WordReader(16, 12).eval()


def test_words_count_and_not_what_stands_between_them():
    one, other = word_reader()(write("a red, round bird!", "a red round  bird"))
    assert torch.equal(one, other)


def test_the_order_of_neighbouring_words_counts():
    captions = ("a red bird with blue wings", "a blue bird with red wings")
    one, other = word_reader()(write(*captions))
    assert (one - other).abs().max() > 0.01


def test_a_word_is_read_alike_wherever_it_stands():
    """Between the same neighbours, in the middle of a caption."""
    reader = word_reader()
    seen = []
    reader.phrases.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    reader(write("a red bird", "the small old bird"))

    # (2, 16, words): the third word of the first caption, the fourth of the second
    assert torch.allclose(seen[0][0, :, 2], seen[0][1, :, 3])
    assert not torch.allclose(seen[0][0, :, 0], seen[0][1, :, 0])


def test_words_that_are_spelt_alike_resemble_one_another():
    reader = word_reader()
    seen = []
    reader.phrases.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, :, 0]))
    reader(write("greenish", "green", "purple"))

    greenish, green, purple = seen[0]
    near = torch.cosine_similarity(greenish, green, 0)
    assert near > torch.cosine_similarity(greenish, purple, 0) + 0.1


def test_letters_beyond_ascii_are_read():
    reader = word_reader()
    one, other = reader(write("ein grüner vogel", "ein grauer vogel"))
    assert (one - other).abs().max() > 0.01
    assert not torch.equal(*reader(write("一只红鸟", "一只蓝鸟")))


def test_each_chinese_character_is_a_word():
    one, other = word_reader()(write("一只红鸟，gan画的é", "一 只 红 鸟 ， gan 画 的 é"))
    assert torch.allclose(one, other, atol=1e-6)

    reader = word_reader()
    seen = []
    reader.phrases.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    reader(write("一只红鸟", "这只蓝鸟 cafés"))
    assert torch.equal(seen[0][0, :, 1], seen[0][1, :, 1])  # 只, and 鸟
    assert torch.equal(seen[0][0, :, 3], seen[0][1, :, 3])
    assert int(seen[0][1].abs().sum(0).count_nonzero()) == 5


def test_a_caption_of_more_words_than_are_read_is_cut_between_words():
    reader = word_reader()
    words = ["a"] * WordReader.WORDS
    one, other = reader(write(" ".join([*words, "b"]), " ".join(words)))
    assert torch.equal(one, other)

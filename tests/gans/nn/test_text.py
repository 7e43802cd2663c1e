"""How captions are stored, drawn and read."""

import torch

from ganvas.data.text import decode, encode
from ganvas.gans.nn.text import CharacterReader, choose_captions


def test_captions_there_and_back():
    assert decode(encode("  A red\tBIRD ")) == "a red bird"
    assert decode(encode("ä" * 100)) == "ä" * 64
    assert decode(encode("xä" * 50, 6)) == "xäxä"
    assert encode("bird", 8).tolist() == [98, 105, 114, 100, 0, 0, 0, 0]
    assert decode(encode("a\0b")) == "a b"


def test_what_a_caption_becomes_does_not_depend_on_the_zeros_after_it():
    torch.manual_seed(0)
    reader = CharacterReader(8, 5).eval()
    for words in ("a", "a red bird", "birds of all colours"):
        short, long = (torch.tensor(encode(words, length))[None, None] for length in (20, 128))
        assert torch.allclose(reader(short), reader(long), atol=1e-6)
    assert not torch.allclose(reader(torch.tensor(encode("a red bird"))[None, None]), reader(long))
    assert reader(torch.zeros(1, 1, 16, dtype=torch.uint8)).isfinite().all()


def test_several_captions_count_by_their_mean_in_any_order():
    torch.manual_seed(0)
    reader = CharacterReader(8, 5).eval()
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

"""Checksums find a flipped bit wherever it is, and in large files sooner or later."""

from pathlib import Path

import numpy as np

from ganvas.data.checksums import PIECE, find_damage, sum_pieces


def test_a_flipped_bit_is_found(tmp_path: Path):
    content = np.random.default_rng(0).bytes(2 * PIECE + 1000)
    (tmp_path / "image.npy").write_bytes(content)
    (tmp_path / "label.npy").write_bytes(b"")
    sums = {name: sum_pieces(tmp_path / name) for name in ("image.npy", "label.npy")}
    assert [len(one) for one in sums.values()] == [3, 0]
    assert find_damage(tmp_path, sums) == ""

    for place in (0, PIECE, 2 * PIECE + 999):
        damaged = bytearray(content)
        damaged[place] ^= 1
        (tmp_path / "image.npy").write_bytes(damaged)
        begins = f"image.npy has changed from byte {place // PIECE * PIECE:,} on"
        assert begins in find_damage(tmp_path, sums)
        # of one piece at a time, chosen at random: missed 50 times with a chance of 2e-9
        assert any(find_damage(tmp_path, sums, most=PIECE) for _ in range(50))

    (tmp_path / "image.npy").write_bytes(content + bytes(PIECE))
    assert find_damage(tmp_path, sums) == "image.npy has 4 pieces of 3"

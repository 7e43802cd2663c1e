"""Damaged shards and wrong indexes are refused by name."""

import json
import os
from pathlib import Path

import pytest
from shard_sets import COUNT, EACH, copy_shards, edit_index, open_shards
from tiny import refused_in_one_line


def test_damaged_shards_are_refused_by_name(packed: Path, tmp_path: Path):
    place = copy_shards(packed, tmp_path / "pets")
    content = bytearray((place / "pets-000003.tar").read_bytes())
    content[600] ^= 1
    (place / "pets-000003.tar").write_bytes(content)
    dataset = open_shards(place)

    assert dataset.images[0].any()
    refused_in_one_line(
        lambda: dataset.images[3 * EACH],
        r"pets-000003\.tar is damaged: its digest is not the one in index",
    )

    os.truncate(place / "pets-000003.tar", 5000)
    refused_in_one_line(
        lambda: open_shards(place),
        r"pets-000003\.tar is damaged: it has 5,000 bytes and index\.json lists",
    )

    (place / "pets-000003.tar").unlink()
    refused_in_one_line(
        lambda: open_shards(place), r"pets-000003\.tar is missing, and index\.json lists it"
    )
    refused_in_one_line(lambda: dataset.images[3 * EACH], r"pets-000003\.tar cannot be read")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "another"}, "is not an index of shards by ganvas pack"),
        ({"version": 2}, "is not an index of shards by ganvas pack"),
        ({"pictures": 51}, "51 images are not the sum of its shards"),
        ({"classes": ["cat", "fox"]}, "its fingerprint is not that of its shards"),
        ({"classes": ["cat"]}, r"pets-000000\.tar has a class beyond the 1"),
        ({"shards": []}, "damaged: shards: "),
        ({"extra": 1}, "damaged: extra: "),
    ],
)
def test_wrong_indexes_are_refused(
    packed: Path, tmp_path: Path, changes: dict[str, object], message: str
):
    place = copy_shards(packed, tmp_path / "pets")
    edit_index(place, **changes)
    refused_in_one_line(lambda: open_shards(place), message)


def test_an_index_cannot_point_out_of_its_folder(packed: Path, tmp_path: Path):
    place = copy_shards(packed, tmp_path / "pets")
    shards = json.loads((place / "index.json").read_text())["shards"]
    for name in ("../pets-000000.tar", "/etc/passwd", "..", ".hidden.tar", "a\\b.tar"):
        edit_index(place, shards=[{**shards[0], "file": name}, *shards[1:]])
        refused_in_one_line(lambda: open_shards(place), r"damaged: shards\.0\.file")
    (place / "index.json").write_text("{")
    refused_in_one_line(lambda: open_shards(place), r"index\.json is damaged")


def test_an_index_that_does_not_match_its_shards_is_refused(packed: Path, tmp_path: Path):
    place = copy_shards(packed, tmp_path / "pets")
    shards = json.loads((place / "index.json").read_text())["shards"]
    shards[0] |= {"count": 7, "labels": "0 1 0 1 0 1 0"}
    edit_index(place, shards=shards, pictures=COUNT - 1)
    refused_in_one_line(
        lambda: open_shards(place).images[0], r"pets-000000\.tar holds 8 images, its index lists 7"
    )

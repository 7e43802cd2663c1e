"""What of a run is its owner's: places lose all but their last part."""

from pathlib import Path

import pytest

from ganvas.export.public import Hider, hide_places


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("/home/anna/faces.zip", "faces.zip"),
        ("../anna/faces", "faces"),
        ("clients/Acme, Inc/my faces", "my faces"),
        ("C:\\Users\\Anna\\faces", "faces"),
        ("pairs:/home/anna/maps", "pairs:maps"),
        ("unpaired:/home/anna/summer,/home/anna/winter", "unpaired:summer,winter"),
        ("shards:https://bucket.example/anna/faces?token=1", "shards:faces"),
        ("mnist:/home/anna/mnist", "mnist"),
        ("mnist-test:/home/anna/mnist", "mnist-test"),
        ("digits", "digits"),
        ("hub:you/greys@main", "hub:you/greys@main"),
    ],
)
def test_names_of_data_without_where_they_are(spec: str, shown: str):
    assert hide_places(spec) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("samples of /home/anna/runs/x, seed 0", "samples of x, seed 0"),
        ("see ~/secret/x.png", "see x.png"),
        ("(C:\\Users\\Anna\\x)", "(x)"),
        ("from https://host.example/a/b?token=1 now", "from b now"),
        ("in My Pictures of 0.5 / 2 images/s", "in My Pictures of 0.5 / 2 images/s"),
        ("at /data/My Pictures/faces: blurred", "at faces: blurred"),
        ("of /mnt/Jane Doe/patients 2024", "of patients 2024"),
        ("of C:\\Users\\Jane Doe\\pics, 5 images/s", "of pics, 5 images/s"),
        ("of file:///home/jane/x and s3://bucket/jane doe/y", "of x and y"),
        ("of pairs:/home/jane/maps", "of pairs:maps"),
        ("of shards:https://host.example/jane/x", "of shards:x"),
        ("in clients/acme/faces, seed 0", "in faces, seed 0"),
        ("3/4 of it and/or that. 1.5 MB/s", "3/4 of it and/or that. 1.5 MB/s"),
    ],
)
def test_texts_without_paths(text: str, shown: str, tmp_path: Path):
    known = ("/data/My Pictures/faces", "clients/acme/faces", ".", "")
    assert Hider(tmp_path, *known).text(text) == shown

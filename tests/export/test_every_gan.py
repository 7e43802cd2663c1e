"""Every GAN of the table in every format, tiny and with random weights."""

import pytest
from exports import make_run

from ganvas.export.export import Request, write_export
from ganvas.gans import GANS

pytestmark = pytest.mark.slow
DIRECTIONS = {"cyclegan", "cut"}  # they have one file for each


@pytest.mark.parametrize("name", GANS)
def test_onnx_makes_the_images_of_pytorch(name, tmp_path):
    written = [*write_export(make_run(name), "onnx", Request(tmp_path / "tiny.onnx"))]

    names = {exported.file.name for exported in written}
    expected = {"tiny-to-a.onnx", "tiny-to-b.onnx"} if name in DIRECTIONS else {"tiny.onnx"}
    assert names == expected
    assert all(exported.difference < 1e-4 for exported in written)


@pytest.mark.parametrize("name", GANS)
def test_plain_code_makes_the_images_of_pytorch(name, tmp_path):
    written = [*write_export(make_run(name), "safetensors", Request(tmp_path / "tiny"))]

    assert len(written) == (2 if name in DIRECTIONS else 1)
    assert all(exported.difference < 1e-5 for exported in written)
    for exported in written:
        assert "ganvas" not in (exported.file / "model.py").read_text().partition('"""\n')[2]

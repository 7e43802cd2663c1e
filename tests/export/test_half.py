"""Weights in half precision."""

from pathlib import Path

import pytest
from exports import make_run

from ganvas.export.graph import Graph, list_graphs
from ganvas.export.onnx import convert_graph
from ganvas.export.plain import write_folder
from ganvas.inference.run import Run

pytestmark = pytest.mark.slow
BELOW_HALF = 0.4999  # of the numbers with 16 bits the nearest is 0.5


@pytest.fixture
def dropping() -> tuple[Run, Graph]:
    """A GAN whose dropout keeps everything, since all its random numbers are below 0.5."""
    run = make_run("pix2pix")
    (graph,) = list_graphs(run.gan)
    for numbers in graph.fixed:
        numbers.fill_(BELOW_HALF)
    return run, graph


def test_dropout_stays_the_same_as_onnx(dropping: tuple[Run, Graph]):
    assert convert_graph(*dropping, half=True).difference < 2 / 255


def test_dropout_stays_the_same_as_plain_code(dropping: tuple[Run, Graph], tmp_path: Path):
    difference, _ = write_folder(*dropping, tmp_path, True, None)
    assert difference < 2 / 255


@pytest.mark.parametrize("name", ["mlp", "dcgan", "pix2pix"])
def test_all_that_was_learnt_takes_half_the_space(name: str):
    import onnx

    run = make_run(name)
    (graph,) = list_graphs(run.gan)
    model = onnx.load_from_string(convert_graph(run, graph, half=True).content)
    learnt = {key for key, values in graph.state_dict().items() if values.numel() > 64}
    whole = [each.name for each in model.graph.initializer if each.data_type == 1]
    assert not learnt.intersection(whole)
    assert any(each.data_type == onnx.TensorProto.FLOAT16 for each in model.graph.initializer)

"""The graph that is exported: its inputs, and that it is `sample` itself."""

import pytest
import torch
from exports import make_run
from tiny import make_gan

from ganvas.export.graph import Graph, list_graphs
from ganvas.export.ports import draw_example
from ganvas.gans import GANS
from ganvas.rng import RowRng


@pytest.mark.parametrize("name", GANS)
def test_a_graph_makes_the_samples_of_its_gan(name: str):
    """With the noise that `sample` would draw; one image, since what is fixed is of image 0."""
    gan = make_run(name).gan
    for number, graph in enumerate(list_graphs(gan)):
        values = graph.draw(1, graph.choose_sides()[0])
        rng = RowRng(0, [0])
        given = {}
        noise = []
        for port, value in zip(graph.ports, values):
            if port.argument:
                given[port.argument] = value
            else:
                draw = rng.normal if port.kind == "normal" else rng.uniform
                noise.append(draw(1, value.shape[1]))
        if graph.domain:
            given["to"] = torch.tensor([number])

        with torch.no_grad():
            expected = gan.sample(1, RowRng(0, [0]), **given)
            found = graph(*noise, *given.values()) if not graph.domain else graph(given["image"])
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_directions_have_a_graph_each():
    assert [graph.domain for graph in list_graphs(make_gan("cyclegan"))] == ["a", "b"]
    assert [graph.domain for graph in list_graphs(make_gan("cut", direction="a-to-b"))] == [""]


def test_dropout_is_fixed_and_noise_is_not():
    assert len(Graph(make_gan("pix2pix", size=16)).fixed) == 2
    ports = Graph(make_gan("gawwn-keypoints", size=16)).ports
    assert [port.name for port in ports] == ["noise", "noise_2", "caption", "keypoints"]


def test_sides_are_free_where_any_size_works():
    random = torch.Generator()
    (picture,) = Graph(make_gan("cyclegan", channels=3), 0).ports
    assert draw_example(picture, 2, (12, 20), random).shape == (2, 3, 12, 20)
    (fixed,) = Graph(make_gan("pix2pix", channels=3)).ports
    assert draw_example(fixed, 2, (12, 20), random).shape == (2, 3, 8, 8)

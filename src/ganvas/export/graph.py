"""A GAN's `sample` as a graph of tensor operations with named inputs."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ganvas.export.noise import RecordingRng, ReplayRng
from ganvas.export.ports import Port, Sides, draw_example, list_ports, noise_port
from ganvas.gans.base import GAN, ChoiceInput, ImageInput

__all__ = ["Graph", "list_graphs", "quiet", "trace"]

SMALLEST = 8  # pixels of a side, of the smallest pictures that all GANs take


class Graph(nn.Module):
    """A generator as a function of tensors: all that `sample` does, without random numbers.

    Args:
        gan: in evaluation mode, on the CPU.
        to: the number of the domain that it generates, of a GAN that has several.

    Attributes:
        ports: its inputs, in order.
        fixed: constants in the place of random numbers that are no noise, (1, ...) each.
        domain: the name of the domain that it generates; empty for a GAN that has no several.
    """

    def __init__(self, gan: GAN, to: int | None = None):
        super().__init__()
        self.gan = gan
        self.direction = to
        domains = gan.inputs.get("to")
        self.domain = (
            domains.names[to] if isinstance(domains, ChoiceInput) and to is not None else ""
        )

        # A first call records which noise `sample` draws.
        given = list_ports(gan)
        recorder = RecordingRng()
        example = _draw_examples(given, 2, self.choose_sides()[0])
        with torch.no_grad():
            gan.sample(2, recorder, **self._arguments(given, example))
        self.fixed = recorder.fixed
        noise = [noise_port(each, number) for number, each in enumerate(recorder.noise, 1)]
        self.ports = [*noise, *given]
        self.eval()

    def forward(self, *values: Tensor) -> Tensor:
        """The inputs (N, ...), in the order of `ports`, to images (N, C, H, W) in [-1, 1]."""
        noise = [value for port, value in zip(self.ports, values) if not port.argument]
        rng = ReplayRng(noise, self.fixed)
        # not len(), which would turn the number of images into a constant
        return self.gan.sample(values[0].shape[0], rng, **self._arguments(self.ports, values))

    def _arguments(self, ports: list[Port], values: tuple[Tensor, ...]) -> dict[str, Tensor | int]:
        """The keyword arguments of `sample`."""
        found: dict[str, Tensor | int] = {
            port.argument: value for port, value in zip(ports, values) if port.argument
        }
        return found if self.direction is None else {**found, "to": self.direction}

    def choose_sides(self) -> list[Sides]:
        """Heights and widths of pictures to try: the training's, and another if any size works."""
        kind = self.gan.inputs.get("image")
        if not isinstance(kind, ImageInput) or not kind.own_size:
            return [(self.gan.size, self.gan.size)]
        step = kind.multiple
        side = -(-max(self.gan.size, SMALLEST) // step) * step  # rounded up
        return [(side, side), (side + step, side + 2 * step)]

    def draw(self, count: int, sides: Sides, seed: int = 0) -> tuple[Tensor, ...]:
        """Random inputs, (count, ...) each, in the order of `ports`."""
        return _draw_examples(self.ports, count, sides, seed)


def list_graphs(gan: GAN) -> list[Graph]:
    """The graphs of a GAN: one, or one for each domain that it translates to."""
    domains = gan.inputs.get("to")
    if not isinstance(domains, ChoiceInput):
        return [Graph(gan)]
    return [Graph(gan, number) for number in range(len(domains.names))]


def trace(graph: Graph) -> ExportedProgram:
    """Record the operations of a graph, for any number of images, and for any size where it has
    any. It is not sure to be right for those that were not tried.
    """
    dynamic = tuple(
        {0: Dim.AUTO, **dict.fromkeys(port.free_axes, Dim.AUTO)} for port in graph.ports
    )
    example = graph.draw(2, graph.choose_sides()[-1])  # of sides that differ
    with quiet(), torch.no_grad():
        return torch.export.export(
            graph,
            example,
            dynamic_shapes={"values": dynamic},
            # Else the tracer must prove which maps of halved and doubled sides fit each other.
            prefer_deferred_runtime_asserts_over_guards=True,
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings and logs of the exporters from the terminal: they tell a user nothing."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _draw_examples(
    ports: list[Port], count: int, sides: Sides, seed: int = 0
) -> tuple[Tensor, ...]:
    """Random values of inputs, (count, ...) each."""
    random = torch.Generator().manual_seed(seed)
    return tuple(draw_example(port, count, sides, random) for port in ports)

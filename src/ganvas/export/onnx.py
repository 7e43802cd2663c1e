"""A generator as ONNX: converted, cleaned, compared with PyTorch, and only then given away."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ganvas.errors import UserError
from ganvas.export.about import describe_export
from ganvas.export.compare import check_difference, compare
from ganvas.export.graph import Graph, list_graphs, quiet, trace
from ganvas.export.half import halve_weights
from ganvas.export.ports import picture_sides
from ganvas.inference.run import Run

if TYPE_CHECKING:
    import onnx

__all__ = ["Model", "convert", "convert_graph", "open_model", "require_onnx"]

OPSET = 20  # of the operators; onnxruntime 1.17 and onnxruntime-web know it


@dataclass(frozen=True)
class Model:
    """A generator as an ONNX file in memory.

    Attributes:
        content: of the file.
        about: what its metadata say, as JSON values; see `describe_export`.
        difference: the largest from PyTorch, of values in [-1, 1].
        seconds: that it took.
    """

    content: bytes
    about: dict[str, Any]
    difference: float
    seconds: float


def convert(run: Run, half: bool = False, licence: str | None = None) -> Iterator[Model]:
    """Convert a run's generator to ONNX: one model, or one for each domain that it translates to.

    Args:
        run: on the CPU.
        half: whether to keep weights in half precision; inputs, outputs and arithmetic stay
            float32.
        licence: of the generator.

    Raises:
        UserError: onnx is not installed, or the model differs from PyTorch.
    """
    require_onnx()
    for graph in list_graphs(run.gan):
        yield convert_graph(run, graph, half, licence)


def convert_graph(run: Run, graph: Graph, half: bool = False, licence: str | None = None) -> Model:
    """Convert one of a run's graphs; see `convert`."""
    start = time.perf_counter()
    about = describe_export(run, graph, licence)
    model = _build(graph)
    if half:
        halve_weights(model, graph.state_dict().keys())
    for name, value in about.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        model.metadata_props.add(key=name, value=text)

    content = model.SerializeToString()
    difference = compare(graph, open_model(content, graph))
    check_difference(difference, half)
    return Model(content, about, difference, time.perf_counter() - start)


def require_onnx() -> None:
    """Check that ONNX files can be written.

    Raises:
        UserError: a package is missing.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        if find_spec(package) is None:
            raise UserError(
                f"ONNX files need {package}, which is not installed: pip install 'ganvas[onnx]'"
            )


def _build(graph: Graph) -> "onnx.ModelProto":
    """Convert a graph, and remove what only its maker needs to know."""
    names = [port.name for port in graph.ports]
    with quiet():
        program = torch.onnx.export(
            trace(graph),
            input_names=names,
            output_names=["image"],
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto

    # Notes for debugging, with paths of this machine; and inferred shapes, with other names.
    del model.graph.value_info[:]
    for part in (*model.graph.node, *model.graph.input, *model.graph.output, model.graph):
        del part.metadata_props[:]
    del model.metadata_props[:]
    model.producer_name, model.graph.name = "ganvas", "generator"

    inputs, output = model.graph.input, model.graph.output[0]
    for port, value in zip(graph.ports, inputs):
        _name_sides(value, ("batch", *port.shape))
    _name_sides(output, ("batch", graph.gan.channels, *picture_sides(graph.gan)))
    return model


def _name_sides(value: "onnx.ValueInfoProto", shape: tuple[int | str, ...]) -> None:
    """Give the sides of an input or output their names."""
    for dimension, side in zip(value.type.tensor_type.shape.dim, shape):
        if isinstance(side, str):
            dimension.dim_param = side


def open_model(content: bytes, graph: Graph) -> Callable[[tuple[Tensor, ...]], Tensor]:
    """An ONNX file in memory as a function of the graph's inputs, computed by onnxruntime.

    It returns no images where onnxruntime fails, such as for another number of images than the
    traced one.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])

    def generate(values: tuple[Tensor, ...]) -> Tensor:
        given = {port.name: value.numpy() for port, value in zip(graph.ports, values)}
        try:
            return torch.from_numpy(session.run(["image"], given)[0])
        except Exception:  # onnxruntime has many kinds, without a common one
            return torch.full((0,), torch.nan)

    return generate

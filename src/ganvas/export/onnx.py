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
from ganvas.export.ports import picture_sides
from ganvas.inference.run import Run

if TYPE_CHECKING:
    import onnx

__all__ = ["Model", "convert", "require_onnx"]

OPSET = 20  # of the operators; onnxruntime 1.17 and onnxruntime-web know it
FEW = 64  # numbers of a tensor up to which half precision saves nothing


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
        start = time.perf_counter()
        about = describe_export(run, graph, licence)
        model = _build(graph)
        if half:
            _halve_weights(model)
        for name, value in about.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            model.metadata_props.add(key=name, value=text)

        content = model.SerializeToString()
        difference = compare(graph, _open(content, graph))
        check_difference(difference, half)
        yield Model(content, about, difference, time.perf_counter() - start)


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


def _halve_weights(model: "onnx.ModelProto") -> None:
    """Store weights in half precision; they are converted back as the model is loaded."""
    import onnx

    casts = []
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.data_type != onnx.TensorProto.FLOAT or values.size <= FEW:
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype("float16"), f"{name}.half"))
        to = onnx.TensorProto.FLOAT
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=to))

    # before the nodes that use them
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _open(content: bytes, graph: Graph) -> Callable[[tuple[Tensor, ...]], Tensor]:
    """An ONNX file as a function of the graph's inputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])

    def generate(values: tuple[Tensor, ...]) -> Tensor:
        given = {port.name: value.numpy() for port, value in zip(graph.ports, values)}
        try:
            return torch.from_numpy(session.run(["image"], given)[0])
        except Exception:  # onnxruntime's own kinds: a number of images or a side became a constant
            return torch.full((0,), torch.nan)

    return generate

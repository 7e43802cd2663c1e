"""A generator as a folder for PyTorch alone: weights as safetensors, and code without Ganvas.

The code is the list of tensor operations that `sample` was recorded to be, so it fits every GAN.
"""

import importlib.util
import operator
import shutil
import textwrap
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, fx
from torch.export import ExportedProgram

from ganvas.export.about import describe_export
from ganvas.export.compare import check_difference, compare
from ganvas.export.graph import Graph, trace
from ganvas.export.readme import write_readme
from ganvas.gans.options import option_defaults
from ganvas.inference.run import Run
from ganvas.io.files import atomic_path, write_json, write_text

__all__ = ["write_code", "write_folder"]

FILES = ("generator.safetensors", "model.py", "config.json", "README.md")
# Checks of the tracer, without effect on the result.
CHECKS = {"_assert_tensor_metadata", "_assert_scalar", "sym_constrain_range_for_size"}
# Python's own operators, of sizes.
SIGNS = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.floordiv: "//",
    operator.mod: "%",
}
HEAD = '''"""A generator as plain PyTorch, written by Ganvas {version}."""

import torch
from safetensors.torch import load_file

aten = torch.ops.aten


def load(file):
    """Load the weights by name; those that are stored in half precision become float32."""
    return {{
        name: value.float() if value.dtype == torch.float16 else value
        for name, value in load_file(file).items()
    }}


@torch.no_grad()
def generate(weights, {inputs}):
    """Generate images, {output} in [-1, 1]; config.json describes the inputs."""
'''


def write_folder(
    run: Run, graph: Graph, folder: Path, half: bool, licence: str | None
) -> tuple[float, float]:
    """Write generator.safetensors, model.py, config.json and README.md.

    Returns:
        the largest difference from PyTorch, and the seconds that it took.

    Raises:
        UserError: the result differs from PyTorch, or a file cannot be written.
    """
    start = time.perf_counter()
    about = describe_export(run, graph, licence)
    program = trace(graph)
    weights = _name_weights(program)
    constants = program.graph_signature.inputs_to_lifted_tensor_constants
    kept = {
        name: _shrink(value, half and node not in constants)
        for node, (name, value) in weights.items()
    }

    description = run.about["gan"]
    options = option_defaults(description["name"]) | description["options"]

    # tried before it is written where the user wants it
    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        save_file(kept, place / "generator.safetensors")
        write_text(place / "model.py", write_code(program, graph, about, weights))
        write_json(place / "config.json", about | {"options": options, "data": description["data"]})
        write_text(place / "README.md", write_readme(about))

        model = _load_module(place / "model.py")
        loaded = model.load(place / "generator.safetensors")
        difference = compare(graph, lambda values: model.generate(loaded, *values))
        check_difference(difference, half)
        for name in FILES:
            with atomic_path(folder / name) as partial:
                shutil.copyfile(place / name, partial)
    return difference, time.perf_counter() - start


def _name_weights(program: ExportedProgram) -> dict[str, tuple[str, Tensor]]:
    """The tensors that the operations use, by their placeholder: a name and the values."""
    signature = program.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    values = {**program.state_dict, **program.constants}
    used = {node.name for node in program.graph.nodes if node.op == "placeholder" and node.users}
    return {
        node: (name.removeprefix("gan."), values[name].detach().contiguous().clone())
        for node, name in names.items()
        if node in used
    }


def _shrink(values: Tensor, half: bool) -> Tensor:
    """The values as they are stored; `half`: in half precision, if they are float32."""
    return values.half() if half and values.dtype == torch.float32 else values


def write_code(
    program: ExportedProgram,
    graph: Graph,
    about: dict[str, Any],
    weights: dict[str, tuple[str, Tensor]],
) -> str:
    """The operations of a program as a Python module with a function `generate`.

    Args:
        program: that was recorded.
        graph: from which.
        about: its description.
        weights: by placeholder, their names and values.
    """
    inputs = [port.name for port in graph.ports]
    words = {node: f'weights["{name}"]' for node, (name, _) in weights.items()}
    words |= dict(zip(map(str, program.graph_signature.user_inputs), inputs))
    device = f"{inputs[0]}.device"

    nodes = program.graph_module.graph
    for node in [*nodes.nodes]:
        if _short_name(node) in CHECKS:
            nodes.erase_node(node)
    nodes.eliminate_dead_code()

    lines = []
    for node in nodes.nodes:
        if node.op == "call_function":
            words[node.name] = node.name
            lines.append(f"{node.name} = {_write_call(node, words, device)}")
        elif node.op == "output":
            lines.append(f"return {_write_value(node.args[0][0], words, device)}")

    shape = ", ".join(str(side) for side in about["output"]["shape"])
    head = HEAD.format(version=about["ganvas"], inputs=", ".join(inputs), output=f"({shape})")
    return head + textwrap.indent("\n".join(lines), "    ") + "\n"


def _short_name(node: fx.Node) -> str:
    """The name of the operator that a node calls, without its variant."""
    target = node.target
    return (
        target._schema.name.partition("::")[2] if isinstance(target, torch._ops.OpOverload) else ""
    )


def _write_call(node: fx.Node, words: dict[str, str], device: str) -> str:
    """The expression that a node stands for."""
    given = [_write_value(value, words, device) for value in node.args]
    target = node.target
    if target in SIGNS:
        return f" {SIGNS[target]} ".join(given)
    if target is operator.getitem:
        return f"{given[0]}[{given[1]}]"

    named = [f"{name}={_write_value(value, words, device)}" for name, value in node.kwargs.items()]
    if isinstance(target, torch._ops.OpOverload):
        return f"{target}({', '.join(given + named)})"  # aten.conv2d.default
    if not isinstance(target, str) and target.__module__ in ("torch", "math"):
        return f"{target.__module__}.{target.__name__}({', '.join(given + named)})"
    raise ValueError(f"no code for {target}")


def _write_value(value: Any, words: dict[str, str], device: str) -> str:
    """An argument as an expression."""
    if isinstance(value, fx.Node):
        return words[value.name]
    if isinstance(value, list | tuple):
        return f"[{', '.join(_write_value(each, words, device) for each in value)}]"
    if isinstance(value, torch.device):
        return device
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    return repr(value)


def _load_module(file: Path) -> ModuleType:
    """Import a module from its file."""
    spec = importlib.util.spec_from_file_location("exported_generator", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

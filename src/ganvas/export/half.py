"""ONNX weights in half precision, in half the space."""

from collections.abc import Set
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

__all__ = ["halve_weights"]

FEW = 64  # numbers of a tensor up to which there is nothing to save


def halve_weights(model: "onnx.ModelProto", learnt: Set[str]) -> None:
    """Store the weights of a model with 16 bits; they become float32 when it is loaded.

    Inputs, outputs and arithmetic stay float32, which every machine can compute.

    Args:
        model: which is changed.
        learnt: names of the weights. Other constants keep their 32 bits: the fixed random numbers
            of a dropout are compared with a half, and one that were rounded to it would drop
            another part of a map.
    """
    import onnx

    casts = []
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if tensor.data_type != onnx.TensorProto.FLOAT or values.size <= FEW:
            continue
        if tensor.name not in learnt:
            continue
        name, stored = tensor.name, f"{tensor.name}.half"
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype("float16"), stored))
        casts.append(onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT))

    # before the nodes that use them
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)

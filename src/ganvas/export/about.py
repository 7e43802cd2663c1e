"""What a program or a person should know of an exported generator, as JSON values."""

from importlib.metadata import version
from typing import Any

from ganvas.export.graph import Graph
from ganvas.export.ports import picture_sides
from ganvas.inference.run import Run
from ganvas.runs.zoo import find_licence

__all__ = ["FIXED", "describe_export"]

FIXED = "random numbers that are no noise (dropout) are those of image 0 of seed 0"


def describe_export(run: Run, graph: Graph, licence: str | None) -> dict[str, Any]:
    """Describe an exported generator.

    Args:
        run: that it is from.
        graph: the generator.
        licence: of the generator, as the user named it; None: that of a ready-made generator, if it
            is one.

    Returns:
        JSON values by name: "ganvas" (the version), "recipe", "gan", "images" (shown in training),
        "size", "inputs" and "output", each with kind, type and shape; "classes", "domain", "fixed"
        and "licence" where there are any.
    """
    gan, planes = run.gan, run.planes
    output: dict[str, Any] = {
        "name": "image",
        "kind": gan.kind,
        "type": "float32",
        "shape": ["batch", gan.channels, *picture_sides(gan)],
        "range": [-1, 1],
        "channels": planes.kind,
    }
    if planes.names:
        output["categories"] = list(planes.names)
    # what -1 and 1 were in the files of the training
    if gan.target in gan.schema.ranges:
        output["values"] = list(gan.schema.ranges[gan.target][:2])

    about: dict[str, Any] = {
        "ganvas": version("ganvas"),
        "recipe": run.about["recipe"].get("name", ""),
        "gan": run.about["gan"]["name"],
        "images": run.about["images"],
        "size": gan.size,
        "inputs": {port.name: port.describe() for port in graph.ports},
        "output": output,
    }
    if "label" in gan.inputs:
        about["classes"] = list(gan.classes)
    if graph.domain:
        about["domain"] = graph.domain
    if graph.fixed:
        about["fixed"] = FIXED
    if licence := licence or find_licence(run.folder):
        about["licence"] = licence
    return about

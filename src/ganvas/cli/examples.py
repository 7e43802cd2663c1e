"""The examples at the end of every verb's help: real commands, the usual one first."""

from collections.abc import Mapping, Sequence

__all__ = ["EXAMPLES", "describe_examples"]

EXAMPLES: Mapping[str, Sequence[str]] = {
    "train": (
        "ganvas train auto --data ./faces --minutes 10",
        "ganvas train avatars-fast --data ./faces --out runs/faces --set batch=64",
        "ganvas train --out runs/faces --log-to tensorboard  # resume",
        "ganvas train pix2pix-fast --data pairs:./facades --dry-run",
        "ganvas train pix2pix-fast --data pairs:grey:./faces  # learn to colour",
    ),
    "recipes": (
        "ganvas recipes",
        "ganvas recipes cyclegan-fast  # all its settings",
    ),
    "sample": (
        "ganvas sample runs/faces --count 100 --out faces-100",
        "ganvas sample runs/digits --rows classes --grid digits.png",
        "ganvas sample runs/faces --near 17 --spread 0.2 --count 16",
        "ganvas sample runs/faces --interpolate walk.webp --direction 3:-3..3",
        'ganvas sample runs/birds --caption "a red bird" --box 10,10,40,40',
    ),
    "directions": (
        "ganvas directions runs/faces",
        "ganvas directions runs/faces --by layer --count 20 --out directions",
        "ganvas directions runs/faces --data attributes:./celeba",
    ),
    "inside": (
        "ganvas inside runs/digits",
        "ganvas inside zoo:mnist --label 7 --seed 3 --out seven",
        "ganvas inside runs/facades --data pairs:./facades",
    ),
    "restore": (
        "ganvas restore runs/holes photo.png --box 30,40,60,50",
        "ganvas restore runs/holes ./photos --mask ./masks --out restored",
        "ganvas restore runs/faces photo.png --project",
    ),
    "translate": (
        "ganvas translate runs/facades drawing.png ./more --out drawn",
        "ganvas translate runs/seasons ./photos --to winter",
        "ganvas translate runs/hair me.jpg --attributes Eyeglasses=1,Bald=0",
        "ganvas translate runs/enlarge photo.png --degrade yes  # reduced first",
    ),
    "export": (
        "ganvas export runs/faces --to onnx --out faces.onnx",
        "ganvas export runs/faces --to onnx --half --out faces-half.onnx",
        "ganvas export runs/faces --to page --out faces.html",
        'ganvas export runs/faces --to safetensors --licence "CC BY 4.0"',
    ),
    "evaluate": (
        "ganvas evaluate runs/faces",
        "ganvas evaluate runs/one runs/two --metrics fd,recall --count 2000",
        "ganvas evaluate ./generated ./photographs --size 64",
    ),
    "health": (
        "ganvas health runs/faces",
        "ganvas health runs/faces --json",
    ),
    "log": (
        "ganvas log runs/faces",
        "ganvas log runs/faces --csv",
        "ganvas log runs/faces --to tensorboard,wandb",
    ),
    "theory": (
        "ganvas theory",
        "ganvas theory --target two --loss wasserstein --steps 1000",
        "ganvas theory --page --out lab.html  # play it yourself, step by step",
    ),
    "whatif": (
        "ganvas whatif  # a list",
        "ganvas whatif d-too-fast",
        "ganvas whatif missing-class --data mnist --images 60000 --out missing",
    ),
    "data": (
        "ganvas data ./faces --size 64",
        "ganvas data ./flowers.zip --labels folders --out flowers.png",
        "ganvas data unpaired:./summer,./winter",
        "ganvas data ./fields --channels 4 --ignore-alpha",
    ),
    "pack": (
        "ganvas pack ./faces --size 64",
        "ganvas pack ./faces --shards --out faces-64 --size 64",
    ),
    "zoo": (
        "ganvas zoo",
        "ganvas zoo cartoon-faces  # its card",
    ),
    "push": (
        "ganvas push runs/faces hf:me/faces --licence cc-by-4.0",
        "ganvas push runs/faces hf:me/faces-own --licence other --private",
    ),
    "about": (
        "ganvas about",
        "ganvas about --json",
    ),
    "cache": (
        "ganvas cache",
        "ganvas cache packed references --empty",
    ),
    "studio": (
        "ganvas studio",
        "ganvas studio ./runs --data ./faces ./flowers.zip --port 9000",
    ),
}


def describe_examples(verb: str) -> str:
    """The examples of a verb as a block of text, a line for each."""
    return "\n".join(["```", "Examples:", *(f"  {line}" for line in EXAMPLES[verb]), "```"])

"""Whatever a file holds, each reader either reads it or says in one line what is wrong."""

import gzip
import io
import json
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fuzzing import FEW, MANY, Reader, spoil_bytes, spoil_json, spoil_lines, try_out
from PIL import Image
from safetensors.torch import save
from shard_sets import encode_image, write_shards
from written_runs import write_run

from ganvas.data.builtin.cifar10 import open_cifar
from ganvas.data.builtin.idx import dimensions, read_idx
from ganvas.data.dataset import fingerprint
from ganvas.data.folders.attribute_table import find_attribute_table, read_rows
from ganvas.data.folders.caption_columns import make_features
from ganvas.data.folders.caption_table import read_caption_table
from ganvas.data.folders.labels import find_labels
from ganvas.data.folders.source import FileSource
from ganvas.data.report import DataReport
from ganvas.data.shards.index import read_index
from ganvas.data.shards.tar import Tar
from ganvas.data.store import CHECKED, Packed, open_store
from ganvas.data.view import View
from ganvas.errors import UserError
from ganvas.evaluation.metrics.classifier import VERSION, ClassifierNetwork, read_classifier
from ganvas.inference.layout_inputs import read_features
from ganvas.io import image_files
from ganvas.io.images import UnreadableError
from ganvas.io.reading import read_json_lines
from ganvas.io.tensors import read_shapes
from ganvas.runs.checkpoint import load_gan, read_about, read_position, read_tensors
from ganvas.runs.curves import collect_losses
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.folder import read_data, read_recipe
from ganvas.runs.health import read_health
from ganvas.runs.log import read_log
from ganvas.runs.log_table import collect_numbers_by_images
from ganvas.runs.numbers import collect_numbers
from ganvas.runs.record import describe_progress, describe_status, read_run
from ganvas.studio.catalogue import describe_run
from ganvas.training.speed.autotune import read_plan

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def make_image_reader(_: Path) -> Reader:
    valid = [encode_image(0, form, 12) for form in FORMATS]
    for picture in (Image.new("I;16", (4, 4)), Image.new("F", (4, 4)), Image.new("CMYK", (4, 4))):
        file = io.BytesIO()
        picture.save(file, "TIFF")
        valid.append(file.getvalue())

    def read(content: bytes) -> None:
        for call in (
            lambda: image_files.read(content, 3),
            lambda: image_files.read(content, 1),
            lambda: image_files.measure(io.BytesIO(content)),
            lambda: image_files.transparent(content),
        ):
            try:
                call()
            except UnreadableError:
                continue

    return Reader(read, spoil_bytes(*valid))


def make_zip_reader(place: Path) -> Reader:
    valid = []
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", kind) as archive:
            archive.writestr("cats/1.png", encode_image(0, "png", 4))
            archive.writestr("dogs/2.png", b"")
            archive.writestr("labels.csv", "1.png,cat")
        valid.append(file.getvalue())

    def read(content: bytes) -> None:
        (place / "set.zip").write_bytes(content)
        with FileSource(place / "set.zip") as source:
            source.identity()
            for entry in [*source.pictures, *source.others.values()]:
                try:
                    source.read(entry)
                except UnreadableError:
                    continue

    return Reader(read, spoil_bytes(*valid))


def make_tar_reader(place: Path) -> Reader:
    valid = []
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as archive:
            # USTAR has no room for a longer name.
            long = "é" * 40 if form == tarfile.USTAR_FORMAT else "long" * 60
            for name, content in {f"{long}.png": b"1", "2.cls": b"3", "2.json": b"[3]"}.items():
                header = tarfile.TarInfo(name)
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
        valid.append(file.getvalue()[: 512 * 14])

    def read(content: bytes) -> None:
        (place / "set.tar").write_bytes(mend_sums(content))
        with Tar((place / "set.tar").open("rb"), "set.tar") as tar:
            for entry in tar.pictures:
                try:
                    tar.read(entry)
                except UnreadableError:
                    continue
                tar.label(entry)

    return Reader(read, spoil_bytes(*valid))


def mend_sums(content: bytes) -> bytes:
    """A tar whose headers have right checksums, or its changes would hardly ever be read."""
    blocks = bytearray(content)
    for start in range(0, len(blocks) - 511, 512):
        header = blocks[start : start + 512]
        if header[257:262] == b"ustar":
            total = sum(header) - sum(header[148:156]) + 256
            blocks[start + 148 : start + 156] = b"%06o\0 " % total
    return bytes(blocks)


def make_idx_reader(place: Path) -> Reader:
    plain = struct.pack(">4B3I", 0, 0, 8, 3, 2, 4, 4) + bytes(32)
    labels = struct.pack(">4BI", 0, 0, 13, 1, 3) + bytes(12)

    def read(content: bytes) -> None:
        (place / "set-idx3-ubyte").write_bytes(content)
        dimensions(place / "set-idx3-ubyte")
        read_idx(place / "set-idx3-ubyte")

    return Reader(read, spoil_bytes(plain, labels, gzip.compress(plain), gzip.compress(bytes(9))))


def make_cifar_reader(place: Path) -> Reader:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        header = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
        header.size = 700
        archive.addfile(header, io.BytesIO(bytes(700)))
    valid = file.getvalue()[: 512 * 5]

    def read(content: bytes) -> None:
        (place / "set.tar.gz").write_bytes(content)
        open_cifar(f"cifar10-test:{place / 'set.tar.gz'}", View())

    return Reader(read, spoil_bytes(gzip.compress(valid), gzip.compress(bytes(4096))))


def make_source(place: Path) -> FileSource:
    for name in ("1.png", "2.png", "a b.png"):
        (place / name).write_bytes(encode_image(0, "png", 4))
    return FileSource(place)


def make_label_reader(place: Path) -> Reader:
    make_source(place)
    tables = ["1.png,cat\n2.png,dog\n", 'file;label\n"1.png";"a ""b"" c"\n', "1.png\tx\r\n"]

    def read(content: bytes) -> None:
        (place / "labels.csv").write_bytes(content)
        with FileSource(place) as source:
            find_labels(source, "labels.csv")

    return Reader(read, spoil_bytes(*[text.encode() for text in tables]))


def make_attribute_reader(place: Path) -> Reader:
    make_source(place)
    tables = ["2\nBald Young\n1.png 1 -1\n2.png -1 1\n", "file,Bald\n1.png,1\n2.png,false\n"]

    def read(content: bytes) -> None:
        (place / "attributes.csv").write_bytes(content)
        with FileSource(place) as source:
            read_rows(find_attribute_table(source, "none"))

    return Reader(read, spoil_bytes(*[text.encode() for text in tables]))


LINE = {"file": "1.png", "captions": ["a bird"], "box": [1, 2, 3, 4], "keypoints": {"beak": [1, 2]}}
COCO = {
    "images": [{"id": 1, "file_name": "1.png"}],
    "annotations": [
        {"image_id": 1, "caption": "a cat", "bbox": [1, 2, 3, 4], "keypoints": [1, 2, 2]}
    ],
    "categories": [{"keypoints": ["nose"]}],
}


def make_caption_reader(_: Path) -> Reader:
    lines = [LINE, {"parts": ["beak"]}, LINE | {"keypoints": [[1, 2, 1]]}]
    return Reader(lambda content: read_caption_table("t.jsonl", content), spoil_lines(*lines))


def make_coco_reader(_: Path) -> Reader:
    return Reader(lambda content: read_caption_table("t.json", content), spoil_json(COCO))


def make_index_reader(place: Path) -> Reader:
    write_shards("digits", place / "shards", 900, View(size=8))
    valid = json.loads((place / "shards" / "index.json").read_text())
    for shard in valid["shards"]:  # short, so that changes hit what matters
        shard["labels"] = shard["labels"][:40]
    return Reader(lambda content: read_index(content, "index.json"), spoil_json(valid))


def make_store_reader(place: Path) -> Reader:
    def build(partial: Path) -> Packed:
        np.save(partial / "image.npy", np.zeros((2, 1, 4, 4), np.uint8))
        return Packed({"label": ("a", "b")}, DataReport(spec="x", found=2, used=2), 4)

    def refuse(partial: Path) -> Packed:
        raise UserError("it would be built again")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANVAS_CACHE", str(place))
        open_store("fuzz", lambda partial: with_labels(partial, build(partial)))
    (folder,) = (place / "packed").iterdir()
    about = (folder / "about.json").read_bytes()
    column = (folder / "image.npy").read_bytes()
    kept = place / "kept"
    shutil.copytree(folder, kept)

    def read(content: bytes) -> None:
        # Damage makes the entry disappear, so each example gets a new one.
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder)
        name = "about.json" if content[:1] in (b"{", b"[") else "image.npy"
        (folder / name).write_bytes(content)
        CHECKED.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GANVAS_CACHE", str(place))
            dataset = open_store("fuzz", refuse)
            fingerprint(dataset.columns, {})

    return Reader(read, spoil_json(json.loads(about)) | spoil_bytes(column))


def with_labels(partial: Path, packed: Packed) -> Packed:
    np.save(partial / "label.npy", np.zeros(2, np.int64))
    return packed


# Run folders


def read_everything(run: Path) -> None:
    """All that looks at a run folder."""
    record = read_run(run)
    collect_numbers(record)
    describe_status(record)
    describe_progress(record)
    describe_run(record)
    print(read_health(run), repr(read_health(run)), read_health(run)._repr_html_())
    collect_losses(record.log)
    collect_numbers_by_images(record.log)


def make_run_reader(name: str) -> Callable[[Path], Reader]:
    """A reader of one JSON file of a run folder, and of all that is made of it."""

    def make(place: Path) -> Reader:
        run = write_run(place / "run")
        file = run / name
        valid = json.loads(file.read_text())

        def read(content: bytes) -> None:
            file.write_bytes(content)
            read_recipe(run)
            read_data(run)
            read_everything(run)

        return Reader(read, spoil_json(valid))

    return make


def make_log_reader(place: Path) -> Reader:
    run = write_run(place / "run")
    health: dict[str, Any] = {"images": 100, "kind": "health", "score_gap": 1.5, "distance": 3.0}
    health |= {"generator/weight_norm": 2.0, "generator/gradient_norm": 0.1, "diversity": 1.0}
    health |= {"classes": {"zero": 0.9, "one": 0.0}, "agreement": {"zero": 1.0}}
    entries = [
        health,
        {"images": 100, "kind": "losses", "discriminator": 1.0, "generator": 2.0},
        {"images": 100, "kind": "speed", "images_per_second": 12.5},
        {"images": 100, "kind": "evaluated", "distance": 1.5, "features": "random", "count": 9},
        {"images": 100, "kind": "stopped", "reason": "enough"},
        {"images": 100, "kind": "measured", "generator": 2.0},
        {"images": 100, "kind": "samples"},
        {
            **{"images": 100, "kind": "condition", "condition": "diverging", "state": "ended"},
            **{"evidence": "a loss", "action": "Start again."},
        },
    ]
    before = b"".join(json.dumps(health | {"images": n}).encode() + b"\n" for n in range(25))

    def read(content: bytes) -> None:
        (run / "log.jsonl").write_bytes(before + content)
        Diagnosis.of(read_log(run / "log.jsonl")).describe()
        read_everything(run)

    return Reader(read, spoil_lines(*entries))


def make_plan_reader(place: Path) -> Reader:
    valid = {"device": "cpu", "speed": "im2col", "measured": {"plain": 2.5}, "dropped": {}}

    def read(content: bytes) -> None:
        (place / "speed.json").write_bytes(content)
        plan = read_plan(place)
        assert plan is not None
        plan.line()

    return Reader(read, spoil_json(valid))


def make_evaluations_reader(place: Path) -> Reader:
    def read(content: bytes) -> None:
        (place / "evaluations.jsonl").write_bytes(content)
        list(read_json_lines(place / "evaluations.jsonl"))

    return Reader(read, spoil_lines({"name": "a", "values": {"fid": 3.0}, "time": "now"}))


def make_about_reader(place: Path) -> Reader:
    run = write_run(place / "run")
    (checkpoint,) = (run / "checkpoints").iterdir()
    valid = json.loads((checkpoint / "about.json").read_text())
    valid["gan"] = {
        "name": "mlp",
        "data": {"size": 8, "channels": {"image": 1}},
        "options": {"hidden": 8},
    }

    def read(content: bytes) -> None:
        (checkpoint / "about.json").write_bytes(content)
        read_about(checkpoint)
        load_gan(checkpoint)

    return Reader(read, spoil_json(valid))


def make_position_reader(place: Path) -> Reader:
    folder = place / f"{18:012d}"
    folder.mkdir()
    valid = {"images": 18, "means": {"generator": [1.5, 3]}, "stopped": ""}

    def read(content: bytes) -> None:
        import hashlib

        (folder / "training.json").write_bytes(content)
        files = {"training.json": hashlib.sha256(content).hexdigest()}
        read_position(folder, {"images": 18, "files": files})

    return Reader(read, spoil_json(valid))


TENSORS = {"features": torch.zeros(2, 3), "b": torch.zeros((), dtype=torch.int64)}


def make_tensors_reader(place: Path) -> Reader:
    file = place / "gan.safetensors"

    def read(content: bytes) -> None:
        import hashlib

        file.write_bytes(content)
        for call in (
            lambda: read_shapes(file),
            lambda: read_features(file, 3),
            lambda: make_features(content, [0, 1], 2),
            lambda: read_tensors(
                file, {"files": {file.name: hashlib.sha256(content).hexdigest()}}, TENSORS
            ),
        ):
            try:
                call()
            except UserError:
                continue

    half = save({"features": torch.zeros(2, 3, dtype=torch.bfloat16)})
    return Reader(read, spoil_bytes(save(TENSORS), half, save(TENSORS, {"about": "{}"})))


def make_classifier_reader(place: Path) -> Reader:
    about = {"extractor": "classifier", "version": VERSION, "size": 8, "channels": 1}
    about |= {"classes": ["a", "b"], "accuracy": 0.5, "trained_on": "x"}
    weights = {
        name: value.contiguous() for name, value in ClassifierNetwork(8, 1, 2).state_dict().items()
    }

    def read(content: bytes) -> None:
        notes = content.decode("utf-8", "replace")
        (place / "c.safetensors").write_bytes(save(weights, {"about": notes}))
        read_classifier(place / "c.safetensors")

    return Reader(read, spoil_json(about))


READERS = {
    "image": make_image_reader,
    "zip": make_zip_reader,
    "tar": make_tar_reader,
    "idx": make_idx_reader,
    "cifar": make_cifar_reader,
    "labels": make_label_reader,
    "attributes": make_attribute_reader,
    "captions": make_caption_reader,
    "coco": make_coco_reader,
    "shard index": make_index_reader,
    "packed store": make_store_reader,
    "recipe": make_run_reader("recipe.json"),
    "data report": make_run_reader("data.json"),
    "run's checkpoint": make_run_reader(f"checkpoints/{1000:012d}/about.json"),
    "log": make_log_reader,
    "speed": make_plan_reader,
    "evaluations": make_evaluations_reader,
    "checkpoint": make_about_reader,
    "position": make_position_reader,
    "tensors": make_tensors_reader,
    "classifier": make_classifier_reader,
}


@pytest.mark.parametrize("name", READERS)
def test_readers_never_fall(name: str, tmp_path: Path):
    try_out(READERS[name](tmp_path), FEW)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_readers_never_fall_in_many_cases(name: str, tmp_path: Path):
    try_out(READERS[name](tmp_path), MANY)

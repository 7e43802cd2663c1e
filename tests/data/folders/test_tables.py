"""What tables beside images mean: which column is which, what are classes, and what is advised."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import refused_in_one_line

from ganvas.data import View, open_dataset
from ganvas.data.folders.label_table import are_real_numbers, are_too_many
from ganvas.data.folders.labels import usual_labels
from ganvas.data.folders.source import FileSource
from ganvas.data.folders.table_survey import survey_tables
from ganvas.data.folders.tables import is_partition, read_table
from ganvas.data.hints import guess_kind
from ganvas.data.text import decode

COUNT = 24
SHAPES = ("disc", "square")
NAMES = [f"{number:04}.png" for number in range(COUNT)]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """Files of tiny images that all differ."""
    folder = tmp_path_factory.mktemp("images")
    for number, name in enumerate(NAMES):
        Image.new("L", (8, 8), 10 * number).save(folder / name)
    return [(name, (folder / name).read_bytes()) for name in NAMES]


@pytest.fixture
def place(images: list[tuple[str, bytes]], tmp_path: Path) -> Path:
    for name, content in images:
        (tmp_path / name).write_bytes(content)
    return tmp_path


def rows(template: str, header: str = "") -> str:
    """A table with a row for each image: {id}, {name}, {shape} and {n} are filled in."""
    lines = [
        template.format(id=name[:4], name=name, shape=SHAPES[number % 2], n=number)
        for number, name in enumerate(NAMES)
    ]
    return "\n".join([*([header] if header else []), *lines]) + "\n"


def write(place: Path, name: str, text: str, encoding: str = "utf-8") -> None:
    (place / name).write_bytes(text.encode(encoding))


def classes(place: Path, labels: str) -> dict[str, int]:
    return open_dataset(str(place), View(labels=labels)).report.classes


HALVES = {"disc": COUNT // 2, "square": COUNT // 2}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (rows("{id},{shape}", "id,breed"), "train.csv"),
        (rows("{id};{shape}"), "train.csv"),
        (rows("{shape}\t{name}", "class\tfilename"), "train.csv"),
        (rows("{shape},{name}"), "train.csv"),
        (rows("{name},32,{shape}", "filename,width,class"), "train.csv"),
        (rows("{name},32,{shape}", "filename,width,Shape"), "train.csv:shape"),
        (rows("{name},32,{shape}"), "train.csv:3"),
        (rows("{name},{shape},train", "image,form,split"), "train.csv"),
        (rows("{name} {shape}"), "train.csv"),
        (rows("somewhere/train/{name},{shape}"), "train.csv"),
    ],
)
def test_columns_are_found(place: Path, text: str, labels: str):
    write(place, "train.csv", text)
    dataset = open_dataset(str(place), View(labels=labels))

    assert dataset.report.classes == HALVES
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [number % 2 for number in range(COUNT)]
    assert not dataset.report.skipped


def test_the_encoding_is_reported(place: Path):
    text = rows("{name},{shape}", "文件,类别").replace("disc", "圆形").replace("square", "方形")
    write(place, "labels.csv", text, "gbk")

    report = open_dataset(str(place), View(labels="labels.csv")).report
    assert report.classes == {"圆形": 12, "方形": 12}
    assert report.notes == ["labels.csv: it was read in the encoding gbk"]


def test_a_column_must_be_named_where_several_could_be_meant(place: Path):
    write(place, "t.csv", rows("{name},a,{shape}", "file,colour,shape"))

    refused_in_one_line(
        lambda: classes(place, "t.csv"), "--labels t.csv:COLUMN, where COLUMN is one of colour, sh"
    )
    refused_in_one_line(lambda: classes(place, "t.csv:shap"), "no column 'shap'.*mean shape")
    refused_in_one_line(lambda: classes(place, "t.csv:file"), "no column 'file' of labels")
    refused_in_one_line(lambda: classes(place, "t.csv:colour"), "has one class, 'a', for all")
    # only one column has classes, so no person need choose
    assert usual_labels(place) == "t.csv:shape"
    assert classes(place, usual_labels(place)) == HALVES


def test_two_rows_of_one_image_must_agree(place: Path):
    write(place, "t.csv", rows("{name},{shape}") + "0001,square\n")
    assert classes(place, "t.csv") == HALVES

    write(place, "t.csv", rows("{name},{shape}") + "0001,disc\n")
    refused_in_one_line(lambda: classes(place, "t.csv"), "'0001' and '0001.png' are both")


def test_broken_tables_are_one_line(place: Path):
    write(place, "t.csv", '0000.png,"' + "x" * 200_000)
    refused_in_one_line(lambda: classes(place, "t.csv"), r"t\.csv, line 1: cannot be read: field")

    (place / "t.csv").write_bytes(bytes(range(8)) * 9)
    refused_in_one_line(lambda: classes(place, "t.csv"), "t.csv is not text")
    assert usual_labels(place) == "none"


# What are classes


@pytest.mark.parametrize(
    ("template", "kind", "message"),
    [
        ("{name},{n}.37", "numbers", "24 real numbers for 24 images; numbers are no classes"),
        ("{name},{n}", "many", "24 classes for 24 images, too few of each to learn"),
        ("{name},person {n}", "many", "24 classes for 24 images"),
    ],
)
def test_numbers_are_no_classes(place: Path, template: str, kind: str, message: str):
    write(place, "ages.csv", rows(template, "file,age"))

    refused_in_one_line(lambda: classes(place, "ages.csv"), message)
    assert usual_labels(place) == "none"
    with FileSource(place) as source:
        assert [(found.name, found.kind) for found in survey_tables(source)] == [("ages.csv", kind)]
    (note, _) = open_dataset(str(place), View()).report.notes
    assert note.startswith("ages.csv ") and note.endswith("not used")


def test_few_numbers_are_classes_if_asked_for(place: Path):
    text = rows("{name},{shape}").replace("disc", "0.5").replace("square", "1.5")
    write(place, "t.csv", text)

    assert classes(place, "t.csv") == {"0.5": 12, "1.5": 12}
    assert usual_labels(place) == "none"


def test_the_limits():
    assert are_real_numbers({"1", "2.5"}) and are_real_numbers({"1,5"})
    assert not are_real_numbers({"1", "2.0"}) and not are_real_numbers({"1.5", "x"})
    assert not are_real_numbers({"nan", "1.5"})
    assert are_too_many(11, 21) and not are_too_many(11, 22) and not are_too_many(10, 10)


# Several tables


def test_a_partition_is_neither_labels_nor_attributes(place: Path):
    values = "".join(f"{name},{0 if number < 20 else 2}\n" for number, name in enumerate(NAMES))
    write(place, "list_eval_partition.csv", "image_id,partition\n" + values)

    refused_in_one_line(
        lambda: classes(place, "list_eval_partition.csv"), "divides the images into training and"
    )
    refused_in_one_line(
        lambda: open_dataset(f"attributes:{place}", View()), "divides the images into training"
    )
    assert usual_labels(place) == "none"

    write(place, "list_attr.csv", rows("{name},1,-1", "image_id,Round,Blue").replace("1", "1", 1))
    text = "".join(f"{name},{1 - 2 * (n % 2)},{n % 3 // 2}\n" for n, name in enumerate(NAMES))
    write(place, "list_attr.csv", "image_id,Round,Blue\n" + text)
    write(place, "list_bbox.csv", rows("{name},95,{n}", "image_id,x_1,y_1"))
    attributes = open_dataset(f"attributes:{place}", View())
    assert attributes.names["attributes"] == ("Round", "Blue")
    np.testing.assert_array_equal(
        np.asarray(attributes.columns["attributes"])[:, 0], [1 - n % 2 for n in range(20)]
    )
    assert (
        open_dataset(str(place), View())
        .report.notes[0]
        .endswith(f"--data attributes:{place} --labels list_attr.csv")
    )


def test_what_a_partition_is():
    header, one, two = ["image", "partition"], ["a.png", "0"], ["b.png", "2"]
    assert is_partition([header, one, two])
    assert is_partition([one, two], "list_eval_partition.txt")
    assert is_partition([["a.png", "train"], ["b.png", "val"]])

    assert not is_partition([one, two])  # perhaps classes
    assert not is_partition([["file", "label"], one, two])
    assert not is_partition([header, one, ["c.png", "3"]])
    assert not is_partition([header, ["a.png", "0", "1"]])
    assert not is_partition([]) and not is_partition([header])


def test_of_several_tables_of_labels_none_is_taken(place: Path):
    write(place, "a.csv", rows("{name},{shape}"))
    write(place, "b.csv", rows("{name},{shape}").replace("disc", "ring"))

    assert usual_labels(place) == "none"
    assert open_dataset(str(place), View()).report.notes[0] == (
        "several tables could be labels (a.csv, b.csv), which are not used; to train with one of "
        "them, name it: --labels a.csv"
    )


def test_separators():
    def split(text: str) -> list[list[str]]:
        return [row.cells for row in read_table("t", text.encode()).rows()]

    assert split("a.png,red;blue\nb.png,red;green\n") == [
        ["a.png", "red;blue"],
        ["b.png", "red;green"],
    ]
    assert split("a,b.png\tcat\nc.png\tdog\n") == [["a,b.png", "cat"], ["c.png", "dog"]]
    assert split('"a;b.png";"x"\r"c.png";y') == [["a;b.png", "x"], ["c.png", "y"]]
    assert split("2\nRound\na.png 1\n\nb.png  -1\n") == [["a.png", "1"], ["b.png", "-1"]]


def test_captions_may_be_a_table_of_text(place: Path):
    text = rows("{id},{shape} {n}", "id,text") + "0000,another text\n0001,\n0009\n"
    write(place, "metadata.csv", text)
    write(place, "other.csv", rows("{name},{shape}", "file,label"))
    dataset = open_dataset(f"captions:{place}", View())

    captions = np.asarray(dataset.columns["caption"])
    texts = {decode(one) for one in captions[0]}
    assert len(dataset) == COUNT
    assert texts == {"disc 0", "another text"}
    assert dataset.report.skipped[-1].file == "metadata.csv, line 28"
    assert open_dataset(str(place), View()).report.notes[1] == (
        f"metadata.csv is a table of captions, which are not used; "
        f"to train with them: --data captions:{place}"
    )
    (place / "other.csv").unlink()
    assert guess_kind(place) == "captions"

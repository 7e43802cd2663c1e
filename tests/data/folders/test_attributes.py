"""Images with attributes: tables in both layouts, rows found for images, what is left out, and
two sets as one.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import DATA
from PIL import Image
from tiny import refused_in_one_line

from ganvas.data import Dataset, View, open_dataset
from ganvas.data.loader import on_device

VIEW = View(size=8)
NAMES = ("Smiling", "Young")
ROWS = {"0.png": (1, 0), "1.png": (0, 1), "2.png": (1, 1), "3.png": (0, 0)}


def fill(folder: Path, names=tuple(ROWS), side: int = 8, mode: str = "RGB") -> Path:
    """Images all of whose pixels are their number."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, (side, side), 10 * number if mode == "L" else (10 * number,) * 3).save(
            folder / name
        )
    return folder


def celeba(rows=ROWS, names=NAMES) -> str:
    """CelebA's layout, which sets values apart by one blank or two."""
    lines = [
        f"{file} {' '.join(' 1' if value else '-1' for value in values)}"
        for file, values in rows.items()
    ]
    return "\n".join([str(len(rows)), " ".join(names) + " ", *lines]) + "\n"


def table(text: str, folder: Path, name: str = "list_attr.txt") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def attributes(place: object, *names: str, view: View = VIEW, **more) -> Dataset:
    return open_dataset(
        f"attributes:{place}", view.model_copy(update={"attributes": names}), **more
    )


def values(dataset: Dataset) -> list[list[int]]:
    assert dataset.columns["attributes"].dtype == np.uint8
    return dataset.columns["attributes"].tolist()


CSV = "file,Smiling,Young\n0.png,1,0\n1.png,0,1\n2.png,1,1\n3.png,0,0\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list_attr_celeba.txt", celeba()),
        ("attributes.csv", CSV),
        ("attributes.csv", CSV.replace("\n", "\r\n")),
        ("attributes.csv", "\ufeff" + CSV.replace(",", ";") + "\n"),
        ("attributes.txt", CSV.replace(",", "\t")),
        (
            "attributes.csv",
            CSV.replace("0,", "-1,").replace(",0\n", ",-1\n").replace("-1.png", "0.png"),
        ),
        (
            "a.csv",
            'image_id,Smiling,Young\n"0.png",True,False\n./1.png, false ,TRUE\n'
            "2.png,1,true\n3.png,0,FALSE\n",
        ),
    ],
)
def test_both_layouts(name: str, text: str, tmp_path: Path):
    dataset = attributes(table(text, fill(tmp_path), name))
    assert dataset.names == {"attributes": NAMES}
    assert values(dataset) == [list(row) for row in ROWS.values()]
    assert dataset.images[:, 0, 0, 0].tolist() == [0, 10, 20, 30]
    assert dataset.report.classes == {"Smiling": 2, "Young": 2}
    assert not dataset.report.notes
    assert dataset.schema.names == {"attributes": NAMES}
    batch = on_device(dataset.batch(np.array([2, 1])), torch.device("cpu"))
    assert batch["attributes"].dtype == torch.float32
    assert batch["attributes"].tolist() == [[1, 1], [0, 1]]


@pytest.mark.parametrize("ending", ["txt", "csv"])
def test_images_in_folders_are_found_by_path_or_else_by_name(ending: str, tmp_path: Path):
    place = fill(tmp_path / "set", ["img/0.png", "img/more/1.png", "img/2.png", "img/3.png"])
    text = celeba() if ending == "txt" else CSV
    # 0, 2, 3, more/1
    assert values(attributes(table(text, place, f"list.{ending}"))) == [
        [1, 0],
        [1, 1],
        [0, 0],
        [0, 1],
    ]

    twins = fill(tmp_path / "twins", ["a/0.png", "b/0.png"])
    rows = {"b/0.png": (1, 0), "a/0.png": (0, 1)}
    assert values(attributes(table(celeba(rows), twins))) == [[0, 1], [1, 0]]

    table(celeba({"a/0.png": (1, 0), "0.png": (0, 1)}), twins)
    refused_in_one_line(lambda: attributes(twins), "fewer than two of them usable")


def test_what_has_no_partner_is_reported(tmp_path: Path):
    place = table(
        celeba(ROWS | {"9.png": (1, 1), "8.png": (1, 0)}), fill(tmp_path, [*ROWS, "stray.png"])
    )
    dataset = attributes(place)

    assert len(dataset) == 4
    assert [(item.file, item.reason) for item in dataset.report.skipped] == [
        ("stray.png", "has no row in list_attr.txt")
    ]
    assert dataset.report.notes == ["list_attr.txt names 2 files that are not there: 9.png, 8.png"]
    assert (dataset.report.found, dataset.report.used) == (5, 4)
    refused_in_one_line(
        lambda: attributes(place, strict=True), "the first is 'stray.png': has no row"
    )


def test_broken_images_take_their_rows_with_them(tmp_path: Path):
    place = table(celeba(), fill(tmp_path))
    (place / "1.png").write_bytes(b"no image")
    assert values(attributes(place)) == [[1, 0], [1, 1], [0, 0]]


# Which attributes


def test_attributes_are_chosen_in_the_order_asked_for(tmp_path: Path):
    place = table(celeba(), fill(tmp_path))
    both, one = attributes(place, "Young", "Smiling"), attributes(place, "Young")

    assert both.names["attributes"] == ("Young", "Smiling")
    assert values(both) == [[0, 1], [1, 0], [1, 1], [0, 0]]
    assert values(one) == [[0], [1], [1], [0]]
    assert one.report.classes == {"Young": 2}
    assert (
        len(
            {
                dataset.fingerprint
                for dataset in (both, one, attributes(place), attributes(place, *NAMES))
            }
        )
        == 3
    )
    refused_in_one_line(
        lambda: attributes(place, "Yuong"), "no attribute 'Yuong'; did you mean Young?"
    )


def test_constant_attributes_are_left_out_unless_asked_for(tmp_path: Path):
    rows = {file: (*row, 0, 1) for file, row in ROWS.items()}
    place = table(celeba(rows, (*NAMES, "Human", "Drawn")), fill(tmp_path))
    dataset = attributes(place)

    assert dataset.names["attributes"] == NAMES
    assert dataset.report.notes == [
        "attributes that are the same for all images are left out: Human, Drawn"
    ]

    asked = attributes(place, "Human", "Young")
    assert asked.report.classes == {"Human": 0, "Young": 2}
    assert asked.report.notes == [
        "attributes that are the same for all images are kept since they are asked for: Human"
    ]

    table(celeba(dict.fromkeys(ROWS, (1, 0))), place)
    refused_in_one_line(
        lambda: attributes(place),
        r"every attribute \(Smiling, Young\) is the same for all images",
    )


# Which table


def test_a_table_among_other_files(tmp_path: Path):
    place = table(celeba(), fill(tmp_path))
    table("Free to use.\nNo warranty.\n", place, "licence.txt")
    table("2\nx_1 y_1\n0.png 95 226\n1.png 72 94\n", place, "list_bbox.txt")
    table("0.png 2880\n1.png 2937\n", place, "identity.txt")

    assert values(attributes(place)) == [list(row) for row in ROWS.values()]

    table(CSV, place, "other.csv")
    message = "several tables .*: list_attr.txt, other.csv; name one with --labels list_attr.txt"
    refused_in_one_line(lambda: attributes(place), message)
    assert values(attributes(place, view=View(size=8, labels="other.csv"))) == [
        list(row) for row in ROWS.values()
    ]

    away = table(
        celeba({file: row[::-1] for file, row in ROWS.items()}),
        tmp_path.parent,
        f"{tmp_path.name}.txt",
    )
    chosen = attributes(place, view=View(size=8, labels=str(away / f"{tmp_path.name}.txt")))

    assert values(chosen) == [list(row[::-1]) for row in ROWS.values()]
    refused_in_one_line(
        lambda: attributes(place, view=View(size=8, labels="no.csv")),
        "'no.csv': no such file, neither in",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "list_attr.txt begins with ''; a table of attributes is a count, a line of names"),
        ("just words\n", "begins with 'just words'; a table"),
        ("file\n0.png\n", "begins with 'file'"),
        (celeba().replace("Young", "Smiling"), "has the attribute 'Smiling' twice"),
        (celeba().replace("1.png -1", "1.png 2"), "line 4: '2' is none of 1, 0, -1, true, false"),
        (celeba().replace("1.png -1", "1.png"), "line 4: 1 value for 2 attributes: '1.png  1'"),
        (CSV.replace("1.png,0", "1.png,0,0"), "line 3: 3 values for 2 attributes"),
        (celeba({}), "has no rows"),
        (celeba() + "1.png 1 1\n", "'1.png' has two rows that differ"),
        (
            celeba({"x.jpg": (1, 0)}),
            "names none of the images in .*: it begins with 'x.jpg', they with '0.png'",
        ),
    ],
)
def test_tables_that_are_none(text: str, message: str, tmp_path: Path):
    place = table(text, fill(tmp_path))
    refused_in_one_line(lambda: attributes(place), message)


def test_no_table_and_no_text(tmp_path: Path):
    place = fill(tmp_path)
    refused_in_one_line(
        lambda: attributes(place), "no table of attributes: it has no .txt or .csv file"
    )

    table("Free.\n", place, "a.txt"), table("Hello.\n", place, "b.txt")
    refused_in_one_line(
        lambda: attributes(place), "none of a.txt, b.txt is one; a table is a count"
    )

    (place / "a.txt").write_bytes(b"\x7fELF\x02\x01\x01")
    (place / "b.txt").unlink()
    refused_in_one_line(lambda: attributes(place), "a.txt is not text; a table is a text file")
    refused_in_one_line(
        lambda: open_dataset(f"attributes-test:{place}", VIEW), "no folder test; .* in one place"
    )


# Two sets


def test_two_sets_that_know_different_attributes(tmp_path: Path):
    one = table(celeba(), fill(tmp_path / "one"))
    rows = {"x.png": (1, 0), "y.png": (0, 1), "z.png": (0, 0)}
    other = table(
        celeba(rows, ("Young", "Angry")),
        fill(tmp_path / "other", tuple(rows), mode="L"),
        "table.txt",
    )
    dataset = attributes(f"{one},{other}")

    assert dataset.names == dict.fromkeys(("attributes", "known"), ("Smiling", "Young", "Angry"))
    assert values(dataset) == [
        [1, 0, 0],
        [0, 1, 0],
        [1, 1, 0],
        [0, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 0],
    ]
    assert dataset.columns["known"].tolist() == [[1, 1, 0]] * 4 + [[0, 1, 1]] * 3
    assert dataset.images.shape == (7, 3, 8, 8)
    assert dataset.images[:, 2, 0, 0].tolist() == [0, 10, 20, 30, 0, 10, 20]
    assert dataset.report.classes == {"Smiling": 2, "Young": 3, "Angry": 1}

    grey = "set 2: 3 images grey: repeated to RGB"
    assert (dataset.report.used, dataset.report.steps) == (
        7,
        ["set 1: 4 images", "set 2: 3 images", grey],
    )

    chosen = attributes(f"{one},{other}", "Angry", "Smiling")
    assert chosen.columns["known"].tolist() == [[0, 1]] * 4 + [[1, 0]] * 3

    batch = on_device(chosen.batch(np.array([0])), torch.device("cpu"))
    assert batch["known"].dtype == torch.float32


def test_two_sets_with_the_same_attributes_are_one(tmp_path: Path):
    places = [table(celeba(), fill(tmp_path / name)) for name in ("one", "other")]
    dataset = attributes(f"{places[0]},{places[1]}")
    assert len(dataset) == 8
    assert dataset.names == {"attributes": NAMES}
    assert "known" not in dataset.columns


def test_constant_means_among_the_images_of_which_it_is_known(tmp_path: Path):
    one = table(celeba({file: (row[0], 1) for file, row in ROWS.items()}), fill(tmp_path / "one"))
    other = table(celeba(ROWS, ("Bald", "Angry")), fill(tmp_path / "other"))
    dataset = attributes(f"{one},{other}")
    assert dataset.names["attributes"] == ("Smiling", "Bald", "Angry")
    assert dataset.report.notes == [
        "attributes that are the same for all images are left out: Young"
    ]


def test_two_sets_of_different_sizes_need_one(tmp_path: Path):
    one, other = (table(celeba(), fill(tmp_path / str(side), side=side)) for side in (8, 12))
    refused_in_one_line(
        lambda: attributes(f"{one},{other}", view=View()), "8x8 and .*12x12; .* --size 8"
    )
    assert attributes(f"{one},{other}", view=View(size=8)).images.shape == (8, 3, 8, 8)


# Real ones


def test_real_cartoon_faces():
    place = DATA / "cartoon-faces" / "cartoon-faces.zip"
    if not place.is_file():
        pytest.skip(f"needs {place}")
    dataset = attributes(place, view=View(size=16))
    assert len(dataset) > 2000
    assert "Human" not in dataset.names["attributes"]
    assert {"Blond_Hair", "Eyeglasses", "Young"} <= set(dataset.names["attributes"])
    assert not dataset.report.skipped
    assert all(0 < count < len(dataset) for count in dataset.report.classes.values())

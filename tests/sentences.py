"""Sentences of the engine that the page must know in every language: reasons and findings."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipInfo

from checkups import CLASSES, FAULTS, checkup
from PIL import Image
from tiny import make_gan

from ganvas.data import open_dataset
from ganvas.data.degradations import WAYS
from ganvas.data.fates import Fate, ImageTraits
from ganvas.data.folders.notes import describe_fates, describe_parts
from ganvas.data.folders.sizes import SizeSurvey
from ganvas.data.folders.steps import describe_steps
from ganvas.data.folders.value_notes import describe_values
from ganvas.data.folders.values import ColumnLook
from ganvas.data.folders.zip_names import read_zip_names
from ganvas.data.hints import LOOKS
from ganvas.data.view import View
from ganvas.evaluation.unconditional import FEW_COPIES, FEW_NEIGHBOURS, HOLD_OUT
from ganvas.gans import GAN, GANS
from ganvas.inference.blur_test import NO_TEST, BlurTest
from ganvas.inference.damage import describe_projection
from ganvas.inference.inversion import SearchSettings
from ganvas.inference.originals import EDGES_DRAWN, describe_pair
from ganvas.inference.scaling import Scaling, describe_scalings
from ganvas.inference.translate import TranslateTask
from ganvas.io.console import describe_duration, describe_rate
from ganvas.io.headers import Header
from ganvas.io.values import Reading, ValueRange
from ganvas.recipes.auto_from import decide_from
from ganvas.recipes.catalogue import CATALOGUE
from ganvas.recipes.choices import decide_settings
from ganvas.recipes.enough import list_savings
from ganvas.recipes.facts import DataFacts, Machine
from ganvas.recipes.length import OFTENER, PROPORTIONAL, RARER, WHOLE, change_length
from ganvas.recipes.recipe import REQUESTED
from ganvas.recipes.registry import get_recipe
from ganvas.recipes.sides import Framing, choose_framing
from ganvas.recipes.special import KIND_NAMES
from ganvas.runs.checkups import LONG, WINDOW
from ganvas.runs.diagnosis import Diagnosis
from ganvas.runs.instructions import name_use
from ganvas.runs.rules import diagnose
from ganvas.runs.verdict import Schedule

__all__ = ["find_sentences", "find_settings"]

# What a data report says of tables, classes and arrays.
TABLES = (
    "this data seems to have labels, which are not used; to train with them, add --labels a.csv",
    "several tables could be labels (a.csv, b.csv), which are not used; to train with one of them, "
    "name it: --labels a.csv",
    "several columns could be labels (细, 粗), which are not used; to train with one of them, "
    "name it: --labels 细",
    "3 sub-folders hold images (猫, 狗, 鸟); to train with them as classes: --labels folders",
    "list.csv is a table of attributes, which are not used; to train with them: "
    "--data attributes:人脸 --labels list.csv",
    "t.csv is a table of captions, which are not used; to train with them: --data captions:人脸",
    "t.csv has several columns that could be labels (颜色, 形状), which are not used; "
    "to train with one of them: --labels t.csv:COLUMN",
    "ages.csv holds numbers, which no GAN here takes; they are not used",
    "t.csv says something else of each image, so it holds no classes; it is not used",
    "labels are the column '类别' of labels.csv",
    "labels.csv: it was read in the encoding gbk",
    "t.csv: it is not UTF-8 and was read as Latin-1 (cp1252); check names with accents",
    "t.csv names 2 files that are not there: a.png, b.png",
    "t.csv names 1 file that is not there: a.png",
    "other files are ignored: .csv (4)",
    "not used by the GAN sngan: 2 attributes (圆, 蓝)",
    "not used by the GAN dcgan: 1 class (猫)",
    "not used by the GAN dcgan: 10 classes (0, 1, 2, 3, 4, ...)",
    "not used by the GAN dcgan: 3 key points (喙, 眼)",
    "not used by the GAN dcgan: captions",
    "not used by the GAN dcgan: boxes",
    "other arrays are not used: val_images",
    "1 file is not trained on, since of other splits: test-00000-of-00001.parquet",
    "2 files are not trained on, since of other splits: test-0.parquet, test-1.parquet",
    "values from 0 to 1 became 0 to 255",
    "values from -1 to 1 became 0 to 255",
    "values from 0 to 4095 became 0 to 255",
    "False and True became 0 and 255",
    "values of the type int64 were rounded to bytes, 0 to 255",
    "rows and columns exchanged",
    "the names of the classes are those of classes.txt",
)

MACHINES = (Machine("cpu", 2**34), Machine("cuda", 2**31), Machine("cuda", 80 * 2**30))
FACES = DataFacts(View(size=64, channels=3), "image", Framing(64, "crop", 64), 10_000, 0, True)
DATA = (
    FACES,
    replace(FACES, images=1),
    replace(FACES, images=300, classes=3, symmetric=False),
    replace(FACES, view=View(size=28, channels=1, labels="folders"), images=60_000, classes=10),
    replace(FACES, view=View(size=96, channels=3), framing=Framing(96, "crop", 400)),
    *(replace(FACES, kind=kind, images=count) for kind in KIND_NAMES for count in (9, 10_000)),
    replace(FACES, kind="pairs", degradation="small4x"),
)
# Sizes of images by how many there are of each, and the share of them that is transparent.
SIZES: tuple[tuple[dict[tuple[int, int], int], float], ...] = (
    ({(68, 56): 20, (40, 40): 20, (30, 30): 20}, 1.0),
    ({(68, 56): 20, (64, 64): 20, (30, 30): 1}, 1.0),
    ({(500, 375): 40, (375, 500): 40}, 0.0),
    ({(500, 100): 40, (100, 100): 40}, 0.0),
    ({(64, 64): 99, (20, 20): 1}, 0.0),
    ({(64, 64): 970, (20, 20): 30}, 0.0),
    ({(64, 64): 60, (20, 20): 40}, 0.0),
    ({(64, 64): 88, (40, 40): 12}, 0.0),
)
# Notes of an evaluation.
NOTES = (
    FEW_NEIGHBOURS,
    FEW_COPIES,
    HOLD_OUT,
    "of a set with fewer than 10,000 images all are used",
    *(
        f"with fewer than 10,000 samples or real images {one} is too high; look at {other}"
        for one, other in (("fid", "kid"), ("fd_lite0", "kd_lite0"), ("fd", "kd"))
    ),
)


def find_sentences() -> set[str]:
    """Every sentence that reasons of `auto` and findings of the doctor can be, with some values."""
    return {
        *_find_reasons(),
        *_find_findings(),
        *_find_notes(),
        *_find_part_notes(),
        *_find_verdicts(),
        *_find_comparisons(),
        *_find_likeness(),
        *_find_meanings(),
        *_find_lines(),
        *(f"side a: {way.words.format(2)}" for way in WAYS.values()),
        *NOTES,
        *TABLES,
        *map(name_use, _list_gans()),
    }


def find_settings() -> set[str]:
    """The keys of every setting that can have a reason of its own."""
    keys = {"stop_below"}
    for facts, machine in product(DATA, MACHINES):
        keys |= decide_settings(facts, machine).reasons.keys()
    for facts, name in product(DATA, CATALOGUE):
        keys |= decide_from(get_recipe(name), facts, {}).reasons.keys()
    for name in CATALOGUE:
        recipe = get_recipe(name)
        keys |= change_length(recipe, recipe.images // 10, "why").reasons.keys()
    return {key for key in keys if not key.startswith("optimizers.")}


def _list_gans() -> Iterator[GAN]:
    """One of each kind, small."""
    yield from map(make_gan, GANS)


def _find_meanings() -> Iterator[str]:
    """What reports say of the values in files."""
    every = ValueRange(0, 20, every=True)
    deep = ValueRange(0, 4095)
    five = Header("L+4", 5, False)
    fate = Fate("1.png", "", 8, 8, "RGB")
    cases = [
        (Reading(categories=("0", "7")), five, fate, 3),
        (Reading(), five, fate, 1),
        (Reading(), five, fate, 3),
        (Reading(), five, fate, 5),
        (Reading(alpha=True), Header("RGBA", 4, True), fate, 4),
        (Reading(alpha=True), Header("RGBA", 4, True), fate._replace(transparent=True), 4),
        (Reading(ignore_alpha=True), Header("RGBA", 4, False), fate, 4),
        (Reading(), five, fate._replace(mode="L", dark=0, light=2), 1),
        (Reading(), five, fate._replace(dark=7, light=7), 3),
        (every, five, fate._replace(low=0.0, high=40.0), 3),
        (deep, five, fate._replace(mode="I;16", low=0.0, high=4000.0), 1),
        (deep, five, fate, 1),
    ]
    for found, header, one, channels in cases:
        reading = found if isinstance(found, Reading) else Reading(found)
        look = ColumnLook("image", reading, Counter([header]), True, True)
        view = View(size=8, channels=channels)
        steps, notes = describe_values(look, [one], view)
        yield from steps + notes + describe_steps(Counter([one.traits]), view, reading)
    yield "a: 24 images of labels: a plane for each of 3 categories (0, 1, 2)"


def _find_lines() -> Iterator[str]:
    """Lines on images that were translated, or have no hole."""
    for seen in ((16, 32), (128, 256)):
        one, other = Scaling((60, 120), seen), Scaling((30, 60), (15, 30))
        for advice in (TranslateTask(size=16), TranslateTask()):
            for name in ("pix2pix", "cyclegan"):
                yield from describe_scalings([one], advice.advise(make_gan(name)))
        yield from describe_scalings([one, one, other], "train with --size 256 for more")
    yield from describe_scalings([Scaling((9, 9), (16, 16)), Scaling((8, 8), (16, 16))], "")
    yield from (describe_pair("left"), describe_pair("right"), EDGES_DRAWN)
    for count in (1, 4):
        yield describe_projection(SearchSettings(count, 300 // count), 75)


def _find_reasons() -> Iterator[str]:
    framings = [
        choose_framing(SizeSurvey({"set": Counter(sizes)}, clear), device, "image", None)
        for sizes, clear in SIZES
        for device in ("cpu", "cuda")
    ]
    framed = [
        replace(
            FACES,
            framing=framing,
            view=FACES.view.model_copy(update={"size": framing.side, "fit": framing.fit}),
        )
        for framing in framings
    ]
    for facts, machine in product([*DATA, *framed], MACHINES):
        yield from decide_settings(facts, machine).reasons.values()

    for facts, name in product(DATA, CATALOGUE):
        yield from decide_from(get_recipe(name), facts, {}).reasons.values()

    times = [describe_duration(seconds) for seconds in (1, 60, 600, 9_000, 300_000)]
    for words in (*times, "the time until 18:30"):
        for saving in list_savings(get_recipe("avatars-fast"), (), words):
            yield from (reason for _, reason in saving.fitted.values())
        yield f"As many as fit into {words}. {describe_rate(1012)} were measured here."
    yield from (REQUESTED, PROPORTIONAL, RARER, OFTENER, WHOLE)


def _find_notes() -> Iterator[str]:
    """Notes on how the files of a set lie, from sets of a few images."""
    layouts = {
        "": ("train/up/1", "train/down/2", "test/down/3", "test/side/4", "extra/5"),
        "pairs:": ("images/1", "images/2", "masks/1_mask", "masks/2_mask"),
        "pairs-all:": ("train/1_A", "train/1_B", "test/2_A", "test/2_B"),
        "unpaired-test:": ("testA/1", "testA/2", "testB/3", "testB/4", "trainA/5"),
    }
    for prefix, names in layouts.items():
        with TemporaryDirectory() as folder:
            place = Path(folder, "above", "set")
            for number, name in enumerate((*names, "../far/6", "../../out/7")):
                path = place / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (8, 8), number).save(path)
            (place / "notes.txt").write_text("")
            (place / "link").symlink_to("../far")
            for labels in ("none", "folders")[: 1 if prefix else 2]:
                yield from open_dataset(f"{prefix}{place}", View(labels=labels)).report.notes
            (place / "out").symlink_to("../../out")
            followed = open_dataset(f"{prefix}{place}", View(follow_links=True)).report.notes
            yield from (note.replace(folder, "/x") for note in followed)

    info = ZipInfo()
    info.orig_filename = "圆形.png".encode("gbk").decode("cp437")
    yield from read_zip_names([info])[1]
    yield from (f"these look like {look}; to use them so: --data x" for look in LOOKS.values())


def _find_part_notes() -> Iterator[str]:
    """What the data report says of frames, tiles, and images that are too small."""
    view = View(size=64, channels=3)
    for count in (1, 9):
        small = [(Fate("1.gif", "", 40, 50, "P", frames=30),)] * count
        yield from describe_fates([*small, (Fate("2.png", "", 64, 64, "RGB"),)], view)
        tiny = [(Fate("1.png", "5x5 is less than an eighth of 64x64", 5, 5, "L"),)] * (count + 9)
        yield from describe_fates(tiny, view)
        yield from describe_fates([(Fate("1.png", "12", remarks=("7",)),)] * count, view)
        frames = [(Fate(f"{n}.gif", "", 64, 64, frames=2),) for n in range(count)]
        yield from describe_parts([*frames, *frames])
        tiles = view.model_copy(update={"fit": "tiles"})
        yield from describe_steps(
            Counter({ImageTraits(40, 90, "RGB"): count}), tiles, rows=9 * count
        )


def _find_findings() -> Iterator[str]:
    many = {f"c{number}": 0.02 for number in range(12)}  # more than are named
    faults = [
        *FAULTS.values(),
        *({"classes": CLASSES | missing} for missing in ({"dog": 0.0}, many)),
    ]
    for changes in faults:
        for finding in diagnose([checkup(number, **changes) for number in range(LONG)]):
            yield from (finding.title, finding.evidence, finding.action)


def _find_verdicts() -> Iterator[str]:
    """How a run is: with and without a schedule, from the first checkup on."""
    ahead = {"separation": 0.99, "score_gap": 9.5}
    learning = [{"distance": 4 * 0.97**n, "diversity": 0.3 * 1.02**n} for n in range(LONG)]
    absent = {"classes": CLASSES | {"dog": 0.0}}
    requested = {"agreement": {"cat": 0.9, "dog": 0.0, "owl": 0.0}}
    for changes in ({}, ahead, absent, absent | {"owl": 0.0}, requested):
        for schedule in (Schedule(), Schedule(1_000, 3_000), Schedule(1_000, 50_000)):
            diagnosis = Diagnosis(schedule=schedule)
            for number in range(LONG):
                verdict = diagnosis.verdict
                yield from (verdict.state, *verdict.sentences)
                diagnosis.add(checkup(number, **changes, **(learning[number] if changes else {})))
    for quantity in ("distance", "diversity"):
        series = [
            checkup(number, **ahead, **{quantity: learning[number][quantity]})
            for number in range(LONG)
        ]
        yield from Diagnosis(series).verdict.sentences


def _find_likeness() -> Iterator[str]:
    """Samples that are alike, and get more varied or not yet."""
    for count in (WINDOW, LONG):
        alike = [checkup(number, diversity=0.05 * 1.05**number) for number in range(count)]
        verdict = Diagnosis(alike).verdict
        yield from (verdict.state, *verdict.sentences)


def _find_comparisons() -> Iterator[str]:
    """Whether the search for a filling beat a blur."""
    for values in ((9.0, 10.0, 5.0, 0.1), (30.0, 10.0, 20.0, 0.1), (30.0, 10.0, 5.0, 0.5)):
        yield from BlurTest(*values).describe()
    yield from BlurTest(30.0, 10.0, 5.0, 0.1).describe()
    yield NO_TEST

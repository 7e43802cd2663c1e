"""The ready-made generators that come with ganvas: `zoo:NAME` wherever a run is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ganvas.errors import UserError, nearest
from ganvas.io.reading import read_text
from ganvas.runs.places import ZOO_FOLDER, find_place

__all__ = ["ZOO", "Generator", "find_generator", "find_licence"]


@dataclass(frozen=True)
class Generator:
    """A generator that comes with ganvas.

    Attributes:
        name: by which commands and functions take it: "zoo:mnist".
        shows: what its images show.
        images: side in pixels and colours: "28 grey".
        data: name of what it has learned from.
        licence: under which it may be used, as the Hugging Face Hub calls licences.
        example: a command that uses it.
        terms: whose data it was trained on, and what that asks for, as Markdown.
    """

    name: str
    shows: str
    images: str
    data: str
    licence: str
    example: str
    terms: str

    @property
    def folder(self) -> Path:
        """Where its files are: a run folder, which is not written to."""
        return find_place(self.name).folder

    @property
    def megabytes(self) -> float:
        """Size of its files in megabytes."""
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file()) / 1e6

    @property
    def card(self) -> str:
        """What it is, how good it is, how it was trained, and its licence, as Markdown."""
        return read_text(self.folder / "README.md")


CARTOON_TERMS = """\
Trained on 2,565 images of the Google Cartoon Set (<https://google.github.io/cartoonset/>; Amélie
Royer, Konstantinos Bousmalis, Stephan Gouws, Fred Bertsch, Inbar Mosseri, Forrester Cole, Kevin
Murphy: "XGAN: Unsupervised Image-to-Image Translation for Many-to-Many Mappings", 2017), which
Google LLC licenses under [Creative Commons Attribution 4.0](https://creativecommons.org/licenses/by/4.0/).
The images were shrunk to 64x64 pixels. The generator is given under the same licence: name the
Google Cartoon Set where you show its images. None of its authors endorses it."""

EMOJI_TERMS = """\
Trained on 1,660 images of Noto Emoji (<https://github.com/googlefonts/noto-emoji>, by Google LLC
and others), whose tools and most image resources are under the Apache License 2.0, which is in the
file `LICENSE` beside this one. The images were put on white and shrunk to 64x64 pixels. The
generator is given under the same licence."""

FASHION_TERMS = """\
Trained on Fashion-MNIST (<https://github.com/zalandoresearch/fashion-mnist>; Han Xiao, Kashif
Rasul, Roland Vollgraf: "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
Algorithms", 2017), copyright 2017 Zalando SE, under the MIT licence, which is in the file `LICENSE`
beside this one. The generator is given under the same licence."""

MNIST_TERMS = """\
Trained on MNIST (Yann LeCun, Corinna Cortes, Chris Burges: "Gradient-Based Learning Applied to
Document Recognition", Proceedings of the IEEE, 1998), made from the Special Databases 1 and 3 of
the American institute NIST. No licence text of its authors is known to us; it is commonly said to
be under [Creative Commons Attribution-ShareAlike 3.0](https://creativecommons.org/licenses/by-sa/3.0/).
The generator is given under that licence: name MNIST where you show its images, and give what you
make of the generator under the same licence."""

ZOO: Mapping[str, Generator] = MappingProxyType(
    {
        each.name.removeprefix("zoo:"): each
        for each in (
            Generator(
                "zoo:mnist",
                "handwritten digits by class",
                "28 grey",
                "MNIST",
                "cc-by-sa-3.0",
                "ganvas sample zoo:mnist --label 7",
                MNIST_TERMS,
            ),
            Generator(
                "zoo:fashion",
                "clothes and shoes by class",
                "28 grey",
                "Fashion-MNIST",
                "mit",
                "ganvas sample zoo:fashion --label sneaker",
                FASHION_TERMS,
            ),
            Generator(
                "zoo:cartoon-faces",
                "faces of cartoon characters",
                "64 rgb",
                "the Google Cartoon Set",
                "cc-by-4.0",
                "ganvas sample zoo:cartoon-faces --interpolate faces.webp",
                CARTOON_TERMS,
            ),
            Generator(
                "zoo:emoji",
                "shapes like emoji",
                "64 rgb",
                "Noto Emoji",
                "apache-2.0",
                "ganvas train auto --from zoo:emoji --data ./icons",
                EMOJI_TERMS,
            ),
        )
    }
)


def find_generator(name: str) -> Generator:
    """A generator by its name, with or without the "zoo:" before it.

    Raises:
        UserError: no generator has that name.
    """
    short = name.removeprefix("zoo:")
    if short not in ZOO:
        raise UserError(f"there is no zoo:{short}; {nearest(short, [*ZOO])}")
    return ZOO[short]


def find_licence(folder: Path) -> str | None:
    """The licence of the run in a folder, as the Hugging Face Hub calls it; None: not known."""
    generator = ZOO.get(folder.name) if folder.resolve().parent == ZOO_FOLDER.resolve() else None
    return generator.licence if generator else None

"""List and read the files of an uncompressed tar where they lie in it. Nothing is unpacked."""

import mmap
from pathlib import Path

from ganvas.data.folders.listing import Entry, Listing, show_name
from ganvas.errors import UserError
from ganvas.io.reading import check_regular
from ganvas.io.tars import TarError, list_tar

__all__ = ["COMPRESSED", "TarFile", "is_compressed_tar"]

COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")


def is_compressed_tar(place: Path) -> bool:
    """Whether a file is a compressed tar, by its name."""
    return place.name.lower().endswith(COMPRESSED)


class TarFile:
    """An uncompressed tar, open for reading from several threads at once.

    Raises:
        UserError: it is not a tar, compressed, or damaged.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            self.mark = check_regular(place).st_mtime_ns
            with place.open("rb") as file:
                self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # an empty file cannot be mapped
            raise UserError(f"{place} is not a tar that can be read: {error}") from error

    def list(self) -> Listing:
        """All files, by one look at their headers.

        Raises:
            UserError: the tar is damaged.
        """
        entries = []
        try:
            with self.place.open("rb") as file:
                for member in list_tar(file, len(self.bytes)):
                    name = show_name(member.name.replace("\\", "/").removeprefix("./"))
                    entries.append(Entry(name, member.size, self.mark, member.start))
        except (TarError, OSError) as error:
            self.close()
            raise UserError(
                f"{self.place} is not an uncompressed tar that can be read: {error}; "
                "write or download it again, or unpack it"
            ) from error
        return Listing(entries, [], [])

    def read(self, entry: Entry) -> bytes:
        """The bytes of a file."""
        assert isinstance(entry.where, int)
        return self.bytes[entry.where : entry.where + entry.size]

    def close(self) -> None:
        """Close the file."""
        self.bytes.close()

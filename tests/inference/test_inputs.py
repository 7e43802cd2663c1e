"""Images of the user that the system does not give."""

from pathlib import Path

import pytest

from ganvas.errors import UserError
from ganvas.inference.inputs import InputFiles
from ganvas.inference.task import use_inputs


def test_a_file_that_cannot_be_read_is_named_without_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "photo.png").write_bytes(b"")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied", "/secret/photo.png")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    inputs = InputFiles((tmp_path / "photo.png",))
    with pytest.raises(UserError, match=r"^photo: Permission denied$"):
        list(use_inputs(inputs, lambda name, content: pytest.fail("nothing was read")))

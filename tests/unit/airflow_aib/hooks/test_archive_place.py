from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.archive_place import ObjectStoragePlace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


async def pieces(*contents: bytes, fails: bool = False) -> AsyncIterator[bytes]:
    """Give pieces, and perhaps break off."""
    for content in contents:
        yield content
    if fails:
        raise OSError("reset")


async def test_what_could_not_be_written_whole_replaces_nothing(tmp_path: Path) -> None:
    """A log that breaks off on its way leaves the archive that is there, and nothing beside it."""
    place = ObjectStoragePlace(f"file://{tmp_path}/logs")
    await place.write("base/customization.log.gz", pieces(b"good", b" log"), {})

    with pytest.raises(OSError, match="reset"):
        await place.write("base/customization.log.gz", pieces(b"half", fails=True), {})

    (file,) = (tmp_path / "logs" / "base").iterdir()
    assert (file.name, file.read_bytes()) == ("customization.log.gz", b"good log")


async def test_a_file_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    """A small file is written like a large one, and nothing is left beside either."""
    place = ObjectStoragePlace(f"file://{tmp_path}/logs")
    await place.write("index.json", pieces(b"old"), {})

    assert await place.replace_small("index.json", b"new", instead_of=None)

    (file,) = (tmp_path / "logs").iterdir()
    assert (file.name, file.read_bytes()) == ("index.json", b"new")


async def test_what_a_librarys_error_quotes_is_masked(tmp_path: Path) -> None:
    """A signature in the words of a library is neither in the error nor in what Airflow logs as its cause."""
    secret = "c2VjcmV0c2lnbmF0dXJl"
    (tmp_path / "taken").write_text("a file, so that nothing can be written below it")
    place = ObjectStoragePlace(f"file://{tmp_path}/taken/b?sv=2024-11-04&sig={secret}")

    with pytest.raises(ArmRequestError, match="Could not write ") as caught:
        await place.write("base/log", pieces(b"log"), {})

    assert secret not in "".join(traceback.format_exception(caught.value))

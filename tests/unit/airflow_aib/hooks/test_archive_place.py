from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

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

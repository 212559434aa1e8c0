from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import BlobFile
from airflow_aib.hooks.errors import is_transient
from airflow_aib.hooks.storage_address import BlobAddress
from airflow_aib.vhd.page_ranges import PageRange

if TYPE_CHECKING:
    from airflow_aib.hooks.storage_access import StorageAccess

BLOB = BlobFile(cast("StorageAccess", None), BlobAddress("https://account.example", "logs", "one.log"))
PART = PageRange(100, 4096)
CONTENT = b"four"
MD5 = b64encode(hashlib.md5(CONTENT, usedforsecurity=False).digest()).decode()
HEADERS = {"Content-Range": "bytes 100-103/104", "Content-MD5": MD5}


@pytest.mark.parametrize("headers", [HEADERS, {"Content-MD5": MD5}, {"Content-Range": "bytes 100-103/104"}, {}])
async def test_what_came_whole_is_taken(headers: dict[str, str]) -> None:
    """A part near the end is shorter than what was asked for; storage need not tell its checksum."""
    await BLOB._check(PART, CONTENT, headers)


@pytest.mark.parametrize(
    ("content", "words"), [(b"fou", "3 of 4 bytes came"), (b"fours", "5 of 4 bytes"), (b"fore", "another checksum")]
)
async def test_what_was_spoilt_on_its_way_is_not_taken(content: bytes, words: str) -> None:
    """Neither another length nor another content passes; the next try may be good."""
    with pytest.raises(ArmRequestError, match=words) as caught:
        await BLOB._check(PART, content, HEADERS)
    assert is_transient(caught.value)

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import TYPE_CHECKING, Self, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import BlobFile, BlobPart
from airflow_aib.hooks.errors import is_transient
from airflow_aib.hooks.storage_address import BlobAddress
from airflow_aib.vhd.page_ranges import PageRange
from tests.fakes import START

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
    ("content", "told", "words"),
    [
        (b"fou", HEADERS, "3 of 4 bytes came"),
        (b"fours", HEADERS, "5 of 4 bytes"),
        (b"fore", HEADERS, "another checksum"),
        (b"fou", {"Content-Range": HEADERS["Content-Range"]}, "3 of 4 bytes came"),
        (b"fore", {"Content-MD5": MD5}, "another checksum"),
        (b"fou", {"Content-MD5": MD5}, "another checksum"),
    ],
)
async def test_what_was_spoilt_on_its_way_is_not_taken(content: bytes, told: dict[str, str], words: str) -> None:
    """Neither another length nor another content passes, whichever the answer tells; the next try may be good."""
    with pytest.raises(ArmRequestError, match=words) as caught:
        await BLOB._check(PART, content, told)
    assert is_transient(caught.value)


class Answer:
    """Be the answer to reading a part.

    :param status_code: what became of it
    :param headers: what it says of the blob
    """

    def __init__(self, status_code: int, headers: dict[str, str]) -> None:
        self.status_code = status_code
        self.headers = headers

    async def __aenter__(self) -> Self:
        """Open it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""

    async def read(self) -> bytes:
        """Give its body."""
        return CONTENT


@pytest.mark.parametrize(
    ("status", "headers", "part"),
    [
        (
            206,
            {**HEADERS, "ETag": '"1"', "x-ms-creation-time": "Mon, 05 Jan 2026 03:00:00 GMT"},
            BlobPart(CONTENT, 104, '"1"', START),
        ),
        (416, {"Content-Range": "bytes */90"}, BlobPart(b"", 90)),
        (206, {"x-ms-creation-time": "soon"}, BlobPart(CONTENT)),
    ],
)
async def test_an_answer_says_what_blob_it_is_of(
    status: int, headers: dict[str, str], part: BlobPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the bytes come length, version and creation of the blob, as far as storage tells them."""
    blob = BlobFile(cast("StorageAccess", None), BLOB.address)

    async def open_range(*_: object, **__: object) -> Answer:
        return Answer(status, headers)

    monkeypatch.setattr(blob, "open_range", open_range)

    assert await blob._get_range(100, 4, None) == part

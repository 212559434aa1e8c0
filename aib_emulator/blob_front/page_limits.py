"""The sizes that a page blob and a write to it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aib_emulator.blob_front.errors import StorageError
from aib_emulator.blob_front.page_ranges import read_range

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.blob_front.target import Target

PAGE = 512
LARGEST_PAGE_BLOB = 8 * 1024**4
LONGEST_WRITE = 4 * 1024 * 1024
HIGHEST_SEQUENCE_NUMBER = 2**63 - 1


def check_page_request(method: str, target: Target, headers: Mapping[str, str]) -> None:
    """Refuse a size, a range or a sequence number that no page blob has; other requests pass.

    :param headers: of the request, looked up in any casing.
    """
    if method != "PUT":
        return
    comp = target.query.get("comp")
    if comp == "page":
        _check_write(headers)
    elif comp == "properties" or (comp is None and headers.get("x-ms-blob-type") == "PageBlob"):
        _check_number(headers, "x-ms-blob-content-length", LARGEST_PAGE_BLOB, step=PAGE)
        _check_number(headers, "x-ms-blob-sequence-number", HIGHEST_SEQUENCE_NUMBER)


def _check_number(headers: Mapping[str, str], name: str, most: int, *, step: int = 1) -> None:
    value = headers.get(name)
    if value is None:
        return
    if not (value.isascii() and value.isdigit() and int(value) <= most and int(value) % step == 0):
        message = f"The value for one of the HTTP headers is not in the correct format: {name}."
        raise StorageError(400, "InvalidHeaderValue", message)


def _check_write(headers: Mapping[str, str]) -> None:
    pages = read_range(headers.get("x-ms-range") or headers.get("Range"))
    if pages is None or pages.offset % PAGE or pages.length % PAGE:
        raise StorageError(416, "InvalidPageRange", "The page range specified is invalid.")
    if headers.get("x-ms-page-write", "").lower() == "update" and pages.length > LONGEST_WRITE:
        message = "The request body is too large and exceeds the maximum permissible limit of 4 MiB."
        raise StorageError(413, "RequestBodyTooLarge", message)

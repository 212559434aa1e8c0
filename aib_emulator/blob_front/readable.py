"""What a blob request must look like to be read at all: Azurite fails at some of what the service refuses."""

from __future__ import annotations

import base64
import binascii
import re
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.parsers import expat

from aib_emulator.blob_front.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.blob_front.target import Target

RANGE_HEADERS = ("Range", "x-ms-range")
RANGE = re.compile(r"bytes=\d+-\d*", re.ASCII)
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
LONGEST_BLOCK_ID = 64
LARGEST_BLOCK_LIST = 8 * 1024 * 1024
"""Fifty thousand blocks, with the longest ids, take somewhat less."""


def demand_readable(method: str, target: Target, headers: Mapping[str, str]) -> None:
    """Refuse an address, a header or a block's id that cannot be read; the codes are documented ones."""
    try:
        unquote(target.raw, errors="strict")
    except UnicodeDecodeError as error:
        raise _bad_address() from error
    if BAD_ESCAPE.search(target.raw_path):
        raise _bad_address()
    for name, value in headers.items():
        if not _is_text(value):
            raise _bad_header(name)
    for name in RANGE_HEADERS:
        if name in headers and not RANGE.fullmatch(headers[name].strip()):
            raise _bad_header(name)
    if BAD_ESCAPE.search(headers.get("x-ms-tags", "")):
        raise _bad_header("x-ms-tags")
    if method == "PUT" and target.query.get("comp") == "block" and not _is_block_id(target.query.get("blockid", "")):
        message = "Value for one of the query parameters specified in the request URI is invalid: blockid."
        raise StorageError(400, "InvalidQueryParameterValue", message)


def lists_blocks(method: str, target: Target) -> bool:
    """Whether the body is a list of blocks, which Azurite takes for XML unseen."""
    return method == "PUT" and target.query.get("comp") == "blocklist"


def demand_block_list(body: bytes) -> None:
    """Refuse a list of blocks that is none."""
    elements: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: elements.append(name)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.ParseFile(BytesIO(body))
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise _bad_document() from error
    if elements[0] != "BlockList":
        raise _bad_document()


def _refuse_doctype(*_: object) -> None:
    raise ValueError("Nothing but elements belongs into it.")


def _is_text(value: str) -> bool:
    try:
        value.encode()  # fails with what was no UTF-8
    except UnicodeEncodeError:
        return False
    return True


def _is_block_id(value: str) -> bool:
    try:
        return 0 < len(base64.b64decode(value, validate=True)) <= LONGEST_BLOCK_ID
    except binascii.Error:
        return False


def _bad_address() -> StorageError:
    return StorageError(400, "InvalidUri", "The requested URI does not represent any resource on the server.")


def _bad_header(name: str) -> StorageError:
    message = f"The value for one of the HTTP headers is not in the correct format: {name}."
    return StorageError(400, "InvalidHeaderValue", message)


def _bad_document() -> StorageError:
    return StorageError(400, "InvalidXmlDocument", "XML specified is not syntactically valid.")

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import digest
from airflow_aib.hooks.compression import Observed, compressed, decompressed
from airflow_aib.image_run.customization_log import LogReading
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.log_bytes import LogBytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIECE = b"".join(b"%07d azure-arm: Setting up packages, one after another\n" % number for number in range(18_000))
MEBIBYTE = 1024 * 1024


async def pieces(count: int, piece: bytes = PIECE) -> AsyncIterator[bytes]:
    """Give the same piece many times."""
    for _ in range(count):
        yield piece


async def test_what_was_compressed_comes_back() -> None:
    """Any gzip reads it, and so do we, whatever the pieces are."""
    packed = [piece async for piece in compressed(pieces(3), gathered=1000)]

    assert gzip.decompress(b"".join(packed)) == PIECE * 3
    assert all(len(piece) >= 1000 for piece in packed[:-1])
    assert (
        b"".join([piece async for piece in decompressed(pieces(1, b"".join(packed)), target="x", most=100)])
        == PIECE * 3
    )


async def test_equal_content_stays_equal() -> None:
    """No time and no name goes in: archiving twice writes the same bytes."""
    first, second = [[piece async for piece in compressed(pieces(2))] for _ in range(2)]

    assert first == second


async def test_what_passes_is_observed() -> None:
    """Length and digest are those of the log, and not of its compressed form."""
    observed = Observed()

    _ = [piece async for piece in compressed(observed.watch(pieces(2)))]

    assert observed.content.size == len(PIECE) * 2
    assert observed.content.sha256 == hashlib.sha256(PIECE * 2).hexdigest()


@pytest.mark.parametrize("spoilt", [gzip.compress(PIECE)[:-9], b"no gzip at all", b""])
async def test_what_is_cut_off_is_no_log(spoilt: bytes) -> None:
    """A file that ends too early is an error that names it."""
    with pytest.raises(ArmRequestError, match=r"https://s/x\.gz cannot be read"):
        await digest(decompressed(pieces(1, spoilt), target="https://s/x.gz"))


# Reading costs by the line, so that a large log of long lines is read quickly.
LONG_LINES = b"".join(b"    azure-arm: %07d ".ljust(19_999, b"x") % number + b"\n" for number in range(50))


async def test_a_large_log_takes_constant_memory() -> None:
    """50 MB pass through being read, compressing, decompressing and both digests within a few MB."""
    observed = Observed(LogBytes(LogReading(log_signs())))
    tracemalloc.start()
    try:
        found = await digest(decompressed(compressed(observed.watch(pieces(50, LONG_LINES))), target="x"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found == observed.content
    assert found.size == 50 * len(LONG_LINES) > 50 * 10**6
    assert peak < 24 * MEBIBYTE

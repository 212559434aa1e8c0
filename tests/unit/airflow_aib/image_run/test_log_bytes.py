from __future__ import annotations

import gzip
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.image_run.customization_log import CustomizationLog, LogReading, parse_customization_log
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.log_bytes import LogBytes, LogUnreadableError
from tests.unit.airflow_aib.image_run.sample_logs import sample_log

TEXT = sample_log("new-form-linux-failed")
NOISE = "[5be4c1f0-9a41-4d0c-b2a5-8e1f3f4cb6d3] PACKER 2025/03/18 20:42:48 ui:     azure-arm: error: one of many\n"


def read(*pieces: bytes) -> CustomizationLog:
    """Read a log that comes in pieces."""
    reading = LogReading(log_signs())
    content = LogBytes(reading)
    for piece in pieces:
        content.feed(piece)
    content.finish()
    return reading.result()


@given(st.lists(st.integers(0, len(TEXT)), max_size=5), st.booleans())
def test_pieces_may_be_cut_anywhere(cuts: list[int], packed: bool) -> None:
    """However a log comes, plain or compressed, the same is read."""
    content = gzip.compress(TEXT.encode()) if packed else TEXT.encode()
    places = [0, *sorted(cut % len(content) for cut in cuts), len(content)]
    pieces = [content[begin:end] for begin, end in pairwise(places)]

    assert read(*pieces) == parse_customization_log(TEXT, log_signs())


def test_a_single_byte() -> None:
    """What is too short to be anything is read as text."""
    assert read(b"x").tail == ("x",)


def test_a_broken_archive() -> None:
    """What begins as gzip and is none is an error that says so."""
    with pytest.raises(LogUnreadableError, match="begins as gzip"):
        read(gzip.compress(b"a" * 100)[:10] + b"\xff" * 50)


def test_memory_is_bounded() -> None:
    """Fifteen pieces of one customizer's output need the memory of a few; the first errors stay."""
    begin, _, end = TEXT.partition("[5be4c1f0-9a41-4d0c-b2a5-8e1f3f4cb6d3] PACKER 2025/03/18 20:42:49 packer-plugin")
    piece = (NOISE * 3_000).encode()
    tracemalloc.start()
    try:
        log = read(begin.encode(), *[piece] * 15, f"PACKER {end}".encode())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert log.failed is not None
    assert log.failed.error_lines[0] == "curl: (22) The requested URL returned error: 404"
    assert peak < 8 * len(piece)

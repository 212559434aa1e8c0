from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.vhd.footer import FOOTER_SIZE, check_footer, footer_checksum, parse_footer

MEBIBYTE = 1024 * 1024


def footer(*, size: int = 64 * MEBIBYTE, disk_type: int = 2) -> bytes:
    """Write a footer by the published format."""
    data = bytearray(FOOTER_SIZE)
    data[0:8] = b"conectix"
    data[8:12] = struct.pack(">I", 2)
    data[12:16] = struct.pack(">I", 0x00010000)
    data[16:24] = b"\xff" * 8
    data[24:28] = struct.pack(">I", 86400)
    data[28:32] = b"win "
    data[36:40] = b"Wi2k"
    data[40:48] = struct.pack(">Q", size)
    data[48:56] = struct.pack(">Q", size)
    data[60:64] = struct.pack(">I", disk_type)
    data[68:84] = bytes(range(16))
    data[64:68] = struct.pack(">I", ~sum(data) & 0xFFFFFFFF)
    return bytes(data)


def test_fields() -> None:
    """Type, size, date, creator and id are read from their places."""
    read = parse_footer(footer())

    assert (read.disk_type, read.disk_size, read.creator) == ("fixed", 64 * MEBIBYTE, "win")
    assert read.created == datetime(2000, 1, 2, tzinfo=UTC)
    assert read.unique_id == "000102030405060708090a0b0c0d0e0f"


@pytest.mark.parametrize(("number", "word"), [(2, "fixed"), (3, "dynamic"), (4, "differencing"), (7, "unknown (7)")])
def test_disk_types(number: int, word: str) -> None:
    """Each type of disk has its word."""
    assert parse_footer(footer(disk_type=number)).disk_type == word


@pytest.mark.parametrize("data", [b"", b"conectix", b"x" * 513])
def test_wrong_size(data: bytes) -> None:
    """A footer has 512 bytes."""
    with pytest.raises(ValueError, match="has 512 bytes"):
        parse_footer(data)


def test_no_footer() -> None:
    """What does not begin with the cookie is no VHD."""
    with pytest.raises(ValueError, match="conectix"):
        parse_footer(bytes(FOOTER_SIZE))


@given(st.integers(8, FOOTER_SIZE - 1), st.integers(1, 255))
def test_any_damaged_byte_is_noticed(at: int, flipped: int) -> None:
    """The checksum catches every single damaged byte."""
    damaged = bytearray(footer())
    damaged[at] ^= flipped

    with pytest.raises(ValueError, match="checksum"):
        parse_footer(bytes(damaged))


def test_checksum_leaves_itself_out() -> None:
    """The checksum does not depend on the bytes where it stands."""
    data = bytearray(footer())
    data[64:68] = b"\0\0\0\0"

    assert footer_checksum(bytes(data)) == footer_checksum(footer())


def test_fixed_disk_of_the_right_length() -> None:
    """A fixed disk that is as long as the blob without its footer is good."""
    assert check_footer(footer(), 64 * MEBIBYTE + FOOTER_SIZE).disk_size == 64 * MEBIBYTE


def test_dynamic_disks_are_refused() -> None:
    """Azure takes fixed disks only."""
    with pytest.raises(ValueError, match="dynamic, and Azure takes fixed ones only"):
        check_footer(footer(disk_type=3), 64 * MEBIBYTE + FOOTER_SIZE)


def test_blob_of_another_length() -> None:
    """A blob that is longer or shorter than its footer says is cut off."""
    with pytest.raises(ValueError, match="cut off or resized"):
        check_footer(footer(), 64 * MEBIBYTE)

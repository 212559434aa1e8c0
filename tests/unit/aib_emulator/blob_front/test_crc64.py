from __future__ import annotations

import base64

import pytest

from aib_emulator.blob_front.crc64 import crc64


@pytest.mark.parametrize(
    ("content", "value"), [(b"", 0x0), (b"123456789", 0xAE8B14860A799888), (bytes(4096), 0x6482D367EB22B64E)]
)
def test_checksum_is_the_published_one(content: bytes, value: int) -> None:
    """The check value of CRC-64/NVME is reproduced, and that of the NVMe specification for a page of zeros."""
    assert base64.b64decode(crc64(content)) == value.to_bytes(8, "little")

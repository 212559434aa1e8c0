"""The hashes `guid` and `uniqueString`, equal to Azure's for equal texts."""

from __future__ import annotations

import uuid

NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
MASK = 0xFFFFFFFF


def guid(*parts: str) -> str:
    """Return the UUID that follows from texts."""
    return str(uuid.uuid5(NAMESPACE, "-".join(parts)))


def unique_string(*parts: str) -> str:
    """Return 13 characters that follow from texts: the 64-bit murmur hash, written to base 32."""
    number = _murmur("-".join(parts).encode()) << 1
    characters = []
    for _ in range(13):
        number, digit = divmod(number, 32)
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))


def _murmur(data: bytes) -> int:
    first = second = 0
    for at in range(0, len(data) - 7, 8):
        first = _turn(first ^ _stir(data[at : at + 4], 0x239B961B, 15, 0xAB0E9789), 19) + second
        first = (first * 5 + 0x561CCD1B) & MASK
        second = _turn(second ^ _stir(data[at + 4 : at + 8], 0xAB0E9789, 17, 0x239B961B), 13) + first
        second = (second * 5 + 0x0BCAA747) & MASK
    tail = data[len(data) // 8 * 8 :]
    first ^= _stir(tail[:4], 0x239B961B, 15, 0xAB0E9789) ^ len(data)
    second ^= _stir(tail[4:], 0xAB0E9789, 17, 0x239B961B) ^ len(data)
    first = (first + second) & MASK
    second = (second + first) & MASK
    first, second = _finish(first), _finish(second)
    first = (first + second) & MASK
    return ((second + first) & MASK) << 32 | first


def _stir(piece: bytes, before: int, bits: int, after: int) -> int:
    return _turn(int.from_bytes(piece, "little") * before & MASK, bits) * after & MASK


def _turn(number: int, bits: int) -> int:
    number &= MASK
    return (number << bits | number >> (32 - bits)) & MASK


def _finish(number: int) -> int:
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        number = (number ^ number >> shift) * factor & MASK
    return number ^ number >> 16

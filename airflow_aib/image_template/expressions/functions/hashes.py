"""ARM's own hashes: `guid` and `uniqueString`, the same text here as in Azure."""

from __future__ import annotations

from uuid import UUID, uuid5

# The namespace that ARM makes its version-5 UUIDs in.
_NAMESPACE = UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_DIGITS = 13
_BITS_OF_DIGIT = 5

# A 64-bit MurmurHash of two halves with 32 bits each; names as in its publication.
_WORD = 0xFFFFFFFF
_C1, _C2 = 0x239B961B, 0xAB0E9789
_N1, _N2 = 0x561CCD1B, 0x0BCAA747
_BLOCK = 8


def guid(text: str) -> str:
    """Give the name-based UUID of a text."""
    return str(uuid5(_NAMESPACE, text))


def unique_string(text: str) -> str:
    """Give 13 letters and digits that depend on a text."""
    remaining = _murmur_hash(text.encode()) << (_DIGITS * _BITS_OF_DIGIT - 64)
    shifts = range((_DIGITS - 1) * _BITS_OF_DIGIT, -1, -_BITS_OF_DIGIT)
    return "".join(_ALPHABET[remaining >> shift & 31] for shift in shifts)


def _murmur_hash(data: bytes) -> int:
    low = high = 0
    whole = len(data) - len(data) % _BLOCK
    for start in range(0, whole, _BLOCK):
        low ^= _mixed_low(data[start : start + 4])
        low = ((_rotated(low, 19) + high) * 5 + _N1) & _WORD
        high ^= _mixed_high(data[start + 4 : start + _BLOCK])
        high = ((_rotated(high, 13) + low) * 5 + _N2) & _WORD
    low ^= _mixed_low(data[whole : whole + 4])
    high ^= _mixed_high(data[whole + 4 :])
    low, high = _summed(low ^ len(data), high ^ len(data))
    low, high = _summed(_spread(low), _spread(high))
    return high << 32 | low


def _mixed_low(piece: bytes) -> int:
    return _rotated(int.from_bytes(piece, "little") * _C1 & _WORD, 15) * _C2 & _WORD


def _mixed_high(piece: bytes) -> int:
    return _rotated(int.from_bytes(piece, "little") * _C2 & _WORD, 17) * _C1 & _WORD


def _summed(low: int, high: int) -> tuple[int, int]:
    low = (low + high) & _WORD
    return low, (high + low) & _WORD


def _spread(word: int) -> int:
    word = (word ^ word >> 16) * 0x85EBCA6B & _WORD
    word = (word ^ word >> 13) * 0xC2B2AE35 & _WORD
    return word ^ word >> 16


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _WORD

"""Plans the fixed-size VHD that a build leaves: which pages hold data, what stands in them, and its footer."""

from __future__ import annotations

import hashlib
import random
import struct
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

PAGE = 512
MEBIBYTE = 1024 * 1024
FOOTER_LENGTH = 512
FRAGMENT_LENGTHS = (4096, 65536, 524288, MEBIBYTE, 4 * MEBIBYTE)
VHD_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
FIXED_DISK = 2
NO_DYNAMIC_HEADER = 0xFFFFFFFFFFFFFFFF
FOOTER_FORM = struct.Struct(">8sIIQI4sI4sQQHBBII16sB427x")
CHECKSUM_AT = 64


@dataclass(frozen=True)
class Fragment:
    """A run of pages that hold data.

    :param offset: first byte, a multiple of 512.
    :param length: bytes, a multiple of 512.
    """

    offset: int
    length: int


@dataclass(frozen=True)
class VhdLayout:
    """Say where a VHD's data lies.

    :param disk_bytes: size of the virtual disk; the blob is one footer longer.
    :param fragments: the data, in order, without the footer.
    :param seed: what the bytes of the fragments follow from.
    """

    disk_bytes: int
    fragments: tuple[Fragment, ...]
    seed: str

    @property
    def blob_bytes(self) -> int:
        """Length of the page blob."""
        return self.disk_bytes + FOOTER_LENGTH

    @property
    def allocated_bytes(self) -> int:
        """Bytes in allocated pages, the footer's page included."""
        return sum(fragment.length for fragment in self.fragments) + FOOTER_LENGTH


def plan_vhd(disk_bytes: int, allocated_bytes: int, seed: str) -> VhdLayout:
    """Spread `allocated_bytes`, the footer among them, over a disk: the same arguments give the same layout.

    `ValueError` when a size is not one of whole pages, or the disk cannot hold that much.
    """
    if disk_bytes <= 0 or disk_bytes % PAGE:
        raise ValueError(f"A VHD has a size of whole pages of {PAGE} bytes, not {disk_bytes} bytes.")
    if allocated_bytes % PAGE or not FOOTER_LENGTH <= allocated_bytes <= disk_bytes + FOOTER_LENGTH:
        raise ValueError(
            f"Allocated bytes are a multiple of {PAGE} from {FOOTER_LENGTH} to {disk_bytes + FOOTER_LENGTH}, "
            f"not {allocated_bytes}."
        )
    chance = random.Random(seed)  # noqa: S311 - a repeatable layout, not a secret
    lengths = _fragment_lengths(allocated_bytes - FOOTER_LENGTH, chance)
    gaps = _gaps(disk_bytes - sum(lengths), len(lengths), chance)
    return VhdLayout(disk_bytes, _placed(lengths, gaps), seed)


def _fragment_lengths(total: int, chance: random.Random) -> list[int]:
    lengths = []
    while total:
        lengths.append(min(total, chance.choice(FRAGMENT_LENGTHS)))
        total -= lengths[-1]
    return lengths


def _gaps(free: int, count: int, chance: random.Random) -> list[int]:
    """Bytes left empty before each fragment; the first stands at the start of the disk, where the boot sector is."""
    cuts = sorted(chance.randint(0, free // PAGE) * PAGE for _ in range(count - 1))
    return [0, *(after - before for before, after in zip([0, *cuts], cuts, strict=False))]


def _placed(lengths: list[int], gaps: list[int]) -> tuple[Fragment, ...]:
    fragments = []
    offset = 0
    for length, gap in zip(lengths, gaps, strict=False):
        offset += gap
        fragments.append(Fragment(offset, length))
        offset += length
    return tuple(fragments)


def fragment_content(layout: VhdLayout, fragment: Fragment) -> bytes:
    """Return the bytes of one fragment; they depend on the seed and the place only."""
    return hashlib.shake_128(f"{layout.seed}:{fragment.offset}".encode()).digest(fragment.length)


def vhd_footer(layout: VhdLayout, created: datetime) -> bytes:
    """Return the 512 bytes that end a fixed VHD, with their checksum."""
    cylinders, heads, sectors = disk_geometry(layout.disk_bytes)
    footer = bytearray(
        FOOTER_FORM.pack(
            b"conectix",
            2,  # features: the reserved bit, always set
            0x00010000,  # version of the format
            NO_DYNAMIC_HEADER,
            int((created - VHD_EPOCH).total_seconds()),
            b"win ",
            0x000A0000,
            b"Wi2k",
            layout.disk_bytes,
            layout.disk_bytes,
            cylinders,
            heads,
            sectors,
            FIXED_DISK,
            0,  # the checksum counts as zero while it is computed
            uuid.uuid5(uuid.NAMESPACE_OID, layout.seed).bytes,
            0,
        )
    )
    footer[CHECKSUM_AT : CHECKSUM_AT + 4] = (~sum(footer) & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(footer)


def disk_geometry(disk_bytes: int) -> tuple[int, int, int]:
    """Return cylinders, heads and sectors per track, by the calculation in the VHD specification."""
    total_sectors = min(disk_bytes // PAGE, 65535 * 16 * 255)
    if total_sectors >= 65535 * 16 * 63:
        heads, sectors = 16, 255
    else:
        heads, sectors = _small_disk_geometry(total_sectors)
    return total_sectors // sectors // heads, heads, sectors


def _small_disk_geometry(total_sectors: int) -> tuple[int, int]:
    tracks = total_sectors // 17
    heads = max((tracks + 1023) // 1024, 4)
    if tracks < heads * 1024 and heads <= 16:  # noqa: PLR2004 - the specification's own number
        return heads, 17
    if total_sectors // 31 < 16 * 1024:
        return 16, 31
    return 16, 63

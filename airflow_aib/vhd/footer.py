"""The last 512 bytes of a VHD, which say what kind of disk it is and how large."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FOOTER_SIZE = 512

FIXED_DISK = 2
_DISK_TYPES = {0: "none", FIXED_DISK: "fixed", 3: "dynamic", 4: "differencing"}
_COOKIE = b"conectix"
# Cookie, features, format version, data offset, seconds, creator (application, version, system), original size,
# current size, cylinders, heads, sectors, type, checksum, id.
_LAYOUT = struct.Struct(">8sIIQI4sI4sQQHBBII16s")
_CHECKSUM_AT = 64
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class VhdFooter:
    """Hold what a footer says.

    :param disk_type: fixed, dynamic or differencing
    :param disk_size: bytes of the disk, without the footer
    :param created: when, by the clock of what wrote it
    :param creator: four letters of the program that wrote it
    :param unique_id: the disk's id, as hex
    """

    disk_type: str
    disk_size: int
    created: datetime
    creator: str
    unique_id: str


def parse_footer(data: bytes) -> VhdFooter:
    """Read a footer; anything else is a `ValueError` that says why, and the caller knows which VHD it was."""
    if len(data) != FOOTER_SIZE:
        raise ValueError(f"a VHD footer has {FOOTER_SIZE} bytes, not {len(data)}")
    fields = _LAYOUT.unpack_from(data)
    if fields[0] != _COOKIE:
        raise ValueError(f"its last {FOOTER_SIZE} bytes do not begin with 'conectix', as those of a whole VHD do")
    stored, computed = fields[14], footer_checksum(data)
    if stored != computed:
        raise ValueError(f"its footer is damaged: the checksum is {stored:#010x} and should be {computed:#010x}")
    return VhdFooter(
        disk_type=_DISK_TYPES.get(fields[13], f"unknown ({fields[13]})"),
        disk_size=fields[9],
        created=_EPOCH + timedelta(seconds=fields[4]),
        creator=fields[5].decode("ascii", errors="replace").strip(),
        unique_id=fields[15].hex(),
    )


def check_footer(data: bytes, blob_length: int) -> VhdFooter:
    """Read a footer and make sure that Azure can use the disk: fixed, and as long as the blob says.

    :param data: the blob's last 512 bytes
    :param blob_length: bytes of the blob, footer included
    """
    footer = parse_footer(data)
    if footer.disk_type != _DISK_TYPES[FIXED_DISK]:
        raise ValueError(f"it is {footer.disk_type}, and Azure takes fixed ones only")
    before = blob_length - FOOTER_SIZE
    if footer.disk_size != before:
        raise ValueError(
            f"its footer says {footer.disk_size} bytes of disk and the blob has {before}: it was cut off or resized"
        )
    return footer


def footer_checksum(data: bytes) -> int:
    """Compute the checksum: the complement of the sum of all bytes, those of the checksum itself left out."""
    return ~(sum(data[:_CHECKSUM_AT]) + sum(data[_CHECKSUM_AT + 4 : FOOTER_SIZE])) & 0xFFFFFFFF

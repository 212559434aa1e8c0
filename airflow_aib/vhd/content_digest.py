"""The digest by which a VHD and its copy are compared.

It is SHA-256 over one record for each piece of the allocated pages, in the order of their offsets. Pieces are cut at
gaps, and where the offset is a multiple of 4 MiB. A record is the piece's offset and its length, each as 8 bytes,
unsigned, the highest byte first, and then the SHA-256 of its bytes. Pages that are not allocated contribute nothing. So
pieces may be read in any order, and nothing of a piece need be kept but its digest.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_aib.vhd.page_ranges import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_aib.vhd.page_ranges import PageRange, Piece


def content_digest(digests: Mapping[Piece, bytes]) -> str:
    """Compute the digest of a VHD from the SHA-256 of each of its pieces."""
    sha256 = hashlib.sha256()
    for piece in sorted(digests):
        sha256.update(piece.offset.to_bytes(8, "big") + piece.length.to_bytes(8, "big") + digests[piece])
    return sha256.hexdigest()


def digest_of(ranges: Iterable[PageRange], content: bytes) -> str:
    """Compute the digest of a VHD that is in memory.

    :param ranges: its allocated pages, in any order and cut anyhow
    """
    return content_digest({piece: hashlib.sha256(content[piece.offset : piece.end]).digest() for piece in cut(ranges)})

"""What a blob says of itself when it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from azure.storage.blob import BlobProperties, CopyProperties

PAGE_BLOB = "PageBlob"


@dataclass(frozen=True)
class CopyState:
    """Say how a Copy Blob stands.

    :param copy_id: the service's name for it
    :param status: `pending`, `success`, `aborted` or `failed`
    :param copied_bytes: what has arrived so far
    :param reason: why it has failed
    """

    copy_id: str
    status: str
    copied_bytes: int = 0
    reason: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether it goes on."""
        return self.status == "pending"


@dataclass(frozen=True)
class BlobFacts:
    """Describe a blob as it was when we looked.

    :param size: bytes
    :param etag: changes with every change of the blob
    :param kind: `PageBlob`, `BlockBlob` or `AppendBlob`
    :param metadata: names in lower case
    :param created_at: when it was made
    :param retained_until: until when a policy keeps it from being changed; None without one
    :param has_legal_hold: whether a hold keeps it from being changed
    :param copy: how Copy Blob stands or has ended, if it is what made the blob
    :param sequence_number: of a page blob
    """

    size: int
    etag: str
    kind: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    retained_until: datetime | None = None
    has_legal_hold: bool = False
    copy: CopyState | None = None
    sequence_number: int = 0

    @property
    def is_broken_copy(self) -> bool:
        """Whether a Copy Blob was to make it, and did not come to its end."""
        return self.copy is not None and self.copy.status in {"failed", "aborted"}

    @property
    def is_being_copied(self) -> bool:
        """Whether a Copy Blob that makes it goes on."""
        return self.copy is not None and self.copy.is_pending


def read_facts(found: BlobProperties) -> BlobFacts:
    """Read the SDK's description of a blob."""
    return BlobFacts(
        size=int(found.size),
        etag=str(found.etag),
        kind=str(getattr(found.blob_type, "value", found.blob_type)),
        metadata={name.lower(): value for name, value in (found.metadata or {}).items()},
        created_at=found.creation_time,
        retained_until=found.immutability_policy.expiry_time,
        has_legal_hold=bool(found.has_legal_hold),
        copy=_read_copy(found.copy) if found.copy.id else None,
        sequence_number=int(found.page_blob_sequence_number or 0),
    )


def _read_copy(copy: CopyProperties) -> CopyState:
    copied = str(copy.progress or "").partition("/")[0]
    return CopyState(
        copy_id=str(copy.id),
        status=str(copy.status or "").lower(),
        copied_bytes=int(copied) if copied.isdigit() else 0,
        reason=str(copy.status_description or ""),
    )

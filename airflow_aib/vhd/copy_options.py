"""How a VHD is to be copied: what the user may decide, and what is decided when the user does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_aib.arguments import require_choice, require_count, require_duration
from airflow_aib.vhd.pace import MOST_LANES

if TYPE_CHECKING:
    from collections.abc import Mapping

CopyMethod = Literal["auto", "pages", "copy_blob"]
COPY_METHODS: tuple[CopyMethod, ...] = get_args(CopyMethod)


@dataclass(frozen=True)
class CopyOptions:
    """Say how to copy.

    :param overwrite: whether other content at the destination may be replaced
    :param method: `pages`, storage copies piece by piece; `copy_blob`, storage copies the whole blob in its own time;
        `auto`, the quicker one for these two accounts
    :param concurrency: the most pieces under way at once, for each VHD
    :param retain_for: how long the copy cannot be changed or deleted, from its creation on; needs a container with
        version-level immutability support
    :param lock_retention: whether nobody can take back or shorten that time any more
    :param legal_hold: whether the copy cannot be changed or deleted until somebody lifts the hold
    """

    overwrite: bool = False
    method: CopyMethod = "auto"
    concurrency: int = MOST_LANES
    retain_for: timedelta | None = None
    lock_retention: bool = False
    legal_hold: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be carried out, before anything is copied."""
        require_choice("method", self.method, COPY_METHODS)
        require_count("concurrency", self.concurrency)
        require_duration("retain_for", self.retain_for)
        if self.lock_retention and self.retain_for is None:
            raise ValueError("lock_retention is set, and retain_for is not: there is nothing to lock")

    def to_json(self) -> dict[str, Any]:
        """Give the options as JSON."""
        return {
            "overwrite": self.overwrite,
            "method": self.method,
            "concurrency": self.concurrency,
            "retain_for": self.retain_for.total_seconds() if self.retain_for is not None else None,
            "lock_retention": self.lock_retention,
            "legal_hold": self.legal_hold,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CopyOptions:
        """Read what `to_json` wrote; unknown keys are ignored."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        if known.get("retain_for") is not None:
            known["retain_for"] = timedelta(seconds=known["retain_for"])
        return cls(**known)


def choose_method(
    wanted: CopyMethod, source_account_url: str, target_account_url: str
) -> Literal["pages", "copy_blob"]:
    """Choose how to copy between two accounts.

    Inside an account, Copy Blob is done at once or nearly so. Between accounts it goes in the service's spare time,
    without a promise of when it ends, and only what is sent piece by piece is vouched for piece by piece.
    """
    if wanted != "auto":
        return wanted
    is_same = source_account_url.casefold() == target_account_url.casefold()
    return "copy_blob" if is_same else "pages"

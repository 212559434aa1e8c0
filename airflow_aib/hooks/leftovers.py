"""What lies unsaved in the staging resource group, whichever run left it there.

Azure tells of the last run only. Should a copy or an archive of an earlier run have failed, its VHD or log still lies
there, and would go with the image template. So we look at what lies there, and not only at what the last run says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.hooks.guards import Loss
from airflow_aib.hooks.staging import CLOCK_SKEW, StagedBlob, StagingArea
from airflow_aib.image_run.run_status import parse_service_time, read_last_run_status
from airflow_aib.image_template.fingerprint import MARK_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

# Tags on the image template: everything in the staging resource group that was made until then is saved.
VHDS_SAVED_UNTIL = f"{MARK_PREFIX}vhds-saved-until"
LOGS_SAVED_UNTIL = f"{MARK_PREFIX}logs-saved-until"


def unsaved(blobs: Iterable[StagedBlob], body: Mapping[str, Any], mark: str) -> list[StagedBlob]:
    """Give the blobs that were made after everything that a mark says is saved."""
    until = parse_service_time((body.get("tags") or {}).get(mark))
    return [blob for blob in blobs if until is None or blob.created_at is None or blob.created_at > until]


def saved_until(blobs: Iterable[StagedBlob], mark: str) -> dict[str, str]:
    """Give the tag that says that these blobs, and all that are older, are saved; none when there is nothing to say."""
    newest = max((blob.created_at for blob in blobs if blob.created_at is not None), default=None)
    return {mark: newest.isoformat()} if newest is not None else {}


async def unsaved_logs(staging: StagingArea, body: Mapping[str, Any]) -> list[StagedBlob]:
    """Find the logs that nobody has archived, those of validations too."""
    account = await staging.find_account(body)
    return unsaved(await staging.list_logs(account), body, LOGS_SAVED_UNTIL) if account else []


def older_than(blobs: Iterable[StagedBlob], moment: datetime | None) -> list[StagedBlob]:
    """Give the blobs that were made before a run began; all of them when it is not known when it did."""
    return [
        blob
        for blob in blobs
        if moment is None or (blob.created_at is not None and blob.created_at < moment - CLOCK_SKEW)
    ]


async def staged_losses(staging: StagingArea, body: Mapping[str, Any]) -> list[Loss]:
    """Give what deleting or replacing the image template would lose, by what lies in its staging resource group.

    What a run that goes on has made so far is left out: that run is a loss of its own.
    """
    status = read_last_run_status(body)
    going_on_since = status.started_at if status is not None and not status.is_over else None
    found = {
        "VHD": unsaved(await staging.list_vhds(body), body, VHDS_SAVED_UNTIL),
        "log": await unsaved_logs(staging, body),
    }
    return [
        Loss("vhd" if what == "VHD" else "log", f"the {what} {blob.address.url}, made {blob.created_at}, is not saved")
        for what, blobs in found.items()
        for blob in older_than(blobs, going_on_since)
    ]

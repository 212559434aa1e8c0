"""What would be lost if an image template went away now, read from its body alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from airflow_aib.exceptions import ImageTemplateInUseError
from airflow_aib.image_run.run_status import LastRunStatus, read_last_run_status
from airflow_aib.image_template.fingerprint import MARK_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Tags on the image template. Each holds the verbatim start time of the run that it is about: a later run is unmarked.
LOG_MARK = f"{MARK_PREFIX}log-archived"
VHD_MARK_PREFIX = f"{MARK_PREFIX}vhd-copied."


@dataclass(frozen=True)
class Loss:
    """Name one thing that would be lost.

    :param kind: a run that goes on, a VHD that is not copied, or a log that is not archived
    :param message: what exactly
    """

    kind: Literal["run", "vhd", "log"]
    message: str


# By kind of loss: the operators' argument that accepts it.
ACCEPTED_BY = {"run": "cancel_running", "vhd": "discard_vhds", "log": "discard_logs"}


def vhd_mark(run_output_name: str) -> str:
    """Give the name of the tag that says that a VHD has been copied."""
    return f"{VHD_MARK_PREFIX}{run_output_name}"


def losses(body: Mapping[str, Any]) -> list[Loss]:
    """Give what deleting or replacing the image template would lose.

    With it goes the staging resource group, and in that lie the VHDs and the logs of its last run.
    """
    status = read_last_run_status(body)
    if status is None:
        return []
    if not status.is_over:
        return [Loss("run", f"a run goes on since {status.start_time} ({status.phase})")]
    tags: Mapping[str, Any] = body.get("tags") or {}
    return [*_uncopied_vhds(body, status, tags), *_unarchived_log(status, tags)]


def refuse_losses(
    image_template_id: str,
    body: Mapping[str, Any],
    *,
    staged: Sequence[Loss] = (),
    cancel_running: bool = False,
    discard_vhds: bool = False,
    discard_logs: bool = False,
) -> None:
    """Raise when deleting or replacing the image template would lose something that the user did not give up.

    :param staged: what was found in the staging resource group besides
    """
    accepted = {"run": cancel_running, "vhd": discard_vhds, "log": discard_logs}
    refused = [loss for loss in (*losses(body), *staged) if not accepted[loss.kind]]
    if not refused:
        return
    arguments = " and ".join(f"{ACCEPTED_BY[kind]}=True" for kind in dict.fromkeys(loss.kind for loss in refused))
    raise ImageTemplateInUseError(
        f"Deleting or replacing image template {image_template_id} now would lose something: "
        + "; ".join(loss.message for loss in refused),
        hint="Wait for the run, copy the VHD (`image_rebuild` does with `vhd_destination`) and archive the log first; "
        f"or give it up with {arguments}.",
        image_template_id=image_template_id,
        losses=[loss.message for loss in refused],
    )


def _uncopied_vhds(body: Mapping[str, Any], status: LastRunStatus, tags: Mapping[str, Any]) -> list[Loss]:
    if not status.may_have_made_images:
        # A run that failed or was cancelled left no VHD that anybody may trust.
        return []
    names = staged_vhds(body)
    return [
        Loss("vhd", f"the VHD {name!r} of the run that started {status.start_time} has not been copied")
        for name in names
        if tags.get(vhd_mark(name)) != status.start_time
    ]


def staged_vhds(body: Mapping[str, Any]) -> list[str]:
    """Give the run output names of the VHDs that stay behind in the staging resource group."""
    # One with an address of its own lies outside it, and is safe.
    return [str(item.get("runOutputName")) for item in vhd_distributors(body) if not item.get("uri")]


def vhd_distributors(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the distributors that make VHDs."""
    distribute = (body.get("properties") or {}).get("distribute") or []
    return [item for item in distribute if str(item.get("type", "")).casefold() == "vhd"]


def _unarchived_log(status: LastRunStatus, tags: Mapping[str, Any]) -> list[Loss]:
    if tags.get(LOG_MARK) == status.start_time:
        return []
    return [Loss("log", f"the customization log of the run that started {status.start_time} has not been archived")]

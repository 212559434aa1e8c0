"""Images that come after their run has ended badly: whether any may, which ones, and whether they are there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_aib.image_run.artifacts import ImageArtifact
from airflow_aib.image_run.run_status import RunState, parse_service_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_aib.image_run.customization_log import CustomizationLog
    from airflow_aib.image_run.run_status import LastRunStatus

DISTRIBUTING = "Distributing"
VERSION_SEGMENT = "/versions/"

# The service's words for a distribution that failed, or did not come to its end in time.
_DISTRIBUTION_SIGNS = ("Error publishing MDI to", "Failed in distributing")
# ... and for one that nobody need wait for.
_REFUSAL_SIGNS = ("Not authorized", "does not have authorization", "AuthorizationFailed", "RequestDisallowedByPolicy")
# The whole build has timed out, in whatever phase.
_TIMEOUT_SIGN = "context deadline exceeded"


def has_failed_distributing(status: LastRunStatus) -> bool:
    """Whether the service says that it was the distribution that went wrong, and not for lack of a right."""
    is_refused = any(sign in status.message for sign in _REFUSAL_SIGNS)
    return _ended_badly(status) and not is_refused and any(sign in status.message for sign in _DISTRIBUTION_SIGNS)


def has_timed_out(status: LastRunStatus) -> bool:
    """Whether the run's time has passed, by the service's clock or by ours, in whatever phase."""
    is_canceled = status.run_state == RunState.CANCELED
    return _ended_badly(status) and (is_canceled or _TIMEOUT_SIGN in status.message)


def may_come_late(status: LastRunStatus | None) -> bool:
    """Whether images of a run may appear although it has ended otherwise, for all that its status tells."""
    if status is None or status.run_state == RunState.CANCELED:
        return False
    return has_failed_distributing(status) or has_timed_out(status)


def has_built(log: CustomizationLog) -> bool:
    """Whether the build has come to its end, so that only the distribution was left.

    What is cancelled after that, when the build's time has passed, is no failure of the build.
    """
    return log.is_complete and log.failed is None and any(phase.name == "capture" for phase in log.phases)


def find_image_version(
    versions: Sequence[Mapping[str, Any]], distributor: Mapping[str, Any], started_at: datetime
) -> Mapping[str, Any] | None:
    """Find the gallery image version that a run has made, where no run output names it.

    Only the one version that was published since the run began, and that has all of the distributor's own
    `artifactTags`, is taken for the run's; without such tags, or with two such versions, none is: somebody else's image
    must not pass for this one. A version whose number the distributor itself names needs no tags.

    :param versions: bodies of the versions of its image definition, or the one version that the distributor names
    :param distributor: of type `SharedImage`
    """
    is_pinned = VERSION_SEGMENT in str(distributor.get("galleryImageId", "")).lower()
    tags: Mapping[str, Any] = distributor.get("artifactTags") or {}
    if not (is_pinned or tags):
        return None
    found = [
        version
        for version in versions
        if _published_at(version) >= started_at and (is_pinned or tags.items() <= (version.get("tags") or {}).items())
    ]
    return found[0] if len(found) == 1 else None


def as_artifact(distributor: Mapping[str, Any], version: Mapping[str, Any]) -> ImageArtifact:
    """Give the artifact that a gallery image version is."""
    return ImageArtifact(str(distributor.get("runOutputName", "")), "SharedImage", artifact_id=str(version.get("id")))


def with_late(
    artifacts: Sequence[ImageArtifact], late: Sequence[ImageArtifact], names: Sequence[str]
) -> tuple[tuple[ImageArtifact, ...], tuple[str, ...]]:
    """Join artifacts with those that came late; give them in the distributors' order, and the names of what lacks.

    :param names: run output names of all distributors
    """
    found = {artifact.run_output_name: artifact for artifact in (*artifacts, *late)}
    present = tuple(found[name] for name in names if name in found)
    return present, tuple(name for name in names if name not in found)


def _ended_badly(status: LastRunStatus) -> bool:
    return status.is_over and not status.has_succeeded


def _published_at(version: Mapping[str, Any]) -> datetime:
    profile = (version.get("properties") or {}).get("publishingProfile") or {}
    return parse_service_time(profile.get("publishedDate")) or datetime.min.replace(tzinfo=UTC)

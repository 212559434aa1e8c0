"""Run outputs matched with the distributors that asked for them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageArtifactMissingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The wire ignores letter case in old api-versions; we always write the current spelling.
ARTIFACT_KINDS = {"managedimage": "ManagedImage", "sharedimage": "SharedImage", "vhd": "VHD"}

FAILED_OUTPUT_STATES = frozenset({"Failed", "Canceled"})


@dataclass(frozen=True)
class ImageArtifact:
    """Hold what one distributor left.

    :param run_output_name: the distributor's name for it
    :param kind: `ManagedImage`, `SharedImage` or `VHD`
    :param artifact_id: resource id of the managed image or of the gallery image version
    :param artifact_uri: address of the VHD
    """

    run_output_name: str
    kind: str
    artifact_id: str | None = None
    artifact_uri: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the artifact as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ImageArtifact:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(
            run_output_name=str(value["run_output_name"]),
            kind=str(value["kind"]),
            artifact_id=value.get("artifact_id"),
            artifact_uri=value.get("artifact_uri"),
        )


def read_artifacts(
    run_outputs: Sequence[Mapping[str, Any]], distribute: Sequence[Mapping[str, Any]]
) -> list[ImageArtifact]:
    """Read one artifact per distributor, in the distributors' order; every one must have left one."""
    artifacts, missing = match_artifacts(run_outputs, distribute)
    if missing:
        raise artifacts_missing(missing, run_outputs)
    return artifacts


def read_some_artifacts(
    run_outputs: Sequence[Mapping[str, Any]], distribute: Sequence[Mapping[str, Any]]
) -> list[ImageArtifact]:
    """Read one artifact for each distributor that has left one, in the distributors' order."""
    return match_artifacts(run_outputs, distribute)[0]


def artifacts_missing(missing: Sequence[str], run_outputs: Sequence[Mapping[str, Any]]) -> ImageArtifactMissingError:
    """Make the error for distributors without an artifact."""
    return ImageArtifactMissingError(
        f"The run left no artifact for {', '.join(map(repr, missing))}; it has run outputs "
        f"{', '.join(repr(str(output.get('name'))) for output in run_outputs) or 'none'}",
        hint="See in the customization log and in the run's message why the distribution did not happen.",
        run_output_names=missing,
    )


def match_artifacts(
    run_outputs: Sequence[Mapping[str, Any]], distribute: Sequence[Mapping[str, Any]]
) -> tuple[list[ImageArtifact], list[str]]:
    """Match run outputs with distributors; give the artifacts, and the names of the distributors without one."""
    by_name = {str(output.get("name", "")).casefold(): output for output in run_outputs}
    artifacts: list[ImageArtifact] = []
    missing: list[str] = []
    for distributor in distribute:
        name = str(distributor.get("runOutputName", ""))
        artifact = _read_artifact(name, distributor, by_name.get(name.casefold()))
        if artifact is None:
            missing.append(name)
        else:
            artifacts.append(artifact)
    return artifacts, missing


def _read_artifact(
    name: str, distributor: Mapping[str, Any], run_output: Mapping[str, Any] | None
) -> ImageArtifact | None:
    properties = (run_output or {}).get("properties") or {}
    artifact_id = properties.get("artifactId") or None
    # Before May 2021 the address came with a signature that opens the VHD to everyone: we never carry it along.
    artifact_uri = str(properties.get("artifactUri") or "").partition("?")[0] or None
    has_failed = properties.get("provisioningState") in FAILED_OUTPUT_STATES
    if has_failed or not (artifact_id or artifact_uri):
        return None
    sent_kind = str(distributor.get("type", ""))
    return ImageArtifact(
        run_output_name=name,
        kind=ARTIFACT_KINDS.get(sent_kind.casefold(), sent_kind),
        artifact_id=artifact_id,
        artifact_uri=artifact_uri,
    )

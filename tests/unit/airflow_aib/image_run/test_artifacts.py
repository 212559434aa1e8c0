from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_aib.exceptions import ImageArtifactMissingError
from airflow_aib.image_run.artifacts import ImageArtifact, match_artifacts, read_artifacts
from tests.reference_files import answered_body

VERSION = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/d/versions/0.25342.22189"
VHD = "https://account.blob.core.windows.net/vhds/Tmp1_20210312111014.vhd"


def run_output(name: str, **properties: Any) -> dict[str, Any]:
    """Build a run output."""
    return {"name": name, "properties": {"provisioningState": "Succeeded", **properties}}


def distributor(kind: str, name: str) -> dict[str, Any]:
    """Build a distributor."""
    return {"type": kind, "runOutputName": name}


def test_each_distributor_gets_its_artifact() -> None:
    """Artifacts come in the order of the distributors, each with its kind and place."""
    artifacts = read_artifacts(
        [run_output("vhd", artifactUri=VHD), run_output("sig", artifactId=VERSION)],
        [distributor("SharedImage", "sig"), distributor("VHD", "vhd")],
    )

    assert artifacts == [
        ImageArtifact("sig", "SharedImage", artifact_id=VERSION),
        ImageArtifact("vhd", "VHD", artifact_uri=VHD),
    ]


def test_names_ignore_letter_case() -> None:
    """Run outputs are found whatever the letter case of name and kind."""
    (artifact,) = read_artifacts([run_output("Sig", artifactId=VERSION)], [distributor("sharedImage", "sig")])

    assert (artifact.run_output_name, artifact.kind) == ("sig", "SharedImage")


def test_missing_artifacts_are_named() -> None:
    """The error names every distributor without an artifact, and what there is."""
    with pytest.raises(ImageArtifactMissingError, match=r"'vhd', 'mi'.*'sig'") as caught:
        read_artifacts(
            [run_output("sig", artifactId=VERSION)],
            [distributor("SharedImage", "sig"), distributor("VHD", "vhd"), distributor("ManagedImage", "mi")],
        )

    assert caught.value.run_output_names == ("vhd", "mi")


def test_no_run_outputs_at_all() -> None:
    """Without any run output the error says so."""
    with pytest.raises(ImageArtifactMissingError, match="run outputs none"):
        read_artifacts([], [distributor("VHD", "vhd")])


def test_some_may_be_missing_when_asked_so() -> None:
    """After a partial success both the artifacts and the missing names are given."""
    artifacts, missing = match_artifacts(
        [run_output("sig", artifactId=VERSION)], [distributor("SharedImage", "sig"), distributor("VHD", "vhd")]
    )

    assert [artifact.run_output_name for artifact in artifacts] == ["sig"]
    assert missing == ["vhd"]


@pytest.mark.parametrize(
    "output",
    [run_output("vhd"), run_output("vhd", artifactUri=""), {"name": "vhd"}, {"name": "vhd", "properties": None}],
)
def test_output_without_place_is_no_artifact(output: dict[str, Any]) -> None:
    """A run output that points nowhere is none."""
    assert match_artifacts([output], [distributor("VHD", "vhd")]) == ([], ["vhd"])


def test_failed_output_is_no_artifact() -> None:
    """A run output that failed is none, even if it points somewhere."""
    output = run_output("sig", artifactId=VERSION, provisioningState="Failed")

    assert match_artifacts([output], [distributor("SharedImage", "sig")]) == ([], ["sig"])


def test_signature_in_an_address_is_dropped() -> None:
    """Old services signed the VHD's address; the signature travels no further."""
    (artifact,) = read_artifacts([run_output("vhd", artifactUri=f"{VHD}?sig=abc")], [distributor("VHD", "vhd")])

    assert artifact.artifact_uri == VHD


def test_artifact_travels_as_json() -> None:
    """An artifact survives JSON."""
    artifact = ImageArtifact("sig", "SharedImage", artifact_id=VERSION)

    assert ImageArtifact.from_json(json.loads(json.dumps(artifact.to_json())) | {"later": 1}) == artifact


def test_recorded_run_outputs() -> None:
    """The recorded run outputs of all three kinds of distributor are read."""
    managed = answered_body("list-runoutputs-managed-image")["value"]
    gallery = answered_body("get-runoutput-gallery")
    vhd = answered_body("get-runoutput-vhd")

    (image,) = read_artifacts(managed, [distributor("ManagedImage", "ro1")])
    (version,) = read_artifacts([gallery], [distributor("SharedImage", "ro1")])
    (disk,) = read_artifacts([vhd], [distributor("VHD", "ro1")])
    assert (image.artifact_id or "").endswith("/images/img1")
    assert (version.artifact_id or "").endswith("/versions/0.25342.22189")
    assert (disk.artifact_uri or "").endswith(".vhd")

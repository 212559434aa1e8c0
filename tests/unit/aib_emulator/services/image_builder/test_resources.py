from __future__ import annotations

from typing import Any

import pytest

from aib_emulator.services.image_builder.resources import render, run_output_body
from tests.unit.aib_emulator.services.image_builder.samples import (
    LATEST,
    SHELL,
    TO_GALLERY,
    image_template,
    kept,
)


def test_what_the_service_adds() -> None:
    """Absent members come back with the recorded defaults."""
    found = kept(distribute=[TO_GALLERY])
    assert found["source"]["exactVersion"] == "latest"
    assert found["buildTimeoutInMinutes"] == 0
    assert found["stagingResourceGroup"] == ""
    assert "vmProfile" not in found
    distributor = found["distribute"][0]
    assert (distributor["artifactTags"], distributor["excludeFromLatest"], distributor["versioning"]) == (
        {},
        False,
        None,
    )


def test_what_the_service_completes_and_drops() -> None:
    """An empty VM profile is filled, an empty checksum goes."""
    found = kept(vmProfile={}, customize=[{**SHELL, "sha256Checksum": ""}])
    assert found["vmProfile"] == {"vmSize": "", "osDiskSizeGB": 0}
    assert "sha256Checksum" not in found["customize"][0]


@pytest.mark.parametrize(
    ("api_version", "members"),
    [
        ("2020-02-14", ["properties", "identity", "id", "name", "type", "location", "tags"]),
        ("2022-07-01", ["properties", "identity", "tags", "location", "id", "name", "type"]),
        (LATEST, ["properties", "identity", "tags", "location", "id", "name", "type"]),
    ],
)
def test_the_order_of_the_members(api_version: str, members: list[str]) -> None:
    """The caller's api-version decides the order."""
    assert list(render(image_template(), api_version, None)) == members


def test_ids_are_written_with_a_small_g() -> None:
    """The id has `resourcegroups`, the staging group's has `resourceGroups`."""
    body = render(image_template(), LATEST, None)
    assert "/resourcegroups/" in body["id"]
    assert "/resourceGroups/" in body["properties"]["exactStagingResourceGroup"]


def test_old_versions_show_less() -> None:
    """Before 2022-02-14 there is no exact version and no staging group, before 2022-07-01 no versioning."""
    template = image_template(distribute=[TO_GALLERY])
    old, middle = (render(template, version, None)["properties"] for version in ("2020-02-14", "2022-02-14"))
    assert "exactVersion" not in old["source"]
    assert not {"stagingResourceGroup", "exactStagingResourceGroup"} & set(old)
    assert "exactVersion" in middle["source"]
    assert "versioning" not in middle["distribute"][0]
    assert "versioning" in render(template, "2022-07-01", None)["properties"]["distribute"][0]


@pytest.mark.parametrize(
    ("properties", "since", "before"),
    [
        ({"optimize": {"vmBoot": {"state": "Enabled"}}}, "2022-07-01", "2022-02-14"),
        ({"errorHandling": {"onCustomizerError": "abort"}}, "2023-07-01", "2022-07-01"),
        ({"autoRun": {"state": "Disabled"}}, "2024-02-01", "2023-07-01"),
        ({"managedResourceTags": {"a": "b"}}, "2024-02-01", "2023-07-01"),
        ({"additionalDataDisks": [{"sizeGB": 4}]}, "2025-10-01", "2024-02-01"),
    ],
)
def test_members_show_since_they_exist(properties: dict[str, Any], since: str, before: str) -> None:
    """A caller with an older api-version does not see what that one does not have."""
    template, (name,) = image_template(**properties), properties
    assert render(template, since, None)["properties"][name] == properties[name]
    assert name not in render(template, before, None)["properties"]


def test_an_answer_does_not_share_what_is_kept() -> None:
    """Changing an answer changes nothing that is kept."""
    template = image_template()
    render(template, LATEST, None)["properties"]["source"]["sku"] = "other"
    assert template.properties["source"]["sku"] == "18.04-LTS"


@pytest.mark.parametrize("artifact", [{"artifactId": "/subscriptions/s"}, {"artifactUri": "https://b/v.vhd"}])
def test_a_run_output_has_an_id_or_an_address(artifact: dict[str, Any]) -> None:
    """Images have an artifact id, VHDs an address and no id."""
    template = image_template()
    body = run_output_body(template.image_template_id, {"name": "ro1", **artifact})
    assert list(body) == ["properties", "id", "name", "type"]
    assert body["properties"] == {**artifact, "provisioningState": "Succeeded"}
    assert body["id"].endswith("/imageTemplates/tmpl1/runOutputs/ro1")

"""Staging groups and logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.contract.image_builder.calls import ONE, create, last_run_status

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm


def test_managed_resource_tags_are_on_the_group(raw: RawArm) -> None:
    """The staging group has the service's three tags and those that were asked for."""
    create(raw, managedResourceTags={"team": "images"})
    group = raw.send("GET", raw.send("GET", ONE).json()["properties"]["exactStagingResourceGroup"]).json()
    assert sorted(group["tags"]) == ["createdBy", "imageTemplateName", "imageTemplateResourceGroupName", "team"]
    assert (group["tags"]["imageTemplateName"], group["tags"]["imageTemplateResourceGroupName"]) == ("tmpl1", "images")


@pytest.mark.parametrize("name", ["imageTemplateName", "imageTemplateResourceGroupName"])
def test_a_staging_group_that_names_another_fails_the_run(raw: RawArm, name: str) -> None:
    """At build time the two tags of the staging group must match the image template; mended, it builds again."""
    create(raw)
    group_id = raw.send("GET", ONE).json()["properties"]["exactStagingResourceGroup"]
    tags = raw.send("GET", group_id).json()["tags"]
    states = []
    for changed in ({**tags, name: "another"}, tags):
        assert raw.send("PATCH", group_id, {"tags": changed}).status_code == 200
        raw.send("POST", f"{ONE}/run")
        raw.thread.control.advance(600)
        states.append(last_run_status(raw)["runState"])
    assert states == ["Failed", "Succeeded"]


def test_the_id_in_brackets_is_not_the_folders(raw: RawArm) -> None:
    """A failed run's message names a folder and an id of the log's lines, and the two differ."""
    create(raw)
    raw.thread.control.plan_failure(kind="customizer")
    raw.send("POST", f"{ONE}/run")
    raw.thread.control.advance(1000)
    message = raw.send("GET", ONE).json()["properties"]["lastRunStatus"]["message"]
    folder = re.search(r"/containers/packerlogs/([0-9a-f-]{36})/customization\.log", message)
    prefix = re.search(r"Use this operationId ([0-9a-f-]{36}) to search packer logs", message)
    assert folder is not None
    assert prefix is not None
    assert folder[1] != prefix[1]

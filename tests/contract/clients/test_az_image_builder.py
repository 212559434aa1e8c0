from __future__ import annotations

from typing import Any

import pytest

from tests.contract.clients.az_cli import GROUP, NEEDS_AZ, Az
from tests.contract.image_builder.calls import TO_VHD, document

pytestmark = NEEDS_AZ
NAME = (*GROUP, "--name", "tmpl1")
TYPE = ("--resource-type", "Microsoft.VirtualMachineImages/imageTemplates")
UBUNTU = "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest"


@pytest.fixture
def from_file(az: Az) -> Az:
    """Create an image template from a file."""
    body = document(az.subscription_id, distribute=[TO_VHD])
    az("image", "builder", "create", *NAME, "--image-template", az.write("image_template.json", body))
    return az


def test_create_from_flags(az: Az) -> None:
    """Source, identity, script and gallery are given as flags; a run leaves a version."""
    what = ("--image-source", UBUNTU, "--identity", "image-builder", "--scripts", "https://example.com/hello.sh")
    to = ("--shared-image-destinations", "corp/linux-base=eastus,westus2")
    made = az("image", "builder", "create", *NAME, *what, *to)
    assert made["provisioningState"] == "Succeeded"
    assert made["source"]["exactVersion"] == "22.04.202608070"
    assert made["customize"][0]["scriptUri"] == "https://example.com/hello.sh"
    az("image", "builder", "run", *NAME)
    (output,) = az("image", "builder", "show-runs", *NAME)
    assert "/galleries/corp/images/linux-base/versions/" in output["artifactId"]


def test_create_from_a_file_and_run(from_file: Az) -> None:
    """An image template from a file is shown and listed; its run leaves a VHD."""
    shown = from_file("image", "builder", "show", *NAME)
    assert (shown["name"], shown["lastRunStatus"]) == ("tmpl1", None)
    from_file("image", "builder", "run", *NAME)
    assert from_file("image", "builder", "show", *NAME)["lastRunStatus"]["runState"] == "Succeeded"
    (output,) = from_file("image", "builder", "show-runs", *NAME)
    assert output["artifactUri"].startswith(from_file.blob_url)
    assert [item["name"] for item in from_file("image", "builder", "list", *GROUP)] == ["tmpl1"]


def test_waits(az: Az) -> None:
    """The wait command sees the end of a creation that was only begun, and that a deleted image template is gone."""
    body = document(az.subscription_id)
    file = az.write("image_template.json", body)
    az("image", "builder", "create", *NAME, "--image-template", file, "--no-wait")
    az("image", "builder", "wait", *NAME, "--created", "--interval", "1")
    assert az("image", "builder", "show", *NAME)["provisioningState"] == "Succeeded"
    az("image", "builder", "delete", *NAME)
    az("image", "builder", "wait", *NAME, "--deleted", "--interval", "1")
    refused = az.refused("image", "builder", "show", *NAME)
    assert refused.exit_code == 3
    assert "(ResourceNotFound)" in refused.message


def test_cancel(from_file: Az) -> None:
    """A run that goes on is cancelled, and reads so once az has waited for it."""
    from_file.control.set_scale(20)
    from_file("image", "builder", "run", *NAME, "--no-wait")
    from_file("image", "builder", "cancel", *NAME)
    from_file.control.set_scale(400)
    from_file("image", "builder", "wait", *NAME, "--custom", "lastRunStatus.runState=='Canceled'", "--interval", "1")
    run = from_file("image", "builder", "show", *NAME)["lastRunStatus"]
    assert (run["runState"], run["message"]) == ("Canceled", "The build was canceled")


def test_a_failed_build_is_told(from_file: Az) -> None:
    """The run command of a build that fails prints the operation's error."""
    from_file.control.plan_failure(kind="customizer", index=0, exit_code=3)
    refused = from_file.refused("image", "builder", "run", *NAME)
    assert refused.exit_code == 1
    assert "Packer" in refused.message


def test_update(from_file: Az) -> None:
    """An update that PUTs is refused in the service's words; one that PATCHes the identity is not."""
    refused = from_file.refused("image", "builder", "update", *NAME, "--set", "tags.owner=me")
    assert "(Conflict) Update/Upgrade of image templates is currently not supported" in refused.message
    from_file("identity", "create", *GROUP, "--name", "second")
    from_file("image", "builder", "identity", "assign", *NAME, "--user-assigned", "second")
    assigned = from_file("image", "builder", "identity", "show", *NAME)["userAssignedIdentities"]
    assert any(identity_id.endswith("/second") for identity_id in assigned)


def test_deferred_creation(az: Az) -> None:
    """An image template that az puts together in its own cache is created by its update command."""
    az("image", "builder", "create", *NAME, "--image-source", UBUNTU, "--identity", "image-builder", "--defer")
    script = ("--customizer-name", "hello", "--type", "shell", "--inline-script", "echo hello")
    az("image", "builder", "customizer", "add", *NAME, *script, "--defer")
    az("image", "builder", "output", "add", *NAME, "--output-name", "disk", "--is-vhd", "--defer")
    made = az("image", "builder", "update", *NAME)
    assert made["provisioningState"] == "Succeeded"
    assert made["customize"][0]["inline"] == ["echo hello"]


def test_triggers(az: Az) -> None:
    """A trigger of the service is made, shown, listed and deleted."""
    what = ("--image-source", UBUNTU, "--identity", "image-builder")
    az("image", "builder", "create", *NAME, *what, "--shared-image-destinations", "corp/linux-base=eastus")
    one = (*GROUP, "--image-template-name", "tmpl1", "--name", "source")
    made = az("image", "builder", "trigger", "create", *one, "--kind", "SourceImage")
    assert (made["kind"], made["provisioningState"]) == ("SourceImage", "Succeeded")
    assert az("image", "builder", "trigger", "show", *one)["id"] == made["id"]
    every = (*GROUP, "--image-template-name", "tmpl1")
    assert [item["name"] for item in az("image", "builder", "trigger", "list", *every)] == ["source"]
    az("image", "builder", "trigger", "delete", *one, "--yes")
    assert az("image", "builder", "trigger", "list", *every) == []


def test_generic_commands(from_file: Az) -> None:
    """The commands for resources of any type show and run an image template, and delete it."""
    assert shown(from_file, *NAME, *TYPE) == shown(from_file, "--ids", shown(from_file, *NAME, *TYPE)["id"])
    from_file("resource", "invoke-action", *NAME, *TYPE, "--action", "Run", "--api-version", "2024-02-01")
    assert shown(from_file, *NAME, *TYPE)["properties"]["lastRunStatus"]["runState"] == "Succeeded"
    assert "tmpl1" in [item["name"] for item in from_file("resource", "list", *GROUP)]
    from_file("resource", "delete", *NAME, *TYPE)
    assert from_file("image", "builder", "list", *GROUP) == []


def shown(az: Az, *which: str) -> dict[str, Any]:
    """Return what `az resource show` says."""
    found: dict[str, Any] = az("resource", "show", *which)
    return found

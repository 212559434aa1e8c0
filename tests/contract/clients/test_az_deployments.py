from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.clients.az_cli import GROUP, NEEDS_AZ, Az
from tests.contract.resources.documents import asked, document, golden_image, golden_image_in_a_gallery, identity

pytestmark = NEEDS_AZ
FIRST = (*GROUP, "--name", "first")


@pytest.fixture
def file(az: Az) -> str:
    """Write a document with a comment and a line break in a text, neither of which JSON has."""
    text = json.dumps(golden_image(), indent=2).replace("echo hello", "echo hello\n  echo again")
    return az.write("main.json", f"// the image of all machines\n{text}")


def test_create_from_a_file(az: Az, file: str) -> None:
    """The file goes to the emulator as it is, and its resources are made."""
    made = deploy(az, file, "name=golden")
    assert made["properties"]["provisioningState"] == "Succeeded"
    shown = az("deployment", "group", "show", *FIRST)
    outputs = shown["properties"]["outputs"]
    assert outputs["imageTemplateId"]["value"].endswith("/imageTemplates/golden")
    inline = az("image", "builder", "show", *GROUP, "--name", "golden")["customize"][0]["inline"]
    assert inline == ["echo hello\n  echo again"]
    operations = az("deployment", "operation", "group", "list", *FIRST)
    assert len(operations) == 4
    assert [item["name"] for item in az("deployment", "group", "list", *GROUP)] == ["first"]
    assert az("deployment", "group", "export", *FIRST)["outputs"].keys() == golden_image()["outputs"].keys()
    az("deployment", "group", "delete", *FIRST)
    assert az("deployment", "group", "list", *GROUP) == []


def test_create_a_gallery_from_a_file(az: Az) -> None:
    """Gallery, definition and role come with the file, and the image template builds into them."""
    deploy(az, az.write("gallery.json", golden_image_in_a_gallery()), "name=golden")
    gallery = (*GROUP, "--gallery-name", "golden", "--gallery-image-definition", "linux")
    assert az("sig", "image-definition", "show", *gallery)["identifier"]["offer"] == "golden"
    assert az("image", "builder", "show", *GROUP, "--name", "golden")["provisioningState"] == "Succeeded"


def test_validate_and_what_if(az: Az, file: str) -> None:
    """Both tell about the file, and make nothing."""
    given = (*FIRST, "--template-file", file, "--parameters", "name=golden")
    assert az("deployment", "group", "validate", *given)["properties"]["provisioningState"] == "Succeeded"
    found = az("deployment", "group", "what-if", *given, "--no-pretty-print")["changes"]
    assert sorted(change["changeType"] for change in found) == ["Create"] * 3 + ["Ignore"] * 3
    assert az("image", "builder", "list", *GROUP) == []


def test_failures_are_told(az: Az, file: str) -> None:
    """A document that is refused and an image template that fails are told in the service's words."""
    wrong = az.write("wrong.json", document(identity("[nothing()]")))
    refused = az.refused("deployment", "group", "create", *FIRST, "--template-file", wrong)
    assert "InvalidTemplate" in refused.message
    assert "The template function 'nothing' is not valid" in refused.message
    az.control.plan_failure(kind="creation", image_template="golden")
    parameters = ("--parameters", "name=golden")
    refused = az.refused("deployment", "group", "create", *FIRST, "--template-file", file, *parameters)
    assert "DeploymentFailed" in refused.message
    assert "ResourceDeploymentFailure" in refused.message


def test_a_deployment_to_the_subscription(az: Az) -> None:
    """A document for the subscription makes a group."""
    group = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2024-11-01",
        "name": "made",
        "location": "[deployment().location]",
    }
    schema = "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#"
    file = az.write("group.json", {**asked(document(group))["properties"]["template"], "$schema": schema})
    where = ("--name", "whole", "--location", "eastus")
    made = az("deployment", "sub", "create", *where, "--template-file", file)
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert az("group", "show", "--name", "made")["location"] == "eastus"


def deploy(az: Az, file: str, *parameters: str) -> dict[str, Any]:
    """Deploy a file to the start world's group."""
    given = ("--template-file", file, "--parameters", *parameters)
    made: dict[str, Any] = az("deployment", "group", "create", *FIRST, *given)
    return made

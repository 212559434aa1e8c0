"""Kinds of things that published image templates hold, each as a small sample of our own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ImageTemplateReadError, ImageTemplateRenderError
from airflow_aib.image_template.checks import examine
from airflow_aib.image_template.document import IMAGE_TEMPLATE_TYPE, documents_of, read_document
from airflow_aib.image_template.render import RenderedImageTemplate, render
from airflow_aib.image_template.text.source_text import SourceText
from airflow_aib.image_template.upgraded_text import upgraded_text
from tests.unit.airflow_aib.image_template.checks.findings import rules
from tests.unit.airflow_aib.image_template.sample_documents import (
    CONTEXT,
    GROUP,
    IDENTITY,
    body,
    platform_image,
    rendered,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "/tmp/a"
DEFINITION = f"{GROUP}/providers/Microsoft.Compute/galleries/corp/images/linux-base"


def deployed(file: dict[str, Any], resource: dict[str, Any], **parameters: object) -> RenderedImageTemplate:
    """Render an image template from a deployment file."""
    image_template = {"type": IMAGE_TEMPLATE_TYPE, "name": "linux", **resource}
    return render(read_document({**file, "resources": [image_template]}), parameters, CONTEXT)


def said(image_template: dict[str, Any] | None = None, **properties: Any) -> set[str]:
    """Return what is said about a body, beside that its spelling is an old one."""
    return set(rules(image_template, **properties)) - {"warning spelling-outdated"}


def to_gallery(**more: Any) -> list[dict[str, Any]]:
    """Build a distributor to a gallery, as a list."""
    return [{"type": "SharedImage", "runOutputName": "v", "galleryImageId": DEFINITION, **more}]


def test_members_of_a_resource_in_another_letter_case() -> None:
    """Azure Resource Manager ignores the letter case of its own members, as `Name`."""
    written = {key.capitalize(): value for key, value in body().items()}
    resource = {"Type": IMAGE_TEMPLATE_TYPE, "Name": "linux", **written}
    found = render(read_document({"Resources": [resource]}), {}, CONTEXT)

    assert (found.name, found.body) == ("linux", body())
    assert examine(found).findings == ()


def test_a_finding_below_members_in_another_letter_case_has_its_resources_line() -> None:
    """What stands below a respelt member is found at its resource."""
    resource = {"Type": IMAGE_TEMPLATE_TYPE, "Name": "linux", "Properties": body()["properties"]}
    text = SourceText('{\n"Resources": [\n' + json.dumps(resource) + "]}", "a.json")
    (document,) = documents_of(text)

    assert {finding.line for finding in examine(render(document, {}, CONTEXT)).findings} == {3}


@pytest.mark.parametrize("wrap", [lambda resource: resource, lambda resource: {"Resources": [resource]}])
def test_a_file_with_members_in_another_letter_case_is_upgraded(wrap: Callable[[Any], Any]) -> None:
    """Such members are written as they are documented, and what stands below them is upgraded as elsewhere."""
    customize = [{"type": "shell", "inline": ["true"]}]
    resource = {"Type": IMAGE_TEMPLATE_TYPE, "Name": "linux", "Properties": body(customize=customize)["properties"]}
    text, changes = upgraded_text(SourceText(json.dumps(wrap(resource), indent=2), "a.json"))
    (document,) = documents_of(SourceText(text, "a.json"))

    assert list(json.loads(text)) == list(wrap({"type": "", "name": "", "properties": {}}))
    assert document.body["properties"]["customize"] == [{"type": "Shell", "inline": ["true"]}]
    assert {change.former_path.removeprefix("/Resources/0") for change in changes} == {
        "/Type",
        "/Name",
        "/Properties",
        "/Properties/customize/0/type",
    }


def test_two_spellings_of_one_member_are_left_alone() -> None:
    """Of two members that differ in letter case only, none is taken for the other."""
    document = read_document(body() | {"Tags": {"a": "b"}, "TAGS": {"c": "d"}})

    assert (document.body["Tags"], document.body["TAGS"]) == ({"a": "b"}, {"c": "d"})


COMMENTED = """
{
  "parameters": {
    // "imageTemplateName": { "type": "string" },
  },
  "resources": [ {
    // "name": "[parameters('imageTemplateName')]",
    "name": "linux", "type": "Microsoft.VirtualMachineImages/imageTemplates",
    "location": "eastus",
    "properties": {
      "source": { "type": "ManagedImage", "imageId": "/subscriptions/<subscriptionId>/resourceGroups/{rgName}/providers\
/Microsoft.Compute/images/base" },
      "distribute": [ { "type": "VHD", "runOutputName": "vhd", "artifactTags": {
        // "built": "<when>"
      } }, ]
    }
  } ]
}
"""


def test_members_that_were_commented_away() -> None:
    """What stands in a comment asks for no value, also where nothing else is left in an object."""
    (document,) = documents_of(SourceText(COMMENTED, "a.json"))
    found = render(document, {}, CONTEXT)

    assert found.body["properties"]["source"]["imageId"] == f"{GROUP}/providers/Microsoft.Compute/images/base"
    assert found.body["properties"]["distribute"][0]["artifactTags"] == {}


def test_what_azure_answered_can_be_submitted_again() -> None:
    """An exported image template is read, without what only Azure writes."""
    properties = body()["properties"] | {
        "provisioningState": "Succeeded",
        "exactStagingResourceGroup": f"{GROUP}-staging",
        "lastRunStatus": {"runState": "Succeeded", "message": ""},
    }
    answer = body() | {
        "id": f"{GROUP}/providers/{IMAGE_TEMPLATE_TYPE}/linux",
        "name": "linux",
        "type": IMAGE_TEMPLATE_TYPE,
        "systemData": {"createdBy": "somebody"},
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": {IDENTITY: {"principalId": "p", "clientId": "c"}},
        },
        "properties": properties | {"source": properties["source"] | {"exactVersion": "24.04.202609100"}},
    }

    assert rendered(answer).body == body()
    assert said(answer) == set()


NOTHING_TO_SAY: dict[str, dict[str, Any]] = {
    "steps whose names are empty": {
        "source": platform_image("MicrosoftWindowsServer"),
        "customize": [{"type": "WindowsRestart", "name": "", "restartCommand": "", "restartCheckCommand": ""}] * 2,
    },
    "exit codes as text": {
        "customize": [{"type": "PowerShell", "inline": ["exit 3010"], "validExitCodes": ["0", "3010"]}],
    },
    "kinds and members in lower case": {
        "customize": [{"type": "file", "sourceUri": "https://example.com/a", "destination": TARGET}],
        "optimize": {"vmboot": {"state": "Enabled"}},
    },
    "members that are null": {
        "vmProfile": {"vmSize": "Standard_D2s_v5", "vnetConfig": None},
        "optimize": None,
        "validate": None,
        "source": platform_image() | {"planInfo": None},
    },
    "lines that begin and end with brackets": {
        "customize": [{"type": "Shell", "inline": ["#", "[ -d /app ]", "[[ $A == (b) ]]", "[Net.X]::Protocol", ""]}],
    },
    "a region as it is shown": {"distribute": to_gallery(targetRegions=[{"name": "West US"}])},
    "no region but the image template's own": {"distribute": to_gallery(replicationRegions=[])},
    "characters beyond Unicode's first plane": {"customize": [{"type": "Shell", "inline": ["echo '\U0001f539 done'"]}]},
}


@pytest.mark.parametrize("properties", NOTHING_TO_SAY.values(), ids=NOTHING_TO_SAY)
def test_nothing_is_said_about(properties: dict[str, Any]) -> None:
    """What the service takes, in a form that people and tools write, gets no finding."""
    assert said(**properties) == set()


def test_a_pinned_version_is_no_error() -> None:
    """The id of a version is a good place for an image, though every build but the first then fails."""
    assert rules(distribute=to_gallery(galleryImageId=f"{DEFINITION}/versions/1.0.0")) == ["warning version-pinned"]


WRITTEN: dict[str, tuple[Any, Any]] = {
    "a member of an object": ("[parameters('image').sku]", "minimal"),
    "a name with a hyphen": ("[parameters('api-version')]", "2020-02-14"),
    "doubled quotes": ("[concat('Get ''', variables('base'), '/a.zip''')]", "Get 'https://example.com/a.zip'"),
    "a scope in pieces": (
        "[concat('/subscriptions/', subscription().subscriptionId, '/resourceGroups/', resourceGroup().name)]",
        GROUP,
    ),
    "the default of a default": ("[variables('place')]", "eastus"),
    "nothing": ("[json('null')]", None),
    "a whole list": ("[parameters('regions')]", ["eastus", "westus2"]),
    "a whole object": ("[parameters('image')]", {"sku": "minimal"}),
    "brackets that stay": ("[[ -f /tmp/a ]", "[ -f /tmp/a ]"),
}
DECLARED = {
    "parameters": {
        "image": {"type": "object", "defaultValue": {"sku": "minimal"}},
        "regions": {"type": "array", "defaultValue": ["eastus", "westus2"]},
        "location": {"type": "string", "defaultValue": "[resourceGroup().location]"},
        "api-version": {"type": "string"},
    },
    "variables": {
        "account": "example.com",
        "base": "[format('https://{0}', variables('account'))]",
        "place": "[parameters('location')]",
    },
}


@pytest.mark.parametrize(("expression", "value"), WRITTEN.values(), ids=WRITTEN)
def test_expressions_that_are_written(expression: str, value: Any) -> None:
    """A deployment file says it so, and means this."""
    resource = body() | {"apiVersion": "[parameters('api-version')]", "tags": {"x": expression}}

    assert deployed(DECLARED, resource, **{"api-version": "2020-02-14"}).body["tags"] == {"x": value}


def test_an_identity_from_a_variable() -> None:
    """Whole members of the resource may be expressions."""
    file = {"variables": {"identity": body()["identity"], "tags": {"a": "b"}}}
    found = deployed(file, body() | {"identity": "[variables('identity')]", "tags": "[variables('tags')]"})

    assert found.body["identity"] == body()["identity"]
    assert found.body["tags"] == {"a": "b"}


@pytest.mark.parametrize("placeholder", ["{subscription-id}", "{subscriptionID}", "<subscription id>"])
def test_placeholders_inside_resource_ids(placeholder: str) -> None:
    """A bracket of either form in a resource id is a placeholder, whatever joins its words."""
    image_id = f"/subscriptions/{placeholder}/resourceGroups/images/providers/Microsoft.Compute/images/base"
    document = read_document(body(source={"type": "ManagedImage", "imageId": image_id}))
    name = placeholder.strip("<>{}")
    if name.casefold() != "subscriptionid":
        with pytest.raises(ImageTemplateRenderError, match="has no value for") as caught:
            render(document, {}, CONTEXT)
        assert caught.value.missing == (name,)

    found = render(document, {name: "s1"}, CONTEXT)
    assert found.body["properties"]["source"]["imageId"] == image_id.replace(placeholder, "s1")


def nested(*resources: dict[str, Any]) -> dict[str, Any]:
    """Build a deployment as it stands in a deployment file."""
    return {
        "type": "Microsoft.Resources/deployments",
        "name": "inner",
        "properties": {"mode": "Incremental", "template": {"resources": [*resources]}},
    }


IMAGE_TEMPLATE = {"type": IMAGE_TEMPLATE_TYPE, "name": "linux", **body()}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"resources": [nested(IMAGE_TEMPLATE)]}, "nested deployment"),
        ({"resources": [nested(nested(IMAGE_TEMPLATE))]}, "nested deployment"),
        ({"resources": {"inner": nested(IMAGE_TEMPLATE)}}, "nested deployment"),
        ({"resources": [nested({"type": "Microsoft.Compute/galleries", "name": "corp"})]}, "holds no image template"),
        ({"resources": [{"type": "Microsoft.Resources/deployments", "properties": None}]}, "holds no image template"),
        ({"$schema": "s", "parameters": {"imageTemplateName": {"value": "linux"}}}, "values of parameters"),
        ({"Name": "Image Builder", "IsCustom": True, "Actions": []}, "is no image template"),
        ({"type": f"{IMAGE_TEMPLATE_TYPE}/triggers", "properties": {"kind": "SourceImage"}}, "not an image template"),
    ],
)
def test_files_that_lie_beside_image_templates(content: dict[str, Any], said: str) -> None:
    """Parameter files, role definitions, triggers and files of nested deployments are refused by what they are."""
    with pytest.raises(ImageTemplateReadError, match=said):
        read_document(content)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda text: text.replace('"eastus",', '"eastus"'), 3),
        (lambda text: text.replace('"eastus",', '"eastus,'), 3),
        (lambda text: text.replace('"eastus",', "${var.location},"), 2),
        (lambda text: text.replace('"eastus",', "<region>,"), 2),
        (lambda text: text.replace('"eastus",', '“eastus",'), 2),
        (lambda text: text.replace('"eastus",', '"eastus", ...'), 2),
    ],
    ids=["comma", "quote", "variable", "placeholder", "typographic quote", "dots"],
)
def test_slips_of_the_pen(spoil: Callable[[str], str], line: int) -> None:
    """What is broken is reported in its line, or where it is first noticed, one line further."""
    text = '{\n "location": "eastus",\n "properties": {}\n}'

    with pytest.raises(ImageTemplateReadError) as caught:
        documents_of(SourceText(spoil(text), "a.json"))
    assert caught.value.line == line

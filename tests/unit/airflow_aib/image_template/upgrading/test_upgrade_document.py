from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from airflow_aib.image_template.document import read_document, read_documents
from airflow_aib.image_template.pointers import resolve
from airflow_aib.image_template.render import render
from airflow_aib.image_template.upgrading.upgrade import Upgraded, upgrade_document
from tests.unit.airflow_aib.image_template.old_documents import BARE, CONTENTS
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, PARAMETERS, SAMPLES

NETWORK = "Microsoft.Network/virtualNetworks"


def upgraded(properties: dict[str, Any], *, in_deployment: bool = False) -> Upgraded:
    """Upgrade properties as they were written."""
    body = {"type": "Microsoft.VirtualMachineImages/imageTemplates", "properties": properties}
    return upgrade_document(read_document({"resources": [body]} if in_deployment else body))


def subnet(names: dict[str, str], *, in_deployment: bool = False) -> object:
    """Upgrade a network given by names."""
    body = upgraded({"vmProfile": {"vnetConfig": names}}, in_deployment=in_deployment).body
    network = body["properties"]["vmProfile"]["vnetConfig"]
    return network.get("subnetId", network)


@pytest.mark.parametrize(
    ("names", "subnet_id"),
    [
        ({"name": "v", "subnetName": "s"}, f"[resourceId('{NETWORK}/subnets', 'v', 's')]"),
        (
            {"name": "[parameters('v')]", "subnetName": "[ concat('s', '-1') ]", "resourceGroupName": "it's"},
            f"[resourceId('it''s', '{NETWORK}/subnets', parameters('v'), concat('s', '-1'))]",
        ),
        (
            {"name": "<v>", "subnetName": "s", "resourceGroupName": "g"},
            f"/subscriptions/<subscriptionId>/resourceGroups/g/providers/{NETWORK}/<v>/subnets/s",
        ),
    ],
)
def test_subnet_in_a_deployment_file(names: dict[str, str], subnet_id: str) -> None:
    """Names become an expression; placeholders, which no expression can hold, an id with placeholders."""
    assert subnet(names, in_deployment=True) == subnet_id


@pytest.mark.parametrize(
    ("names", "subnet_id"),
    [
        (
            {"name": "v", "subnetName": "<s>"},
            f"/subscriptions/<subscriptionId>/resourceGroups/<resourceGroupName>/providers/{NETWORK}/v/subnets/<s>",
        ),
        ({"name": "v", "subnetName": "[parameters('s')]"}, f"[resourceId('{NETWORK}/subnets', 'v', parameters('s'))]"),
    ],
)
def test_subnet_in_a_bare_resource(names: dict[str, str], subnet_id: str) -> None:
    """Names become an id with the placeholders that rendering fills."""
    assert subnet(names) == subnet_id


def test_a_subnet_of_expressions_and_placeholders_stays() -> None:
    """An expression cannot hold a placeholder, so both together are left to rendering."""
    names = {"name": "<v>", "subnetName": "[parameters('s')]"}

    assert subnet(names) == names


@pytest.mark.parametrize(
    "customizer",
    [
        {"type": "PowerShell", "inline": "<commands>"},
        {"type": "PowerShell", "inline": "[parameters('commands')]"},
        {"type": "PowerShell", "validExitCodes": "0,<code>"},
        {"type": "PowerShell", "runElevated": "<elevated>"},
        {"type": "[parameters('kind')]", "script": "https://a"},
    ],
)
def test_what_needs_a_value_stays(customizer: dict[str, Any]) -> None:
    """What depends on a value that is not known yet is left to rendering."""
    result = upgraded({"customize": [customizer]})

    assert result.body["properties"] == {"customize": [customizer]}
    assert (result.changes, result.edits) == ((), ())


@pytest.mark.parametrize(
    ("line", "in_deployment"), [("[ -f x ]", False), ("echo <b>", False), ("[[ -f x ]", True), ("<a> and <b>", True)]
)
def test_what_is_text_for_sure_becomes_a_list(line: str, in_deployment: bool) -> None:
    """A shell's brackets and placeholders inside a text need no value to be seen as one line."""
    body = upgraded({"customize": [{"type": "Shell", "inline": line}]}, in_deployment=in_deployment).body

    assert body["properties"]["customize"][0]["inline"] == [line]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_sample_renders_the_same(name: str) -> None:
    """An upgraded sample gives the body that the old one gives."""
    document = read_document(SAMPLES / name)
    again = replace(document, body=upgrade_document(document).body)

    assert render(again, PARAMETERS[name], CONTEXT).body == render(document, PARAMETERS[name], CONTEXT).body


PARAMETERS_OF_ANY = {
    "vnetName": "v",
    "minutes": 90,
    "code": "1",
    "codes": [0],
    "region": "eastus",
    "commands": "ls",
}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(CONTENTS)
def test_any_document_renders_the_same(content: dict[str, Any]) -> None:
    """Upgrading a document and then filling it in gives what filling in and then upgrading gives."""
    # In a deployment file one bracket more makes a text of it.
    fit = json.loads(json.dumps(content).replace("[ -f x ]", "[[ -f x ]"))
    for document in read_documents(fit):
        known = replace(document, parameters={}, variables={"v": "2020-02-14"})
        again = replace(known, body=upgrade_document(known).body)
        assert render(again, PARAMETERS_OF_ANY, CONTEXT).body == render(known, PARAMETERS_OF_ANY, CONTEXT).body


@given(BARE)
def test_upgrading_twice_changes_nothing_more(content: dict[str, Any]) -> None:
    """An upgraded document is current, whatever it was."""
    document = read_document(content)
    once = upgrade_document(document).body

    assert upgrade_document(replace(document, body=once)) == Upgraded(once)


def leaves(value: Any) -> list[str]:
    """Give all plain values inside a value."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [leaf for item in items for leaf in leaves(item)]
    return [str(value).casefold()]


@given(BARE)
def test_nothing_is_lost(content: dict[str, Any]) -> None:
    """Only what Azure writes goes, and what an old api-version ignored, which is said; every other value is there."""
    document = read_document(content)
    result = upgrade_document(document)
    ignored = [resolve(document.body, change.former_path)[0] for change in result.changes if "ignores" in change.why]
    accounted = " ".join(leaves(result.body)) + " " + str(result.changes)
    gone = {"succeeded", "1.0.0", "p", "c", "t", "", "none", *leaves(ignored)}

    for leaf in leaves(content):
        assert leaf in gone or all(part.strip() in accounted.casefold() for part in leaf.split(","))

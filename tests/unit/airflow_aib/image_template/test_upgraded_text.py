from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from airflow_aib.exceptions import ImageTemplateCheckError, ImageTemplateEditError
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.pointers import parent
from airflow_aib.image_template.text.source_text import SourceText, parse_text
from airflow_aib.image_template.upgraded_text import upgraded_text
from airflow_aib.image_template.upgrading.upgrade import upgrade_document
from tests.unit.airflow_aib.image_template.old_documents import files
from tests.unit.airflow_aib.image_template.sample_documents import SAMPLES

if TYPE_CHECKING:
    from airflow_aib.image_template.upgrading.change import Change


SUBNET = "/subscriptions/<subscriptionId>/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"


def upgraded(text: str, name: str = "a.yaml", **options: Any) -> str:
    """Upgrade a text, and make sure that a second time changes nothing."""
    once, _ = upgraded_text(SourceText(text, name), **options)
    assert upgraded_text(SourceText(once, name), **options) == (once, [])
    return once


def yaml_of(*lines: str) -> str:
    """Build a YAML file with one customizer."""
    return "\n".join(["properties:", "  customize:", *lines, ""])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            ["  - type: shell  # a", "    inline: one"],
            ["  - type: Shell  # a", "    inline: [one]"],
        ),
        (
            ["  - inline: a, b # c", "    type: 'shell'"],
            ["  - inline:", "    - a, b # c", "    type: 'Shell'"],
        ),
        (
            ["  - type: Shell", "    inline: |", "      one", "", "      two", "  # end"],
            ["  - type: Shell", "    inline:", "    - |", "      one", "", "      two", "  # end"],
        ),
        (
            ["  - type: Shell", "    inline: one", "      two"],
            ["  - type: Shell", "    inline:", "    - one", "      two"],
        ),
        (
            ["  - type: Shell", "    inline:", "     one, two"],
            ["  - type: Shell", "    inline:", "    - one, two"],
        ),
        (
            ['  - {"type": "shell", inline: "one"}'],
            ['  - {"type": "Shell", inline: ["one"]}'],
        ),
        (
            ["  - type: PowerShell", '    valid_exit_codes: "0,3010"'],
            ["  - type: PowerShell", "    validExitCodes: [0, 3010]"],
        ),
        (
            ["  - type: PowerShell", "    'valid_exit_codes': &codes '0'  # kept"],
            ["  - type: PowerShell", "    'validExitCodes': &codes [0]  # kept"],
        ),
    ],
)
def test_customizers_in_yaml(old: list[str], new: list[str]) -> None:
    """Only the old spelling is another; comments, quotes and the other lines stay."""
    assert upgraded(yaml_of(*old)) == yaml_of(*new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("source: {type: ManagedImage, exactVersion: 1.0.0}", "source: {type: ManagedImage}"),
        ("source: {exactVersion: 1.0.0, type: ManagedImage}", "source: {type: ManagedImage}"),
        (
            "source:\n    exactVersion: 1.0.0\n    # a\n    type: ManagedImage",
            "source:\n    # a\n    type: ManagedImage",
        ),
        ("lastRunStatus: # a\n    runState: Succeeded # b\n  x: 1", "# a\n  # b\n  x: 1"),
        ("source:\n    type: ManagedImage\n    exactVersion: 1.0.0 # a", "source:\n    type: ManagedImage\n    # a"),
        (
            "lastRunStatus:\n    runState: Succeeded\n  # a\n  source: {}",
            "# a\n  source: {}",
        ),
        (
            "vmProfile:\n    vnetConfig:\n      name: v # a\n      subnetName: s\n      resourceGroupName: g",
            f"vmProfile:\n    vnetConfig:\n      subnetId: {SUBNET} # a",
        ),
    ],
)
def test_members_in_yaml(old: str, new: str) -> None:
    """Members go with their lines and commas, and nothing else does."""
    assert upgraded(f"properties:\n  {old}\n").replace('"', "") == f"properties:\n  {new}\n".replace('"', "")


def test_what_becomes_empty_in_yaml() -> None:
    """Where nothing is left, braces say so."""
    text = "properties: {}\nidentity:\n  userAssignedIdentities:\n    /a: # x\n      clientId: c\n    /b:\n"

    assert upgraded(text) == "properties: {}\nidentity:\n  userAssignedIdentities:\n    /a: {} # x\n    /b: {}\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"a": 1, "provisioningState": "x"}', '{"a": 1}'),
        ('{"provisioningState": "x", "a": 1}', '{"a": 1}'),
        ('{ "a": 1, "provisioningState": "x", "lastRunStatus": {} }', '{ "a": 1 }'),
        ('{ "provisioningState": "x" }', "{ }"),
        ('{\n  "a": 1, // b\n  "provisioningState": "x"\n}', '{\n  "a": 1 // b\n}'),
        ('{\n  "provisioningState": "x", // b\n  "a": 1\n}', '{\n  // b\n  "a": 1\n}'),
        ('{\n  "a": 1,\n  "provisioningState": "x",\n}', '{\n  "a": 1,\n}'),
        ('{\r\n\t"lastRunStatus": {\r\n\t},\r\n\t"a": 1\r\n}', '{\r\n\t"a": 1\r\n}'),
        ('{\r\n"provisioningState": "x",\n"a": 1\r\n}', '{\r\n"a": 1\r\n}'),
        ('{"a": 1 /* , */ , "provisioningState": "x"}', '{"a": 1 /* , */ }'),
        ('{"buildTimeoutInMinutes" : "9"}', '{"buildTimeoutInMinutes" : 9}'),
        (
            '{"Customize": [{"type":"Shell","inline":"a\\u0041\nb"}]}',
            '{"customize": [{"type":"Shell","inline":["a\\u0041\nb"]}]}',
        ),
    ],
)
def test_members_in_json(old: str, new: str) -> None:
    """Commas stay right, lines stay whole, and nothing is written anew that need not be."""
    assert upgraded(f'{{"properties": {old}}}', "a.json") == f'{{"properties": {new}}}'


def test_target_regions_when_asked() -> None:
    """The list of regions becomes the newer one, comments and all, only when asked for."""
    text = (SAMPLES / "old-regions.yaml").read_text()

    assert upgraded(text).count("replicationRegions") == 2
    assert upgraded(text, target_regions=True) == (SAMPLES / "target-regions.yaml").read_text()


def test_every_image_template_of_a_deployment_file() -> None:
    """All of them are upgraded, with api-version and type; other resources stay."""
    text = """{"resources": {
  "gallery": {"type": "Microsoft.Compute/galleries", "apiVersion": "2020-02-14"},
  "one": {"type": "Microsoft.VirtualMachineImages", "apiVersion": "2020-02-14", "properties": {}},
  "two": {"type": "microsoft.virtualmachineimages/imageTemplates", "apiVersion": "[variables('v')]", "properties": {}}
}}"""
    current = "Microsoft.VirtualMachineImages/imageTemplates"

    assert upgraded(text, "a.json") == (
        text.replace('Images", "apiVersion": "2020-02-14"', 'Images", "apiVersion": "2025-10-01"')
        .replace('"Microsoft.VirtualMachineImages"', f'"{current}"')
        .replace("microsoft.virtualmachineimages/imageTemplates", current)
    )


def test_paths_are_those_of_the_file() -> None:
    """A change names its place in the file, now and before."""
    text = '{"resources": [{"type": "Microsoft.VirtualMachineImages/imageTemplates", "properties": {"Source": {}}}]}'
    _, (change,) = upgraded_text(SourceText(text, "a.json"))

    assert (change.path, change.former_path) == ("/resources/0/properties/source", "/resources/0/properties/Source")


def test_target_regions_know_where_they_were() -> None:
    """What is changed in two steps is reported from before both."""
    text = '{"properties": {"Distribute": [{"type": "SharedImage", "ReplicationRegions": ["eastus"]}]}}'
    _, changes = upgraded_text(SourceText(text, "a.json"), target_regions=True)

    assert changes[-1].path == "/properties/distribute/0/targetRegions"
    assert changes[-1].former_path == "/properties/Distribute/0/ReplicationRegions"


def test_an_iso_source_is_refused() -> None:
    """There is no current spelling of a retired source: the error has the dates, the place and what to use."""
    text = '{"properties":\n {"source": {"type": "iso", "sourceURI": "https://a"}}}'
    with pytest.raises(ImageTemplateCheckError, match=r"31 March 2020.*30 April 2020.*PlatformImage") as caught:
        upgraded_text(SourceText(text, "a.json"))

    (finding,) = caught.value.findings
    assert (finding.rule, finding.line) == ("source-iso-retired", 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "x: &s {type: shell}\nproperties:\n  source: {<<: *s}\n  customize: [*s]\n"),
        ("a.yaml", "x: &s {type: shell}\nproperties:\n  customize: [*s]\n"),
        ("a.yaml", "properties:\n  customize:\n  - type: !!str shell\n    inline: &a b\n    name: *a\n"),
        ("a.json", '{"properties": {"Source": {}, "Source": {"type": "x"}}}'),
    ],
)
def test_what_would_lose_something_is_refused(name: str, text: str) -> None:
    """A text that cannot be edited safely gives an error that says so, and no text."""
    with pytest.raises(ImageTemplateEditError, match=r"cannot be edited .*by hand"):
        upgraded_text(SourceText(text, name))


def test_what_anchors_share_is_edited_once() -> None:
    """Where all places that an anchor fills are of one kind, its text is edited."""
    text = "properties:\n  customize:\n  - &one {type: shell, inline: a}\n  - *one\n"

    assert upgraded(text) == text.replace("shell", "Shell").replace("inline: a", "inline: [a]")


def test_an_alias_is_replaced_where_it_stands() -> None:
    """What shares an anchor with other things leaves the anchor to them."""
    text = "x: &code '0'\nproperties:\n  customize:\n  - {type: PowerShell, validExitCodes: *code}\n"

    assert upgraded(text) == text.replace("*code", "[0]")


def lines_touched(text: SourceText, changes: list[Change]) -> set[int]:
    """Give the lines in which something may be another: those of what is changed; with removals, those around."""
    touched: set[int] = set()
    for change in changes:
        is_removal = not change.new or "subnet" in change.new
        places = text.places
        place = places.nearest(parent(change.former_path) if is_removal else change.former_path)
        first, _ = places.position(min(place.start, place.value.start))
        last, _ = places.position(place.value.end)
        touched.update(range(first, last + 1))
    return touched


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(files(), st.booleans())
def test_any_file(file: tuple[str, str, Any], target_regions: bool) -> None:
    """The edited text says what the upgraded data say, has all comments, the same other lines, and is current."""
    name, text, content = file
    source = SourceText(text, name)
    assume(parse_text(text, name)[0] == content)
    new, changes = upgraded_text(source, target_regions=target_regions)

    assert re.findall(r"(?:#|//|/\*) c\d+", new) == re.findall(r"(?:#|//|/\*) c\d+", text)
    assert upgraded_text(SourceText(new, name), target_regions=target_regions) == (new, [])
    if not target_regions:
        bodies = [upgrade_document(document).body for document in documents_of(source)]
        assert [document.body for document in documents_of(SourceText(new, name))] == bodies
        compared = difflib.SequenceMatcher(None, text.split("\n"), new.split("\n"), autojunk=False)
        others = {
            line + 1
            for kind, start, end, _, _ in compared.get_opcodes()
            if kind != "equal"
            for line in range(start, end)
        }
        assert others <= lines_touched(source, changes)

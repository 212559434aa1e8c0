from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_aib.image_template.checks import check, check_together, examine
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.finding import Finding
from airflow_aib.image_template.render import RenderedImageTemplate, render
from tests.unit.airflow_aib.image_template.checks.findings import findings, rules
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, GROUP, PARAMETERS, body, rendered_sample

IMAGE = f"{GROUP}/providers/Microsoft.Compute/images/a"


def test_good_image_template() -> None:
    """A good image template has no findings."""
    assert findings() == []


@pytest.mark.parametrize("name", PARAMETERS)
def test_samples_have_no_errors(name: str) -> None:
    """No sample, old or new, has an error."""
    assert [finding for finding in check(rendered_sample(name)) if finding.severity == "error"] == []


def test_errors_come_first() -> None:
    """All findings of all parts are given, errors before warnings."""
    severities = [
        finding.severity
        for finding in findings(
            source={"type": "PlatformImage", "publisher": "p", "offer": "o", "sku": "s"},
            buildTimeoutInMinutes=3,
            unknownThing=1,
            distribute=[],
        )
    ]

    assert severities == ["error", "error", "error", "warning"]


def test_secrets_are_masked() -> None:
    """A secure parameter in a wrong place is reported without being shown."""
    document = {
        "parameters": {"s": {"type": "securestring"}},
        "resources": [
            {
                "type": "Microsoft.VirtualMachineImages/imageTemplates",
                **body(distribute=[{"type": "VHD", "runOutputName": "[concat(parameters('s'), '!')]"}]),
            }
        ],
    }
    (finding,) = check(render(read_document(document), {"s": "hunter22"}, CONTEXT))

    assert "hunter22" not in str(finding)
    assert "***" in finding.message


def test_finding_as_text_and_json() -> None:
    """A finding is one readable line, and one JSON object."""
    finding = Finding("error", "/properties/x", "a-rule", "It is wrong", "Correct it.")

    assert str(finding) == "error: /properties/x: It is wrong. Correct it. [a-rule]"
    assert str(replace(finding, path="")) == "error: It is wrong. Correct it. [a-rule]"
    assert finding.without_severity == "/properties/x: It is wrong. Correct it. [a-rule]"
    assert json.loads(json.dumps(finding.to_json()))["rule"] == "a-rule"


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2000) | st.sampled_from(["Shell", "File", "VHD", "x", "/tmp/x", "5m"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "name", "inline", "scriptUri", "destination", "runOutputName", "imageId", "updateLimit", "uri"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
names = st.sampled_from(
    ["source", "customize", "distribute", "vmProfile", "validate", "optimize", "buildTimeoutInMinutes", "x"]
)


@given(st.dictionaries(names, values), values, values)
@example({"customize": [{"type": []}], "validate": {"inVMValidations": [{"type": {}}]}}, None, None)
def test_nothing_breaks_the_checks(properties: dict[str, Any], identity: Any, location: Any) -> None:
    """Whatever stands in a body, there are findings and no exception."""
    rendered = RenderedImageTemplate(
        body={"location": location, "identity": identity, "properties": properties},
        name=None,
        api_version=None,
        depends_on=(),
        source="<dict>",
    )

    found = [*check(rendered), *check_together([rendered, replace(rendered, name="another")])]
    assert all(finding.rule and finding.message for finding in found)


def test_empty_body() -> None:
    """An empty body lacks region, identity, source and distributors."""
    empty = RenderedImageTemplate(body={}, name=None, api_version=None, depends_on=(), source="<dict>")

    assert {finding.path for finding in check(empty)} == {
        "/location",
        "/identity",
        "/properties/source",
        "/properties/distribute",
    }


@pytest.mark.parametrize("name", ["a b", "ü", "", "x" * 65, "a/b"])
def test_names_that_azure_refuses(name: str) -> None:
    """A name is 1 to 64 letters, digits, dots, underscores and hyphens."""
    assert rules(body() | {"name": name}) == ["error name-form"]


@pytest.mark.parametrize("name", ["a", "A-1_2.3", "x" * 64])
def test_names_that_azure_takes(name: str) -> None:
    """Names in Azure's form are no finding."""
    assert rules(body() | {"name": name}) == []


@pytest.mark.parametrize(
    ("api_version", "expected"),
    [
        ("2018-02-01-preview", []),
        ("2019-05-01-preview", ["warning kind-unknown", "warning member-version"]),
        ("2025-10-01", ["error identity-required", "error kind-unknown", "error member-version"]),
        (None, ["error identity-required", "warning spelling-outdated"]),
    ],
)
def test_as_written_for_an_api_version(api_version: str | None, expected: list[str]) -> None:
    """A document is compared as it is written where an api-version is asked for, else as it is submitted."""
    image_template = body(customize=[{"type": "shell", "script": "https://example.com/a.sh"}])
    del image_template["identity"]
    image_template["properties"]["distribute"] = [
        {"type": "managedImage", "runOutputName": "a", "imageId": IMAGE, "location": "eastus"}
    ]
    found = examine(render(read_document(image_template), {}, CONTEXT), api_version=api_version).findings

    shape = [f"{finding.severity} {finding.rule}" for finding in found]
    assert sorted(set(shape)) == expected


def test_long_keys_do_not_make_long_messages() -> None:
    """A key without end is not quoted to its end, and costs no time to compare."""
    long: dict[str, Any] = {"x" * 200_000: 1}
    (finding,) = findings(**long)

    assert finding.rule == "member-unknown"
    assert len(finding.message) < 3000


@pytest.mark.parametrize(
    ("api_version", "severity"), [("2019-05-01-preview", "warning"), ("2020-02-14", "error"), ("2025-10-01", "error")]
)
def test_what_was_documented_then_is_no_error(api_version: str, severity: str) -> None:
    """What the documentation of 2019 showed, and the schema of then has otherwise, is doubtful until 2020-02-14."""
    customize = [
        {"type": "Shell", "inline": "a, b"},
        {"type": "PowerShell", "inline": ["a"], "runElevated": "true", "validExitCodes": "0"},
    ]
    image_template = body(customize=customize, distribute=[{"type": "vhd", "runOutputName": "a"}])
    found = examine(render(read_document(image_template), {}, CONTEXT), api_version=api_version).findings

    assert {(finding.severity, finding.path) for finding in found if finding.rule != "elevated-system"} == {
        (severity, "/properties/customize/0/inline"),
        (severity, "/properties/customize/1/runElevated"),
        (severity, "/properties/customize/1/validExitCodes"),
        (severity, "/properties/distribute/0/type"),
    }


@pytest.mark.parametrize(("api_version", "is_advised"), [("2022-02-14", False), ("2022-07-01", True), (None, True)])
def test_nothing_newer_is_advised_for_an_old_api_version(api_version: str | None, *, is_advised: bool) -> None:
    """Where an api-version has no targetRegions, its only way to write regions is not called deprecated."""
    gallery_image = f"{GROUP}/providers/Microsoft.Compute/galleries/g/images/d"
    to = {
        "type": "SharedImage",
        "galleryImageId": gallery_image,
        "runOutputName": "a",
        "replicationRegions": ["eastus"],
    }
    found = examine(render(read_document(body(distribute=[to])), {}, CONTEXT), api_version=api_version).findings

    assert [finding.rule for finding in found] == ["regions-deprecated"] * is_advised


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"type": "Microsoft.VirtualMachineImages"}, ["warning member-value"]),
        ({"type": "microsoft.virtualmachineimages/imagetemplates"}, []),
        ({"apiVersion": "2024-02-02"}, ["warning api-version-unknown"]),
        ({"apiVersion": "2099-01-01"}, ["warning api-version-unknown"]),
        ({"apiVersion": "2019-05-01-preview"}, []),
    ],
)
def test_type_and_api_version_as_written(words: dict[str, str], expected: list[str]) -> None:
    """Neither is submitted, and what a deployment of Azure's own would refuse is a warning with what is meant."""
    assert rules(body() | words) == expected


def test_the_nearest_right_type_and_api_version() -> None:
    """What is meant stands in the hint."""
    found = findings(body() | {"type": "Microsoft.VirtualMachineImages", "apiVersion": "2024-02-02"})

    assert [finding.hint for finding in found] == [
        "Write 'Microsoft.VirtualMachineImages/imageTemplates'.",
        "Is '2024-02-01' meant?",
    ]

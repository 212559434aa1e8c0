from __future__ import annotations

from typing import Any

import pytest

from airflow_aib.image_template.checks import check, examine
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import render
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, body

OLD = {"type": "VHD", "runOutputName": "vhd", "tags": {"a": "b"}}
MISSPELT = {"type": "VHD", "runOutputName": "vhd", "aritfactTags": {"a": "b"}}


def outdated(api_version: str | None, parameters: dict[str, object] | None = None, **properties: Any) -> list[str]:
    """Return what is said about old spellings."""
    document = read_document(body(**properties) | ({"apiVersion": api_version} if api_version else {}))
    found = check(render(document, parameters or {}, CONTEXT, allow_unknown=True))
    return [f"{finding.path}: {finding.message}" for finding in found if finding.rule == "spelling-outdated"]


def test_a_misspelt_member() -> None:
    """What no api-version had is remarked on, where it stands and with its right spelling."""
    assert outdated("2025-10-01", distribute=[MISSPELT]) == [
        "/properties/distribute/0/aritfactTags: 'aritfactTags' is now called 'artifactTags'; it is submitted so"
    ]


@pytest.mark.parametrize(
    ("api_version", "distributor", "count"),
    [
        ("2019-05-01-preview", OLD, 0),
        ("2020-02-14", OLD, 1),
        (None, OLD, 1),
        ("2019-05-01-preview", MISSPELT, 1),
        ("[parameters('version')]", OLD, 0),
    ],
)
def test_a_document_that_is_simply_old(api_version: str | None, distributor: dict[str, Any], count: int) -> None:
    """A spelling that the document's api-version explains is no mistake; where that is not known, nothing is said."""
    assert len(outdated(api_version, distribute=[distributor])) == count


def test_a_value_that_was_passed_as_text() -> None:
    """A number that came as text with a parameter is nothing that the document could write otherwise."""
    assert outdated(None, {"minutes": "90"}, buildTimeoutInMinutes="<minutes>") == []
    assert outdated(None, buildTimeoutInMinutes="90") == [
        "/properties/buildTimeoutInMinutes: Text becomes the integer 90; it is submitted so"
    ]


def test_a_member_that_takes_a_value() -> None:
    """The member's own spelling is the document's, whatever its value is."""
    customize = [{"type": "Shell", "ScriptUri": "<address>"}]

    assert len(outdated("2024-02-01", {"address": "https://scripts.example/a"}, customize=customize)) == 1


def test_with_an_api_version_of_ones_own() -> None:
    """Compared with an older api-version, the document counts as it is written."""
    document = read_document(body(distribute=[OLD]))
    examination = examine(render(document, {}, CONTEXT), api_version="2019-05-01-preview")

    assert [finding for finding in examination.findings if finding.rule == "spelling-outdated"] == []

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from airflow_aib.exceptions import ImageTemplateReadError
from airflow_aib.image_template.checksums import (
    address_in,
    checksum_in,
    download_steps,
    with_checksums,
)
from airflow_aib.image_template.document import documents_of, read_document
from airflow_aib.image_template.render import render
from airflow_aib.image_template.text.source_text import SourceText, parse_text
from tests.unit.airflow_aib.image_template.old_documents import files
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, SAMPLES

HEX = "ade4c5214c3c675e92c66e2d067a870c5b81b9844b3de3cc72c49ff36425fc93"
DIGITS = "1" * 64


def written(text: str, *, name: str = "a.yaml", checksum: str = HEX) -> str:
    """Write the same checksum to every step of a file."""
    source = SourceText(text, name)
    steps = [step for document in documents_of(source) for step in download_steps(document)]
    return with_checksums(source, dict.fromkeys((step.pointer for step in steps), checksum))


def test_steps_of_every_kind() -> None:
    """Scripts and files of customizers, validators and workloads are found."""
    steps = download_steps(read_document(SAMPLES / "current.yaml"))

    assert {step.pointer: step.address for step in steps} == {
        "/properties/optimize/workload/scriptUri": "https://scripts.example/workload.sh",
        "/properties/customize/1/sourceUri": "https://scripts.example/motd",
        "/properties/validate/inVMValidations/1/sourceUri": "https://scripts.example/probe",
    }
    assert not any(step.checksum for step in steps)


def test_steps_in_old_spellings() -> None:
    """Old names of addresses are known, and what has a checksum is not missed."""
    document = read_document(
        {
            "properties": {
                "Customize": [
                    {"type": "shell", "script": "https://a"},
                    {"type": "File", "sourceURI": "https://b", "SHA256Checksum": HEX},
                    {"type": "Shell", "inline": ["a"]},
                    {"type": "File", "sourceUri": "https://c", "sha256Checksum": ""},
                ]
            }
        }
    )

    assert [step.checksum for step in download_steps(document)] == [None, HEX, ""]
    assert [step.pointer for step in download_steps(document)] == [
        f"/properties/Customize/{place}" for place in ("0/script", "1/sourceURI", "3/sourceUri")
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "- scriptUri: https://a # b\n    type: Shell",
            "- scriptUri: https://a # b\n    sha256Checksum: SUM\n    type: Shell",
        ),
        (
            "- {type: Shell, scriptUri: 'https://a'}",
            "- {type: Shell, scriptUri: 'https://a', sha256Checksum: 'SUM'}",
        ),
        (
            "- type: Shell\n    scriptUri: https://a",
            "- type: Shell\n    scriptUri: https://a\n    sha256Checksum: SUM",
        ),
        (
            "- {type: Shell, scriptUri: https://a, sha256Checksum: old}",
            "- {type: Shell, scriptUri: https://a, sha256Checksum: SUM}",
        ),
        (
            "- type: Shell\n    scriptUri: https://a\n    sha256Checksum:",
            "- type: Shell\n    scriptUri: https://a\n    sha256Checksum: SUM",
        ),
    ],
)
def test_checksums_in_yaml(old: str, new: str) -> None:
    """A checksum stands behind its address in the address's own style, or in place of a wrong one."""
    text = "properties:\n  customize:\n  {}\n"

    assert written(text.format(old)) == text.format(new.replace("SUM", HEX))


def test_a_checksum_of_digits_only_is_text() -> None:
    """In YAML it would be a number without quotes."""
    text = "properties:\n  customize:\n  - type: Shell\n    scriptUri: https://a\n"

    assert written(text, checksum=DIGITS) == f'{text}    sha256Checksum: "{DIGITS}"\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            '{"type": "Shell", "scriptUri": "https://a"}',
            '{"type": "Shell", "scriptUri": "https://a", "sha256Checksum": "SUM"}',
        ),
        (
            '{\n "scriptUri": "https://a", // b\n "type": "Shell"\n}',
            '{\n "scriptUri": "https://a", // b\n "sha256Checksum": "SUM",\n "type": "Shell"\n}',
        ),
        (
            '{\n "type": "Shell",\n "scriptUri": "https://a" /* b */\n}',
            '{\n "type": "Shell",\n "scriptUri": "https://a", /* b */\n "sha256Checksum": "SUM"\n}',
        ),
        (
            '{\r\n\t"type": "Shell",\r\n\t"scriptUri": "https://a"\r\n}',
            '{\r\n\t"type": "Shell",\r\n\t"scriptUri": "https://a",\r\n\t"sha256Checksum": "SUM"\r\n}',
        ),
        (
            '{"type": "Shell",\n"scriptUri": "https://a" /* b\n */}',
            '{"type": "Shell",\n"scriptUri": "https://a", "sha256Checksum": "SUM" /* b\n */}',
        ),
    ],
)
def test_checksums_in_json(old: str, new: str) -> None:
    """Lines, indentation, comments and commas stay right."""
    text = '{"properties": {"customize": [%s]}}'

    assert written(text % old, name="a.json") == text % new.replace("SUM", HEX)


def test_where_there_is_no_step() -> None:
    """A pointer to anything else is an error."""
    with pytest.raises(ImageTemplateReadError, match="no script or file at /properties/source"):
        with_checksums(SourceText('{"properties": {"source": {}}}', "a.json"), {"/properties/source": HEX})


def test_filled_in() -> None:
    """Addresses and checksums that are expressions are found in the rendered document."""
    customizer = {"type": "File", "sourceURI": "[concat(parameters('base'), '/a')]", "sha256Checksum": "<sum>"}
    document = read_document({"properties": {"customize": [customizer]}})
    rendered = render(document, {"base": "https://a", "sum": HEX}, CONTEXT)
    (step,) = download_steps(document)

    assert address_in(rendered.written, step, document) == "https://a/a"
    assert checksum_in(rendered.written, step, document) == HEX


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(files(), st.sampled_from([HEX, DIGITS]))
def test_any_file(file: tuple[str, str, object], checksum: str) -> None:
    """Whatever the file, each step has the checksum then, and a second time changes nothing."""
    name, text, content = file
    assume(parse_text(text, name)[0] == content)
    new = written(text, name=name, checksum=checksum)

    steps = [step for document in documents_of(SourceText(new, name)) for step in download_steps(document)]
    assert all(step.checksum == checksum for step in steps)
    assert written(new, name=name, checksum=checksum) == new

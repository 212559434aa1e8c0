from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.image_template.checks import examine
from airflow_aib.image_template.document import documents_of, read_document
from airflow_aib.image_template.render import render
from airflow_aib.image_template.text.source_text import SourceText
from tests.unit.airflow_aib.image_template.sample_documents import CONTEXT, IDENTITY, body

if TYPE_CHECKING:
    from airflow_aib.image_template.examination import Examination

YAML = f"""\
# the whole file
location: eastus
identity: {{type: UserAssigned, userAssignedIdentities: {{"{IDENTITY}": {{}}}}}}
properties:
  source: {{type: PlatformImage, publisher: Canonical, offer: o, sku: s, version: latest}}
  # alone
  buildTimeoutInMinutes: 3 # behind
  customize:
    - type: Shell
      inline:
        - |
          # inside
          true
  distribute: [{{type: VHD, runOutputName: vhd}}]
"""


def examined(text: str, source: str = "a.yaml", **disabled: str) -> Examination:
    """Examine the one image template of a text."""
    (document,) = documents_of(SourceText(text, source))
    rules = {rule.replace("_", "-"): reason for rule, reason in disabled.items()}
    return examine(render(document, {}, CONTEXT), disabled=rules)


def rules(examination: Examination) -> list[str]:
    """Return the rules that count."""
    return [finding.rule for finding in examination.findings]


def reasons(examination: Examination) -> list[tuple[str, str]]:
    """Return the rules that are switched off, with the reasons."""
    return [(finding.rule, reason) for finding, reason in examination.switched_off]


def test_nothing_switched_off() -> None:
    """Without a word, the error counts, and says its line and column."""
    (finding,) = examined(YAML).findings

    assert (finding.rule, finding.file, finding.line, finding.column) == ("timeout-too-short", "a.yaml", 7, 3)
    assert finding.path == "/properties/buildTimeoutInMinutes"
    assert str(finding).startswith("a.yaml:7:3: error: /properties/buildTimeoutInMinutes: AIB fails")
    assert finding.without_severity.startswith("a.yaml:7:3: /properties/buildTimeoutInMinutes: AIB fails")


@pytest.mark.parametrize(
    ("where", "directive"),
    [
        ("# behind", "airflow-aib: disable=timeout-too-short -- a test"),
        ("# alone", "airflow-aib: disable=timeout-too-short -- a test"),
        ("# alone", "airflow-aib: disable = timeout-too-short --   a test  "),
        ("# the whole file", "airflow-aib: disable-file=timeout-too-short -- a test"),
    ],
)
def test_comments_of_yaml(where: str, directive: str) -> None:
    """A comment behind a line, before it, or for the file switches a rule off there, with its reason."""
    examination = examined(YAML.replace(where, f"# {directive}"))

    assert rules(examination) == []
    assert reasons(examination) == [("timeout-too-short", "a test")]


@pytest.mark.parametrize("where", ["# the whole file", "# inside"])
def test_comments_elsewhere(where: str) -> None:
    """A comment at another line, or a line of a script that looks like one, switches nothing off."""
    examination = examined(YAML.replace(where, "# airflow-aib: disable=timeout-too-short -- a test"))

    assert rules(examination)[0] == "timeout-too-short"
    assert rules(examination)[1:] == ["switch-unused" if where == "# the whole file" else "switch-inside"]


@pytest.mark.parametrize("comment", ["// {}", "/* {} */"])
def test_comments_of_json(comment: str) -> None:
    """JSON with comments can say it too, also several rules at once."""
    directive = comment.format("airflow-aib: disable=timeout-too-short,member-range -- a test")
    text = json.dumps(body(buildTimeoutInMinutes=3), indent=1).replace(
        '"buildTimeoutInMinutes": 3', f'"buildTimeoutInMinutes": 3 {directive}'
    )
    examination = examined(text, "a.json")

    assert reasons(examination) == [("timeout-too-short", "a test")]
    assert rules(examination) == ["switch-unused"]


@pytest.mark.parametrize("is_deployment", [False, True])
def test_metadata(is_deployment: bool) -> None:
    """Metadata of the image template, or of the deployment file, switches a rule off."""
    metadata = {"metadata": {"airflow-aib": {"disable": {"timeout-too-short": "a test"}}}}
    resource: dict[str, Any] = body(buildTimeoutInMinutes=3)
    if is_deployment:
        resource = {"resources": [{"type": "Microsoft.VirtualMachineImages/imageTemplates", **resource}]}
    examination = examine(render(read_document(resource | metadata), {}, CONTEXT))

    assert rules(examination) == []
    assert reasons(examination) == [("timeout-too-short", "a test")]


def test_for_a_call() -> None:
    """Whoever calls can switch rules off; what is not found then is no remark."""
    examination = examined(YAML, timeout_too_short="a test", step_system="a test")

    assert rules(examination) == []
    assert reasons(examination) == [("timeout-too-short", "a test")]


@pytest.mark.parametrize(
    ("rule", "reason", "message", "hint"),
    [
        ("timeout_short", "a test", "no rule 'timeout-short'", "Is 'timeout-too-short' meant?"),
        ("x", "a test", "no rule 'x'", "docs/reference/rules has them all."),
        ("timeout_too_short", "", "without a reason", "Say why, beside the rule."),
    ],
)
def test_remarks_on_a_call(rule: str, reason: str, message: str, hint: str) -> None:
    """What the caller says is mended where the caller says it, and not with a comment in the document."""
    remark = next(found for found in examined(YAML, **{rule: reason}).findings if found.rule.startswith("switch"))

    assert message in remark.message
    assert "`disabled_rules` of the task or `--disable`" in remark.message
    assert remark.hint == hint


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("disable=timeout-short -- a test", ["timeout-too-short", "switch-unknown"]),
        ("disable=timeout-too-short", ["switch-reason"]),
        ("disable=timeout-too-short --", ["switch-reason"]),
        ("disable=step-system -- a test", ["timeout-too-short", "switch-unused"]),
        ("disabled", ["timeout-too-short", "switch-unread"]),
        ("disable=timeout-too-short - a test", ["timeout-too-short", "switch-unread"]),
    ],
)
def test_remarks_on_switches(directive: str, expected: list[str]) -> None:
    """A rule that is none, one without a reason, and one with nothing to say are remarked on, with their line."""
    examination = examined(YAML.replace("# behind", f"# airflow-aib: {directive}"))

    assert rules(examination) == expected
    assert all(finding.line == 7 for finding in examination.findings)


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0c"])
def test_lines_end_where_those_of_findings_do(odd: str) -> None:
    """What only some programs take for a line end does not move the line that is meant."""
    written = {"comments": f"a{odd}b", **body(buildTimeoutInMinutes=3)}
    member, directive = '"buildTimeoutInMinutes"', "// airflow-aib: disable=timeout-too-short -- a test"
    text = json.dumps(written, indent=1, ensure_ascii=False).replace(member, f"{directive}\n{member}")

    assert reasons(examined(text, "a.json")) == [("timeout-too-short", "a test")]


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("airflow-aib ignore=timeout-too-short", ["switch-unread"]),
        ("airflow-aib disable=timeout-too-short -- a test", ["switch-unread"]),
        ("airflow-aib check finds nothing here", []),
    ],
)
def test_comments_that_are_not_understood(comment: str, expected: list[str]) -> None:
    """A comment that is meant to switch something off, and does not, is remarked on; a sentence is not."""
    assert rules(examined(YAML.replace("# behind", f"# {comment}")))[1:] == expected


@pytest.mark.parametrize("metadata", [{"disable": ["timeout-too-short"]}, {"ignore": {}}, ["timeout-too-short"]])
def test_metadata_that_is_not_understood(metadata: Any) -> None:
    """Metadata of another form switches nothing off, and a remark says so."""
    examination = examine(render(read_document(body() | {"metadata": {"airflow-aib": metadata}}), {}, CONTEXT))

    assert rules(examination) == ["switch-unread"]

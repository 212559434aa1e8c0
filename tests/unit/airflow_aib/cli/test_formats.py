from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic_sarif.model import (  # type: ignore[import-untyped]  # it carries no py.typed
    StaticAnalysisResultsFormatSarifVersion210JsonSchema as OfficialModel,
)

from airflow_aib.cli.output.as_json import MEMBERS
from airflow_aib.image_template.rules import RULES
from tests.unit.airflow_aib.cli.calling import call, resource, write

if TYPE_CHECKING:
    from pathlib import Path

ODD_NAME = "a,b: 50% done.json"
OFF = {"metadata": {"airflow-aib": {"disable": {"source-version": "a test"}}}}
SOURCE = {"type": "PlatformImage", "publisher": "Canonical", "offer": "o", "sku": "s"}


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "sub" / ODD_NAME, resource(buildTimeoutInMinutes=3, source=SOURCE) | OFF)


def sarif_run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """Return the one run of what a call writes as SARIF; the model made from the official schema accepts it."""
    log = json.loads(call(capsys, "check", *arguments, "--format", "sarif").stdout)
    OfficialModel.model_validate(log)
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    return dict(run)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    """A finding is an object whose members always stand in the same order, and stdout holds nothing else."""
    (finding,) = call(capsys, "check", ".", "--format", "json").findings

    assert tuple(finding) == MEMBERS == ("severity", "rule", "path", "line", "column", "message", "hint", "file")
    assert finding["file"] == f"sub/{ODD_NAME}"


def test_json_with_what_is_switched_off(capsys: pytest.CaptureFixture[str]) -> None:
    """What is switched off has its reason as one member more."""
    findings = call(capsys, "check", ".", "--format", "json", "--show-switched-off").findings

    assert [finding.get("switchedOff") for finding in findings] == [None, "a test"]


def test_github(capsys: pytest.CaptureFixture[str]) -> None:
    """A finding is a workflow command, in which what would end a property or the command is escaped."""
    line, *more = call(capsys, "check", ".", "--format", "github").stdout.splitlines()

    assert more == []
    assert line == (
        "::error file=sub/a%2Cb%3A 50%25 done.json,line=32,col=5,endColumn=31,title=timeout-too-short"
        "::AIB fails every build with 3 minutes%0AWrite 0, which means 240, or at least 6."
    )


def test_github_with_what_is_switched_off(capsys: pytest.CaptureFixture[str]) -> None:
    """What is switched off is a notice."""
    _, line = call(capsys, "check", ".", "--format", "github", "--show-switched-off").stdout.splitlines()

    assert line.startswith("::notice file=sub/")
    assert line.endswith("%0ASwitched off: a test")


def test_github_without_a_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A finding about the whole file names the file only."""
    off = {"metadata": {"airflow-aib": {"disable": {"nothing": "a test"}}}}
    write(tmp_path / "b.json", resource() | off)
    (line,) = call(capsys, "check", "b.json", "--format", "github").stdout.splitlines()

    assert line.startswith("::warning file=b.json,title=switch-unknown::")


def test_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    """A result has its rule, its level, and its place below the working directory, columns included."""
    (result,) = sarif_run(capsys, ".")["results"]
    (location,) = result["locations"]

    assert (result["ruleId"], result["level"]) == ("timeout-too-short", "error")
    assert result["message"]["text"].endswith("3 minutes. Write 0, which means 240, or at least 6.")
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "sub/a%2Cb%3A%2050%25%20done.json", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 32, "startColumn": 5, "endLine": 32, "endColumn": 31},
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "/properties/buildTimeoutInMinutes"
    assert "suppressions" not in result


def test_sarif_explains_its_rules(capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule that has a result is described, with what it demands and why."""
    run = sarif_run(capsys, ".")
    (rule,) = run["tool"]["driver"]["rules"]
    known = RULES["timeout-too-short"]

    assert run["results"][0]["ruleIndex"] == 0
    assert rule["id"] == known.rule_id
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["shortDescription"]["text"] == known.what
    assert all(known.why in rule["help"][form] for form in ("text", "markdown"))


@pytest.mark.parametrize(
    ("options", "kind"), [([], "inSource"), (["--disable", "source-version=a test"], "external")], ids=["file", "call"]
)
def test_sarif_with_what_is_switched_off(capsys: pytest.CaptureFixture[str], options: list[str], kind: str) -> None:
    """What is switched off is a suppressed result with its justification; the others say that they are not."""
    run = sarif_run(capsys, ".", "--show-switched-off", *options)

    assert [result["suppressions"] for result in run["results"]] == [
        [],
        [{"kind": kind, "justification": "a test"}],
    ]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["source-version", "timeout-too-short"]


def test_sarif_of_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A clean call is a run with an empty list: without it a code scanning service closes no alert."""
    write(tmp_path / "b.json", resource())

    assert sarif_run(capsys, "b.json")["results"] == []


def test_sarif_of_a_file_elsewhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file outside of the working directory has a full address."""
    file = write(tmp_path.parent / f"{tmp_path.name}-other.json", resource(distribute=[]))
    (result,) = sarif_run(capsys, file)["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": file.as_uri()}


def test_sarif_of_what_cannot_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A broken file is a result of one character, at the place where it breaks."""
    write(tmp_path / "b.json", '{\n"a": }')
    (result,) = sarif_run(capsys, "b.json")["results"]

    assert result["ruleId"] == "document-unreadable"
    assert result["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 2,
        "startColumn": 6,
        "endLine": 2,
        "endColumn": 7,
    }

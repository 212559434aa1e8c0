"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow_aib import __version__
from airflow_aib.cli.arguments import PROGRAM
from airflow_aib.cli.output.spans import span_of
from airflow_aib.image_template.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.reports import FileReport
    from airflow_aib.image_template.finding import Finding
    from airflow_aib.image_template.rules import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write(reports: Sequence[FileReport], console: Console, *, show_all: bool) -> None:
    """Write one run.

    :param show_all: whether to write also what is switched off, as suppressed results with their justification
    """
    pairs = [(report, finding, None) for report in reports for finding in report.findings]
    off = [(report, *pair) for report in reports for pair in report.switched_off] if show_all else []
    used = sorted({finding.rule for _, finding, _ in (*pairs, *off)})
    results = [_result(report, finding, used) for report, finding, _ in pairs]
    if show_all:
        # Once one result tells whether it is suppressed, all of them have to.
        results = [result | {"suppressions": []} for result in results]
        results += [
            _result(report, finding, used) | {"suppressions": [_suppression(report, finding, reason)]}
            for report, finding, reason in off
        ]
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(used, results)]}
    console.say_json(log)


def _run(rules: Iterable[str], results: list[dict[str, Any]]) -> dict[str, Any]:
    driver = {
        "name": PROGRAM,
        "semanticVersion": __version__,
        "rules": [_rule(RULES[rule]) for rule in rules if rule in RULES],
    }
    return {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}


def _rule(rule: Rule) -> dict[str, Any]:
    basis = "The service demands it" if rule.basis == "service" else "Advice"
    source = f"Known from: {rule.source}." if rule.source else ""
    switch = f"airflow-aib: disable={rule.rule_id} -- the reason"
    return {
        "id": rule.rule_id,
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.what} {rule.why} {source}\nTo switch it off, write a comment: {switch}",
            "markdown": f"{rule.what}\n\n**{basis}.** {rule.why} {source}\n\n"
            f"To switch it off, write a comment: `{switch}`.",
        },
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["azure", "image-builder", rule.basis]},
    }


def _result(report: FileReport, finding: Finding, rules: list[str]) -> dict[str, Any]:
    stop = "" if finding.message.endswith((".", "!", "?")) else "."
    index = {"ruleIndex": rules.index(finding.rule)} if finding.rule in RULES else {}
    return {
        "ruleId": finding.rule,
        **index,
        "level": finding.severity,
        "message": {"text": f"{finding.message}{stop} {finding.hint}".strip()},
        "locations": [_location(report, finding)],
    }


def _suppression(report: FileReport, finding: Finding, reason: str) -> dict[str, Any]:
    kind = "external" if finding.rule in report.disabled else "inSource"
    return {"kind": kind, "justification": reason}


def _location(report: FileReport, finding: Finding) -> dict[str, Any]:
    span = span_of(report, finding)
    physical: dict[str, Any] = {"artifactLocation": artifact_location(report.file)}
    if span:
        physical["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    logical = {"logicalLocations": [{"fullyQualifiedName": finding.path, "kind": "member"}]} if finding.path else {}
    return {"physicalLocation": physical, **logical}


def artifact_location(file: str) -> dict[str, str]:
    """Name a file relative to the working directory, which is the root of the sources; one outside of it in full."""
    absolute = os.path.abspath(file)  # noqa: PTH100 - Path.resolve would follow links
    relative = os.path.relpath(absolute)
    if relative.startswith(os.pardir):
        return {"uri": Path(absolute).as_uri()}
    return {"uri": quote(relative.replace(os.sep, "/")), "uriBaseId": "%SRCROOT%"}

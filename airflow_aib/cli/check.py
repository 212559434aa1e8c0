"""`airflow-aib check`: say what is wrong or doubtful."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.cli.files import sources_in
from airflow_aib.cli.image_templates import require_known
from airflow_aib.cli.output import writer_of
from airflow_aib.cli.reports import CheckCall
from airflow_aib.cli.rules import rule_named
from airflow_aib.cli.running import GOOD, NOT_GOOD
from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.cli.values import values_of
from airflow_aib.cli.whole_call import check_files, unused_names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.reports import FileReport


def run(options: argparse.Namespace, console: Console) -> int:
    """Check every image template that the call names."""
    require_known(options.api_version)
    call = CheckCall(values_of(options), dict(_switch(text) for text in options.disabled), options.api_version)
    reports = check_files(sources_in(options, console), call)
    writer_of(options.format)(reports, console, show_all=options.show_switched_off)
    for name in unused_names(reports, call.values):
        if name in call.values.assigned:
            console.remark(f"No checked file asks for --set {name}.")
    return _exit_code(reports, is_strict=options.strict)


def _exit_code(reports: Iterable[FileReport], *, is_strict: bool) -> int:
    findings = [finding for report in reports for finding in report.findings]
    return NOT_GOOD if any(is_strict or finding.severity == "error" for finding in findings) else GOOD


def _switch(text: str) -> tuple[str, str]:
    name, _, reason = (part.strip() for part in text.partition("="))
    rule = rule_named(name).rule_id
    if not reason:
        raise UnusableCallError(f"--disable: say why, as --disable '{rule}=the reason'.")
    return rule, reason

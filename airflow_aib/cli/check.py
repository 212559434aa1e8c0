"""`airflow-aib check`: say what is wrong or doubtful."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from airflow_aib.cli.files import doubtful_sources_of, sources_in
from airflow_aib.cli.image_templates import require_known
from airflow_aib.cli.output import writer_of
from airflow_aib.cli.reports import UNUSED, CheckCall, doubtful_reports
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
    call = CheckCall(
        values_of(options),
        dict(_switch(text) for text in options.disabled),
        options.api_version,
        options.only_image_templates,
    )
    sources = sources_in(options, console)
    reports = [*check_files(sources, call), *doubtful_reports(doubtful_sources_of(options.paths), call)]
    writer_of(options.format)(reports, console, show_all=options.show_switched_off)
    for name in unused_names(reports, call):
        if name in call.values.assigned:
            console.remark(f"No checked file asks for --set {name}.")
    if options.strict and not sources and any(Path(path).is_dir() for path in options.paths):
        return NOT_GOOD
    return _exit_code(reports, is_strict=options.strict)


def _exit_code(reports: Iterable[FileReport], *, is_strict: bool) -> int:
    # Values that several calls share may be more than one call needs; a misspelt one leaves another without value.
    findings = [finding for report in reports for finding in report.findings if finding.rule != UNUSED]
    return NOT_GOOD if any(is_strict or finding.severity == "error" for finding in findings) else GOOD


def _switch(text: str) -> tuple[str, str]:
    name, _, reason = (part.strip() for part in text.partition("="))
    rule = rule_named(name)
    if not rule.can_be_switched_off:
        raise UnusableCallError(f"--disable: {rule.rule_id} cannot be switched off; mend what it finds.")
    if not reason:
        raise UnusableCallError(f"--disable: say why, as --disable '{rule.rule_id}=the reason'.")
    return rule.rule_id, reason

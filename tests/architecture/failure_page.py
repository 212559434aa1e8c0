"""The page on classes of failure, from their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.image_run.failure_signatures import ALL_SIGNATURES
from airflow_aib.image_run.harmless_lines import HARMLESS
from airflow_aib.image_run.step_failures import EXIT_CODE_REMEDIES, FAILED_IN, OUTCOMES, TIMED_OUT_IN

if TYPE_CHECKING:
    from airflow_aib.image_run.failure_signature import Retry, Signature

NOTE = "<!-- Written by `make fix` from the tables of signatures and step_failures.py in airflow_aib/image_run/. -->"
HEAD = """\
# Classes of failure

What a [diagnosis](errors.md#diagnosis) can say, as `failure_class`. The names are stable: programs may ask for them.
*Again* says what [the retry policy](errors.md#retries) makes of it: after how long the same can succeed by itself,
`never`, or what the task's own `retries` say."""
_MINUTE = 60


def failure_page() -> str:
    """Return the page."""
    lines = [NOTE, "", HEAD]
    for heading, table in _sections().items():
        lines += ["", f"## {heading}", "", "| class | meaning | again | remedy |", "| --- | --- | --- | --- |"]
        lines += [_row(signature) for signature in table]
    lines += ["", "## Exit codes that say more", ""]
    lines += [f"- {remedy}" for remedy in EXIT_CODE_REMEDIES.values()]
    lines += [
        "",
        "## Lines that are no failure",
        "",
        "They stand in good builds too, and a diagnosis leaves them out.",
        "",
    ]
    lines += ["| part of the line | why |", "| --- | --- |"]
    lines += [f"| `{words}` | {why} |" for words, why in HARMLESS]
    return "\n".join(lines) + "\n"


def _sections() -> dict[str, list[Signature]]:
    by_step = {signature.failure_class: signature for signature in FAILED_IN.values()}
    return {
        "By the service's words or the log": list(ALL_SIGNATURES),
        "By the step that failed": list(by_step.values()),
        "By the step in which the time was over": list(TIMED_OUT_IN.values()),
        "By how it ended": list(OUTCOMES),
    }


def _row(signature: Signature) -> str:
    page = f"[more]({signature.documentation})"
    return (
        f"| `{signature.failure_class}` | {signature.meaning} | {_again(signature.retry)} | {signature.remedy} {page} |"
    )


def _again(retry: Retry) -> str:
    if retry.may_help is None:
        return "`retries`"
    return f"{(retry.after or 0) // _MINUTE} min" if retry.may_help else "never"

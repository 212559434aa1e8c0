"""Rules that somebody switched off, and why: for a call, for a file, or for a line.

In a comment, of YAML or of JSON:

    # airflow-aib: disable=timeout-windows -- measured, 40 minutes are enough
    # airflow-aib: disable-file=step-system -- the source is a hardened image of ours

The first counts for its own line, or for the next one where it stands alone. Where comments are not welcome, the
`metadata` of the image template or of the deployment file says it for the whole file:

    "metadata": {"airflow-aib": {"disable": {"timeout-windows": "measured, 40 minutes are enough"}}}
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.text.source_text import SourceText

_WORD = "airflow-aib:"
_DIRECTIVE = re.compile(
    rf"(?://|/\*|#)[\s#/*]*{_WORD}\s*disable(?P<file>-file)?\s*=\s*(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)"
    r"(?:\s+--(?P<reason>.*))?",
    re.DOTALL,
)
_HINT = "Write `airflow-aib: disable=RULE -- the reason`."


@dataclass(frozen=True)
class Switch:
    """Say that one rule does not count, where, and why.

    :param rule: its id
    :param reason: why
    :param line: the one line for which it counts; None for all of them
    :param said_at: line and column where it is written, if it is written in the document
    """

    rule: str
    reason: str
    line: int | None = None
    said_at: tuple[int, int] | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is switched off by it."""
        rule = RULES.get(self.rule)
        is_on = rule is not None and not rule.can_be_switched_off
        return not is_on and finding.rule == self.rule and self.line in (None, finding.line)


def switches_of(document: ImageTemplateDocument | None, disabled: Mapping[str, str]) -> list[Switch]:
    """Gather the switches of a call and of a document.

    :param disabled: the call's rules, each with the reason
    """
    switches = [Switch(rule, reason) for rule, reason in disabled.items()]
    if document is None:
        return switches
    for metadata in (document.body.get("metadata"), document.metadata):
        switches.extend(_from_metadata(metadata))
    if document.text is not None and _WORD in document.text.text:
        switches.extend(_from_comments(document.text))
    return switches


def sort_out(
    findings: Iterable[Finding], switches: list[Switch], source: str
) -> tuple[list[Finding], list[tuple[Finding, str]]]:
    """Give the findings that count, with remarks on the switches themselves, and those that are switched off.

    :param source: the document's file
    """
    counting: list[Finding] = []
    off: list[tuple[Finding, str]] = []
    used: set[Switch] = set()
    for finding in findings:
        covering = next((switch for switch in switches if switch.covers(finding)), None)
        if covering is None:
            counting.append(finding)
        else:
            used.add(covering)
            off.append((finding, covering.reason))
    return [*counting, *_remarks(switches, used, source)], off


def _remarks(switches: list[Switch], used: set[Switch], source: str) -> Iterator[Finding]:
    for switch in switches:
        remark = _remark(switch, is_used=switch in used)
        if remark is not None:
            line, column = switch.said_at or (None, None)
            yield replace(remark, file=source, line=line, column=column)


def _remark(switch: Switch, *, is_used: bool) -> Finding | None:
    if switch.rule not in RULES:
        return warning("", "switch-unknown", f"There is no rule {switch.rule!r} to switch off", _HINT)
    if not switch.reason:
        return warning("", "switch-reason", f"{switch.rule!r} is switched off without a reason", _HINT)
    if not is_used and switch.said_at is not None and not RULES[switch.rule].is_about_several:
        return warning("", "switch-unused", f"{switch.rule!r} is switched off, and has nothing to say here", "Drop it.")
    return None


def _from_metadata(metadata: Any) -> Iterator[Switch]:
    ours = metadata.get("airflow-aib") if isinstance(metadata, dict) else None
    disabled = ours.get("disable") if isinstance(ours, dict) else None
    for rule, reason in disabled.items() if isinstance(disabled, dict) else ():
        yield Switch(rule, str(reason or ""))


def _from_comments(text: SourceText) -> Iterator[Switch]:
    # Not splitlines, which knows more line ends than the positions do.
    lines = text.text.split("\n")
    for offset, comment in text.comments:
        directive = _DIRECTIVE.fullmatch(comment.rstrip().removesuffix("*/").rstrip())
        if directive is None or not text.is_comment(offset):
            continue
        said_at = text.places.position(offset)
        line = None if directive["file"] else _line_meant(lines, *said_at)
        for rule in directive["rules"].split(","):
            yield Switch(rule.strip(), (directive["reason"] or "").strip(), line, said_at)


def _line_meant(lines: list[str], line: int, column: int) -> int:
    """Give the comment's own line, or the next one with content where the comment stands alone."""
    if lines[line - 1][: column - 1].strip():
        return line
    following = (number for number in range(line, len(lines)) if _has_content(lines[number]))
    return next(following, line) + 1


def _has_content(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith(("#", "//", "/*"))

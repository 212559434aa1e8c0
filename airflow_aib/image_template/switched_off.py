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
from typing import TYPE_CHECKING, Any, Literal

from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.members.misspelt import meant_by
from airflow_aib.image_template.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.text.source_text import SourceText

_WORD = "airflow-aib"
_DIRECTIVE = re.compile(
    rf"(?://|/\*|#)[\s#/*]*{_WORD}:\s*disable(?P<file>-file)?\s*=\s*(?P<rules>[\w-]+(?:\s*,\s*[\w-]+)*)"
    r"(?:\s+--(?P<reason>.*))?",
    re.DOTALL,
)
# What is meant to be one, and not a sentence about the command of that name.
_MEANT = re.compile(rf"(?://|/\*|#)[\s#/*]*{_WORD}(?:\s*:|[\s:-]+[\w-]+\s*=|\s+(?:disable|ignore)\b).*", re.DOTALL)
_BY_CALL = "`disabled_rules` of the task or `--disable`"
_HINT = "Write `airflow-aib: disable=RULE -- the reason`."


@dataclass(frozen=True)
class Switch:
    """Say that one rule does not count, where, and why.

    :param rule: its id
    :param reason: why
    :param line: the one line for which it counts; None for all of them
    :param said_at: line and column where it is written, if it is written in a comment of the document
    :param is_of_call: whether the caller says so, and not the document
    :param flaw: why it says nothing: it is not understood, or stands where nobody looks; its rule is empty then
    """

    rule: str
    reason: str
    line: int | None = None
    said_at: tuple[int, int] | None = None
    is_of_call: bool = False
    flaw: Literal["", "form", "metadata", "place"] = ""

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is switched off by it."""
        rule = RULES.get(self.rule)
        is_on = rule is not None and not rule.can_be_switched_off
        return not is_on and finding.rule == self.rule and self.line in (None, finding.line)


def switches_of(document: ImageTemplateDocument | None, disabled: Mapping[str, str]) -> list[Switch]:
    """Gather the switches of a call and of a document.

    :param disabled: the call's rules, each with the reason
    """
    switches = [Switch(rule, reason, is_of_call=True) for rule, reason in disabled.items()]
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


_FLAWS = {
    "form": ("switch-unread", "This is meant to switch a rule off, and is not understood", _HINT),
    "metadata": (
        "switch-unread",
        "The metadata is meant to switch rules off, and is not understood",
        'Write "airflow-aib": {"disable": {"RULE": "the reason"}}.',
    ),
    "place": (
        "switch-inside",
        "This stands inside a text, as that of a script, and switches nothing off",
        "Write it above the text, or behind the `|` with which the text begins.",
    ),
}


def _remark(switch: Switch, *, is_used: bool) -> Finding | None:
    if switch.flaw:
        return warning("", *_FLAWS[switch.flaw])
    by_call = f", as {_BY_CALL} says" if switch.is_of_call else ""
    if switch.rule not in RULES:
        meant = meant_by(switch.rule, RULES)
        hint = f"Is {meant!r} meant?" if meant else "docs/reference/rules has them all."
        return warning("", "switch-unknown", f"There is no rule {switch.rule!r} to switch off{by_call}", hint)
    if not switch.reason:
        hint = "Say why, beside the rule." if switch.is_of_call else _HINT
        return warning("", "switch-reason", f"{switch.rule!r} is switched off without a reason{by_call}", hint)
    if not is_used and switch.said_at is not None and not RULES[switch.rule].is_about_several:
        return warning("", "switch-unused", f"{switch.rule!r} is switched off, and has nothing to say here", "Drop it.")
    return None


def _from_metadata(metadata: Any) -> Iterator[Switch]:
    ours = metadata.get(_WORD) if isinstance(metadata, dict) else None
    if ours is None:
        return
    disabled = ours.get("disable") if isinstance(ours, dict) else None
    if not isinstance(disabled, dict):
        yield Switch("", "", flaw="metadata")
        return
    for rule, reason in disabled.items():
        yield Switch(rule, str(reason or ""))


def _from_comments(text: SourceText) -> Iterator[Switch]:
    # Not splitlines, which knows more line ends than the positions do.
    lines = text.text.split("\n")
    for offset, comment in text.comments:
        if _MEANT.fullmatch(comment):
            yield from _from_comment(text, lines, offset, comment)


def _from_comment(text: SourceText, lines: list[str], offset: int, comment: str) -> Iterator[Switch]:
    directive = _DIRECTIVE.fullmatch(comment.rstrip().removesuffix("*/").rstrip())
    said_at = text.places.position(offset)
    if not text.is_comment(offset):
        yield Switch("", "", said_at=said_at, flaw="place")
        return
    if directive is None:
        yield Switch("", "", said_at=said_at, flaw="form")
        return
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

"""The pages about rules, from their table and their examples; reference_pages.py writes them with the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from airflow_aib.image_template.rules import PARTS, RULES
from tests.rule_examples import examples

if TYPE_CHECKING:
    from airflow_aib.image_template.rules import Rule
    from tests.rule_examples import Example

NOTE = (
    "<!-- Written by `make fix` from the rules' table and tests/image_templates/rules. Change those, not this page. -->"
)
WIDTH = 110
INTRODUCTION = """\
What an image template must be (`service`) or should be (`advice`), and how each rule is switched off: [what is
checked](../image_templates.md#what-is-checked). An error means that the service refuses the document, that the build
cannot work, or that a secret is shown; the create operator does not submit it. Whatever is not certain is a warning.
"""
IDS = "`<groupId>`, `<identityId>` and the like stand for resource ids."
FRAGMENTS = "What is shown differs from a good image template in nothing else."


class _Dumper(yaml.SafeDumper):
    """Write lists indented, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT002 - the base's
        return super().increase_indent(flow, indentless and flow)


def rule_pages() -> dict[str, str]:
    """Return each page about rules with its text, by its name."""
    all_examples = examples()
    written = {f"{rule_id}.md": rule_page(rule, all_examples[rule_id]) for rule_id, rule in RULES.items()}
    return {**written, "README.md": index()}


def index() -> str:
    """Return the page that lists all rules."""
    lines = [NOTE, "", "# Rules", "", INTRODUCTION]
    for part, rules in PARTS.items():
        lines += [f"## {part}", "", "| rule | severity | basis | what |", "| --- | --- | --- | --- |"]
        lines += [
            f"| [`{one.rule_id}`]({one.rule_id}.md) | {_severities(one)} | {one.basis} | {one.what} |" for one in rules
        ]
        lines.append("")
    return "\n".join(lines)


def rule_page(rule: Rule, example: Example) -> str:
    """Return the page about one rule."""
    return "\n".join(
        [
            NOTE,
            "",
            f"# `{rule.rule_id}`",
            "",
            rule.what,
            "",
            f"{_basis(rule)} {_severity(rule)}",
            "",
            f"**Why.** {rule.why}",
            "",
            "## Wrong",
            "",
            _shown(_versioned(example.wrong, example.api_version)),
            "",
            "## Right",
            "",
            _shown(_versioned(example.right, example.right_api_version)),
            "",
            *_remarks(example),
            "## How to switch it off",
            "",
            _switch(rule),
            "",
        ]
    )


def _basis(rule: Rule) -> str:
    source = f", as written in: {rule.source}" if rule.source else ""
    return f"**The service demands it**{source}." if rule.basis == "service" else f"**Advice**{source}."


def _severities(rule: Rule) -> str:
    return f"{rule.severity} or warning" if rule.is_warning_too else rule.severity


def _severity(rule: Rule) -> str:
    if rule.is_warning_too:
        return "It is an error, or a warning where the service may take it all the same."
    return "It is an error." if rule.severity == "error" else "It is a warning: nothing is refused because of it."


def _versioned(example: Any, api_version: str | None) -> Any:
    """Show the api-version where it is all that differs."""
    return {"apiVersion": api_version} if not example and api_version else example


def _shown(example: Any) -> str:
    if isinstance(example, str):
        kind, text = "json" if example.startswith("{") else "yaml", example
    else:
        fragments = example if isinstance(example, list) else [example]
        kind, text = "yaml", "---\n".join(_as_yaml(one) for one in fragments)
    return f"```{kind}\n{text.rstrip()}\n```"


def _as_yaml(fragment: Any) -> str:
    return yaml.dump(fragment, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def _remarks(example: Example) -> list[str]:
    passed = ", ".join(f"`{name}` = `{value}`" for name, value in example.parameters.items())
    remarks = [
        "" if isinstance(example.wrong, str) else FRAGMENTS,
        IDS if re.search(r"<\w+Id>", str(example.wrong) + str(example.right)) else "",
        f"Passed as parameters: {passed}." if passed else "",
        "Checked without values for parameters." if example.allow_unknown else "",
        *_versions(example),
    ]
    return [" ".join(remark for remark in remarks if remark), ""] if any(remarks) else []


def _versions(example: Example) -> list[str]:
    wrong, right = example.api_version, example.right_api_version
    if wrong is None:
        return []
    return [f"Written for {wrong}." if wrong == right else f"Written for {wrong} and {right}."]


def _switch(rule: Rule) -> str:
    if rule.rule_id.startswith("switch-"):
        return "It cannot be switched off: mend the comment that it means."
    if not rule.can_be_switched_off:
        return "It cannot be switched off: there is nothing to submit."
    if rule.rule_id.startswith("document-"):
        return f"For a call: `--disable '{rule.rule_id}=the reason'`."
    line, file = (f"`# airflow-aib: {word}={rule.rule_id} -- the reason`" for word in ("disable", "disable-file"))
    return f"With a comment in the line, or alone in the line before: {line}.\nFor the whole file: {file}."

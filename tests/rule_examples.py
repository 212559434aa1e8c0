"""The examples of the rules: what each finds and what it does not, read from tests/image_templates/rules.

A file is named after its rule. `wrong` and `right` are what differs from a good image template, or lists of such where
the rule is about several; `wrong_file` and `right_file` are whole files. `parameters` are passed to both;
`allow_unknown` does not ask for the others. With `api_version` (and `right_api_version`) they are taken as written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_template.checks import check_together, examine
from airflow_aib.image_template.document import ImageTemplateDocument, documents_of
from airflow_aib.image_template.examination import finding_of
from airflow_aib.image_template.likeness import doubts_about
from airflow_aib.image_template.render import RenderContext, RenderedImageTemplate, render
from airflow_aib.image_template.text.source_text import SourceText

if TYPE_CHECKING:
    from airflow_aib.image_template.finding import Finding

FOLDER = Path(__file__).resolve().parent / "image_templates" / "rules"
CONTEXT = RenderContext("11111111-2222-3333-4444-555555555555", "images")
# Names that every example may use for what would only be long.
IDS = {
    "groupId": CONTEXT.resource_group_id,
    "identityId": f"{CONTEXT.resource_group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/builder",
    "galleryId": f"{CONTEXT.resource_group_id}/providers/Microsoft.Compute/galleries/corp",
    "networkId": f"{CONTEXT.resource_group_id}/providers/Microsoft.Network/virtualNetworks/build",
}
GOOD: dict[str, Any] = {
    "name": "linux-base",
    "location": "eastus",
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {"<identityId>": {}}},
    "properties": {
        "source": {
            "type": "PlatformImage",
            "publisher": "Canonical",
            "offer": "ubuntu-24_04-lts",
            "sku": "server",
            "version": "latest",
        },
        "customize": [{"type": "Shell", "name": "updates", "inline": ["sudo apt-get update"]}],
        "distribute": [{"type": "VHD", "runOutputName": "vhd"}],
    },
}


@dataclass(frozen=True)
class Example:
    """Hold the example of one rule.

    :param rule: its id
    :param wrong: what it finds: a fragment, fragments, or the text of a file
    :param right: what it does not find
    :param parameters: passed to both
    :param allow_unknown: whether other values may be missing
    :param api_version: for which `wrong` is written; None for what is submitted
    :param right_api_version: the same of `right`
    """

    rule: str
    wrong: Any
    right: Any
    parameters: dict[str, object]
    allow_unknown: bool = False
    api_version: str | None = None
    right_api_version: str | None = None

    def findings_in_wrong(self) -> list[Finding]:
        """Check what is wrong."""
        return self._findings(self.wrong, self.api_version)

    def findings_in_right(self) -> list[Finding]:
        """Check what is right."""
        return self._findings(self.right, self.right_api_version)

    def _findings(self, example: Any, api_version: str | None) -> list[Finding]:
        fragments = example if isinstance(example, list) else [example]
        texts = [one if isinstance(one, str) else _as_text(merged(GOOD, one)) for one in fragments]
        source = f"example.{'json' if texts[0].startswith('{') else 'yaml'}"
        if self.rule == "document-type":
            return [finding for text in texts for finding in doubts_about(SourceText(text, source))]
        try:
            documents = [document for text in texts for document in documents_of(SourceText(text, source))]
        except ImageTemplateError as problem:
            return [finding_of(problem, source)]
        if len(documents) == 1:
            return self._checked(documents[0], api_version)
        return check_together([self._rendered(one) for one in documents])

    def _checked(self, document: ImageTemplateDocument, api_version: str | None) -> list[Finding]:
        try:
            return list(examine(self._rendered(document), api_version=api_version).findings)
        except ImageTemplateError as problem:
            return [finding_of(problem, document.source, document)]

    def _rendered(self, document: ImageTemplateDocument) -> RenderedImageTemplate:
        text = document.text.text if document.text else ""
        values = {name: value for name, value in IDS.items() if f"<{name}>" in text} | self.parameters
        return render(document, values, CONTEXT, allow_unknown=self.allow_unknown)


def examples() -> dict[str, Example]:
    """Read all examples, by rule."""
    return {file.stem: _example(file) for file in sorted(FOLDER.glob("*.yaml"))}


def _example(file: Path) -> Example:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    wrong, right = (content.get(name, content.get(f"{name}_file")) for name in ("wrong", "right"))
    return Example(
        rule=file.stem,
        wrong=wrong,
        right=right,
        parameters=content.get("parameters", {}),
        allow_unknown=content.get("allow_unknown", False),
        api_version=content.get("api_version"),
        right_api_version=content.get("right_api_version", content.get("api_version")),
    )


def _as_text(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def merged(base: dict[str, Any], fragment: dict[str, Any]) -> dict[str, Any]:
    """Lay a fragment over a body: objects are merged, unless they are of another type; null leaves a member out."""
    if "type" in fragment and fragment["type"] != base.get("type", fragment["type"]):
        return fragment
    result = dict(base)
    for key, value in fragment.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return {key: value for key, value in result.items() if value is not None}

"""What resembles an image template, and is perhaps meant as one."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_template.finding import Finding, warning
from airflow_aib.image_template.pointers import child

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_aib.image_template.text.source_text import SourceText

RULE = "document-type"
TYPE = "Microsoft.VirtualMachineImages/imageTemplates"
_SERVICE = "microsoft.virtualmachineimages"
_ALIKE = 0.9
_PARTS = re.compile(rb"""\bdistribute["']?\s*:|\btype["']?\s*:\s*["']?Microsoft\.Virtual""", re.IGNORECASE)


def is_like_image_template(body: Mapping[str, Any]) -> bool:
    """Whether a resource has the service's type, or the properties that only an image template has."""
    properties = body.get("properties")
    has_parts = isinstance(properties, dict) and {"source", "distribute"} <= properties.keys()
    return has_parts or str(body.get("type", "")).casefold().partition("/")[0] == _SERVICE


def holds_image_template(content: Mapping[str, Any]) -> bool:
    """Whether the content of a file resembles an image template, or a deployment file that holds one."""
    return any(is_like_image_template(body) for _, body in _resources_of(content))


def may_be_meant_as_one(path: str | Path) -> bool:
    """Whether a file mentions what image templates are made of: a quick look that never fails."""
    try:
        return _PARTS.search(Path(path).read_bytes().replace(b"\0", b"")) is not None
    except (OSError, ValueError):
        return False


def doubts_about(text: SourceText) -> list[Finding]:
    """Give a warning for each resource of a file that is no image template, and is perhaps meant as one."""
    try:
        content, _ = text.parse()
    except ImageTemplateError:
        # Of other files in a folder nothing is demanded.
        return []
    resources = _resources_of(content)
    return [_located(found, text) for at, body in resources if (found := _doubt(at, body)) is not None]


def _resources_of(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(content, dict):
        return
    yield "", content
    resources = content.get("resources")
    inside = resources.items() if isinstance(resources, dict) else enumerate(_items(resources))
    yield from ((child("/resources", key), body) for key, body in inside if isinstance(body, dict))


def _doubt(at: str, body: dict[str, Any]) -> Finding | None:
    if "type" in body:
        written = str(body["type"])
        message = f"{written!r} is not the type of image templates, and this resource is not checked"
        return warning(f"{at}/type", RULE, message, f"Write {TYPE}.") if _is_misspelt(written) else None
    if is_like_image_template(body):
        message = "This looks like an image template without type, and is not checked in a folder"
        return warning(at, RULE, message, f'Write "type": "{TYPE}", or name the file.')
    return None


def _is_misspelt(written: str) -> bool:
    folded, right = written.casefold(), TYPE.casefold()
    is_one = folded in {right, _SERVICE} or folded.startswith(f"{right}/")
    return not is_one and SequenceMatcher(None, folded, right).ratio() >= _ALIKE


def _located(found: Finding, text: SourceText) -> Finding:
    line, column = text.places.position(text.places.nearest(found.path).start)
    return replace(found, file=text.source, line=line, column=column)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""Reads what clients send about a deployment, also in the form that the az command line sends."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.form import check_document, check_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

RAW_DOCUMENT = ", template:"
COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
MODES = ("Incremental", "Complete")


@dataclass(frozen=True)
class DeploymentRequest:
    """Carry what is asked for.

    :param document: the `template`
    :param parameters: what was sent for each parameter
    :param mode: `Incremental` or `Complete`
    :param location: of a deployment to the subscription
    :param tags: of the deployment itself
    :param is_brief: whether a what-if shall name resources only
    """

    document: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "Incremental"
    location: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    is_brief: bool = False


def read_request(body: bytes) -> DeploymentRequest:
    """Return what a body asks for, or refuse it as ARM does."""
    sent = _read_body(body.decode("utf-8", errors="replace"))
    properties = sent.get("properties")
    if not isinstance(properties, dict):
        raise _invalid("The request content has no 'properties'.")
    document = properties.get("template")
    if properties.get("templateLink") and document is None:
        raise _link_not_read(properties["templateLink"])
    if not isinstance(document, dict):
        raise _invalid("The request content has no 'template': it must be a JSON object.")
    check_document(document)
    check_parameters(properties.get("parameters") or {})
    mode = str(properties.get("mode") or "")
    known = {name.lower(): name for name in MODES}
    if mode.lower() not in known:
        raise _invalid(f"The deployment mode '{mode}' is not valid. It is one of '{', '.join(MODES)}'.")
    settings = properties.get("whatIfSettings") or {}
    return DeploymentRequest(
        document=document,
        parameters=properties.get("parameters") or {},
        mode=known[mode.lower()],
        location=sent.get("location"),
        tags=sent.get("tags") or {},
        is_brief=str(settings.get("resultFormat", "")).lower() == "resourceidonly",
    )


def _read_body(text: str) -> dict[str, Any]:
    """Read JSON, in which the document may stand raw: with comments, line breaks in texts and an unquoted key."""
    found = _json(text)
    at = -1
    while found is None and (at := text.find(RAW_DOCUMENT, at + 1)) >= 0:
        found = _json(text[:at] + "}}")
        if found is not None:
            raw = text[at + len(RAW_DOCUMENT) :].rstrip().removesuffix("}}")
            found["properties"]["template"] = _json(COMMENT.sub(_without_comment, raw))
    if found is None:
        raise _invalid("The request content was invalid and could not be deserialized.")
    return found


def _json(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text, strict=False)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _without_comment(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else " "


def _invalid(message: str) -> ArmError:
    return ArmError(400, "InvalidRequestContent", message)


def _link_not_read(link: Any) -> ArmError:
    uri = link.get("uri") or link.get("id") if isinstance(link, dict) else link
    return ArmError(
        400,
        "InvalidContentLink",
        f"Unable to download deployment content from '{str(uri).partition('?')[0]}'. "
        "The emulator does not use the Internet: send the content itself.",
    )

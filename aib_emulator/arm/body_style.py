"""How each service writes its JSON."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any


class BodyStyle(Enum):
    """How a service writes its JSON."""

    ARM = "ARM"
    """Compact, as Resource Manager itself does."""
    IMAGE_BUILDER = "IMAGE_BUILDER"
    """One space of indent and no charset."""
    COMPUTE = "COMPUTE"
    """Two spaces of indent and CRLF."""


def encode(body: Any, style: BodyStyle) -> tuple[bytes, str]:
    """Return the bytes of `body` and their content type, as the service of that style writes them."""
    if style is BodyStyle.IMAGE_BUILDER:
        return json.dumps(body, indent=1, ensure_ascii=False).encode(), "application/json"
    if style is BodyStyle.COMPUTE:
        text = json.dumps(body, indent=2, ensure_ascii=False).replace("\n", "\r\n")
        return text.encode(), "application/json; charset=utf-8"
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(), "application/json; charset=utf-8"

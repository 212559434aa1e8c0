"""Who calls: the program by its user agent, the application by its token or its sign-in."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

BEARER = "bearer"


@dataclass(frozen=True)
class Caller:
    """Say who calls, as far as the call tells; nothing of it is verified.

    :param user_agent: the program
    :param application_id: the application that signed in, or is about to
    """

    user_agent: str = ""
    application_id: str = ""

    def is_called(self, client: str) -> bool:
        """Whether `client` is its application id, or an expression found in its user agent; empty is anybody."""
        if not client or client.lower() == self.application_id.lower():
            return True
        return re.search(client, self.user_agent, re.IGNORECASE) is not None


NOBODY = Caller()


def caller_of(headers: Mapping[str, str], sign_in_form: bytes = b"") -> Caller:
    """Return who calls.

    :param sign_in_form: the body of a token request
    """
    application_id = _of_form(sign_in_form) or _of_token(headers.get("Authorization", ""))
    return Caller(headers.get("User-Agent", ""), application_id)


def _of_form(form: bytes) -> str:
    return dict(parse_qsl(form.decode("utf-8", errors="replace"))).get("client_id", "")


def _of_token(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    payload = token.split(".")[1:2]
    if scheme.lower() != BEARER or not payload:
        return ""
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(payload[0] + "=="))
    except (ValueError, binascii.Error):
        return ""
    return str(claims.get("appid", "")) if isinstance(claims, dict) else ""

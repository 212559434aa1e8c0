"""The one way in which the blob endpoint says no: a code in a header and in an XML body."""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ERROR_CODE = "x-ms-error-code"
DETAIL = "AuthenticationErrorDetail"
NOT_AUTHENTICATED = (
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
    "including the signature."
)
CODE_IN_BODY = re.compile(rb"<Code>([^<]+)</Code>")
CODES_BY_STATUS = {
    400: "InvalidInput",
    401: "NoAuthenticationInformation",
    403: "AuthorizationFailure",
    404: "ResourceNotFound",
    405: "UnsupportedHttpVerb",
    409: "Conflict",
    412: "ConditionNotMet",
    416: "InvalidRange",
    500: "InternalError",
    501: "NotImplemented",
    503: "ServerBusy",
}


class StorageError(Exception):
    """Answer a blob request with an error.

    :param status: the HTTP status
    :param code: Azure's word for it
    :param message: the sentence that people read
    :param headers: headers to send along
    :param detail: what else the body says, as `AuthenticationErrorDetail`
    """

    def __init__(
        self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None, detail: str = ""
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.detail = detail


def error_response(error: StorageError, request: web.Request, now: datetime) -> web.Response:
    """Write an error as the service does; the answer to a HEAD has the code in its header only."""
    request_id = str(uuid.uuid4())
    headers = {ERROR_CODE: error.code, "x-ms-request-id": request_id, **error.headers}
    if "x-ms-version" in request.headers:
        headers["x-ms-version"] = request.headers["x-ms-version"]
    if request.method == "HEAD":
        return web.Response(status=error.status, headers=headers)
    message = escape(f"{error.message}\nRequestId:{request_id}\nTime:{now:%Y-%m-%dT%H:%M:%S.%f}0Z")
    detail = f"<{DETAIL}>{escape(error.detail)}</{DETAIL}>" if error.detail else ""
    members = f"<Code>{error.code}</Code><Message>{message}</Message>{detail}"
    body = f'<?xml version="1.0" encoding="utf-8"?><Error>{members}</Error>'
    return web.Response(status=error.status, headers=headers, body=body.encode(), content_type="application/xml")


def code_of(status: int, body: bytes) -> str:
    """Return the code of an error answer that has none in its headers."""
    found = CODE_IN_BODY.search(body)
    if found:
        return found[1].decode(errors="replace")
    return CODES_BY_STATUS.get(status, CODES_BY_STATUS[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400])

"""The one place that translates the Azure SDK's exceptions into our own, and judges which of them may pass."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_call
from airflow_aib.image_run.step_failures import UNKNOWN
from airflow_aib.masking import mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.core.exceptions import HttpResponseError

    from airflow_aib.image_run.diagnosis import Diagnosis

# What kind of trouble it was: Azure answered; it was not reached; sign-in went wrong; the answer cannot be read.
Trouble = Literal["answer", "connection", "sign-in", "malformed"]

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, REQUEST_TIMEOUT, CONFLICT, TOO_MANY_REQUESTS = 401, 403, 404, 408, 409, 429
PRECONDITION_FAILED = 412
TRANSIENT_STATUSES = frozenset({REQUEST_TIMEOUT, CONFLICT, TOO_MANY_REQUESTS})
FIRST_ERROR, FIRST_SERVER_ERROR = 400, 500

_PERMISSIONS_DOC = "See docs/reference/permissions.md."

# By Azure's code, in lower case: what to do next.
_HINTS = {
    "authorizationpermissionmismatch": "Give the connection's identity the role Storage Blob Data Reader (or "
    "Contributor where it writes) on the storage account. " + _PERMISSIONS_DOC,
    "authorizationfailure": "The storage account's firewall or its ban of shared keys refuses the call. "
    + _PERMISSIONS_DOC,
    "blobimmutableduetopolicy": "A retention policy or a legal hold protects that blob: choose another name, or wait "
    "until it may be changed.",
    "conflict": "An image template cannot be updated: delete it first, or use another name.",
    "containernotfound": "Create the container first: this provider writes into containers, and makes none.",
    "invalid_client": "The client id or the client secret of the Airflow connection is wrong, or the secret has "
    "expired.",
    "invalidauthenticationtoken": "Check that the connection's tenant and cloud belong to its subscription.",
    "invalidauthenticationtokentenant": "The subscription belongs to another tenant than the connection's.",
    "invalidresourcenamespace": "Register the resource provider Microsoft.VirtualMachineImages in the subscription, "
    "and check the connection's cloud.",
    "md5mismatch": "What arrived is not what was read: run the task again, and tell Azure's support if it stays so.",
    "missingsubscriptionregistration": "Register the resource providers that docs/reference/permissions.md lists.",
    "operationnotallowed": "Wait until the image template is idle, or cancel its run, then try again.",
    "requestdisallowedbypolicy": "An Azure Policy forbids it: ask for an exemption, or adjust the image template.",
    "resourcegroupnotfound": "Create the resource group first, or correct its name.",
    "resourcenotfound": "Check the name, the resource group and the subscription; for a destination, that its storage "
    "account exists.",
    "subscriptionnotfound": "Check the connection's subscription, and that its identity may read it.",
    "validationfailed": "Correct the field that the message names.",
}
_HINTS_BY_TROUBLE = {
    "connection": "Check the network, the proxy, and that the connection's cloud and CA bundle are the right ones.",
    "sign-in": "Check the Airflow connection's sign-in. See docs/reference/connection.md.",
}
_HINTS_BY_STATUS = {
    UNAUTHORIZED: "Azure does not accept the token: check the connection's tenant, cloud and secret.",
    FORBIDDEN: f"The connection's identity lacks a permission. {_PERMISSIONS_DOC}",
    TOO_MANY_REQUESTS: "Azure's request limit is reached: look less often, or start fewer things at once.",
}
# By what was tried: the action that a bare refusal denies, where Azure does not name it.
_ACTIONS = {
    "cancel image template": "Microsoft.VirtualMachineImages/imageTemplates/cancel/action",
    "create image template": "Microsoft.VirtualMachineImages/imageTemplates/write",
    "delete image template": "Microsoft.VirtualMachineImages/imageTemplates/delete",
    "list the image versions of": "Microsoft.Compute/galleries/images/versions/read",
    "list the run outputs of image template": "Microsoft.VirtualMachineImages/imageTemplates/runOutputs/read",
    "list the storage accounts of": "Microsoft.Storage/storageAccounts/read",
    "read image template": "Microsoft.VirtualMachineImages/imageTemplates/read",
    "read image version": "Microsoft.Compute/galleries/images/versions/read",
    "run image template": "Microsoft.VirtualMachineImages/imageTemplates/run/action",
    "tag image template": "Microsoft.VirtualMachineImages/imageTemplates/write",
}
_LAST_HINT = "Correct what the message names; Azure's support can look a request id up."
_DENIED_ACTION = re.compile(r"perform action '(?P<action>[^']+)'(?:.*?over scope '(?P<scope>[^']+)')?", re.DOTALL)
_ENTRA_CODE = re.compile(r"AADSTS\d+")
# What Entra itself calls passing, in OAuth's words and by its own numbers, whatever the status: the service or what
# stands behind it is away, took too long, or has too much to do.
_PASSING_SIGN_IN_WORDS = frozenset({"temporarily_unavailable", "server_error"})
_PASSING_ENTRA_CODES = frozenset({"AADSTS90006", "AADSTS90012", "AADSTS90024", "AADSTS90033", "AADSTS90055"})


@dataclass(frozen=True)
class ErrorFacts:
    """Hold what an SDK exception says.

    :param trouble: kind of trouble
    :param message: Azure's words, without signatures
    :param code: Azure's error code
    :param status: HTTP status
    :param request_id: for Azure's support
    :param retry_after: seconds that Azure asks to wait
    :param entra_code: the sign-in service's own number, as `AADSTS90033`
    """

    trouble: Trouble
    message: str
    code: str | None = None
    status: int | None = None
    request_id: str | None = None
    retry_after: float | None = None
    entra_code: str | None = None


@contextmanager
def translated(doing: str, target: str) -> Iterator[None]:
    """Turn whatever the Azure SDK raises inside into an `ArmRequestError`.

    :param doing: what was tried, as in "read image template"
    :param target: resource id or address that it concerns
    """
    from azure.core.exceptions import AzureError, DeserializationError, SerializationError

    try:
        yield
    except (AzureError, DeserializationError, SerializationError) as error:
        # `from None`: Airflow logs the whole chain, and what the SDK says may quote a signature.
        raise arm_request_error(error, doing=doing, target=target) from None
    except (LookupError, TypeError, ValueError) as error:
        if not _is_raised_in_sdk(error):
            raise
        # An answer that is no JSON, or no object, or lacks what the SDK takes for granted.
        raise arm_request_error(ValueError(repr(error)), doing=doing, target=target) from None


def arm_request_error(error: Exception, *, doing: str, target: str) -> ArmRequestError:
    """Make our error of the SDK's."""
    facts = read_error(error)
    shown = mask(target)
    where = ", ".join(
        part
        for part in (
            f"HTTP {facts.status}" if facts.status else None,
            f"request id {facts.request_id}" if facts.request_id else None,
        )
        if part
    )
    words = f"{facts.code}: {facts.message}" if facts.code and facts.code not in facts.message else facts.message
    return ArmRequestError(
        f"Could not {doing} {shown}: {words.strip().rstrip('.')}" + (f" ({where})" if where else ""),
        hint=_hint(facts, doing, shown),
        code=facts.code,
        target=shown,
        diagnosis=_known(facts),
        request_id=facts.request_id,
        status=facts.status,
        trouble=facts.trouble,
        retry_after=facts.retry_after,
        entra_code=facts.entra_code,
        sdk_error=type(error).__name__,
    )


def _known(facts: ErrorFacts) -> Diagnosis | None:
    diagnosis = diagnose(evidence_of_call(facts.code, facts.message))
    return diagnosis if diagnosis.failure_class != UNKNOWN.failure_class else None


def read_error(error: Exception) -> ErrorFacts:
    """Read an exception of azure-core, azure-identity, azure-mgmt or azure-storage."""
    from azure.core.exceptions import ClientAuthenticationError, DecodeError, HttpResponseError

    if isinstance(error, DecodeError):
        return ErrorFacts("malformed", f"the answer cannot be read: {mask(str(error))}")
    if isinstance(error, ClientAuthenticationError):
        return _read_sign_in(error)
    if isinstance(error, HttpResponseError):
        return _read_answer(error)
    if isinstance(error, ValueError):
        return ErrorFacts("malformed", f"the answer cannot be read: {mask(str(error))}")
    return ErrorFacts("connection", f"no answer: {mask(str(error)) or type(error).__name__}")


def is_transient(error: ArmRequestError) -> bool:
    """Whether the same call may well succeed later, with nobody doing anything about it."""
    trouble: Trouble = error.data.get("trouble", "answer")
    if trouble in {"connection", "malformed"} or _is_passing_sign_in(error):
        return True
    if error.status is None:
        # Sign-in without an answer: the sign-in service or the machine's own identity endpoint was not reached.
        return trouble == "sign-in" and error.code is None
    return error.status in TRANSIENT_STATUSES or error.status >= FIRST_SERVER_ERROR


def is_lost_answer(error: ArmRequestError) -> bool:
    """Whether the request may have been carried out although no good answer came back."""
    if error.data.get("trouble") in {"connection", "malformed"}:
        return True
    is_gateways = error.status is not None and (error.status == REQUEST_TIMEOUT or error.status >= FIRST_SERVER_ERROR)
    return is_gateways and error.data.get("trouble") == "answer"


def retry_after(error: ArmRequestError) -> float | None:
    """Give the seconds that Azure asks to wait."""
    seconds = error.data.get("retry_after")
    return float(seconds) if isinstance(seconds, int | float) else None


def _is_passing_sign_in(error: ArmRequestError) -> bool:
    if error.data.get("trouble") != "sign-in":
        return False
    return error.code in _PASSING_SIGN_IN_WORDS or error.data.get("entra_code") in _PASSING_ENTRA_CODES


def _is_raised_in_sdk(error: Exception) -> bool:
    frame = error.__traceback__
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__", "")).startswith("azure."):
            return True
        frame = frame.tb_next
    return False


def _read_answer(error: HttpResponseError, trouble: Trouble = "answer") -> ErrorFacts:
    response: Any = error.response
    headers = _headers(response)
    body = _read_body(response)
    storage_code = getattr(error, "error_code", None) or headers.get("x-ms-error-code")
    code = body.get("code") or (str(getattr(storage_code, "value", storage_code)) if storage_code else None)
    message = _full_message(body) or str(error.message).split("\n", 1)[0]
    return ErrorFacts(
        trouble=trouble,
        message=mask(message),
        code=str(code) if code else None,
        status=error.status_code,
        request_id=headers.get("x-ms-request-id"),
        retry_after=_read_retry_after(headers),
    )


def _read_sign_in(error: HttpResponseError) -> ErrorFacts:
    if error.response is None:
        # azure-identity found nobody to ask, or a chain of credentials in which none worked.
        found = _ENTRA_CODE.search(str(error))
        message = mask(" ".join(str(error).split()))
        code = found[0] if found else None
        return ErrorFacts("sign-in", f"sign-in failed: {message}", code=code, entra_code=code)
    facts = _read_answer(error)
    if facts.status is not None and facts.status < FIRST_ERROR:
        return ErrorFacts("malformed", f"sign-in failed, the answer cannot be read: {facts.message}")
    is_ours = "error_description" in _read_json(error.response)
    if not is_ours:
        return facts
    # The sign-in service writes {"error": "<code>", "error_description": "AADSTS...: <words>"}.
    sent = _read_json(error.response)
    words = str(sent.get("error_description") or "").split("\r\n", 1)[0]
    found = _ENTRA_CODE.search(words)
    return ErrorFacts(
        trouble="sign-in",
        message=f"sign-in failed: {mask(words)}",
        code=str(sent.get("error")),
        status=facts.status,
        request_id=facts.request_id,
        retry_after=facts.retry_after,
        entra_code=found[0] if found else None,
    )


def _headers(response: Any) -> Mapping[str, str]:
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    return headers


def _read_json(response: Any) -> Mapping[str, Any]:
    from azure.core.exceptions import AzureError

    try:
        body = json.loads(response.text())
    except (ValueError, AttributeError, TypeError, AzureError):
        # Storage answers in XML, a gateway in HTML, a broken stream not at all: the status must do.
        return {}
    return body if isinstance(body, Mapping) else {}


def _read_body(response: Any) -> Mapping[str, Any]:
    # ARM wraps an error in "error"; image builder before 2021-10-01 did not.
    body = _read_json(response)
    inner = body.get("error")
    return inner if isinstance(inner, Mapping) else body


def _full_message(body: Mapping[str, Any]) -> str:
    """Join the message with those of its details, where the outer one says nothing."""
    messages = [str(body["message"])] if body.get("message") else []
    details = body.get("details")
    if isinstance(details, list):
        messages += [_full_message(detail) for detail in details if isinstance(detail, Mapping)]
    return " ".join(dict.fromkeys(message.strip() for message in messages if message.strip()))


def _read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the pause that is asked for, in each of the forms that Azure's SDKs know."""
    for name, share in (("Retry-After", 1.0), ("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001)):
        sent = headers.get(name)
        if sent:
            try:
                return max(0.0, float(sent)) * share
            except ValueError:
                return _seconds_until(sent, headers.get("Date"))
    return None


def _seconds_until(moment: str, now: str | None) -> float | None:
    """Give the seconds between two moments of the server's own clock; None when one of them is no date."""
    try:
        return max(0.0, (parsedate_to_datetime(moment) - parsedate_to_datetime(now or "")).total_seconds())
    except (ValueError, TypeError):
        return None


def _hint(facts: ErrorFacts, doing: str, target: str) -> str:
    denied = _DENIED_ACTION.search(facts.message)
    if denied:
        scope = f" on {denied['scope']}" if denied["scope"] else ""
        return f"Give the connection's identity the permission {denied['action']}{scope}. {_PERMISSIONS_DOC}"
    if facts.code and facts.code.lower() in _HINTS:
        return _HINTS[facts.code.lower()]
    if facts.status == FORBIDDEN and doing in _ACTIONS:
        return f"Give the connection's identity the permission {_ACTIONS[doing]} on {target}. {_PERMISSIONS_DOC}"
    return _hint_by_status(facts)


def _hint_by_status(facts: ErrorFacts) -> str:
    if facts.trouble in _HINTS_BY_TROUBLE:
        return _HINTS_BY_TROUBLE[facts.trouble]
    if facts.status is not None and facts.status >= FIRST_SERVER_ERROR:
        return "Azure has trouble of its own: try again later."
    return _HINTS_BY_STATUS.get(facts.status or 0, _LAST_HINT)

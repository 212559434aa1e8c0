from __future__ import annotations

import traceback
from typing import Any, cast

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    IncompleteReadError,
    ODataV4Error,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ResourceNotModifiedError,
    ResponseNotReadError,
    SerializationError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
    StreamClosedError,
    StreamConsumedError,
    TooManyRedirectsError,
)
from azure.identity import AuthenticationRequiredError, CredentialUnavailableError

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.errors import (
    arm_request_error,
    is_lost_answer,
    is_transient,
    retry_after,
    translated,
)
from tests.fakes import IMAGE_TEMPLATE_ID, FakeResponse, azure_error, reset


def translate(error: Exception) -> ArmRequestError:
    """Translate an exception of the SDK."""
    return arm_request_error(error, doing="read image template", target=IMAGE_TEMPLATE_ID)


def answer(status: int, body: Any, **headers: str) -> HttpResponseError:
    """Make the SDK's exception for any answer."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpResponseError(response=cast("Any", FakeResponse(status, body, named)))


def sign_in_error(status: int, code: str, description: str) -> ClientAuthenticationError:
    """Make the SDK's exception for a refusal of the sign-in service."""
    response = FakeResponse(status, {"error": code, "error_description": description})
    return ClientAuthenticationError(response=cast("Any", response))


def test_an_error_says_what_where_why_and_what_next() -> None:
    """The text names what was tried, on what, Azure's code and words, status, request id, and a hint."""
    error = translate(azure_error(404, "ResourceNotFound", "It was not found.", x_ms_request_id="r-1"))

    assert str(error) == (
        f"Could not read image template {IMAGE_TEMPLATE_ID}: ResourceNotFound: It was not found "
        "(HTTP 404, request id r-1). Check the name, the resource group and the subscription; for a destination, "
        "that its storage account exists."
    )
    assert (error.code, error.status, error.request_id, error.target) == (
        "ResourceNotFound",
        404,
        "r-1",
        IMAGE_TEMPLATE_ID,
    )


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (
            {"error": {"code": "ValidationFailed", "message": "Field 'x' has a bad value"}},
            "ValidationFailed",
            "Field 'x'",
        ),
        ({"code": "ValidationFailed", "message": "Field 'x' has a bad value"}, "ValidationFailed", "Field 'x'"),
        (
            {
                "status": "Failed",
                "error": {
                    "code": "ResourceOperationFailure",
                    "message": "The operation failed.",
                    "details": [{"code": "InternalOperationError", "message": "Internal error occurred."}],
                },
            },
            "ResourceOperationFailure",
            "The operation failed. Internal error occurred",
        ),
        ("<html>Bad gateway</html>", None, "Operation returned an invalid status"),
        (["no", "object"], None, "Operation returned an invalid status"),
        ({"error": "words only"}, None, "Operation returned an invalid status"),
    ],
)
def test_each_form_of_error_body_is_read(body: Any, code: str | None, words: str) -> None:
    """Wrapped, bare, nested and unreadable bodies all give a message, and a code where there is one."""
    error = translate(answer(400, body))

    assert error.code == code
    assert words in str(error)


def test_storage_names_its_code_in_a_header() -> None:
    """An XML body is not read: storage repeats the code in a header."""
    error = translate(answer(403, "<Error/>", x_ms_error_code="AuthorizationPermissionMismatch"))

    assert error.code == "AuthorizationPermissionMismatch"
    assert "Storage Blob Data Reader" in str(error)


def test_a_refused_action_is_named_with_its_scope() -> None:
    """The hint for a denial is the permission that lacks, and where."""
    words = (
        "The client 'c' with object id 'o' does not have authorization to perform action "
        "'Microsoft.VirtualMachineImages/imageTemplates/read' over scope '/subscriptions/s' or the scope is invalid."
    )
    error = translate(azure_error(403, "AuthorizationFailed", words))

    assert error.hint is not None
    assert "permission Microsoft.VirtualMachineImages/imageTemplates/read on /subscriptions/s" in error.hint


@pytest.mark.parametrize(
    ("doing", "action"),
    [
        ("read image template", "Microsoft.VirtualMachineImages/imageTemplates/read"),
        ("run image template", "Microsoft.VirtualMachineImages/imageTemplates/run/action"),
        ("cancel image template", "Microsoft.VirtualMachineImages/imageTemplates/cancel/action"),
        ("list the run outputs of image template", "Microsoft.VirtualMachineImages/imageTemplates/runOutputs/read"),
        ("read image version", "Microsoft.Compute/galleries/images/versions/read"),
    ],
)
def test_a_bare_refusal_names_the_action_too(doing: str, action: str) -> None:
    """Where a 403 does not say what is denied, as a gateway's, the hint does: the action of the call, and where."""
    error = arm_request_error(answer(403, "<html>Forbidden</html>"), doing=doing, target=IMAGE_TEMPLATE_ID)

    assert error.hint is not None
    assert f"permission {action} on {IMAGE_TEMPLATE_ID}" in error.hint


def test_a_wrong_secret_is_named() -> None:
    """The sign-in service's own words and the remedy are in the text."""
    response = FakeResponse(
        401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret.\r\nTrace"}
    )
    error = translate(ClientAuthenticationError(response=cast("Any", response)))

    assert error.code == "invalid_client"
    assert "AADSTS7000215: Invalid secret" in str(error)
    assert "secret has expired" in str(error)
    assert not is_transient(error)


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (azure_error(400), False),
        (azure_error(401), False),
        (azure_error(403), False),
        (azure_error(404), False),
        (azure_error(405), False),
        (azure_error(408), True),
        (azure_error(409), True),
        (azure_error(429), True),
        (azure_error(500), True),
        (azure_error(503), True),
        (azure_error(504), True),
        (reset(), True),
        (ServiceResponseError("No answer"), True),
        (ServiceResponseTimeoutError("Too late"), True),
        (DecodeError("No JSON"), True),
        (IncompleteReadError("Half a body"), True),
        (DeserializationError("Retry-After is no number"), True),
        (CredentialUnavailableError("The identity endpoint does not answer"), True),
        (ClientAuthenticationError("AADSTS700016: Application not found"), False),
        (sign_in_error(503, "temporarily_unavailable", "Busy"), True),
        (sign_in_error(400, "temporarily_unavailable", "AADSTS90033: A transient error has occurred."), True),
        (sign_in_error(401, "server_error", "Something."), True),
        *(
            (sign_in_error(400, "invalid_request", f"AADSTS{code}: Words."), True)
            for code in (90006, 90012, 90024, 90033, 90055)
        ),
        *(
            (sign_in_error(400, "invalid_request", f"AADSTS{code}: Words."), False)
            for code in (90002, 700016, 7000215, 7000222, 53003, 900331)
        ),
        (ClientAuthenticationError("AADSTS90033: A transient error has occurred."), True),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(error: Exception, transient: bool) -> None:
    """Overload, resets, half answers and an absent sign-in service may pass; refusals will not."""
    assert is_transient(translate(error)) is transient


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (reset(), True),
        (ServiceResponseTimeoutError("Too late"), True),
        (DeserializationError("Retry-After is no number"), True),
        (azure_error(500), True),
        (azure_error(504), True),
        (azure_error(429), False),
        (azure_error(409), False),
        (azure_error(403), False),
        (CredentialUnavailableError("No identity"), False),
    ],
)
def test_a_lost_answer_is_told_from_a_refusal(error: Exception, lost: bool) -> None:
    """Only where Azure may have carried out the request, its effect has to be looked up."""
    assert is_lost_answer(translate(error)) is lost


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0.5"}, 0.5),
        ({"Retry_After": "-1"}, 0.0),
        ({"x_ms_retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"Retry_After": "7", "x_ms_retry_after_ms": "1500"}, 7.0),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:27:30 GMT"}, 30.0),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT", "Date": "Wed, 21 Oct 2026 07:29:30 GMT"}, 0.0),
        ({"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
def test_the_pause_that_azure_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """It counts in seconds, in milliseconds, and as a moment by the clock of the server that names it."""
    asked = retry_after(translate(azure_error(429, **headers)))

    assert asked == (pytest.approx(seconds) if seconds is not None else None)


def test_signatures_are_blotted_out() -> None:
    """Neither message nor target shows what would open a blob, or an operation's address, to everyone."""
    url = "https://s.blob.core.windows.net/vhds/a.vhd?sv=2021&sig=abc%2Fdef&se=2030"

    error = arm_request_error(azure_error(403, message=f"No access to {url}"), doing="read blob", target=url)
    assert "abc" not in str(error) + str(error.target)
    assert str(error.target).startswith("https://s.blob.core.windows.net/vhds/a.vhd?")


def test_errors_of_others_pass() -> None:
    """What is not the SDK's is none of this module's business."""
    with pytest.raises(KeyError), translated("read", "x"):
        raise KeyError("x")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 429, 500])
def test_every_refusal_says_what_to_do_next(status: int) -> None:
    """A code that we do not know has at least the advice that its status, or any refusal, allows."""
    assert arm_request_error(azure_error(status, "NewCode"), doing="read", target="x").hint


def test_what_airflow_logs_of_an_error_shows_no_signature() -> None:
    """Airflow logs an error with its whole chain: the SDK's words are no part of it, only the name of its exception."""
    words = "Cannot read https://s.blob.core.windows.net/vhds/a.vhd?sv=1&sig=SECRET"
    with pytest.raises(ArmRequestError) as caught, translated("read blob", "x"):
        raise azure_error(403, message=words)

    logged = "".join(traceback.format_exception(caught.value))
    assert caught.value.data["sdk_error"] == "HttpResponseError"
    assert "Could not read blob x: SomeCode: Cannot read" in logged
    assert "SECRET" not in logged


EVERY_ERROR: dict[type[Exception], Exception] = {
    ResourceExistsError: ResourceExistsError(),
    ResourceModifiedError: ResourceModifiedError(),
    ResourceNotFoundError: ResourceNotFoundError(),
    ResourceNotModifiedError: ResourceNotModifiedError(),
    AuthenticationRequiredError: AuthenticationRequiredError(scopes=["x"]),
    CredentialUnavailableError: CredentialUnavailableError("x"),
    TooManyRedirectsError: TooManyRedirectsError([]),
    ODataV4Error: ODataV4Error(cast("Any", FakeResponse(400, {}))),
    StreamConsumedError: StreamConsumedError(cast("Any", FakeResponse())),
    StreamClosedError: StreamClosedError(cast("Any", FakeResponse())),
    ResponseNotReadError: ResponseNotReadError(cast("Any", FakeResponse())),
    SerializationError: SerializationError("x"),
    DeserializationError: DeserializationError("x"),
    **{
        kind: kind("x")
        for kind in (
            ClientAuthenticationError,
            DecodeError,
            HttpResponseError,
            IncompleteReadError,
            ServiceRequestError,
            ServiceRequestTimeoutError,
            ServiceResponseError,
            ServiceResponseTimeoutError,
        )
    },
}


def kinds_of(root: type[Exception]) -> set[type[Exception]]:
    """Return all kinds of an error that azure-core and azure-identity define."""
    below = {kind for child in root.__subclasses__() for kind in kinds_of(child)}
    return {root, *below}


def test_no_error_of_the_sdk_is_forgotten() -> None:
    """Each exception of azure-core and azure-identity is translated; a new one fails this test until it is judged."""
    homes = {"azure.core.exceptions", "azure.identity._exceptions"}
    known = {kind for kind in kinds_of(AzureError) if kind.__module__ in homes}
    assert {kind.__name__ for kind in known - {AzureError} - set(EVERY_ERROR)} == set()

    for error in EVERY_ERROR.values():
        assert translate(error).message.startswith("Could not read image template")

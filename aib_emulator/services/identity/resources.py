"""What Entra demands of a token request, and the documents that it publishes."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aib_emulator.applications import Application, Applications
    from aib_emulator.sign_in import SignInRefusal

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DOMAIN = re.compile(r"[0-9a-z-]+(\.[0-9a-z-]+)+", re.IGNORECASE)
TENANT_WORDS = ("adfs", "common", "consumers", "organizations")
DEFAULT_SCOPE = "/.default"


class SignInError(Exception):
    """Refuse a token request.

    :param status: the HTTP status
    :param error: OAuth's word
    :param code: Entra's number
    :param text: what follows the number
    """

    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.status = status
        self.error = error
        self.code = code

    def to_json(self, now: datetime) -> dict[str, Any]:
        """Return the body of the refusal."""
        return _error_body(self.error, self.code, str(self), now)


def refusal_body(refusal: SignInRefusal, now: datetime) -> dict[str, Any]:
    """Return the body of a refusal that was planned."""
    return _error_body(refusal.error, refusal.code, f"AADSTS{refusal.code}: {refusal.message}", now)


def _error_body(error: str, code: int, text: str, now: datetime) -> dict[str, Any]:
    trace_id, correlation_id, stamp = str(uuid.uuid4()), str(uuid.uuid4()), f"{now:%Y-%m-%d %H:%M:%SZ}"
    about = f"Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {stamp}"
    return {
        "error": error,
        "error_description": f"{text} {about}",
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }


def read_token_request(form: Mapping[str, str], applications: Applications) -> tuple[Application, str]:
    """Return the application that a good request comes from, and the audience that it asks for."""
    if form.get("grant_type") != "client_credentials":
        raise SignInError(
            400,
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type {form.get('grant_type')!r}.",
        )
    application = applications.find(form.get("client_id", ""))
    if application is None:
        raise SignInError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form.get('client_id', '')}' was not found in the directory.",
        )
    if "client_secret" not in form:
        raise SignInError(
            401,
            "invalid_client",
            7000218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )
    if form["client_secret"] != application.client_secret:
        raise SignInError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{application.client_id}'.",
        )
    return application, _audience(form)


def _audience(form: Mapping[str, str]) -> str:
    if form.get("resource"):
        return form["resource"]
    scope = form.get("scope", "").split(" ")[0]
    if not scope.endswith(DEFAULT_SCOPE):
        raise SignInError(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope!r} is not valid: it must end in /.default.",
        )
    return scope.removesuffix(DEFAULT_SCOPE)


def tenant_of(segment: str, home_tenant_id: str, error: str = "invalid_request") -> str:
    """Return the tenant id for what a client wrote in its place: any id, any domain name, `adfs`, `organizations`...

    :param error: OAuth's word for the refusal of anything else
    """
    if GUID.fullmatch(segment):
        return segment.lower()
    if segment.lower() not in TENANT_WORDS and not DOMAIN.fullmatch(segment):
        message = f"Tenant '{segment}' not found. Check to make sure you have the correct tenant ID."
        raise SignInError(400, error, 90002, message)
    return home_tenant_id


def openid_configuration(base_url: str, tenant: str, path: str) -> dict[str, Any]:
    """Return a tenant's sign-in addresses, with the tenant as the client wrote it."""
    root = f"{base_url}/{tenant}"
    oauth = "oauth2/v2.0" if "/v2.0/" in path.lower() else "oauth2"
    if tenant.lower() == "adfs":
        oauth = "oauth2/v2.0"
    return {
        "issuer": f"{root}/v2.0",
        "authorization_endpoint": f"{root}/{oauth}/authorize",
        "token_endpoint": f"{root}/{oauth}/token",
        "device_authorization_endpoint": f"{root}/{oauth}/devicecode",
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }


def cloud_endpoints(base_url: str, blob_host: str) -> dict[str, Any]:
    """Return the description of this cloud."""
    return {
        "name": "AibEmulator",
        "portal": base_url,
        "authentication": {
            "loginEndpoint": base_url,
            "audiences": [f"{base_url}/", base_url, "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": base_url,
        "microsoftGraphResourceId": f"{base_url}/",
        "suffixes": {"storage": blob_host},
        "vmImageAliasDoc": f"{base_url}/aliases.json",
    }

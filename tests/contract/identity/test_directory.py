from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.raw_arm import RawArm
from tests.contract.roles import principal_of

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

PRINCIPALS = "/v1.0/servicePrincipals"


def ask(raw: RawArm, method: str, path: str, body: Any = None, **more: Any) -> Any:
    """Ask the directory, which takes no api-version."""
    return raw.send(method, f"{raw.url}{path}", body, api_version=None, **more)


def test_applications_and_identities_are_principals(emulator: EmulatorThread) -> None:
    """An application is found by its client id, and an identity by its principal id."""
    raw, application = RawArm(emulator), emulator.control.register_application()
    condition = {"$filter": f"servicePrincipalNames/any(c:c eq '{application['client_id']}')"}
    (found,) = ask(raw, "GET", PRINCIPALS, params=condition).json()["value"]
    assert (found["id"], found["servicePrincipalType"]) == (application["object_id"], "Application")
    assert ask(raw, "GET", f"{PRINCIPALS}/{found['id']}").json() == found
    body = {"ids": [principal_of(raw), "nobody"]}
    (identity,) = ask(raw, "POST", "/v1.0/directoryObjects/getByIds", body).json()["value"]
    assert (identity["displayName"], identity["@odata.type"]) == ("image-builder", "#microsoft.graph.servicePrincipal")
    assert len(ask(raw, "GET", PRINCIPALS).json()["value"]) == 3


def test_who_is_not_there(emulator: EmulatorThread) -> None:
    """An unknown principal is not found, and a filter that the emulator cannot read is not ignored."""
    raw = RawArm(emulator)
    assert ask(raw, "GET", f"{PRINCIPALS}/nobody").status_code == 404
    refused = ask(raw, "GET", PRINCIPALS, params={"$filter": "displayName eq 'x'"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")

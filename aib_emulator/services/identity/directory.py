"""The little of Microsoft Graph that the az command line asks for when it assigns roles: who a principal is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.world import World

IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
BY_NAME = re.compile(r"\s*servicePrincipalNames/any\(\w+:\w+ eq '(?P<name>[^']*)'\)\s*", re.IGNORECASE)
ENTITY_TYPE = "#microsoft.graph.servicePrincipal"


def directory_routes(world: World) -> list[Route]:
    """Return the routes of the directory; anybody who has signed in may read it."""
    directory = DirectoryRoutes(world)
    principals = "/v1.0/servicePrincipals"
    return [
        Route("GET", principals, directory.list, needs_api_version=False),
        Route("GET", f"{principals}/{{object_id}}", directory.get, needs_api_version=False),
        Route("POST", "/v1.0/directoryObjects/getByIds", directory.get_by_ids, needs_api_version=False),
    ]


class DirectoryRoutes:
    """Answer the calls about principals: applications, and managed identities.

    :param world: knows both
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def list(self, call: Call) -> Answer:
        """List the service principals, or those of a client id."""
        wanted = call.query.get("$filter", "")
        match = BY_NAME.fullmatch(wanted)
        if wanted and match is None:
            raise ArmError(400, "Request_UnsupportedQuery", f"The emulator does not know the filter '{wanted}'.")
        name = None if match is None else match["name"].lower()
        found = [principal for principal in self._principals() if name in {None, principal["appId"].lower()}]
        return Answer(200, {"value": found})

    async def get(self, call: Call) -> Answer:
        """Show a service principal."""
        wanted = call.parameters["object_id"]
        for principal in self._principals():
            if principal["id"].lower() == wanted.lower():
                return Answer(200, principal)
        message = (
            f"Resource '{wanted}' does not exist or one of its queried reference-property objects are not present."
        )
        raise ArmError(404, "Request_ResourceNotFound", message)

    async def get_by_ids(self, call: Call) -> Answer:
        """Show those of the named objects that there are."""
        named = {str(object_id).lower() for object_id in call.json({"ids": [str]}).get("ids") or []}
        found = [principal for principal in self._principals() if principal["id"].lower() in named]
        return Answer(200, {"value": [{"@odata.type": ENTITY_TYPE, **principal} for principal in found]})

    def _principals(self) -> Iterator[dict[str, Any]]:
        for application in self._world.applications:
            yield _principal(application.object_id, application.client_id, application.client_id, "Application")
        for identity in self._world.store.list(resource_type=IDENTITY_TYPE):
            properties = identity.body["properties"]
            yield _principal(properties["principalId"], properties["clientId"], identity.id.name, "ManagedIdentity")


def _principal(object_id: str, client_id: str, name: str, kind: str) -> dict[str, Any]:
    return {
        "id": object_id,
        "appId": client_id,
        "displayName": name,
        "servicePrincipalNames": [client_id],
        "servicePrincipalType": kind,
    }

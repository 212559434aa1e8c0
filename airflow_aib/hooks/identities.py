"""Whether the identities that an image template names are there, before something is given up for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError, ConnectionSettingsError, ImageTemplateError
from airflow_aib.hooks.errors import NOT_FOUND
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.waiting import LOOK_TIME, asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_aib.hooks.clients import AzureClients

IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
API_VERSION = "2023-01-31"


async def require_identities(clients: AzureClients, body: Mapping[str, Any]) -> None:
    """Raise an `ImageTemplateError` that names the identities which certainly do not exist.

    Whatever cannot be looked at is let pass: Azure judges it when the image template is created.

    :param clients: how Azure is reached
    :param body: what is to be submitted
    """
    named = (body.get("identity") or {}).get("userAssignedIdentities") or {}
    missing = [identity_id for identity_id in named if await _is_missing(clients, identity_id)]
    if missing:
        raise ImageTemplateError(
            f"The image template names an identity that does not exist: {', '.join(missing)}",
            hint="Correct it, or create the identity first. What stands under the name is not replaced.",
            missing=missing,
        )


async def _is_missing(clients: AzureClients, identity_id: str) -> bool:
    try:
        resource_id = ResourceId.parse(identity_id)
        if resource_id.resource_type.lower() != IDENTITY_TYPE.lower():
            return False
        resources = clients.resources(resource_id.subscription_id).resources
        async with asked("read identity", identity_id, LOOK_TIME):
            await resources.get_by_id(str(resource_id), api_version=API_VERSION, retry_total=0)
    except ArmRequestError as error:
        return error.status == NOT_FOUND
    except (ConnectionSettingsError, ImageTemplateError):
        return False
    return False

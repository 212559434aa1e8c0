"""The functions of expressions that know where a deployment goes, when, and who asked for it."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.resources.deployments.place import extension_resource_id, tenant_resource_id
from aib_emulator.services.resources.deployments.syntax import ExpressionError
from aib_emulator.services.resources.resources import subscription_body

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aib_emulator.arm.call import Call
    from aib_emulator.services.resources.deployments.place import Place
    from aib_emulator.services.resources.deployments.request import DeploymentRequest
    from aib_emulator.world import World

TIME_PARTS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
WHOLE_TIMES = {"d": "%m/%d/%Y", "u": "%Y-%m-%d %H:%M:%SZ"}


def context_functions(
    world: World, call: Call, place: Place, name: str, request: DeploymentRequest
) -> dict[str, Callable[..., Any]]:
    """Return the functions of one deployment, by lower-case name."""
    settings, now = world.settings, world.clock.now()
    subscription = subscription_body(place.subscription_id, settings.tenant_id)
    shown = {key: subscription[key] for key in ("id", "subscriptionId", "tenantId", "displayName")}
    deployment = {
        "name": name,
        "location": request.location,
        "properties": {"template": request.document, "parameters": request.parameters, "mode": request.mode},
    }
    deployer = {"objectId": call.claims.get("oid", ""), "tenantId": settings.tenant_id}
    return {
        "deployer": lambda: deployer,
        "deployment": lambda: deployment,
        "environment": lambda: _environment(world, call),
        "extensionresourceid": extension_resource_id,
        "newguid": lambda: str(uuid.uuid4()),
        "resourcegroup": lambda: _group(world, place),
        "resourceid": place.resource_id,
        "subscription": lambda: shown,
        "subscriptionresourceid": place.subscription_resource_id,
        "tenant": lambda: {"tenantId": settings.tenant_id},
        "tenantresourceid": tenant_resource_id,
        "utcnow": lambda form="yyyyMMddTHHmmssZ": _time(now, form),
    }


def _group(world: World, place: Place) -> dict[str, Any]:
    if place.resource_group_name is None:
        raise ExpressionError(
            "The template function 'RESOURCEGROUP' is not expected at this location. "
            "Please see https://aka.ms/arm-functions for usage details."
        )
    group = world.store.get(ResourceId(place.subscription_id, place.resource_group_name))
    return {} if group is None else group.body


def _environment(world: World, call: Call) -> dict[str, Any]:
    return {
        "name": "AibEmulator",
        "resourceManager": f"{call.base_url}/",
        "authentication": {
            "loginEndpoint": f"{call.base_url}/",
            "audiences": [f"{call.base_url}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {"storage": world.blobs.public_url.partition("//")[2]},
    }


def _time(now: datetime, form: str) -> str:
    if form in WHOLE_TIMES:
        return now.strftime(WHOLE_TIMES[form])
    return re.sub("|".join(TIME_PARTS), lambda part: now.strftime(TIME_PARTS[part[0]]), form)

"""What a deployment would change: what it would put, beside what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.locations import is_known, short_name
from aib_emulator.services.resources.deployments.deployment import others
from aib_emulator.services.resources.deployments.evaluation import Scope, evaluate
from aib_emulator.services.resources.deployments.inputs import without_secrets
from aib_emulator.services.resources.deployments.lookups import Lookups
from aib_emulator.services.resources.deployments.syntax import ExpressionError
from aib_emulator.services.resources.resources import newest_api_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.arm.call import Call
    from aib_emulator.services.resources.deployments.deployment import Deployment
    from aib_emulator.services.resources.deployments.plan import PlannedResource
    from aib_emulator.world import World

Change = dict[str, Any]
NOT_FOUND = 404


async def changes(world: World, call: Call, deployment: Deployment) -> list[Change]:
    """Return what would become of each resource of the document, and of what lies beside them."""
    lookups = Lookups(world, call)
    found = [await _change(lookups, step.resource, deployment) for step in deployment.steps]
    word = "Delete" if deployment.request.mode == "Complete" else "Ignore"
    for resource_id in others(world, deployment.place, {step.resource.key for step in deployment.steps}):
        try:
            before = await lookups.get(str(resource_id), newest_api_version(str(resource_id)))
        except ArmError:
            continue  # whoever asks may not see it
        found.append({"resourceId": str(resource_id), "changeType": word, "before": before})
    if deployment.request.is_brief:
        return [{"resourceId": change["resourceId"], "changeType": _brief(change["changeType"])} for change in found]
    return found


def differences(after: Any, before: Any, path: str = "") -> Iterator[Change]:
    """Yield what would change; what the service has added by itself is no change."""
    if isinstance(after, dict) and isinstance(before, dict):
        known = {name.lower(): value for name, value in before.items()}
        for name, value in after.items():
            place = f"{path}.{name}" if path else name
            if name.lower() in known:
                yield from differences(value, known[name.lower()], place)
            else:
                yield {"path": place, "propertyChangeType": "Create", "after": value}
    elif not _same(after, before, path):
        yield {"path": path, "propertyChangeType": "Modify", "before": before, "after": after}


async def _change(lookups: Lookups, resource: PlannedResource, deployment: Deployment) -> Change:
    shown = without_secrets(deployment.request, resource.scope)
    scope = await lookups.scope(resource.sent, shown, deployment.plan)
    after = {
        "apiVersion": resource.api_version,
        "id": resource.resource_id,
        "name": resource.name.rpartition("/")[2],
        "type": resource.resource_type,
        **_known(resource.sent, scope),
    }
    try:
        before = await lookups.get(resource.resource_id, resource.api_version)
    except ArmError as error:
        if error.status != NOT_FOUND:
            raise
        return {"resourceId": resource.resource_id, "changeType": "Create", "after": after}
    delta = list(differences({name: after[name] for name in resource.sent}, before))
    shared = {"resourceId": resource.resource_id, "before": before, "after": {**before, **after}}
    return {**shared, "changeType": "Modify", "delta": delta} if delta else {**shared, "changeType": "NoChange"}


def _known(value: Any, scope: Scope) -> Any:
    """Evaluate what can be known beforehand; the rest stays as it is written."""
    if isinstance(value, dict) and "copy" not in value:
        return {_known(name, scope): _known(item, scope) for name, item in value.items()}
    try:
        return evaluate(value, scope)
    except (ExpressionError, ArmError):
        return value


def _same(after: Any, before: Any, path: str) -> bool:
    if isinstance(after, list) and isinstance(before, list):
        pairs = zip(after, before, strict=False)
        return len(after) == len(before) and all(not list(differences(*pair)) for pair in pairs)
    if path == "location" and isinstance(after, str) and is_known(after):
        return bool(short_name(after) == before)
    if isinstance(after, str) and isinstance(before, str) and after.startswith("/subscriptions/"):
        return after.lower() == before.lower()
    return bool(after == before)


def _brief(change_type: str) -> str:
    return change_type if change_type in {"Ignore", "Delete"} else "Deploy"

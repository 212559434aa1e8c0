"""Wait for the resources that an image template names in `dependsOn`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.errors import NOT_FOUND
from airflow_aib.hooks.resource_id import ResourceId
from airflow_aib.hooks.waiting import LOOK_TIME, Patience, Wait, asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_aib.hooks.clients import AzureClients

DEPENDENCY_TIMEOUT = timedelta(minutes=30)
# Resource groups are resources of their own kind, with an api-version of their own.
RESOURCE_GROUPS_TYPE = "Microsoft.Resources/resourceGroups"


@dataclass(frozen=True)
class _Seen:
    exists: bool
    state: str | None = None

    @property
    def is_ready(self) -> bool:
        """A resource without a provisioning state, as a role assignment, is ready when it is there."""
        return self.exists and self.state in {None, "Succeeded"}


async def wait_for_dependencies(
    clients: AzureClients,
    resource_ids: Iterable[str],
    *,
    poll_interval: float,
    within: timedelta = DEPENDENCY_TIMEOUT,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """Wait until each resource exists and is provisioned; one that has failed ends the wait.

    :param clients: how Azure is reached
    :param resource_ids: of the resources, which are awaited one after the other
    :param poll_interval: seconds between two looks
    :param within: how long to wait for each
    :param clock: tells the time and waits
    """
    for text in resource_ids:
        await _wait_for(clients, text, Patience(poll_interval, within), clock)


async def _wait_for(clients: AzureClients, text: str, patience: Patience, clock: Clock) -> None:
    resource_id = ResourceId.parse(text)
    api_version = await find_api_version(clients, resource_id)

    async def look() -> _Seen:
        return await _look(clients, resource_id, api_version)

    def is_done(seen: _Seen) -> bool:
        if seen.state in {"Failed", "Canceled"}:
            raise _unusable(text, f"its provisioning state is {seen.state}")
        return seen.is_ready

    def overdue(seen: _Seen | None) -> ArmRequestError:
        state = f"its provisioning state is {seen.state}" if seen and seen.exists else "it does not exist"
        return _unusable(text, f"after {patience.within} {state}")

    await Wait(look, is_done, overdue, patience, clock).until_done()


def _unusable(text: str, reason: str) -> ArmRequestError:
    return ArmRequestError(
        f"The image template depends on {text}, but {reason}",
        hint="Create or repair that resource, or take it out of `dependsOn`.",
        code="DependencyNotReady",
        target=text,
    )


async def _look(clients: AzureClients, resource_id: ResourceId, api_version: str) -> _Seen:
    resources = clients.resources(resource_id.subscription_id).resources
    try:
        async with asked("read resource", str(resource_id), LOOK_TIME):
            found = await resources.get_by_id(str(resource_id), api_version=api_version, retry_total=0)
            body: dict[str, Any] = found.as_dict()
    except ArmRequestError as error:
        if error.status == NOT_FOUND:
            return _Seen(exists=False)
        raise
    properties = body.get("properties") or {}
    return _Seen(exists=True, state=properties.get("provisioningState"))


async def find_api_version(clients: AzureClients, resource_id: ResourceId) -> str:
    """Ask Azure for the newest stable api-version of the resource's type."""
    resource_type = resource_id.resource_type or RESOURCE_GROUPS_TYPE
    namespace, _, kind = resource_type.partition("/")
    async with asked("read resource provider", namespace):
        provider = (await clients.resources(resource_id.subscription_id).providers.get(namespace)).as_dict()
    for known in provider.get("resourceTypes") or []:
        if str(known.get("resourceType", "")).lower() == kind.lower():
            return _newest(known.get("apiVersions") or [], resource_type)
    raise ArmRequestError(
        f"Azure knows no resource type {resource_type}",
        hint="Correct the resource id in `dependsOn`, or register the resource provider.",
        code="InvalidResourceType",
        target=str(resource_id),
    )


def _newest(api_versions: Sequence[str], resource_type: str) -> str:
    stable = [version for version in api_versions if "preview" not in version.lower()]
    if not api_versions:
        raise ArmRequestError(
            f"Azure lists no api-version for {resource_type}",
            hint="Register its resource provider in the subscription, or take the resource out of `dependsOn`.",
            code="InvalidResourceType",
            target=resource_type,
        )
    return max(stable or api_versions)

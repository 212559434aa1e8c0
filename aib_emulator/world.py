"""Everything that a service may use, handed to each of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.throttling import Throttle
from aib_emulator.failures import Failures
from aib_emulator.keeping.keeper import Keeper
from aib_emulator.sign_in import SignInRefusals
from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aib_emulator.applications import Applications
    from aib_emulator.arm.call import Answer, Call
    from aib_emulator.arm.operations import Operations
    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.choices import Choices
    from aib_emulator.clock import ScaledClock
    from aib_emulator.faults import Faults
    from aib_emulator.ports import AccessShapes, BlobStore, ComputeShapes, RecordedRun, StorageShapes
    from aib_emulator.request_record import RequestRecord
    from aib_emulator.schedule import Schedule
    from aib_emulator.settings import EmulatorSettings
    from aib_emulator.store import Store
    from aib_emulator.tokens import TokenAuthority

    DeleteHook = Callable[[Resource], Awaitable[None]]


BEING_DELETED = "Deleting"
KEPT_RUNS = 10_000
"""How many runs are remembered, those of image templates that are gone among them."""


async def _nobody_answers(call: Call) -> Answer:
    raise RuntimeError(f"No front door answers {call.method} {call.path}.")


@dataclass
class World:
    """Carry everything that a service may use.

    :param settings: what the emulator was told
    :param choices: which of the answers that nobody knows are given
    :param clock: the emulated time
    :param store: the resources
    :param blobs: the storage accounts' blobs
    :param operations: the long operations
    :param schedule: carries out effects at their instants
    :param tokens: signs and checks access tokens
    :param applications: who may sign in
    :param access: set by `app` from `services/authorization`
    :param faults: planned faults of the transport
    :param requests: what was asked
    :param throttle: lets calls to Resource Manager pass, or not
    :param sign_in_refusals: sign-ins that are going to be refused
    :param failures: planned failures of creations and runs
    :param runs: the last runs that have begun, oldest first
    :param send: answers a call that a service makes on behalf of a caller; set by the front door
    :param delete_hooks: by lower-case resource type, what to do before such a resource is forgotten
    :param storage: set by `app` from `services/storage`
    :param compute: set by `app` from `services/compute`
    :param keeper: writes down what changes
    :param resume: set by services that had something going on when an earlier emulator stopped
    """

    settings: EmulatorSettings
    choices: Choices
    clock: ScaledClock
    store: Store
    blobs: BlobStore
    operations: Operations
    schedule: Schedule
    tokens: TokenAuthority
    applications: Applications
    access: AccessShapes
    faults: Faults
    requests: RequestRecord
    storage: StorageShapes
    compute: ComputeShapes
    throttle: Throttle = field(default_factory=Throttle)
    sign_in_refusals: SignInRefusals = field(default_factory=SignInRefusals)
    failures: Failures = field(default_factory=Failures)
    runs: deque[RecordedRun] = field(default_factory=lambda: deque(maxlen=KEPT_RUNS))
    send: Callable[[Call], Awaitable[Answer]] = _nobody_answers
    delete_hooks: dict[str, DeleteHook] = field(default_factory=dict)
    keeper: Keeper = field(default_factory=Keeper)
    resume: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def put_group(self, group_id: ResourceId, *, location: str, tags: Mapping[str, str]) -> Resource:
        """Put a new resource group into the store."""
        body: dict[str, Any] = {
            "id": group_id.write(),
            "name": group_id.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": location,
            "tags": dict(tags),
            "properties": {"provisioningState": "Succeeded"},
        }
        now = self.clock.now()
        return self.store.put(Resource(group_id, body, created=now, changed=now))

    async def delete(self, resource_id: ResourceId) -> bool:
        """Delete a resource with its parts, or a group with all that is in it; return whether it was there."""
        resource = self.store.get(resource_id)
        if resource is not None and resource_id.is_group:
            resource.body["properties"]["provisioningState"] = BEING_DELETED
        # Asked again and again: a call that was let in before may still put something.
        while parts := self.store.list_below(resource_id):
            await self._delete_one(parts[-1])
        if resource is None:
            return False
        await self._delete_one(resource)
        return True

    def is_being_deleted(self, group: Resource) -> bool:
        """Whether a resource group is about to go."""
        return bool(group.body["properties"]["provisioningState"] == BEING_DELETED)

    async def _delete_one(self, resource: Resource) -> None:
        hook = self.delete_hooks.get(resource.id.resource_type.lower())
        if hook is not None:
            await hook(resource)
        if self.store.get(resource.id) is resource:  # else it was deleted meanwhile, and perhaps made anew
            self.store.delete(resource.id)
            self.access.forget(resource.id)

"""Carries calls out: what may be done to an image template in which state, and what it sets going."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.arm.locations import is_known, short_name
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.time_format import ticks_text
from aib_emulator.failures import CANCEL, DELETE, PUT, RUN
from aib_emulator.services.image_builder import refusal
from aib_emulator.services.image_builder.creation import Creation
from aib_emulator.services.image_builder.effects import LOG_CONTAINER, RunEffects
from aib_emulator.services.image_builder.log_lines import LogWriter
from aib_emulator.services.image_builder.members import IMAGE_TEMPLATE, READ_ONLY, read
from aib_emulator.services.image_builder.patch import apply_patch
from aib_emulator.services.image_builder.pending import CreationError, Pending
from aib_emulator.services.image_builder.planned import (
    RunPlan,
    denied,
    foreign_staging_group,
    lost_staging_group,
    plan_of,
    withdrawn_source,
)
from aib_emulator.services.image_builder.resources import RESOURCE_TYPE, ImageTemplate, completed
from aib_emulator.services.image_builder.rights import denial_of_run
from aib_emulator.services.image_builder.run import ImageRun
from aib_emulator.services.image_builder.sources import resolve_source
from aib_emulator.services.image_builder.staging import delete_staging, is_marked
from aib_emulator.services.image_builder.timeline import CANCEL_SECONDS, FOR_EVER, plan_run
from aib_emulator.services.image_builder.trigger import failures_to_remember
from aib_emulator.services.image_builder.trigger_watch import TriggerWatch
from aib_emulator.services.image_builder.validation import validate
from aib_emulator.store import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from aib_emulator.arm.operations import Operation
    from aib_emulator.world import World

KEPT_AS = "image_template"
DELETION_SECONDS = 78.1
RUN_STARTS_EARLIER = timedelta(milliseconds=63)
"""Measured: a run's start lies this much before that of its operation."""


class ImageTemplateDesk:
    """Keep the image templates, and do with them what calls ask for.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.watch = TriggerWatch(world, self.all, self.run)

    def find(self, image_template_id: ResourceId) -> ImageTemplate | None:
        """Return the image template of that id."""
        resource = self._world.store.get(image_template_id)
        return None if resource is None else _kept(resource)

    def list(self, subscription_id: str, resource_group_name: str | None) -> list[ImageTemplate]:
        """Return the image templates of a group, or of the subscription."""
        found = self._world.store.list(
            subscription_id=subscription_id, resource_group_name=resource_group_name, resource_type=RESOURCE_TYPE
        )
        return [_kept(resource) for resource in found]

    def create(
        self, image_template_id: ResourceId, sent: dict[str, Any], api_version: str
    ) -> tuple[ImageTemplate, Operation]:
        """Accept a new image template and begin to create it."""
        body = read(sent, IMAGE_TEMPLATE, api_version)
        if not is_known(str(body.get("location") or "")):
            raise _no_location(body.get("location"))
        validate(body, image_template_id.name, api_version)
        if self.find(image_template_id) is not None:
            raise refusal.update_not_supported()
        self._check_identities(body.get("identity") or {})
        image_template = _image_template(image_template_id, body)
        operation = image_template.creation = self._world.operations.start(self._world.clock.now())
        self._keep(image_template)
        seconds = Creation(self._world, image_template).duration()
        image_template.due = operation.started + seconds + self._stuck_for(image_template, PUT)
        self.go_on_creating(image_template, operation, image_template.due)
        return image_template, operation

    def go_on_creating(self, image_template: ImageTemplate, operation: Operation, done_at: datetime) -> None:
        """Carry the creation out when its time has come."""
        creation = Creation(self._world, image_template)

        async def carry_out() -> None:
            await creation.carry_out()
            if (image_template.properties.get("autoRun") or {}).get("state") == "Enabled":
                self.run(image_template, done_at)

        when_over = partial(self.touch, image_template)
        is_nested = self._world.choices["failed-creation-operation"] == "nested"
        pending = Pending(done_at, operation, carry_out, creation.fail, when_over, is_nested=is_nested)
        self._begin(image_template, pending)

    def update(self, image_template: ImageTemplate, sent: dict[str, Any], api_version: str) -> None:
        """Change what a PATCH may change."""
        if image_template.state in {"creating", "deleting"}:
            raise self.not_allowed(image_template, "write")
        apply_patch(self._world, image_template, sent, api_version)
        resource = self._world.store.get(image_template.image_template_id)
        if resource is not None:
            resource.body.update(tags=image_template.tags, identity=image_template.identity)
            resource.changed = self._world.clock.now()

    def delete(self, image_template: ImageTemplate) -> Operation:
        """Begin to delete; asked again meanwhile, return the operation that does it."""
        if image_template.deletion is not None and self._world.choices["second-delete"] == "joined":
            return image_template.deletion
        if (
            image_template.deletion is not None
            or image_template.state == "creating"
            or self._is_running(image_template)
        ):
            raise self.not_allowed(image_template, "delete")
        now = self._world.clock.now()
        operation = image_template.deletion = self._world.operations.start(now)
        image_template.state = "deleting"
        image_template.due = now + timedelta(seconds=DELETION_SECONDS) + self._stuck_for(image_template, DELETE)
        self.go_on_deleting(image_template, operation, image_template.due)
        return operation

    def go_on_deleting(self, image_template: ImageTemplate, operation: Operation, done_at: datetime) -> None:
        """Carry the deletion out when its time has come."""

        async def carry_out() -> None:
            await self._world.delete(image_template.image_template_id)

        def fail(_: CreationError) -> None:
            image_template.state, image_template.deletion = "failed", None

        when_over = partial(self.touch, image_template)
        self._begin(image_template, Pending(done_at, operation, carry_out, fail, when_over))

    async def forget(self, resource: Resource) -> None:
        """Stop what goes on and delete the staging group, before the image template itself is forgotten."""
        image_template = _kept(resource)
        if image_template.pending is not None:
            await self._world.schedule.end(image_template.pending)
        image_template.state = "deleting"  # from now on nobody sets anything going
        if image_template.run is not None:
            await self._world.schedule.end(image_template.run)
        await delete_staging(self._world, image_template)

    def run(self, image_template: ImageTemplate, at: datetime | None = None) -> Operation:
        """Start a run, now or at an instant that has come."""
        if at is None and self._world.choices["second-run"] == "joined" and self._is_running(image_template):
            return self._run_of(image_template).operation
        if image_template.state != "provisioned" or self._is_running(image_template):
            raise self.not_allowed(image_template, "run/action")
        start = at or self._world.clock.now()
        plan = self._plan(image_template, start)
        run = ImageRun(
            image_template,
            plan_run(image_template.properties, start, plan.fault),
            self._world.operations.start(start + RUN_STARTS_EARLIER),
            when_over=partial(self.when_over, image_template),
            when_changed=partial(self.touch, image_template),
            fault=plan.fault,
            words=plan.words,
            all_sub_states=self._world.choices["run-sub-states"] == "all",
            outcomes={
                "Canceled": self._world.choices["canceled-run-operation"],
                "PartiallySucceeded": self._world.choices["partial-run-operation"],
            },
            log_url=self._world.blobs.blob_url(image_template.staging_account, LOG_CONTAINER),
        )
        self._begin_run(image_template, run)
        return run.operation

    def cancel(self, image_template: ImageTemplate) -> None:
        """Begin to cancel the run that goes on."""
        run, now = image_template.run, self._world.clock.now()
        is_idle = run is None or run.look(now).is_over
        if is_idle and image_template.state == "provisioned" and self._world.choices["idle-cancel"] == "accepted":
            return
        if run is None or run.look(now).run_state != "Running" or image_template.state == "deleting":
            raise self.not_allowed(image_template, "cancel/action")
        run.cancel(now, CANCEL_SECONDS + self._stuck_for(image_template, CANCEL).total_seconds())
        run.expect(self.effects(run).of_cancel())
        self._world.schedule.add(run)
        self.touch(image_template)

    def last_run_status(self, image_template: ImageTemplate) -> dict[str, Any] | None:
        """Return what an image template says about its last run."""
        run = image_template.run
        return None if run is None else run.last_run_status(self._world.clock.now())

    def system_data(self, image_template: ImageTemplate) -> dict[str, str]:
        """Return when an image template was made and last changed."""
        resource = self._world.store.get(image_template.image_template_id)
        if resource is None:
            return {}
        return {"createdAt": ticks_text(resource.created), "lastModifiedAt": ticks_text(resource.changed)}

    def run_outputs(self, image_template: ImageTemplate) -> dict[str, dict[str, Any]]:
        """Return what the last run has distributed so far, by lower-case name."""
        if image_template.run is None:
            return {}
        is_previous = self._world.choices["run-outputs-while-running"] == "previous"
        if is_previous and self._is_running(image_template):
            return image_template.previous_run_outputs
        return image_template.run.run_outputs

    def _run_of(self, image_template: ImageTemplate) -> ImageRun:
        if image_template.run is None:
            raise TypeError(f"{image_template.image_template_id} was never run.")
        return image_template.run

    def _begin_run(self, image_template: ImageTemplate, run: ImageRun) -> None:
        if image_template.run is not None:
            ended = image_template.run.look(self._world.clock.now()).run_state
            image_template.earlier_run_states = failures_to_remember(
                [*image_template.earlier_run_states, ended], self._world.settings.trigger_failure_limit
            )
            image_template.previous_run_outputs = image_template.run.run_outputs
        image_template.run = run
        self._world.runs.append(run)
        run.expect(self.effects(run).of_run())
        self._world.schedule.add(run)
        self.touch(image_template)

    def touch(self, image_template: ImageTemplate) -> None:
        """Say that an image template, its run or a trigger has changed."""
        self._world.store.touch(image_template.image_template_id)

    def all(self) -> Sequence[ImageTemplate]:
        """Return every image template."""
        return self.list(self._world.settings.subscription_id, None)

    def when_over(self, image_template: ImageTemplate) -> None:
        """Let triggers look at what has changed while the run was in the way."""
        run = image_template.run
        if run is not None and self.find(image_template.image_template_id) is image_template:
            self.watch.look_behind(image_template, run)

    def _stuck_for(self, image_template: ImageTemplate, stage: str) -> timedelta:
        """Return how much longer than usual something takes, as planned."""
        failure = self._world.failures.take(image_template.image_template_id.name, stage)
        if failure is None:
            return timedelta()
        return FOR_EVER if failure.seconds is None else timedelta(seconds=failure.seconds)

    def _begin(self, image_template: ImageTemplate, pending: Pending) -> None:
        image_template.pending = pending
        self._world.schedule.add(pending)

    def effects(self, run: ImageRun) -> RunEffects:
        """Return what makes the effects of a run."""
        return RunEffects(self._world, run, LogWriter(run.image_template, run.log_prefix, run.words))

    def _plan(self, image_template: ImageTemplate, at: datetime) -> RunPlan:
        """Return how the next run goes: as planned, but badly without its rights, its source or its staging group."""
        log_form = self._world.settings.log_form
        is_source_there = self._resolve_again(image_template, at)
        self.watch.note(image_template)
        denial = denial_of_run(self._world, image_template)
        if denial is not None:
            return denied(denial, image_template, log_form)
        failure = self._world.failures.take(image_template.image_template_id.name, RUN)
        group_id = image_template.staging_group_id
        if group_id is None or self._world.store.get(group_id) is None:
            return lost_staging_group(image_template, log_form)
        if not is_marked(self._world, image_template):
            return foreign_staging_group(image_template, log_form)
        if not is_source_there:
            return withdrawn_source(image_template, log_form)
        return plan_of(failure, image_template, log_form)

    def _resolve_again(self, image_template: ImageTemplate, at: datetime) -> bool:
        """Look up what `latest` means by now, and return whether the source is there at all."""
        try:
            resolve_source(self._world, image_template, at)
        except CreationError:
            return False
        return True

    def _keep(self, image_template: ImageTemplate) -> None:
        now = self._world.clock.now()
        body = {"location": image_template.location, "tags": image_template.tags, "identity": image_template.identity}
        resource = Resource(image_template.image_template_id, body, created=now, changed=now)
        resource.private[KEPT_AS] = image_template
        self._world.store.put(resource)

    def _is_running(self, image_template: ImageTemplate) -> bool:
        run = image_template.run
        return run is not None and not run.look(self._world.clock.now()).is_over

    def not_allowed(self, image_template: ImageTemplate, operation: str) -> refusal.RefusalError:
        """Return the refusal of an operation in the present state."""
        run = image_template.run
        run_state = "" if run is None else run.look(self._world.clock.now()).run_state.lower()
        return refusal.operation_not_allowed(operation, image_template.state, run_state)

    def _check_identities(self, identity: dict[str, Any]) -> None:
        for identity_id in identity.get("userAssignedIdentities") or {}:
            if self._world.store.get(ResourceId.parse(identity_id)) is None:
                raise refusal.identity_not_found(identity_id)


def _kept(resource: Resource) -> ImageTemplate:
    image_template = resource.private[KEPT_AS]
    if not isinstance(image_template, ImageTemplate):
        raise TypeError(f"{resource.id} is kept without its image template.")
    return image_template


def _image_template(image_template_id: ResourceId, body: dict[str, Any]) -> ImageTemplate:
    sent = {name: value for name, value in body["properties"].items() if name not in READ_ONLY}
    return ImageTemplate(
        image_template_id,
        location=short_name(body["location"]),
        tags=dict(body.get("tags") or {}),
        identity=_identity(body.get("identity") or {}),
        properties=completed(sent),
    )


def _identity(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the identity as it is kept; empty when there is none, as in the previews."""
    if sent.get("type", "None") == "None":
        return dict(sent)
    return {"type": sent["type"], "userAssignedIdentities": {name: {} for name in sent["userAssignedIdentities"]}}


def _no_location(location: object) -> ArmError:
    if not location:
        return ArmError(400, "LocationRequired", "The location property is required for this definition.")
    return ArmError(
        400,
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{RESOURCE_TYPE}'.",
    )

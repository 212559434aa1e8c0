"""Ask for a run: once, with an identity from before it is asked for, and with sense for what an answer leaves open."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError, ImageTemplateInUseError
from airflow_aib.hooks.errors import CONFLICT, TOO_MANY_REQUESTS, is_lost_answer
from airflow_aib.hooks.image_templates import ImageTemplates, provisioning_state
from airflow_aib.hooks.waiting import LOOK_TIME, Patience, Wait, asked
from airflow_aib.image_run.run_handle import ImageRunHandle, RunOwnership
from airflow_aib.image_run.run_status import LastRunStatus, parse_service_time, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

# How long to look for a run whose start was answered badly, and for one that Azure has accepted.
LOST_RUN_PATIENCE = Patience(poll_interval=10, within=timedelta(minutes=2), error_budget=timedelta(minutes=2))
FIRST_SIGHT_PATIENCE = Patience(poll_interval=4, within=timedelta(seconds=20), error_budget=timedelta(seconds=20))
REFUSED_ATTEMPTS = 5

# Azure's words for "not in this state": a run goes on, or the image template is being made or deleted.
_REFUSALS = frozenset({"operationnotallowed", "conflict"})
# As `EASTUS:20230525T075909Z:...`: when Azure's front door has seen the request.
_ROUTED_AT = re.compile(r":(\d{8}T\d{6})Z:")


@dataclass
class ServiceTime:
    """Remember when, by the service's own clock, an answer was given.

    Start times are told by that clock; ours may be wrong.

    :param at: ISO 8601; None where the answer does not say
    """

    at: str | None = None

    def __call__(self, answer: Any) -> None:
        """Read it from an answer of the SDK's pipeline."""
        headers = getattr(getattr(answer, "http_response", None), "headers", None) or {}
        at = _answered_at(headers)
        if at is not None:
            self.at = at.isoformat()


@dataclass(frozen=True)
class LookBeforeRun:
    """Hold what an image template looked like before a run was asked for.

    :param body: the image template
    :param status: its last run
    :param prepared: the handle of a run that is asked for next
    """

    body: dict[str, Any]
    status: LastRunStatus | None
    prepared: ImageRunHandle

    def is_idle(self, handover: timedelta) -> bool:
        """Whether no run goes on, and whoever waited for the last one has had time to see its end.

        :param handover: how much time; the next run hides end and outputs of the one before
        """
        if self.status is None:
            return True
        now, ended_at = parse_service_time(self.prepared.asked_at), self.status.ended_at
        if not self.status.is_over or now is None or ended_at is None:
            return self.status.is_over
        # The service tells its time in whole seconds.
        return now + timedelta(seconds=1) - ended_at >= handover


class RunRequests(ImageTemplates):
    """Ask for runs; AIB gives a run no id, so that its start time identifies it."""

    async def prepare_run(self, image_template_id: str) -> ImageRunHandle:
        """Note down, before a run is asked for, which run was the last one.

        Keep the handle before `request_run`: whoever holds it finds the run again, even if it is never answered.
        """
        return (await self.look_before_run(image_template_id)).prepared

    async def look_before_run(self, image_template_id: str, *, retries: bool = True) -> LookBeforeRun:
        """Look at the image template, and note down who would be the next run's predecessor.

        :param retries: whether the SDK repeats a failed look a few times
        """
        moment = ServiceTime()
        body = await self.require_image_template(image_template_id, retries=retries, on_answer=moment)
        status = read_last_run_status(body)
        prepared = ImageRunHandle(
            image_template_id=image_template_id,
            submit_time=self.clock.now().isoformat(),
            previous_start_time=status.start_time if status else None,
            ownership=RunOwnership.UNCONFIRMED,
            asked_at=moment.at,
        )
        return LookBeforeRun(body, status, prepared)

    async def start_run(self, image_template_id: str, *, handle: ImageRunHandle | None = None) -> ImageRunHandle:
        """Start a run, or join the one that the handle means; never start it twice.

        :param handle: from `prepare_run`, or from an earlier try of the same task: when its run has appeared, running
            or over, it is joined and nothing is started
        """
        look = await self.look_before_run(image_template_id)
        status = look.status
        if status is not None and handle is not None and handle.matches(status):
            return handle.joined_to(status)
        if status is not None and not status.is_over:
            raise busy(image_template_id, status)
        # A new one, also where an earlier try has noted one down: by its submit time this run might be overdue already.
        return await self.see_run(await self.request_run(look.prepared, is_repeat=handle is not None))

    async def request_run(
        self,
        handle: ImageRunHandle,
        *,
        is_repeat: bool = False,
        on_asked_again: Callable[[ImageRunHandle], None] | None = None,
        on_refused: Callable[[], None] = lambda: None,
    ) -> ImageRunHandle:
        """Ask for the run; give its handle once it is known whether it came about.

        Azure's consent makes it ours. A refusal because of a run makes that run somebody else's, and raises an
        `ImageTemplateInUseError`, also when it is over by the time it is seen. No answer, or one that says neither,
        leaves it open: the run that appears is taken for ours, without certainty.

        :param handle: from `prepare_run`
        :param is_repeat: whether it was asked for before without an answer, so that a refusal may be because of ours
        :param on_asked_again: is shown the handle anew before each request that Azure's gate has put off is sent again
        :param on_refused: is told that nothing has come of it, before anybody looks why
        """
        moment = ServiceTime()

        def ask_again() -> None:
            if on_asked_again is not None:
                on_asked_again(handle.asked_again(self.clock.now()))

        try:
            await self._post("run", handle.image_template_id, moment, ask_again)
        except ArmRequestError as error:
            if is_open(error):
                return await self._find_lost_run(handle, error)
            if not is_repeat:
                on_refused()
            return await self._settle_refusal(handle, error, is_repeat=is_repeat)
        # An answer without a time was given when the look was, and by so much later as has passed since.
        return handle.accepted(moment.at or handle.asked_again(self.clock.now()).asked_at)

    async def see_run(self, handle: ImageRunHandle) -> ImageRunHandle:
        """Add the start time of a run that Azure has accepted; without it the handle still finds the run."""
        if handle.start_time is not None:
            return handle

        def not_yet(_: LastRunStatus | None) -> ArmRequestError:
            return ArmRequestError(
                "The accepted run has not appeared yet", hint="Look again later.", target=handle.image_template_id
            )

        try:
            status = await Wait(
                lambda: self._look(handle), handle.matches, not_yet, FIRST_SIGHT_PATIENCE, self.clock
            ).until_done()
        except ArmRequestError:
            # It was accepted: whoever watches it will see it, or say why not.
            return handle
        return handle.confirmed_by(status) if status else handle

    async def _post(
        self,
        action: str,
        image_template_id: str,
        on_answer: ServiceTime | None = None,
        before_repeat: Callable[[], None] = lambda: None,
    ) -> None:
        """Send a run or a cancel once; repeat only what Azure's gate refused for its request limit."""
        operations, group, name = self._address(image_template_id)
        calls: dict[str, Callable[..., Awaitable[object]]] = {
            "run": operations.begin_run,
            "cancel": operations.begin_cancel,
        }
        hook = {"raw_response_hook": on_answer} if on_answer is not None else {}
        for attempt in range(1, REFUSED_ATTEMPTS + 1):
            try:
                async with asked(f"{action} image template", image_template_id, LOOK_TIME):
                    await calls[action](group, name, polling=False, **self.NO_RETRIES, **hook)
            except ArmRequestError as error:
                if error.status != TOO_MANY_REQUESTS or attempt == REFUSED_ATTEMPTS:
                    raise
                await self._pause_after(error)
                before_repeat()
            else:
                return

    async def _find_lost_run(self, handle: ImageRunHandle, error: ArmRequestError) -> ImageRunHandle:
        """Look whether a run began although its start was answered badly, or not at all."""
        # Looked for at once, so that no run of much later can be meant.
        any_next = replace(handle, asked_at=None)

        def not_found(_: LastRunStatus | None) -> ArmRequestError:
            return ArmRequestError(
                f"{error.message}; no run has appeared within {LOST_RUN_PATIENCE.within} since",
                hint="Start it again with the same handle: should it appear late, that joins it.",
                code=error.code,
                target=error.target,
                request_id=error.request_id,
                status=error.status,
                **error.data,
            )

        status = await Wait(
            lambda: self._look(handle), any_next.matches, not_found, LOST_RUN_PATIENCE, self.clock
        ).until_done()
        return handle.joined_to(status) if status else handle

    async def _settle_refusal(
        self, handle: ImageRunHandle, error: ArmRequestError, *, is_repeat: bool
    ) -> ImageRunHandle:
        """Tell whose run it is that shows after a refusal, and raise when none of ours does."""
        if not _is_because_of_state(error):
            raise error
        status = await self._find_reason(handle, error)
        if is_repeat and handle.matches(status):
            return handle.joined_to(status)
        raise busy(handle.image_template_id, status)

    async def _find_reason(self, handle: ImageRunHandle, error: ArmRequestError) -> LastRunStatus:
        """Look for the run because of which Azure has refused ours; raise the refusal when there is none."""

        async def look() -> dict[str, Any]:
            return await self.require_image_template(handle.image_template_id, retries=False)

        def is_reason(body: dict[str, Any]) -> bool:
            # One that is being made or deleted is a reason too.
            is_at_rest = provisioning_state(body) == "Succeeded"
            return not is_at_rest or _has_other_run(handle, read_last_run_status(body))

        try:
            body = await Wait(look, is_reason, lambda _: error, LOST_RUN_PATIENCE, self.clock).until_done()
        except ArmRequestError as trouble:
            # Whatever ails the looks, what Azure has said stands.
            raise error from (trouble if trouble is not error else trouble.__cause__)
        status = read_last_run_status(body)
        if status is None or not _has_other_run(handle, status):
            raise error
        return status

    async def _look(self, handle: ImageRunHandle) -> LastRunStatus | None:
        return read_last_run_status(await self.require_image_template(handle.image_template_id, retries=False))


def _answered_at(headers: Mapping[str, str]) -> datetime | None:
    """Read when an answer was given: Azure's front door says it, or else HTTP's own header."""
    routed = _ROUTED_AT.search(headers.get("x-ms-routing-request-id") or "")
    try:
        if routed:
            return datetime.strptime(routed[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        date = parsedate_to_datetime(headers.get("Date") or "")
    except ValueError:
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)


def is_open(error: ArmRequestError) -> bool:
    """Whether the answer to a request leaves open whether it was carried out."""
    is_unclear = error.status == CONFLICT and not _is_because_of_state(error)
    return is_unclear or is_lost_answer(error)


def _is_because_of_state(error: ArmRequestError) -> bool:
    return (error.code or "").casefold() in _REFUSALS


def _has_other_run(handle: ImageRunHandle, status: LastRunStatus | None) -> bool:
    """Whether there is, or has been since, a run that stands in the way of the handle's."""
    return status is not None and (not status.is_over or status.start_time != handle.previous_start_time)


def busy(image_template_id: str, status: LastRunStatus) -> ImageTemplateInUseError:
    """Make the error for an image template of which another run goes on, or has gone on when ours was asked for."""
    run = (
        f"had a run until {status.end_time}, begun {status.start_time}"
        if status.is_over
        else f"has a run that goes on since {status.start_time}"
    )
    return ImageTemplateInUseError(
        f"Image template {image_template_id} {run} ({status.phase}); Azure allows one at a time",
        hint="Wait for it with AzureImageTemplateRunSensor, or end it with AzureImageTemplateCancelOperator, "
        "then start yours; or have AzureImageTemplateRunOperator do so, by its argument if_running.",
        image_template_id=image_template_id,
        start_time=status.start_time,
        run_state=status.run_state,
    )

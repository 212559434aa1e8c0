"""Save VHDs to the end: the same on triggerer and worker, and the one event with which it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_aib import exceptions
from airflow_aib.exceptions import ImageBuilderError, VhdCopyError
from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.image_builder import ImageTemplateService
from airflow_aib.hooks.vhd_outputs import VhdOutputs, abort_copies
from airflow_aib.image_run.diagnosis import Diagnosis
from airflow_aib.masking import mask
from airflow_aib.triggers.task_state import OVER_STATES, TaskInstanceFacts, read_task_state
from airflow_aib.vhd.copy_options import CopyOptions
from airflow_aib.vhd.copy_plan import VhdCopyResult

if TYPE_CHECKING:
    from airflow_aib.hooks.connection import AzureSettings
    from airflow_aib.hooks.task_log import TaskLog


@dataclass(frozen=True)
class CopyOrder:
    """Say which VHDs to save and how; it is what a trigger is made of, so it holds no secrets.

    :param image_template_id: resource id
    :param destination: container, and a folder in it
    :param deadline: when they must be saved
    :param start_time: verbatim start time of the run that is meant; None means the last run
    :param options: how to copy
    :param accepted_missing: run output names of which somebody has said that they may be missing
    """

    image_template_id: str
    destination: str
    deadline: datetime
    start_time: str | None = None
    options: CopyOptions = field(default_factory=CopyOptions)
    accepted_missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the order as JSON."""
        return {
            "image_template_id": self.image_template_id,
            "destination": self.destination,
            "deadline": self.deadline.isoformat(),
            "start_time": self.start_time,
            "options": self.options.to_json(),
            "accepted_missing": list(self.accepted_missing),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CopyOrder:
        """Read what `to_json` wrote; unknown keys are ignored."""
        return cls(
            image_template_id=value["image_template_id"],
            destination=value["destination"],
            deadline=datetime.fromisoformat(value["deadline"]),
            start_time=value.get("start_time"),
            options=CopyOptions.from_json(value.get("options") or {}),
            accepted_missing=tuple(value.get("accepted_missing") or ()),
        )


async def save_to_the_end(
    settings: AzureSettings, order: CopyOrder, *, log: TaskLog, clock: Clock = SYSTEM_CLOCK
) -> list[VhdCopyResult]:
    """Copy and verify the VHDs until all are saved, or one cannot be, or the time has passed."""
    within = max(order.deadline - clock.now(), timedelta())
    async with shared_clients(settings) as clients:
        service = ImageTemplateService(clients, clock=clock)
        outputs = VhdOutputs(service, order.destination, log, order.options)
        try:
            async with asyncio.timeout(within.total_seconds()) as bound:
                body = await service.require_image_template(order.image_template_id)
                return await outputs.save(
                    order.image_template_id, body, order.start_time, accepted_missing=order.accepted_missing
                )
        except TimeoutError as error:
            if not bound.expired():
                raise
            raise VhdCopyError(
                f"The VHDs of image template {order.image_template_id} were not saved by {order.deadline.isoformat()}",
                hint="Run the task again: the copies go on where they are. Or raise `copy_timeout`.",
            ) from error


async def abort_unwanted(
    settings: AzureSettings, order: CopyOrder, task_instance: TaskInstanceFacts, log: TaskLog
) -> None:
    """End what storage goes on copying by itself, if a person has ended the task; pieces that are there stay."""
    state = await read_task_state(task_instance)
    if state not in OVER_STATES:
        log.info("The task instance is %s, so the copy is still wanted.", state)
        return
    async with shared_clients(settings) as clients:
        ended = await abort_copies(ImageTemplateService(clients), order.image_template_id, order.destination)
    log.info("The task instance is %s; copies that storage made by itself, and that were ended: %d.", state, ended)


CopyEventStatus = Literal["saved", "failed"]
COPY_EVENT_STATUSES: tuple[CopyEventStatus, ...] = get_args(CopyEventStatus)


@dataclass(frozen=True)
class CopyEvent:
    """Say how saving VHDs ended.

    :param status: `saved`, or `failed`
    :param image_template_id: resource id
    :param results: of the copies, as `VhdCopyResult.to_json` writes them
    :param error: name of the error's class
    :param message: of the error
    :param hint: of the error
    :param diagnosis: of the error, as `Diagnosis.to_json` writes it
    :param facts: what else the error carries, as far as it has a form in JSON
    """

    status: CopyEventStatus
    image_template_id: str
    results: tuple[dict[str, Any], ...] = ()
    error: str = ""
    message: str = ""
    hint: str | None = None
    diagnosis: dict[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def saved(cls, image_template_id: str, results: list[VhdCopyResult]) -> CopyEvent:
        """Say what has been saved."""
        return cls("saved", image_template_id, tuple(result.to_json() for result in results))

    @classmethod
    def failed(cls, image_template_id: str, error: Exception) -> CopyEvent:
        """Say with which error it has ended."""
        name = type(error).__name__
        if not isinstance(error, ImageBuilderError):
            return cls("failed", image_template_id, error=name, message=mask(str(error)))
        return cls(
            status="failed",
            image_template_id=image_template_id,
            error=name,
            message=mask(error.message),
            hint=mask(error.hint) if error.hint else None,
            diagnosis=error.diagnosis.to_json() if error.diagnosis is not None else None,
            facts=_storable(error.facts),
        )

    def to_payload(self) -> dict[str, Any]:
        """Give the payload of Airflow's trigger event."""
        return {**asdict(self), "results": list(self.results)}

    @classmethod
    def from_payload(cls, payload: Any) -> CopyEvent:
        """Read a trigger event's payload; unknown keys are ignored."""
        is_event = isinstance(payload, Mapping) and payload.get("status") in COPY_EVENT_STATUSES
        if not is_event:
            raise VhdCopyError(
                f"The trigger sent {payload!r} instead of a copy event",
                hint="Clear the task: the copies go on where they are.",
            )
        known = {name: payload[name] for name in cls.__dataclass_fields__ if name in payload}
        return cls(**{**known, "results": tuple(payload.get("results") or ())})

    def require_results(self) -> list[VhdCopyResult]:
        """Give what has been saved, or raise the error."""
        if self.status == "saved":
            return [VhdCopyResult.from_json(result) for result in self.results]
        kind: Any = getattr(exceptions, self.error, None)
        if isinstance(kind, type) and issubclass(kind, ImageBuilderError):
            diagnosis = Diagnosis.from_json(self.diagnosis) if self.diagnosis else None
            raise kind(self.message, hint=self.hint, diagnosis=diagnosis, **self.facts)
        raise VhdCopyError(
            f"The VHDs of {self.image_template_id} were not saved: {self.error}: {self.message}", hint=self.hint
        )


def _storable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give those facts that have a form in JSON, without secrets."""
    storable = {}
    for name, value in facts.items():
        with suppress(TypeError):
            storable[name] = _as_json(value)
    return storable


def _as_json(value: Any) -> Any:
    match value:
        case str():
            return mask(value)
        case None | bool() | int() | float():
            return value
        case list() | tuple():
            return [_as_json(item) for item in value]
        case Mapping():
            return {mask(str(key)): _as_json(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} has no form in JSON")

"""Stand-ins for what tests cannot have: a clock that obeys, an Azure that answers from a script."""

from __future__ import annotations

import asyncio
import heapq
import json
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.blob_file import BlobPart
from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.polling.pages import Page

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from airflow.sdk.execution_time.comms import GetTaskStates, GetXCom, TaskStatesResult

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.polling.plan import Scope
    from airflow_aib.hooks.staging import StagedBlob
    from airflow_aib.image_run.run_status import LastRunStatus

SUBSCRIPTION = "6d9a1c2e-0000-4000-8000-000000000001"
IMAGE_TEMPLATE_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.VirtualMachineImages/imageTemplates/base"
)
START = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


class FakeClock:
    """Pass time only when somebody sleeps, and at once."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start
        self.pauses: list[float] = []

    def now(self) -> datetime:
        """Give the time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.pauses.append(seconds)
        self.time += timedelta(seconds=seconds)


class SteppedClock:
    """Pass time only when the test says so, and wake whoever sleeps, each at its moment."""

    def __init__(self, start: datetime = START) -> None:
        self.time = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        """Give the time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let so much time pass."""
        self._count += 1
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + timedelta(seconds=max(0.0, seconds)), self._count, future))
        await future

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody sleeps."""
        return bool(self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass, and let everybody do what is due by then."""
        end = self.time + timedelta(seconds=seconds)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            moment, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                self.time = max(self.time, moment)
                future.set_result(None)
                await settle()
        self.time = end


async def settle() -> None:
    """Let every coroutine go on until it waits for something that does not come by itself."""
    loop: Any = asyncio.get_running_loop()
    await asyncio.sleep(0)
    while loop._ready:  # noqa: ASYNC110 - there is no event for "nothing is left to do"
        await asyncio.sleep(0)


@dataclass
class FakeFleet:
    """Be a subscription's image templates, and note what is asked.

    :param bodies: by id in lower case
    :param page_size: how many a page shows
    :param unlisted: ids that a list does not show
    :param list_error: what a list says instead, from a page on
    :param fails_from: that page
    :param failures: how often; None means always
    :param error: what a read of one says instead
    :param may_answer: is waited for before any answer
    """

    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_size: int = 100
    unlisted: set[str] = field(default_factory=set)
    list_error: Exception | None = None
    fails_from: int = 0
    failures: int | None = None
    error: Exception | None = None
    may_answer: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def get_image_template(self, image_template_id: str, *, retries: bool = True) -> dict[str, Any] | None:
        """Give one."""
        assert not retries
        await self._be_asked("get")
        if self.error is not None:
            raise self.error
        return self.bodies.get(image_template_id)

    async def list_page(self, scope: Scope, next_link: str | None = None) -> Page:
        """Give a page of those in a resource group, or of all."""
        start = int(next_link or 0)
        await self._be_asked(f"list {scope.resource_group_name or 'all'}")
        if self.list_error is not None and self.failures != 0 and start // self.page_size >= self.fails_from:
            self.failures = self.failures and self.failures - 1
            raise self.list_error
        place = f"/resourcegroups/{scope.resource_group_name}/" if scope.resource_group_name else "/"
        found = [key for key in self.bodies if place in key and key not in self.unlisted]
        shown = {key: self.bodies[key] for key in found[start : start + self.page_size]}
        end = start + self.page_size
        return Page(shown, str(end) if end < len(found) else None, 12_000 * len(shown))

    async def _be_asked(self, what: str) -> None:
        self.asked.append(what)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (self.may_answer.wait() if self.may_answer else asyncio.sleep(0))
        finally:
            self.at_once -= 1


@dataclass
class FakeResponse:
    """Answer as an HTTP client would."""

    status_code: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = "Reason"
    request: str = "GET /"

    def text(self) -> str:
        """Give the body as text."""
        return self.body if isinstance(self.body, str) else json.dumps(self.body)

    def json(self) -> Any:
        """Give the body as JSON."""
        return self.body


def azure_error(status: int, code: str = "SomeCode", message: str = "Some words.", **headers: str) -> HttpResponseError:
    """Make the SDK's exception for an error answer of Resource Manager."""
    body = {"error": {"code": code, "message": message}}
    response = cast("Any", FakeResponse(status, body, {name.replace("_", "-"): text for name, text in headers.items()}))
    kind = ResourceNotFoundError if status == 404 else HttpResponseError
    return kind(response=response)


def reset() -> ServiceRequestError:
    """Make the SDK's exception for a connection that broke."""
    return ServiceRequestError("Connection reset by peer")


def run_status(
    state: str = "Running", sub_state: str | None = "Building", start: str = "A", **more: Any
) -> dict[str, Any]:
    """Give a `lastRunStatus`; `start` is a letter for one of a few start times."""
    over = state in {"Succeeded", "Failed", "Canceled", "PartiallySucceeded"}
    status = {
        "startTime": start_time(start),
        "endTime": "2026-01-05T04:00:00.5Z" if over else "0001-01-01T00:00:00Z",
        "runState": state,
        "message": "",
        **more,
    }
    return {**status, "runSubState": sub_state} if sub_state and not over else status


def start_time(letter: str = "A") -> str:
    """Give one of a few start times, with all the digits that the service writes."""
    return f"2026-01-05T03:{ord(letter) - ord('A'):02d}:42.169984039Z"


def image_template(status: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    """Give the body of an image template."""
    run = {"lastRunStatus": dict(status)} if status else {}
    return {
        "id": IMAGE_TEMPLATE_ID,
        "name": "base",
        "tags": {},
        "properties": {"provisioningState": "Succeeded", **run, **properties},
    }


@dataclass
class FakeReader:
    """Answer looks at an image template from a script; the last answer lasts."""

    answers: Iterable[Any]
    looks: int = 0

    def __post_init__(self) -> None:
        self._left = deque(self.answers)

    async def get_image_template(self, image_template_id: str, *, retries: bool = True) -> dict[str, Any] | None:
        """Give the next answer, or raise it."""
        assert image_template_id == IMAGE_TEMPLATE_ID
        assert not retries, "a watch bears failed looks by itself"
        self.looks += 1
        answer = self._left.popleft() if len(self._left) > 1 else self._left[0]
        if isinstance(answer, Exception):
            raise answer
        return cast("dict[str, Any] | None", answer)


def look_error(
    status: int | None = 500, *, trouble: str = "answer", retry_after: float | None = None
) -> ArmRequestError:
    """Make our error for a look that failed."""
    return ArmRequestError("Could not look", status=status, trouble=trouble, retry_after=retry_after)


@dataclass
class FakeStore:
    """Keep a task's state, as Airflow's `task_state_store` does through retries and clears.

    :param values: what is kept
    :param retentions: for how long, by key; None means as the deployment has chosen
    """

    values: dict[str, Any] = field(default_factory=dict)
    retentions: dict[str, timedelta | None] = field(default_factory=dict)

    def get(self, key: str, default: Any = None) -> Any:
        """Give a value."""
        return self.values.get(key, default)

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        """Keep a value."""
        self.values[key] = value
        self.retentions[key] = retention

    def delete(self, key: str) -> None:
        """Forget a value."""
        self.values.pop(key, None)


@dataclass
class FakeTask:
    """Be the task as its DAG says it; a trigger asks it which files are templates."""

    retries: int = 2
    template_ext: tuple[str, ...] = ()


@dataclass
class FakeTaskInstance:
    """Be the task instance that runs, and keep what it pushes."""

    max_tries: int = 2
    try_number: int = 1
    dag_id: str = "dag"
    task_id: str = "run"
    run_id: str = "manual"
    map_index: int = -1
    pushed: dict[str, Any] = field(default_factory=dict)
    task: FakeTask = field(default_factory=FakeTask)

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep an XCom."""
        self.pushed[key] = value


@dataclass
class FakeSupervisor:
    """Answer what a task asks Airflow.

    :param state: of the task instance
    :param error: with which asking ends instead
    :param may_answer: is waited for before it answers
    :param asked: the questions
    """

    state: str | None = None
    error: Exception | None = None
    may_answer: threading.Event | None = None
    asked: list[GetTaskStates | GetXCom] = field(default_factory=list)

    def send(self, msg: GetTaskStates) -> TaskStatesResult:
        """Tell the states that were asked for."""
        from airflow.sdk.execution_time.comms import TaskStatesResult

        self.asked.append(msg)
        if self.may_answer is not None:
            self.may_answer.wait(30)
        if self.error is not None:
            raise self.error
        (task_id,), (run_id,) = msg.task_ids or [], msg.run_ids or []
        key = task_id if msg.map_index is None else f"{task_id}_{msg.map_index}"
        return TaskStatesResult(task_states={run_id: {key: self.state}})


@dataclass
class FakeLog:
    """Be a customization log that grows.

    :param error: what looking for it and reading it say instead
    :param fails_from: only reads from this offset on fail
    :param created_at: when it was made
    """

    content: bytes = b""
    log_file: StagedBlob | None = None
    error: Exception | None = None
    fails_from: int = 0
    created_at: datetime | None = None
    reads: list[tuple[int, int]] = field(default_factory=list)

    async def find_customization_log(self, body: Mapping[str, Any], status: LastRunStatus) -> StagedBlob | None:
        """Find it, once it is there."""
        assert body
        assert status.start_time
        self._fail(0)
        return self.log_file

    async def read_log_from(self, log_file: StagedBlob, offset: int, max_bytes: int = 1 << 20) -> BlobPart:
        """Read a part of it."""
        assert log_file is self.log_file
        self._fail(offset)
        self.reads.append((offset, max_bytes))
        return BlobPart(self.content[offset : offset + max_bytes], len(self.content), created_at=self.created_at)

    async def look_at(self, blob: StagedBlob) -> StagedBlob:
        """Measure it."""
        assert blob is self.log_file
        return replace(blob, size=len(self.content), created_at=self.created_at)

    def _fail(self, offset: int) -> None:
        if self.error is not None and offset >= self.fails_from:
            raise self.error


class FakeModel:
    """Be one of the SDK's models."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = dict(body)

    def as_dict(self) -> dict[str, Any]:
        """Give the wire's JSON."""
        return cast("dict[str, Any]", json.loads(json.dumps(self.body)))


@dataclass(frozen=True)
class FakePipelineResponse:
    """Carry an answer through the SDK's pipeline."""

    http_response: FakeResponse


class FakePoller:
    """Be a poller that does not poll."""

    def __init__(self, result: Any) -> None:
        self._result = result

    async def result(self) -> Any:
        """Give the first answer."""
        return self._result


@dataclass
class FakeImageBuilder:
    """Be the SDK's operations on image templates, with one image template.

    :param body: the image template; None when there is none
    :param scripts: by method: what its next calls do: raise, call, or nothing
    :param routed_at: when Azure's front door says that it saw a call, as `20260105T030000Z`
    """

    body: dict[str, Any] | None = None
    scripts: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    routed_at: str | None = None

    def then(self, method: str, *steps: Any) -> FakeImageBuilder:
        """Script the next calls of a method."""
        self.scripts.setdefault(method, []).extend(steps)
        return self

    async def get(self, group: str, name: str, **options: Any) -> FakeModel:
        """Read it."""
        self._step("get", group, name, options)
        if self.body is None:
            raise azure_error(404, "ResourceNotFound", "The Resource was not found.")
        self._show_answer(options)
        return FakeModel(self.body)

    async def begin_create_or_update(self, group: str, name: str, body: Any, **options: Any) -> FakePoller:
        """Create it."""
        answer = self._step("put", group, name, options)
        if answer is None:
            self.body = {**body, "properties": {**body["properties"], "provisioningState": "Creating"}}
        return self._poller(answer if answer is not None else self.body, options)

    async def begin_update(self, group: str, name: str, body: Any, **options: Any) -> FakePoller:
        """Change its tags."""
        self._step("patch", group, name, options)
        assert self.body is not None
        self.body = {**self.body, **body}
        return FakePoller(None)

    async def begin_delete(self, group: str, name: str, **options: Any) -> FakePoller:
        """Delete it."""
        self._step("delete", group, name, options)
        answer = FakePipelineResponse(FakeResponse(204 if self.body is None else 202))
        return FakePoller(options["cls"](answer, None, {}))

    async def begin_run(self, group: str, name: str, **options: Any) -> FakePoller:
        """Run it."""
        self._step("run", group, name, options)
        self._show_answer(options)
        return FakePoller(None)

    async def begin_cancel(self, group: str, name: str, **options: Any) -> FakePoller:
        """Cancel its run."""
        self._step("cancel", group, name, options)
        return FakePoller(None)

    async def list_run_outputs(self, group: str, name: str, **options: Any) -> AsyncIterator[FakeModel]:
        """List what its run left."""
        self._step("outputs", group, name, options)
        yield FakeModel({"name": "vhd", "properties": {"artifactUri": "https://x/y"}})

    def runs(self, status: Mapping[str, Any] | None) -> Callable[[], None]:
        """Make a step that sets the run's status."""

        def step() -> None:
            assert self.body is not None
            properties = {key: value for key, value in self.body["properties"].items() if key != "lastRunStatus"}
            more = {"lastRunStatus": dict(status)} if status else {}
            self.body = {**self.body, "properties": {**properties, **more}}

        return step

    def _show_answer(self, options: dict[str, Any]) -> None:
        if "raw_response_hook" in options and self.routed_at is not None:
            headers = {"x-ms-routing-request-id": f"EASTUS:{self.routed_at}:request-1"}
            options["raw_response_hook"](FakePipelineResponse(FakeResponse(200, None, headers)))

    def _step(self, method: str, group: str, name: str, options: dict[str, Any]) -> Any:
        assert (group, name) == ("images", "base")
        self.calls.append(method)
        self.options[method] = options
        script = self.scripts.get(method) or []
        step = script.pop(0) if script else None
        if isinstance(step, tuple):
            # First what happens at Azure, then what comes back.
            step[0]()
            step = step[1]
        if isinstance(step, Exception):
            raise step
        return step() if callable(step) else step

    @staticmethod
    def _poller(body: Any, options: Mapping[str, Any]) -> FakePoller:
        answer = FakePipelineResponse(FakeResponse(201, body, {"x-ms-request-id": "request-1"}))
        return FakePoller(options["cls"](answer, None, {}))


class FakeClients:
    """Be `AzureClients` of which only image templates are used."""

    def __init__(self, operations: FakeImageBuilder) -> None:
        self.virtual_machine_image_templates = operations
        self.settings = settings_from_connection(
            conn_type="azure_image_builder", extra={"subscriptionId": SUBSCRIPTION, "auth_method": "default"}
        )

    async def renew_token(self) -> None:
        """Fetch a new token."""
        self.virtual_machine_image_templates.calls.append("token")

    def image_builder(self, subscription_id: str | None = None) -> FakeClients:
        """Give the client, for the right subscription."""
        assert subscription_id in {None, SUBSCRIPTION}
        return self


def fake_clients(operations: FakeImageBuilder) -> AzureClients:
    """Give clients that answer from a script."""
    return cast("AzureClients", FakeClients(operations))

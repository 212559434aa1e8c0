from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.execution_time import task_runner
from airflow.sdk.module_loading import import_string  # type: ignore[attr-defined]  # Airflow's own use it from here
from airflow.sdk.serde import deserialize, serialize

from airflow_aib.exceptions import (
    ArmRequestError,
    ConnectionSettingsError,
    ImageRunTimeoutError,
    ImageTemplateError,
)
from airflow_aib.get_provider_info import get_provider_info
from airflow_aib.hooks.image_templates import image_template_missing
from airflow_aib.hooks.stuck import overdue_image_template, overdue_run
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import LastRunStatus
from airflow_aib.triggers import image_template
from airflow_aib.triggers.image_template import (
    WAITED_STATES,
    AzureImageTemplateRunTrigger,
    AzureImageTemplateStateTrigger,
)
from airflow_aib.triggers.options import CONFIG_SECTION, WaitingOptions, read_waiting_options
from airflow_aib.triggers.state_event import StateEvent
from airflow_aib.triggers.wanted_run import WantedRun
from airflow_aib.triggers.watching import WatchOrder
from tests.fakes import FakeTaskInstance, look_error

IMAGE_TEMPLATE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.VirtualMachineImages/imageTemplates/base"
HANDLE = ImageRunHandle(IMAGE_TEMPLATE_ID, "2026-01-05T03:00:00+00:00", None, "2026-01-05T03:00:01.123456789Z")
ORDER = WatchOrder(HANDLE, datetime(2026, 1, 5, 8, tzinfo=UTC), poll_interval=7, relay_log="off")
MOMENT = "2026-01-05T03:00:20+00:00"


def run_trigger() -> AzureImageTemplateRunTrigger:
    """Make a trigger for a run."""
    return AzureImageTemplateRunTrigger(
        order=ORDER.to_json(), not_before=MOMENT, azure_conn_id="other", cancel_on_kill=False
    )


def state_trigger(**arguments: Any) -> AzureImageTemplateStateTrigger:
    """Make a trigger for a state."""
    usual = {"wait_for": "canceled", "run": WantedRun(HANDLE).to_json()}
    return AzureImageTemplateStateTrigger(
        image_template_id=IMAGE_TEMPLATE_ID, deadline=MOMENT, not_before=MOMENT, **{**usual, **arguments}
    )


@pytest.mark.parametrize("trigger", [run_trigger(), state_trigger()], ids=["run", "state"])
def test_a_trigger_survives_storage(trigger: Any) -> None:
    """What Airflow stores of a trigger is JSON, and makes the same trigger again."""
    path, kwargs = trigger.serialize()
    stored = json.loads(json.dumps(serialize(kwargs)))
    restored: Any = deserialize(stored)

    again = import_string(path)(**restored)

    assert again.serialize() == trigger.serialize()


def test_an_order_of_another_version_is_read() -> None:
    """Keys that a later version has added are ignored, and those that an earlier one lacked have defaults."""
    kept = {"handle": HANDLE.to_json() | {"colour": "blue"}, "deadline": ORDER.deadline.isoformat(), "added_later": 1}

    assert WatchOrder.from_json(kept) == WatchOrder(HANDLE, ORDER.deadline)


def test_what_is_stored_holds_no_secret() -> None:
    """Airflow stores a trigger's arguments unencrypted: the connection's id, and nothing of its content."""
    _, kwargs = run_trigger().serialize()

    assert set(kwargs) == {"order", "not_before", "azure_conn_id", "cancel_on_kill"}


@dataclass
class SilentSupervisor:
    """Answer nobody for seconds."""

    has_answered: bool = False
    is_over: threading.Event = field(default_factory=threading.Event)

    def send(self, msg: object) -> object:
        """Keep whoever asks waiting."""
        del msg
        self.is_over.wait(5)
        self.has_answered = True
        raise ConnectionError("nobody listens any more")


async def test_a_kill_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow has a bound for a trigger's `on_kill`, and ours comes before it: who is silent by then is left."""
    monkeypatch.setattr(image_template, "ON_KILL_TIME", 0.01)
    supervisor = SilentSupervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    trigger = AzureImageTemplateRunTrigger(order=ORDER.to_json(), not_before=MOMENT)
    trigger.task_instance = FakeTaskInstance()  # type: ignore[assignment]  # has what on_kill needs

    await trigger.on_kill()

    assert not supervisor.has_answered
    supervisor.is_over.set()


def test_an_unknown_state_is_refused() -> None:
    """A state that nobody can wait for is an error when the trigger is made."""
    with pytest.raises(ValueError, match="'provisioned', 'deleted', 'canceled', 'over', 'idle'"):
        state_trigger(wait_for="happy")
    assert len(WAITED_STATES) == 5


def test_state_events_travel() -> None:
    """A state event is the same after its journey, whatever keys a later version has added."""
    event = StateEvent("reached", IMAGE_TEMPLATE_ID, "It is provisioned.")

    assert StateEvent.from_payload(event.to_payload() | {"added_later": 1}) == event


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImageRunTimeoutError("No such run was over in time"), "overdue"),
        (overdue_image_template(IMAGE_TEMPLATE_ID, "was not provisioned", timedelta(hours=1), None), "overdue"),
        (overdue_image_template(IMAGE_TEMPLATE_ID, "was not deleted", timedelta(hours=1), "Deleting"), "overdue"),
        (overdue_run(IMAGE_TEMPLATE_ID, timedelta(hours=1), None), "overdue"),
        (look_error(500), "unwatchable"),
        (look_error(403), "unwatchable"),
        (look_error(None, trouble="connection"), "unwatchable"),
        (image_template_missing(IMAGE_TEMPLATE_ID), "other"),
        (ConnectionSettingsError("wrong"), "other"),
    ],
)
def test_an_event_says_why_a_state_was_not_reached(error: Exception, reason: str) -> None:
    """Only a deadline that has passed is a timeout; that Azure could not be asked may pass."""
    event = StateEvent.not_reached(IMAGE_TEMPLATE_ID, error)

    assert event.reason == reason
    assert StateEvent.from_payload(event.to_payload()) == event


def test_an_event_of_an_earlier_version_has_another_reason() -> None:
    """A trigger that was stored by an earlier version gives no reason: it is no timeout then."""
    payload = {"status": "not reached", "image_template_id": IMAGE_TEMPLATE_ID, "message": "It was not."}

    assert StateEvent.from_payload(payload).reason == "other"


@pytest.mark.parametrize("payload", [None, "success", {}, {"status": "fine", "image_template_id": "x"}])
def test_an_unreadable_event_is_an_error(payload: Any) -> None:
    """What no trigger of ours has sent is not taken for success."""
    with pytest.raises(ArmRequestError, match="instead of a state event"):
        StateEvent.from_payload(payload)


def test_defaults_are_those_that_are_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """Options read without any configuration are those that the provider info shows."""
    options = get_provider_info()["config"][CONFIG_SECTION]["options"]
    documented = {name: float(option["default"]) for name, option in options.items()}

    assert documented == {option.name: option.default for option in fields(WaitingOptions)}
    assert read_waiting_options() == WaitingOptions()
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__POLL_INTERVAL", "5")
    assert read_waiting_options().poll_interval == 5


@pytest.mark.parametrize(
    ("name", "value"), [("poll_interval", "0"), *((option.name, "-1") for option in fields(WaitingOptions))]
)
def test_an_option_that_is_no_time_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the option, before Azure is asked for anything."""
    monkeypatch.setenv(f"AIRFLOW__AZURE_IMAGE_BUILDER__{name.upper()}", value)

    with pytest.raises(ValueError, match=rf"Option {name} of section \[azure_image_builder\] .* is {value}"):
        read_waiting_options()


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-05T03:00:00Z", "None", 5])
def test_a_moment_that_is_none_is_refused(wrong: Any) -> None:
    """Without it the last run would count, however old, and a sensor would be satisfied at once."""
    with pytest.raises(ImageTemplateError, match=f"started_after is {wrong!r}, which is no moment"):
        WantedRun(started_after=wrong)


def status(run_state: str, start_time: str) -> LastRunStatus:
    """Write a status."""
    return LastRunStatus(run_state, None, start_time, None, "")


EARLIER, LATER = "2026-01-05T02:00:00Z", "2026-01-05T09:00:00Z"


@pytest.mark.parametrize(
    ("wanted", "seen", "is_decided"),
    [
        (WantedRun(), None, False),
        (WantedRun(), status("Running", EARLIER), False),
        (WantedRun(), status("Failed", EARLIER), True),
        (WantedRun(started_after=MOMENT), status("Succeeded", EARLIER), False),
        (WantedRun(started_after=MOMENT), status("Succeeded", LATER), True),
        (WantedRun(HANDLE), status("Succeeded", EARLIER), False),
        (WantedRun(HANDLE), status("Running", str(HANDLE.start_time)), False),
        (WantedRun(HANDLE), status("Canceled", str(HANDLE.start_time)), True),
        (WantedRun(HANDLE), status("Running", LATER), True),
    ],
)
def test_a_wanted_run_is_decided(wanted: WantedRun, seen: LastRunStatus | None, *, is_decided: bool) -> None:
    """Waiting ends when the wanted run is over, or when a later one hides how it ended."""
    assert wanted.is_decided(seen) is is_decided
    assert WantedRun.from_json(wanted.to_json()) == wanted


def test_triggers_leave_the_task_state_store_alone() -> None:
    """Airflow never answers a trigger that asks for its task's state: only operators use the store."""
    folder = Path(image_template.__file__).parent

    assert [file.name for file in sorted(folder.glob("*.py")) if "task_state_store" in file.read_text()] == []

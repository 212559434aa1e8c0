from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
import structlog
from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryPolicy, RetryRule
from airflow.sdk.execution_time.task_runner import _handle_current_task_failed

from airflow_aib import exceptions
from airflow_aib.hooks.errors import arm_request_error
from airflow_aib.hooks.run_report import lost_run_error
from airflow_aib.image_run.diagnosis import Diagnosis
from airflow_aib.image_run.run_event import RunEvent
from airflow_aib.operators.image_run import AzureImageTemplateRunOperator
from airflow_aib.operators.retry import ImageBuilderRetryPolicy, is_final
from tests.fakes import azure_error

LATER = Diagnosis("container-instances-quota", may_retry=True, retry_after=1800)
SOON = Diagnosis("network-trouble", may_retry=True, retry_after=120)
NEVER = Diagnosis("customizer-failed", may_retry=False)
NOT_KNOWN = Diagnosis("unknown")


def decide(error: BaseException) -> RetryAction:
    """Ask the policy about a failure of a first try of three."""
    return ImageBuilderRetryPolicy().evaluate(error, try_number=1, max_tries=3).action


@pytest.mark.parametrize(
    "kind",
    [
        exceptions.ImageTemplateReadError,
        exceptions.ImageTemplateRenderError,
        exceptions.ImageTemplateCheckError,
        exceptions.ImageTemplateError,
        exceptions.ConnectionSettingsError,
        exceptions.SourceImageError,
    ],
)
def test_our_own_input_is_not_tried_again(kind: type[exceptions.ImageBuilderError]) -> None:
    """What is wrong with document or connection is still wrong a minute later."""
    assert decide(kind("wrong")) is RetryAction.FAIL


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ArmRequestError("no"),
        exceptions.ImageRunFailedError("failed"),
        exceptions.ImageRunFailedError("failed", diagnosis=NOT_KNOWN),
        exceptions.ImageRunWatchError("cannot be watched"),
        exceptions.ImageTemplateInUseError("in use"),
        exceptions.VhdCopyError("broken off"),
        ValueError("a surprise"),
    ],
)
def test_everything_else_is_up_to_the_task(error: Exception) -> None:
    """The task's own `retries` hold for what may pass, and for what nobody can know."""
    assert decide(error) is RetryAction.DEFAULT


@pytest.mark.parametrize(
    ("diagnosis", "action", "delay"),
    [
        (LATER, RetryAction.RETRY, timedelta(minutes=30)),
        (SOON, RetryAction.RETRY, timedelta(minutes=2)),
        (NEVER, RetryAction.FAIL, None),
        (NOT_KNOWN, RetryAction.DEFAULT, None),
    ],
)
@pytest.mark.parametrize("kind", [exceptions.ImageRunFailedError, exceptions.ArmRequestError])
def test_the_diagnosis_decides(
    kind: type[exceptions.ImageBuilderError], diagnosis: Diagnosis, action: RetryAction, delay: timedelta | None
) -> None:
    """A quota later, the network soon, a script never; of runs and of calls."""
    decision = ImageBuilderRetryPolicy().evaluate(kind("failed", diagnosis=diagnosis), try_number=1, max_tries=3)

    assert (decision.action, decision.retry_delay) == (action, delay)
    assert action is RetryAction.DEFAULT or diagnosis.failure_class in str(decision.reason)


def test_a_right_that_lacks_is_not_waited_for() -> None:
    """A call that Azure refuses for it fails for good; a watch that it ends is joined by the next try."""
    refused = arm_request_error(azure_error(403, "AuthorizationFailed"), doing="run image template", target="/x")
    watch = lost_run_error(RunEvent("unwatchable", "/x", message=f"The run cannot be watched: {refused}"))

    assert decide(refused) is RetryAction.FAIL
    assert decide(watch) is RetryAction.DEFAULT


@dataclass(frozen=True)
class ServerContext:
    """Say what Airflow's server says of a try."""

    should_retry: bool = True
    max_tries: int = 3


class FailedTry:
    """Be the task instance of a try that has just failed, as Airflow's task runner handles it."""

    def __init__(self, **arguments: Any) -> None:
        self.task = AzureImageTemplateRunOperator(task_id="run", image_template_id="/x", **arguments)
        self.try_number = 1
        self.end_date: object = None
        self.rendered_map_index = None
        self.stats_tags: dict[str, str] = {}
        self._failure_metrics_emitted = False
        self._ti_context_from_server = ServerContext()

    def fail(self, error: BaseException) -> dict[str, Any]:
        """Have Airflow's task runner handle the error, and give what it tells the server."""
        told, _ = _handle_current_task_failed(cast("Any", self), error, structlog.get_logger())
        return told.model_dump()


@pytest.mark.parametrize(
    ("diagnosis", "told"),
    [
        (LATER, {"state": "up_for_retry", "retry_delay_seconds": 1800.0}),
        (SOON, {"state": "up_for_retry", "retry_delay_seconds": 120.0}),
        (NOT_KNOWN, {"state": "up_for_retry", "retry_delay_seconds": None}),
        (NEVER, {"state": "failed"}),
    ],
)
def test_airflow_is_told_when(diagnosis: Diagnosis, told: dict[str, Any]) -> None:
    """Airflow's own task runner makes of it a retry after that time, or the end."""
    message = FailedTry().fail(exceptions.ImageRunFailedError("failed", diagnosis=diagnosis))

    assert {name: message[name] for name in told} == told


@pytest.mark.parametrize("through", ["the task", "the DAG"])
def test_a_policy_of_the_dags_own_wins(through: str) -> None:
    """Whoever has a policy of one's own is not overruled by ours."""
    policy: RetryPolicy = ExceptionRetryPolicy(
        rules=[RetryRule(exceptions.ImageRunFailedError, RetryAction.RETRY, retry_delay=timedelta(seconds=7))]
    )
    with DAG("dag", schedule=None, default_args={"retry_policy": policy} if through == "the DAG" else {}):
        failed = FailedTry(**({"retry_policy": policy} if through == "the task" else {}))
    message = failed.fail(exceptions.ImageRunFailedError("failed", diagnosis=NEVER))

    assert (message["state"], message["retry_delay_seconds"]) == ("up_for_retry", 7.0)


@pytest.mark.parametrize(
    ("policy", "diagnosis", "final"),
    [
        (ImageBuilderRetryPolicy(), NEVER, True),
        (ImageBuilderRetryPolicy(), LATER, False),
        (ImageBuilderRetryPolicy(), NOT_KNOWN, False),
        (ExceptionRetryPolicy(rules=[]), NEVER, False),
        (None, NEVER, False),
    ],
)
def test_what_is_final(policy: RetryPolicy | None, diagnosis: Diagnosis, *, final: bool) -> None:
    """Only our own policy is known to fail a task for good; of another one nobody can say."""
    assert is_final(policy, exceptions.ImageRunFailedError("failed", hint="look", diagnosis=diagnosis)) is final

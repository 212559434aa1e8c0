from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryRule

from airflow_aib import exceptions
from airflow_aib.hooks.errors import arm_request_error
from airflow_aib.image_run.diagnosis import Diagnosis
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.sensors.image_run import AzureImageTemplateRunSensor
from tests.fakes import IMAGE_TEMPLATE_ID, azure_error, look_error

IMAGE_RUN = ImageRunHandle(IMAGE_TEMPLATE_ID, "2026-01-05T03:00:00+00:00").to_json()
SOON = Diagnosis("network-trouble", may_retry=True, retry_after=120)
NEVER = Diagnosis("customizer-failed", may_retry=False)


def decide(error: BaseException, **arguments: Any) -> RetryAction:
    """Ask a sensor's policy about a failure of a first try of three."""
    made = AzureImageTemplateRunSensor(task_id="wait", image_template_id=IMAGE_TEMPLATE_ID, **arguments)
    assert made.retry_policy is not None
    return made.retry_policy.evaluate(error, try_number=1, max_tries=3).action


@pytest.mark.parametrize("diagnosis", [SOON, NEVER, None])
@pytest.mark.parametrize("kind", [exceptions.ImageRunFailedError, exceptions.ImageRunCanceledError])
def test_a_run_that_has_ended_is_not_waited_for_again(
    kind: type[exceptions.ImageRunError], diagnosis: Diagnosis | None
) -> None:
    """That very run stays as it ended; another build, which might be a good one, is none of the sensor's."""
    assert decide(kind("ended", diagnosis=diagnosis), image_run=IMAGE_RUN) is RetryAction.FAIL


@pytest.mark.parametrize("diagnosis", [SOON, NEVER, None])
@pytest.mark.parametrize("arguments", [{}, {"started_after": "2026-01-05T03:00:00+00:00"}])
def test_without_a_certain_run_the_next_one_may_be_good(diagnosis: Diagnosis | None, arguments: dict[str, Any]) -> None:
    """Somebody may start another run meanwhile, so that the task's own `retries` and `retry_delay` hold."""
    assert decide(exceptions.ImageRunFailedError("ended", diagnosis=diagnosis), **arguments) is RetryAction.DEFAULT


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (exceptions.ImageTemplateError("no such id"), RetryAction.FAIL),
        (exceptions.ConnectionSettingsError("wrong"), RetryAction.FAIL),
        (arm_request_error(azure_error(403, "AuthorizationFailed"), doing="read", target="/x"), RetryAction.FAIL),
        (look_error(503), RetryAction.DEFAULT),
        (exceptions.ImageRunWatchError("cannot be watched"), RetryAction.DEFAULT),
        (ValueError("a surprise"), RetryAction.DEFAULT),
    ],
)
@pytest.mark.parametrize("image_run", [None, IMAGE_RUN])
def test_what_no_look_can_mend_is_not_tried_again(
    error: Exception, action: RetryAction, image_run: dict[str, Any] | None
) -> None:
    """Arguments, connection and rights stay wrong; everything else is up to the task."""
    assert decide(error, image_run=image_run) is action


@pytest.mark.parametrize("through", ["the task", "the DAG"])
def test_a_policy_of_the_dags_own_wins(through: str) -> None:
    """Whoever has a policy of one's own is not overruled by ours."""
    policy = ExceptionRetryPolicy(
        rules=[RetryRule(exceptions.ImageRunFailedError, RetryAction.RETRY, retry_delay=timedelta(seconds=7))]
    )
    with DAG("dag", schedule=None, default_args={"retry_policy": policy} if through == "the DAG" else {}):
        action = decide(
            exceptions.ImageRunFailedError("ended"),
            image_run=IMAGE_RUN,
            **({"retry_policy": policy} if through == "the task" else {}),
        )

    assert action is RetryAction.RETRY

from __future__ import annotations

import pytest
from airflow.sdk import RetryAction

from airflow_aib import exceptions
from airflow_aib.operators.retry import ImageBuilderRetryPolicy


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
        exceptions.ImageRunWatchError("cannot be watched"),
        exceptions.ImageTemplateInUseError("in use"),
        exceptions.VhdCopyError("broken off"),
        ValueError("a surprise"),
    ],
)
def test_everything_else_is_up_to_the_task(error: Exception) -> None:
    """The task's own `retries` hold for what may pass."""
    assert decide(error) is RetryAction.DEFAULT

"""Which errors a retry cannot mend, and after how long one can."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryAction, RetryDecision, RetryPolicy

from airflow_aib.exceptions import (
    ConnectionSettingsError,
    ImageBuilderError,
    ImageTemplateError,
    SourceImageError,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_aib.exceptions import DiagnosisFacts

HOPELESS = (ImageTemplateError, ConnectionSettingsError, SourceImageError)


class ImageBuilderRetryPolicy(RetryPolicy):
    """Try again where that can help, and when it can; fail at once where it cannot, whatever the task's `retries`.

    A document, a source image or a connection that is wrong stays wrong. Of everything else the diagnosis decides: a
    script that fails, a policy and a missing right are never mended by waiting, the network soon, a quota later. Where
    nobody can know, the task's own `retries` and `retry_delay` hold. A retry counts as one of the task's `retries`.

    All operators of this provider that ask Azure have it unless they are given another `retry_policy`. The alternative,
    `AirflowFailException`, would hide the error's own type from every other policy and callback.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide about one failure."""
        del try_number, max_tries, context
        if isinstance(exception, HOPELESS):
            return RetryDecision.fail(f"{type(exception).__name__}: trying again cannot help")
        diagnosis = exception.diagnosis if isinstance(exception, ImageBuilderError) else None
        return _decide(diagnosis) if diagnosis is not None else RetryDecision.default()


USUAL_RETRY_POLICY = ImageBuilderRetryPolicy()
"""That of all tasks which are given no other."""


def _decide(diagnosis: DiagnosisFacts) -> RetryDecision:
    name = diagnosis.failure_class
    if diagnosis.may_retry is None:
        return RetryDecision.default()
    if not diagnosis.may_retry:
        return RetryDecision.fail(f"{name}: trying again unchanged cannot help")
    delay = timedelta(seconds=diagnosis.retry_after) if diagnosis.retry_after else None
    return RetryDecision.retry(delay, f"{name}: trying again may help")


def is_final(policy: RetryPolicy | None, error: Exception) -> bool:
    """Whether certainly no other try follows this error; of a policy of somebody else's nobody can say."""
    if not isinstance(policy, ImageBuilderRetryPolicy):
        return False
    return policy.evaluate(error, 1, 1).action is RetryAction.FAIL

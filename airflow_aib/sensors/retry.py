"""Which errors of a wait another wait cannot mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

from airflow_aib.exceptions import (
    ArmRequestError,
    ConnectionSettingsError,
    ImageRunCanceledError,
    ImageRunFailedError,
    ImageTemplateError,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

HOPELESS = (ImageTemplateError, ConnectionSettingsError)
BAD_ENDS = (ImageRunFailedError, ImageRunCanceledError)


@dataclass(frozen=True)
class RunSensorRetryPolicy(RetryPolicy):
    """Fail at once where waiting again would find the same, whatever the sensor's `retries`.

    That very run which a task has started stays as it ended, since a sensor starts no other one. Wrong arguments, a
    wrong connection and a right that lacks stay too. For everything else the task's own `retries` and `retry_delay`
    hold, as for a run that the sensor was not told of: somebody may start a better one meanwhile.

    The sensor has it unless it is given another `retry_policy`.

    :param is_certain_run: whether the sensor waits for one certain run, its `image_run`
    """

    is_certain_run: bool

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide about one failure."""
        del try_number, max_tries, context
        if isinstance(exception, HOPELESS) or _is_refused(exception):
            return RetryDecision.fail(f"{type(exception).__name__}: trying again unchanged cannot help")
        if self.is_certain_run and isinstance(exception, BAD_ENDS):
            return RetryDecision.fail("The run is over: waiting for it again cannot help")
        return RetryDecision.default()


def _is_refused(exception: BaseException) -> bool:
    diagnosis = exception.diagnosis if isinstance(exception, ArmRequestError) else None
    return diagnosis is not None and diagnosis.may_retry is False

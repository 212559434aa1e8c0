"""Which errors a retry cannot mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

from airflow_aib.exceptions import ConnectionSettingsError, ImageTemplateError, SourceImageError

if TYPE_CHECKING:
    from airflow.sdk import Context

HOPELESS = (ImageTemplateError, ConnectionSettingsError, SourceImageError)


class ImageBuilderRetryPolicy(RetryPolicy):
    """Fail a task at once when its document, source image or connection is wrong, whatever its `retries`.

    All operators of this provider have it unless they are given another `retry_policy`. The alternative,
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
        return RetryDecision.default()

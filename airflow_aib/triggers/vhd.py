"""The trigger that copies VHDs, so that no worker is held while storage copies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_aib.exceptions import ImageBuilderError
from airflow_aib.hooks.default_connection import DEFAULT_CONNECTION_ID

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from airflow_aib.triggers.copying import CopyEvent


class AzureImageVhdCopyTrigger(BaseTrigger):
    """Copy and verify the VHDs of an image template's run.

    The triggerer asks storage for piece after piece, and reads each once, to digest it; nothing of it is kept. When the
    trigger moves to another triggerer, or its own is killed, the copies go on from what the destinations hold. It never
    raises: an error travels as an event, so that the operator can raise it as what it was.

    :param order: which VHDs and how, as `CopyOrder.to_json` writes it
    :param not_before: when the event may be sent at the earliest, ISO 8601; see option `trigger_min_age`
    :param azure_conn_id: id of the Airflow connection
    """

    def __init__(
        self, *, order: Mapping[str, Any], not_before: str, azure_conn_id: str = DEFAULT_CONNECTION_ID
    ) -> None:
        from airflow_aib.triggers.copying import CopyOrder

        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.order = CopyOrder.from_json(order)
        self.not_before = not_before
        self.azure_conn_id = azure_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what makes the same trigger anew; Airflow stores it unencrypted."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {"order": self.order.to_json(), "not_before": self.not_before, "azure_conn_id": self.azure_conn_id},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Copy, and send one event."""
        from airflow_aib.triggers.image_template import hold_until

        event = await self._save()
        await hold_until(self.not_before)
        # The very last thing: Airflow calls `on_kill` when anything is awaited after the event.
        yield TriggerEvent(event.to_payload())  # type: ignore[no-untyped-call]  # Airflow's own

    async def on_kill(self) -> None:
        """End what storage would go on copying by itself when a person has ended the task, and only then.

        What has been copied piece by piece stays, and another try goes on from there.
        """
        from airflow_aib.triggers.outlasting import outlast_cancellation

        if self.task_instance is not None:
            await outlast_cancellation(self._abort_in_time())

    async def _save(self) -> CopyEvent:
        from airflow_aib.hooks.image_builder import AzureImageBuilderHook
        from airflow_aib.triggers.copying import CopyEvent, save_to_the_end

        image_template_id = self.order.image_template_id
        try:
            settings = await AzureImageBuilderHook(self.azure_conn_id).async_settings()
            return CopyEvent.saved(image_template_id, await save_to_the_end(settings, self.order, log=self.log))
        except Exception as error:  # a trigger that raises loses the error's type
            if not isinstance(error, ImageBuilderError):
                self.log.warning("The copy ended early.", exc_info=True)
            return CopyEvent.failed(image_template_id, error)

    async def _abort_in_time(self) -> None:
        from airflow_aib.hooks.image_builder import AzureImageBuilderHook
        from airflow_aib.triggers.copying import abort_unwanted
        from airflow_aib.triggers.image_template import ON_KILL_TIME

        try:
            async with asyncio.timeout(ON_KILL_TIME):
                settings = await AzureImageBuilderHook(self.azure_conn_id).async_settings()
                await abort_unwanted(settings, self.order, self.task_instance, self.log)  # type: ignore[arg-type]  # Airflow's type lags behind its DTO
        except Exception:  # Airflow would swallow it: say at least what it was
            self.log.warning("Copies that storage makes by itself, if any, were not ended.", exc_info=True)

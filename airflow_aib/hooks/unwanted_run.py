"""Cancel a run that nobody wants any more: the same for a worker and for a trigger that are told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.hooks.clients import shared_clients
from airflow_aib.hooks.image_builder import ImageTemplateService

if TYPE_CHECKING:
    from airflow_aib.hooks.connection import AzureSettings
    from airflow_aib.image_run.run_handle import ImageRunHandle

NOT_OURS = "its run is somebody else's, or not certainly its own, and goes on"


async def cancel_run(settings: AzureSettings, handle: ImageRunHandle) -> bool:
    """Cancel the handle's run and no other; False when it does not go on."""
    async with shared_clients(settings) as clients:
        return await ImageTemplateService(clients).cancel_run(handle.image_template_id, handle=handle)

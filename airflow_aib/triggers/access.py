"""What operators and the sensor have in common: which image template, and how Azure is reached."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_aib.hooks.default_connection import DEFAULT_CONNECTION_ID
from airflow_aib.triggers.options import WaitingOptions, read_waiting_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from airflow_aib.hooks.image_builder import AzureImageBuilderHook, ImageTemplateService


class ImageTemplateAccess:
    """Reach the image template that a task is given by its fields."""

    azure_conn_id: str | None
    # Airflow puts the value in the place of an XComArg before `execute`.
    image_template_id: Any
    resource_group_name: str | None
    image_template_name: str | None

    @cached_property
    def hook(self) -> AzureImageBuilderHook:
        """The way to Azure."""
        from airflow_aib.hooks.image_builder import AzureImageBuilderHook

        return AzureImageBuilderHook(self.connection_id)

    @property
    def connection_id(self) -> str:
        """Id of the Airflow connection: the default one where no other is named."""
        return self.azure_conn_id or DEFAULT_CONNECTION_ID

    @cached_property
    def waiting(self) -> WaitingOptions:
        """How this deployment waits."""
        return read_waiting_options()

    def find_image_template_id(self) -> str:
        """Give the resource id, by whichever arguments it is named."""
        return self.hook.find_image_template_id(
            self.image_template_id, self.resource_group_name, self.image_template_name
        )

    def _do_render_template_fields(self, parent: Any, *arguments: Any, **named: Any) -> None:
        # A field that is empty in the DAG file costs nothing at each parse; the UI shows which connection it means.
        if parent is self:
            self.azure_conn_id = self.connection_id
        super()._do_render_template_fields(parent, *arguments, **named)  # type: ignore[misc]

    def earliest_event(self) -> str:
        """When a trigger that starts now may send its event at the earliest."""
        from airflow_aib.hooks.clock import SYSTEM_CLOCK

        return (SYSTEM_CLOCK.now() + timedelta(seconds=self.waiting.trigger_min_age)).isoformat()

    @asynccontextmanager
    async def open_service(self) -> AsyncIterator[ImageTemplateService]:
        """Lend what talks to Azure about image templates; the connection must have been read before."""
        from airflow_aib.hooks.clients import shared_clients
        from airflow_aib.hooks.image_builder import ImageTemplateService

        async with shared_clients(self.hook.settings) as clients:
            yield ImageTemplateService(clients)

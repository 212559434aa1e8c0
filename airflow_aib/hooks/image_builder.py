"""The hook: an Airflow connection as the way to image templates."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from airflow_aib.exceptions import ImageBuilderError, ImageTemplateError
from airflow_aib.hooks.clients import build_sync_image_builder_client, shared_clients
from airflow_aib.hooks.connection import CONNECTION_TYPE, AzureSettings, settings_from_connection
from airflow_aib.hooks.default_connection import DEFAULT_CONNECTION_ID
from airflow_aib.hooks.dependencies import wait_for_dependencies
from airflow_aib.hooks.image_runs import ImageRuns
from airflow_aib.hooks.resource_id import image_template_id
from airflow_aib.hooks.run_async import run_async
from airflow_aib.hooks.waiting import LOOK_TIME, asked
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from airflow.sdk import Connection
    from azure.mgmt.imagebuilder import ImageBuilderClient

    from airflow_aib.hooks.clients import AzureClients

__all__ = ["AzureImageBuilderHook", "ImageTemplateService"]


class ImageTemplateService(ImageRuns):
    """Do with image templates and their runs whatever operators, sensors and triggers need.

    In code of your own, where an event loop runs:
    `async with shared_clients(hook.settings) as clients: await ImageTemplateService(clients).start_run(...)`, with
    `shared_clients` of `airflow_aib.hooks.clients` and the settings of `AzureImageBuilderHook`.

    :param clients: how Azure is reached
    :param clock: tells the time and waits
    """

    async def wait_for_dependencies(
        self,
        resource_ids: Iterable[str],
        *,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        within: timedelta | None = None,
    ) -> None:
        """Wait until the resources that a document names in `dependsOn` exist and are provisioned.

        :param resource_ids: of the resources
        :param poll_interval: seconds between two looks
        :param within: how long to wait for each; by default half an hour
        """
        options = {"within": within} if within is not None else {}
        await wait_for_dependencies(
            self.clients, resource_ids, poll_interval=poll_interval, clock=self.clock, **options
        )


class AzureImageBuilderHook(BaseHook):
    """Reach Azure VM Image Builder with an Airflow connection of type `azure_image_builder` or `azure`.

    :param azure_conn_id: id of the Airflow connection
    """

    conn_name_attr = "azure_conn_id"
    default_conn_name = DEFAULT_CONNECTION_ID
    conn_type = CONNECTION_TYPE
    hook_name = "Azure VM Image Builder"

    def __init__(self, azure_conn_id: str = DEFAULT_CONNECTION_ID) -> None:
        super().__init__()
        self.azure_conn_id = azure_conn_id

    @cached_property
    def settings(self) -> AzureSettings:
        """The connection's settings, read where a task runs."""
        connection = self.get_connection(self.azure_conn_id)
        return _read_settings(connection, connection.extra_dejson)

    async def async_settings(self) -> AzureSettings:
        """Give the connection's settings, read where an event loop runs."""
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        connection = await get_async_connection(self.azure_conn_id)
        return _read_settings(connection, await get_async_extra_dejson(connection))

    def get_conn(self) -> ImageBuilderClient:
        """Give the SDK's own synchronous client, for calls that this package does not make; the caller closes it."""
        client: ImageBuilderClient = build_sync_image_builder_client(self.settings)
        return client

    def image_template_id(self, resource_group_name: str, image_template_name: str) -> str:
        """Give the resource id of an image template in the connection's subscription."""
        return image_template_id(self.settings.require_subscription_id(), resource_group_name, image_template_name)

    def find_image_template_id(
        self, image_template_id: str | None, resource_group_name: str | None, image_template_name: str | None
    ) -> str:
        """Give the resource id of an image template, in whichever of the two ways it is named."""
        if image_template_id:
            return image_template_id
        if resource_group_name and image_template_name:
            return self.image_template_id(resource_group_name, image_template_name)
        raise ImageTemplateError(
            "No image template is named",
            hint="Give image_template_id, or resource_group_name and image_template_name.",
        )

    def test_connection(self) -> tuple[bool, str]:
        """Sign in, read a page of image templates, and say in a sentence what came of it."""
        try:
            return True, run_async(_try_connection(self.settings))
        except ImageBuilderError as error:
            return False, str(error)


def _read_settings(connection: Connection, extra: dict[str, Any]) -> AzureSettings:
    return settings_from_connection(
        conn_type=connection.conn_type,
        login=connection.login,
        password=connection.password,
        extra=extra,
        connection_id=connection.conn_id,
    )


async def _try_connection(settings: AzureSettings) -> str:
    subscription_id = settings.require_subscription_id()
    async with shared_clients(settings) as clients:
        count = await _count_first_page(clients, subscription_id)
    return f"Signed in to {settings.cloud.name} and read {count} image templates of subscription {subscription_id}."


async def _count_first_page(clients: AzureClients, subscription_id: str) -> int:
    operations = clients.image_builder(subscription_id).virtual_machine_image_templates
    async with asked("list the image templates of subscription", subscription_id, LOOK_TIME):
        # Somebody waits in front of a form: one try tells more than patience.
        async for page in operations.list(retry_total=0).by_page():
            return len([item async for item in page])
    return 0

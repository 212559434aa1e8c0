"""Where the poller's looks come from: lean reads of one image template, and of a page of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.errors import translated
from airflow_aib.hooks.image_templates import ImageTemplates
from airflow_aib.hooks.new_token import with_new_token
from airflow_aib.hooks.polling.pages import Page, read_image_template, read_page
from airflow_aib.hooks.resource_id import IMAGE_TEMPLATE_TYPE, parse_image_template_id
from airflow_aib.hooks.waiting import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from azure.core.exceptions import HttpResponseError

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.polling.plan import Scope

# Seconds for one page. A list that hangs holds many waits up, and they have another way.
PAGE_TIME = 30.0


class Source(Protocol):
    """Bring what the poller asks for."""

    async def get_image_template(self, image_template_id: str, *, retries: bool = True) -> dict[str, Any] | None:
        """Give what waits need of one image template; None when there is none."""
        ...

    async def list_page(self, scope: Scope, next_link: str | None = None) -> Page:
        """Give a page of the image templates of a scope."""
        ...


class LeanImageTemplates(ImageTemplates):
    """Read of image templates only what waits need, and tell what answers say of the subscription's limits.

    :param clients: how Azure is reached
    :param clock: tells the time and waits
    """

    def __init__(self, clients: AzureClients, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(clients, clock=clock)
        # Is handed the subscription and the headers of each answer.
        self.note: Callable[[str, Mapping[str, str]], None] = lambda _subscription_id, _headers: None

    async def list_page(self, scope: Scope, next_link: str | None = None) -> Page:
        """Give a page of the image templates of a scope."""
        doing, target = "list image templates of", scope.resource_group_name or f"subscription {scope.subscription_id}"
        async with bounded(PAGE_TIME, doing, target):
            content = await with_new_token(
                self.clients, lambda: self._read_list(scope, next_link, doing, target), doing, target
            )
            try:
                return read_page(content)
            except ValueError as error:
                raise _malformed(f"{doing} {target}", target, error) from None

    async def _read_list(self, scope: Scope, next_link: str | None, doing: str, target: str) -> bytes:
        with translated(doing, target):
            return await self._read(scope.subscription_id, next_link or _list_path(scope), self.NO_RETRIES)

    async def _get(self, image_template_id: str, options: Mapping[str, Any]) -> dict[str, Any]:
        resource_id = parse_image_template_id(image_template_id)
        with translated("read image template", image_template_id):
            content = await self._read(resource_id.subscription_id, quote(str(resource_id)), options)
        try:
            return read_image_template(content)
        except ValueError as error:
            raise _malformed(f"read image template {image_template_id}", image_template_id, error) from None

    async def _read(self, subscription_id: str, address: str, options: Mapping[str, Any]) -> bytes:
        """Send a GET through the SDK's pipeline, and give the body as it came."""
        from azure.core.exceptions import HttpResponseError, map_error
        from azure.core.rest import HttpRequest

        client = self.clients.image_builder(subscription_id)
        api_version = client._config.api_version  # noqa: SLF001 - the SDK shows it nowhere else
        # An address of a further page has its api-version, with which it was made.
        params = {} if "api-version=" in address else {"api-version": api_version}
        request = HttpRequest("GET", address, params=params, headers={"Accept": "application/json"})
        # Streamed, or the pipeline would parse all of it.
        async with await client.send_request(request, stream=True, **options) as response:
            content = await response.read()
            self.note(subscription_id.lower(), response.headers)
            if response.status_code != 200:  # noqa: PLR2004 - the one good answer to a read
                map_error(response.status_code, response, _error_map())
                raise HttpResponseError(response=response)
        return content


def _error_map() -> dict[int, type[HttpResponseError]]:
    from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError

    return {401: ClientAuthenticationError, 404: ResourceNotFoundError}


def _list_path(scope: Scope) -> str:
    group = f"/resourceGroups/{quote(scope.resource_group_name)}" if scope.resource_group_name else ""
    return f"/subscriptions/{quote(scope.subscription_id)}{group}/providers/{IMAGE_TEMPLATE_TYPE}"


def _malformed(doing: str, target: str, error: ValueError) -> ArmRequestError:
    return ArmRequestError(
        f"Could not {doing}: the answer is none, it cannot be read: {error}",
        hint="Look whether a proxy answers in Azure's place.",
        target=target,
        trouble="malformed",
    )

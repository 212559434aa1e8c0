"""Image templates over Azure Resource Manager: read, submit, delete, tag, and wait for what Azure does with them."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError, SourceImageError
from airflow_aib.hooks.clock import SYSTEM_CLOCK, Clock
from airflow_aib.hooks.errors import (
    CONFLICT,
    NOT_FOUND,
    TOO_MANY_REQUESTS,
    is_lost_answer,
    retry_after,
    translated,
)
from airflow_aib.hooks.new_token import with_new_token
from airflow_aib.hooks.polling.looks import OwnLooks
from airflow_aib.hooks.resource_id import parse_image_template_id
from airflow_aib.hooks.stuck import overdue_image_template
from airflow_aib.hooks.waiting import JITTER, LOOK_TIME, READ_TIME, Patience, Wait, asked, bounded
from airflow_aib.image_run.choices import DEFAULT_POLL_INTERVAL
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_creation
from airflow_aib.image_template.fingerprint import differences
from airflow_aib.masking import mask

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.pipeline import PipelineResponse
    from azure.mgmt.imagebuilder.aio.operations import VirtualMachineImageTemplatesOperations

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.polling.looks import Looks, SharedLooks

    OnAnswer = Callable[[PipelineResponse[Any, Any]], None]

NO_CONTENT = 204

PROVISION_TIMEOUT = timedelta(hours=1)

# What a refused or lost request costs at most before it counts: attempts, and seconds between them.
SUBMIT_ATTEMPTS = 4
RESUBMIT_PAUSE = 5.0
LONGEST_ASKED_PAUSE = 120.0

# How often tags are written until they stay, and seconds until we look: longer than from a look to a write.
TAG_ATTEMPTS = 6
TAG_PAUSE = 1.0

# Provisioning errors that only another document can mend; the rest may pass, or wants a permission.
INPUT_ERROR_PREFIXES = ("Bad", "Unsupported", "NoCustomizer", "NoValidator")
# Of these, the ones about the image from which to build.
SOURCE_ERRORS = frozenset({"BadPIRSource", "BadManagedImageSource", "BadSharedImageVersionSource"})
_AGAIN = (
    "AzureImageTemplateCreateOperator replaces the failed image template; who submits it without that deletes it first."
)
_DOCUMENT_HINT = f"Correct the image template document. {_AGAIN}"
_SOURCE_HINT = (
    "Choose a source version that is there, is not withdrawn, and is replicated to the image template's region. "
    f"{_AGAIN}"
)
_MISSING = re.compile(
    r"not ?found|not available|does not exist|404|withdrawn|deprecated|excluded|not replicated", re.IGNORECASE
)
_PERMISSION_HINT = (
    "Often the image template's identity lacks a permission on the source, the gallery, the scripts or the staging "
    f"resource group, or one of them is not there: see docs/reference/permissions.md. {_AGAIN}"
)
_DELETION_HINT = "Mend what the message names, as a lock or a missing permission, and delete the image template again."


class ImageTemplates:
    """Read and change image templates.

    Bodies are the plain JSON of the wire, untouched: new members survive, and times keep all their digits.

    :param clients: how Azure is reached
    :param clock: tells the time and waits
    :param looks: looks that waits for an image template share with others; None means looks of their own
    """

    # The SDK's retries are switched off where we look before we repeat, and where a wait bears failed looks by itself.
    NO_RETRIES: ClassVar[dict[str, Any]] = {"retry_total": 0}

    def __init__(self, clients: AzureClients, *, clock: Clock = SYSTEM_CLOCK, looks: SharedLooks | None = None) -> None:
        self.clients = clients
        self.clock = clock
        self._looks = looks

    async def get_image_template(
        self, image_template_id: str, *, retries: bool = True, on_answer: OnAnswer | None = None
    ) -> dict[str, Any] | None:
        """Give the image template's body, or None when there is none.

        :param retries: whether the SDK repeats a failed read a few times
        :param on_answer: is shown each answer, for its headers
        """
        options = {**({} if retries else self.NO_RETRIES), **({"raw_response_hook": on_answer} if on_answer else {})}
        async with bounded(READ_TIME if retries else LOOK_TIME, "read image template", image_template_id):
            try:
                return await with_new_token(
                    self.clients,
                    lambda: self._get(image_template_id, options),
                    "read image template",
                    image_template_id,
                )
            except ArmRequestError as error:
                if error.status == NOT_FOUND and error.code != "SubscriptionNotFound":
                    return None
                raise

    async def require_image_template(
        self, image_template_id: str, *, retries: bool = True, on_answer: OnAnswer | None = None
    ) -> dict[str, Any]:
        """Give the image template's body; an `ArmRequestError` with status 404 when there is none."""
        body = await self.get_image_template(image_template_id, retries=retries, on_answer=on_answer)
        return required(image_template_id, body)

    def looks_at(self, image_template_id: str) -> Looks:
        """Give the looks of a wait for an image template: the ones that were handed in, where they are at that one."""
        if self._looks is not None and self._looks.image_template_id == image_template_id.lower():
            return self._looks
        return OwnLooks(self, image_template_id, self.clock)

    async def list_image_templates(
        self, resource_group_name: str | None = None, subscription_id: str | None = None
    ) -> list[dict[str, Any]]:
        """Give the image templates of a resource group, or of the whole subscription."""
        operations = self.clients.image_builder(subscription_id).virtual_machine_image_templates
        async with asked("list image templates of", resource_group_name or "the subscription"):
            pages = operations.list_by_resource_group(resource_group_name) if resource_group_name else operations.list()
            return [item.as_dict() async for item in pages]

    async def submit(self, image_template_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create the image template and give Azure's first answer; `wait_until_provisioned` gives the last.

        A request whose answer was lost is not repeated before a look, since Azure refuses to update an image template.
        The connection pool repeats a PUT by itself when its connection breaks: a conflict with an image template of
        this very content is our own request come through.
        """
        for attempt in range(1, SUBMIT_ATTEMPTS + 1):
            try:
                return await self._put(image_template_id, body)
            except ArmRequestError as error:
                may_be_ours = is_lost_answer(error) or error.status == CONFLICT
                if not may_be_ours and error.status != TOO_MANY_REQUESTS:
                    raise
                await self._pause_after(error)
                found = await self._find_own(image_template_id, body) if may_be_ours else None
                if found is not None:
                    return found
                if error.status == CONFLICT or attempt == SUBMIT_ATTEMPTS:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def wait_until_provisioned(
        self,
        image_template_id: str,
        *,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        within: timedelta = PROVISION_TIMEOUT,
        waited: timedelta = timedelta(),
    ) -> dict[str, Any]:
        """Wait until Azure has taken in the image template, and give its body.

        It downloads every script, resolves the source's version and makes the staging resource group meanwhile. An
        `ImageTemplateError` says that the document is wrong, an `ArmRequestError` that something else was.

        :param waited: how long was waited for it before, for the error's words
        """

        def is_done(body: dict[str, Any]) -> bool:
            state = provisioning_state(body)
            if state in {"Failed", "Canceled"}:
                raise provisioning_failed(image_template_id, body)
            return state == "Succeeded"

        async def look() -> dict[str, Any]:
            return required(image_template_id, await looks.look())

        looks = self.looks_at(image_template_id)
        return await Wait(
            look,
            is_done,
            lambda body: overdue_image_template(
                image_template_id, "was not provisioned", waited + within, provisioning_state(body)
            ),
            Patience(poll_interval, within),
            self.clock,
            rest=looks.rest,
        ).until_done()

    async def delete(self, image_template_id: str) -> bool:
        """Ask Azure to delete the image template with its staging resource group; False when there is none."""
        operations, group, name = self._address(image_template_id)
        try:
            async with asked("delete image template", image_template_id):
                poller = await operations.begin_delete(
                    group, name, polling=False, cls=lambda answer, _, __: answer.http_response.status_code
                )
                # The SDK's type says what the poller gives without `cls`.
                status = cast("int", await poller.result())
        except ArmRequestError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return status != NO_CONTENT

    async def wait_until_deleted(
        self,
        image_template_id: str,
        *,
        poll_interval: float = DEFAULT_POLL_INTERVAL,
        within: timedelta = PROVISION_TIMEOUT,
        waited: timedelta = timedelta(),
    ) -> None:
        """Wait until the image template is gone.

        :param waited: how long was waited for it before, for the error's words
        """
        was_deleting = False

        def is_done(body: dict[str, Any] | None) -> bool:
            nonlocal was_deleting
            state = provisioning_state(body)
            if was_deleting and state == "Failed":
                raise provisioning_failed(image_template_id, body or {}, what="deletion")
            was_deleting = was_deleting or state == "Deleting"
            return body is None

        looks = self.looks_at(image_template_id)
        await Wait(
            looks.look,
            is_done,
            lambda body: overdue_image_template(
                image_template_id, "was not deleted", waited + within, provisioning_state(body)
            ),
            Patience(poll_interval, within),
            self.clock,
            rest=looks.rest,
        ).until_done()

    async def merge_tags(self, image_template_id: str, tags: Mapping[str, str | None]) -> dict[str, Any]:
        """Set some tags of the image template and leave the others as they are; give its body.

        Azure takes all tags at once. Another task that has read them before our write, and writes after it, undoes
        ours: so we look again a moment later, and write again.

        :param tags: by name; None removes one
        """
        for attempt in range(TAG_ATTEMPTS + 1):
            body = await self.require_image_template(image_template_id)
            present: dict[str, str] = body.get("tags") or {}
            merged = merge(present, tags)
            if merged == present:
                return body
            if attempt == TAG_ATTEMPTS:
                break
            await self._write_tags(image_template_id, merged)
            await self.clock.sleep(random.uniform(TAG_PAUSE, 2 * TAG_PAUSE))  # noqa: S311 - so that two do not meet again
        raise ArmRequestError(
            f"Tags {', '.join(map(repr, tags))} of image template {image_template_id} do not stay as they are written",
            hint="See whether an Azure Policy or another program takes tags away. Without them nothing says that VHD "
            "and log are saved.",
            code="TagsDoNotStay",
            target=image_template_id,
        )

    async def _write_tags(self, image_template_id: str, tags: Mapping[str, str]) -> None:
        operations, group, name = self._address(image_template_id)
        async with asked("tag image template", image_template_id):
            await operations.begin_update(group, name, {"tags": dict(tags)}, polling=False)

    async def _get(self, image_template_id: str, options: Mapping[str, Any]) -> dict[str, Any]:
        operations, group, name = self._address(image_template_id)
        with translated("read image template", image_template_id):
            found = await operations.get(group, name, **options)
        # The SDK hands on what is no object at all.
        body = found.as_dict() if hasattr(found, "as_dict") else {}
        if not isinstance(body.get("properties"), Mapping):
            raise ArmRequestError(
                f"Could not read image template {image_template_id}: the answer is none, it lacks its properties",
                hint="Look whether a proxy answers in Azure's place.",
                target=image_template_id,
                trouble="malformed",
            )
        return body

    async def _put(self, image_template_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        operations, group, name = self._address(image_template_id)
        async with asked("create image template", image_template_id, LOOK_TIME):
            poller = await operations.begin_create_or_update(
                group, name, dict(body), polling=False, cls=lambda answer, _, __: _Answer(answer), **self.NO_RETRIES
            )
            # The SDK's type says what the poller gives without `cls`.
            answer = cast("_Answer", await poller.result())
        refuse_error_body(image_template_id, answer.body, answer.request_id)
        return answer.body

    async def _find_own(self, image_template_id: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Look for the image template that we submitted, and not for somebody else's, or an old one that failed."""
        found = await self.get_image_template(image_template_id)
        if found is None or provisioning_state(found) == "Failed" or differences(body, found):
            return None
        return found

    async def _pause_after(self, error: ArmRequestError) -> None:
        """Wait for as long as Azure asks for; raise the error where that is longer than a request is worth."""
        pause = retry_after(error) or RESUBMIT_PAUSE
        if pause > LONGEST_ASKED_PAUSE:
            raise error
        # Whoever is asked to wait is asked together with others: all later, and none at the same moment.
        await self.clock.sleep(pause * random.uniform(1, 1 + JITTER))  # noqa: S311

    def _address(self, image_template_id: str) -> tuple[VirtualMachineImageTemplatesOperations, str, str]:
        resource_id = parse_image_template_id(image_template_id)
        client = self.clients.image_builder(resource_id.subscription_id)
        return client.virtual_machine_image_templates, resource_id.resource_group_name, resource_id.name


def merge(present: Mapping[str, str], tags: Mapping[str, str | None]) -> dict[str, str]:
    """Set tags among others, or remove those that are None; a tag's name ignores letter case, and keeps what it has."""
    spelling = {name.casefold(): name for name in present}
    changed = {spelling.get(name.casefold(), name): value for name, value in tags.items()}
    return {name: value for name, value in {**present, **changed}.items() if value is not None}


def provisioning_state(body: Mapping[str, Any] | None) -> str | None:
    """Read how far Azure is with the image template itself, not with a run of it; None where there is none."""
    state = ((body or {}).get("properties") or {}).get("provisioningState")
    return str(state) if state else None


def required(image_template_id: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Give the body, or raise that there is none."""
    if body is None:
        raise image_template_missing(image_template_id)
    return body


def image_template_missing(image_template_id: str) -> ArmRequestError:
    """Make the error for an image template that does not exist."""
    return ArmRequestError(
        f"There is no image template {image_template_id}",
        hint="Check the name, the resource group and the subscription; or create it first.",
        code="ResourceNotFound",
        target=image_template_id,
        status=NOT_FOUND,
    )


def refuse_error_body(image_template_id: str, body: Mapping[str, Any], request_id: str | None) -> None:
    """Raise what an answer with a good status says is wrong."""
    error = body.get("error")
    if error is None and "code" in body and "properties" not in body:
        error = body
    if error is None:
        return
    code = str(error.get("code") or "UnknownError") if hasattr(error, "get") else "UnknownError"
    message = error.get("message") if hasattr(error, "get") else error
    raise ArmRequestError(
        f"Could not create image template {image_template_id}: {code}: {mask(str(message))}",
        hint="Correct what the message names; Azure's support can look the request id up.",
        code=code,
        target=image_template_id,
        request_id=request_id,
    )


def provisioning_failed(
    image_template_id: str, body: Mapping[str, Any], *, what: str = "creation"
) -> ImageTemplateError | SourceImageError | ArmRequestError:
    """Make the error for an image template that Azure could not take in, or not delete."""
    reason: Mapping[str, Any] = (body.get("properties") or {}).get("provisioningError") or {}
    code = str(reason.get("provisioningErrorCode") or provisioning_state(body) or "Unknown")
    diagnosis = diagnose(evidence_of_creation(body.get("properties") or {})) if what == "creation" else None
    facts: dict[str, Any] = {"diagnosis": diagnosis, "code": code, "target": image_template_id}
    words = mask(str(reason.get("message") or "Azure gives no reason")).strip().rstrip(".")
    message = f"The {what} of image template {image_template_id} failed: {code}: {words}"
    is_input_error = code.startswith(INPUT_ERROR_PREFIXES) and "authoriz" not in words.lower()
    if is_input_error and (code in SOURCE_ERRORS or (code == "BadSourceType" and _MISSING.search(words))):
        return SourceImageError(message, hint=_SOURCE_HINT, **facts)
    if is_input_error:
        return ImageTemplateError(message, hint=_DOCUMENT_HINT, **facts)
    return ArmRequestError(message, hint=_PERMISSION_HINT if what == "creation" else _DELETION_HINT, **facts)


class _Answer:
    """Keep the JSON of an answer, and what Azure's support asks for."""

    def __init__(self, answer: PipelineResponse[Any, Any]) -> None:
        response = answer.http_response
        self.body: dict[str, Any] = response.json()
        self.request_id: str | None = response.headers.get("x-ms-request-id")

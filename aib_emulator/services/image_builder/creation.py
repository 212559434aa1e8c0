"""What happens between PUT and the end of its operation, and between DELETE and its end."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder.blob_address import account_and_blob
from aib_emulator.services.image_builder.messages import GENERIC

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from aib_emulator.arm.operations import Operation
    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.world import World

CREATION_SECONDS = 11.3
CREATION_SECONDS_FROM_GALLERY = 35.8
DELETION_SECONDS = 78.1
MIDDLE_LENGTH = 40
"""How much of group and image template name shows in the name of a staging group."""
SERVICE = "AzureVMImageBuilder"


class CreationError(Exception):
    """The creation fails.

    :param code: the service's `provisioningErrorCode`
    :param message: its sentence
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Pending:
    """Do one thing at an instant, and then end an operation; a Process of the schedule.

    :param at: when it is done
    :param operation: what pollers ask about
    :param action: what is done; may raise CreationError
    :param when_failed: told of an error
    """

    def __init__(
        self,
        at: datetime,
        operation: Operation,
        action: Callable[[], Awaitable[None]],
        when_failed: Callable[[CreationError], None],
    ) -> None:
        self._at: datetime | None = at
        self._operation = operation
        self._action = action
        self._when_failed = when_failed

    def next_due(self) -> datetime | None:
        """Return when it is done; None when it is over."""
        return self._at

    async def perform_next(self) -> None:
        """Do it, and end the operation."""
        if self._at is None:
            return
        at = self._at
        try:
            await self._action()
        except CreationError as error:
            self._fail(at, error)
        else:
            self._operation.end(at)
        self._at = None

    def break_off(self, error: Exception) -> None:
        """End as the service does when it fails itself."""
        del error
        if self._at is not None:
            self._fail(self._at, CreationError("ServerError", GENERIC))
        self._at = None

    def _fail(self, at: datetime, error: CreationError) -> None:
        self._when_failed(error)
        code = "InternalOperationError" if error.code == "ServerError" else error.code
        self._operation.end(at, "Failed", {"code": code, "message": error.message})


class Creation:
    """Create an image template: check what it names, download scripts, make the staging group.

    :param world: what the services share
    :param image_template: what is created
    """

    def __init__(self, world: World, image_template: ImageTemplate) -> None:
        self._world = world
        self._image_template = image_template

    def duration(self) -> timedelta:
        """Return how long it takes."""
        is_gallery = self._image_template.properties["source"]["type"] == "SharedImageVersion"
        return timedelta(seconds=CREATION_SECONDS_FROM_GALLERY if is_gallery else CREATION_SECONDS)

    async def carry_out(self) -> None:
        """Do it all, or raise CreationError."""
        failure = self._world.take_failure(self._image_template.image_template_id.name, "creation")
        if failure is not None:
            raise CreationError(failure.code or "ServerError", failure.message or GENERIC)
        resolve_source(self._world, self._image_template)
        self._check_distribute()
        for step in _steps_with_files(self._image_template.properties):
            await self._fill_in_checksum(step)
        await self._make_staging_group()
        self._fill_in_identity()
        self._image_template.state = "provisioned"

    def fail(self, error: CreationError) -> None:
        """Leave the image template as a failed creation leaves it."""
        self._image_template.state = "failed"
        self._image_template.provisioning_error = {
            "message": error.message,
            "provisioningErrorCode": error.code,
        }

    def _check_distribute(self) -> None:
        for distributor in self._image_template.properties["distribute"]:
            if distributor["type"] == "SharedImage":
                given = ResourceId.parse(distributor["galleryImageId"])
                definition_id = given.parent if "/versions/" in given.key else given
                if definition_id is None or self._world.store.get(definition_id) is None:
                    raise CreationError("BadSharedImageDistribute", _not_authorized(str(given)))
            if distributor["type"] == "ManagedImage":
                image_id = ResourceId.parse(distributor["imageId"])
                if self._world.store.get(image_id.group) is None:
                    raise CreationError("BadDistributeType", _not_authorized(str(image_id)))

    async def _fill_in_checksum(self, step: dict[str, Any]) -> None:
        uri = step.get("scriptUri") or step["sourceUri"]
        checksum = await self._checksum(uri)
        sent = step.get("sha256Checksum")
        if sent and checksum is not None and sent.lower() != checksum:
            raise CreationError(
                "Other", f"Downloading external file ({uri}) failed: SHA-256 is {checksum}, but {sent} was given."
            )
        step["sha256Checksum"] = sent or checksum or hashlib.sha256(uri.encode()).hexdigest()
        ordered = {name: step[name] for name in sorted(step)}
        step.clear()
        step.update(ordered)

    async def _checksum(self, uri: str) -> str | None:
        """Return the checksum of a file that this emulator can reach; None when it lies anywhere else."""
        place = account_and_blob(uri.partition("?")[0], self._world.blobs.public_url)
        if place is None:
            return None
        content = await self._world.blobs.get_blob(*place)
        if content is None:
            target = f"{uuid.uuid4()}.customizer.fp"
            raise CreationError(
                "NoCustomizerScript",
                f"Downloading external file ({uri}) to local file ({target}) [attempt 1 of 10] failed: "
                f"Error downloading '{uri}' to '{target}'.",
            )
        return hashlib.sha256(content).hexdigest()

    async def _make_staging_group(self) -> None:
        template = self._image_template
        group_id = self._staging_group_id()
        existing = self._world.store.get(group_id)
        if existing is not None and self._world.store.list(below=group_id):
            raise CreationError(
                "BadStagingResourceGroup", f"The staging resource group '{group_id.name}' is not empty."
            )
        marks = {
            "imageTemplateName": template.image_template_id.name,
            "imageTemplateResourceGroupName": template.image_template_id.group.name,
        }
        if existing is not None:
            existing.body["tags"].update({"usedBy": SERVICE, **marks})
        else:
            tags = {"createdBy": SERVICE, **marks, **(template.properties.get("managedResourceTags") or {})}
            self._world.put_group(group_id, location=template.location, tags=tags)
        template.owns_staging_group = existing is None
        template.staging_group_id = group_id
        template.staging_account = uuid.uuid4().hex[:24]
        account_id = group_id.in_group("Microsoft.Storage", "storageAccounts", template.staging_account)
        await self._world.storage.create_account(account_id, location=template.location, tags={})

    def _staging_group_id(self) -> ResourceId:
        template = self._image_template
        given = template.properties["stagingResourceGroup"]
        if given:
            return ResourceId.parse(given)
        middle = f"{template.image_template_id.resource_group_name}_{template.image_template_id.name}"[:MIDDLE_LENGTH]
        name = f"IT_{middle}_{uuid.uuid4()}"
        return ResourceId(template.image_template_id.subscription_id, name)

    def _fill_in_identity(self) -> None:
        assigned = self._image_template.identity.get("userAssignedIdentities") or {}
        for identity_id in assigned:
            assigned[identity_id] = identity_value(self._world, identity_id)


def identity_value(world: World, identity_id: str) -> dict[str, str]:
    """Return what an image template shows about an identity that it uses."""
    identity = world.store.get(ResourceId.parse(identity_id))
    if identity is None:
        return {}
    return {name: identity.body["properties"][name] for name in ("principalId", "clientId")}


def resolve_source(world: World, image_template: ImageTemplate) -> None:
    """Find the exact version of the source, or raise CreationError when there is none."""
    source = image_template.properties["source"]
    if source["type"] == "PlatformImage":
        source["exactVersion"] = _platform_version(world, source)
    elif source["type"] == "ManagedImage":
        if world.store.get(ResourceId.parse(source["imageId"])) is None:
            raise CreationError(
                "BadManagedImageSource",
                f"Build (Managed Image) step failed: Error getting Managed Image '{source['imageId']}': "
                'StatusCode=404 -- Original Error: Code="ResourceNotFound"',
            )
    else:
        source["exactVersion"] = _gallery_version(world, source["imageVersionId"])


async def delete_staging(world: World, image_template: ImageTemplate) -> None:
    """Delete what an image template has in its staging group, and the group when it was made for it."""
    group_id = image_template.staging_group_id
    if group_id is None:
        return
    if image_template.owns_staging_group:
        await world.delete(group_id)
        return
    for resource in world.store.list(below=group_id):
        await world.delete(resource.id)
    group = world.store.get(group_id)
    for tag in ("usedBy", "imageTemplateName", "imageTemplateResourceGroupName") if group is not None else ():
        group.body["tags"].pop(tag, None)  # type: ignore[union-attr] # looked at one line above


def _platform_version(world: World, source: dict[str, Any]) -> str:
    publisher, offer, sku, version = (source[name] for name in ("publisher", "offer", "sku", "version"))
    if version.lower() == "latest":
        latest = world.compute.latest_platform_version(publisher, offer, sku)
        if latest is not None:
            return latest
    elif world.compute.platform_version_exists(publisher, offer, sku, version):
        return str(version)
    raise CreationError("BadPIRSource", f"The platform image '{publisher}:{offer}:{sku}:{version}' is not available.")


def _gallery_version(world: World, text: str) -> str:
    version_id = ResourceId.parse(text)
    definition_id = version_id.parent
    if version_id.name.lower() == "latest" and definition_id is not None:
        found = _newest(world, definition_id)
        if found is not None:
            return found.write()
    elif world.store.get(version_id) is not None:
        return version_id.write()
    raise CreationError(
        "BadSharedImageVersionSource",
        f"Build (Shared Image Version) step failed for Image Version '{version_id}': Error getting Image Version: "
        'StatusCode=404 -- Original Error: Code="ResourceNotFound"',
    )


def _newest(world: World, definition_id: ResourceId) -> ResourceId | None:
    versions = [
        version
        for version in world.store.list(
            below=definition_id, resource_type="Microsoft.Compute/galleries/images/versions"
        )
        if not version.body["properties"].get("publishingProfile", {}).get("excludeFromLatest")
    ]
    newest = max(versions, key=lambda version: [int(part) for part in version.id.name.split(".")], default=None)
    return None if newest is None else newest.id


def _steps_with_files(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    validators = (properties.get("validate") or {}).get("inVMValidations") or []
    workload = (properties.get("optimize") or {}).get("workload") or {}
    for step in (*(properties.get("customize") or []), *validators, workload):
        if step.get("scriptUri") or step.get("sourceUri"):
            yield step


def _not_authorized(resource_id: str) -> str:
    return (
        f"Not authorized to access the resource: {resource_id}. Please check the user assigned identity has the "
        "correct permissions. For more details, go to https://aka.ms/azvmimagebuilderts."
    )

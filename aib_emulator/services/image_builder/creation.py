"""What happens between the PUT of an image template and the end of its operation."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.failures import CREATION
from aib_emulator.services.image_builder.blob_address import account_and_blob
from aib_emulator.services.image_builder.downloads import DownloadError, checksum_of, is_on_this_machine
from aib_emulator.services.image_builder.messages import not_authorized
from aib_emulator.services.image_builder.pending import CreationError
from aib_emulator.services.image_builder.planned import creation_error
from aib_emulator.services.image_builder.rights import may_read_blobs, missing_rights
from aib_emulator.services.image_builder.sources import resolve_source
from aib_emulator.services.image_builder.staging import make_staging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.services.image_builder.resources import ImageTemplate
    from aib_emulator.world import World

CREATION_SECONDS = 11.3
CREATION_SECONDS_FROM_GALLERY = 35.8


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
        failure = self._world.failures.take(self._image_template.image_template_id.name, CREATION)
        if failure is not None:
            raise creation_error(failure, self._image_template)
        self._check_rights()
        resolve_source(self._world, self._image_template, self._world.clock.now())
        self._check_distribute()
        for step in _steps_with_files(self._image_template.properties):
            await self._fill_in_checksum(step)
        await make_staging(self._world, self._image_template)
        self._fill_in_identity()
        self._image_template.state = "provisioned"

    def fail(self, error: CreationError) -> None:
        """Leave the image template as a failed creation leaves it."""
        self._image_template.state = "failed"
        self._image_template.provisioning_error = {
            "message": error.message,
            "provisioningErrorCode": error.code,
        }

    def _check_rights(self) -> None:
        if self._world.settings.missing_rights_fail == "creation":
            for right in missing_rights(self._world, self._image_template):
                raise CreationError(right.code, right.message)

    def _check_distribute(self) -> None:
        for distributor in self._image_template.properties["distribute"]:
            if distributor["type"] == "SharedImage":
                given = ResourceId.parse(distributor["galleryImageId"])
                definition_id = given.parent if "/versions/" in given.key else given
                if definition_id is None or self._world.store.get(definition_id) is None:
                    raise CreationError("BadSharedImageDistribute", not_authorized(str(given)))
            if distributor["type"] == "ManagedImage":
                image_id = ResourceId.parse(distributor["imageId"])
                if self._world.store.get(image_id.group) is None:
                    raise CreationError("BadDistributeType", not_authorized(str(image_id)))

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
        if place is not None and self._reads_as_identity(uri, place[0]):
            content = await self._world.blobs.get_blob(*place)
            if content is None:
                raise _no_script(uri)
            return hashlib.sha256(content).hexdigest()
        if not is_on_this_machine(uri):
            return None
        try:
            return await checksum_of(uri)
        except DownloadError as error:
            raise _no_script(uri) from error

    def _reads_as_identity(self, uri: str, account_name: str) -> bool:
        is_signed = "sig" in parse_qs(urlsplit(uri).query)
        return not is_signed and may_read_blobs(self._world, self._image_template, account_name)

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


def _no_script(uri: str) -> CreationError:
    target = f"{uuid.uuid4()}.customizer.fp"
    return CreationError(
        "NoCustomizerScript",
        f"Downloading external file ({uri}) to local file ({target}) [attempt 1 of 10] failed: "
        f"Error downloading '{uri}' to '{target}'.",
    )


def _steps_with_files(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    validators = (properties.get("validate") or {}).get("inVMValidations") or []
    workload = (properties.get("optimize") or {}).get("workload") or {}
    for step in (*(properties.get("customize") or []), *validators, workload):
        if step.get("scriptUri") or step.get("sourceUri"):
            yield step

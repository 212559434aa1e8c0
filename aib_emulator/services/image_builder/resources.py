"""What an image template and its run outputs look like in answers."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aib_emulator.services.image_builder.members import PROPERTIES, THIRD_PREVIEW, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aib_emulator.arm.operations import Operation
    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.schedule import Process
    from aib_emulator.services.image_builder.run import ImageRun
    from aib_emulator.services.image_builder.trigger import ImageTemplateTrigger

NAMESPACE = "Microsoft.VirtualMachineImages"
RESOURCE_TYPE = f"{NAMESPACE}/imageTemplates"
RUN_OUTPUT_TYPE = f"{RESOURCE_TYPE}/runOutputs"
TAGS_BEFORE_ID_SINCE = "2021-10-01"

PUBLIC_STATES = {"creating": "Creating", "provisioned": "Succeeded", "failed": "Failed", "deleting": "Deleting"}
"""The service's internal words, which show in refusals, and those that answers show."""


@dataclass
class ImageTemplate:
    """Keep one image template.

    :param image_template_id: as it was first written
    :param location: as it was sent
    :param tags: as sent
    :param identity: as sent, later with principal and client ids
    :param properties: as read and completed; without the members that the state decides
    :param state: the service's internal word
    :param provisioning_error: why the creation failed
    :param staging_group_id: where logs and default VHDs lie; None before it exists
    :param staging_account: the storage account there
    :param owns_staging_group: whether it goes with the image template
    :param run: the last run
    :param previous_run_outputs: of the run before that
    :param earlier_run_states: how the runs before that ended, oldest first, as far as it counts for triggers
    :param triggers: by lower-case name
    :param pending: the creation or deletion that goes on, or went on last
    :param due: when that is done
    :param creation: the operation that created it
    :param deletion: the operation that is deleting it
    """

    image_template_id: ResourceId
    location: str
    tags: dict[str, str]
    identity: dict[str, Any]
    properties: dict[str, Any]
    state: str = "creating"
    provisioning_error: dict[str, str] | None = None
    staging_group_id: ResourceId | None = None
    staging_account: str = ""
    owns_staging_group: bool = True
    run: ImageRun | None = None
    previous_run_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    earlier_run_states: list[str] = field(default_factory=list)
    triggers: dict[str, ImageTemplateTrigger] = field(default_factory=dict)
    pending: Process | None = None
    due: datetime | None = None
    creation: Operation | None = None
    deletion: Operation | None = None

    @property
    def is_windows(self) -> bool:
        """Whether the source is a Windows image, as far as the document tells."""
        source = self.properties["source"]
        if "windows" in f"{source.get('publisher', '')}{source.get('offer', '')}".lower():
            return True
        steps = self.properties.get("customize") or []
        return any(step["type"] in {"PowerShell", "WindowsRestart", "WindowsUpdate"} for step in steps)

    @property
    def source_name(self) -> str:
        """The image to start from, as people write it: four words, or a resource id."""
        source = self.properties["source"]
        if source["type"] == "PlatformImage":
            return ":".join(str(source[name]) for name in ("publisher", "offer", "sku", "exactVersion"))
        return str(source.get("imageId") or source.get("exactVersion") or source.get("imageVersionId"))


def completed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a new image template with what the service adds and without what it drops."""
    made = copy.deepcopy(dict(properties))
    source = made["source"]
    source.pop("exactVersion", None)
    if source["type"] == "PlatformImage":
        source["exactVersion"] = source["version"]
    made["source"] = _sorted(source)
    if "customize" in made:
        made["customize"] = [without_empty_checksum(step) for step in made["customize"]]
    made["distribute"] = [completed_distributor(distributor) for distributor in made["distribute"]]
    made.setdefault("buildTimeoutInMinutes", 0)
    if "vmProfile" in made:
        made["vmProfile"] = {"vmSize": "", "osDiskSizeGB": 0, **made["vmProfile"]}
    made["stagingResourceGroup"] = made.get("stagingResourceGroup", "")
    return made


def completed_distributor(distributor: Mapping[str, Any]) -> dict[str, Any]:
    """Return a distributor with the members that the service adds."""
    made = {"artifactTags": {}, **distributor}
    if made["type"] == "SharedImage":
        made.setdefault("excludeFromLatest", False)
        made.setdefault("versioning", None)
    return _sorted(made)


def without_empty_checksum(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return a customizer or validator as the service keeps it."""
    return {name: value for name, value in step.items() if name != "sha256Checksum" or value}


def render(
    image_template: ImageTemplate, api_version: str, last_run_status: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the image template as an answer shows it; the caller's api-version decides the shape."""
    resource_id = image_template.image_template_id
    properties = {"properties": _rendered_properties(image_template, api_version, last_run_status)}
    is_shown = bool(image_template.identity) and api_version >= THIRD_PREVIEW
    identity = {"identity": copy.deepcopy(image_template.identity)} if is_shown else {}
    placed = {"location": image_template.location}
    tags = {"tags": dict(image_template.tags)}
    named = {"id": resource_id.write("resourcegroups"), "name": resource_id.name, "type": RESOURCE_TYPE}
    if api_version < TAGS_BEFORE_ID_SINCE:
        return {**properties, **identity, **named, **placed, **tags}
    return {**properties, **identity, **tags, **placed, **named}


def _rendered_properties(
    image_template: ImageTemplate, api_version: str, last_run_status: Mapping[str, Any] | None
) -> dict[str, Any]:
    group_id = image_template.staging_group_id
    group = "" if group_id is None else group_id.write()
    kept = shown({**image_template.properties, "exactStagingResourceGroup": group}, PROPERTIES, api_version)
    before = ("source", "customize", "optimize", "validate", "distribute", "errorHandling")
    after = ("buildTimeoutInMinutes", "vmProfile", "additionalDataDisks", "stagingResourceGroup")
    last = ("exactStagingResourceGroup", "managedResourceTags", "autoRun")
    rendered = {name: kept[name] for name in before if name in kept}
    rendered["provisioningState"] = PUBLIC_STATES[image_template.state]
    if image_template.provisioning_error is not None:
        rendered["provisioningError"] = dict(image_template.provisioning_error)
    if last_run_status is not None:
        rendered["lastRunStatus"] = dict(last_run_status)
    rendered.update({name: kept[name] for name in (*after, *last) if name in kept})
    return rendered


def run_output_body(image_template_id: ResourceId, run_output: Mapping[str, Any]) -> dict[str, Any]:
    """Return one run output as an answer shows it.

    :param run_output: its `name`, and `artifactId` or `artifactUri`
    """
    name = run_output["name"]
    artifact = {member: run_output[member] for member in ("artifactId", "artifactUri") if member in run_output}
    return {
        "properties": {**artifact, "provisioningState": "Succeeded"},
        "id": f"{image_template_id.write('resourcegroups')}/runOutputs/{name}",
        "name": name,
        "type": RUN_OUTPUT_TYPE,
    }


def _sorted(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in sorted(document)}

"""An image template's own triggers: what they look like, which may be put, and when a source is newer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.arm.time_format import nanoseconds_text
from aib_emulator.arm.versions import version_order
from aib_emulator.services.image_builder.refusal import bad_value, missing_field, rule_broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from aib_emulator.arm.operations import Operation

PLACE = "ImageTemplate.triggers.properties"
SOURCE_IMAGE = "SourceImage"
LATEST = "latest"
PUBLIC_STATES = {"creating": "Creating", "provisioned": "Succeeded", "deleting": "Deleting"}
ACTIVE = {"code": "Healthy", "message": "Trigger is active"}
OFF = {"code": "Inactive", "message": "Trigger is inactive after several consecutive failed builds"}
"""Unknown; said on demand of one that was switched off."""


@dataclass
class ImageTemplateTrigger:
    """Keep one trigger.

    :param name: as it was first written
    :param kind: `SourceImage`
    :param seen: the newest version of the source that it need not fire for any more
    :param state: `creating`, `provisioned` or `deleting`
    :param active_since: when it was created
    :param creation: the operation that created it
    :param deletion: the operation that is deleting it
    """

    name: str
    kind: str
    seen: str = ""
    state: str = "creating"
    active_since: datetime | None = None
    creation: Operation | None = None
    deletion: Operation | None = None


def trigger_body(
    image_template_id: ResourceId, trigger: ImageTemplateTrigger, *, shows_off: bool = False
) -> dict[str, Any]:
    """Return a trigger as answers show it; its status appears once it is active.

    :param shows_off: whether to say that it is switched off
    """
    properties: dict[str, Any] = {"kind": trigger.kind, "provisioningState": PUBLIC_STATES[trigger.state]}
    if trigger.active_since is not None:
        properties["status"] = {**(OFF if shows_off else ACTIVE), "time": nanoseconds_text(trigger.active_since)}
    return {
        "properties": properties,
        "id": f"{image_template_id.write('resourcegroups')}/triggers/{trigger.name}",
        "name": trigger.name,
        "type": f"{image_template_id.resource_type}/triggers",
    }


def check_kind(properties: Mapping[str, Any], known: ImageTemplateTrigger | None) -> str:
    """Return the kind that was sent, or refuse it."""
    kind = properties.get("kind")
    if kind is None:
        raise missing_field(PLACE, "kind")
    if kind != SOURCE_IMAGE or (known is not None and known.kind != kind):
        raise bad_value(PLACE, "kind", kind)
    return SOURCE_IMAGE


def check_source(source: Mapping[str, Any]) -> None:
    """Refuse an image template whose source cannot become newer."""
    if source["type"] == "PlatformImage":
        is_latest = source["version"].lower() == LATEST
    else:
        is_latest = source["type"] == "SharedImageVersion" and _name(source["imageVersionId"]) == LATEST
    if not is_latest:
        raise rule_broken(
            f"A trigger of kind '{SOURCE_IMAGE}' needs as source a platform image or a gallery image "
            "with version 'latest'."
        )


def check_distributors(source: Mapping[str, Any], distribute: Iterable[Mapping[str, Any]]) -> None:
    """Refuse an image template that would write one version again and again, or feed itself."""
    source_definition = _definition(source.get("imageVersionId") or "")
    for distributor in distribute:
        text = distributor.get("galleryImageId") or ""
        if "/versions/" in text.lower():
            raise rule_broken(
                f"A trigger of kind '{SOURCE_IMAGE}' needs gallery distributors without a version, "
                f"and '{distributor['runOutputName']}' has one."
            )
        if text and _definition(text) == source_definition:
            raise rule_broken(
                f"A trigger of kind '{SOURCE_IMAGE}' needs an image definition to distribute to "
                f"that is not the source's, and '{distributor['runOutputName']}' has the same."
            )


def check_number(in_image_template: int, in_region: int, most: int) -> None:
    """Refuse one trigger too many.

    :param most: how many a region may have
    """
    if in_image_template:
        raise rule_broken(f"An image template has one trigger of kind '{SOURCE_IMAGE}' at most.")
    if in_region >= most:
        raise rule_broken(f"A subscription has {most} triggers in a region at most.")


def is_newer(version: str, seen: str) -> bool:
    """Whether a version, or a version's resource id, comes after another one."""
    return _order(version) > _order(seen)


def failed_in_a_row(run_states: Sequence[str]) -> int:
    """Return how many of the last runs have failed; a cancelled one neither counts nor interrupts."""
    count = 0
    for run_state in reversed(run_states):
        if run_state == "Failed":
            count += 1
        elif run_state != "Canceled":
            break
    return count


def failures_to_remember(run_states: Sequence[str], limit: int) -> list[str]:
    """Return what is to be remembered of the runs so far: those of the last ones that count, as far as the limit."""
    return ["Failed"] * min(failed_in_a_row(run_states), limit)


def _order(version: str) -> tuple[int, ...]:
    return version_order(version.rpartition("/")[2])


def _name(resource_id: str) -> str:
    return resource_id.rpartition("/")[2].lower()


def _definition(resource_id: str) -> str:
    if not resource_id:
        return ""
    parsed = ResourceId.parse(resource_id)
    return ResourceId(parsed.subscription_id, parsed.resource_group_name, parsed.namespace, parsed.path[:4]).key

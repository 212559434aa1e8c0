"""The forms that Azure resource ids must have."""

from __future__ import annotations

import re

_SEGMENT = r"[^/\s<>{}]+"
RESOURCE_GROUP = "Microsoft.Resources/resourceGroups"


def is_resource_id(text: str, resource_type: str) -> bool:
    """Whether a text is the id of a resource of the type.

    :param resource_type: as `Microsoft.Compute/galleries/images`
    """
    group = rf"/subscriptions/{_SEGMENT}/resourceGroups/{_SEGMENT}"
    if resource_type == RESOURCE_GROUP:
        return re.fullmatch(group, text, re.IGNORECASE) is not None
    provider, *types = resource_type.split("/")
    pairs = "".join(rf"/{re.escape(kind)}/{_SEGMENT}" for kind in types)
    return re.fullmatch(rf"{group}/providers/{re.escape(provider)}{pairs}", text, re.IGNORECASE) is not None


def expected_form(resource_type: str) -> str:
    """Give an example of the id, for messages."""
    group = "/subscriptions/<subscription>/resourceGroups/<group>"
    if resource_type == RESOURCE_GROUP:
        return group
    provider, *types = resource_type.split("/")
    return f"{group}/providers/{provider}" + "".join(f"/{kind}/<name>" for kind in types)


def image_definition_names(resource_id: str) -> tuple[str, str] | None:
    """Give gallery and image definition of an image definition's id; None when it is none."""
    if not is_resource_id(resource_id, "Microsoft.Compute/galleries/images"):
        return None
    *_, gallery, _, definition = resource_id.split("/")
    return gallery, definition

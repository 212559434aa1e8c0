"""The resources that must be there before an image template: `dependsOn`, resolved to resource ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.exceptions import ImageTemplateRenderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_aib.image_template.document import SiblingResource


def resolve_dependency(
    text: str,
    siblings: Sequence[SiblingResource],
    fill_in: Callable[[str], str],
    resource_group_id: str,
    source: str,
) -> str:
    """Give the resource id that a filled-in `dependsOn` item means.

    :param text: a resource id, `type/name`, a name, or a symbolic name
    :param siblings: resources of the same file
    :param fill_in: fills in a sibling's name; called only when it matters
    """
    if text.casefold().startswith("/subscriptions/"):
        return text
    provider, *rest = text.split("/")
    if "." in provider and rest and len(rest) % 2 == 0:
        types, names = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        return _resource_id(resource_group_id, "/".join([provider, *types]), "/".join(names))
    wanted = text.casefold()
    meant = [sibling for sibling in siblings if (sibling.symbolic_name or "").casefold() == wanted] or [
        sibling for sibling in siblings if fill_in(sibling.name).casefold() == wanted
    ]
    if len(meant) != 1:
        known = ", ".join(repr(sibling.symbolic_name or sibling.name) for sibling in siblings) or "none"
        raise ImageTemplateRenderError(
            f"{source}: dependsOn names {text!r}, which is {'more than one' if meant else 'no'} resource of the file "
            f"(there: {known})",
            hint="Write its resource id, as with resourceId('Microsoft.Compute/galleries', 'corp').",
        )
    return _resource_id(resource_group_id, meant[0].resource_type, fill_in(meant[0].name))


def _resource_id(resource_group_id: str, resource_type: str, name: str) -> str:
    provider, *types = resource_type.split("/")
    pairs = "/".join(f"{kind}/{part}" for kind, part in zip(types, name.split("/"), strict=False))
    return f"{resource_group_id}/providers/{provider}/{pairs}"

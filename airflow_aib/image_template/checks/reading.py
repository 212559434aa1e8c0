"""Ways to reach into a body that may have any shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.resource_id import expected_form, is_resource_id

if TYPE_CHECKING:
    from airflow_aib.image_template.render import RenderedImageTemplate


def properties_of(rendered: RenderedImageTemplate) -> Mapping[str, Any]:
    """Give the properties, empty where there is no object."""
    return mapping(rendered.body.get("properties"))


def mapping(value: Any) -> Mapping[str, Any]:
    """Give an object, empty where there is none: a wrong type is the members' affair."""
    return value if isinstance(value, Mapping) else {}


def objects(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the objects of a list, each with its path."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, Mapping):
            yield f"{path}/{index}", item


def check_id(owner: Mapping[str, Any], member: str, path: str, *resource_types: str) -> Iterator[Finding]:
    """Report a resource id that has none of the forms."""
    value = owner.get(member)
    if not isinstance(value, str) or not value or any(is_resource_id(value, one) for one in resource_types):
        return
    expected = " or ".join(expected_form(one) for one in resource_types)
    message = f"{value!r} is not the id of a resource of type {resource_types[0]}"
    # Galleries can be shared across tenants, and then have ids of their own kind.
    is_shared = value.casefold().startswith(("/sharedgalleries/", "/communitygalleries/"))
    hint = f"Expected: {expected}" + (". There are spaces in it." if " " in value else "")
    yield (warning if is_shared else error)(f"{path}/{member}", "resource-id-form", message, hint)

"""Ways to reach into a body that may have any shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.finding import Finding, error, warning
from airflow_aib.image_template.pointers import child
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


def customizers_of(properties: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Give the customizers, each with its path."""
    return list(objects(properties.get("customize"), "/properties/customize"))


def validators_of(properties: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Give the validators, each with its path."""
    validations = mapping(properties.get("validate")).get("inVMValidations")
    return list(objects(validations, "/properties/validate/inVMValidations"))


def steps_of(properties: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Give customizers and validators in the order in which they run, each with its path."""
    return [*customizers_of(properties), *validators_of(properties)]


def distributors_of(properties: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Give the distributors, each with its path."""
    return list(objects(properties.get("distribute"), "/properties/distribute"))


def inline_of(step: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Give the inline texts of a step, each with its path."""
    inline = step.get("inline")
    for index, text in enumerate(inline if isinstance(inline, list) else ()):
        if isinstance(text, str):
            yield f"{path}/inline/{index}", text


def text_of(owner: Mapping[str, Any], member: str) -> str:
    """Give a text, empty where there is none."""
    value = owner.get(member)
    return value if isinstance(value, str) else ""


def texts_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Give every text inside a value, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts_in(item, child(path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts_in(item, f"{path}/{index}")


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

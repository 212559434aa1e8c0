from __future__ import annotations

import pytest

from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.hooks.resource_id import ResourceId, image_template_id, parse_image_template_id

VERSION = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/corp/images/base/versions/1.0.0"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/subscriptions/s/resourceGroups/g", ResourceId("s", "g")),
        (VERSION, ResourceId("s", "g", "Microsoft.Compute/galleries/images/versions", ("corp", "base", "1.0.0"))),
    ],
)
def test_ids_are_taken_apart_and_put_together(text: str, parts: ResourceId) -> None:
    """An id that was taken apart is put together as it was."""
    assert ResourceId.parse(text) == parts
    assert str(parts) == text


def test_the_service_may_spell_an_id_in_its_own_way() -> None:
    """`resourcegroups` in lower case, as the service writes it, and a slash at the end do not matter."""
    resource_id = parse_image_template_id(
        "/subscriptions/s/resourcegroups/g/providers/microsoft.virtualmachineimages/imagetemplates/base/"
    )

    assert (resource_id.resource_group_name, resource_id.name) == ("g", "base")


@pytest.mark.parametrize("text", ["", "base", "/subscriptions/s", "/subscriptions/s/resourceGroups/g/providers/a/b"])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Anything else is an error that shows the form."""
    with pytest.raises(ImageTemplateError, match="/providers/<namespace>"):
        ResourceId.parse(text)


def test_an_id_of_something_else_is_refused() -> None:
    """An image version is no image template."""
    with pytest.raises(ImageTemplateError, match="image template"):
        parse_image_template_id(VERSION)


def test_an_image_templates_id_is_made_of_its_names() -> None:
    """Subscription, resource group and name make the id."""
    made = image_template_id("s", "g", "base")

    assert made == "/subscriptions/s/resourceGroups/g/providers/Microsoft.VirtualMachineImages/imageTemplates/base"
    assert parse_image_template_id(made).name == "base"

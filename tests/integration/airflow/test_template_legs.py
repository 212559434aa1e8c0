"""Image templates created, replaced, saved and deleted, leg by leg: each end, in both modes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError, ImageTemplateInUseError, VhdCopyError
from airflow_aib.hooks.blob_file import BlobFile
from airflow_aib.hooks.storage_access import StorageAccess
from tests.integration.airflow.cloud import NAME
from tests.integration.airflow.tasks import BOTH_MODES, COPY, DELETE, create, task

if TYPE_CHECKING:
    from airflow_aib.hooks.image_builder import ImageTemplateService
    from tests.integration.airflow.cloud import Cloud
    from tests.integration.airflow.legs import Legs

TEMPLATE = f"imageTemplates/{NAME}$"


@pytest.fixture
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let creating and deleting take a moment only, also after a deferral."""
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__PROVISION_TIMEOUT", "0.3")
    monkeypatch.setattr("airflow_aib.operators.image_template.LAST_LOOKS", timedelta(seconds=0.1))


def plan_faults(cloud: Cloud) -> None:
    """Have the next looks fail in a row, each in another way that passes."""
    cloud.plan_fault(method="GET", path=TEMPLATE, status=500)
    cloud.plan_fault(method="GET", path=TEMPLATE, status=429, headers={"Retry-After": "0.1"})
    cloud.plan_fault(method="GET", path=TEMPLATE, action="reset")


@BOTH_MODES
def test_a_creation_that_takes_too_long_is_an_error(
    cloud: Cloud, legs: Legs, little_time: None, *, deferrable: bool
) -> None:
    """An image template that is not provisioned in time fails the task, which says how it stands."""
    del little_time
    cloud.emulator.control.set_scale(1)

    with pytest.raises(ArmRequestError, match=r"was not provisioned within.*Creating"):
        legs.run(create(cloud, deferrable=deferrable))

    assert len(legs.events) == int(deferrable)


def test_a_deferred_creation_bears_faults(cloud: Cloud, legs: Legs) -> None:
    """Looks of the triggerer that fail for a while do not end the wait."""
    cloud.emulator.control.set_scale(20)

    image_template_id = legs.run(create(cloud, deferrable=True), lambda: plan_faults(cloud))

    assert image_template_id == cloud.image_template_id
    assert [event["status"] for event in legs.events] == ["reached"]


def with_other_identity(cloud: Cloud) -> dict[str, Any]:
    """Write an image template whose identity is misspelt."""
    identity = f"{cloud.group_id}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/image-bilder"
    return {
        **cloud.image_template(),
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}},
    }


def test_nothing_is_deleted_for_an_identity_that_does_not_exist(cloud: Cloud, legs: Legs) -> None:
    """A replacement that Azure would certainly refuse is refused before the image template that stands is deleted."""
    cloud.create()

    with pytest.raises(ImageTemplateError, match=r"does not exist: .*/image-bilder"):
        legs.run(create(cloud, image_template=with_other_identity(cloud)))

    assert cloud.count("DELETE", f"imageTemplates/{NAME}") == 0


def test_identities_that_may_not_be_read_are_left_to_azure(cloud: Cloud, legs: Legs) -> None:
    """The look takes a right that nobody needs to have: without it Azure judges, and the error says what is gone."""
    cloud.create()
    cloud.plan_fault(method="GET", path="userAssignedIdentities/image-bilder$", status=403)

    with pytest.raises(ArmRequestError, match=r"FailedIdentityOperation.*has been deleted to be replaced"):
        legs.run(create(cloud, image_template=with_other_identity(cloud)))


@BOTH_MODES
def test_a_replacement_that_azure_cannot_take_in_says_that_the_old_one_is_gone(
    cloud: Cloud, legs: Legs, *, deferrable: bool
) -> None:
    """Also where the creation fails later, after a deferral too."""
    cloud.create()
    cloud.emulator.control.set_scale(20)
    cloud.plan_failure(kind="creation", code="ServerError", message="Internal error occurred.")
    other = cloud.image_template(buildTimeoutInMinutes=90)

    with pytest.raises(ArmRequestError, match=r"(?s)Internal error occurred.*has been deleted to be replaced"):
        legs.run(create(cloud, image_template=other, deferrable=deferrable))

    assert len(legs.events) == int(deferrable)


@BOTH_MODES
def test_what_it_depends_on_comes_first(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """An image template is submitted when the resources that its document names are there."""
    gallery = f"{cloud.group_id}/providers/Microsoft.Compute/galleries/corp"
    document = {**cloud.image_template(), "dependsOn": [gallery]}

    legs.run(create(cloud, image_template=document, deferrable=deferrable))

    calls = [f"{call['method']} {call['path'].split('?')[0]}" for call in cloud.emulator.control.requests()]
    assert calls.index(f"GET {gallery}") < calls.index(f"PUT {cloud.image_template_id}")


@BOTH_MODES
def test_what_it_depends_on_is_not_awaited_for_ever(
    cloud: Cloud, legs: Legs, little_time: None, monkeypatch: pytest.MonkeyPatch, *, deferrable: bool
) -> None:
    """While a resource is missing nothing is submitted, and the worker's wait for it has an end."""
    del little_time
    monkeypatch.setenv("AIRFLOW__AZURE_IMAGE_BUILDER__CANCEL_ALLOWANCE", "0")
    missing = f"{cloud.group_id}/providers/Microsoft.Compute/galleries/absent"
    document = {**cloud.image_template(), "dependsOn": [missing]}

    with pytest.raises(ArmRequestError, match=r"What had to come first .* took longer than"):
        legs.run(create(cloud, image_template=document, deferrable=deferrable))

    assert cloud.count("PUT", f"imageTemplates/{NAME}") == 0


@BOTH_MODES
def test_other_content_is_not_replaced_without_leave(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """With `replace=False` an image template of other content stays, and the error says in what it differs."""
    cloud.create()
    other = cloud.image_template(buildTimeoutInMinutes=90)

    with pytest.raises(ImageTemplateInUseError, match="other content: /properties/buildTimeoutInMinutes"):
        legs.run(create(cloud, image_template=other, replace=False, deferrable=deferrable))

    assert cloud.count("DELETE", f"imageTemplates/{NAME}") == 0


@BOTH_MODES
def test_replacing_cancels_a_run_only_when_told(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """A run that goes on keeps its image template, unless `cancel_running` gives it up."""
    cloud.create()
    cloud.emulator.control.set_scale(100)
    cloud.start_run()
    other = cloud.image_template(buildTimeoutInMinutes=90)

    with pytest.raises(ImageTemplateInUseError, match="a run goes on"):
        legs.run(create(cloud, image_template=other, deferrable=deferrable))
    legs.run(create(cloud, image_template=other, cancel_running=True, deferrable=deferrable))

    body = cloud.body()
    assert body is not None
    assert body["properties"]["buildTimeoutInMinutes"] == 90
    assert cloud.count("POST", "/cancel") == 1


@BOTH_MODES
def test_delete_bears_faults(cloud: Cloud, legs: Legs, *, deferrable: bool) -> None:
    """Looks that fail for a while, before the deletion or after, do not keep it from being seen."""
    cloud.create()
    cloud.emulator.control.set_scale(100)
    plan_faults(cloud)

    assert legs.run(task(DELETE, "delete", deferrable=deferrable), lambda: plan_faults(cloud)) is True
    assert cloud.body() is None


@BOTH_MODES
def test_a_deletion_that_takes_too_long_is_an_error(
    cloud: Cloud, legs: Legs, little_time: None, *, deferrable: bool
) -> None:
    """An image template that is not gone in time fails the task, which says how it stands."""
    del little_time
    cloud.create()
    cloud.emulator.control.set_scale(1)

    with pytest.raises(ArmRequestError, match=r"was not deleted within.*Deleting"):
        legs.run(task(DELETE, "delete", deferrable=deferrable))


@BOTH_MODES
@pytest.mark.parametrize(
    ("accepted", "refused"),
    [({}, "log"), ({"discard_vhds": True}, "log"), ({"discard_logs": True}, "VHD")],
    ids=["nothing", "vhds", "logs"],
)
def test_delete_loses_nothing_unasked(
    cloud: Cloud, legs: Legs, accepted: dict[str, Any], refused: str, *, deferrable: bool
) -> None:
    """Each loss is accepted by its own argument; a task that is refused does not defer."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.start_run()
    cloud.finish_run()

    with pytest.raises(ImageTemplateInUseError, match=refused):
        legs.run(task(DELETE, "delete", deferrable=deferrable, **accepted))

    assert legs.events == []
    assert cloud.count("DELETE", f"imageTemplates/{NAME}") == 0


def spoil(cloud: Cloud, url: str) -> None:
    """Change a page of a VHD that was copied."""

    async def write(service: ImageTemplateService) -> None:
        address = service.clients.settings.cloud.blob_address(url)
        copy = BlobFile(StorageAccess(service.clients, address.account_url), address)
        await copy.client.upload_page(b"\xff" * 512, offset=0, length=512)

    cloud.call(write)


def test_a_vhd_is_overwritten_only_when_told(cloud: Cloud, legs: Legs) -> None:
    """Other content under the same name stays, unless `overwrite` gives it up."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.start_run()
    cloud.finish_run()
    (first,) = legs.run(task(COPY, "copy", destination="imagestore/images/vhds"))
    spoil(cloud, first["destination"])

    with pytest.raises(VhdCopyError, match="other content"):
        legs.run(task(COPY, "copy", destination="imagestore/images/vhds"))
    (again,) = legs.run(task(COPY, "copy", destination="imagestore/images/vhds", overwrite=True))

    assert (again["destination"], again["sha256"]) == (first["destination"], first["sha256"])
    assert again["copied_bytes"] == first["copied_bytes"] > 0

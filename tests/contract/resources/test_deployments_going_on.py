from __future__ import annotations

from typing import TYPE_CHECKING, Any

import azure.mgmt.resource.deployments
import azure.mgmt.resource.deployments.aio
import pytest

from tests.contract.raw_arm import RawArm
from tests.contract.resources.documents import asked, document, golden_image, identity, image_template
from tests.contract.sdk_clients import GROUP, done, finished, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

DEPLOYMENT = "/providers/Microsoft.Resources/deployments/first"


@pytest.fixture
def deployments(cloud: Cloud) -> Any:
    """Return the calls about deployments."""
    return cloud._manager(
        azure.mgmt.resource.deployments.DeploymentsMgmtClient,
        azure.mgmt.resource.deployments.aio.DeploymentsMgmtClient,
    ).deployments


async def test_a_deployment_is_replaced(cloud: Cloud, deployments: Any) -> None:
    """The same name once more makes another deployment, and the first one's operation still tells how that ended."""
    cloud.thread.control.plan_failure(kind="creation", image_template="golden")
    body = asked(document(identity("mine"), image_template("golden")))
    first = await done(deployments.begin_create_or_update(GROUP, "first", body, polling=False))
    cloud.thread.control.advance(60)
    url = first._polling_method._initial_response.http_response.headers["Azure-AsyncOperation"]
    await finished(deployments.begin_create_or_update(GROUP, "first", asked(document())))
    answer = await cloud.get_json(url)
    assert (answer["status"], answer["error"]["code"]) == ("Failed", "DeploymentFailed")
    assert (await done(deployments.get(GROUP, "first"))).properties.provisioning_state == "Succeeded"
    assert (await cloud.get(url.replace("operationStatuses/", "operationStatuses/0"))).status_code == 404


async def test_cancel_and_delete(cloud: Cloud, deployments: Any) -> None:
    """A deployment that goes on is not replaced or deleted; a cancelled one puts nothing more and can be deleted."""
    cloud.thread.control.set_scale(0)
    body = asked(golden_image(), name="golden")
    poller = await done(deployments.begin_create_or_update(GROUP, "first", body, polling=False))
    del poller
    cloud.thread.control.advance(1)
    assert (await done(deployments.get(GROUP, "first"))).properties.provisioning_state == "Running"
    with refused("DeploymentActive", status=409):
        await done(deployments.begin_create_or_update(GROUP, "first", body))
    with refused("DeploymentActive", status=409):
        await done(deployments.begin_delete(GROUP, "first"))
    await done(deployments.cancel(GROUP, "first"))
    cloud.thread.control.advance(60)
    assert (await done(deployments.get(GROUP, "first"))).properties.provisioning_state == "Canceled"
    with refused("DeploymentCannotBeCancelled", status=409):
        await done(deployments.cancel(GROUP, "first"))
    await finished(deployments.begin_delete(GROUP, "first"))
    with refused("DeploymentNotFound", status=404):
        await done(deployments.get(GROUP, "first"))


def test_a_deployment_ends_with_its_group(emulator: EmulatorThread) -> None:
    """A deployment to a group that is deleted meanwhile puts nothing more, and is gone with it."""
    raw = RawArm(emulator)
    raw.send("PUT", "/resourceGroups/other", {"location": "eastus"})
    emulator.control.set_scale(0)
    after = identity("after", dependsOn=["golden"])
    body = asked(document(identity("mine"), image_template("golden"), after))
    assert raw.send("PUT", f"/resourceGroups/other{DEPLOYMENT}", body).status_code == 201
    emulator.control.advance(1)
    assert raw.send("GET", f"/resourceGroups/other{DEPLOYMENT}").json()["properties"]["provisioningState"] == "Running"
    raw.send("DELETE", "/resourceGroups/other")
    emulator.control.advance(60)
    raw.send("PUT", "/resourceGroups/other", {"location": "eastus"})
    assert raw.send("GET", "/resourceGroups/other/resources").json()["value"] == []
    assert raw.send("GET", f"/resourceGroups/other{DEPLOYMENT}").status_code == 404

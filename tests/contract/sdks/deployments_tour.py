"""Calls through the SDK of deployments: each operation that is served, for a group and for the subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.resources.documents import asked, document, identity, image_template
from tests.contract.sdk_clients import GROUP, done, every
from tests.contract.sdks.tour import CLIENTS, GROUP_ID, Step

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud


def whole(body: dict[str, Any]) -> dict[str, Any]:
    """Return a deployment to the subscription, with this document for the start world's group inside."""
    inside = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inside",
        "resourceGroup": GROUP,
        "properties": {"expressionEvaluationOptions": {"scope": "inner"}, **asked(body)["properties"]},
    }
    return {"location": "eastus", **asked(document(inside))}


def slow(name: str) -> dict[str, Any]:
    """Return a document that takes as long as the creation of its image template."""
    return document(identity("mine"), image_template(name))


SMALL = document(identity("mine"))
DEPLOYMENTS = (
    Step("deployments", "deployments.begin_validate", (GROUP, "first", asked(SMALL))),
    Step("deployments", "deployments.begin_what_if", (GROUP, "first", asked(SMALL))),
    Step("deployments", "deployments.begin_create_or_update", (GROUP, "first", asked(SMALL))),
    Step("deployments", "deployments.check_existence", (GROUP, "first")),
    Step("deployments", "deployments.get", (GROUP, "first")),
    Step("deployments", "deployments.list_by_resource_group", (GROUP,)),
    Step("deployments", "deployments.export_template", (GROUP, "first")),
    Step("deployments", "deployment_operations.list", (GROUP, "first")),
    Step("deployments", "deployments.begin_validate_at_subscription_scope", ("whole", whole(SMALL))),
    Step("deployments", "deployments.begin_what_if_at_subscription_scope", ("whole", whole(SMALL))),
    Step(
        "deployments",
        "deployments.begin_create_or_update_at_subscription_scope",
        ("whole", whole(SMALL)),
    ),
    Step("deployments", "deployments.check_existence_at_subscription_scope", ("whole",)),
    Step("deployments", "deployments.get_at_subscription_scope", ("whole",)),
    Step("deployments", "deployments.list_at_subscription_scope"),
    Step("deployments", "deployments.export_template_at_subscription_scope", ("whole",)),
    Step("deployments", "deployment_operations.list_at_subscription_scope", ("whole",)),
)
AFTERWARDS = (
    Step("deployments", "deployments.begin_delete", (GROUP, "first")),
    Step("deployments", "deployments.begin_delete_at_subscription_scope", ("whole",)),
)
APART = (
    Step("deployments", "deployment_operations.get"),
    Step("deployments", "deployment_operations.get_at_subscription_scope"),
    Step("deployments", "deployments.cancel"),
    Step("deployments", "deployments.cancel_at_subscription_scope"),
)
"""What `look_at_operations` and `cancel_deployments` call."""


async def look_at_operations(cloud: Cloud) -> None:
    """Read one operation of the deployments of the tour, by the ids that the lists tell."""
    operations = cloud._manager(*CLIENTS["deployments"]).deployment_operations
    (first, *_) = await every(operations.list(GROUP, "first"))
    assert (await done(operations.get(GROUP, "first", first.operation_id))).id == first.id
    (first, *_) = await every(operations.list_at_subscription_scope("whole"))
    assert (await done(operations.get_at_subscription_scope("whole", first.operation_id))).id == first.id
    (first, *_) = await every(operations.list_at_scope(GROUP_ID, "first"))
    assert (await done(operations.get_at_scope(GROUP_ID, "first", first.operation_id))).id == first.id


async def cancel_deployments(cloud: Cloud) -> None:
    """Cancel deployments that certainly go on: the clock stands still while an image template is created."""
    deployments: Any = cloud._manager(*CLIENTS["deployments"]).deployments
    await done(deployments.begin_create_or_update(GROUP, "slow", asked(slow("one")), polling=False))
    await done(deployments.cancel(GROUP, "slow"))
    await done(deployments.begin_create_or_update_at_subscription_scope("slow", whole(slow("two")), polling=False))
    await done(deployments.cancel_at_subscription_scope("slow"))

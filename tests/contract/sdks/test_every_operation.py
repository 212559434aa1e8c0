"""Every operation of the SDKs that the emulator serves is called in both flavours, and no route is left out."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken

from aib_emulator.arm.route import Router
from tests.contract.sdk_clients import GROUP, done
from tests.contract.sdks.deployments_tour import (
    AFTERWARDS,
    APART,
    DEPLOYMENTS,
    cancel_deployments,
    look_at_operations,
)
from tests.contract.sdks.test_every_blob_method import ELSEWHERE
from tests.contract.sdks.tour import CLIENTS, IMAGE_TEMPLATE, TOUR, Step, carry_out, whole

if TYPE_CHECKING:
    from aib_emulator.arm.route import Route
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

ROOT = Path(__file__).parents[3]
CANCEL = Step("imagebuilder", "virtual_machine_image_templates.begin_cancel", (GROUP, "short"))
STEPS = (*TOUR, CANCEL, *DEPLOYMENTS, *APART, *AFTERWARDS)
OTHER_SCOPES = ("_at_management_group_scope", "_at_scope", "_at_tenant_scope")
"""Endings of operations for other places than a group and the subscription, or for these by their path."""
NOT_SERVED = {
    "deployments.deployments": ("calculate_template_hash",),
    "resources.resource_groups": ("begin_export_template",),
    "resources.providers": (
        "get_at_tenant_scope",
        "list_at_tenant_scope",
        "provider_permissions",
        "register_at_management_group_scope",
        "unregister",
    ),
    "resources.resources": (
        "begin_create_or_update",  # as by id, with the id in pieces
        "begin_delete",
        "begin_move_resources",
        "begin_update",
        "begin_validate_move_resources",
        "check_existence",
        "check_existence_by_id",
        "get",
    ),
    "storage.storage_accounts": (
        "begin_abort_hierarchical_namespace_migration",
        "begin_customer_initiated_migration",
        "begin_failover",
        "begin_hierarchical_namespace_migration",
        "begin_restore_blob_ranges",
        "get_customer_initiated_migration",
        "list_account_sas",
        "list_service_sas",
        "revoke_user_delegation_keys",
    ),
    "storage.blob_containers": (
        "begin_object_level_worm",
        "clear_legal_hold",
        "create_or_update_immutability_policy",
        "delete_immutability_policy",
        "extend_immutability_policy",
        "get_immutability_policy",
        "lease",
        "lock_immutability_policy",
        "set_legal_hold",
        "update",
    ),
    "compute.virtual_machine_images": ("list_by_edge_zone",),
}
"""Operations of the groups that are called at all which an image build does not need."""
RAW = {
    ("GET", "/metadata/endpoints"): "identity/test_sign_in.py::test_the_description_of_the_cloud",
    # The SDK keeps a tenant's description for as long as the process lives, and does not ask in every test.
    ("GET", "/{tenant}/v2.0/.well-known/openid-configuration"): (
        "identity/test_sign_in.py::test_the_description_of_a_tenant"
    ),
    ("GET", "/{tenant}/.well-known/openid-configuration"): "identity/test_sign_in.py::test_every_tenant_signs_in",
    ("GET", "/{tenant}/discovery/v2.0/keys"): "identity/test_sign_in.py::test_the_published_key_checks_tokens",
    ("POST", "/{tenant}/oauth2/token"): "identity/test_sign_in.py::test_tokens_are_for_what_was_asked",
    ("GET", "/v1.0/servicePrincipals"): "identity/test_directory.py::test_applications_and_identities_are_principals",
    ("GET", "/v1.0/servicePrincipals/{object_id}"): (
        "identity/test_directory.py::test_applications_and_identities_are_principals"
    ),
    ("POST", "/v1.0/directoryObjects/getByIds"): (
        "identity/test_directory.py::test_applications_and_identities_are_principals"
    ),
    ("GET", "/aliases.json"): "clients/test_az.py::test_marketplace",
    ("GET", "/tenants"): "resources/test_groups.py::test_subscriptions_tenants_and_locations",
    ("GET", "/subscriptions"): "resources/test_groups.py::test_subscriptions_tenants_and_locations",
    ("GET", "/subscriptions/{subscription_id}"): "resources/test_groups.py::test_subscriptions_tenants_and_locations",
    ("GET", "/subscriptions/{subscription_id}/locations"): (
        "resources/test_groups.py::test_subscriptions_tenants_and_locations"
    ),
    ("GET", "/providers/Microsoft.Authorization/roleDefinitions"): (
        "authorization/test_rights.py::test_roles_are_found_by_a_reader_of_a_group"
    ),
    ("GET", "/providers/Microsoft.Authorization/roleDefinitions/{role_id}"): (
        "authorization/test_roles.py::test_built_in_roles_are_found_without_a_subscription"
    ),
}
"""Routes that no operation of these SDKs asks for, and the test that does."""


class NoCredential:
    """A credential of nobody, for clients that call nothing."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        """Return a token that opens nothing."""
        return AccessToken("none", 0)


def served(emulator: EmulatorThread) -> dict[tuple[str, str], Route]:
    """Return every route but those of the control door."""
    routes = emulator.emulator._routes()
    return {(route.method, route.path): route for route in routes if not route.path.startswith("/_emulator")}


@pytest.mark.timeout(60)
async def test_every_operation_is_answered(cloud: Cloud) -> None:
    """No call of the tour fails, in no flavour; all that it asks for, with the raw tests, is all that is served."""
    control = cloud.thread.control
    control.set_scale(4000)
    await carry_out(cloud, (*TOUR, *DEPLOYMENTS))
    await look_at_operations(cloud)
    await carry_out(cloud, AFTERWARDS)
    await cancel_a_run(cloud)
    await cancel_deployments(cloud)
    router, asked = Router(served(cloud.thread).values()), set()
    for request in control.requests():
        if request["endpoint"] == "arm" and "azsdk-python" in request["client"]:
            route, _ = router.find(request["method"], request["path"])
            assert request["status"] < 400, request
            asked.add((route.method, route.path))
    assert sorted(set(served(cloud.thread)) - asked - set(RAW)) == []


async def cancel_a_run(cloud: Cloud) -> None:
    """Cancel a run that certainly goes on: the clock stands still."""
    client = cloud._manager(*CLIENTS["imagebuilder"])
    image_templates = client.virtual_machine_image_templates
    await whole(image_templates.begin_create_or_update(GROUP, "short", IMAGE_TEMPLATE))
    cloud.thread.control.set_scale(0)
    await done(image_templates.begin_run(GROUP, "short", polling=False))
    await whole(image_templates.begin_cancel(GROUP, "short"))
    shown = await done(image_templates.get(GROUP, "short"))
    assert shown.properties.last_run_status.run_state == "Canceling"


def operations_of(package: str, group: str) -> set[str]:
    """Return the operations of a group of an SDK."""
    plain, _ = CLIENTS[package]
    found = getattr(plain(NoCredential(), "s"), group)
    return {name for name in dir(found) if not name.startswith("_") and inspect.ismethod(getattr(found, name))}


@pytest.mark.parametrize(
    ("package", "group"), sorted({(step.package, step.operation.partition(".")[0]) for step in STEPS})
)
def test_no_operation_is_forgotten(package: str, group: str) -> None:
    """Each operation of a group is called, or listed as one that is not served; none is both."""
    steps = [step for step in STEPS if step.package == package and step.operation.startswith(f"{group}.")]
    called = {step.operation.partition(".")[2] for step in steps}
    not_served = set(NOT_SERVED.get(f"{package}.{group}", ()))
    offered = {
        name for name in operations_of(package, group) if package != "deployments" or not name.endswith(OTHER_SCOPES)
    }
    assert (sorted(called | not_served), called & not_served) == (sorted(offered), set())


@pytest.mark.parametrize("test_id", sorted({*RAW.values(), *ELSEWHERE.values()}))
def test_raw_tests_exist(test_id: str) -> None:
    """Each test that stands in for an SDK is there."""
    path, _, name = test_id.partition("::")
    tree = ast.parse((ROOT / "tests" / "contract" / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_raw_routes_are_served(emulator: EmulatorThread) -> None:
    """The list of raw tests names no route that there is not."""
    assert set(RAW) <= set(served(emulator))

from __future__ import annotations

from typing import Any

from aib_emulator.services.resources.deployments.evaluation import Scope
from aib_emulator.services.resources.deployments.place import Place
from aib_emulator.services.resources.deployments.plan import Plan, plan

PLACE = Place("s", "images")
GROUP = PLACE.path


def planned(*resources: dict[str, Any]) -> Plan:
    """Return the plan of these resources."""
    return plan({"resources": list(resources)}, Scope(functions={"resourceid": PLACE.resource_id}), PLACE)


def one(name: str, **members: Any) -> dict[str, Any]:
    """Return a resource."""
    return {"type": "Microsoft.A/ones", "apiVersion": "2024-01-01", "name": name, **members}


def test_order_follows_what_is_written() -> None:
    """Ids, names, and names of copy loops count as dependencies."""
    found = planned(
        one("last", dependsOn=["[resourceId('Microsoft.A/ones', 'middle')]"]),
        one("middle", dependsOn=["loop", "first"]),
        one("[format('turn{0}', copyIndex())]", copy={"name": "loop", "count": 2}),
        one("first"),
    )
    assert [resource.name for resource in found.resources] == ["turn0", "turn1", "first", "middle", "last"]


def test_symbolic_names_of_copies_have_indexes() -> None:
    """One turn of a loop is called by symbolic name and index, the whole loop by the symbolic name."""
    document = {
        "resources": {
            "after": one("after", tags={"id": "[reference(format('loop[{0}]', 1)).id]"}),
            "all": one("all", dependsOn=["loop"]),
            "loop": one("[format('turn{0}', copyIndex())]", copy={"name": "turns", "count": 2}),
        }
    }
    found = {resource.name: resource.depends_on for resource in plan(document, Scope(), PLACE).resources}
    assert {key.rpartition("/")[2] for key in found["after"]} == {"turn1"}
    assert {key.rpartition("/")[2] for key in found["all"]} == {"turn0", "turn1"}


def test_order_follows_what_is_asked() -> None:
    """Whoever refers to a resource waits for it, without saying so."""
    found = planned(one("second", tags={"id": "[reference('first').id]"}), one("first"))
    assert [resource.name for resource in found.resources] == ["first", "second"]


def test_what_is_sent_is_the_resource_alone() -> None:
    """Members that say how to deploy are no part of the body."""
    (resource,) = planned(one("a", condition=True, dependsOn=[], comments="x", location="eastus")).resources
    assert resource.body(resource.scope) == {"location": "eastus"}


def test_ids_of_extensions_and_other_places() -> None:
    """A resource may lie on another one, in another group, or directly in the subscription."""
    on = one("r", type="Microsoft.Authorization/roleAssignments", scope="Microsoft.A/ones/a")
    old_form = one("a/Microsoft.Authorization/r2", type="Microsoft.A/ones/providers/roleAssignments")
    found = planned(
        one("a"),
        on,
        old_form,
        one("b", resourceGroup="other"),
        one("new", type="Microsoft.Resources/resourceGroups"),
    )
    assert [resource.resource_id for resource in found.resources] == [
        f"{GROUP}/providers/Microsoft.A/ones/a",
        f"{GROUP}/providers/Microsoft.A/ones/a/providers/Microsoft.Authorization/roleAssignments/r",
        f"{GROUP}/providers/Microsoft.A/ones/a/providers/Microsoft.Authorization/roleAssignments/r2",
        "/subscriptions/s/resourceGroups/other/providers/Microsoft.A/ones/b",
        "/subscriptions/s/resourceGroups/new",
    ]


def test_inner_expressions_are_left_to_the_inner_deployment() -> None:
    """A nested document of scope `inner` is sent as it is written; its parameters are not."""
    properties = {
        "expressionEvaluationOptions": {"scope": "inner"},
        "parameters": {"a": {"value": "[concat('x', 'y')]"}},
        "template": {"resources": ["[parameters('a')]"]},
    }
    (resource,) = planned(one("d", type="Microsoft.Resources/deployments", properties=properties)).resources
    sent = resource.body(resource.scope)["properties"]
    assert sent["template"] == {"resources": ["[parameters('a')]"]}
    assert sent["parameters"] == {"a": {"value": "xy"}}

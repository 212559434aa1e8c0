from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aib_emulator.arm.authorization import place_of

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread

WITHOUT_ACTION = {
    "/tenants",
    "/subscriptions",
    "/v1.0/servicePrincipals",
    "/v1.0/servicePrincipals/{object_id}",
    "/v1.0/directoryObjects/getByIds",
}
"""Everybody who has signed in may ask for these."""
VERBS = {
    "GET": r".*/read",
    "HEAD": r".*/read",
    "PUT": r".*/write",
    "PATCH": r".*/write",
    "DELETE": r".*/delete",
    "POST": r".*/(action|read)",
}


def test_every_route_of_resource_manager_demands_an_action(emulator_thread: EmulatorThread) -> None:
    """No route with a token lacks its action, and the action's last word fits the method."""
    routes = [route for route in emulator_thread.emulator._routes() if route.needs_token]
    assert {route.path for route in routes if not route.action} == WITHOUT_ACTION
    wrong = [route for route in routes if route.action and not re.fullmatch(VERBS[route.method], route.action)]
    assert [(route.method, route.path, route.action) for route in wrong] == []


def test_an_action_names_the_type_in_the_path(emulator_thread: EmulatorThread) -> None:
    """The provider in the path of a resource is the one in the action."""
    routes = [route for route in emulator_thread.emulator._routes() if route.needs_token]
    named = {route: re.search(r"/providers/(Microsoft\.\w+)", route.path) for route in routes}
    providers = {route: found[1] for route, found in named.items() if found}

    assert len(set(providers.values())) > 5
    assert [route for route, provider in providers.items() if not route.action.startswith(f"{provider}/")] == []


def test_what_a_path_is_about() -> None:
    """A list is about what lies around it, an action about the resource before it."""
    image_template = "/subscriptions/s/resourceGroups/g/providers/Microsoft.VirtualMachineImages/imageTemplates/t"
    assert place_of(f"{image_template}/run") == image_template
    assert place_of(f"{image_template}/") == image_template
    assert place_of("/subscriptions/s/resourceGroups/") == "/subscriptions/s"
    assert place_of("/subscriptions/s/providers/Microsoft.Compute/images") == (
        "/subscriptions/s/providers/Microsoft.Compute"
    )

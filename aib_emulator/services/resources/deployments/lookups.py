"""What expressions ask of resources: `reference` and the `list...` functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.evaluation import Scope, questions
from aib_emulator.services.resources.deployments.plan import asks_for_resource
from aib_emulator.services.resources.deployments.syntax import ExpressionError
from aib_emulator.services.resources.resources import newest_api_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from aib_emulator.arm.call import Call
    from aib_emulator.services.resources.deployments.plan import Plan
    from aib_emulator.world import World

WHOLE = "full"


class Lookups:
    """Ask resources on behalf of whoever deploys.

    Expressions are evaluated at once, and resources are asked in between: so what an expression is going to ask is
    found beforehand.

    :param world: through which resources are asked
    :param call: the call that began the deployment
    """

    def __init__(self, world: World, call: Call) -> None:
        self._world = world
        self._call = call

    async def scope(self, value: Any, scope: Scope, plan: Plan) -> Scope:
        """Return a scope that knows the answer to whatever the expressions of `value` ask."""
        answers: dict[tuple[str, str], dict[str, Any] | ArmError] = {}
        names = {"reference"}
        for name, arguments in questions(value, scope, asks_for_resource):
            names.add(name)
            resource_id = plan.find(str(arguments[0]))
            answers[name, resource_id.lower()] = await self._answer(name, resource_id, arguments, plan)
        return scope.with_functions({name: _told(name, answers, plan) for name in names})

    async def get(self, resource_id: str, api_version: str) -> dict[str, Any]:
        """Return a resource, or raise what its service answers."""
        return await self._send("GET", resource_id, api_version)

    async def _answer(self, name: str, resource_id: str, arguments: list[Any], plan: Plan) -> dict[str, Any] | ArmError:
        api_version = str(arguments[1]) if len(arguments) > 1 else _api_version(resource_id, plan)
        try:
            if name == "reference":
                body = await self.get(resource_id, api_version)
                return {**body, "apiVersion": api_version, "resourceId": resource_id.partition("/providers/")[2]}
            return await self._send("POST", f"{resource_id}/{name}", api_version)
        except ArmError as error:
            return error

    async def _send(self, method: str, path: str, api_version: str) -> dict[str, Any]:
        call = replace(self._call, method=method, path=path, query={"api-version": api_version}, body=b"")
        return dict((await self._world.send(call)).body or {})


def _told(name: str, answers: dict[tuple[str, str], dict[str, Any] | ArmError], plan: Plan) -> Callable[..., Any]:
    def tell(called: str, _: str = "", form: str = "") -> Any:
        answer = answers.get((name, plan.find(called).lower()))
        if answer is None:
            raise ExpressionError(f"The template function '{name}' is not expected at this location.")
        if isinstance(answer, ArmError):
            raise answer
        return answer if name != "reference" or form.lower() == WHOLE else answer.get("properties", {})

    return tell


def _api_version(resource_id: str, plan: Plan) -> str:
    for resource in plan.resources:
        if resource.key == resource_id.lower():
            return resource.api_version
    return newest_api_version(resource_id)

"""The outputs of a deployment, once its resources are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aib_emulator.arm.errors import ArmError
from aib_emulator.services.resources.deployments.evaluation import COPY, evaluate, turns
from aib_emulator.services.resources.deployments.inputs import WRITTEN, written_type
from aib_emulator.services.resources.deployments.syntax import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.services.resources.deployments.evaluation import Scope

FAILED = "DeploymentOutputEvaluationFailed"


def read_outputs(written: Mapping[str, Any], scope: Scope) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the outputs that have a value, and an error for each that cannot be evaluated."""
    found: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []
    for name, output in written.items():
        try:
            if evaluate(output.get("condition", True), scope):
                found[name] = _output(name, output, scope)
        except (ExpressionError, ArmError) as error:
            reason = error.message if isinstance(error, ArmError) else str(error)
            message = f"The template output '{name}' is not valid: {reason}."
            errors.append({"code": FAILED, "target": name, "message": message})
    return found, errors


def outputs_failure(errors: list[dict[str, Any]]) -> str:
    """Say which outputs could not be evaluated."""
    names = ",".join(error["target"] for error in errors)
    return (
        f"Unable to evaluate template outputs: '{names}'. Please see error details and deployment operations. "
        "Please see https://aka.ms/arm-common-errors for usage details."
    )


def _output(name: str, output: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    word = written_type(output)
    if word in WRITTEN.values():
        return {"type": word}
    loop = output.get(COPY)
    if loop is None:
        return {"type": word, "value": evaluate(output.get("value"), scope)}
    values = [evaluate(loop.get("input"), turn) for turn in turns({"name": name, **loop}, scope)]
    return {"type": word, "value": values}

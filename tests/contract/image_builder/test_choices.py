"""Answers that nobody knows of the service: each of its values is given when it is chosen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aib_emulator.choices import CHOICES
from tests.contract.image_builder.calls import (
    IMAGE_TEMPLATES,
    ONE,
    TO_VHD,
    create,
    document,
    last_run_status,
    to_managed_image,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.raw_arm import RawArm

RUN = f"{ONE}/run"
CANCEL = f"{ONE}/cancel"
OF_THE_SUBSCRIPTION = "/providers/Microsoft.VirtualMachineImages/imageTemplates"
ORIGINAL = "x-ms-original-request-ids"
RUN_SECONDS = 500
TRIGGER = {"properties": {"kind": "SourceImage"}}


def invalid(raw: RawArm) -> str:
    """Put an image template without a source; tell the status."""
    answer = raw.send("PUT", ONE, document(raw.settings.subscription_id, source=None))
    assert answer.json()["error"]["code"] == "ValidationFailed"
    return str(answer.status_code)


def conflict(raw: RawArm) -> str:
    """Put an image template that exists; tell the status."""
    create(raw)
    answer = raw.send("PUT", ONE, document(raw.settings.subscription_id))
    assert answer.json()["error"]["code"] == "Conflict"
    return str(answer.status_code)


def not_allowed(raw: RawArm) -> str:
    """Delete an image template that is being created; tell the status."""
    raw.send("PUT", ONE, document(raw.settings.subscription_id))
    answer = raw.send("DELETE", ONE)
    assert answer.json()["error"]["code"] == "OperationNotAllowed"
    return str(answer.status_code)


def canceled_operation(raw: RawArm) -> str:
    """Cancel a run; tell how its operation ends."""
    create(raw)
    operation = raw.send("POST", RUN).headers["Azure-AsyncOperation"]
    raw.send("POST", CANCEL)
    raw.thread.control.advance(RUN_SECONDS)
    assert last_run_status(raw)["runState"] == "Canceled"
    body = raw.send("GET", operation).json()
    assert ("error" in body) == (body["status"] != "Succeeded")
    return str(body["status"])


def partial_operation(raw: RawArm) -> str:
    """Let one of two distributors fail; tell how the run's operation ends."""
    subscription_id = raw.settings.subscription_id
    create(raw, distribute=[to_managed_image(subscription_id), TO_VHD])
    raw.thread.control.plan_failure(kind="partial", index=0)
    operation = raw.send("POST", RUN).headers["Azure-AsyncOperation"]
    raw.thread.control.advance(2 * RUN_SECONDS)
    assert last_run_status(raw)["runState"] == "PartiallySucceeded"
    body = raw.send("GET", operation).json()
    assert ("error" in body) == (body["status"] == "Failed")
    return str(body["status"])


def location_of_a_run(raw: RawArm) -> str:
    """Tell the status at `Location` before the end; the other address answers 200 all the time, both at the end."""
    create(raw)
    headers = raw.send("POST", RUN).headers
    found = raw.send("GET", headers["Location"]).status_code
    assert raw.send("GET", headers["Azure-AsyncOperation"]).status_code == 200
    raw.thread.control.advance(RUN_SECONDS)
    assert raw.send("GET", headers["Location"]).status_code == 200
    return str(found)


def patched(raw: RawArm) -> str:
    """Patch the VM profile; tell whether there is an operation, which ends. A PATCH of tags has none."""
    create(raw)
    assert raw.send("PATCH", ONE, {"tags": {"a": "b"}}).status_code == 200
    answer = raw.send("PATCH", ONE, {"properties": {"vmProfile": {"vmSize": "Standard_D4s_v5"}}})
    assert raw.send("GET", ONE).json()["properties"]["vmProfile"]["vmSize"] == "Standard_D4s_v5"
    if answer.status_code == 200:
        return "done"
    address = answer.headers["Azure-AsyncOperation"]
    before = raw.send("GET", address).json()["status"]
    raw.thread.control.advance(5)
    after = raw.send("GET", address).json()["status"]
    assert (answer.status_code, answer.content, before, after) == (202, b"", "InProgress", "Succeeded")
    return "polled"


def idle_cancel(raw: RawArm) -> str:
    """Cancel an image template that was never run."""
    create(raw)
    answer = raw.send("POST", CANCEL)
    assert "lastRunStatus" not in raw.send("GET", ONE).json()["properties"]
    return {204: "accepted", 405: "refused"}[answer.status_code]


def second(raw: RawArm, method: str, path: str) -> str:
    """Send the same twice; tell whether the second is told the operation of the first."""
    create(raw)
    first, again = raw.send(method, path), raw.send(method, path)
    assert first.status_code == 202
    if again.status_code == 405:
        return "refused"
    assert (again.status_code, again.headers["x-ms-request-id"]) == (202, first.headers["x-ms-request-id"])
    return "joined"


def second_trigger(raw: RawArm) -> str:
    """Put a trigger twice; tell whether the second is answered with what there is."""
    create(raw)
    first = raw.send("PUT", f"{ONE}/triggers/t", TRIGGER)
    raw.thread.control.advance(5)
    again = raw.send("PUT", f"{ONE}/triggers/t", TRIGGER)
    assert first.status_code == 201
    assert again.status_code == 200 or again.json()["error"]["code"] == "Conflict"
    return {200: "joined", 409: "refused"}[again.status_code]


def outputs_meanwhile(raw: RawArm) -> str:
    """Run twice; tell which run outputs there are at the beginning of the second run."""
    create(raw)
    raw.send("POST", RUN)
    raw.thread.control.advance(RUN_SECONDS)
    assert len(raw.send("GET", f"{ONE}/runOutputs").json()["value"]) == 1
    raw.send("POST", RUN)
    return "previous" if raw.send("GET", f"{ONE}/runOutputs").json()["value"] else "new"


def missing_output(raw: RawArm) -> str:
    """Ask for a run output that there is not; tell the code."""
    create(raw)
    answer = raw.send("GET", f"{ONE}/runOutputs/nothing")
    assert answer.status_code == 404
    return str(answer.json()["error"]["code"])


def cancel_status(raw: RawArm) -> str:
    """Cancel a run; tell the status. Only 202 has an operation, which ends with the run."""
    create(raw)
    raw.send("POST", RUN)
    answer = raw.send("POST", CANCEL)
    operation = answer.headers.get("Azure-AsyncOperation")
    assert (operation is not None, answer.content) == (answer.status_code == 202, b"")
    seen = [last_run_status(raw)["runState"], operation and raw.send("GET", operation).json()["status"]]
    raw.thread.control.advance(RUN_SECONDS)
    seen += [last_run_status(raw)["runState"], operation and raw.send("GET", operation).json()["status"]]
    assert seen == ["Canceling", operation and "InProgress", "Canceled", operation and "Succeeded"]
    return str(answer.status_code)


def failed_creation(raw: RawArm) -> str:
    """Fail a creation; tell where its operation has the error. The image template has it in either case."""
    raw.thread.control.plan_failure(kind="creation", code="BadPIRSource", message="because")
    operation = raw.send("PUT", ONE, document(raw.settings.subscription_id)).headers["Azure-AsyncOperation"]
    raw.thread.control.advance(60)
    error, inner = raw.send("GET", operation).json()["error"], {"code": "BadPIRSource", "message": "because"}
    shown = raw.send("GET", ONE).json()["properties"]["provisioningError"]
    assert shown == {"message": "because", "provisioningErrorCode": "BadPIRSource"}
    if error == inner:
        return "plain"
    assert (error["code"], error["details"]) == ("ResourceDeploymentFailure", [inner])
    return "nested"


def status_of_a_trigger_that_is_off(raw: RawArm) -> str:
    """Switch a trigger off by failures; tell whether its status says so. A run by hand that succeeds mends it."""
    create(raw)
    raw.send("PUT", f"{ONE}/triggers/t", TRIGGER)
    raw.thread.control.advance(5)
    raw.thread.control.plan_failure(kind="customizer", count=raw.settings.trigger_failure_limit)
    codes = []
    for _ in range(raw.settings.trigger_failure_limit + 1):
        codes.append(raw.send("GET", f"{ONE}/triggers/t").json()["properties"]["status"]["code"])
        assert raw.send("GET", f"{ONE}/triggers").json()["value"][0]["properties"]["status"]["code"] == codes[-1]
        raw.send("POST", RUN)
        raw.thread.control.advance(RUN_SECONDS)
    assert last_run_status(raw)["runState"] == "Succeeded"
    codes.append(raw.send("GET", f"{ONE}/triggers/t").json()["properties"]["status"]["code"])
    assert {*codes[:-2], codes[-1]} == {"Healthy"}
    return {"Healthy": "unchanged", "Inactive": "reported"}[codes[-2]]


def staging_tags(raw: RawArm) -> str:
    """Create with a staging group of the service and with a given one; tell who is said to have made or to use it."""
    subscription = f"/subscriptions/{raw.settings.subscription_id}"
    raw.send("PUT", "/resourceGroups/lent", {"location": "eastus"})
    create(raw)
    create(raw, "other", stagingResourceGroup=f"{subscription}/resourceGroups/lent")
    found = []
    for path, tag in ((ONE, "createdBy"), (f"{IMAGE_TEMPLATES}/other", "usedBy")):
        group = raw.send("GET", raw.send("GET", path).json()["properties"]["exactStagingResourceGroup"]).json()
        value = group["tags"][tag].lower()
        found.append({"azurevmimagebuilder": "service", f"{subscription}{path}".lower(): "id"}[value])
    (value,) = set(found)
    return value


def sub_states(raw: RawArm) -> str:
    """Look at a run every five seconds; tell whether states show that were never recorded."""
    validator = {"type": "Shell", "name": "v", "inline": ["true"]}
    create(raw, optimize={"vmBoot": {"state": "Enabled"}}, validate={"inVMValidations": [validator]})
    raw.send("POST", RUN)
    seen: list[str | None] = []
    for _ in range(120):
        sub_state = last_run_status(raw).get("runSubState")
        if sub_state not in seen[-1:]:
            seen.append(sub_state)
        raw.thread.control.advance(5)
    every = ["Queued", "Building", "Customizing", "Optimizing", "Validating", "Distributing", None]
    return {tuple(every): "all", ("Queued", "Building", "Distributing", None): "recorded"}[tuple(seen)]


def system_data(raw: RawArm) -> str:
    """Tell whether an image template shows when it was made; an old api-version never does."""
    create(raw)
    assert "systemData" not in raw.send("GET", ONE, api_version="2023-07-01").json()
    return "shown" if "systemData" in raw.send("GET", ONE).json() else "absent"


def form_of_lists(raw: RawArm) -> str:
    """Tell how a list of image templates is written, and that one of them is always written as the service writes."""
    create(raw)
    lists = [raw.send("GET", path) for path in (IMAGE_TEMPLATES, OF_THE_SUBSCRIPTION)]
    assert json.dumps(json.loads(raw.send("GET", ONE).text), indent=1) == raw.send("GET", ONE).text
    (form,) = {(list_.headers["Content-Type"], list_.text[1], ORIGINAL in list_.headers) for list_ in lists}
    return {
        ("application/json; charset=utf-8", '"', True): "compact",
        ("application/json", "\n", False): "indented",
    }[form]


def link_of_run_outputs(raw: RawArm) -> str:
    """Tell whether the link to the second page is a whole address; it leads there in either form."""
    names = [f"disk{number}" for number in range(3)]
    create(raw, distribute=[{**TO_VHD, "runOutputName": name} for name in names])
    raw.send("POST", RUN)
    raw.thread.control.advance(2 * RUN_SECONDS)
    first = raw.send("GET", f"{ONE}/runOutputs").json()
    second = raw.send("GET", first["nextLink"]).json()
    assert [output["name"] for output in (*first["value"], *second["value"])] == names
    return "absolute" if first["nextLink"].startswith(raw.url) else "relative"


TOLD: dict[str, Callable[[RawArm], str]] = {
    "validation-failed-status": invalid,
    "conflict-status": conflict,
    "operation-not-allowed-status": not_allowed,
    "canceled-run-operation": canceled_operation,
    "partial-run-operation": partial_operation,
    "location-while-running": location_of_a_run,
    "patch": patched,
    "idle-cancel": idle_cancel,
    "cancel-status": cancel_status,
    "failed-creation-operation": failed_creation,
    "trigger-off-status": status_of_a_trigger_that_is_off,
    "staging-tags": staging_tags,
    "second-run": lambda raw: second(raw, "POST", RUN),
    "second-delete": lambda raw: second(raw, "DELETE", ONE),
    "second-trigger": second_trigger,
    "run-outputs-while-running": outputs_meanwhile,
    "run-output-not-found": missing_output,
    "run-outputs-link": link_of_run_outputs,
    "run-sub-states": sub_states,
    "list-form": form_of_lists,
    "system-data": system_data,
}
"""By choice: do what shows it, and tell its value."""


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in CHOICES for value in CHOICES[name].values])
def test_what_is_chosen_is_answered(raw: RawArm, name: str, value: str) -> None:
    """Every value of every choice can be had, and shows."""
    raw.thread.control.choose(**{name: value})
    assert TOLD[name](raw) == value


@pytest.mark.parametrize("name", CHOICES)
def test_the_usual_value_needs_no_word(raw: RawArm, name: str) -> None:
    """Without any choice the first value is answered; a reset brings it back."""
    raw.thread.control.choose(**{name: CHOICES[name].values[-1]})
    raw.thread.control.reset()
    raw.thread.control.set_scale(0)
    assert TOLD[name](raw) == CHOICES[name].usual


@pytest.mark.parametrize("wrong", [{"second-walk": "joined"}, {"second-run": "granted"}, {"second-run": ["refused"]}])
def test_a_choice_that_there_is_not_is_refused(raw: RawArm, wrong: dict[str, Any]) -> None:
    """The answer lists what there is, and nothing has changed."""
    before = raw.send("GET", "/_emulator/choices").json()
    answer = raw.send("PUT", "/_emulator/choices", wrong)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidChoice")
    assert raw.send("GET", "/_emulator/choices").json() == before

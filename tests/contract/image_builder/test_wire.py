"""What goes over the wire, beside the SDKs: facts of the recordings, as literals."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.image_builder.calls import (
    IMAGE_TEMPLATES,
    NAME,
    ONE,
    TO_VHD,
    create,
    document,
    last_run_status,
    to_gallery,
)

if TYPE_CHECKING:
    from tests.contract.raw_arm import RawArm

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
RUN = f"{ONE}/run"
CANCEL = f"{ONE}/cancel"


def put(raw: RawArm, **properties: Any) -> Any:
    """Put an image template and return the answer."""
    return raw.send("PUT", ONE, document(raw.settings.subscription_id, **properties))


def test_a_put_answers_201_with_one_address(raw: RawArm) -> None:
    """An Azure-AsyncOperation, no Location, no Retry-After, and the operation's id as request id."""
    answer = put(raw)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    operation = answer.headers["Azure-AsyncOperation"]
    assert not {"Location", "Retry-After", "Server"} & set(answer.headers)
    assert f"/locations/eastus/operations/{answer.headers['x-ms-request-id']}?api-version=2025-10-01&t=" in operation
    assert operation.startswith(raw.url)


def test_the_headers_that_every_answer_has(raw: RawArm) -> None:
    """The recorded common headers, and what is left of the rate limits."""
    answer = raw.send("GET", IMAGE_TEMPLATES)
    expected = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Cache": "CONFIG_NOCACHE",
        "x-ms-ratelimit-remaining-subscription-reads": "249",
        "x-ms-ratelimit-remaining-subscription-global-reads": "3749",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    correlation = answer.headers["x-ms-correlation-request-id"]
    assert re.fullmatch(r"Ref A: [0-9A-F]{32} Ref B: [A-Z0-9]+ Ref C: [0-9T:-]+Z", answer.headers["X-MSEdge-Ref"])
    assert re.fullmatch(rf"EASTUS:\d{{8}}T\d{{6}}Z:{correlation}", answer.headers["x-ms-routing-request-id"])


def test_a_new_image_template_is_creating(raw: RawArm) -> None:
    """At first the version is the literal `latest`, the staging group is empty and identities have no ids."""
    answer = put(raw).json()
    properties = answer["properties"]
    assert properties["provisioningState"] == "Creating"
    assert (properties["source"]["exactVersion"], properties["exactStagingResourceGroup"]) == ("latest", "")
    assert list(answer["identity"]["userAssignedIdentities"].values()) == [{}]
    assert list(answer) == ["properties", "identity", "tags", "location", "id", "name", "type"]
    assert f"/resourcegroups/images/providers/Microsoft.VirtualMachineImages/imageTemplates/{NAME}" in answer["id"]
    assert not {"lastRunStatus", "provisioningError", "vmProfile", "systemData"} & set(properties)


def test_bodies_are_indented_by_one_space(raw: RawArm) -> None:
    """Image Builder writes pretty JSON with one space."""
    put(raw)
    text = raw.send("GET", ONE).text
    assert text == json.dumps(json.loads(text), indent=1)


def test_an_operation_is_polled_at_either_address(raw: RawArm) -> None:
    """Polls answer 200 throughout; at the end Location answers the same body as the other address."""
    create(raw)
    raw.send("POST", RUN)
    started = raw.send("DELETE", f"{IMAGE_TEMPLATES}/absent")
    assert started.status_code == 204
    raw.thread.control.advance(500)
    answer = raw.send("DELETE", ONE)
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (202, b"", "0")
    urls = [answer.headers[name] for name in ("Azure-AsyncOperation", "Location")]
    assert urls[0] != urls[1]
    polled = raw.send("GET", urls[0])
    assert (polled.status_code, polled.headers.get("Retry-After")) == (200, None)
    assert list(polled.json()) == ["name", "status", "startTime"]
    assert polled.json()["name"] == answer.headers["x-ms-request-id"].upper()
    assert len(polled.content) == 122
    raw.thread.control.advance(79)
    ended = [raw.send("GET", url) for url in urls]
    assert [answer.json()["status"] for answer in ended] == ["Succeeded", "Succeeded"]
    assert len(ended[0].content) == 165


def test_a_run_answers_202_with_two_addresses(raw: RawArm) -> None:
    """Both headers name one operation; the body is empty."""
    create(raw)
    answer = raw.send("POST", RUN)
    assert (answer.status_code, answer.content) == (202, b"")
    operation_id = answer.headers["x-ms-request-id"]
    assert re.fullmatch(GUID, operation_id)
    assert all(f"/operations/{operation_id}?" in answer.headers[name] for name in ("Azure-AsyncOperation", "Location"))


def test_a_run_as_the_recordings_show_it(raw: RawArm) -> None:
    """Queued, Building, and the end; provisioningState stays Succeeded; the sentinel stands for no end."""
    create(raw)
    raw.send("POST", RUN)
    seen = []
    for seconds in (1, 33, 341, 100):
        raw.thread.control.advance(seconds)
        status = last_run_status(raw)
        seen.append((status["runState"], status.get("runSubState"), status["endTime"] == "0001-01-01T00:00:00Z"))
    assert seen == [
        ("Running", "Queued", True),
        ("Running", "Building", True),
        ("Running", "Distributing", True),
        ("Succeeded", None, False),
    ]
    assert raw.send("GET", ONE).json()["properties"]["provisioningState"] == "Succeeded"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{0,8}[1-9]Z", status["startTime"])


def test_the_image_template_succeeds_before_its_operation(raw: RawArm) -> None:
    """At the end of a run the operation lags behind by about 1.5 s."""
    create(raw)
    operation = raw.send("POST", RUN).headers["Azure-AsyncOperation"]
    raw.thread.control.advance(429)
    assert last_run_status(raw)["runState"] == "Succeeded"
    assert raw.send("GET", operation).json()["status"] == "InProgress"
    raw.thread.control.advance(1.5)
    assert raw.send("GET", operation).json()["status"] == "Succeeded"


def test_cancelling_answers_204_without_an_operation(raw: RawArm) -> None:
    """The real end is to be seen in the image template."""
    create(raw)
    raw.send("POST", RUN)
    answer = raw.send("POST", CANCEL)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"Azure-AsyncOperation", "Location"} & set(answer.headers)


def test_what_is_not_allowed_while_a_run_goes_on(raw: RawArm) -> None:
    """The sentence names the operation and the service's own words for the states."""
    create(raw)
    raw.send("POST", RUN)
    error = raw.send("DELETE", ONE).json()["error"]
    assert error == {
        "code": "OperationNotAllowed",
        "message": "Operation Microsoft.VirtualMachineImages/imageTemplates/delete is not allowed in provisioning "
        "state: provisioned or run state: running.",
    }


def test_the_operations_that_may_be_permitted(raw: RawArm) -> None:
    """Those of all calls are listed, by name."""
    answer = raw.send("GET", f"{raw.url}/providers/Microsoft.VirtualMachineImages/operations")
    assert [operation["name"].partition("/")[2] for operation in answer.json()["value"]] == [
        "imageTemplates/cancel/action",
        "imageTemplates/delete",
        "imageTemplates/read",
        "imageTemplates/run/action",
        "imageTemplates/runOutputs/read",
        "imageTemplates/triggers/delete",
        "imageTemplates/triggers/read",
        "imageTemplates/triggers/write",
        "imageTemplates/write",
        "locations/operations/read",
        "operations/read",
    ]


def test_what_is_not_allowed_while_it_is_created(raw: RawArm) -> None:
    """An image template that is being created can be neither deleted nor run nor patched."""
    put(raw)
    answers = [raw.send("DELETE", ONE), raw.send("POST", RUN), raw.send("PATCH", ONE, {"tags": {}})]
    assert {answer.json()["error"]["code"] for answer in answers} == {"OperationNotAllowed"}
    assert [answer.json()["error"]["message"].partition(" is not allowed in ")[2] for answer in answers] == [
        "provisioningState: 'creating'",
        "provisioning state: creating.",
        "provisioning state: creating.",
    ]
    assert answers[0].json()["error"]["message"].startswith("Operation 'DELETE' is")


def test_deleting_again_meanwhile_gives_the_same_operation(raw: RawArm) -> None:
    """A client whose first answer was lost is told about the operation that goes on."""
    create(raw)
    first, second = raw.send("DELETE", ONE), raw.send("DELETE", ONE)
    assert first.headers["x-ms-request-id"] == second.headers["x-ms-request-id"]
    assert raw.send("GET", ONE).json()["properties"]["provisioningState"] == "Deleting"


def test_a_missing_image_template_is_worded_as_recorded(raw: RawArm) -> None:
    """Resource Manager's own sentence."""
    answer = raw.send("GET", ONE)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == (
        "The Resource 'Microsoft.VirtualMachineImages/imageTemplates/tmpl1' under resource group 'images' was not "
        "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )


@pytest.mark.parametrize(("api_version", "is_wrapped"), [("2020-02-14", False), ("2021-10-01", True)])
def test_old_versions_answer_errors_bare(raw: RawArm, api_version: str, is_wrapped: bool) -> None:
    """Before 2021-10-01 the service's errors have no envelope."""
    create(raw)
    answer = raw.send("PUT", ONE, document(raw.settings.subscription_id), api_version=api_version)
    assert answer.status_code == 409
    body = answer.json()["error"] if is_wrapped else answer.json()
    assert body == {
        "code": "Conflict",
        "message": "Update/Upgrade of image templates is currently not supported",
    }


def test_the_callers_api_version_decides_the_shape(raw: RawArm) -> None:
    """An old api-version shows neither exact version nor staging group of a new image template."""
    create(raw)
    answer = raw.send("GET", ONE, api_version="2020-02-14").json()
    assert list(answer) == ["properties", "identity", "id", "name", "type", "location", "tags"]
    assert "exactVersion" not in answer["properties"]["source"]
    assert "exactStagingResourceGroup" not in answer["properties"]


@pytest.mark.parametrize("path", [f"{IMAGE_TEMPLATES}//{NAME}", ONE.lower(), ONE.replace("Groups", "groups")])
def test_paths_are_read_leniently(raw: RawArm, path: str) -> None:
    """Double slashes and any casing of the fixed words are served."""
    create(raw)
    assert raw.send("GET", path).status_code == 200
    assert raw.send("POST", f"{path}/Run").status_code == 202


def test_lists_go_on_at_the_next_link(raw: RawArm) -> None:
    """The link is a whole address; following it gives the rest."""
    for name in ("one", "two", "three"):
        create(raw, name)
    first = raw.send("GET", IMAGE_TEMPLATES).json()
    assert first["nextLink"].startswith(raw.url)
    rest = raw.send("GET", first["nextLink"]).json()
    assert [item["name"] for item in (*first["value"], *rest["value"])] == ["one", "three", "two"]
    assert "nextLink" not in rest


def test_old_image_templates_are_read_in_any_case(raw: RawArm) -> None:
    """Before 2024-02-01 members in the wrong case count, and unknown ones are dropped."""
    sent = document(raw.settings.subscription_id)
    sent["properties"]["Customize"] = [{"Type": "Shell", "Inline": ["true"]}]
    del sent["properties"]["customize"]
    sent["properties"]["surprise"] = True
    answer = raw.send("PUT", ONE, sent, api_version="2022-07-01")
    assert answer.status_code == 201
    assert answer.json()["properties"]["customize"] == [{"inline": ["true"], "type": "Shell"}]
    refused = raw.send("PUT", f"{ONE}2", sent, api_version="2024-02-01")
    assert "unknown field" in refused.json()["error"]["message"]


def test_a_hanging_build_takes_no_time_to_test(raw: RawArm) -> None:
    """A run of four hours is over when the clock is put forward by four hours."""
    create(raw)
    raw.thread.control.plan_failure(kind="hang")
    raw.send("POST", RUN)
    raw.thread.control.advance(4 * 3600 - 1)
    assert last_run_status(raw)["runState"] == "Running"
    raw.thread.control.advance(1)
    assert last_run_status(raw)["runState"] == "Failed"


def test_effects_are_there_when_the_state_is(raw: RawArm) -> None:
    """At the instant at which a run reads Succeeded its VHD lies where the run output says."""
    create(raw, distribute=[TO_VHD, to_gallery(raw.settings.subscription_id)])
    raw.send("POST", RUN)
    raw.thread.control.advance(600)
    assert last_run_status(raw)["runState"] == "Succeeded"
    outputs = raw.send("GET", f"{ONE}/runOutputs").json()["value"]
    assert [output["name"] for output in outputs] == ["disk", "version"]
    token = raw.sign_in(scope="https://storage.azure.com/.default").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2021-12-02"}
    disk = raw.send("HEAD", outputs[0]["properties"]["artifactUri"], api_version=None, headers=headers)
    assert int(disk.headers["Content-Length"]) == raw.settings.vhd_size_bytes + 512
    version = raw.send("GET", outputs[1]["properties"]["artifactId"], api_version="2024-03-03")
    assert version.json()["properties"]["provisioningState"] == "Succeeded"


def test_deleting_the_group_deletes_what_goes_on_in_it(raw: RawArm) -> None:
    """A group that is deleted while a run goes on takes image template, run and staging group along."""
    create(raw)
    raw.send("POST", RUN)
    staging = raw.send("GET", ONE).json()["properties"]["exactStagingResourceGroup"]
    assert raw.send("DELETE", "/resourceGroups/images").status_code == 200
    raw.thread.control.advance(1000)
    assert raw.send("GET", staging).status_code == 404
    assert raw.send("GET", ONE).json()["error"]["code"] == "ResourceGroupNotFound"


@pytest.mark.parametrize("take_away", ["delete", "reset"])
def test_what_is_taken_away_under_way_ends_in_order(
    raw: RawArm, caplog: pytest.LogCaptureFixture, take_away: str
) -> None:
    """A group that is deleted, or a reset, while a run writes VHDs waits for what is being written."""
    create(raw, distribute=[{**TO_VHD, "runOutputName": f"disk{number}"} for number in range(5)])
    raw.send("POST", RUN)
    with ThreadPoolExecutor() as pool:
        advanced = pool.submit(raw.thread.control.advance, 1000)
        while last_run_status(raw).get("runSubState") != "Distributing":
            assert not advanced.done()
        if take_away == "delete":
            deleted = pool.submit(raw.send, "DELETE", "/resourceGroups/images")
            while not deleted.done():
                assert put(raw).json()["error"]["code"] in {
                    "Conflict",
                    "ResourceGroupBeingDeleted",
                    "ResourceGroupNotFound",
                }
            assert deleted.result().status_code == 200
        else:
            raw.thread.control.reset()
        advanced.result()
    assert len(raw.send("GET", "/resourceGroups").json()["value"]) == (0 if take_away == "delete" else 1)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("aib_emulator")] == []


def test_deleting_the_group_ends_a_creation(raw: RawArm) -> None:
    """An image template whose group is deleted while it is created leaves no staging group behind."""
    put(raw)
    raw.send("DELETE", "/resourceGroups/images")
    raw.thread.control.advance(60)
    assert raw.send("GET", "/resourceGroups").json()["value"] == []


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("images", None),
        ("far", {"location": "westeurope"}),
        ("used", {"location": "eastus", "tags": {"imageTemplateName": "another"}}),
    ],
)
def test_a_given_staging_group_must_be_fit(raw: RawArm, name: str, group: dict[str, Any] | None) -> None:
    """A group cannot be lent that holds something, lies elsewhere, or has the tags of an image template."""
    if group is not None:
        assert raw.send("PUT", f"/resourceGroups/{name}", group).status_code == 201
    put(raw, stagingResourceGroup=f"/subscriptions/{raw.settings.subscription_id}/resourceGroups/{name}")
    raw.thread.control.advance(60)
    properties = raw.send("GET", ONE).json()["properties"]
    assert properties["provisioningError"]["provisioningErrorCode"] == "BadStagingResourceGroup"


def test_any_marketplace_image_can_be_had(raw: RawArm) -> None:
    """An image that the marketplace lacks is there once a version of it is published, and can be built from."""
    names = {"publisher": "Mine", "offer": "base", "sku": "9"}
    assert raw.send("POST", "/_emulator/platform-versions", {**names, "version": "9.1.0", "os_type": "Linux"}).ok
    refused = raw.send("POST", "/_emulator/platform-versions", {**names, "version": "9.1.1", "system": "Linux"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "UnknownMember")
    create(raw, source={"type": "PlatformImage", **names, "version": "latest"})
    assert raw.send("GET", ONE).json()["properties"]["source"]["exactVersion"] == "9.1.0"


def test_latest_is_looked_up_again_for_each_run(raw: RawArm) -> None:
    """A version that was published after the creation is the one that a run builds from."""
    create(raw)
    newer = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS", "version": "18.04.209901010"}
    assert raw.send("POST", "/_emulator/platform-versions", newer).ok
    assert raw.send("GET", ONE).json()["properties"]["source"]["exactVersion"] != newer["version"]
    raw.send("POST", RUN)
    assert raw.send("GET", ONE).json()["properties"]["source"]["exactVersion"] == newer["version"]

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

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
    to_managed_image,
)
from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from aib_emulator.control_client import ControlClient
    from aib_emulator.server import EmulatorThread

A_DAY = 86_400


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Stop the emulator's clock, and speak to it without any SDK."""
    emulator.control.set_scale(0)
    return RawArm(emulator)


@pytest.fixture
def control(raw: RawArm) -> ControlClient:
    """Speak to the control door."""
    return raw.thread.control


def state(raw: RawArm) -> str:
    """Return the provisioning state of the image template, or that it is gone."""
    answer = raw.send("GET", ONE)
    return "gone" if answer.status_code == 404 else str(answer.json()["properties"]["provisioningState"])


def run(raw: RawArm, seconds: float = A_DAY) -> dict[str, Any]:
    """Run the image template for some emulated time, and return what it says about the run."""
    assert raw.send("POST", f"{ONE}/run").status_code == 202
    raw.thread.control.advance(seconds)
    return last_run_status(raw)


def outputs(raw: RawArm) -> set[str]:
    """Return the names of the run outputs."""
    names, link = set[str](), f"{ONE}/runOutputs"
    while link:
        page = raw.send("GET", link).json()
        names.update(output["name"] for output in page["value"])
        link = page.get("nextLink", "")
    return names


@pytest.mark.parametrize(("seconds", "later"), [(None, "Creating"), (1000, "Succeeded")])
def test_a_creation_can_be_stuck(raw: RawArm, control: ControlClient, seconds: int | None, later: str) -> None:
    """It reads Creating for ever, or for so long and then ends well."""
    control.plan_failure(kind="stuck_creating", seconds=seconds)
    raw.send("PUT", ONE, document(raw.settings.subscription_id))
    control.advance(500)
    assert state(raw) == "Creating"
    control.advance(A_DAY)
    assert state(raw) == later


@pytest.mark.parametrize(("seconds", "later"), [(None, "Canceling"), (1000, "Canceled")])
def test_a_cancellation_can_be_stuck(raw: RawArm, control: ControlClient, seconds: int | None, later: str) -> None:
    """It reads Canceling for ever, or for so long and then is over."""
    create(raw)
    control.plan_failure(kind="stuck_canceling", seconds=seconds)
    run(raw, 100)
    raw.send("POST", f"{ONE}/cancel")
    control.advance(500)
    assert last_run_status(raw)["runState"] == "Canceling"
    control.advance(A_DAY)
    assert last_run_status(raw)["runState"] == later


@pytest.mark.parametrize(("seconds", "later"), [(None, "Deleting"), (1000, "gone")])
def test_a_deletion_can_be_stuck(raw: RawArm, control: ControlClient, seconds: int | None, later: str) -> None:
    """It reads Deleting for ever, or for so long and then is gone."""
    create(raw)
    control.plan_failure(kind="stuck_deleting", seconds=seconds)
    raw.send("DELETE", ONE)
    control.advance(500)
    assert state(raw) == "Deleting"
    control.advance(A_DAY)
    assert state(raw) == later


def test_success_can_come_after_the_failure(raw: RawArm, control: ControlClient) -> None:
    """The run reads Failed at its timeout; version, image and VHD appear afterwards, and it still reads Failed."""
    subscription_id = raw.settings.subscription_id
    create(raw, distribute=[to_managed_image(subscription_id), to_gallery(subscription_id), TO_VHD])
    control.plan_failure(kind="late_success", index=1, seconds=900)
    status = run(raw, 240 * 60)
    assert (status["runState"], outputs(raw)) == ("Failed", {"image"})
    assert "context deadline exceeded" in status["message"]
    versions = "/resourceGroups/images/providers/Microsoft.Compute/galleries/corp/images/linux-base/versions"
    assert raw.send("GET", versions).json()["value"] == []
    control.advance(900)
    assert (last_run_status(raw)["runState"], outputs(raw)) == ("Failed", {"image", "version", "disk"})
    assert len(raw.send("GET", versions).json()["value"]) == 1


def test_nothing_comes_late_to_an_image_template_that_is_deleted(raw: RawArm, control: ControlClient) -> None:
    """Once it is gone, so is what would have come."""
    create(raw)
    control.plan_failure(kind="late_success", seconds=900)
    run(raw, 240 * 60)
    raw.send("DELETE", ONE)
    control.advance(2000)
    versions = "/resourceGroups/images/providers/Microsoft.Compute/galleries/corp/images/linux-base/versions"
    assert (state(raw), raw.send("GET", versions).json()["value"]) == ("gone", [])


def test_several_distributors_can_fail(raw: RawArm, control: ControlClient) -> None:
    """Two of three fail: the run succeeds in part, says how many failed, and has one output."""
    subscription_id = raw.settings.subscription_id
    create(raw, distribute=[to_managed_image(subscription_id), to_gallery(subscription_id), TO_VHD])
    control.plan_failure(kind="partial", indexes=[0, 2])
    status = run(raw)
    assert (status["runState"], outputs(raw)) == ("PartiallySucceeded", {"version"})
    assert "Failed in distributing 2 images out of total 3" in status["message"]


def test_an_error_can_keep_the_build_vm(raw: RawArm, control: ControlClient) -> None:
    """Asked to abort, a failed customizer leaves the build VM, which goes with the template; others leave none."""
    create(raw, errorHandling={"onCustomizerError": "abort"})
    group_id = raw.send("GET", ONE).json()["properties"]["exactStagingResourceGroup"]

    def machines() -> list[str]:
        kinds = [item["type"] for item in raw.send("GET", f"{group_id}/resources").json()["value"]]
        return [kind for kind in kinds if kind == "Microsoft.Compute/virtualMachines"]

    run(raw)
    assert machines() == []
    control.plan_failure(kind="customizer")
    assert (run(raw)["runState"], len(machines())) == ("Failed", 1)
    raw.send("DELETE", ONE)
    control.advance(A_DAY)
    assert raw.send("GET", group_id).status_code == 404


def test_a_staging_group_can_go_in_the_midst_of_a_run(raw: RawArm, control: ControlClient) -> None:
    """The run fails for want of the group, and so does every later one; the image template can be deleted."""
    create(raw)
    group = raw.send("GET", ONE).json()["properties"]["exactStagingResourceGroup"]
    control.plan_failure(kind="staging_deleted", seconds=220)
    for _ in range(2):
        status = run(raw)
        assert status["runState"] == "Failed"
        assert 'Code="ResourceGroupNotFound"' in status["message"]
        assert raw.send("GET", group).status_code == 404
    raw.send("DELETE", ONE)
    control.advance(100)
    assert state(raw) == "gone"


def test_a_source_can_be_withdrawn_for_one_run(raw: RawArm, control: ControlClient) -> None:
    """The build finds no image to start from; the next run is as good as ever."""
    create(raw)
    control.plan_failure(kind="withdrawn_source")
    assert run(raw)["runState"] == "Failed"
    assert run(raw)["runState"] == "Succeeded"


def test_a_withdrawn_version_fails_every_run_that_asks_for_it(raw: RawArm, control: ControlClient) -> None:
    """The publisher takes a version away: whoever pinned it fails, whoever wants the latest gets the one before."""
    names = {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS"}
    source = {"type": "PlatformImage", **names}
    create(raw, source={**source, "version": "18.04.202401161"})
    create(raw, "latest", source={**source, "version": "latest"})
    control.withdraw_platform_version(**names, version="18.04.202401161")
    assert run(raw)["runState"] == "Failed"
    raw.send("POST", f"{IMAGE_TEMPLATES}/latest/run")
    control.advance(A_DAY)
    assert last_run_status(raw, "latest")["runState"] == "Succeeded"
    latest = raw.send("GET", f"{IMAGE_TEMPLATES}/latest").json()["properties"]["source"]["exactVersion"]
    assert latest == "18.04.202306070"
    with pytest.raises(HTTPError, match="400"):
        control.withdraw_platform_version(**names, version="18.04.202401161")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_gateway_can_give_up_on_a_run(raw: RawArm, control: ControlClient, moment: str) -> None:
    """The 504 has the reported words, and says nothing about whether the run has started."""
    create(raw)
    control.plan_failure(kind="gateway_timeout", moment=moment)
    answer = raw.send("POST", f"{ONE}/run")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "GatewayTimeout")
    assert "did not receive a response from 'Microsoft.VirtualMachineImages'" in answer.json()["error"]["message"]
    assert ("lastRunStatus" in raw.send("GET", ONE).json()["properties"]) is (moment == "after")


def test_a_healthy_build_may_answer_with_an_error(raw: RawArm, control: ControlClient) -> None:
    """Looks at an image template fail with the generic error as often as planned, and the run goes on."""
    create(raw)
    run(raw, 100)
    control.plan_failure(kind="spurious_error", image_template=NAME, count=2)
    answers = [raw.send("GET", ONE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [500, 500, 200]
    assert "Internal error occurred" in answers[0].json()["error"]["message"]
    assert answers[2].json()["properties"]["lastRunStatus"]["runState"] == "Running"


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_the_services_clocks_may_differ(raw: RawArm, control: ControlClient, seconds: int) -> None:
    """Dates of answers, of tokens and of operations are off by the skew; tokens of the service are good there."""
    real = parsedate_to_datetime(raw.send("GET", ONE).headers["Date"])
    before = datetime.fromisoformat(control.clock()["now"])
    control.set_skew(seconds)
    assert control.clock()["skew"] == seconds
    signed_in = raw.sign_in()
    raw.session.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
    answer = raw.send("PUT", ONE, document(raw.settings.subscription_id))
    off = timedelta(seconds=seconds)
    assert abs(parsedate_to_datetime(answer.headers["Date"]) - real - off) < timedelta(minutes=2)
    operation = raw.send("GET", answer.headers["Azure-AsyncOperation"]).json()
    assert abs(datetime.fromisoformat(operation["startTime"]) - before - off) < timedelta(seconds=1)
    blobs = raw.session.get(f"{raw.thread.emulator.blob_url}/imagestore?comp=list", timeout=30)
    assert abs(parsedate_to_datetime(blobs.headers["Date"]) - real - off) < timedelta(minutes=2)
    control.reset()
    assert control.clock()["skew"] == 0


def test_every_answer_is_dated_by_the_emulated_clock(raw: RawArm, control: ControlClient) -> None:
    """Put forward, the clock shows in the answers of all endpoints, errors too."""
    control.set_scale(0)
    control.advance(7200)
    now = datetime.fromisoformat(control.clock()["now"]).replace(microsecond=0)
    blobs = f"{raw.thread.emulator.blob_url}/imagestore"
    answers = [raw.send("GET", ONE), *(raw.session.get(blobs + query, timeout=30) for query in ("?comp=list", "/no/b"))]
    assert [parsedate_to_datetime(answer.headers["Date"]) for answer in answers] == [now] * 3


def test_failures_are_removed_one_by_one(raw: RawArm, control: ControlClient) -> None:
    """Each planned failure has an id, by which it is taken away."""
    goes, stays = control.plan_failure(kind="hang"), control.plan_failure(kind="customizer")
    control.remove_failure(goes["failure_id"])
    assert [failure["failure_id"] for failure in control.failures()] == [stays["failure_id"]]
    with pytest.raises(HTTPError, match="404"):
        control.remove_failure(goes["failure_id"])
    create(raw)
    assert "PACKER" not in run(raw)["message"]


def test_logs_can_have_the_old_form(raw: RawArm, control: ControlClient) -> None:
    """A failure may ask for the form of the years before; the message then names the log by an address where it is."""
    create(raw)
    control.plan_failure(kind="customizer", log_form="old")
    message = run(raw)["message"]
    assert " OperationId: " in message
    address = message.partition("Image Build log location: ")[2].partition(". ")[0]
    token = raw.sign_in(scope="https://storage.azure.com/.default").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2021-12-02"}
    log = raw.session.get(address, headers=headers, timeout=30)
    assert (log.status_code, " PACKER ERR " in log.text) == (200, True)

"""`airflow-aib diagnose` on what lies in Azure, through an Airflow connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_aib.cli import main
from tests.integration.airflow.cloud import GROUP, NAME

if TYPE_CHECKING:
    from tests.integration.airflow.cloud import Cloud

pytestmark = pytest.mark.usefixtures("connection")


def diagnosed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Call the command, and give its exit code and both of its outputs."""
    capsys.readouterr()
    code = main(["diagnose", *arguments])
    return code, *capsys.readouterr()


def fail_a_run(cloud: Cloud) -> str:
    """Have a run fail in its second customizer, and give the message of the service."""
    cloud.create()
    cloud.plan_failure(kind="customizer", index=1, exit_code=7, output=["E: Unable to locate package chorny"])
    cloud.start_run()
    status = cloud.finish_run()
    assert status is not None
    return status.message


@pytest.mark.parametrize("by_name", [True, False])
def test_an_image_template(cloud: Cloud, capsys: pytest.CaptureFixture[str], *, by_name: bool) -> None:
    """By resource id, or by group and name: status, document and log are read, and said in one."""
    fail_a_run(cloud)
    named = [NAME, "--resource-group", GROUP] if by_name else [cloud.image_template_id]

    code, out, _ = diagnosed(capsys, *named, "--json")

    found = json.loads(out)
    assert code == 1
    assert (found["failure_class"], found["exit_code"]) == ("customizer-failed", 7)
    assert found["customizer"] == {"index": 1, "name": "software", "type": "Shell", "count": 2}
    assert found["error_lines"] == ["E: Unable to locate package chorny"]
    assert found["log_location"] in found["service_message"]


def test_a_log_by_the_places_that_the_service_names(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """The resource id in the message, and the blob's address, lead to the log."""
    fail_a_run(cloud)
    _, out, _ = diagnosed(capsys, cloud.image_template_id, "--json")
    resource_id = json.loads(out)["log_location"]
    account, _, blob = resource_id.partition("/blobServices/default/containers/")
    address = f"{cloud.settings.cloud.blob_endpoint(account.rpartition('/')[2])}/{blob}"

    for target in (resource_id, address):
        code, out, _ = diagnosed(capsys, target)
        assert (code, out.splitlines()[0]) == (
            1,
            "The build failed: customizer-failed, in customizer 2 (Shell), exit code 7",
        )
    code, _, err = diagnosed(capsys, address.replace("customization", "other"))
    assert (code, "There is no log https://" in err) == (2, True)


def test_a_creation_that_failed(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A provisioning error is diagnosed likewise."""
    cloud.plan_failure(kind="catalogue", name="script-download-failed")
    with pytest.raises(Exception, match="NoCustomizerScript"):
        cloud.create()

    code, out, _ = diagnosed(capsys, cloud.image_template_id)

    assert (code, out.splitlines()[0]) == (1, "The creation failed: script-unreachable, in step create")


def test_a_run_that_went_well(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is found where nothing went wrong; and where nothing has run, that is said."""
    cloud.create()
    code, _, err = diagnosed(capsys, cloud.image_template_id)
    assert (code, "has never run" in err) == (2, True)
    cloud.start_run()
    cloud.finish_run()

    code, out, _ = diagnosed(capsys, cloud.image_template_id)

    assert (code, out.splitlines()[0]) == (0, "No failure is to be seen: no-failure")


def test_without_a_connection(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """A connection that is not there is named, with what to do."""
    code, _, err = diagnosed(capsys, cloud.image_template_id, "--connection", "nobody")

    assert code == 2
    assert "There is no Airflow connection 'nobody' here." in err
    assert "AIRFLOW_CONN_NOBODY" in err

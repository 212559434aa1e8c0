"""Creating and deleting image templates, through Airflow's own machinery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.airflow.cloud import NAME
from tests.integration.airflow.tasks import BOTH_MODES, DEFERRED, DELETE, create, task

if TYPE_CHECKING:
    from tests.integration.airflow.airflow_process import AirflowProcess
    from tests.integration.airflow.cloud import Cloud


@BOTH_MODES
def test_create_waits_until_it_is_provisioned(airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool) -> None:
    """The image template is provisioned when the task is done, and the task gives its id."""
    cloud.emulator.control.set_scale(20)

    result = airflow.run(create(cloud, deferrable=deferrable))

    assert result.xcom("create") == cloud.image_template_id
    body = cloud.body()
    assert body is not None
    assert body["properties"]["provisioningState"] == "Succeeded"
    assert result.log.count(DEFERRED) == int(deferrable)


def test_the_same_content_again_is_a_no_op_and_other_content_replaces(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Of three tasks in a row, the second submits nothing, and the third, with other content, replaces."""
    other = cloud.image_template(buildTimeoutInMinutes=90)

    result = airflow.run(
        create(cloud, "first"), create(cloud, "same"), create(cloud, "other", image_template=other, deferrable=True)
    )

    assert result.state == "success"
    assert cloud.count("PUT", f"imageTemplates/{NAME}") == 2
    assert cloud.count("DELETE", f"imageTemplates/{NAME}") == 1
    body = cloud.body()
    assert body is not None
    assert body["properties"]["buildTimeoutInMinutes"] == 90
    assert "/properties/buildTimeoutInMinutes" in result.log


def test_scripts_in_a_dict_are_no_jinja_templates(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Braces in a script reach Azure as they stand in the document."""
    airflow.run(create(cloud))

    body = cloud.body()
    assert body is not None
    assert body["properties"]["customize"][1]["inline"] == ["for x in a b; do echo ${x}{{y}}; done"]


def test_a_wrong_document_fails_at_once_with_all_that_is_wrong(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Nothing is submitted, nothing is tried again, and the error lists every finding."""
    wrong = cloud.image_template(
        customize=[{"type": "Shell", "name": "nothing"}, {"type": "Chef", "name": "unknown"}],
        buildTimeoutInMinutes=5000,
    )

    result = airflow.run(create(cloud, image_template=wrong, retries=3))

    assert result.tasks["create"] == {"state": "failed", "try_number": 1}
    error = result.error()
    assert error.kind == "ImageTemplateCheckError"
    for path in ("/properties/customize/0", "/properties/customize/1", "/properties/buildTimeoutInMinutes"):
        assert path in error.text
    assert cloud.count("PUT", f"imageTemplates/{NAME}") == 0


@BOTH_MODES
def test_a_failed_leftover_is_replaced_by_the_next_try(
    airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool
) -> None:
    """A creation that fails for Azure's own reasons is an error with its code; the next try replaces what it left."""
    cloud.plan_failure(kind="creation", code="ServerError", message="Internal error occurred.")

    result = airflow.run(create(cloud, deferrable=deferrable, retries=1))

    assert result.tasks["create"] == {"state": "success", "try_number": 2}
    error = result.error()
    assert error.kind == "ArmRequestError"
    assert "ServerError: Internal error occurred" in error.text


def test_creation_bears_every_fault_of_the_transport(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A lost answer, a throttled call, a server error and a dropped connection leave one image template behind."""
    path = f"imageTemplates/{NAME}$"
    cloud.plan_fault(method="GET", path=path, action="reset", skip=0)
    cloud.plan_fault(method="PUT", path=path, status=429, headers={"Retry-After": "0"})
    cloud.plan_fault(method="PUT", path=path, status=504, moment="after")
    cloud.plan_fault(method="GET", path=path, status=500, skip=1)

    result = airflow.run(create(cloud))

    assert result.state == "success"
    assert cloud.count("DELETE", f"imageTemplates/{NAME}") == 0


@BOTH_MODES
def test_delete_waits_until_it_is_gone(airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool) -> None:
    """The image template is gone when the task is done, and once more is fine."""
    cloud.create()

    result = airflow.run(task(DELETE, "delete", deferrable=deferrable), task(DELETE, "again", deferrable=deferrable))

    assert (result.xcom("delete"), result.xcom("again")) == (True, False)
    assert cloud.body() is None


def test_delete_refuses_to_lose_a_vhd_or_a_log(airflow: AirflowProcess, cloud: Cloud) -> None:
    """An image template whose VHD is not copied, nor its log archived, stays, until told otherwise."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.start_run()
    cloud.finish_run()

    refused = airflow.run(task(DELETE, "delete"))
    forced = airflow.run(task(DELETE, "delete", discard_vhds=True, discard_logs=True))

    assert refused.error().kind == "ImageTemplateInUseError"
    assert "discard_vhds=True and discard_logs=True" in refused.error().text
    assert forced.state == "success"
    assert cloud.body() is None


def test_delete_cancels_a_run_only_when_told(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A run that goes on is not deleted away; with cancel_running it is cancelled first."""
    cloud.create()
    cloud.emulator.control.set_scale(10)
    cloud.start_run()

    refused = airflow.run(task(DELETE, "delete"))
    cloud.emulator.control.set_scale(400)
    forced = airflow.run(task(DELETE, "delete", cancel_running=True))

    assert refused.error().kind == "ImageTemplateInUseError"
    assert forced.state == "success"
    assert cloud.count("POST", "/cancel") == 1
    assert cloud.body() is None

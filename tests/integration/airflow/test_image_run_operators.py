"""Runs: started, watched, joined, cancelled and overdue, through Airflow's own machinery."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.airflow.cloud import NAME, until
from tests.integration.airflow.tasks import BOTH_MODES, CANCEL, DEFERRED, RUN, SENSOR, create, task

if TYPE_CHECKING:
    from tests.integration.airflow.airflow_process import AirflowProcess
    from tests.integration.airflow.cloud import Cloud
    from tests.integration.airflow.legs import Legs

TEMPLATE = f"imageTemplates/{NAME}$"


@BOTH_MODES
def test_run_gives_what_it_made(airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool) -> None:
    """The task shows phases and log as they come, and gives run state, artifacts and the log's place."""
    cloud.create()
    cloud.emulator.control.set_scale(100)

    result = airflow.run(task(RUN, "run", deferrable=deferrable))

    run = result.xcom("run")
    assert run["run_state"] == "Succeeded"
    assert "/galleries/corp/images/linux-base/versions/" in run["artifacts"][0]["artifact_id"]
    assert run["log_location"].endswith("/customization.log")
    assert result.xcom("run", "image_run")["start_time"] == run["start_time"]
    assert "is Running/Building" in result.log
    assert "Starting provisioner shell" in result.log
    # Also after a deferral, since Airflow may empty a trigger's log file.
    assert "End of the customization log" in result.log
    assert result.log.count(DEFERRED) == int(deferrable)


@BOTH_MODES
def test_a_failed_build_says_why(airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool) -> None:
    """The error names the customizer, its last output, the service's words and where the whole log is."""
    cloud.create()
    cloud.plan_failure(kind="customizer", index=1, exit_code=7, output=["E: Unable to locate package chorny"])

    result = airflow.run(task(RUN, "run", deferrable=deferrable))

    error = result.error()
    assert error.kind == "ImageRunFailedError"
    for words in ("customizer 2 of 2", "'software'", "exit code 7", "Unable to locate package chorny", "Service: "):
        assert words in error.text
    assert "customization.log" in error.text
    assert result.tasks["run"]["state"] == "failed"
    assert len(error.text.splitlines()) <= 10
    assert result.log.rstrip().rfind(error.text.splitlines()[-1].strip()) > result.log.rfind("Traceback")
    diagnosis = result.xcom("run", "diagnosis")
    assert diagnosis["failure_class"] == "customizer-failed"
    assert diagnosis["customizer"] == {"index": 1, "name": "software", "type": "Shell", "count": 2}


def test_a_script_that_failed_is_not_run_again(airflow: AirflowProcess, cloud: Cloud) -> None:
    """However many retries the task has: what the diagnosis calls hopeless is not tried again."""
    cloud.create()
    cloud.plan_failure(kind="customizer", index=0, exit_code=1, count=1)

    result = airflow.run(task(RUN, "run", deferrable=False, retries=3))

    assert result.tasks["run"] == {"state": "failed", "try_number": 1}
    assert cloud.count("POST", "/run") == 1


def test_a_partial_success_is_none(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A run of which one distributor failed has not succeeded."""
    cloud.create(cloud.image_template(with_vhd=True))
    cloud.plan_failure(kind="partial")

    result = airflow.run(task(RUN, "run", deferrable=False))

    assert result.error().kind == "ImageRunFailedError"
    assert "PartiallySucceeded" in result.error().text


@BOTH_MODES
def test_a_run_that_somebody_cancels_is_an_error_of_its_own(
    airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool
) -> None:
    """When somebody cancels the run elsewhere, the task fails and says so."""
    cloud.create()
    cloud.emulator.control.set_scale(20)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(airflow.run, task(RUN, "run", deferrable=deferrable))
        until(lambda: cloud.last_run() is not None)
        cloud.call(lambda service: service.cancel_run(cloud.image_template_id))
        cloud.emulator.control.set_scale(400)
        result = running.result()

    assert result.error().kind == "ImageRunCanceledError"


def test_an_overdue_run_is_cancelled_by_the_worker(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A worker cancels a run that is past its deadline, waits for its real end, and the error says so."""
    cloud.create()
    cloud.plan_failure(kind="hang", index=0)

    result = airflow.run(task(RUN, "run", deferrable=False, run_allowance=-86400))

    assert result.error().kind == "ImageRunTimeoutError"
    assert "ended Canceled" in result.error().text


@BOTH_MODES
def test_after_an_execution_timeout_the_run_is_cancelled_and_another_one_succeeds(
    airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool
) -> None:
    """Whether Airflow's own alarm strikes or the trigger's deadline: the next try starts a run of its own."""
    cloud.create(cloud.image_template(buildTimeoutInMinutes=480))
    cloud.plan_failure(kind="hang", index=0, count=1)

    # Long enough for the next try, which builds in a second or two, also on a machine that does much else.
    result = airflow.run(task(RUN, "run", deferrable=deferrable, execution_timeout=15, retries=1))

    # `dag.test` tries again at once: the cancelled run may not have ended yet, and is waited for.
    assert result.error().kind == ("ImageRunTimeoutError" if deferrable else "AirflowTaskTimeout")
    assert result.tasks["run"] == {"state": "success", "try_number": 2}
    assert cloud.count("POST", "/cancel") == 1
    assert cloud.count("POST", "/run") == 2


@pytest.mark.parametrize("fault", [{"status": 504}, {"status": 500}, {"action": "reset"}], ids=["504", "500", "reset"])
def test_a_lost_answer_to_run_starts_no_second_build(
    airflow: AirflowProcess, cloud: Cloud, fault: dict[str, Any]
) -> None:
    """When the run began but its answer was lost, it is found and not asked for again."""
    cloud.create()
    cloud.plan_fault(method="POST", path="/run$", moment="after", **fault)

    result = airflow.run(task(RUN, "run", deferrable=True, retries=1))

    assert result.tasks["run"] == {"state": "success", "try_number": 1}
    assert cloud.count("POST", "/run") == 1


def test_the_watch_bears_every_fault_of_the_transport(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Throttled, failing and dropped looks, and a log that cannot be read, neither end nor cancel the run."""
    cloud.create()
    cloud.emulator.control.set_scale(100)
    cloud.plan_fault(method="POST", path="/run$", status=429, headers={"Retry-After": "0"})
    cloud.plan_fault(method="GET", path=TEMPLATE, status=500, skip=6, count=2)
    cloud.plan_fault(method="GET", path=TEMPLATE, action="reset", skip=8)
    cloud.plan_fault(method="GET", path=TEMPLATE, status=429, headers={"Retry-After": "0"}, skip=10)
    cloud.plan_fault(method="GET", path="storageAccounts$", status=500, count=2)

    result = airflow.run(task(RUN, "run", deferrable=True))

    assert result.state == "success"
    assert cloud.count("POST", "/cancel") == 0


def test_a_retry_joins_the_run_of_the_try_before(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A try that cannot watch any longer fails, and the next one goes on with the very same run."""
    cloud.create()
    cloud.emulator.control.set_scale(50)
    cloud.plan_fault(method="GET", path=TEMPLATE, status=403, skip=7)

    result = airflow.run(task(RUN, "run", deferrable=True, retries=1))

    assert result.errors[0].kind == "ImageRunWatchError"
    assert result.tasks["run"] == {"state": "success", "try_number": 2}
    assert cloud.count("POST", "/run") == 1
    assert "is joined" in result.log


def test_a_retry_after_a_failed_build_starts_another_one(airflow: AirflowProcess, cloud: Cloud) -> None:
    """A run whose bad end has been reported is not joined again."""
    cloud.create()
    # Of this one nobody can know whether a retry helps: the task's own retries decide, and wait for nothing.
    cloud.plan_failure(kind="catalogue", name="distribution-failed", count=1)

    result = airflow.run(task(RUN, "run", deferrable=False, retries=1))

    assert result.tasks["run"] == {"state": "success", "try_number": 2}
    assert cloud.count("POST", "/run") == 2


def test_a_task_of_another_worker_waits_its_turn(airflow: AirflowProcess, cloud: Cloud, legs: Legs) -> None:
    """Nothing is shared but Azure: a task in another process has its build after this one, through Airflow itself."""
    cloud.create()
    cloud.emulator.control.set_scale(1)
    first = legs.run(task(RUN, "run", wait_for_completion=False))
    looks = cloud.count("GET", NAME)

    def hurry_once_it_has_looked() -> None:
        until(lambda: cloud.count("GET", NAME) > looks)
        cloud.emulator.control.set_scale(200)

    with ThreadPoolExecutor(1) as pool:
        hurried = pool.submit(hurry_once_it_has_looked)
        result = airflow.run(task(RUN, "run", deferrable=True))
        hurried.result()

    assert result.state == "success"
    assert result.log.count(DEFERRED) == 2
    assert "is not this task's to build on" in result.log
    starts = [first["start_time"], result.xcom("run")["start_time"]]
    assert [run["startTime"] for run in cloud.emulator.control.runs()] == starts


@BOTH_MODES
def test_the_sensor_waits_for_a_run_of_somebody_else(
    airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool
) -> None:
    """A run that is only started by one task is awaited by the next."""
    cloud.create()
    cloud.emulator.control.set_scale(100)
    run = task(RUN, "run", deferrable=True, wait_for_completion=False)

    result = airflow.run(run, task(SENSOR, "wait", deferrable=deferrable, poke_interval=0.2, timeout=60))

    assert result.xcom("run")["start_time"] == result.xcom("wait")["start_time"]
    assert result.xcom("wait")["run_state"] == "Succeeded"
    assert result.log.count(DEFERRED) == int(deferrable)


@BOTH_MODES
def test_the_sensor_fails_with_the_run(airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool) -> None:
    """A run that ends badly fails the sensor, with the service's words."""
    cloud.create()
    cloud.emulator.control.set_scale(100)
    cloud.plan_failure(kind="customizer")
    cloud.start_run()

    result = airflow.run(task(SENSOR, "wait", deferrable=deferrable, poke_interval=0.2, timeout=60))

    assert result.error().kind == "ImageRunFailedError"
    assert "ended Failed" in result.error().text
    assert result.xcom("wait", "diagnosis")["failure_class"] == "customizer-failed"


@BOTH_MODES
def test_the_sensor_times_out(airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool) -> None:
    """A sensor waits no longer than its timeout, and does not cancel what it does not own."""
    cloud.create()
    cloud.emulator.control.set_scale(1)
    cloud.start_run()

    result = airflow.run(task(SENSOR, "wait", deferrable=deferrable, poke_interval=0.2, timeout=1))

    assert result.error().kind == "AirflowSensorTimeout"
    assert cloud.count("POST", "/cancel") == 0


@BOTH_MODES
def test_cancel_waits_for_the_real_end(airflow: AirflowProcess, cloud: Cloud, *, deferrable: bool) -> None:
    """The run has really ended when the task is done; with nothing to cancel it is fine too."""
    cloud.create()
    # A run of fifty seconds: Airflow takes its time to start.
    cloud.emulator.control.set_scale(8)
    cloud.start_run()

    result = airflow.run(task(CANCEL, "cancel", deferrable=deferrable), task(CANCEL, "again", deferrable=deferrable))

    assert result.xcom("cancel")["run_state"] == "Canceled"
    assert result.xcom("again")["run_state"] == "Canceled"
    assert cloud.count("POST", "/cancel") == 1
    assert result.log.count(DEFERRED) == int(deferrable)


def test_a_repeated_rebuild_uses_the_image_template_again(airflow: AirflowProcess, cloud: Cloud) -> None:
    """Create and run, twice in a row, make one image template and two builds."""
    result = airflow.run(
        create(cloud, "create_1"),
        task(RUN, "run_1", deferrable=True),
        create(cloud, "create_2"),
        task(RUN, "run_2", deferrable=True),
    )

    assert result.state == "success"
    assert cloud.count("PUT", f"imageTemplates/{NAME}") == 1
    assert result.xcom("run_1")["start_time"] != result.xcom("run_2")["start_time"]

"""The road of `make demo` with real processes, and what only real processes show."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from aib_emulator.control_client import ControlClient
from airflow_aib.hooks.connection_form import CONNECTION_FIELDS, UI_FIELD_BEHAVIOUR
from demo.blobs import blob_client
from demo.programs import leftovers
from demo.rebuild import Rebuild
from demo.report import RebuildReport, format_report
from demo.stack import Stack, StackSettings
from demo.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.airflow_api import AirflowApi

# One stack serves all tests of this file: `make test` sends whole files to its workers.
pytestmark = [pytest.mark.system, pytest.mark.timeout(420)]

# So many lines are a log that grows.
SEEN_LINES = 5
RUN_TASK = "image_rebuild.run"


@dataclass(frozen=True)
class Rebuilt:
    """Hold what one rebuild has left, and the stack that it ran on, which still runs."""

    stack: Stack
    api: AirflowApi
    rebuild: Rebuild
    report: RebuildReport
    log_while_deferred: list[str]
    calls: list[dict[str, Any]]

    def blob(self, url: str) -> bytes:
        """Return a blob's whole content, pages that are not allocated as the zeros that they read as."""
        with blob_client(url, self.stack.emulator_environment) as client:
            return client.download_blob(max_concurrency=4).readall()

    def archived_lines(self, url: str) -> list[str]:
        """Return the lines of an archived log."""
        return gzip.decompress(self.blob(url)).decode().splitlines()

    def pushed_by_run(self) -> dict[str, Any]:
        """Return what the task that ran the image template has pushed."""
        return dict(self.api.xcom(self.rebuild.dag_id, self.rebuild.run_id, RUN_TASK))


def recorded_calls(stack: Stack) -> list[dict[str, Any]]:
    """Return the calls that the emulator has answered so far."""
    return control_door(stack).requests()


def control_door(stack: Stack) -> ControlClient:
    """Open the emulator's door for tests."""
    environment = stack.emulator_environment
    return ControlClient(environment["AIB_EMULATOR_CONTROL"], Path(environment["SSL_CERT_FILE"]))


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rebuilt]:
    """Start everything, rebuild an image once, and at the end see that nothing is left running."""
    stack = Stack(StackSettings(tmp_path_factory.mktemp("system") / "stack", vhd_size_mib=128))
    with stack, stack.api() as api:
        rebuild = Rebuild.trigger(api, show=print)
        seen: list[str] = []
        restarted: list[str] = []

        def observe(tasks: list[dict[str, Any]]) -> None:
            seen.extend(line for task in tasks if task["state"] == "deferred" for line in rebuild.log_lines(task))
            if not restarted and len({line for line in seen if "PACKER" in line}) > SEEN_LINES:
                # In the midst of the build: nothing below may show that it has happened.
                restarted.append("triggerer")
                stack.restart("triggerer")

        state = rebuild.follow(show=observe, seconds=240)
        report = rebuild.report(state, read_text=lambda _url: "")
        yield Rebuilt(stack, api, rebuild, report, seen, recorded_calls(stack))
        programs = stack.state.programs
    assert leftovers(programs) == []


def test_the_rebuild_succeeds(rebuilt: Rebuilt) -> None:
    """Every task succeeds, and run outputs, VHD and log are where they belong."""
    assert rebuilt.report.has_succeeded, format_report(rebuilt.report)
    assert {task.state for task in rebuilt.report.tasks} == {"success"}


def test_the_copied_vhd_is_the_original_byte_for_byte(rebuilt: Rebuilt) -> None:
    """The VHD in the user's container equals the one in the staging account."""
    (copied,) = rebuilt.report.vhds
    (original,) = [found["artifact_uri"] for found in rebuilt.pushed_by_run()["artifacts"] if found["kind"] == "VHD"]
    content = rebuilt.blob(copied.url)

    assert copied.url != original
    assert len(content) == 128 * 1024 * 1024 + 512
    assert content[-512:-504] == b"conectix"
    assert content == rebuilt.blob(original)


def test_the_archived_log_is_the_original_line_for_line(rebuilt: Rebuilt) -> None:
    """The log in the user's container equals the one in the staging account."""
    (archived,) = rebuilt.report.logs
    lines = rebuilt.archived_lines(archived.url)

    assert len(lines) > 20
    assert lines == rebuilt.blob(rebuilt.pushed_by_run()["log_location"]).decode().splitlines()


def test_the_task_log_grows_while_the_task_is_deferred(rebuilt: Rebuilt) -> None:
    """Lines of the customization log stand in the task's log before the run is over."""
    (archived,) = rebuilt.report.logs
    lines = set(rebuilt.archived_lines(archived.url))
    relayed = lines & set(rebuilt.log_while_deferred)

    assert len(relayed) > SEEN_LINES, rebuilt.log_while_deferred[-20:]


def test_the_whole_customization_log_was_relayed(rebuilt: Rebuilt) -> None:
    """Every line stands in the task's log once, in its order, though the triggerer was restarted in the midst of it."""
    (archived,) = rebuilt.report.logs
    lines = rebuilt.archived_lines(archived.url)
    (run,) = [task for task in rebuilt.rebuild.task_instances() if task["task_id"] == RUN_TASK]
    known = set(lines)

    assert [line for line in rebuilt.rebuild.log_lines(run) if line in known] == lines


def test_the_image_is_an_asset_event(rebuilt: Rebuilt) -> None:
    """Other DAGs can wait for the image: the event tells its artifacts and where the VHD is."""
    (event,) = rebuilt.api.asset_events(rebuilt.rebuild.dag_id)
    (copied,) = rebuilt.report.vhds

    assert event["extra"]["artifacts"] == rebuilt.pushed_by_run()["artifacts"]
    assert [vhd["destination"] for vhd in event["extra"]["vhds"]] == [copied.url]


def test_an_event_posted_for_the_base_image_wakes_the_next_rebuild(rebuilt: Rebuilt) -> None:
    """Whoever makes base images elsewhere says so over Airflow's REST API, and the DAG on top of it runs."""
    dag_id, base = "rebuild_on_base_update", "azure-vm-image://corp/linux-base"
    rebuilt.api.unpause(dag_id)
    rebuilt.api.post_asset_event(base, {"artifact_id": "elsewhere"})

    (run,) = wait_for(lambda: rebuilt.api.dag_runs(dag_id) or None, what="a run of the DAG", seconds=60)

    assert run["run_type"] == "asset_triggered"


def test_who_marks_a_deferred_run_failed_ends_the_build(rebuilt: Rebuilt) -> None:
    """The triggerer cancels the build in Azure: nobody pays for what nobody waits for."""
    dag_id, api = rebuilt.rebuild.dag_id, rebuilt.api
    # However slow this machine is, the build is not over before the person acts.
    control_door(rebuilt.stack).plan_failure(kind="hang")
    run_id = api.trigger(dag_id)

    def deferred() -> bool | None:
        states = {task["task_id"]: task["state"] for task in api.task_instances(dag_id, run_id)}
        return states.get(RUN_TASK) == "deferred" or None

    def relayed() -> bool | None:
        return any("Running" in str(record) for record in api.log_records(dag_id, run_id, RUN_TASK, 1)) or None

    def cancelled() -> bool | None:
        paths = [call["path"] for call in recorded_calls(rebuilt.stack) if call["method"] == "POST"]
        return any("/linux-vhd/cancel" in path for path in paths) or None

    wait_for(deferred, what="the run to be deferred", seconds=60)
    wait_for(relayed, what="the trigger to watch the run", seconds=60)
    api.mark_failed(dag_id, run_id, RUN_TASK)

    assert wait_for(cancelled, what="the build to be cancelled", seconds=40)


def test_the_connection_has_a_form_in_the_ui(rebuilt: Rebuilt) -> None:
    """The UI shows every field of the connection type, and hides what a person types as a secret."""
    form = rebuilt.api.connection_form("azure_image_builder")

    assert set(form["extra_fields"]) == set(CONNECTION_FIELDS)
    assert form["standard_fields"]["login"]["title"] == UI_FIELD_BEHAVIOUR["relabeling"]["login"]


def test_the_task_links_to_the_portal(rebuilt: Rebuilt) -> None:
    """After its deferral the task still links to the image template, the staging group and the image version."""
    links = rebuilt.api.extra_links(rebuilt.rebuild.dag_id, rebuilt.rebuild.run_id, RUN_TASK)
    pushed = rebuilt.pushed_by_run()
    (version,) = [found["artifact_id"] for found in pushed["artifacts"] if found["kind"] == "SharedImage"]

    assert str(links["Image template"]).endswith(f"/resource{pushed['image_template_id']}")
    assert "/resourceGroups/IT_images_linux-vhd_" in str(links["Staging resource group"])
    assert str(links["Gallery image version"]).endswith(f"/resource{version}")
    assert all(str(url).startswith("https://portal.azure.com/#@") for url in links.values())


def test_a_build_costs_one_read_of_resource_manager_for_each_look(rebuilt: Rebuilt) -> None:
    """What the README says of the cost in API calls: a read for each look, and about 25 calls around them."""
    arm = [call["path"] for call in rebuilt.calls if call["endpoint"] == "arm"]
    calls = [path for path in arm if path.startswith("/subscriptions/")]
    (run,) = [task for task in rebuilt.report.tasks if task.task_id == RUN_TASK]
    assert run.seconds is not None
    looks = run.seconds / rebuilt.stack.settings.poll_interval

    assert len(calls) < looks + 30


def test_the_connection_can_be_tested_in_the_ui(rebuilt: Rebuilt) -> None:
    """What the emulator hands out as a connection passes the test button, which really asks Azure."""
    connection = json.loads(rebuilt.stack.emulator_environment["AIRFLOW_CONN_AZURE_IMAGE_BUILDER_DEFAULT"])

    assert rebuilt.api.test_connection(connection)["status"] is True
    wrong = {**connection, "password": "wrong"}
    assert rebuilt.api.test_connection(wrong)["status"] is False


def test_the_ui_is_served_and_asks_for_a_password(rebuilt: Rebuilt) -> None:
    """The page is there for everybody, what it shows is not."""
    with httpx.Client(base_url=rebuilt.stack.state.url, trust_env=False) as anonymous:
        assert "<html" in anonymous.get("/", follow_redirects=True).text
        assert anonymous.get("/api/v2/dags").status_code == httpx.codes.UNAUTHORIZED

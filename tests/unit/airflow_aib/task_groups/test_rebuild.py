from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from airflow.sdk import DAG, Asset, TriggerRule

from airflow_aib.assets.image import image_asset
from airflow_aib.image_template.checks import check
from airflow_aib.image_template.document import read_document
from airflow_aib.image_template.render import RenderContext, render
from airflow_aib.task_groups.rebuild import image_rebuild

DAGS = Path(__file__).resolve().parents[4] / "dags"
DOCUMENTS = sorted((DAGS / "image_templates").glob("*.json"))
PARAMETERS = {
    "region": "eastus",
    "identityName": "image-builder",
    "gallery": "corp",
    "imageDefinition": "linux-base",
    "baseDefinition": "linux-base",
    "imageName": "linux-web",
    "scripts": "https://raw.githubusercontent.com/example/images/main",
}
LOAD = """
import runpy, sys
for file in {files}:
    runpy.run_path(file)
heavy = [name for name in sys.modules if name.split(".")[0] in ("azure", "aiohttp", "fastapi")]
print(heavy)
"""


def rebuild(**arguments: Any) -> DAG:
    """Make a DAG of one rebuild."""
    with DAG("dag", schedule=None) as dag:
        image_rebuild(image_template={}, resource_group_name="images", log_destination="account/logs", **arguments)
    return dag


def edges(dag: DAG) -> set[tuple[str, str]]:
    """Return which task directly comes before which."""
    return {
        (task.task_id.removeprefix("image_rebuild."), after.removeprefix("image_rebuild."))
        for task in dag.tasks
        for after in task.downstream_task_ids
    }


def test_the_chain_without_vhd() -> None:
    """Create, run, collect the logs, publish."""
    assert {task.task_id for task in rebuild().tasks} == {
        f"image_rebuild.{name}" for name in ("create", "run", "collect_logs", "publish")
    }


def test_the_chain_with_vhd() -> None:
    """With a destination for VHDs they are copied beside the logs, before anything is published."""
    found = edges(rebuild(vhd_destination="account/vhds"))

    saved = {("run", "collect_logs"), ("run", "copy_vhds")}
    published = {(name, "publish") for name in ("run", "collect_logs", "copy_vhds")}
    assert found == {("create", "run")} | saved | published


def test_logs_are_collected_whatever_happened() -> None:
    """Only the log's task runs after a failure; all others need everything before them."""
    rules = {task.task_id: task.trigger_rule for task in rebuild(vhd_destination="account/vhds").tasks}

    assert rules.pop("image_rebuild.collect_logs") == TriggerRule.ALL_DONE
    assert set(rules.values()) == {TriggerRule.ALL_SUCCESS}


def test_a_parse_fills_in_only_what_differs() -> None:
    """Airflow writes down each field that is filled, of each task, at every parse; what can be found later is not."""
    with DAG("dag", schedule=None) as dag:
        image_rebuild(
            image_template="linux.json",
            resource_group_name="g",
            log_destination="store/logs",
            vhd_destination="store/vhds",
        )
    tasks: list[Any] = dag.tasks

    filled = {task.label: {name for name in task.template_fields if getattr(task, name) is not None} for task in tasks}

    assert filled == {
        "create": {"image_template", "resource_group_name"},
        "run": {"image_template_id"},
        "collect_logs": {"destination"},
        "copy_vhds": {"destination"},
        "publish": set(),
    }


def test_only_the_last_task_emits_the_asset() -> None:
    """The image is published once it is saved, and by nobody else."""
    asset = image_asset("corp", "linux-base")
    outlets = {task.task_id: task.outlets for task in rebuild(asset=asset).tasks}

    assert outlets.pop("image_rebuild.publish") == [asset]
    assert [outlet for outlet in outlets.values() if outlet] == []


def test_tasks_can_be_told_more() -> None:
    """Each task takes further arguments, which beat those of the whole group."""
    dag = rebuild(
        vhd_destination="store/vhds",
        create_args={"discard_logs": True, "deferrable": False},
        run_args={"retries": 2},
        copy_args={"legal_hold": True},
        collect_args={"pool": "saving", "azure_conn_id": "logs"},
        publish_args={"retries": 3, "queue": "light"},
    )

    create: Any = dag.get_task("image_rebuild.create")
    run: Any = dag.get_task("image_rebuild.run")
    copy_vhds: Any = dag.get_task("image_rebuild.copy_vhds")
    assert (create.deferrable, run.deferrable, run.retries) == (False, True, 2)
    assert (copy_vhds.deferrable, copy_vhds.options.legal_hold) == (True, True)
    assert create.accepted_losses.discard_logs
    collect_logs: Any = dag.get_task("image_rebuild.collect_logs")
    publish: Any = dag.get_task("image_rebuild.publish")
    assert (collect_logs.pool, collect_logs.azure_conn_id, collect_logs.trigger_rule) == ("saving", "logs", "all_done")
    assert (publish.retries, publish.queue) == (3, "light")


def test_publishing_may_emit_more() -> None:
    """An outlet of one's own stands beside the asset."""
    other = Asset("https://images.example/other")

    asset = image_asset("corp", "linux-base")
    publish = rebuild(asset=asset, publish_args={"outlets": [other]}).get_task("image_rebuild.publish")

    assert publish.outlets == [other, asset]


@pytest.mark.parametrize(
    ("arguments", "default", "is_deferred"),
    [({}, "False", True), ({"deferrable": False}, "True", False), ({"deferrable": None}, "True", True)],
)
def test_what_only_waits_holds_no_worker_slot(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], default: str, *, is_deferred: bool
) -> None:
    """Whatever Airflow's default is, the tasks wait on the triggerer, unless told otherwise."""
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", default)

    dag = rebuild(vhd_destination="store/vhds", **arguments)

    tasks: list[Any] = [dag.get_task(f"image_rebuild.{name}") for name in ("create", "run", "copy_vhds")]
    assert [task.deferrable for task in tasks] == [is_deferred] * 3


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_the_documents_are_good(path: Path) -> None:
    """Each document renders with the parameters that the DAGs give, and nothing is found in it.

    Each asks for some of the parameters only.
    """
    rendered = render(read_document(path), PARAMETERS, RenderContext("subscription", "images"))

    assert [str(finding) for finding in check(rendered) if finding.rule != "parameter-unused"] == []
    assert rendered.changes == ()


def test_the_documents_use_every_kind() -> None:
    """Between them, the documents show every kind of customizer and distributor, scripts inline and by address."""
    bodies = [render(read_document(path), PARAMETERS, RenderContext("s", "g")).body for path in DOCUMENTS]
    customizers = [item for body in bodies for item in body["properties"]["customize"]]
    distributors = [item for body in bodies for item in body["properties"]["distribute"]]

    assert {item["type"] for item in customizers} == {"Shell", "PowerShell", "File", "WindowsRestart", "WindowsUpdate"}
    assert {item["type"] for item in distributors} == {"ManagedImage", "SharedImage", "VHD"}
    for kind in ("Shell", "PowerShell"):
        members = {name for item in customizers if item["type"] == kind for name in item}
        assert members >= {"inline", "scriptUri"}


def test_dag_files_load_no_sdk(tmp_path: Path) -> None:
    """Reading the examples loads neither an Azure SDK nor an HTTP client."""
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    script = LOAD.format(files=[str(file) for file in sorted(DAGS.glob("*.py"))])
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment)

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "may_leave_vhds"),
    [
        ({}, False),
        ({"vhd_destination": "store/vhds"}, True),
        ({"create_args": {"may_leave_vhds": True}}, True),
    ],
)
def test_without_a_place_for_vhds_none_may_be_left(arguments: dict[str, Any], *, may_leave_vhds: bool) -> None:
    """Where `copy_vhds` is not there, `create` refuses a document that leaves a VHD, unless told otherwise."""
    create: Any = rebuild(**arguments).get_task("image_rebuild.create")

    assert create.may_leave_vhds == may_leave_vhds


def test_nothing_is_said_about_copies_that_are_not_made() -> None:
    """Arguments for a task that is not there would be ignored."""
    with pytest.raises(ValueError, match="copy_args is given, and vhd_destination is not"):
        rebuild(copy_args={"retain_for": timedelta(days=30)})


@pytest.mark.parametrize(
    "shared",
    [
        {"resource_group_name": "images", "image_template_name": "linux"},
        {"image_template_name": "linux"},
        {"image_template_id": "/subscriptions/s/resourceGroups/g/providers/x/y/linux"},
    ],
)
def test_an_image_template_that_all_tasks_share_is_not_meant_for_the_run(shared: dict[str, str]) -> None:
    """What the DAG's `default_args` name is neither run nor archived nor copied in place of what `create` has made."""
    with DAG("dag", schedule=None, default_args=shared) as dag:
        image_rebuild(
            image_template={},
            resource_group_name="images",
            log_destination="account/logs",
            vhd_destination="account/vhds",
        )

    run, *saving = (cast("Any", dag.get_task(f"image_rebuild.{name}")) for name in ("run", "collect_logs", "copy_vhds"))
    assert (bool(run.image_template_id), run.image_template_name) == (True, None)
    assert [(task.image_template_id, task.resource_group_name, task.image_template_name) for task in saving] == [
        (None, None, None)
    ] * 2

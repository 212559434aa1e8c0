from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Asset
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.serialization.serialized_objects import DagSerialization

from airflow_aib.exceptions import ImageTemplateError, ImageTemplateReadError
from airflow_aib.image_template.document import read_document
from airflow_aib.operators.image_template import AzureImageTemplateCreateOperator
from airflow_aib.task_groups.fleet import image_rebuild_dags

if TYPE_CHECKING:
    from airflow.sdk import DAG

ROOT = Path(__file__).resolve().parents[4]
DOCUMENTS = ROOT / "dags" / "image_templates"
GUIDE = ROOT / "docs" / "how-to" / "fleet.md"
PARAMETERS = {"gallery": "corp", "imageDefinition": "linux"}
# As Airflow itself reads a DAG file, in a process of its own; `wanted` is the DAG that a worker is about to run.
PARSE = """
import json, os, sys
wanted = json.loads(sys.argv[2])
if wanted:
    os.environ["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = wanted
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
known = [name for name in sys.modules if name.startswith("airflow_aib.image_template.")]
print(json.dumps({
    "dags": {dag_id: [sorted(dag.task_ids), dag.fileloc] for dag_id, dag in sorted(bag.dags.items())},
    "errors": bag.import_errors,
    "knows_image_templates": "airflow_aib.image_template.outlining" in known,
}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two good documents, one of them with a VHD, and what is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("linux", "linux_vhd"):
        (folder / f"{name}.json").write_bytes((DOCUMENTS / f"{name}.json").read_bytes())
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.json").write_text("{")
    return folder


def fleet(folder: Path, **more: Any) -> dict[str, DAG]:
    """Make the fleet of a folder."""
    settings = {
        "resource_group_name": "images",
        "log_destination": "imagestore/images/logs",
        "vhd_destination": "imagestore/images/vhds",
        "parameters": PARAMETERS,
        "cache_folder": folder.parent / "cache",
        **more,
    }
    return {dag.dag_id: dag for dag in image_rebuild_dags(folder, **settings)}


def create(dag: DAG) -> AzureImageTemplateCreateOperator:
    """Return the task that creates the image template."""
    task = dag.get_task("image_rebuild.create")
    assert isinstance(task, AzureImageTemplateCreateOperator)
    return task


def assets(dag: DAG) -> list[str]:
    """Return the addresses of what the DAG emits."""
    outlets = dag.get_task("image_rebuild.publish").outlets
    return [asset.uri for asset in outlets if isinstance(asset, Asset)]


def test_each_document_has_a_dag(folder: Path) -> None:
    """VHDs are copied where the document makes any."""
    dags = fleet(folder)

    assert dags.keys() == {"rebuild_linux", "rebuild_linux_vhd"}
    assert "image_rebuild.copy_vhds" in dags["rebuild_linux_vhd"].task_ids
    assert "image_rebuild.copy_vhds" not in dags["rebuild_linux"].task_ids
    assert {dag.max_active_runs for dag in dags.values()} == {1}
    task = create(dags["rebuild_linux"])
    assert (task.image_template, task.parameters) == (str(folder / "linux.json"), PARAMETERS)


def test_the_image_is_an_asset(folder: Path) -> None:
    """Other DAGs can wait for each image, unless nobody wants that."""
    assert assets(fleet(folder)["rebuild_linux"]) == ["azure-vm-image://corp/linux"]
    assert assets(fleet(folder, emit_assets=False)["rebuild_linux"]) == []


def test_an_image_that_is_not_known_yet_is_no_asset(folder: Path) -> None:
    """Where only a run knows the gallery, nothing is guessed."""
    assert assets(fleet(folder, parameters={})["rebuild_linux"]) == []


def test_a_document_may_have_parameters_of_its_own(folder: Path) -> None:
    """The file beside it counts instead of the common ones, and is no document itself."""
    (folder / "linux.parameters.json").write_text(json.dumps({"gallery": "lab", "imageDefinition": "own"}))
    dags = fleet(folder)

    assert dags.keys() == {"rebuild_linux", "rebuild_linux_vhd"}
    assert create(dags["rebuild_linux"]).parameters == str(folder / "linux.parameters.json")
    assert assets(dags["rebuild_linux"]) == ["azure-vm-image://lab/own"]


def test_each_dag_may_have_its_own_schedule(folder: Path) -> None:
    """Two hundred builds need not begin at three o'clock."""
    dags = fleet(folder, schedule=lambda name: f"{len(name)} 3 * * *", dag_args={"max_active_runs": 2}, tags=["golden"])

    assert {dag_id: str(dag.schedule) for dag_id, dag in dags.items()} == {
        "rebuild_linux": "5 3 * * *",
        "rebuild_linux_vhd": "9 3 * * *",
    }
    assert all((dag.max_active_runs, dag.tags) == (2, {"golden"}) for dag in dags.values())


@pytest.mark.parametrize("schedule", [None, "@weekly", "0 3 * * 1", timedelta(days=7)])
@pytest.mark.parametrize("intervals", ["False", "True"], ids=["moments", "intervals"])
def test_what_dags_share_does_not_show(
    folder: Path, monkeypatch: pytest.MonkeyPatch, schedule: Any, intervals: str
) -> None:
    """A DAG of a fleet is stored exactly as it is where it was made alone."""
    monkeypatch.setenv("AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS", intervals)
    monkeypatch.setenv("AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG", "7")
    together = fleet(folder, schedule=schedule)
    for dag_id, dag in together.items():
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        alone = fleet(folder, schedule=schedule)[dag_id]
        assert (dag.schedule, dag.max_active_tasks) == (schedule, 7)
        assert DagSerialization.to_dict(dag) == DagSerialization.to_dict(alone)


def test_a_schedule_is_read_once(folder: Path) -> None:
    """DAGs with the same cron expression have one timetable, in the scheduler's own form."""
    one, other = (dag.timetable for dag in fleet(folder, schedule="0 3 * * 1").values())

    assert one is other
    assert coerce_to_core_timetable(one) is one


def test_dags_may_take_what_the_configuration_does_not_give(folder: Path) -> None:
    """What is shared is looked up only where it is not given."""
    dags = fleet(folder, dag_args={"max_active_tasks": 3, "disable_bundle_versioning": True})

    assert {(dag.max_active_tasks, dag.disable_bundle_versioning) for dag in dags.values()} == {(3, True)}


def test_one_bad_document_hides_no_other(folder: Path) -> None:
    """Its DAG is there, and says what is wrong."""
    (folder / "broken.json").write_text('{"type": ')
    dags = fleet(folder)

    assert dags.keys() == {"rebuild_broken", "rebuild_linux", "rebuild_linux_vhd"}
    assert "document-error" in dags["rebuild_broken"].tags
    assert "document-error" not in dags["rebuild_linux"].tags
    assert "broken.json" in (dags["rebuild_broken"].doc_md or "")


@pytest.mark.parametrize(
    ("name", "dag_id"), [("gone.json", "rebuild_gone"), ("linux.parameters.json", "rebuild_linux")]
)
def test_a_file_that_cannot_be_opened_keeps_no_other_image_from_being_rebuilt(
    folder: Path, name: str, dag_id: str
) -> None:
    """A link that leads nowhere, a folder, a file without rights: its DAG says so, and the others are there."""
    (folder / name).symlink_to(folder / "nowhere")
    dags = fleet(folder)

    assert {found for found, dag in dags.items() if "document-error" in dag.tags} == {dag_id}
    assert "rebuild_linux_vhd" in dags
    assert name in (dags[dag_id].doc_md or "")


def test_each_image_template_of_a_file_has_a_dag(folder: Path) -> None:
    """The task that creates it is told which one is meant."""
    body = read_document(DOCUMENTS / "linux.json").body
    (folder / "linux.json").write_text(json.dumps({"resources": [body | {"name": name} for name in "ab"]}))
    dags = fleet(folder, create_args={"discard_logs": True})

    assert dags.keys() == {"rebuild_linux_a", "rebuild_linux_b", "rebuild_linux_vhd"}
    task = create(dags["rebuild_linux_b"])
    assert (task.document_name, task.accepted_losses.discard_logs) == ("b", True)


@pytest.mark.parametrize("word", ["may_leave_vhds", "discard_vhds"])
def test_vhds_may_be_left_to_others(folder: Path, word: str) -> None:
    """What `create` is told there holds for the fleet as for a single rebuild."""
    dags = fleet(folder, vhd_destination=None, create_args={word: True})

    assert "image_rebuild.copy_vhds" not in dags["rebuild_linux_vhd"].task_ids


def test_a_vhd_that_nobody_would_copy_is_refused(folder: Path) -> None:
    """The error names the document, and what to give."""
    with pytest.raises(ImageTemplateError, match=r"linux_vhd\.json.* Give `vhd_destination`"):
        fleet(folder, vhd_destination=None)


def test_arguments_of_copies_are_for_the_documents_that_make_vhds(folder: Path) -> None:
    """A fleet says once how VHDs are copied, whatever else it builds."""
    dags = fleet(folder, copy_args={"legal_hold": True})

    copies = {dag_id: [task for task in dag.tasks if task.label == "copy_vhds"] for dag_id, dag in dags.items()}
    assert [len(tasks) for _, tasks in sorted(copies.items())] == [0, 1]
    copy_vhds: Any = copies["rebuild_linux_vhd"][0]
    assert copy_vhds.options.legal_hold


def test_two_documents_of_one_name_are_refused(folder: Path) -> None:
    """Neither of two DAGs with the same id would be seen."""
    (folder / "linux.yaml").write_text("a: 1")

    with pytest.raises(ImageTemplateReadError, match=r"the same DAG: linux\.json, linux\.yaml"):
        fleet(folder)


@pytest.mark.parametrize(("there", "words"), [(False, "cannot be read"), (True, "holds no document")])
def test_a_folder_without_documents_is_refused(tmp_path: Path, words: str, *, there: bool) -> None:
    """A misspelt folder is no empty fleet."""
    folder = tmp_path / "nowhere"
    if there:
        folder.mkdir()

    with pytest.raises(ImageTemplateReadError, match=words):
        fleet(folder)


def test_the_guide_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the how-to shows makes DAGs, at different minutes."""
    monkeypatch.setattr(Path, "home", lambda: folder.parent)
    (code,) = re.findall(r"(?s)```python\n(.*?)```", GUIDE.read_text())
    code = code.replace("image_rebuild_dags(\n", "dags = image_rebuild_dags(\n")
    names: dict[str, Any] = {"__file__": str(folder.parent / "dag_file.py")}

    exec(code, names)  # noqa: S102 - our own documentation

    assert len({str(dag.schedule) for dag in names["dags"]}) == 2


def test_a_user_without_a_home_has_dags_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container with a user id that no file knows has no place to remember documents in, and needs none."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)

    assert fleet(folder, cache_folder=None).keys() == {"rebuild_linux", "rebuild_linux_vhd"}


def parse(folder: Path, wanted: str | None = None) -> dict[str, Any]:
    """Have Airflow read a DAG file with the fleet of a folder."""
    file = folder.parent / "dag_file.py"
    file.write_text(
        "from pathlib import Path\n"
        "from airflow_aib.task_groups.fleet import image_rebuild_dags\n"
        f"image_rebuild_dags(Path({str(folder)!r}), resource_group_name='images', log_destination='store/logs', "
        f"vhd_destination='store/vhds', cache_folder={str(folder.parent / 'cache')!r})\n"
    )
    environment = {
        "PATH": os.defpath,
        "AIRFLOW_HOME": str(folder.parent / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "no",
    }
    command = [sys.executable, "-c", PARSE, str(file), json.dumps(wanted)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    parsed: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return parsed


def test_airflow_finds_the_dags_and_their_file(folder: Path) -> None:
    """The DAG file need not keep them; the second time, nothing that knows image templates is loaded for it."""
    first, second = parse(folder), parse(folder)

    assert first["errors"] == {}
    assert first["dags"] == second["dags"]
    assert {dag_id: file for dag_id, (_, file) in first["dags"].items()} == dict.fromkeys(
        ["rebuild_linux", "rebuild_linux_vhd"], str(folder.parent / "dag_file.py")
    )
    assert (first["knows_image_templates"], second["knows_image_templates"]) == (True, False)


def test_a_worker_makes_only_the_dag_that_it_runs(folder: Path) -> None:
    """Each task of a fleet of two hundred would wait for the other 199 otherwise."""
    (folder / "broken.json").write_text("{")

    assert list(parse(folder, "rebuild_linux")["dags"]) == ["rebuild_linux"]

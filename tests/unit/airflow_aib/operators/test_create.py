from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.sdk._shared.secrets_masker import redact
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

from airflow_aib.exceptions import (
    ImageTemplateCheckError,
    ImageTemplateError,
    ImageTemplateReadError,
    ImageTemplateRenderError,
)
from airflow_aib.hooks.connection import settings_from_connection
from airflow_aib.hooks.submission import Submitted
from airflow_aib.operators.image_template import AzureImageTemplateCreateOperator
from tests.unit.airflow_aib.image_template.sample_documents import body

if TYPE_CHECKING:
    from airflow_aib.image_template.render import RenderedImageTemplate

DATED = {
    "parameters": {"version": {"type": "string", "defaultValue": "[utcNow('yyyy.MM.dd')]"}},
    "resources": [
        {
            **body(),
            "type": "Microsoft.VirtualMachineImages/imageTemplates",
            "name": "linux",
            "tags": {"version": "[parameters('version')]"},
        }
    ],
}


@dataclass(frozen=True)
class FakeDagRun:
    """Be a DAG run that is due at a moment."""

    run_after: datetime


class CreateOnNothing(AzureImageTemplateCreateOperator):
    """Remember what would be submitted, and be done."""

    submitted: list[RenderedImageTemplate]

    async def _submit(self, image_template_id: str, rendered: RenderedImageTemplate) -> Submitted:
        self.submitted.append(rendered)
        return Submitted({"id": image_template_id, "properties": {"provisioningState": "Succeeded"}})


def create(**arguments: Any) -> CreateOnNothing:
    """Make the operator with a connection that it never uses."""
    operator = CreateOnNothing(**{"task_id": "create", "resource_group_name": "images"} | arguments)
    operator.submitted = []
    operator.hook.__dict__["settings"] = settings_from_connection(
        conn_type="azure_image_builder", extra={"subscriptionId": "s", "auth_method": "default"}
    )
    operator.render_template_fields({})
    return operator


def test_a_resource_id_is_refused() -> None:
    """An image template that is to be created cannot be named by its resource id, which nothing would read."""
    with pytest.raises(TypeError, match="image_template_id"):
        create(image_template=DATED, image_template_id="/subscriptions/s")


def test_a_resource_id_for_all_tasks_is_not_meant_for_this_one() -> None:
    """One in the DAG's `default_args` is for the tasks that work on what is there."""
    with DAG("dag", schedule=None, default_args={"image_template_id": "/subscriptions/s"}):
        operator = create(image_template=DATED)

    assert operator.image_template_id is None


def test_every_try_renders_the_same_moment() -> None:
    """`utcNow()` is the moment of the DAG run, so that a retry submits the same body."""
    operator = create(image_template=DATED)
    context: Any = {"dag_run": FakeDagRun(datetime(2026, 1, 5, 3, tzinfo=UTC))}

    operator.execute(context)
    operator.execute(context)

    assert [rendered.body["tags"] for rendered in operator.submitted] == [{"version": "2026.01.05"}] * 2


def test_without_a_dag_run_there_is_no_moment() -> None:
    """No clock of the machine is read in its place."""
    with pytest.raises(ImageTemplateRenderError, match="utcNow"):
        create(image_template=DATED).execute({})


@pytest.mark.parametrize("as_path", [True, False])
def test_parameters_from_a_file_beside_the_dag(tmp_path: Path, *, as_path: bool) -> None:
    """The path of a parameters file is relative to the DAG file, and a Jinja template."""
    folder = tmp_path / "prod"
    folder.mkdir()
    (folder / "linux.json").write_text(json.dumps({"parameters": {"version": {"value": "7"}}}))
    given = "{{ 'prod' }}/linux.json"
    with DAG("dag", schedule=None) as dag:
        dag.fileloc = str(tmp_path / "dag.py")
        operator = create(image_template=DATED, parameters=Path(given) if as_path else given)

    operator.execute({})

    assert operator.submitted[0].body["tags"] == {"version": "7"}
    assert operator.parameters == "prod/linux.json"


def test_secrets_of_a_parameters_file_are_masked(tmp_path: Path) -> None:
    """A secure value is masked wherever Airflow shows it, whether it stands in the DAG or in a file."""
    document = {**DATED, "parameters": {"version": {"type": "securestring"}}}
    file = tmp_path / "linux.yaml"
    file.write_text("version: hunter44")
    operator = create(image_template=document, parameters=file, location="hunter44")

    shown = json.dumps(_serialize_rendered_fields(operator))

    assert str(file) in shown
    assert "hunter44" not in shown


def test_what_is_made_of_a_secret_is_masked_in_the_log() -> None:
    """Airflow hides the value of a secure parameter, and what the document's expressions make of it."""
    resource = {
        **body(),
        "type": "Microsoft.VirtualMachineImages/imageTemplates",
        "name": "linux",
        "tags": {"version": "[toUpper(parameters('version'))]"},
    }
    document = {"parameters": {"version": {"type": "securestring"}}, "resources": [resource]}
    operator = create(image_template=document, parameters={"version": "made-of-hunter45"})

    operator.execute({})

    assert operator.submitted[0].body["tags"] == {"version": "MADE-OF-HUNTER45"}
    assert redact("made-of-hunter45, MADE-OF-HUNTER45") == "***, ***"


def test_a_parameters_file_that_is_not_there() -> None:
    """Rendering the fields goes on without it, and the task says what is wrong."""
    operator = create(image_template=DATED, parameters="/nowhere.json")

    with pytest.raises(ImageTemplateReadError, match=r"Cannot read parameters /nowhere\.json"):
        operator.execute({})


def test_parameters_of_another_kind() -> None:
    """What another task returned must be a mapping, or a path."""
    operator = create(image_template=DATED)
    operator.parameters = ["version"]

    with pytest.raises(ImageTemplateRenderError, match="`parameters` of task create became list"):
        operator.execute({})


BAD = body(buildTimeoutInMinutes=3, distribute=[{"type": "VHD", "runOutputName": "a b"}])


def test_every_error_is_listed_with_its_line(tmp_path: Path) -> None:
    """What Azure would refuse is told at once, all of it, and nothing is submitted."""
    file = tmp_path / "linux.json"
    file.write_text(json.dumps(BAD | {"name": "linux"}, indent=2))
    operator = create(image_template=str(file))

    with pytest.raises(ImageTemplateCheckError) as caught:
        operator.execute({})

    rules = {finding.rule for finding in caught.value.findings if finding.severity == "error"}
    assert rules == {"timeout-too-short", "member-form"}
    lines = [str(finding.line) for finding in caught.value.findings]
    assert all(f"{file}:{line}:" in str(caught.value) for line in lines)
    assert operator.submitted == []


def test_rules_can_be_switched_off_for_a_task(capsys: pytest.CaptureFixture[str]) -> None:
    """A rule that the task switches off does not count, and the log says why."""
    document = body(buildTimeoutInMinutes=3) | {"name": "linux"}
    operator = create(image_template=document, disabled_rules={"timeout-too-short": "a trial"})

    operator.execute({})

    assert len(operator.submitted) == 1
    assert "Switched off (a trial): error: /properties/buildTimeoutInMinutes" in capsys.readouterr().out


OWN_PLACE = {"type": "VHD", "runOutputName": "own", "uri": "https://store.blob.core.windows.net/vhds/a.vhd"}


def test_a_vhd_that_nobody_copies_is_refused() -> None:
    """Where no task copies VHDs, a document that leaves one in the staging resource group is an error beforehand."""
    document = body(distribute=[{"type": "VHD", "runOutputName": "disk"}, OWN_PLACE]) | {"name": "linux"}
    operator = create(image_template=document, may_leave_vhds=False)

    with pytest.raises(ImageTemplateError, match=r"nobody copies .*: disk. Give the task group a `vhd_destination`"):
        operator.execute({})

    assert operator.submitted == []


@pytest.mark.parametrize(
    ("arguments", "distributor", "is_told"),
    [
        ({}, {"type": "VHD", "runOutputName": "disk"}, False),
        ({"may_leave_vhds": False}, OWN_PLACE, False),
        ({"may_leave_vhds": False, "discard_vhds": True}, {"type": "VHD", "runOutputName": "disk"}, True),
    ],
    ids=["copied by another task", "not in the staging resource group", "given up"],
)
def test_a_vhd_that_is_copied_or_given_up_is_fine(
    capsys: pytest.CaptureFixture[str], arguments: dict[str, Any], distributor: dict[str, Any], *, is_told: bool
) -> None:
    """It is submitted; what is given up is told."""
    operator = create(image_template=body(distribute=[distributor]) | {"name": "linux"}, **arguments)

    operator.execute({})

    assert len(operator.submitted) == 1
    assert ("They are given up" in capsys.readouterr().out) == is_told

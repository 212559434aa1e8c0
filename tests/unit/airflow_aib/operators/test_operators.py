from __future__ import annotations

import importlib
import inspect
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.sdk import DAG, Asset, BaseOperator, ExceptionRetryPolicy
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields

from airflow_aib import exceptions
from airflow_aib.get_provider_info import get_provider_info
from airflow_aib.hooks.default_connection import DEFAULT_CONNECTION_ID
from airflow_aib.hooks.run_report import RunReport
from airflow_aib.image_run.run_handle import ImageRunHandle
from airflow_aib.image_run.run_status import LastRunStatus
from airflow_aib.operators.asset import AzureImagePublishOperator
from airflow_aib.operators.image_run import AzureImageTemplateCancelOperator, AzureImageTemplateRunOperator
from airflow_aib.operators.image_template import AzureImageTemplateCreateOperator, AzureImageTemplateDeleteOperator
from airflow_aib.operators.log import AzureImageLogCollectOperator
from airflow_aib.operators.retry import ImageBuilderRetryPolicy
from airflow_aib.operators.vhd import AzureImageVhdCopyOperator
from airflow_aib.sensors.image_run import AzureImageTemplateRunSensor

if TYPE_CHECKING:
    from airflow.sdk import Context

OPERATORS: list[type[BaseOperator]] = [
    AzureImageLogCollectOperator,
    AzureImagePublishOperator,
    AzureImageTemplateCancelOperator,
    AzureImageTemplateCreateOperator,
    AzureImageTemplateDeleteOperator,
    AzureImageTemplateRunOperator,
    AzureImageTemplateRunSensor,
    AzureImageVhdCopyOperator,
]
WITH_CONNECTION = [operator for operator in OPERATORS if operator is not AzureImagePublishOperator]
WAITING: list[type[BaseOperator]] = [
    AzureImageTemplateCancelOperator,
    AzureImageTemplateDeleteOperator,
    AzureImageTemplateRunOperator,
]
SAVING: list[type[BaseOperator]] = [AzureImageLogCollectOperator, AzureImageVhdCopyOperator]
NAMED: dict[str, Any] = {"image_template_id": "/id"}
# What an operator cannot do without.
REQUIRED: dict[type[BaseOperator], dict[str, Any]] = {
    **dict.fromkeys([*WAITING, AzureImageTemplateRunSensor], NAMED),
    AzureImageLogCollectOperator: {"destination": "account/container", **NAMED},
    AzureImagePublishOperator: {"image_run": {}},
    AzureImageTemplateCreateOperator: {"image_template": {}, "resource_group_name": "images"},
    AzureImageVhdCopyOperator: {"destination": "account/container", **NAMED},
}


def make(operator: type[BaseOperator], **arguments: Any) -> Any:
    """Make an operator with what it needs."""
    return operator(task_id="task", **REQUIRED[operator], **arguments)


def constructor_arguments(operator: type) -> list[inspect.Parameter]:
    """Return the arguments that an operator's own constructor names."""
    return [
        parameter
        for name, parameter in inspect.signature(operator).parameters.items()
        if name not in {"self", "kwargs"}
    ]


@pytest.mark.parametrize("operator", OPERATORS)
def test_arguments_are_keywords(operator: type[BaseOperator]) -> None:
    """Every argument is given by name, so that one can be added without breaking a DAG."""
    assert {parameter.kind for parameter in constructor_arguments(operator)} <= {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("operator", [*WAITING, AzureImageTemplateCreateOperator])
def test_the_execution_timeout_bounds_every_deferral(operator: type[BaseOperator]) -> None:
    """Airflow counts each leg on a worker anew, and nothing of the time between: the trigger's deadline counts all."""
    made = make(operator, execution_timeout=timedelta(minutes=5))
    made.pre_execute({})

    with pytest.raises(TaskDeferred) as deferred:
        made.defer_until("deleted", "image template", timedelta(hours=1))

    _, kwargs = deferred.value.trigger.serialize()
    assert kwargs["deadline"] == made.times_out_at.isoformat()
    assert made.times_out_at - datetime.now(UTC) <= timedelta(minutes=5)
    assert isinstance(deferred.value.timeout, timedelta)
    assert deferred.value.timeout <= timedelta(minutes=5) + made.waiting.defer_margin


@pytest.mark.parametrize("operator", OPERATORS)
def test_template_fields_are_there(operator: type[BaseOperator]) -> None:
    """Each template field is an attribute, and each renderer belongs to a template field."""
    made = make(operator)

    assert [field for field in operator.template_fields if not hasattr(made, field)] == []
    assert set(operator.template_fields_renderers) <= set(operator.template_fields)


@pytest.mark.parametrize("operator", WITH_CONNECTION)
def test_the_connection_is_a_template_field(operator: type[BaseOperator]) -> None:
    """The connection's id may differ from run to run."""
    assert "azure_conn_id" in operator.template_fields


@pytest.mark.parametrize("operator", OPERATORS)
def test_no_file_is_a_jinja_template(operator: type[BaseOperator]) -> None:
    """Airflow reads no file in the place of its path: documents hold scripts with braces of their own."""
    assert tuple(operator.template_ext) == ()


def test_every_operator_has_its_color() -> None:
    """Tasks of this provider can be told apart in the graph."""
    assert [operator for operator in OPERATORS if operator.ui_color == BaseOperator.ui_color] == []


def test_the_provider_lists_every_operator() -> None:
    """The table of this test is the provider's."""
    info = get_provider_info()
    modules = [name for role in ("operators", "sensors") for entry in info[role] for name in entry["python-modules"]]
    found = {
        value
        for module in map(importlib.import_module, modules)
        for name, value in vars(module).items()
        if name.startswith("Azure") and name.endswith(("Operator", "Sensor")) and value.__module__ == module.__name__
    }

    assert found == set(OPERATORS)


@pytest.mark.parametrize("operator", WAITING)
def test_not_waiting_beats_deferrable(operator: type[BaseOperator]) -> None:
    """A task that does not wait never defers."""
    assert not make(operator, wait_for_completion=False, deferrable=True).deferrable


@pytest.mark.parametrize("operator", [*WAITING, AzureImageTemplateCreateOperator, AzureImageTemplateRunSensor])
def test_the_deployment_decides_about_deferring(operator: type[BaseOperator], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an argument, Airflow's own `default_deferrable` holds."""
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert make(operator).deferrable
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "False")
    assert not make(operator).deferrable


def test_a_wrong_document_is_not_tried_again() -> None:
    """Operators come with the policy that fails at once where a retry cannot help."""
    assert isinstance(make(AzureImageTemplateCreateOperator).retry_policy, ImageBuilderRetryPolicy)


def test_a_policy_of_the_dag_wins() -> None:
    """A retry policy in the DAG's default arguments takes the place of ours."""
    policy = ExceptionRetryPolicy(rules=[])
    with DAG("dag", schedule=None, default_args={"retry_policy": policy}):
        operator = make(AzureImageTemplateCreateOperator)

    assert operator.retry_policy is policy


@pytest.mark.parametrize("given", ["documents/linux.json", Path("documents/linux.json")])
def test_the_path_of_a_document_is_rendered(given: str | Path) -> None:
    """A path is text to Airflow, and a Jinja template."""
    operator = AzureImageTemplateCreateOperator(
        task_id="create", image_template=given, resource_group_name="images", parameters={"a": "{{ 1 + 1 }}"}
    )
    operator.render_template_fields({})

    assert operator.image_template == "documents/linux.json"
    assert operator.parameters == {"a": "2"}


def test_a_document_given_as_a_dict_is_not_rendered() -> None:
    """A dict reaches Azure as it stands: its scripts may hold braces."""
    document = {"properties": {"customize": [{"inline": ["echo {{ not_jinja }}"]}]}}
    operator = AzureImageTemplateCreateOperator(task_id="create", image_template=document, resource_group_name="images")
    operator.render_template_fields({})

    assert operator.image_template == document


SECURE_DOCUMENT = {
    "parameters": {
        "registration": {"type": "secureString"},
        "licence": {"type": "secureString", "defaultValue": "d3fault"},
    },
    "resources": [{"type": "Microsoft.VirtualMachineImages/imageTemplates", "properties": {}}],
}


@pytest.mark.parametrize("kind", ["plain", "mapped"])
def test_secure_parameters_are_masked_before_airflow_stores_them(kind: str) -> None:
    """What Airflow shows of rendered fields has no value of a secure parameter, whatever the parameter's name."""
    fields: dict[str, Any] = {"image_template": SECURE_DOCUMENT, "resource_group_name": "images"}
    parameters = {"registration": f"{{{{ '{kind}' ~ '-hunter' }}}}", "password": "hunter33", "colour": "blue"}
    with DAG("dag", schedule=None):
        partial = AzureImageTemplateCreateOperator.partial(task_id="create", **fields)
        mapped = partial.expand(parameters=[parameters])
        plain = AzureImageTemplateCreateOperator(task_id="plain", parameters=parameters, **fields)
    task: Any = mapped.unmap({"parameters": parameters}) if kind == "mapped" else plain

    # As Airflow does for mapped tasks, and within `render_template_fields` for others.
    task._do_render_template_fields(task, task.template_fields, {}, task.get_template_env(), set())
    shown = json.dumps(_serialize_rendered_fields(task))

    assert task.parameters["registration"] == f"{kind}-hunter"
    assert "blue" in shown
    assert [secret for secret in (f"{kind}-hunter", "hunter33", "d3fault") if secret in shown] == []


@pytest.mark.parametrize("operator", WITH_CONNECTION)
@pytest.mark.parametrize(("given", "meant"), [({}, DEFAULT_CONNECTION_ID), ({"azure_conn_id": "{{ 1 + 1 }}"}, "2")])
def test_which_connection_is_meant_is_shown(operator: type[BaseOperator], given: dict[str, str], meant: str) -> None:
    """A DAG file need not name the default connection; what Airflow shows of a task's fields does."""
    task = make(operator, **given)

    task.render_template_fields({})

    assert (task.azure_conn_id, task.hook.azure_conn_id) == (meant, meant)


def test_rendering_needs_no_document_that_can_be_read() -> None:
    """Rendering goes on without a document that is not there: `execute` says what is wrong with it."""
    operator = AzureImageTemplateCreateOperator(
        task_id="create", image_template="/nowhere.json", resource_group_name="images"
    )

    operator.render_template_fields({})

    assert operator.image_template == "/nowhere.json"


def test_parameters_may_come_from_another_task() -> None:
    """What another task returns is taken over unread, and becomes a dependency."""
    with DAG("dag", schedule=None):
        before = make(AzureImageTemplateDeleteOperator)
        operator = AzureImageTemplateCreateOperator(
            task_id="create", image_template={}, resource_group_name="images", parameters=before.output
        )

    assert operator.parameters == before.output
    assert operator.upstream_task_ids == {"task"}


def test_an_image_is_emitted_besides_other_outlets() -> None:
    """One outlet and several are both taken over."""
    image, other = Asset("image"), Asset("other")

    assert make(AzureImagePublishOperator, asset=image, outlets=other).outlets == [other, image]
    assert make(AzureImagePublishOperator, asset=image, outlets=[other]).outlets == [other, image]
    assert make(AzureImagePublishOperator, asset=image).outlets == [image]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.__name__)
def test_errors_are_named(operator: type) -> None:
    """Who writes a DAG reads in the docstring which errors to expect, and each of them is one of ours."""
    named = re.findall(r"`(\w+Error)`", inspect.getdoc(operator) or "")

    assert "\nErrors: `" in (inspect.getdoc(operator) or "")
    assert [name for name in named if not hasattr(exceptions, name)] == []


def test_what_a_run_returns_is_named() -> None:
    """The docstring lists every key of the report on a run."""
    status = LastRunStatus("Succeeded", None, "2026-01-05T03:00:00Z", "2026-01-05T03:30:00Z", "")
    text = inspect.getdoc(AzureImageTemplateRunOperator) or ""

    assert [key for key in RunReport("/subscriptions/s", status).to_json() if f"`{key}`" not in text] == []


def test_results_may_be_found_by_their_tasks() -> None:
    """Whoever names tasks in place of inputs publishes the very same."""
    results: dict[str, Any] = {
        "run": {"image_template_id": "/id", "start_time": "2026-01-05T03:00:00Z", "artifacts": []},
        "copy": [{"run_output_name": "vhd"}],
        "collect": {"location": "https://logs"},
    }
    with DAG("dag", schedule=None) as dag:
        for task_id in results:
            AzureImageTemplateDeleteOperator(task_id=task_id, image_template_id="/id")
        by_input = AzureImagePublishOperator(
            task_id="a", image_run=results["run"], vhds=results["copy"], log_archive=results["collect"]
        )
        by_task = AzureImagePublishOperator(
            task_id="b", run_task_id="run", copy_task_id="copy", collect_task_id="collect"
        )
    context = {"dag": dag, "ti": FakeTaskInstance(results)}

    assert _publish(by_task, context) == _publish(by_input, context)
    assert _publish(by_task, context)["vhds"] == results["copy"]


@dataclass
class FakeTaskInstance:
    """Give what tasks have returned."""

    returned: dict[str, Any]
    map_index: int = -1

    def xcom_pull(self, task_ids: str, *, map_indexes: Any = None) -> Any:
        """Give what one task has returned."""
        assert map_indexes is None
        return self.returned[task_ids]


def _publish(operator: AzureImagePublishOperator, context: dict[str, Any]) -> dict[str, Any]:
    return operator.execute(cast("Context", context))


@pytest.mark.parametrize("image_run", [ImageRunHandle("/subscriptions/s", "2026-01-05T03:00:00Z").to_json(), None])
def test_a_run_that_was_not_awaited_is_not_published(image_run: Any) -> None:
    """What a task returns that did not wait for the build says nothing of images, and the error says so."""
    publish = AzureImagePublishOperator(task_id="publish", image_run=image_run)

    with pytest.raises(exceptions.ImageArtifactMissingError, match="wait_for_completion"):
        publish.execute({})


@pytest.mark.parametrize(
    ("operator", "name", "value"),
    [
        *((operator, "poll_interval", 0) for operator in [*WAITING, AzureImageTemplateCreateOperator]),
        (AzureImageTemplateRunOperator, "poll_interval", "fast"),
        (AzureImageTemplateRunOperator, "busy_timeout", -1),
        (AzureImageTemplateRunOperator, "run_allowance", timedelta(hours=1)),
        (AzureImageTemplateRunOperator, "late_success_allowance", "1800"),
        (AzureImageTemplateRunSensor, "poke_interval", 0),
        (AzureImageVhdCopyOperator, "concurrency", 0),
        (AzureImageVhdCopyOperator, "copy_timeout", 3600),
        (AzureImageVhdCopyOperator, "retain_for", 400),
    ],
)
def test_a_wrong_number_is_found_where_the_dag_file_is_parsed(
    operator: type[BaseOperator], name: str, value: Any
) -> None:
    """A number or a duration that is none is an error that names it, and no build is begun with it."""
    with pytest.raises(ValueError, match=f"^{name} is "):
        make(operator, **{name: value})


@pytest.mark.parametrize(
    ("operator", "name"),
    [
        (AzureImageTemplateRunOperator, "if_running"),
        (AzureImageTemplateRunOperator, "relay_log"),
        (AzureImageVhdCopyOperator, "method"),
    ],
)
def test_a_wrong_word_is_found_where_the_dag_file_is_parsed(operator: type[BaseOperator], name: str) -> None:
    """A word that says nothing is an error, which names all that may stand there, in the same form everywhere."""
    with pytest.raises(ValueError, match=f"^{name} is 'quick'; it must be one of '"):
        make(operator, **{name: "quick"})


@pytest.mark.parametrize("operator", SAVING)
def test_a_wrong_destination_is_found_where_the_dag_file_is_parsed(operator: type[BaseOperator]) -> None:
    """A destination without a container is no surprise after hours of building."""
    with pytest.raises(ValueError, match=r"^destination of task save is 'imagestore'; it must be account"):
        operator(task_id="save", destination="imagestore", **NAMED)


@pytest.mark.parametrize("operator", [*WAITING, *SAVING, AzureImageTemplateRunSensor])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({}, "names no image template"),
        ({"resource_group_name": "images"}, "names no image template"),
        ({"image_template_name": "linux"}, "names no image template"),
        (NAMED | {"resource_group_name": "images", "image_template_name": "linux"}, "must be one of them"),
    ],
)
def test_an_image_template_is_named_in_one_way(
    operator: type[BaseOperator], names: dict[str, Any], message: str
) -> None:
    """A task that could not find its image template, or could find two, is an error at the parse."""
    others = {name: value for name, value in REQUIRED[operator].items() if name not in NAMED}

    with pytest.raises(ValueError, match=message):
        operator(task_id="task", **others, **names)


@pytest.mark.parametrize("operator", SAVING)
def test_the_task_of_the_run_names_the_image_template(operator: type[BaseOperator]) -> None:
    """Whoever saves what a run has left need not say of which image template that was."""
    arguments: dict[str, Any] = {"destination": "account/container", "run_task_id": "run"}

    made: Any = operator(task_id="task", **arguments)

    assert made.image_template_id is None


@pytest.mark.parametrize(
    ("operator", "wrong", "message"),
    [
        (AzureImageTemplateCreateOperator, {"image_template": 5}, "image_template is int; it must be the path"),
        (AzureImageTemplateCreateOperator, {"parameters": ["a"]}, "parameters is list; it must be the path"),
        (AzureImageTemplateCreateOperator, {"disabled_rules": ["x"]}, "disabled_rules is list; it must be a mapping"),
        (AzureImagePublishOperator, {"asset": "corp/linux"}, "asset is 'corp/linux'; it must be an Asset"),
    ],
)
def test_an_argument_of_another_type_is_named(
    operator: type[BaseOperator], wrong: dict[str, Any], message: str
) -> None:
    """It is an error at the parse that says what it must be."""
    with pytest.raises(ValueError, match=message):
        operator(task_id="task", **{**REQUIRED[operator], **wrong})


def test_what_airflow_fills_in_may_be_anything() -> None:
    """An XComArg is judged when it has become a value."""
    with DAG("dag", schedule=None):
        output = make(AzureImageTemplateDeleteOperator).output
        create: Any = AzureImageTemplateCreateOperator(
            task_id="create", image_template=output, parameters=output, resource_group_name="images"
        )

    assert (create.image_template, create.parameters) == (output, output)

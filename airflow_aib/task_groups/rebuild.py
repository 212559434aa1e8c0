"""The chained rebuild: from a document to an image that other DAGs can wait for, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import TaskGroup, TriggerRule

from airflow_aib.operators.asset import AzureImagePublishOperator
from airflow_aib.operators.image_run import AzureImageTemplateRunOperator
from airflow_aib.operators.image_template import AzureImageTemplateCreateOperator
from airflow_aib.operators.log import AzureImageLogCollectOperator
from airflow_aib.operators.vhd import AzureImageVhdCopyOperator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from airflow.sdk import Asset, XComArg

__all__ = ["image_rebuild"]


def image_rebuild(
    *,
    image_template: str | Path | Mapping[str, Any],
    resource_group_name: str,
    log_destination: str,
    vhd_destination: str | None = None,
    parameters: Mapping[str, Any] | str | Path | XComArg | None = None,
    image_template_name: str | None = None,
    asset: Asset | None = None,
    azure_conn_id: str | None = None,
    deferrable: bool | None = True,
    poll_interval: float | None = None,
    group_id: str = "image_rebuild",
    create_args: Mapping[str, Any] | None = None,
    run_args: Mapping[str, Any] | None = None,
    copy_args: Mapping[str, Any] | None = None,
    collect_args: Mapping[str, Any] | None = None,
    publish_args: Mapping[str, Any] | None = None,
) -> TaskGroup:
    """Chain `create >> run >> [collect_logs, copy_vhds] >> publish` and give the task group.

    `collect_logs` always comes, also after a failed build; `copy_vhds` only with `vhd_destination`. `publish` emits the
    asset, and only when all of them have succeeded: nothing downstream runs on nothing. An image template that is there
    with the same content is used again, run after run. Let the DAG have `max_active_runs=1`: an image template builds
    one image at a time, and another run waits its turn. In a mapped task group each map index rebuilds an image of its
    own.

    :param image_template: path of the document, relative to the DAG file or absolute, or its content as a dict
    :param resource_group_name: where the image template lives, in the connection's subscription
    :param log_destination: where logs are archived: `account/container[/folder]`, or whatever else the operator's
        `destination` takes
    :param vhd_destination: where VHDs are copied: `account/container[/folder]`, or the container's https address;
        needed when the document makes any: without, `create` fails, before Azure is asked, where a VHD would stay in
        the staging resource group
    :param parameters: what to fill in for the document's parameters and `<placeholders>`, or the path of a
        parameters file
    :param image_template_name: its name; by default the document's own
    :param asset: the image as an asset, see `airflow_aib.assets.image.image_asset`
    :param azure_conn_id: id of the Airflow connection; by default `azure_image_builder_default`
    :param deferrable: whether to wait on the triggerer, where a wait holds no worker slot; None leaves it to Airflow's
        option `[operators] default_deferrable`
    :param poll_interval: seconds between two looks; by default option `poll_interval`
    :param group_id: of the task group
    :param create_args: more arguments for the task `create`, as `discard_logs`; or `may_leave_vhds` where a task of
        your own copies VHDs, `discard_vhds` where nobody needs them
    :param run_args: more arguments for the task `run`, as `retries`, `if_running`, `run_allowance` or
        `on_partial_success`; what that accepts as missing, `copy_vhds` does not ask for
    :param copy_args: more arguments for the task `copy_vhds`, as `retain_for` or `deferrable`
    :param collect_args: more arguments for the task `collect_logs`, as `retries` or `pool`
    :param publish_args: more arguments for the task `publish`, as `outlets` or `queue`
    """
    if copy_args and vhd_destination is None:
        raise ValueError("copy_args is given, and vhd_destination is not: there is nowhere to copy a VHD to")
    waiting: dict[str, Any] = {"azure_conn_id": azure_conn_id, "deferrable": deferrable, "poll_interval": poll_interval}
    with TaskGroup(group_id) as group:
        create = AzureImageTemplateCreateOperator(
            task_id="create",
            image_template=image_template,
            resource_group_name=resource_group_name,
            image_template_name=image_template_name,
            parameters=parameters,
            **{**waiting, "may_leave_vhds": vhd_destination is not None, **(create_args or {})},
        )
        run = AzureImageTemplateRunOperator(
            task_id="run", image_template_id=create.output, image_template_name=None, **{**waiting, **(run_args or {})}
        )
        left_by_run = {
            "run_task_id": run.task_id,
            "azure_conn_id": azure_conn_id,
            # The run says which image template it is, whatever the DAG's `default_args` hold for other tasks.
            "image_template_id": None,
            "resource_group_name": None,
            "image_template_name": None,
        }
        collect_logs, copies = _save(
            {"destination": log_destination, **left_by_run, **(collect_args or {})},
            {"destination": vhd_destination, "deferrable": deferrable, **left_by_run, **(copy_args or {})},
        )
        publish = AzureImagePublishOperator(
            task_id="publish",
            run_task_id=run.task_id,
            copy_task_id=copies[0].task_id if copies else None,
            collect_task_id=collect_logs.task_id,
            asset=asset,
            **(publish_args or {}),
        )
        # Archiving the log succeeds after a failed run too; nothing is published then.
        run >> [collect_logs, *copies, publish]
        [collect_logs, *copies] >> publish
    return group


def _save(
    collect_args: Mapping[str, Any], copy_args: Mapping[str, Any]
) -> tuple[AzureImageLogCollectOperator, list[AzureImageVhdCopyOperator]]:
    """Make the tasks that save what a run has left: its log always, its VHDs where there is a place for them."""
    collect_logs = AzureImageLogCollectOperator(
        task_id="collect_logs", **{"trigger_rule": TriggerRule.ALL_DONE, **collect_args}
    )
    if copy_args["destination"] is None:
        return collect_logs, []
    return collect_logs, [AzureImageVhdCopyOperator(task_id="copy_vhds", **copy_args)]

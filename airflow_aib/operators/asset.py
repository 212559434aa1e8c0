"""The operator that makes a built image known to other DAGs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, BaseOperator

from airflow_aib.exceptions import ImageArtifactMissingError
from airflow_aib.operators.base import read_returned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context, XComArg


class AzureImagePublishOperator(BaseOperator):
    """Emit an image as an asset, with what it is in the event's `extra`; Azure is not asked.

    Returns that same extra: `image_template_id`, `start_time`, `outcome`, `missing`, `source_version`, `artifacts`,
    `vhds`, `log_archive`.

    Errors: `ImageArtifactMissingError` when `image_run` is not of a build that is over, as of a task that did not wait
    for it (`wait_for_completion=False`).

    :param image_run: what `AzureImageTemplateRunOperator` returned
    :param vhds: what `AzureImageVhdCopyOperator` returned
    :param log_archive: what `AzureImageLogCollectOperator` returned
    :param run_task_id: task that returned `image_run`, in the same DAG run, instead of that; unlike an input it takes
        no work at each parse, and does not say that this task comes after that one
    :param copy_task_id: task that returned `vhds`, instead of those
    :param collect_task_id: task that returned `log_archive`, instead of that
    :param asset: the image; None emits nothing
    """

    template_fields: Sequence[str] = ("image_run", "vhds", "log_archive")
    template_fields_renderers = {"image_run": "json", "vhds": "json", "log_archive": "json"}  # noqa: RUF012 - as Airflow
    ui_color = "#d9f0d3"

    def __init__(
        self,
        *,
        image_run: Mapping[str, Any] | XComArg | None = None,
        vhds: Sequence[Mapping[str, Any]] | XComArg | None = None,
        log_archive: Mapping[str, Any] | XComArg | None = None,
        run_task_id: str | None = None,
        copy_task_id: str | None = None,
        collect_task_id: str | None = None,
        asset: Asset | None = None,
        **kwargs: Any,
    ) -> None:
        if asset is not None:
            if not isinstance(asset, Asset):
                raise ValueError(
                    f"asset is {asset!r}; it must be an Asset, such as image_asset('gallery', 'definition')"
                )
            given = kwargs.get("outlets") or []
            kwargs["outlets"] = [*(given if isinstance(given, list | tuple) else [given]), asset]
        super().__init__(**kwargs)
        # Airflow puts the values in the place of XComArgs before `execute`.
        self.image_run: Any = image_run
        self.vhds: Any = vhds
        self.log_archive: Any = log_archive
        self.run_task_id = run_task_id
        self.copy_task_id = copy_task_id
        self.collect_task_id = collect_task_id
        self.asset = asset

    def execute(self, context: Context) -> dict[str, Any]:
        """Emit the asset."""
        extra = self._extra(context)
        if self.asset is not None:
            context["outlet_events"][self.asset].extra = extra
            self.log.info("Emitted %s.", self.asset.uri)
        for artifact in extra["artifacts"]:
            self.log.info("%s: %s", artifact["kind"], artifact.get("artifact_id") or artifact.get("artifact_uri"))
        return extra

    def _extra(self, context: Context) -> dict[str, Any]:
        image_run = self.image_run or read_returned(context, self.run_task_id)
        _require_report(image_run)
        vhds = self.vhds or read_returned(context, self.copy_task_id)
        log_archive = self.log_archive or read_returned(context, self.collect_task_id)
        return {
            "image_template_id": image_run["image_template_id"],
            "start_time": image_run["start_time"],
            "outcome": image_run.get("outcome", "succeeded"),
            "missing": list(image_run.get("missing") or []),
            "source_version": image_run.get("source_version"),
            "artifacts": list(image_run["artifacts"]),
            "vhds": list(vhds or []),
            "log_archive": (log_archive or {}).get("location"),
        }


def _require_report(image_run: Any) -> None:
    if isinstance(image_run, Mapping) and "artifacts" in image_run:
        return
    raise ImageArtifactMissingError(
        "`image_run` does not say what the build has made",
        hint="Give what AzureImageTemplateRunOperator returns when it waits for the build (wait_for_completion=True).",
    )

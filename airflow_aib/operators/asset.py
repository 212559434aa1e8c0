"""The operator that makes a built image known to other DAGs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_aib.exceptions import ImageArtifactMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Asset, Context, XComArg


class AzureImagePublishOperator(BaseOperator):
    """Emit an image as an asset, with what it is in the event's `extra`; Azure is not asked.

    Returns that same extra: `image_template_id`, `start_time`, `outcome`, `missing`, `source_version`, `artifacts`,
    `vhds`, `log_archive`.

    Errors: `ImageArtifactMissingError` when `image_run` is not of a build that is over, as of a task that did not wait
    for it (`wait_for_completion=False`).

    :param image_run: what `AzureImageTemplateRunOperator` returned
    :param vhds: what `AzureImageVhdCopyOperator` returned
    :param log_archive: what `AzureImageLogCollectOperator` returned
    :param asset: the image; None emits nothing
    """

    template_fields: Sequence[str] = ("image_run", "vhds", "log_archive")
    template_fields_renderers = {"image_run": "json", "vhds": "json", "log_archive": "json"}  # noqa: RUF012 - as Airflow
    ui_color = "#d9f0d3"

    def __init__(
        self,
        *,
        image_run: Mapping[str, Any] | XComArg,
        vhds: Sequence[Mapping[str, Any]] | XComArg | None = None,
        log_archive: Mapping[str, Any] | XComArg | None = None,
        asset: Asset | None = None,
        **kwargs: Any,
    ) -> None:
        if asset is not None:
            given = kwargs.get("outlets") or []
            kwargs["outlets"] = [*(given if isinstance(given, list | tuple) else [given]), asset]
        super().__init__(**kwargs)
        # Airflow puts the values in the place of XComArgs before `execute`.
        self.image_run: Any = image_run
        self.vhds: Any = vhds
        self.log_archive: Any = log_archive
        self.asset = asset

    def execute(self, context: Context) -> dict[str, Any]:
        """Emit the asset."""
        _require_report(self.image_run)
        extra = {
            "image_template_id": self.image_run["image_template_id"],
            "start_time": self.image_run["start_time"],
            "outcome": self.image_run.get("outcome", "succeeded"),
            "missing": list(self.image_run.get("missing") or []),
            "source_version": self.image_run.get("source_version"),
            "artifacts": list(self.image_run["artifacts"]),
            "vhds": list(self.vhds or []),
            "log_archive": (self.log_archive or {}).get("location"),
        }
        if self.asset is not None:
            context["outlet_events"][self.asset].extra = extra
            self.log.info("Emitted %s.", self.asset.uri)
        for artifact in extra["artifacts"]:
            self.log.info("%s: %s", artifact["kind"], artifact.get("artifact_id") or artifact.get("artifact_uri"))
        return extra


def _require_report(image_run: Any) -> None:
    if isinstance(image_run, Mapping) and "artifacts" in image_run:
        return
    raise ImageArtifactMissingError(
        "`image_run` does not say what the build has made",
        hint="Give what AzureImageTemplateRunOperator returns when it waits for the build (wait_for_completion=True).",
    )

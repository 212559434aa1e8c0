"""Wait a while for the images of a run that has ended badly: a distribution goes on when the run's time has passed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_aib.exceptions import ArmRequestError, ImageBuilderError, ImageRunTimeoutError
from airflow_aib.hooks.errors import is_transient
from airflow_aib.hooks.gallery import GalleryService, is_replicated
from airflow_aib.hooks.staging import StagingArea
from airflow_aib.hooks.waiting import READ_TIME, Patience, Wait, bounded
from airflow_aib.image_run.artifacts import match_artifacts
from airflow_aib.image_run.customization_log import parse_customization_log
from airflow_aib.image_run.late_success import (
    VERSION_SEGMENT,
    as_artifact,
    find_image_version,
    has_built,
    has_failed_distributing,
    has_timed_out,
)
from airflow_aib.image_run.run_outcome import judge_partial_success
from airflow_aib.image_run.run_status import RunState, read_last_run_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from airflow_aib.hooks.image_builder import ImageTemplateService
    from airflow_aib.hooks.task_log import TaskLog
    from airflow_aib.image_run.artifacts import ImageArtifact
    from airflow_aib.image_run.choices import OnPartialSuccess
    from airflow_aib.image_run.run_status import LastRunStatus


@dataclass
class LateImages:
    """Look for the images that a run has made although it ended otherwise.

    :param service: image templates, their runs and run outputs
    :param image_template_id: resource id
    :param status: how the run ended
    :param log: the task's
    :param on_partial_success: what may lack of a run that has succeeded partly; nobody waits for that
    """

    service: ImageTemplateService
    image_template_id: str
    status: LastRunStatus
    log: TaskLog
    on_partial_success: OnPartialSuccess = "fail"
    _there: dict[str, ImageArtifact] = field(default_factory=dict)
    # Names of distributors whose images nobody can see, however long.
    _hidden: set[str] = field(default_factory=set)

    async def may_come(self, *, was_distributing: bool) -> bool:
        """Whether it is worth waiting: the distribution has failed, or the run's time has passed while it was on.

        :param was_distributing: whether the run was seen in that phase; without, its log is asked
        """
        if has_failed_distributing(self.status):
            return True
        return has_timed_out(self.status) and (was_distributing or await self._has_built())

    async def come(self, *, poll_interval: float, within: timedelta) -> tuple[ImageArtifact, ...]:
        """Give the images that are there, once all of them are, or the time has passed; one look at least is made."""
        self.log.info("The run ended %s; its images may come all the same, for %s.", self.status.run_state, within)
        patience = Patience(poll_interval, within)
        try:
            await Wait(
                self._look, lambda is_all: is_all, lambda _: self._overdue(), patience, self.service.clock
            ).until_done()
        except ImageBuilderError as error:
            # A help, and never a reason to fail: how the run itself ended is told in any case.
            self.log.warning("Not all images of the run have come: %s", error)
        return tuple(self._there.values())

    async def _has_built(self) -> bool:
        try:
            body = await self.service.require_image_template(self.image_template_id)
            text = await StagingArea(self.service.clients).read_customization_log(body, self.status)
        except ImageBuilderError as error:
            self.log.warning("The customization log cannot be read, so nobody knows how far the run came: %s", error)
            return False
        return text is not None and has_built(parse_customization_log(text))

    async def _look(self) -> bool:
        """Look for what is there, and say whether that is all."""
        async with bounded(READ_TIME, "look for the images of", self.image_template_id):
            body = await self.service.require_image_template(self.image_template_id, retries=False)
            self._refuse_other_run(body)
            distribute: list[Mapping[str, Any]] = (body.get("properties") or {}).get("distribute") or []
            named, missing = match_artifacts(await self.service.list_run_outputs(self.image_template_id), distribute)
            if self._is_accepted(missing):
                self.log.info("What the run lacks is accepted as missing, so it is not waited for.")
                return True
            await self._look_for_each(distribute, {artifact.run_output_name: artifact for artifact in named})
        return {_name(distributor) for distributor in distribute} <= {*self._there, *self._hidden}

    def _is_accepted(self, missing: Sequence[str]) -> bool:
        """Whether Azure's own word is a partial success, and the user takes it for one."""
        is_partial = self.status.run_state == RunState.PARTIALLY_SUCCEEDED
        return is_partial and judge_partial_success(self.on_partial_success, missing) != "fail"

    async def _look_for_each(self, distribute: Sequence[Mapping[str, Any]], named: Mapping[str, ImageArtifact]) -> None:
        """Look for what is not there yet; trouble with one distributor's image takes no other's away."""
        passing: list[ArmRequestError] = []
        for distributor in distribute:
            name = _name(distributor)
            if name in self._there or name in self._hidden:
                continue
            try:
                artifact = await self._find(distributor, named.get(name))
            except ImageBuilderError as error:
                if isinstance(error, ArmRequestError) and is_transient(error):
                    passing.append(error)
                    continue
                self.log.warning("Whether the image %r has come cannot be told: %s", name, error)
                self._hidden.add(name)
            else:
                self._there |= {name: artifact} if artifact is not None else {}
        if passing:
            raise passing[0]

    async def _find(self, distributor: Mapping[str, Any], named: ImageArtifact | None) -> ImageArtifact | None:
        """Find what a distributor has made, if it is whole."""
        if str(distributor.get("type", "")).casefold() != "sharedimage":
            # Only the run output tells that a managed image or a VHD is whole: it comes last.
            return named
        gallery = GalleryService(self.service.clients)
        artifact = named or await self._find_in_gallery(gallery, distributor)
        if artifact is None or artifact.artifact_id is None:
            return None
        version = await gallery.get_image_version(artifact.artifact_id, with_replication=True)
        is_whole = version is not None and version["properties"].get("provisioningState") == "Succeeded"
        return artifact if version is not None and is_whole and is_replicated(version) else None

    async def _find_in_gallery(self, gallery: GalleryService, distributor: Mapping[str, Any]) -> ImageArtifact | None:
        started_at = self.status.started_at
        if started_at is None:
            return None
        versions = await _versions(gallery, str(distributor.get("galleryImageId", "")))
        version = find_image_version(versions, distributor, started_at)
        return as_artifact(distributor, version) if version is not None else None

    def _refuse_other_run(self, body: Mapping[str, Any]) -> None:
        current = read_last_run_status(body)
        if current is None or current.start_time != self.status.start_time:
            raise ArmRequestError(
                f"Another run of image template {self.image_template_id} has begun, and Azure keeps the outputs of the "
                "last one only",
                hint="Let one DAG at a time run an image template.",
                code="RunReplaced",
                target=self.image_template_id,
            )

    def _overdue(self) -> ImageRunTimeoutError:
        return ImageRunTimeoutError(
            f"the time for them has passed, with {len(self._there)} there",
            hint="Raise option `late_success_allowance` where a replication takes longer.",
            image_template_id=self.image_template_id,
        )


def _name(distributor: Mapping[str, Any]) -> str:
    return str(distributor.get("runOutputName", ""))


async def _versions(gallery: GalleryService, gallery_image_id: str) -> Sequence[Mapping[str, Any]]:
    if VERSION_SEGMENT not in gallery_image_id.lower():
        return await gallery.list_image_versions(gallery_image_id)
    version = await gallery.get_image_version(gallery_image_id)
    return [version] if version is not None else []

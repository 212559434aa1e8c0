"""What the phases of a run leave behind: log lines, images, versions, VHDs; each made when its phase is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aib_emulator.arm.locations import short_name
from aib_emulator.arm.resource_id import ResourceId
from aib_emulator.services.image_builder.blob_address import account_and_blob
from aib_emulator.services.image_builder.build_vm import is_kept, keep_build_vm
from aib_emulator.services.image_builder.image_versions import next_version
from aib_emulator.services.image_builder.run import Effect
from aib_emulator.services.image_builder.target_regions import target_regions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.services.image_builder.log_lines import LogPart, LogWriter
    from aib_emulator.services.image_builder.run import ImageRun
    from aib_emulator.services.image_builder.timeline import Phase
    from aib_emulator.world import World

LOG_CONTAINER = "packerlogs"
VHD_CONTAINER = "vhds"
LATE_SECONDS = 600.0
"""How much later than the end of its run a late success comes."""
STAMP_ZONE = ZoneInfo("America/Los_Angeles")
"""Inferred from the one sample: the stamp in a VHD's name is in this zone."""


class RunEffects:
    """Make what one run leaves behind.

    :param world: what the services share
    :param run: the run
    :param log_writer: words its logs
    """

    def __init__(self, world: World, run: ImageRun, log_writer: LogWriter) -> None:
        self._world = world
        self._run = run
        self._log_writer = log_writer
        self._image_template = run.image_template

    def of_run(self) -> Iterator[Effect]:
        """Yield everything that the run still leaves when nobody interferes."""
        timeline = self._run.timeline
        yield from self._of_logs()
        for phase in timeline.phases:
            if phase.kind == "distribute" and not phase.fails:
                distributor = self._run.distribute[phase.index]
                yield from self._distribution(distributor, phase)
        yield from self.late()
        if is_kept(self._image_template.properties, timeline):
            yield Effect(timeline.end, "keep the build VM", partial(self._keep_build_vm, timeline.end))
        if timeline.reason == "staging":
            yield Effect(timeline.end, "delete the staging group", self._delete_staging)

    def _distribution(self, distributor: dict[str, Any], phase: Phase) -> Iterator[Effect]:
        name = distributor["runOutputName"]
        if name.lower() in self._run.run_outputs:
            return
        if distributor["type"] == "SharedImage" and name.lower() not in self._run.begun:
            yield Effect(phase.start, f"begin to distribute {name}", partial(self._begin, distributor, phase))
        yield Effect(phase.end, f"distribute {name}", partial(self._distribute, distributor, phase))

    async def _begin(self, distributor: dict[str, Any], phase: Phase) -> None:
        """Make what is no run output yet: a version that goes on to replicate, or what a cancelled run leaves."""
        name = distributor["runOutputName"].lower()
        if name not in self._run.begun:
            self._run.begun[name] = await self._make(distributor, phase)

    def late(self) -> Iterator[Effect]:
        """Yield what is distributed although the run has timed out."""
        fault, timeline = self._run.fault, self._run.timeline
        last = timeline.phases[-1]
        if fault is None or fault.kind != "late_success" or not timeline.is_planned:
            return
        seconds = LATE_SECONDS if fault.seconds is None else fault.seconds
        for distributor in self._run.distribute[last.index :]:
            at = timeline.end + timedelta(seconds=seconds)
            if distributor["runOutputName"].lower() not in self._run.run_outputs:
                perform = partial(self._distribute_late, distributor, replace(last, end=at))
                yield Effect(at, f"distribute {distributor['runOutputName']} late", perform)

    async def _distribute_late(self, distributor: dict[str, Any], phase: Phase) -> None:
        if self._image_template.state != "deleting":
            await self._distribute(distributor, phase)

    async def _keep_build_vm(self, at: datetime) -> None:
        keep_build_vm(self._world, self._image_template, self._run.log_folder.partition("-")[0], at)

    async def _delete_staging(self) -> None:
        if self._image_template.staging_group_id is not None:
            await self._world.delete(self._image_template.staging_group_id)

    def of_cancel(self) -> Iterator[Effect]:
        """Yield what a run that was cancelled still leaves: its log, and what it was just distributing."""
        yield from self._of_logs()
        for phase in self._run.timeline.phases[-2:]:  # the last one winds up
            if phase.kind == "distribute" and not phase.fails:
                distributor = self._run.distribute[phase.index]
                name = distributor["runOutputName"].lower()
                if name not in {*self._run.run_outputs, *self._run.begun}:
                    yield Effect(phase.end, f"leave {name} behind", partial(self._begin, distributor, phase))

    async def count_lines(self) -> None:
        """Look up in the logs how much is written: an effect may have been carried out without being recorded."""
        for log_name in {part.log_name for part in self._log_writer.parts(self._run.timeline)}:
            account, blob = self._image_template.staging_account, f"{self._run.log_folder}/{log_name}"
            content = await self._world.blobs.get_blob(account, LOG_CONTAINER, blob)
            self._run.lines_written[log_name] = (content or b"").count(b"\n")

    def _of_logs(self) -> Iterator[Effect]:
        """Yield the lines that are not written yet."""
        written = Counter(self._run.lines_written)
        for part in self._log_writer.parts(self._run.timeline):
            lines = part.text.splitlines(keepends=True)
            known = min(written[part.log_name], len(lines))
            written[part.log_name] -= known
            if known < len(lines):
                yield self._log_effect(replace(part, text="".join(lines[known:])))

    def _log_effect(self, part: LogPart) -> Effect:
        return Effect(part.at, f"write {part.log_name}", partial(self._append, part))

    async def _append(self, part: LogPart) -> None:
        blob = f"{self._run.log_folder}/{part.log_name}"
        account = self._image_template.staging_account
        self._run.lines_written[part.log_name] += len(part.text.splitlines())
        await self._world.blobs.append_text(account, LOG_CONTAINER, blob, part.text, at=part.at)

    async def _distribute(self, distributor: dict[str, Any], phase: Phase) -> None:
        name = distributor["runOutputName"]
        artifact = self._run.begun.get(name.lower()) or await self._make(distributor, phase)
        if self._run.timeline.reason == "cancel":
            # It was cancelled while this was written: that is left behind, and is no run output.
            self._run.begun[name.lower()] = artifact
        else:
            self._run.run_outputs[name.lower()] = {"name": name, **artifact}

    async def _make(self, distributor: dict[str, Any], phase: Phase) -> dict[str, str]:
        makers = {
            "ManagedImage": self._make_managed_image,
            "SharedImage": self._make_image_version,
            "VHD": self._make_vhd,
        }
        return await makers[distributor["type"]](distributor, phase)

    async def _make_managed_image(self, distributor: dict[str, Any], _: Phase) -> dict[str, str]:
        image_id = ResourceId.parse(distributor["imageId"])
        sku = str(self._image_template.properties["source"].get("sku", ""))
        self._world.compute.put_managed_image(
            image_id,
            location=short_name(distributor["location"]),
            tags=distributor["artifactTags"],
            os_type="Windows" if self._image_template.is_windows else "Linux",
            hyper_v_generation="V2" if "gen2" in sku.lower() or sku.lower().endswith("-g2") else "V1",
            source_image_template_id=str(self._image_template.image_template_id),
        )
        return {"artifactId": image_id.write()}

    async def _make_image_version(self, distributor: dict[str, Any], phase: Phase) -> dict[str, str]:
        given = ResourceId.parse(distributor["galleryImageId"])
        is_pinned = given.is_type("Microsoft.Compute/galleries/images/versions")
        definition_id = given.parent if is_pinned and given.parent is not None else given
        number = self._version(distributor, given, phase.start)
        version_id = given if is_pinned else definition_id.child("versions", number)
        definition = self._world.store.get(definition_id)
        location = definition.body["location"] if definition is not None else self._image_template.location
        self._world.compute.put_image_version(
            version_id,
            location=location,
            tags=distributor["artifactTags"],
            target_regions=target_regions(distributor, self._image_template.location),
            exclude_from_latest=bool(distributor.get("excludeFromLatest")),
            started=phase.start,
            completed=phase.end,
            source_image_template_id=str(self._image_template.image_template_id),
        )
        return {"artifactId": version_id.write()}

    def _version(self, distributor: dict[str, Any], definition_id: ResourceId, started: datetime) -> str:
        existing = self._world.store.list_below(definition_id, "Microsoft.Compute/galleries/images/versions")
        return next_version(
            distributor.get("versioning"),
            existing=[version.id.name for version in existing],
            source_version=str(self._image_template.properties["source"].get("exactVersion", "")).rpartition("/")[2],
            started=started,
        )

    async def _make_vhd(self, distributor: dict[str, Any], phase: Phase) -> dict[str, str]:
        started = phase.start
        stamp = f"{started.astimezone(STAMP_ZONE):%Y%m%d%H%M%S}"
        blobs, settings = self._world.blobs, self._world.settings
        uri = distributor.get("uri")
        usual = (self._image_template.staging_account, VHD_CONTAINER, f"{distributor['runOutputName']}_{stamp}.vhd")
        place = account_and_blob(uri, blobs.public_url) if uri else usual
        if place is None:
            raise LookupError(f"{uri!r} names no blob of this emulator.")
        account, container, blob = place
        await blobs.put_sparse_vhd(
            account,
            container,
            blob,
            size_bytes=settings.vhd_size_bytes,
            allocated_bytes=settings.vhd_allocated_bytes,
            seed=f"{self._image_template.image_template_id} {started.astimezone(UTC).isoformat()}",
            at=started,
        )
        return {"artifactUri": blobs.blob_url(account, container, blob)}

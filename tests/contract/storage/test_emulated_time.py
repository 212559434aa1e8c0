from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.contract.sdk_clients import done

if TYPE_CHECKING:
    from tests.contract.sdk_clients import Cloud

A_DAY = timedelta(days=1)


async def test_what_a_client_writes_is_dated_in_emulated_time(cloud: Cloud) -> None:
    """A blob is made when the emulator's clock says so: its times can be compared with those of a run."""
    clock = cloud.thread.emulator.world.clock
    cloud.thread.control.advance(A_DAY.total_seconds())
    before = clock.now()
    blob = cloud.blobs("imagestore").get_blob_client("images", "dated.txt")
    await done(blob.upload_blob(b"content"))
    properties = await done(blob.get_blob_properties())

    # Storage tells whole seconds.
    assert before - timedelta(seconds=1) <= properties.creation_time <= clock.now()
    assert properties.creation_time > datetime.now(UTC) + A_DAY / 2


async def test_what_a_build_leaves_has_its_own_instant(cloud: Cloud) -> None:
    """A log that is written late, since nobody looked before, is dated when the build wrote it."""
    blobs = cloud.thread.emulator.world.blobs
    instant = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    cloud.on_emulator(blobs.append_text("imagestore", "packerlogs", "run/customization.log", "text\n", at=instant))
    blob = cloud.blobs("imagestore").get_blob_client("packerlogs", "run/customization.log")

    assert (await done(blob.get_blob_properties())).creation_time == instant

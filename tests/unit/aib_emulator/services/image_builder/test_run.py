from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from aib_emulator.arm.operations import Operation
from aib_emulator.services.image_builder.courses import PlannedFault
from aib_emulator.services.image_builder.effects import RunEffects
from aib_emulator.services.image_builder.log_lines import LogWriter
from aib_emulator.services.image_builder.run import Effect, ImageRun
from aib_emulator.services.image_builder.timeline import plan_run
from tests.unit.aib_emulator.services.image_builder.samples import START, TO_VHD, image_template

NEVER = "0001-01-01T00:00:00Z"


def running(fault: PlannedFault | None = None) -> ImageRun:
    """Begin a run."""
    template = image_template()
    return ImageRun(template, plan_run(template.properties, START, fault), Operation("op", START))


async def perform_until(run: ImageRun, instant: datetime) -> None:
    """Carry out what is due by `instant`."""
    while (due := run.next_due()) is not None and due <= instant:
        await run.perform_next()


async def test_a_good_run_as_the_image_template_shows_it() -> None:
    """While it runs the end is the sentinel and there is a sub-state; afterwards the end is real and there is none."""
    run = running()
    run.expect([])
    status = run.last_run_status(START + timedelta(seconds=1))
    assert list(status) == ["startTime", "endTime", "runState", "runSubState", "message"]
    assert (status["endTime"], status["runState"], status["runSubState"]) == (NEVER, "Running", "Queued")
    await perform_until(run, run.timeline.end)
    status = run.last_run_status(run.timeline.end)
    assert list(status) == ["startTime", "endTime", "runState", "message"]
    assert (status["runState"], status["message"]) == ("Succeeded", "")
    assert status["endTime"].startswith(f"{run.timeline.end:%Y-%m-%dT%H:%M:%S}")


async def test_no_state_is_shown_before_its_effects_are_done() -> None:
    """As long as the last effect has not been carried out, the run looks as it did just before."""
    run = running()
    done: list[str] = []

    async def distribute() -> None:
        done.append("image")
        assert run.look(run.timeline.end).run_state == "Running"

    run.expect([Effect(run.timeline.end, "the image", distribute)])
    late = run.timeline.end + timedelta(hours=1)
    assert run.look(late).run_state == "Running"
    await perform_until(run, late)
    assert done == ["image"]
    assert run.look(late).run_state == "Succeeded"


async def test_the_operation_ends_a_little_later() -> None:
    """The image template reads Succeeded while the operation still is in progress, as measured."""
    run = running()
    run.expect([])
    await perform_until(run, run.timeline.end)
    assert not run.operation.is_over(run.timeline.end)
    assert run.operation.is_over(run.timeline.end + timedelta(seconds=2))


async def test_a_failed_run_says_where_its_log_is() -> None:
    """Message and operation error are the recorded sentence, with the log's location in it."""
    run = running(PlannedFault("customizer"))
    run.expect([])
    await perform_until(run, run.timeline.end)
    message = run.last_run_status(run.timeline.end)["message"]
    account = "/subscriptions/s/resourceGroups/IT_rg_tmpl1_0/providers/Microsoft.Storage/storageAccounts/" + "a" * 24
    assert message == (
        "During the image build a failure has occurred. Packer build logs are at location "
        f"{account}/blobServices/default/containers/packerlogs/{run.log_folder}/customization.log. Please navigate to "
        "this location using portal or other tools to download logs for identifying which build/customization step "
        f"failed. Use this operationId {run.log_prefix} to search packer logs. For more troubleshooting steps go to "
        "https://aka.ms/azvmimagebuilderts."
    )
    assert run.operation.error == {"code": "PackerBuildFailed", "message": message}


async def test_a_cancelled_run_leaves_nothing_of_what_was_to_come() -> None:
    """Effects after the cancellation never happen; the words are the recorded ones."""
    run = running()
    done: list[str] = []

    async def perform(what: str) -> None:
        done.append(what)

    run.expect([Effect(run.timeline.end, "the image", partial(perform, "image"))])
    at = START + timedelta(minutes=2)
    run.cancel(at)
    run.expect([])
    status = run.last_run_status(at)
    assert (status["runState"], status["message"], status["endTime"]) == ("Canceling", "Canceling image build", NEVER)
    assert "runSubState" not in status
    await perform_until(run, run.timeline.end)
    status = run.last_run_status(run.timeline.end)
    assert (status["runState"], status["message"]) == ("Canceled", "The build was canceled")
    assert done == []
    assert run.operation.outcome == "Canceled"


async def test_a_run_whose_effect_fails_ends_as_the_services_own_failures_do() -> None:
    """The message is the generic one, and nothing more is to come."""
    run = running()
    run.expect([])
    run.break_off(OSError("the disk is full"))
    assert run.next_due() is None
    status = run.last_run_status(run.timeline.end)
    assert status["runState"] == "Failed"
    assert status["message"].startswith("Internal error occurred.")


async def test_cancelling_shows_at_once() -> None:
    """Canceling is shown even before the log has been told."""
    run = running()
    run.cancel(START)
    run.expect([Effect(START, "a line", partial(perform_until, running(), START))])
    assert run.look(START).run_state == "Canceling"


async def test_what_is_written_when_a_run_is_cancelled_is_no_run_output() -> None:
    """The VHD stays in the staging resource group; of a cancelled run nothing is told."""
    template = image_template(distribute=[TO_VHD])
    run = ImageRun(template, plan_run(template.properties, START, None), Operation("op", START))
    written: list[str] = []

    async def put_sparse_vhd(_account: str, _container: str, blob: str, **_: object) -> None:
        written.append(blob)
        run.cancel(run.timeline.end - timedelta(seconds=1))
        run.expect(effects.of_cancel())

    blobs = SimpleNamespace(put_sparse_vhd=put_sparse_vhd, append_text=_ignore, blob_url=lambda *place: "/".join(place))
    world: Any = SimpleNamespace(blobs=blobs, settings=SimpleNamespace(vhd_size_bytes=1024, vhd_allocated_bytes=512))
    effects = RunEffects(world, run, LogWriter(template, run.log_prefix, run.words))
    run.expect(effects.of_run())
    await perform_until(run, run.timeline.end + timedelta(hours=1))

    assert run.last_run_status(run.timeline.end)["runState"] == "Canceled"
    assert (len(written), run.run_outputs, list(run.begun)) == (1, {}, ["vhd"])


async def _ignore(*_: object, **__: object) -> None:
    """Take a log's lines."""

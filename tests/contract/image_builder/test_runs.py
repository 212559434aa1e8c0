from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.contract.image_builder.calls import (
    NAME,
    ONE,
    SHELL,
    TO_VHD,
    Builder,
    as_json,
    create,
    to_gallery,
    to_managed_image,
)
from tests.contract.sdk_clients import GROUP, content, done, every, finished, refused

if TYPE_CHECKING:
    from aib_emulator.server import EmulatorThread
    from tests.contract.raw_arm import RawArm
    from tests.contract.sdk_clients import Cloud

FINAL = {"Succeeded", "PartiallySucceeded", "Failed", "Canceled"}


async def final_status(builder: Builder) -> dict[str, Any]:
    """Wait for the end of a run and return what the image template says about it."""
    async with asyncio.timeout(30):
        while True:
            status: dict[str, Any] = (await builder.get())["properties"]["lastRunStatus"]
            if status["runState"] in FINAL:
                return status
            await asyncio.sleep(0.05)


async def log_of(builder: Builder, log_name: str = "customization.log") -> str:
    """Return the log of the only run, found as clients find it."""
    staging = (await builder.get())["properties"]["exactStagingResourceGroup"].rpartition("/")[2]
    (account,) = await every(builder.cloud.storage().storage_accounts.list_by_resource_group(staging))
    container = builder.cloud.blobs(account["name"]).get_container_client("packerlogs")
    (name,) = [name for name in await every(container.list_blob_names()) if name.endswith(log_name)]
    return (await content(container.get_blob_client(name).download_blob())).decode()


async def test_a_run_makes_what_the_distributors_ask_for(builder: Builder, cloud: Cloud) -> None:
    """Each distributor leaves its image where Azure does, and a run output that names it."""
    subscription_id = builder.subscription_id
    distribute = [to_gallery(subscription_id, artifactTags={"a": "b"}), to_managed_image(subscription_id), TO_VHD]
    await builder.create(distribute=distribute)
    await builder.run()
    found = [as_json(item) for item in await every(builder.image_templates.list_run_outputs(GROUP, NAME))]
    outputs = {item["name"]: item["properties"] for item in found}
    assert set(outputs) == {"version", "image", "disk"}
    version = outputs["version"]["artifactId"].rpartition("/")[2]
    assert re.fullmatch(r"0\.\d+\.\d+", version)
    made = await done(cloud.compute().gallery_image_versions.get(GROUP, "corp", "linux-base", version))
    assert made["tags"] == {"a": "b"}
    assert made["properties"]["provisioningState"] == "Succeeded"
    assert await done(cloud.compute().images.get(GROUP, "img1"))
    assert re.search(r"/vhds/disk_\d{14}\.vhd$", outputs["disk"]["artifactUri"])
    vhd = await done(cloud.blob_at(outputs["disk"]["artifactUri"], cloud.credential).get_blob_properties())
    assert vhd.size == cloud.settings.vhd_size_bytes + 512


async def test_one_run_output_can_be_asked_for(builder: Builder) -> None:
    """A run output is found by its name, before there was a run there is none."""
    await builder.create(distribute=[TO_VHD])
    with refused("ResourceNotFound", status=404):
        await done(builder.image_templates.get_run_output(GROUP, NAME, "disk"))
    await builder.run()
    found = as_json(await done(builder.image_templates.get_run_output(GROUP, NAME, "disk")))
    assert found["properties"]["provisioningState"] == "Succeeded"


async def test_run_outputs_are_those_of_the_last_run(builder: Builder) -> None:
    """The second run's version takes the place of the first one's, which stays in the gallery."""
    await builder.create()
    versions = []
    for _ in range(2):
        await builder.run()
        (found,) = await every(builder.image_templates.list_run_outputs(GROUP, NAME))
        versions.append(found["properties"]["artifactId"])
    assert versions[0] != versions[1]
    listed = builder.cloud.compute().gallery_image_versions.list_by_gallery_image(GROUP, "corp", "linux-base")
    assert {version["id"] for version in await every(listed)} == set(versions)


async def test_versioning_counts_on(builder: Builder) -> None:
    """With the scheme `Latest` versions are numbered one after the other."""
    versioning = {"scheme": "Latest", "major": 3}
    await builder.create(distribute=[to_gallery(builder.subscription_id, versioning=versioning)])
    for expected in ("3.0.0", "3.0.1"):
        await builder.run()
        (found,) = await every(builder.image_templates.list_run_outputs(GROUP, NAME))
        assert found["properties"]["artifactId"].endswith(f"/versions/{expected}")


def test_a_version_replicates_while_the_build_distributes(raw: RawArm) -> None:
    """It is Creating and no run output until the last region has it; then `latest` finds it as well."""
    create(raw, distribute=[to_gallery(raw.settings.subscription_id, replicationRegions=["eastus", "westus"])])
    definition_id = to_gallery(raw.settings.subscription_id)["galleryImageId"]
    raw.send("POST", f"{ONE}/run")
    seen = []
    for seconds in (368, 5, 60, 60):
        raw.thread.control.advance(seconds)
        versions = raw.send("GET", f"{definition_id}/versions", api_version="2024-03-03").json()["value"]
        outputs = raw.send("GET", f"{ONE}/runOutputs").json()["value"]
        seen.append((versions and replication_of(raw, versions[0]["id"]), len(outputs)))
    assert seen == [
        ([], 0),
        (["Creating", "Replicating", "Replicating"], 0),
        (["Creating", "Completed", "Replicating"], 0),
        (["Succeeded", "Completed", "Completed"], 1),
    ]


def replication_of(raw: RawArm, version_id: str) -> list[str]:
    """Return the state of a version, and those of its regions."""
    version = raw.send("GET", version_id, api_version="2024-03-03", params={"$expand": "ReplicationStatus"}).json()
    summary = version["properties"]["replicationStatus"]["summary"]
    return [version["properties"]["provisioningState"], *(region["state"] for region in summary)]


async def test_a_vhd_can_go_to_a_place_of_ones_own(builder: Builder, cloud: Cloud) -> None:
    """With `uri` the VHD lies there, not in the staging group."""
    uri = f"{cloud.thread.emulator.blob_url}/imagestore/images/mine.vhd"
    await builder.create(distribute=[{**TO_VHD, "uri": uri}])
    await builder.run()
    (found,) = await every(builder.image_templates.list_run_outputs(GROUP, NAME))
    assert found["properties"]["artifactUri"] == uri
    assert await done(cloud.blob_at(uri, cloud.credential).exists())


async def test_the_customization_log_lies_in_the_staging_account(builder: Builder) -> None:
    """The log holds what the script wrote, and one provisioner more than there are customizers."""
    await builder.create()
    await builder.run()
    log = await log_of(builder)
    assert "azure-arm: hello from the build\n" in log
    assert log.count("(telemetry) Starting provisioner") == 2
    assert log.endswith("PACKER Done exporting Packer logs to Azure Storage.\n")


async def test_a_second_run_is_refused_while_one_goes_on(builder: Builder, emulator: EmulatorThread) -> None:
    """While a run goes on neither run nor delete are allowed."""
    await builder.create()
    emulator.control.set_scale(0)
    await builder.start()
    with refused("OperationNotAllowed"):
        await builder.start()
    with refused("OperationNotAllowed"):
        await builder.delete()


async def test_a_run_can_be_cancelled(builder: Builder, emulator: EmulatorThread) -> None:
    """Cancelling answers at once; the run is Canceling and then Canceled, and can be deleted only then."""
    await builder.create()
    emulator.control.set_scale(0)
    await builder.start()
    await finished(builder.image_templates.begin_cancel(GROUP, NAME))
    status = (await builder.get())["properties"]["lastRunStatus"]
    assert (status["runState"], status["message"]) == ("Canceling", "Canceling image build")
    with refused("OperationNotAllowed"):
        await finished(builder.image_templates.begin_cancel(GROUP, NAME))
    with refused("OperationNotAllowed"):
        await builder.delete()
    emulator.control.advance(81)
    status = (await builder.get())["properties"]["lastRunStatus"]
    assert (status["runState"], status["message"]) == ("Canceled", "The build was canceled")
    assert await every(builder.image_templates.list_run_outputs(GROUP, NAME)) == []


@pytest.mark.parametrize("seconds", [25, 45])
async def test_a_cancelled_run_logs_each_line_once(builder: Builder, emulator: EmulatorThread, seconds: int) -> None:
    """What was written before the cancellation is not written again, and what was about to be is not lost."""
    await builder.create()
    emulator.control.set_scale(0)
    await builder.start()
    emulator.control.advance(seconds)
    await finished(builder.image_templates.begin_cancel(GROUP, NAME))
    emulator.control.advance(81)
    log = await log_of(builder)
    assert log.count("Running builder ...") == 1
    assert log.count("Creating Azure Resource Manager (ARM) client ...") == (1 if seconds == 45 else 0)
    assert log.count("Cancelling builder after context cancellation") == 1


async def test_waiting_for_a_cancelled_run_raises(builder: Builder, emulator: EmulatorThread) -> None:
    """The SDK's poller of the run ends badly when the run is cancelled."""
    await builder.create()
    emulator.control.set_scale(0)
    poller = await done(builder.image_templates.begin_run(GROUP, NAME))
    await finished(builder.image_templates.begin_cancel(GROUP, NAME))
    emulator.control.set_scale(4000)
    with pytest.raises(HttpResponseError, match="The build was canceled"):
        await done(poller.result())


async def test_cancelling_nothing_is_refused(builder: Builder) -> None:
    """Without a run there is nothing to cancel."""
    await builder.create()
    with refused("OperationNotAllowed"):
        await finished(builder.image_templates.begin_cancel(GROUP, NAME))


async def test_a_failing_customizer_fails_the_run(builder: Builder, emulator: EmulatorThread) -> None:
    """The operation says PackerBuildFailed, the image template stays provisioned, and the log shows the step."""
    await builder.create(customize=[SHELL, SHELL])
    emulator.control.plan_failure(
        image_template=NAME, kind="customizer", index=1, exit_code=3, output=["no such package"]
    )
    with refused("PackerBuildFailed"):
        await builder.run()
    properties = (await builder.get())["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["lastRunStatus"]["runState"] == "Failed"
    log = await log_of(builder)
    assert "azure-arm: no such package\n" in log
    assert "non-zero exit status: 3" in log
    folder = re.search(r"packerlogs/([0-9a-f-]{36})/customization\.log", properties["lastRunStatus"]["message"])
    assert folder is not None
    await builder.run()
    assert (await final_status(builder))["runState"] == "Succeeded"


async def test_a_failing_validator_has_a_log_of_its_own(builder: Builder, emulator: EmulatorThread) -> None:
    """A failed validation leaves no image, and its output in the validation log."""
    validator = {"type": "Shell", "name": "check", "inline": ["echo checking"]}
    await builder.create(validate={"inVMValidations": [validator]})
    emulator.control.plan_failure(kind="validator", output=["not as it should be"])
    with refused("PackerBuildFailed"):
        await builder.run()
    assert "not as it should be" in await log_of(builder, "validation.log")
    assert await every(builder.image_templates.list_run_outputs(GROUP, NAME)) == []


async def test_a_hanging_run_ends_at_its_build_timeout(builder: Builder, emulator: EmulatorThread) -> None:
    """The message is the documented one for exceeded build times."""
    await builder.create(buildTimeoutInMinutes=6)
    emulator.control.plan_failure(kind="hang")
    with pytest.raises(HttpResponseError, match="context deadline exceeded"):
        await builder.run()
    assert (await final_status(builder))["runState"] == "Failed"


async def test_a_run_can_succeed_in_part(builder: Builder, emulator: EmulatorThread) -> None:
    """One distributor fails, the other leaves its image; the state is over, and is not success."""
    await builder.create(distribute=[to_gallery(builder.subscription_id), TO_VHD])
    emulator.control.plan_failure(kind="partial", index=1)
    with pytest.raises(HttpResponseError, match="Failed in distributing 1 images out of total 2"):
        await builder.run()
    assert (await final_status(builder))["runState"] == "PartiallySucceeded"
    (found,) = await every(builder.image_templates.list_run_outputs(GROUP, NAME))
    assert found["name"] == "version"


async def test_a_planned_creation_failure(builder: Builder, emulator: EmulatorThread) -> None:
    """The generic failure of a creation, as documented."""
    emulator.control.plan_failure(kind="creation")
    with refused("InternalOperationError"):
        await builder.create()
    properties = (await builder.get())["properties"]
    assert properties["provisioningState"] == "Failed"
    assert properties["provisioningError"]["provisioningErrorCode"] == "ServerError"
    await builder.delete()
    with pytest.raises(ResourceNotFoundError):
        await builder.get()


async def test_the_log_grows_while_the_build_goes_on(builder: Builder, emulator: EmulatorThread) -> None:
    """What is in the log at one instant is the beginning of what is in it later."""
    await builder.create()
    emulator.control.set_scale(0)
    await builder.start()
    logs = []
    for _ in range(4):
        emulator.control.advance(100)
        logs.append(await log_of(builder))
    assert all(after.startswith(before) for before, after in pairwise(logs))
    assert len(set(logs)) > 2


async def test_windows_builds_use_every_customizer(builder: Builder) -> None:
    """A Windows image template with every kind of customizer runs to its end."""
    source = {
        "type": "PlatformImage",
        "publisher": "MicrosoftWindowsServer",
        "offer": "WindowsServer",
        "sku": "2019-Datacenter",
        "version": "latest",
    }
    customize = [
        {"type": "PowerShell", "name": "p", "inline": ["Write-Host 'hello windows'"], "runElevated": True},
        {"type": "File", "name": "f", "sourceUri": "https://example.com/a.txt", "destination": "c:\\a.txt"},
        {"type": "WindowsRestart", "name": "r", "restartTimeout": "10m"},
        {"type": "WindowsUpdate", "name": "u", "updateLimit": 20},
    ]
    distribute = [to_gallery(builder.subscription_id, "windows-base")]
    await builder.create(source=source, customize=customize, distribute=distribute)
    await builder.run()
    log = await log_of(builder)
    assert "azure-arm: hello windows\n" in log
    assert log.count("(telemetry) ending") == len(customize) + 1

from __future__ import annotations

import re
import signal
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt
import psutil
import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.storage.blob import BlobServiceClient, generate_blob_sas
from requests import HTTPError

from aib_emulator.__main__ import main
from aib_emulator.keeping.journal import Journal
from tests.contract.image_builder.calls import IMAGE_TEMPLATES, ONE, TO_VHD, document, to_gallery
from tests.contract.resources.documents import asked, golden_image
from tests.contract.sdk_clients import GROUP
from tests.served import Served
from tests.served import served as served_as_users_do

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
MEBIBYTE = 1024 * 1024
GROUP_NAME = re.compile(r"IT_\S+")
OTHER = f"{IMAGE_TEMPLATES}/other"
VERSIONS = f"/resourceGroups/{GROUP}/providers/Microsoft.Compute/galleries/corp/images/linux-base/versions"
COMPUTE, RESOURCES = "2024-03-03", "2024-11-01"
ACCOUNT = f"/resourceGroups/{GROUP}/providers/Microsoft.Storage/storageAccounts/imagestore"
DEPLOYMENT = f"/resourceGroups/{GROUP}/providers/Microsoft.Resources/deployments/first"


class Kept(Served):
    """Speak to an emulator that keeps its state in a folder."""

    def properties(self, path: str = ONE, version: str = "2025-10-01") -> dict[str, Any]:
        """Return the properties of a resource."""
        found: dict[str, Any] = self.send("GET", path, version=version).json()["properties"]
        return found

    def blobs(self, account: str = "imagestore") -> BlobServiceClient:
        """Return a client of an account's blobs."""
        url = f"{self.environment['AIB_EMULATOR_BLOB']}/{account}"
        return BlobServiceClient(url, credential=self.credential(), connection_verify=self.ca_file)

    def log(self, path: str) -> list[str]:
        """Return what the lines of an image template's customization log say, without ids, names and times."""
        group = self.properties(path)["exactStagingResourceGroup"].rpartition("/")[2]
        accounts = self.send(
            "GET", f"/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts", None, COMPUTE
        )
        container = self.blobs(accounts.json()["value"][0]["name"]).get_container_client("packerlogs")
        text = b"".join(container.download_blob(blob.name).readall() for blob in container.list_blobs()).decode()
        return [GROUP_NAME.sub("", line.partition("PACKER ")[2][20:]) for line in text.splitlines()]

    def credential(self, **application: str) -> ClientSecretCredential:
        """Return the credential of an application; the start world's unless another is named."""
        names = {
            name: self.environment[f"AZURE_{name.upper()}"] for name in ("tenant_id", "client_id", "client_secret")
        }
        return ClientSecretCredential(
            **{name: application.get(name, self.environment[f"AZURE_{name.upper()}"]) for name in names},
            authority=self.environment["AZURE_AUTHORITY_HOST"],
            disable_instance_discovery=True,
            connection_verify=self.ca_file,
        )

    def kill(self) -> None:
        """Kill the emulator, and nothing else, without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(5)


@contextmanager
def served(folder: Path) -> Iterator[Kept]:
    """Start an emulator on a data folder; kill it in the end."""
    with served_as_users_do(folder, "--data", str(folder / "data"), "--vhd-size-mib", "8") as emulator:
        yield Kept(emulator.process, emulator.environment)


def test_a_build_goes_on_after_each_kill(tmp_path: Path) -> None:
    """An emulator killed during creation, run and deletion ends each of them after the restart, with nothing twice."""
    with served(tmp_path) as first:
        first.control.set_scale(0)
        distribute = [to_gallery(first.subscription_id), TO_VHD]
        put = first.send("PUT", ONE, document(first.subscription_id, distribute=distribute))
        first.kill()
    poll = put.headers["Azure-AsyncOperation"].partition("/subscriptions/")[2].partition("?")[0].partition("/")[2]
    with served(tmp_path) as second:
        assert second.control.clock()["scale"] == 0
        assert second.environment == first.environment
        assert second.properties()["provisioningState"] == "Creating"
        second.control.advance(40)
        assert second.properties()["provisioningState"] == "Succeeded"
        assert second.send("GET", f"/{poll}").json()["status"] == "Succeeded"
        second.send("POST", f"{ONE}/run")
        second.control.advance(250)
        half = second.log(ONE)
        second.kill()
    with served(tmp_path) as third:
        assert third.properties()["lastRunStatus"]["runState"] == "Running"
        third.control.advance(1)
        assert third.log(ONE)[: len(half)] == half
        third.control.advance(600)
        assert third.properties()["lastRunStatus"]["runState"] == "Succeeded"
        outputs = third.send("GET", f"{ONE}/runOutputs").json()["value"]
        third.kill()
    with served(tmp_path) as fourth:
        assert fourth.send("GET", f"{ONE}/runOutputs").json()["value"] == outputs
        assert len(fourth.send("GET", VERSIONS, None, COMPUTE).json()["value"]) == 1
        fourth.send(
            "PUT", OTHER, document(fourth.subscription_id, distribute=[to_gallery(fourth.subscription_id), TO_VHD])
        )
        fourth.control.advance(40)
        fourth.send("POST", f"{OTHER}/run")
        fourth.control.advance(900)
        assert fourth.log(OTHER) == fourth.log(ONE)
        fourth.send("DELETE", ONE)
        fourth.kill()
    with served(tmp_path) as fifth:
        assert fifth.properties()["provisioningState"] == "Deleting"
        fifth.control.advance(100)
        names = [item["name"] for item in fifth.send("GET", IMAGE_TEMPLATES).json()["value"]]
        assert names == ["other"]


def test_a_copy_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Pages that were copied before the emulator was killed are there after the restart, with snapshots and leases."""
    content = bytes(range(256)) * (2 * MEBIBYTE // 256)
    with served(tmp_path) as first:
        container = first.blobs().get_container_client("images")
        container.upload_blob("source.vhd", content, blob_type="PageBlob")
        target = container.get_blob_client("target.vhd")
        target.create_page_blob(len(content))
        token = first.token("https://storage.azure.com/.default")
        bearer = f"Bearer {token}"
        source: dict[str, Any] = {"source_url": f"{container.url}/source.vhd", "source_authorization": bearer}
        target.upload_pages_from_url(offset=0, length=MEBIBYTE, source_offset=0, **source)
        snapshot = str(target.create_snapshot()["snapshot"])
        lease = target.acquire_lease()
        first.kill()
    with served(tmp_path) as second:
        target = second.blobs().get_blob_client("images", "target.vhd")
        assert target.download_blob(0, MEBIBYTE).readall() == content[:MEBIBYTE]
        more: dict[str, Any] = {"offset": MEBIBYTE, "length": MEBIBYTE, "source_offset": MEBIBYTE, **source}
        with pytest.raises(HttpResponseError, match="LeaseIdMissing"):
            target.upload_pages_from_url(**more)
        target.upload_pages_from_url(**more, lease=lease)
        assert target.download_blob().readall() == content
        before = second.blobs().get_blob_client("images", "target.vhd", snapshot=snapshot)
        assert before.download_blob().readall() == content[:MEBIBYTE] + bytes(MEBIBYTE)


def test_what_fell_due_meanwhile_is_done_at_the_start(tmp_path: Path) -> None:
    """Roles, applications, planned failures and marketplace versions are kept; the clock goes on at its speed."""
    with served(tmp_path) as first:
        application = first.control.register_application()
        first.control.publish_platform_version("Canonical", "UbuntuServer", "18.04-LTS", "18.04.209901010")
        first.control.plan_failure(image_template="tmpl1", kind="customizer")
        first.send("PUT", ONE, document(first.subscription_id, autoRun={"state": "Enabled"}))
        first.control.set_scale(1_000_000)
        first.control.advance(0)
        first.control.set_scale(1_000_000)
        first.kill()
    with served(tmp_path) as second:
        second.control.set_scale(0)
        second.control.advance(0)
        found = second.properties()
        assert found["source"]["exactVersion"] == "18.04.209901010"
        assert found["lastRunStatus"]["runState"] == "Failed"
        assert second.environment["AZURE_CLIENT_ID"] != application["client_id"]
        again = second.credential(**{name: application[name] for name in ("client_id", "client_secret")})
        assert again.get_token("https://management.azure.com/.default").token


def test_a_damaged_journal_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The start ends with a sentence that names the file, which stays as it is."""
    with served(tmp_path) as first:
        first.kill()
    journal = tmp_path / "data" / "state.journal"
    damaged = journal.read_bytes().replace(b"imagestore", b"imagestorm", 1)
    journal.write_bytes(damaged)
    assert main(["--data", str(tmp_path / "data")]) == 1
    assert str(journal) in capsys.readouterr().err
    assert journal.read_bytes() == damaged


def hold_calls(emulator: Served) -> None:
    """Let one call at each endpoint wait for its answer."""
    urls = (f"{emulator.environment['AIB_EMULATOR_ARM']}/held", f"{emulator.environment['AIB_EMULATOR_BLOB']}/held")
    planned = {emulator.control.plan_fault(path="^/held", action="delay", seconds=60)["fault_id"] for _ in urls}
    for url in urls:
        threading.Thread(target=ask_in_vain, args=(emulator, url), daemon=True).start()
    while planned & {fault["fault_id"] for fault in emulator.control.pending_faults()}:
        pass


def ask_in_vain(emulator: Served, url: str) -> None:
    """Ask, and be dropped."""
    with suppress(requests.ConnectionError):
        requests.get(url, verify=emulator.ca_file, timeout=60)


def test_it_ends_at_a_signal_under_load(tmp_path: Path) -> None:
    """SIGTERM ends the emulator and all it started within five seconds, with unfinished runs and calls under way."""
    with served(tmp_path) as emulator:
        for number in range(20):
            emulator.send(
                "PUT", f"{IMAGE_TEMPLATES}/t{number}", document(emulator.subscription_id, distribute=[TO_VHD])
            )
        emulator.control.set_scale(2000)
        children = psutil.Process(emulator.process.pid).children(recursive=True)
        for number in range(20):
            emulator.control.advance(20)
            emulator.send("POST", f"{IMAGE_TEMPLATES}/t{number}/run")
        hold_calls(emulator)
        emulator.process.terminate()
        assert emulator.process.wait(5) == 0
        _, alive = psutil.wait_procs(children, timeout=1)
        assert alive == []


def test_a_deployment_goes_on_after_a_kill(tmp_path: Path) -> None:
    """A deployment whose image template is being created ends after the restart; it keeps its outputs from then on."""
    with served(tmp_path) as first:
        first.control.set_scale(0)
        first.send("PUT", DEPLOYMENT, asked(golden_image(), name="golden"), RESOURCES)
        first.control.advance(1)
        assert first.properties(DEPLOYMENT, RESOURCES)["provisioningState"] == "Running"
        first.kill()
    with served(tmp_path) as second:
        assert second.properties(DEPLOYMENT, RESOURCES)["provisioningState"] == "Running"
        second.control.advance(60)
        found = second.properties(DEPLOYMENT, RESOURCES)
        assert found["provisioningState"] == "Succeeded"
        assert found["outputs"]["imageTemplateId"]["value"].endswith("/imageTemplates/golden")
        assert [item["name"] for item in second.send("GET", IMAGE_TEMPLATES).json()["value"]] == ["golden"]
        second.kill()
    with served(tmp_path) as third:
        assert third.properties(DEPLOYMENT, RESOURCES) == found


def test_an_asynchronous_copy_goes_on_after_a_kill(tmp_path: Path) -> None:
    """Copy Blob that takes its time is as far after the restart as the clock says, and ends with the whole content."""
    content = bytes(range(256)) * 4096
    with served(tmp_path) as first:
        first.control.set_scale(0)
        container = first.blobs().get_container_client("images")
        container.upload_blob("source.bin", content)
        first.control.set_copy_pace(len(content) / 100)
        (key, _) = first.send("POST", f"{ACCOUNT}/listKeys", None, COMPUTE).json()["keys"]
        expiry = datetime(2100, 1, 1, tzinfo=UTC)
        sas = generate_blob_sas(
            "imagestore", "images", "source.bin", account_key=key["value"], permission="r", expiry=expiry
        )
        container.get_blob_client("target.bin").start_copy_from_url(f"{container.url}/source.bin?{sas}")
        first.control.advance(50)
        first.kill()
    with served(tmp_path) as second:
        target = second.blobs().get_blob_client("images", "target.bin")
        copy = target.get_blob_properties().copy
        assert (copy.status, copy.progress) == ("pending", f"{len(content) // 2}/{len(content)}")
        second.control.advance(60)
        assert target.get_blob_properties().copy.status == "success"
        assert target.download_blob().readall() == content


def test_what_was_told_or_refused_last_is_kept(tmp_path: Path) -> None:
    """A failure yet to strike, the clock's skew, and a run whose start was answered 504 outlive a kill."""
    with served(tmp_path) as first:
        first.control.set_scale(0)
        first.send("PUT", ONE, document(first.subscription_id))
        first.control.advance(60)
        first.control.plan_failure(kind="customizer", index=0, image_template="another")
        first.control.plan_failure(kind="gateway_timeout", moment="after")
        first.control.set_skew(600)
        with pytest.raises(HTTPError, match="504"):
            first.send("POST", f"{ONE}/run")
        first.kill()
    with served(tmp_path) as second:
        assert second.properties()["lastRunStatus"]["runState"] == "Running"
        assert [(failure["kind"], failure["struck"]) for failure in second.control.failures()] == [("customizer", 0)]
        assert second.control.clock()["skew"] == 600
        claims = jwt.decode(second.token(), options={"verify_signature": False})
        assert claims["iat"] - datetime.now(UTC).timestamp() == pytest.approx(600, abs=60)


def test_a_journal_that_cannot_be_gone_on_from_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The start ends with a sentence that names the file and the reason."""
    journal = tmp_path / "state.journal"
    keeper = Journal(journal)
    keeper.open()
    keeper.append({"failures:": [{"$": "PlannedFailure", "boredom": 1}]})
    keeper.close()
    assert main(["--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert str(journal) in told
    assert "KeyError" in told


def test_a_creation_that_is_stuck_stays_stuck(tmp_path: Path) -> None:
    """How long something takes is decided once: no planned failure strikes again after a restart."""
    with served(tmp_path) as first:
        first.control.set_scale(0)
        first.control.plan_failure(image_template="tmpl1", kind="stuck_creating", seconds=500)
        first.send("PUT", ONE, document(first.subscription_id))
        first.kill()
    with served(tmp_path) as second:
        second.control.plan_failure(image_template="tmpl1", kind="stuck_creating", seconds=500)
        second.control.advance(450)
        assert second.properties()["provisioningState"] == "Creating"
        second.control.advance(100)
        assert second.properties()["provisioningState"] == "Succeeded"
        assert [failure["struck"] for failure in second.control.failures()] == [0]

"""Gathers what is left when it is over: from the emulator, the blobs, Airflow's database and every log file."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from azure.identity import ClientSecretCredential
from azure.mgmt.storage import StorageManagementClient
from azure.storage.blob import BlobServiceClient

from aib_emulator.control_client import ControlClient
from tests.chaos.logs import search_logs
from tests.chaos.promises import Record, StagedFile
from tests.chaos.recovery import Snapshot, TaskLook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.chaos.schedule import Build

USERS_ACCOUNT = "imagestore"
GROUP = re.compile(r"/resourceGroups/([^/]+)", re.IGNORECASE)
STAGING_GROUP = re.compile(r"/resourceGroups/IT_images_(?P<image_template>[\w-]+?)_[0-9a-f]{8}-", re.IGNORECASE)
CANCEL_PATH = re.compile(r"/imageTemplates/(?P<image_template>[^/]+)/cancel$", re.IGNORECASE)
LOOK = """
select ti.run_id as build, ti.task_id, coalesce(ti.state, '') as state, ti.try_number, ti.pid,
       case ti.state when 'running' then ti.hostname when 'deferred' then job.hostname end as holder
from task_instance ti
left join trigger on trigger.id = ti.trigger_id
left join job on job.id = trigger.triggerer_id
"""

OVER = "select run_id as build from dag_run where state in ('success', 'failed')"


class Asked(Protocol):
    """Name what is used of a `Database`."""

    def ask(self, query: str) -> list[dict[str, str]]:
        """Return the rows that a query finds, by column."""
        ...


def control_door(emulator: Mapping[str, str]) -> ControlClient:
    """Return a client of the emulator's control door."""
    return ControlClient(emulator["AIB_EMULATOR_CONTROL"], Path(emulator["SSL_CERT_FILE"]))


def take_snapshot(database: Asked, at: float) -> Snapshot:
    """Return what Airflow's database says of every task instance."""
    rows = database.ask(LOOK)
    return Snapshot(at, tuple(_look(row) for row in rows))


def find_builds_over(database: Asked) -> frozenset[str]:
    """Return the builds whose DAG runs have ended, well or badly."""
    return frozenset(row["build"] for row in database.ask(OVER))


def gather(
    builds: tuple[Build, ...],
    over: frozenset[str],
    snapshot: Snapshot,
    *,
    emulator: Mapping[str, str],
    logs: Iterable[Path],
    secrets: Mapping[str, str],
) -> Record:
    """Return all that the promises are judged by.

    :param over: builds that are.
    :param snapshot: the last one.
    :param emulator: what the emulator hands out.
    :param logs: folders of log files.
    :param secrets: what must not stand in them, by what people call it.
    """
    door, troubles = control_door(emulator), search_logs(logs, {**secrets, **account_keys(emulator)})
    run_states: dict[str, list[str]] = defaultdict(list)
    for run in door.runs():
        run_states[str(run["image_template_id"]).rpartition("/")[2]].append(str(run["runState"]))
    cancels = [CANCEL_PATH.search(call["path"]) for call in door.requests(method="POST", path="/cancel$")]
    staged, saved = _read_blobs(emulator)
    task_states: dict[str, dict[str, str]] = defaultdict(dict)
    for task in snapshot.tasks:
        task_states[task.key[0]][task.key[1].rpartition(".")[2]] = task.state
    return Record(
        builds=builds,
        unfinished=tuple(build.name for build in builds if build.name not in over),
        task_states=dict(task_states),
        run_states=dict(run_states),
        cancels=tuple(found["image_template"] for found in cancels if found),
        staged=staged,
        saved=saved,
        unclosed=troubles.unclosed,
        secrets=troubles.secrets,
    )


def _look(row: Mapping[str, str]) -> TaskLook:
    return TaskLook((row["build"], row["task_id"]), row["state"], int(row["try_number"]), row["holder"], row["pid"])


def _read_blobs(emulator: Mapping[str, str]) -> tuple[tuple[StagedFile, ...], frozenset[str]]:
    """Return what lies in staging storage, and the digests of what lies in the user's."""
    staged: list[StagedFile] = []
    saved: set[str] = set()
    for account_id, account in _accounts(emulator):
        group = STAGING_GROUP.search(account_id)
        for name, content in _blobs(emulator, account):
            digest = hashlib.sha256(content).hexdigest()
            if group is None:
                saved.add(digest)
            elif name.endswith((".log", ".vhd")):
                staged.append(StagedFile(group["image_template"], name[-3:], name, digest))
    return tuple(staged), frozenset(saved)


def account_keys(emulator: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of every storage account there is, by what people call them."""
    accounts = _storage(emulator).storage_accounts
    return {
        f"{key['keyName']} of storage account {name}": str(key["value"])
        for account_id, name in _accounts(emulator)
        for key in accounts.list_keys(GROUP.findall(account_id)[0], name).as_dict()["keys"]
    }


def _accounts(emulator: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(str(account.id), str(account.name)) for account in _storage(emulator).storage_accounts.list()]


def _storage(emulator: Mapping[str, str]) -> StorageManagementClient:
    return StorageManagementClient(
        _credential(emulator),
        emulator["AZURE_SUBSCRIPTION_ID"],
        base_url=emulator["AIB_EMULATOR_ARM"],
        credential_scopes=[f"{emulator['AIB_EMULATOR_ARM']}/.default"],
        connection_verify=emulator["REQUESTS_CA_BUNDLE"],
    )


def _blobs(emulator: Mapping[str, str], account: str) -> Iterator[tuple[str, bytes]]:
    """Yield every blob of an account with its content, as it was before it was compressed."""
    bundle = emulator["REQUESTS_CA_BUNDLE"]
    url = f"{emulator['AIB_EMULATOR_BLOB']}/{account}"
    service: Any = BlobServiceClient(url, credential=_credential(emulator), connection_verify=bundle)
    with service:
        for container in service.list_containers():
            client = service.get_container_client(container.name)
            for blob in client.list_blobs():
                content = client.download_blob(blob.name, decompress=False).readall()
                yield blob.name, gzip.decompress(content) if blob.name.endswith(".gz") else content


def _credential(emulator: Mapping[str, str]) -> ClientSecretCredential:
    return ClientSecretCredential(
        emulator["AZURE_TENANT_ID"],
        emulator["AZURE_CLIENT_ID"],
        emulator["AZURE_CLIENT_SECRET"],
        authority=emulator["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=emulator["REQUESTS_CA_BUNDLE"],
    )

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from airflow_aib.exceptions import ArmRequestError
from airflow_aib.hooks.polling.accounts import SharedAccounts
from airflow_aib.hooks.staging import StagedBlob, StagingArea, choose_customization_log
from airflow_aib.hooks.staging_account import StorageAccount
from airflow_aib.image_run.run_status import LastRunStatus
from tests.fakes import START, FakeClock, reset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ACCOUNT = StorageAccount(
    "/subscriptions/s/resourceGroups/IT/providers/Microsoft.Storage/storageAccounts/a", "https://a"
)
GUIDS = {letter: f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc"}


def log(letter: str, minutes: float | None, name: str = "customization.log") -> StagedBlob:
    """Give a log in a folder, made some minutes after the run's start."""
    created_at = None if minutes is None else START + timedelta(minutes=minutes)
    return StagedBlob(ACCOUNT, "packerlogs", f"{GUIDS[letter]}/{name}", 10, created_at)


def status(message: str = "", *, is_over: bool = False) -> LastRunStatus:
    """Give the status of the run."""
    end_time = "2026-01-05T03:30:00Z" if is_over else None
    return LastRunStatus("Failed" if is_over else "Running", None, "2026-01-05T03:00:00.169984039Z", end_time, message)


@pytest.mark.parametrize(
    ("logs", "chosen"),
    [
        ([], None),
        ([log("a", -60)], None),
        ([log("a", -60), log("b", 3)], "b"),
        ([log("b", 3), log("a", -60)], "b"),
        ([log("a", 0)], "a"),
        ([log("b", 3), log("c", 90)], "b"),
        ([log("a", None)], None),
        ([log("a", 3, "validation.log")], None),
    ],
)
def test_a_runs_log_is_the_first_one_made_after_its_start(logs: list[StagedBlob], chosen: str | None) -> None:
    """Logs of earlier runs are too old, those of later runs are younger; names do not matter."""
    found = choose_customization_log(logs, status())

    assert (found.folder if found else None) == (GUIDS[chosen] if chosen else None)


def test_a_log_may_be_written_after_the_end() -> None:
    """The service hands a log over when it likes."""
    found = choose_customization_log([log("a", 45)], status(is_over=True))

    assert found is not None


def test_the_folder_that_the_service_names_counts_most() -> None:
    """A failed run says where its log is."""
    message = (
        f"Build failed. https://acct.blob.core.windows.net/packerlogs/{GUIDS['a'].upper()}/customization.log. Done"
    )
    found = choose_customization_log([log("a", -60), log("b", 3)], status(message, is_over=True))

    assert found is not None
    assert found.folder == GUIDS["a"]


def test_a_folder_that_is_not_there_does_not_mislead() -> None:
    """When the named folder is missing, time decides."""
    message = f"https://acct.blob.core.windows.net/packerlogs/{GUIDS['c']}/customization.log"
    found = choose_customization_log([log("b", 3)], status(message, is_over=True))

    assert found is not None
    assert found.folder == GUIDS["b"]


def test_a_staged_blob_knows_its_parts() -> None:
    """Folder, file name and address come from the blob's name."""
    blob = log("a", 1)

    assert (blob.folder, blob.file_name) == (GUIDS["a"], "customization.log")
    assert blob.address.url == f"https://a/packerlogs/{GUIDS['a']}/customization.log"


class Unreachable:
    """Be clients whose storage is not there, and the finder of its account."""

    def __init__(self) -> None:
        self.account_keys: dict[str, str] = {}
        self.forgotten: list[StorageAccount] = []

    async def find(self, _group_id: str) -> StorageAccount | None:
        """Give the account that was there."""
        return ACCOUNT

    def forget(self, account: StorageAccount) -> None:
        """Keep that it is to be looked for anew."""
        self.forgotten.append(account)

    def blob_service(self, *_arguments: Any, **_options: Any) -> Unreachable:
        """Give the client for blobs."""
        return self

    def get_container_client(self, _name: str) -> Unreachable:
        """Give the client for a container."""
        return self

    def list_blobs(self) -> AsyncIterator[Any]:
        """Find nobody there."""
        raise reset()


async def test_an_account_that_is_not_reached_is_looked_for_anew() -> None:
    """Somebody may have made the image template anew in the same resource group: it has another account then."""
    gone = Unreachable()
    area = StagingArea(cast("Any", gone), accounts=gone)

    with pytest.raises(ArmRequestError):
        await area.find_customization_log({"properties": {"exactStagingResourceGroup": "/g"}}, status())

    assert gone.forgotten == [ACCOUNT]


async def test_an_account_that_was_forgotten_is_found_anew() -> None:
    """What was known of it counts no more, for all waits."""
    shared = SharedAccounts(cast("Any", None), cast("Any", None), FakeClock())
    shared._known[ACCOUNT.group_key] = ACCOUNT
    assert await shared.find("/subscriptions/S/resourcegroups/it") == ACCOUNT

    shared.forget(ACCOUNT)

    assert shared._known == {}

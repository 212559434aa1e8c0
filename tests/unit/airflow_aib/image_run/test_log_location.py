from __future__ import annotations

from airflow_aib.image_run.log_location import LogLocation, log_locations
from tests.reference_files import answered_body

FOLDER = "11111111-2222-3333-4444-555555555555"
OPERATION = "3f0c9f6e-6a59-4c5e-9f36-0f1d9f6d2b11"
ADDRESS = f"https://abcdefghijklmnopqrstuvwx.blob.core.windows.net/packerlogs/{FOLDER}/customization.log"
RESOURCE_ID = (
    "/subscriptions/s/resourceGroups/IT_rg_t_1/providers/Microsoft.Storage/storageAccounts/abcdefghijklmnopqrstuvwx"
    f"/blobServices/default/containers/packerlogs/{FOLDER}/customization.log"
)


def test_address() -> None:
    """Messages until 2022 give an address; the full stop after it is no part of it."""
    message = f"Image Build log location: {ADDRESS}. OperationId: {OPERATION}. Use this operationId to search."

    assert log_locations(message) == [
        LogLocation("abcdefghijklmnopqrstuvwx", "packerlogs", FOLDER, "customization.log", ADDRESS)
    ]


def test_resource_id() -> None:
    """Newer messages give a resource id."""
    message = f"Packer build logs are at location {RESOURCE_ID}. Use this operationId {OPERATION} to search."
    (location,) = log_locations(message)

    assert (location.account, location.blob_name) == ("abcdefghijklmnopqrstuvwx", f"{FOLDER}/customization.log")
    assert location.address == RESOURCE_ID


def test_address_of_another_cloud() -> None:
    """The account may stand in the path, as where names cannot be resolved."""
    (location,) = log_locations(f"see https://127.0.0.1:8443/account1/packerlogs/{FOLDER}/validation.log now")

    assert (location.account, location.container, location.blob) == ("account1", "packerlogs", "validation.log")


def test_several_places_in_their_order() -> None:
    """Every place is given once, in the order of the message."""
    validation = ADDRESS.replace("customization", "validation")

    assert [place.address for place in log_locations(f"{RESOURCE_ID} {validation} {RESOURCE_ID}")] == [
        RESOURCE_ID,
        validation,
    ]


def test_message_without_place() -> None:
    """A message that names no log gives none."""
    assert log_locations("The build was canceled") == []


def test_recorded_messages() -> None:
    """Both recorded messages lead to account, container and folder."""
    old = answered_body("get-template-run-failed")["properties"]["lastRunStatus"]["message"]
    new = answered_body("poll-run-failed")["error"]["message"]

    for message in (old, new):
        (location,) = log_locations(message)
        assert (location.account, location.container) == ("a" * 24, "packerlogs")
        assert location.blob_name == "00000000-0000-0000-0000-000000000000/customization.log"

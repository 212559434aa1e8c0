from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.contract.image_builder.calls import NAME, ONE, Builder, create, document
from tests.contract.raw_arm import RawArm
from tests.contract.roles import ASSIGNMENTS, DEFINITIONS, IDENTITY, assign, make_role, take_away_roles
from tests.contract.sdk_clients import GROUP, Cloud, content, done, finished

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aib_emulator.server import EmulatorThread

IN_GROUP = f"/resourceGroups/{GROUP}"
ACCOUNT = f"{IN_GROUP}/providers/Microsoft.Storage/storageAccounts/imagestore"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ACTIONS = "Microsoft.VirtualMachineImages/imageTemplates"


class Guest:
    """Stand for an application that starts without any right, beside the owner who gives it some.

    :param thread: the emulator
    """

    def __init__(self, thread: EmulatorThread) -> None:
        self.application = thread.control.register_application()
        self.owner, self.raw = RawArm(thread), RawArm(thread, self.application)
        self.subscription_id = self.raw.settings.subscription_id

    def may(self, role: str, scope: str = "") -> None:
        """Have a role assigned."""
        assign(self.owner, role, self.application["object_id"], scope)

    def error(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, str]:
        """Send a request that is refused with 403, and return the error."""
        answer = self.raw.send(method, path, body, **more)
        assert answer.status_code == 403, answer.text
        error: dict[str, str] = answer.json()["error"]
        return error


@pytest.fixture
def guest(emulator: EmulatorThread) -> Guest:
    """Register an application."""
    return Guest(emulator)


@pytest.fixture
async def guest_cloud(guest: Guest, cloud: Cloud) -> AsyncIterator[Cloud]:
    """Make SDK clients that sign in as the application."""
    found = Cloud(cloud.thread, cloud.flavour, guest.application)
    yield found
    await found.close()


def test_a_new_application_has_no_right(guest: Guest) -> None:
    """The refusal names client id, object id, action and scope in Resource Manager's words."""
    error = guest.error("PUT", ONE, document(guest.subscription_id))
    assert error["code"] == "AuthorizationFailed"
    assert error["message"] == (
        f"The client '{guest.application['client_id']}' with object id '{guest.application['object_id']}' does not "
        f"have authorization to perform action '{ACTIONS}/write' over scope '/subscriptions/{guest.subscription_id}"
        f"{ONE}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    )


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("GET", f"{IN_GROUP}/providers/{ACTIONS}", "read", f"{IN_GROUP}/providers/Microsoft.VirtualMachineImages"),
        ("POST", f"{ONE}/run", "run/action", ONE),
        ("POST", f"{ONE}/cancel", "cancel/action", ONE),
        ("GET", f"{ONE}/runOutputs", "runOutputs/read", ONE),
        ("GET", f"{ONE}/runOutputs/r", "runOutputs/read", f"{ONE}/runOutputs/r"),
        ("DELETE", ONE, "delete", ONE),
    ],
)
def test_each_call_names_its_action(guest: Guest, method: str, path: str, action: str, scope: str) -> None:
    """The refusal of a call names the action that the caller lacks, and where."""
    message = guest.error(method, path)["message"]
    assert f"'{ACTIONS}/{action}' over scope '/subscriptions/{guest.subscription_id}{scope}'" in message


def test_whether_a_group_exists_is_nobodys_business(guest: Guest) -> None:
    """Without the right to read it, a group that is not there is refused as one that is."""
    assert guest.error("GET", "/resourceGroups/none")["code"] == "AuthorizationFailed"


def test_a_role_holds_where_it_is_assigned(guest: Guest) -> None:
    """A contributor of one group changes that group and no other, and assigns no roles even there."""
    guest.may("Contributor", IN_GROUP)
    assert guest.raw.send("PATCH", IN_GROUP, {"tags": {"a": "b"}}).status_code == 200
    assert guest.error("PUT", "/resourceGroups/mine", {"location": "eastus"})["code"] == "AuthorizationFailed"
    one = f"{IN_GROUP}{ASSIGNMENTS}/12345678-0000-4000-8000-000000000009"
    assert "roleAssignments/write" in guest.error("PUT", one, {})["message"]


def test_lists_show_what_the_caller_may_read(guest: Guest) -> None:
    """A reader of one group is shown the subscription and that group; a reader of one resource, that one."""
    guest.owner.send("PUT", "/resourceGroups/other", {"location": "eastus"})
    guest.may("Reader", ACCOUNT)
    assert guest.raw.send("GET", "/resourceGroups").json() == {"value": []}
    assert [found["name"] for found in guest.raw.send("GET", "/resources").json()["value"]] == ["imagestore"]
    guest.may("Reader", IN_GROUP)
    assert [found["name"] for found in guest.raw.send("GET", "/resourceGroups").json()["value"]] == [GROUP]
    assert guest.raw.send("GET", f"/subscriptions/{guest.subscription_id}").status_code == 200
    assert guest.raw.send("GET", "/providers/Microsoft.Compute").status_code == 200
    register = guest.error("POST", "/providers/Microsoft.Compute/register")
    assert "'Microsoft.Compute/register/action' over scope" in register["message"]


def test_a_role_that_is_taken_away_is_gone_at_once(guest: Guest) -> None:
    """Rights are looked up at each call."""
    guest.may("Reader")
    assert guest.raw.send("GET", "/resourceGroups").status_code == 200
    take_away_roles(guest.owner, guest.application["object_id"])
    assert guest.error("GET", "/resourceGroups")["code"] == "AuthorizationFailed"


def test_the_owner_may_lock_himself_out(emulator: EmulatorThread) -> None:
    """The start world's application has no more rights than its role assignments give."""
    raw = RawArm(emulator)
    mine = {"$filter": f"principalId eq '{raw.settings.client_object_id}'"}
    for assignment in raw.send("GET", ASSIGNMENTS, params=mine).json()["value"]:
        if assignment["properties"]["roleDefinitionId"].endswith(OWNER):
            assert raw.send("DELETE", assignment["id"]).status_code == 200
    assert raw.send("GET", "/resourceGroups").status_code == 403
    emulator.control.reset()
    assert raw.send("GET", "/resourceGroups").status_code == 200


async def test_whoever_names_an_identity_must_be_allowed_to(guest: Guest, guest_cloud: Cloud) -> None:
    """An identity in a PUT needs the right to assign it, which Managed Identity Operator has."""
    make_role(guest.owner, "Image Author", f"{ACTIONS}/*", "Microsoft.VirtualMachineImages/locations/operations/read")
    guest.may("Image Author", IN_GROUP)
    builder = Builder(guest_cloud)
    with pytest.raises(HttpResponseError) as caught:
        await builder.create()
    assert caught.value.error is not None
    assert (caught.value.status_code, caught.value.error.code) == (403, "LinkedAuthorizationFailed")
    assert (
        f"has permission to perform action '{ACTIONS}/write' on scope '/subscriptions/{guest.subscription_id}{ONE}'; "
        "however, it does not have permission to perform action(s) "
        "'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) "
        f"'/subscriptions/{guest.subscription_id}{IDENTITY}' (respectively) or the linked scope(s) are invalid."
    ) in str(caught.value.error.message)
    guest.may("Managed Identity Operator", IDENTITY)
    assert (await builder.create())["properties"]["provisioningState"] == "Succeeded"


async def test_a_runner_that_creates_nothing(guest: Guest, guest_cloud: Cloud) -> None:
    """To run, watch and read results takes four actions, which need not hold in the whole subscription."""
    create(guest.owner)
    make_role(
        guest.owner,
        "Image Runner",
        f"{ACTIONS}/read",
        f"{ACTIONS}/run/action",
        f"{ACTIONS}/runOutputs/read",
        "Microsoft.VirtualMachineImages/locations/operations/read",
    )
    guest.may("Image Runner", IN_GROUP)
    builder = Builder(guest_cloud)
    await builder.run()
    assert (await builder.get())["properties"]["lastRunStatus"]["runState"] == "Succeeded"
    assert await done(builder.image_templates.get_run_output(GROUP, NAME, "version"))
    with pytest.raises(HttpResponseError, match="cancel/action"):
        await finished(builder.image_templates.begin_cancel(GROUP, NAME))


def test_a_patch_that_takes_an_identity_away_needs_no_right_on_it(guest: Guest) -> None:
    """Only what is given is asked about."""
    create(guest.owner)
    make_role(guest.owner, "Image Author", f"{ACTIONS}/*")
    guest.may("Image Author", IN_GROUP)
    identity_id = f"/subscriptions/{guest.subscription_id}{IDENTITY}"
    for value, status in (({}, 403), (None, 200)):
        body = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id: value}}}
        assert guest.raw.send("PATCH", ONE, body).status_code == status


@pytest.mark.parametrize("scope", ["", IN_GROUP, ACCOUNT])
async def test_blobs_are_read_by_role_assignment(guest: Guest, guest_cloud: Cloud, cloud: Cloud, scope: str) -> None:
    """A data role on the subscription, the group or the account lets a principal in, and no other role does."""
    await done(cloud.blobs("imagestore").get_blob_client("images", "b").upload_blob(b"text"))
    blob = guest_cloud.blobs("imagestore").get_blob_client("images", "b")
    guest.may("Owner")
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        await content(blob.download_blob())
    guest.may("Storage Blob Data Reader", scope)
    assert await content(blob.download_blob()) == b"text"
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        await done(blob.upload_blob(b"more", overwrite=True))
    guest.may("Storage Blob Data Contributor", scope)
    await done(blob.upload_blob(b"more", overwrite=True))


async def test_the_control_door_overrules_role_assignments(guest: Guest, guest_cloud: Cloud, cloud: Cloud) -> None:
    """A data role that is set at the control door counts until it is lifted."""
    await done(cloud.blobs("imagestore").get_blob_client("images", "b").upload_blob(b"text"))
    blob = guest_cloud.blobs("imagestore").get_blob_client("images", "b")
    guest.may("Storage Blob Data Owner")
    cloud.thread.control.set_data_role("none", object_id=guest.application["object_id"])
    with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
        await content(blob.download_blob())
    cloud.thread.control.set_data_role("reader", object_id=guest.application["object_id"])
    assert await content(blob.download_blob()) == b"text"


def test_an_application_signs_in_as_it_was_registered(emulator: EmulatorThread) -> None:
    """What is given at the control door counts; a reset forgets the application."""
    given = {"client_id": "12345678-0000-4000-8000-00000000000a", "client_secret": "s", "object_id": "o"}
    assert emulator.control.register_application(**given).items() >= given.items()
    raw = RawArm(emulator, given)
    assert "x-ms-operation-identifier" in raw.send("GET", "/resourceGroups").headers
    assert "objectId=o/" in raw.send("GET", "/resourceGroups").headers["x-ms-operation-identifier"]
    assert raw.sign_in(client_secret="wrong").json()["error_codes"] == [7000215]
    emulator.control.reset()
    assert raw.sign_in().json()["error_codes"] == [700016]


@pytest.mark.parametrize("body", [{"name": "x"}, {"client_id": 1}])
def test_a_bad_application_is_refused(emulator: EmulatorThread, body: dict[str, Any]) -> None:
    """Members that are unknown or no texts are not taken."""
    assert RawArm(emulator).send("POST", "/_emulator/applications", body).status_code == 400


def test_roles_are_found_by_a_reader_of_a_group(guest: Guest) -> None:
    """Who may read anywhere finds the built-in roles without a scope."""
    url = f"{guest.raw.url}{DEFINITIONS}/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    assert guest.error("GET", url)["code"] == "AuthorizationFailed"
    guest.may("Reader", IN_GROUP)
    assert guest.raw.send("GET", url).status_code == 200

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import strategies as st

from aib_emulator.settings import EmulatorSettings
from tests.contract.image_builder.calls import document, to_gallery, to_managed_image
from tests.contract.raw_arm import RawArm
from tests.contract.resources.documents import asked, golden_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.server import EmulatorThread

    Path = tuple[str | int, ...]

EXAMPLES = 40
SUBSCRIPTION_ID = EmulatorSettings().subscription_id
GROUP = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/images/providers"
REGION = {"name": "eastus", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}
EXPRESSIONS = [
    *("[", "[x", "[[x]", "[concat(]", "[parameters('no')]", "[reference('no').a.b[0]]", "[length(1)]", "[a()]"),
    "[reference()]",
]
TEXTS = ["", "\x00", "\ud7ff", "é" * 300, "1" * 400, "/", "*", "%", "2026-13-45T99:99:99Z", "NaN", *EXPRESSIONS]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, -1, 0, 2**63, 1e308, [], {}, [None], {"": None}, [[]], *TEXTS]), st.text(max_size=6)
)
ALL_OF_AN_IMAGE_TEMPLATE = document(
    SUBSCRIPTION_ID,
    customize=[
        {"type": "Shell", "scriptUri": "https://127.0.0.1:1/a.sh", "sha256Checksum": "", "name": "a"},
        {"type": "PowerShell", "inline": ["a"], "runElevated": True, "runAsSystem": True, "validExitCodes": [0]},
        {"type": "WindowsRestart", "restartTimeout": "5m"},
        {"type": "WindowsUpdate", "filters": ["include:$true"], "updateLimit": 20},
        {"type": "File", "sourceUri": "https://127.0.0.1:1/b", "destination": "/b"},
    ],
    validate={"inVMValidations": [{"type": "Shell", "inline": ["true"]}], "continueDistributeOnFailure": False},
    optimize={"vmBoot": {"state": "Enabled"}},
    errorHandling={"onCustomizerError": "abort", "onValidationError": "cleanup"},
    vmProfile={"vmSize": "Standard_D2s_v3", "osDiskSizeGB": 64, "userAssignedIdentities": []},
    distribute=[
        to_managed_image(SUBSCRIPTION_ID),
        to_gallery(
            SUBSCRIPTION_ID, versioning={"scheme": "Latest", "major": 1}, replicationRegions=[], targetRegions=[REGION]
        ),
    ],
    autoRun={"state": "Disabled"},
    managedResourceTags={"a": "b"},
)
ASSIGNED = {
    "roleDefinitionId": f"{GROUP}/Microsoft.Authorization/roleDefinitions/{uuid.UUID(int=1)}",
    "principalId": str(uuid.UUID(int=2)),
}
ROLE = {
    "roleName": "A role",
    "description": "",
    "assignableScopes": [f"/subscriptions/{SUBSCRIPTION_ID}"],
    "permissions": [{"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}],
}
DOCUMENTS: dict[str, tuple[str, str, Any]] = {
    "image template": ("PUT", "Microsoft.VirtualMachineImages/imageTemplates/x", ALL_OF_AN_IMAGE_TEMPLATE),
    "its change": (
        "PATCH",
        "Microsoft.VirtualMachineImages/imageTemplates/x",
        {"tags": {"a": "b"}, "properties": {"distribute": [{"type": "VHD", "runOutputName": "d"}]}},
    ),
    "trigger": (
        "PUT",
        "Microsoft.VirtualMachineImages/imageTemplates/x/triggers/source",
        {"properties": {"kind": "SourceImage"}},
    ),
    "deployment": ("PUT", "Microsoft.Resources/deployments/x", asked(golden_image(), name="golden")),
    "preview": ("POST", "Microsoft.Resources/deployments/x/whatIf", asked(golden_image(), name="golden")),
    "gallery": ("PUT", "Microsoft.Compute/galleries/x", {"location": "eastus", "properties": {"description": "x"}}),
    "definition": (
        "PUT",
        "Microsoft.Compute/galleries/corp/images/x",
        {
            "location": "eastus",
            "properties": {
                "osType": "Linux",
                "osState": "Generalized",
                "hyperVGeneration": "V2",
                "identifier": {"publisher": "a", "offer": "b", "sku": "c"},
                "features": [{"name": "SecurityType", "value": "TrustedLaunch"}],
            },
        },
    ),
    "version": (
        "PUT",
        "Microsoft.Compute/galleries/corp/images/linux-base/versions/1.0.0",
        {
            "location": "eastus",
            "properties": {
                "publishingProfile": {"targetRegions": [REGION], "excludeFromLatest": False, "replicaCount": 1},
                "storageProfile": {"source": {"id": f"{GROUP}/Microsoft.Compute/images/i"}},
            },
        },
    ),
    "identity": ("PUT", "Microsoft.ManagedIdentity/userAssignedIdentities/x", {"location": "eastus", "tags": {}}),
    "storage account": (
        "PUT",
        "Microsoft.Storage/storageAccounts/spoiltdocuments",
        {
            "location": "eastus",
            "sku": {"name": "Standard_LRS"},
            "kind": "StorageV2",
            "properties": {"allowSharedKeyAccess": True, "allowBlobPublicAccess": False},
        },
    ),
    "role": ("PUT", f"Microsoft.Authorization/roleDefinitions/{uuid.UUID(int=3)}", {"properties": ROLE}),
    "assignment": ("PUT", f"Microsoft.Authorization/roleAssignments/{uuid.UUID(int=4)}", {"properties": ASSIGNED}),
}
PLANS: dict[str, tuple[str, str, Any]] = {
    "fault": ("POST", "faults", {"method": "GET", "path": "/nowhere", "status": 429, "count": 1, "body": {"a": "b"}}),
    "failure": ("POST", "failures", {"kind": "customizer", "image_template": "nobody", "count": 1, "step": 0}),
    "throttling": ("PUT", "throttling", {"reads": {"size": 1000, "rate": 1000}}),
    "tokens": ("PUT", "tokens", {"lifetime": 3600}),
    "refusal": ("POST", "tokens/refusals", {"error": "invalid_client", "count": 1}),
    "copy pace": ("PUT", "copy-pace", {"bytes_per_second": 1000.0, "fail_at_bytes": 5}),
    "limits": ("PUT", "blob-limits", {"requests_per_second": 1000.0, "bytes_per_second": 1000.0, "retry_after": 1}),
    "rights": ("PUT", "data-roles", {"role": "reader", "account": "imagestore", "object_id": "x"}),
    "marketplace": (
        "POST",
        "platform-versions",
        {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "18.04-LTS", "version": "18.04.202699999"},
    ),
    "application": ("POST", "applications", {"client_id": str(uuid.UUID(int=5)), "client_secret": "x"}),
}


@pytest.fixture(scope="module")
def raw(emulator_thread: EmulatorThread) -> Iterator[RawArm]:
    """Sign in once, with a clock that stands still; put everything back in the end."""
    emulator_thread.control.reset()
    emulator_thread.control.set_scale(0)
    yield RawArm(emulator_thread)
    emulator_thread.control.reset()


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the way to every member and item of a document."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        yield (*path, name)
        yield from places(inner, (*path, name))


def spoilt(body: Any, path: Path, value: Any) -> Any:
    """Return a document with another value at one place; with Ellipsis, without the place."""
    made = holder = copy.deepcopy(body)
    for name in path[:-1]:
        holder = holder[name]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return made


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_with_a_wrong_member_is_too_much(raw: RawArm, name: str) -> None:
    """A document that is right but for one member is taken or refused, never answered with the emulator's failure."""
    method, path, body = DOCUMENTS[name]

    @hypothesis.settings(max_examples=EXAMPLES)
    @hypothesis.given(st.sampled_from(list(places(body))), st.just(...) | VALUES)
    def ask(place: Path, value: Any) -> None:
        answer = raw.send(method, f"{GROUP}/{path}", spoilt(body, place, value))
        assert answer.status_code < 500, answer.text
        assert raw.send("GET", f"{GROUP}/{path.removesuffix('/whatIf')}").status_code < 500

    ask()


@pytest.mark.parametrize("name", PLANS)
def test_no_plan_with_a_wrong_member_is_too_much(raw: RawArm, name: str) -> None:
    """A plan that is right but for one member is taken or refused, and strikes no other call as a failure."""
    method, path, body = PLANS[name]

    @hypothesis.settings(max_examples=EXAMPLES)
    @hypothesis.given(st.sampled_from(list(places(body))), st.just(...) | VALUES)
    def ask(place: Path, value: Any) -> None:
        answer = raw.send(method, f"/_emulator/{path}", spoilt(body, place, value), api_version=None)
        assert answer.status_code < 500, answer.text

    try:
        ask()
    finally:
        raw.thread.control.reset()

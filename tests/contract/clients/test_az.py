from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.clients.az_cli import GROUP, NEEDS_AZ, Az

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = NEEDS_AZ
UBUNTU = "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2"
CORP = (*GROUP, "--gallery-name", "corp")
MINE = (*GROUP, "--gallery-name", "mine")
DEFINITION = (*MINE, "--gallery-image-definition", "base")


def names(found: list[dict[str, Any]]) -> list[str]:
    """Return the names of what a list command found."""
    return [item["name"] for item in found]


def test_the_setup_of_the_guide_signs_in(az: Az) -> None:
    """After the guide's lines az works in the emulator's subscription, as its application."""
    account = az("account", "show")
    assert (account["environmentName"], account["id"]) == ("emulator", az.subscription_id)
    assert account["user"] == {"name": az.variables["AZURE_CLIENT_ID"], "type": "servicePrincipal"}


def test_a_wrong_secret_is_told(az: Az, tmp_path: Path) -> None:
    """A sign-in with a wrong secret ends with Entra's own words."""
    who = ("--username", az.variables["AZURE_CLIENT_ID"], "--tenant", az.variables["AZURE_TENANT_ID"])
    refused = az.signed_out(tmp_path).refused("login", "--service-principal", *who, "--password", "wrong")
    assert "AADSTS7000215" in refused.message


def test_groups(az: Az) -> None:
    """Groups are made, shown, listed and deleted."""
    made = az("group", "create", "--name", "other", "--location", "West US 2", "--tags", "owner=me")
    assert (made["location"], made["tags"]) == ("westus2", {"owner": "me"})
    assert az("group", "show", "--name", "other") == made
    assert names(az("group", "list")) == ["images", "other"]
    az("group", "delete", "--name", "other", "--yes")
    assert az("group", "exists", "--name", "other") is False
    assert az.refused("group", "show", "--name", "other").exit_code == 3


def test_identities(az: Az) -> None:
    """An identity lies where its group lies, and keeps its principal."""
    made = az("identity", "create", *GROUP, "--name", "mine")
    assert made["location"] == "eastus"
    assert az("identity", "show", *GROUP, "--name", "mine") == made
    assert names(az("identity", "list", *GROUP)) == ["image-builder", "mine"]


def test_roles(az: Az) -> None:
    """A role is assigned by its name to the principal of an identity, listed and taken away."""
    identity = az("identity", "create", *GROUP, "--name", "mine")
    scope = ("--scope", f"/subscriptions/{az.subscription_id}/resourceGroups/images")
    by_object_id = ("--assignee-object-id", identity["principalId"], "--assignee-principal-type", "ServicePrincipal")
    made = az("role", "assignment", "create", *by_object_id, "--role", "Storage Blob Data Reader", *scope)
    assert made["principalId"] == identity["principalId"]
    by_client_id = ("--assignee", identity["clientId"])
    az("role", "assignment", "create", *by_client_id, "--role", "Reader", *scope)
    listed = az("role", "assignment", "list", *scope)
    assert {item["roleDefinitionName"] for item in listed} == {"Storage Blob Data Reader", "Reader"}
    assert {item["principalName"] for item in listed} == {identity["clientId"]}
    az("role", "assignment", "delete", "--ids", made["id"])
    az("role", "assignment", "delete", *by_client_id, "--role", "Reader", *scope)
    assert az("role", "assignment", "list", *scope) == []
    (found,) = az("role", "definition", "list", "--name", "Reader")
    assert found["roleType"] == "BuiltInRole"


def test_an_application_without_rights_is_told(az: Az, tmp_path: Path) -> None:
    """Whoever may nothing signs in, and is refused in Azure's words."""
    application = az.control.register_application()
    guest = signed_in(az, tmp_path, application["client_id"], application["client_secret"])
    refused = guest.refused("group", "show", "--name", "images")
    assert "(AuthorizationFailed)" in refused.message
    assert application["object_id"] in refused.message


def signed_in(az: Az, folder: Path, client_id: str, client_secret: str) -> Az:
    """Sign another application in, with a configuration of its own."""
    other = az.signed_out(folder)
    who = ("--username", client_id, "--tenant", az.variables["AZURE_TENANT_ID"])
    other("login", "--service-principal", *who, "--password", client_secret, "--allow-no-subscriptions")
    other("account", "set", "--subscription", az.subscription_id)
    return other


def test_providers_and_locations(az: Az) -> None:
    """The provider is registered, and locations are known."""
    provider = ("--namespace", "Microsoft.VirtualMachineImages")
    az("provider", "register", *provider, "--wait")
    assert az("provider", "show", *provider)["registrationState"] == "Registered"
    assert "eastus" in names(az("account", "list-locations"))


def test_galleries_and_definitions(az: Az) -> None:
    """A gallery is made with a definition of its own, and both are shown."""
    made = az("sig", "create", *GROUP, "--gallery-name", "mine")
    assert az("sig", "show", *MINE) == made
    assert names(az("sig", "list", *GROUP)) == ["corp", "mine"]
    system = ("--os-type", "Linux", "--hyper-v-generation", "V2", "--publisher", "p", "--offer", "o", "--sku", "s")
    definition = az("sig", "image-definition", "create", *DEFINITION, *system)
    assert az("sig", "image-definition", "show", *DEFINITION) == definition
    assert (definition["osType"], definition["identifier"]["sku"]) == ("Linux", "s")
    assert names(az("sig", "image-definition", "list", *CORP)) == ["linux-base", "linux-vhd", "windows-base"]


def test_image_versions(az: Az) -> None:
    """A version is published from a managed image, and shows its replication."""
    image_id = managed_image(az)
    assert names(az("image", "list", *GROUP)) == ["built"]
    assert az("image", "show", *GROUP, "--name", "built")["id"] == image_id
    corp = (*CORP, "--gallery-image-definition", "linux-base")
    version = (*corp, "--gallery-image-version", "1.0.0")
    regions = ("--target-regions", "eastus", "westus2")
    az("sig", "image-version", "create", *version, "--managed-image", image_id, *regions)
    shown = az("sig", "image-version", "show", *version, "--expand", "ReplicationStatus")
    assert shown["replicationStatus"]["aggregatedState"] == "Completed"
    assert [region["region"] for region in shown["replicationStatus"]["summary"]] == ["East US", "West US 2"]
    assert names(az("sig", "image-version", "list", *corp)) == ["1.0.0"]
    excluded = ("--set", "publishingProfile.excludeFromLatest=true")
    assert az("sig", "image-version", "update", *version, *excluded)["publishingProfile"]["excludeFromLatest"]
    az("sig", "image-version", "delete", *version)
    assert az("sig", "image-version", "list", *corp) == []


def managed_image(az: Az) -> str:
    """Make a managed image by a build, and return its id."""
    built = ("--image-source", "Ubuntu2204", "--identity", "image-builder", "--managed-image-destinations")
    az("image", "builder", "create", *GROUP, "--name", "first", *built, "built=eastus")
    az("image", "builder", "run", *GROUP, "--name", "first")
    (output,) = az("image", "builder", "show-runs", *GROUP, "--name", "first")
    return str(output["artifactId"])


def test_marketplace(az: Az) -> None:
    """Images of the marketplace are listed, `latest` is found, and aliases are the emulator's own."""
    found = az("vm", "image", "list", "--all", "--publisher", "Canonical", "--location", "eastus")
    assert f"{UBUNTU}:22.04.202608070" in [image["urn"] for image in found]
    latest = az("vm", "image", "show", "--urn", f"{UBUNTU}:latest", "--location", "eastus")
    assert (latest["name"], latest["osDiskImage"]["operatingSystem"]) == ("22.04.202608070", "Linux")
    aliases = {image["urnAlias"]: image["urn"] for image in az("vm", "image", "list")}
    assert aliases["Ubuntu2204"] == f"{UBUNTU}:latest"


def test_storage_accounts(az: Az) -> None:
    """An account is made and found by its name alone, and its keys are listed."""
    account = ("--name", "azaccount")
    assert az("storage", "account", "check-name", *account)["nameAvailable"] is True
    az("storage", "account", "create", *GROUP, *account, "--sku", "Standard_LRS")
    blob_url = f"{az.blob_url}/azaccount/"
    assert az("storage", "account", "show", *account)["primaryEndpoints"]["blob"] == blob_url
    assert names(az("storage", "account", "list", *GROUP)) == ["azaccount", "imagestore"]
    keys = az("storage", "account", "keys", "list", "--account-name", "azaccount")
    assert [key["keyName"] for key in keys] == ["key1", "key2"]
    az("storage", "account", "delete", *GROUP, *account, "--yes")
    assert az.refused("storage", "account", "show", *GROUP, *account).exit_code == 3


def test_blobs(az: Az) -> None:
    """Blobs are written with a token and read with the account's connection string."""
    az("storage", "container-rm", "create", *GROUP, "--storage-account", "imagestore", "--name", "scripts")
    endpoint = f"{az.blob_url}/imagestore"
    bearer = ("--auth-mode", "login", "--account-name", "imagestore", "--blob-endpoint", endpoint)
    assert names(az("storage", "container", "list", *bearer)) == ["images", "scripts"]
    blob = ("--container-name", "scripts", "--name", "hello.sh")
    file = az.write("hello.sh", "echo hello\n")
    az("storage", "blob", "upload", *bearer, *blob, "--file", file, "--no-progress")
    assert names(az("storage", "blob", "list", *bearer, "--container-name", "scripts")) == ["hello.sh"]
    account = ("storage", "account", "show-connection-string", *GROUP, "--name", "imagestore")
    by_key = ("--connection-string", az(*account)["connectionString"])
    back = az.folder / "back.sh"
    az("storage", "blob", "download", *by_key, *blob, "--file", str(back), "--no-progress")
    assert back.read_text() == "echo hello\n"

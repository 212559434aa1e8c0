from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from azure.core.credentials import AccessToken
from azure.storage.blob import generate_account_sas, generate_blob_sas, generate_container_sas

from tests.contract.sdk_clients import content, done, every, finished, refused

if TYPE_CHECKING:
    from typing import Any

    from tests.contract.sdk_clients import Cloud

ACCOUNT, CONTAINER, NAME = "imagestore", "images", "a.txt"


class FixedToken:
    """A credential that always hands out the same token."""

    def __init__(self, token: str) -> None:
        self._token = AccessToken(token, int((now() + timedelta(hours=1)).timestamp()))

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        """Return the token."""
        return self._token


class FixedAsyncToken(FixedToken):
    """The same for asynchronous clients."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:  # type: ignore[override]  # the SDK's other flavour
        """Return the token."""
        return self._token


def now() -> datetime:
    """Return the real time: signatures live by it."""
    return datetime.now(UTC)


async def put_blob(cloud: Cloud) -> None:
    """Put a blob to read."""
    await done(cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, NAME).upload_blob(b"hello", overwrite=True))


async def key_of(cloud: Cloud, account: str = ACCOUNT) -> dict[str, str]:
    """Return the first key of an account as the SDK takes it."""
    return {"account_name": account, "account_key": (await cloud.keys(account))[0]}


async def test_both_account_keys_are_good(cloud: Cloud) -> None:
    """What listKeys hands out opens the account, key1 and key2 alike."""
    for key in await cloud.keys(ACCOUNT):
        credential = {"account_name": ACCOUNT, "account_key": key}
        assert [item.name for item in await every(cloud.blobs(ACCOUNT, credential).list_containers())] == [CONTAINER]


async def test_regenerated_key_ends_the_old_one(cloud: Cloud) -> None:
    """After regenerateKey the old key is worth nothing, the new one and the other one are."""
    old, other = await cloud.keys(ACCOUNT)
    await done(cloud.storage().storage_accounts.regenerate_key("images", ACCOUNT, {"keyName": "key1"}))
    new = (await cloud.keys(ACCOUNT))[0]
    assert new != old
    with refused("AuthenticationFailed", status=403):
        await every(cloud.blobs(ACCOUNT, {"account_name": ACCOUNT, "account_key": old}).list_containers())
    for key in (new, other):
        await every(cloud.blobs(ACCOUNT, {"account_name": ACCOUNT, "account_key": key}).list_containers())


async def test_blob_sas_opens_one_blob(cloud: Cloud) -> None:
    """A blob signature for HTTPS opens this blob for what it permits."""
    await put_blob(cloud)
    key = (await cloud.keys(ACCOUNT))[0]
    sas = generate_blob_sas(
        ACCOUNT, CONTAINER, NAME, account_key=key, permission="r", expiry=now() + timedelta(hours=1), protocol="https"
    )
    url = f"{cloud.thread.emulator.blob_url}/{ACCOUNT}/{CONTAINER}/{NAME}?{sas}"
    assert await content(cloud.blob_at(url).download_blob()) == b"hello"
    with refused("AuthorizationPermissionMismatch"):
        await done(cloud.blob_at(url).upload_blob(b"no", overwrite=True))


async def test_expired_sas_is_refused(cloud: Cloud) -> None:
    """A signature is over when it says so."""
    await put_blob(cloud)
    key = (await cloud.keys(ACCOUNT))[0]
    past = now() - timedelta(minutes=1)
    sas = generate_container_sas(ACCOUNT, CONTAINER, account_key=key, permission="rl", expiry=past)
    with refused("AuthenticationFailed", status=403):
        await content(cloud.blobs(ACCOUNT, sas).get_blob_client(CONTAINER, NAME).download_blob())


async def test_signatures_are_refused_in_the_services_words(cloud: Cloud) -> None:
    """A signature for another address, protocol, service or kind of resource is told what is wrong with it."""
    await put_blob(cloud)
    key, later = (await cloud.keys(ACCOUNT))[0], now() + timedelta(hours=1)
    blob: dict[str, Any] = {"account_key": key, "permission": "r", "expiry": later}
    account: dict[str, Any] = {"permission": "r", "expiry": later}
    for code, sas in {
        "AuthorizationSourceIPMismatch": generate_blob_sas(ACCOUNT, CONTAINER, NAME, ip="10.0.0.1", **blob),
        "AuthorizationProtocolMismatch": generate_blob_sas(ACCOUNT, CONTAINER, NAME, protocol="http", **blob),
        "AuthorizationPermissionMismatch": generate_blob_sas(ACCOUNT, CONTAINER, NAME, **{**blob, "permission": "w"}),
        "AuthorizationResourceTypeMismatch": generate_account_sas(ACCOUNT, key, "s", **account),
        "AuthorizationServiceMismatch": generate_account_sas(ACCOUNT, key, "o", services="q", **account),
    }.items():
        with refused(code, status=403):
            await content(cloud.blobs(ACCOUNT, sas).get_blob_client(CONTAINER, NAME).download_blob())


async def test_delegation_key_lasts_a_week_at_most(cloud: Cloud) -> None:
    """A user delegation key for longer is refused."""
    with refused("InvalidXmlNodeValue", status=400):
        await done(cloud.blobs(ACCOUNT).get_user_delegation_key(now(), now() + timedelta(days=7, minutes=1)))


async def test_token_of_another_tenant_does_not_open_blobs(cloud: Cloud) -> None:
    """A principal of another tenant is a stranger, although the same authority vouches for it."""
    tokens, settings = cloud.thread.emulator.world.tokens, cloud.settings
    token = tokens.issue(
        tenant_id="bbbbbbbb-0000-4000-8000-000000000001",
        audience="https://storage.azure.com",
        client_id=settings.client_id,
        object_id=settings.client_object_id,
    )
    kind = FixedAsyncToken if hasattr(cloud.credential, "__aenter__") else FixedToken
    with refused("InvalidAuthenticationInfo", status=401):
        await every(cloud.blobs(ACCOUNT, kind(token)).list_containers())


async def test_account_sas_lists_containers(cloud: Cloud) -> None:
    """An account signature opens what it permits in the whole account."""
    key = (await cloud.keys(ACCOUNT))[0]
    sas = generate_account_sas(
        ACCOUNT, key, resource_types="sco", permission="rl", expiry=now() + timedelta(hours=1), protocol="https"
    )
    assert [item.name for item in await every(cloud.blobs(ACCOUNT, sas).list_containers())] == [CONTAINER]


async def test_user_delegation_sas_opens_a_blob(cloud: Cloud) -> None:
    """A bearer gets a user delegation key, and what that signs is good without any account key."""
    await put_blob(cloud)
    start, end = now() - timedelta(minutes=5), now() + timedelta(hours=1)
    delegation = await done(cloud.blobs(ACCOUNT).get_user_delegation_key(start, end))
    sas = generate_blob_sas(
        ACCOUNT, CONTAINER, NAME, user_delegation_key=delegation, permission="r", start=start, expiry=end
    )
    client = cloud.blobs(ACCOUNT, sas).get_blob_client(CONTAINER, NAME)
    assert await content(client.download_blob()) == b"hello"
    cloud.thread.control.set_data_role("none", account=ACCOUNT)
    with refused("AuthorizationPermissionMismatch"):
        await content(client.download_blob())


async def test_accounts_are_strangers(cloud: Cloud) -> None:
    """The key of one account opens no other, and its blobs are not seen there."""
    await cloud.make_account("otherstore")
    await put_blob(cloud)
    foreign = {**await key_of(cloud, "otherstore"), "account_name": ACCOUNT}
    with refused("AuthenticationFailed", status=403):
        await every(cloud.blobs(ACCOUNT, foreign).list_containers())
    assert await every(cloud.blobs("otherstore").list_containers()) == []


async def test_principal_without_data_role_needs_the_key(cloud: Cloud) -> None:
    """Without a data role the token is refused with the permission's code, while listKeys still opens the account."""
    await put_blob(cloud)
    cloud.thread.control.set_data_role("none", account=ACCOUNT, object_id=cloud.settings.client_object_id)
    with refused("AuthorizationPermissionMismatch", status=403):
        await content(cloud.blobs(ACCOUNT).get_blob_client(CONTAINER, NAME).download_blob())
    with_key = cloud.blobs(ACCOUNT, await key_of(cloud)).get_blob_client(CONTAINER, NAME)
    assert await content(with_key.download_blob()) == b"hello"


async def test_token_for_resource_manager_does_not_open_blobs(cloud: Cloud) -> None:
    """A token of another audience is refused."""
    token = await done(cloud.credential.get_token("https://management.azure.com/.default"))
    kind = FixedAsyncToken if hasattr(cloud.credential, "__aenter__") else FixedToken
    with refused("InvalidAuthenticationInfo"):
        await every(cloud.blobs(ACCOUNT, kind(token.token)).list_containers())


async def test_anonymous_read_is_refused(cloud: Cloud) -> None:
    """Nobody reads without a credential where public access is off, which it is."""
    await put_blob(cloud)
    url = f"{cloud.thread.emulator.blob_url}/{ACCOUNT}/{CONTAINER}/{NAME}"
    with refused("PublicAccessNotPermitted", status=409):
        await content(cloud.blob_at(url).download_blob())


async def test_public_container_needs_an_account_that_permits_it(cloud: Cloud) -> None:
    """A container is opened to everybody only where the account permits it; then anybody reads."""
    open_container = cloud.blobs(ACCOUNT).get_container_client("open")
    with refused("PublicAccessNotPermitted"):
        await done(open_container.create_container(public_access="blob"))
    change = {"properties": {"allowBlobPublicAccess": True}}
    await done(cloud.storage().storage_accounts.update("images", ACCOUNT, change))
    await done(open_container.create_container(public_access="blob"))
    await done(open_container.upload_blob(NAME, b"hello"))
    anybody = cloud.blob_at(open_container.get_blob_client(NAME).url)
    assert await content(anybody.download_blob()) == b"hello"
    with refused("NoAuthenticationInformation", status=401):
        await done(anybody.upload_blob(b"no", overwrite=True))
    with refused("NoAuthenticationInformation", status=401):
        await done(anybody.upload_blob_from_url(anybody.url, overwrite=True))


async def test_account_can_refuse_its_keys(cloud: Cloud) -> None:
    """Where allowSharedKeyAccess is false, keys are refused and tokens go on."""
    credential = await key_of(cloud)
    change = {"properties": {"allowSharedKeyAccess": False}}
    await done(cloud.storage().storage_accounts.update("images", ACCOUNT, change))
    with refused("KeyBasedAuthenticationNotPermitted"):
        await every(cloud.blobs(ACCOUNT, credential).list_containers())
    assert len(await every(cloud.blobs(ACCOUNT).list_containers())) == 1


async def test_deleted_account_takes_its_blobs_along(cloud: Cloud) -> None:
    """A deleted account is gone, and an account of the same name begins empty with other keys."""
    await put_blob(cloud)
    old = await key_of(cloud)
    await done(cloud.storage().storage_accounts.delete("images", ACCOUNT))
    with refused("ResourceNotFound"):
        await every(cloud.blobs(ACCOUNT).list_containers())
    await finished(
        cloud.storage().storage_accounts.begin_create(
            "images", ACCOUNT, {"location": "eastus", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        )
    )
    assert await every(cloud.blobs(ACCOUNT).list_containers()) == []
    assert await key_of(cloud) != old

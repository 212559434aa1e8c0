from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import azure.identity
import azure.identity.aio
import azure.mgmt.imagebuilder
import azure.mgmt.imagebuilder.aio
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from aib_emulator.content import LARGEST_BODY
from aib_emulator.tokens import TokenAuthority
from tests.contract.image_builder.calls import IMAGE_TEMPLATES
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import done, every

if TYPE_CHECKING:
    from pathlib import Path

    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

OTHER_TENANT = "bbbbbbbb-0000-4000-8000-000000000009"


@pytest.fixture
def raw(emulator: EmulatorThread) -> RawArm:
    """Speak to the emulator without any SDK."""
    return RawArm(emulator)


@pytest.mark.parametrize("audience", ["https://management.azure.com", "https://storage.azure.com"])
async def test_tokens_are_for_what_was_asked(cloud: Cloud, audience: str) -> None:
    """The audience is the scope without its ending, and the issuer is the one that storage insists on."""
    token = (await done(cloud.credential.get_token(f"{audience}/.default"))).token
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["aud"] == audience
    assert claims["iss"] == f"https://sts.windows.net/{cloud.settings.tenant_id}/"
    assert claims["appid"] == cloud.settings.client_id


@pytest.mark.parametrize("tenant", [OTHER_TENANT, "adfs", "contoso.onmicrosoft.com"])
def test_every_tenant_signs_in(emulator: EmulatorThread, tenant: str) -> None:
    """Any tenant segment is served, `adfs` among them, whose authorities skip instance discovery."""
    settings = emulator.emulator.settings
    credential = azure.identity.ClientSecretCredential(
        tenant,
        settings.client_id,
        settings.client_secret,
        authority=emulator.emulator.arm_url,
        disable_instance_discovery=True,
        connection_verify=str(emulator.emulator.ca_file),
    )
    token = credential.get_token("https://management.azure.com/.default").token
    tid = jwt.decode(token, options={"verify_signature": False})["tid"]
    assert tid == (tenant if tenant == OTHER_TENANT else settings.tenant_id)
    credential.close()


def test_what_is_no_tenant_is_refused(raw: RawArm) -> None:
    """Neither an id nor a domain name nor one of Entra's words: no token, and no description of its sign-in."""
    for word in ("common", "organizations", "consumers"):
        assert raw.sign_in(word).status_code == 200
    described = raw.session.get(f"{raw.url}/not-a-tenant/v2.0/.well-known/openid-configuration", timeout=30)
    for answer, error in ((raw.sign_in("not-a-tenant"), "invalid_request"), (described, "invalid_tenant")):
        assert (answer.status_code, answer.json()["error"], answer.json()["error_codes"]) == (400, error, [90002])
        assert answer.json()["error_description"].startswith("AADSTS90002: Tenant 'not-a-tenant' not found.")


async def test_a_wrong_secret_is_refused(emulator: EmulatorThread) -> None:
    """Both flavours of the SDK show Entra's number for a wrong secret."""
    settings, more = emulator.emulator.settings, {"authority": emulator.emulator.arm_url}
    more["connection_verify"] = str(emulator.emulator.ca_file)
    for kind, switch in (
        (azure.identity.ClientSecretCredential, {"disable_instance_discovery": True}),
        (azure.identity.aio.ClientSecretCredential, {}),
    ):
        credential = kind(settings.tenant_id, settings.client_id, "wrong", **more, **switch)
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await done(credential.get_token("https://management.azure.com/.default"))
        await done(credential.close())


@pytest.mark.parametrize(
    ("form", "status", "number"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": "someone"}, 400, 700016),
        ({"grant_type": "password"}, 400, 70003),
        ({"scope": "https://management.azure.com"}, 400, 1002012),
    ],
)
def test_bad_requests_for_tokens(raw: RawArm, form: dict[str, str], status: int, number: int) -> None:
    """Each mistake has Entra's number, and a description that begins with it."""
    answer = raw.sign_in(**form)
    assert answer.status_code == status
    assert answer.json()["error_codes"] == [number]
    assert answer.json()["error_description"].startswith(f"AADSTS{number}: ")


def test_a_form_that_cannot_be_read_is_refused(raw: RawArm) -> None:
    """A sign-in whose content is not encoded as it says, or is too long, gets an error body like any other call."""
    url = f"{raw.url}/{raw.settings.tenant_id}/oauth2/v2.0/token"
    no_gzip = raw.session.post(url, b"client_id=a", headers={"Content-Encoding": "gzip"}, timeout=30)
    assert (no_gzip.status_code, no_gzip.json()["error"]["code"]) == (400, "InvalidRequestContent")
    assert no_gzip.headers["Connection"] == "close"  # as it is: the next request would have been lost on it
    # A refusal comes before all is sent: now and then the connection ends first, and only the next one brings it.
    raw.session.mount(url, HTTPAdapter(max_retries=Retry(5, allowed_methods=None)))
    too_long = raw.session.post(url, b"x" * (LARGEST_BODY + 1), timeout=30)
    assert (too_long.status_code, too_long.json()["error"]["code"]) == (413, "RequestContentTooLarge")


def test_an_image_template_called_token_signs_nobody_in(raw: RawArm) -> None:
    """What is sent to a resource of that name is no sign-in, and is not counted as one."""
    counted = raw.thread.control.connections()["token_requests"]
    answer = raw.send("POST", f"{IMAGE_TEMPLATES}/token", {"client_id": "a"})
    assert answer.json()["error"]["code"] == "MethodNotAllowed"
    assert raw.thread.control.connections()["token_requests"] == counted


def test_the_description_of_a_tenant(raw: RawArm) -> None:
    """Its addresses are built from the host that the client used, with the tenant as the client wrote it."""
    for path in (f"/{OTHER_TENANT}/v2.0", "/adfs"):
        url = f"{raw.url}{path}/.well-known/openid-configuration"
        found = raw.session.get(url, timeout=30).json()
        tenant = path.split("/")[1]
        assert found["token_endpoint"] == f"{raw.url}/{tenant}/oauth2/v2.0/token"
        assert found["authorization_endpoint"].startswith(f"{raw.url}/{tenant}/")


def test_the_published_key_checks_tokens(raw: RawArm) -> None:
    """Whoever fetches the key can verify a token."""
    keys = raw.session.get(f"{raw.url}/common/discovery/v2.0/keys", timeout=30).json()
    key = jwt.PyJWKSet.from_dict(keys).keys[0]
    assert jwt.decode(raw.token(), key, algorithms=["RS256"], audience="https://management.azure.com")


def test_the_description_of_the_cloud(raw: RawArm) -> None:
    """One object, not a list, with what `az cloud register` looks at."""
    found = raw.send("GET", "/metadata/endpoints", api_version="2022-09-01").json()
    assert found["resourceManager"] == found["authentication"]["loginEndpoint"] == raw.url
    assert found["authentication"]["audiences"][0] == f"{raw.url}/"
    assert f"https://{found['suffixes']['storage']}" == raw.thread.emulator.blob_url


def test_without_a_token_nothing_is_answered(raw: RawArm) -> None:
    """A call without a token is refused."""
    answer = raw.send("GET", "/resourceGroups", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationFailed")


def test_a_token_for_something_else_is_refused(raw: RawArm) -> None:
    """A token for storage is no good here, and no new one is asked for."""
    token = raw.sign_in(scope="https://storage.azure.com/.default").json()["access_token"]
    answer = raw.send("GET", "/resourceGroups", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "insufficient_claims" not in answer.headers["WWW-Authenticate"]


def test_a_token_of_another_tenant_is_refused(raw: RawArm) -> None:
    """Whoever has signed in elsewhere is told in Azure's words where the subscription's tenant signs in."""
    token = raw.sign_in(OTHER_TENANT).json()["access_token"]
    answer = raw.send("GET", "/resourceGroups", headers={"Authorization": f"Bearer {token}"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (401, "InvalidAuthenticationTokenTenant")
    assert f"wrong issuer 'https://sts.windows.net/{OTHER_TENANT}/'" in error["message"]
    assert f"'{raw.url}/{raw.settings.tenant_id}' to get the token" in error["message"]
    assert (
        f'authorization_uri="{raw.url}/{raw.settings.tenant_id}", error="invalid_token"'
        in (answer.headers["WWW-Authenticate"])
    )


@pytest.mark.parametrize("ending", ["", "/"])
def test_the_emulators_own_address_is_an_audience(raw: RawArm, ending: str) -> None:
    """Clients that ask for the custom cloud's own address are answered, with and without a final slash."""
    token = raw.sign_in(scope=f"{raw.url}{ending}/.default").json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert raw.send("GET", "/resourceGroups", headers=headers).status_code == 200
    by_address = raw.url.replace("localhost", "127.0.0.1")
    path = f"/subscriptions/{raw.settings.subscription_id}/resourceGroups"
    assert raw.send("GET", by_address + path, headers=headers).status_code == 200


def foreign_token(raw: RawArm, folder: Path) -> str:
    """Sign a token with the key of another emulator."""
    settings = raw.settings
    return TokenAuthority.from_folder(folder).issue(
        tenant_id=settings.tenant_id,
        audience="https://management.azure.com",
        client_id=settings.client_id,
        object_id=settings.client_object_id,
    )


def test_a_token_of_an_earlier_emulator_is_challenged(raw: RawArm, tmp_path: Path) -> None:
    """The challenge is the one that Azure's clients answer with a new token."""
    authorization = f"Bearer {foreign_token(raw, tmp_path)}"
    answer = raw.send("GET", "/resourceGroups", headers={"Authorization": authorization})
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in challenge
    claims = json.loads(base64.b64decode(challenge.partition('claims="')[2].partition('"')[0]))
    assert claims["access_token"]["nbf"]["essential"] is True


class FakeStaleCredential:
    """Give a token of an earlier emulator until a challenge asks for a new one.

    :param stale: the old token
    :param real: where new ones come from
    """

    def __init__(self, stale: str, real: azure.identity.ClientSecretCredential) -> None:
        self.stale = stale
        self.real = real
        self.challenges: list[str] = []

    def get_token_info(self, *scopes: str, options: azure.core.credentials.TokenRequestOptions | None = None) -> object:
        """Give the old token, or a new one when claims are demanded."""
        claims = (options or {}).get("claims")
        if claims is None:
            return azure.core.credentials.AccessTokenInfo(self.stale, 4_000_000_000)
        self.challenges.append(claims)
        return self.real.get_token_info(*scopes, options=options)


def test_the_sdk_recovers_from_a_stale_token(raw: RawArm, tmp_path: Path) -> None:
    """The real client fetches a new token by itself and repeats the call."""
    settings, url, verify = raw.settings, raw.url, str(raw.thread.emulator.ca_file)
    real = azure.identity.ClientSecretCredential(
        settings.tenant_id,
        settings.client_id,
        settings.client_secret,
        authority=url,
        disable_instance_discovery=True,
        connection_verify=verify,
    )
    credential = FakeStaleCredential(foreign_token(raw, tmp_path), real)
    client = azure.mgmt.imagebuilder.ImageBuilderClient(
        credential,  # type: ignore[arg-type] # it is asked for nothing else
        settings.subscription_id,
        base_url=url,
        connection_verify=verify,
    )
    assert list(client.virtual_machine_image_templates.list()) == []
    assert len(credential.challenges) == 1
    client.close()
    real.close()


async def test_another_subscription_is_not_found(cloud: Cloud) -> None:
    """There is one subscription."""
    client = cloud._open(
        azure.mgmt.imagebuilder.aio.ImageBuilderClient
        if cloud._is_async
        else azure.mgmt.imagebuilder.ImageBuilderClient,
        cloud.credential,
        OTHER_TENANT,
        base_url=cloud.thread.emulator.arm_url,
    )
    with pytest.raises(HttpResponseError, match="SubscriptionNotFound"):
        await every(client.virtual_machine_image_templates.list())


@pytest.mark.parametrize("api_version", [None, "latest", "2025-1-1"])
def test_an_api_version_is_needed(raw: RawArm, api_version: str | None) -> None:
    """Without a well-formed api-version nothing is answered."""
    answer = raw.send("GET", "/resourceGroups", api_version=api_version)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in {"MissingApiVersionParameter", "InvalidApiVersionParameter"}

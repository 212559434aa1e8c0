from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.contract.image_builder.calls import IMAGE_TEMPLATES, Builder
from tests.contract.raw_arm import RawArm
from tests.contract.sdk_clients import done, every

if TYPE_CHECKING:
    from collections.abc import Callable

    from aib_emulator.control_client import ControlClient
    from aib_emulator.server import EmulatorThread
    from tests.contract.sdk_clients import Cloud

ENDINGS: dict[str, Callable[[ControlClient], None]] = {
    "expired": lambda control: control.expire_tokens(),
    "signed by an old key": lambda control: control.rotate_signing_key(),
}


@pytest.mark.parametrize("ending", ENDINGS)
async def test_the_sdk_gets_over_the_end_of_its_token(cloud: Cloud, ending: str) -> None:
    """A token that is over in the middle of things gets the challenge, and the SDK signs in anew by itself."""
    builder, control = Builder(cloud), cloud.thread.control
    assert await every(builder.image_templates.list()) == []
    ENDINGS[ending](control)
    control.forget_requests()
    assert await every(builder.image_templates.list()) == []
    statuses = [request["status"] for request in control.requests() if request["path"].endswith("/imageTemplates")]
    assert statuses == [401, 200]


@pytest.mark.parametrize("ending", ENDINGS)
def test_blobs_refuse_tokens_that_are_over(emulator: EmulatorThread, ending: str) -> None:
    """Storage answers with its own challenge, and takes a new token."""
    raw = RawArm(emulator)
    url = f"{emulator.emulator.blob_url}/imagestore?comp=list"

    def status_with(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2023-11-03"}
        return raw.session.get(url, headers=headers).status_code

    def storage_token() -> str:
        return str(raw.sign_in(scope="https://storage.azure.com/.default").json()["access_token"])

    old = storage_token()
    assert status_with(old) == 200
    ENDINGS[ending](emulator.control)
    assert (status_with(old), status_with(storage_token())) == (401, 200)


def test_short_lived_tokens_say_so(emulator: EmulatorThread) -> None:
    """The answer to a sign-in tells the lifetime that was set; a reset brings the usual one back."""
    emulator.control.set_token_lifetime(7)
    assert RawArm(emulator).sign_in().json()["expires_in"] == 7
    emulator.control.reset()
    assert RawArm(emulator).sign_in().json()["expires_in"] == 3599


@pytest.mark.parametrize("code", [700016, 7000222, 53003])
async def test_refused_sign_ins_reach_the_sdk(cloud: Cloud, code: int) -> None:
    """The SDK's error names Entra's number; the next sign-in is as good as ever.

    The same credential remembers some refusals for a minute: another client asks next.
    """
    cloud.thread.control.refuse_sign_ins(code=code)
    with pytest.raises(ClientAuthenticationError, match=f"AADSTS{code}"):
        await done(cloud.credential.get_token("https://management.azure.com/.default"))
    assert RawArm(cloud.thread).token()


async def test_sign_ins_that_fail_by_the_servers_fault_are_repeated(cloud: Cloud) -> None:
    """After a 503 the SDK asks for its token again."""
    cloud.thread.control.refuse_sign_ins(status=503, count=1)
    assert (await done(cloud.credential.get_token("https://management.azure.com/.default"))).token


def test_a_refusal_is_worded_as_entra_does(emulator: EmulatorThread) -> None:
    """Status, OAuth's word, number and the wait for the next try are as planned."""
    raw = RawArm(emulator)
    emulator.control.refuse_sign_ins(status=429, code=90024, retry_after=5, message="slowly")
    answer = raw.sign_in()
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert (body["error"], body["error_codes"]) == ("temporarily_unavailable", [90024])
    assert body["error_description"].startswith("AADSTS90024: slowly Trace ID: ")


def test_the_door_shows_what_is_planned(emulator: EmulatorThread) -> None:
    """Lifetime, key and coming refusals can be read, and the refusals forgotten."""
    raw = RawArm(emulator)
    emulator.control.refuse_sign_ins(count=3)
    shown = raw.send("GET", "/_emulator/tokens").json()
    assert (shown["lifetime"], [refusal["count"] for refusal in shown["refusals"]]) == (3599, [3])
    emulator.control.clear_plans()
    assert raw.send("GET", "/_emulator/tokens").json()["refusals"] == []
    assert raw.send("GET", IMAGE_TEMPLATES).status_code == 200


def test_senseless_lifetimes_and_refusals_are_refused(emulator: EmulatorThread) -> None:
    """A token that never lives and a refusal that is none are not accepted."""
    with pytest.raises(HTTPError, match="400"):
        emulator.control.set_token_lifetime(0)
    with pytest.raises(HTTPError, match="400"):
        emulator.control.refuse_sign_ins(status=200)

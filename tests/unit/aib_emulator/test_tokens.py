from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import jwt
import pytest

from aib_emulator.clock import ManualClock
from aib_emulator.tokens import TokenAuthority, TokenError, WrongTenantError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARM = "https://management.azure.com"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> TokenAuthority:
    """Make an authority with a key of its own."""
    return TokenAuthority.from_folder(tmp_path_factory.mktemp("keys"))


def issue(authority: TokenAuthority, audience: str = ARM) -> str:
    """Sign a token."""
    return authority.issue(tenant_id="t", audience=audience, client_id="c", object_id="o")


def test_claims_are_those_that_azurite_and_arm_look_at(authority: TokenAuthority) -> None:
    """The issuer is the one that Azurite insists on, and the identity is named in every usual claim."""
    claims = authority.verify(issue(authority), [ARM], "t")
    assert claims["iss"] == "https://sts.windows.net/t/"
    assert (claims["aud"], claims["tid"], claims["oid"], claims["appid"]) == (ARM, "t", "o", "c")
    assert claims["nbf"] < claims["iat"] < claims["exp"]


def test_tokens_name_their_key(authority: TokenAuthority) -> None:
    """Tokens are signed with RS256 and name the key that is published."""
    header = jwt.get_unverified_header(issue(authority))
    assert (header["alg"], header["kid"]) == ("RS256", authority.public_jwk()["kid"])


@pytest.mark.parametrize("audience", [ARM, ARM + "/"])
def test_a_final_slash_of_the_audience_does_not_matter(authority: TokenAuthority, audience: str) -> None:
    """Some clients ask for the audience with a slash at its end."""
    assert authority.verify(issue(authority, audience), [ARM], "t")["aud"] == audience


def test_another_audience_is_refused(authority: TokenAuthority) -> None:
    """A token for storage is no good for Resource Manager."""
    with pytest.raises(TokenError) as refused:
        authority.verify(issue(authority, "https://storage.azure.com"), [ARM], "t")
    assert not refused.value.is_foreign


def test_a_token_of_another_key_would_be_replaced_by_a_new_one(authority: TokenAuthority, tmp_path: Path) -> None:
    """A token that an earlier emulator signed is told apart: fetching a new one helps."""
    with pytest.raises(TokenError) as refused:
        authority.verify(issue(TokenAuthority.from_folder(tmp_path)), [ARM], "t")
    assert refused.value.is_foreign


def test_the_key_outlives_a_restart(tmp_path: Path) -> None:
    """Two authorities on one folder accept each other's tokens."""
    before, after = TokenAuthority.from_folder(tmp_path), TokenAuthority.from_folder(tmp_path)
    assert after.verify(issue(before), [ARM], "t")["appid"] == "c"
    assert (tmp_path / "token-signing.key").stat().st_mode & 0o077 == 0


def test_a_token_of_another_tenant_is_refused(authority: TokenAuthority) -> None:
    """What is good in one tenant is good in no other, and its issuer is told."""
    with pytest.raises(WrongTenantError) as refused:
        authority.verify(issue(authority), [ARM], "another")
    assert refused.value.issuer == "https://sts.windows.net/t/"


def test_rubbish_is_refused(authority: TokenAuthority) -> None:
    """What is no token at all is refused, and no new one is asked for."""
    with pytest.raises(TokenError) as refused:
        authority.verify("rubbish", [ARM], "t")
    assert not refused.value.is_foreign


@pytest.fixture
def lasting(authority: TokenAuthority) -> Iterator[TokenAuthority]:
    """Hand out the authority, and put it back to its start afterwards."""
    yield authority
    authority.reset()


def test_all_tokens_can_be_ended_at_once(lasting: TokenAuthority) -> None:
    """What was issued before is over, as if its time were up; what is issued after is good."""
    old = issue(lasting)
    lasting.expire_all()
    with pytest.raises(TokenError, match="has expired") as refused:
        lasting.verify(old, [ARM], "t")
    assert refused.value.is_foreign
    assert lasting.verify(issue(lasting), [ARM], "t")


def test_a_new_key_makes_old_tokens_foreign(lasting: TokenAuthority) -> None:
    """After a rotation only the new key is published, and only its tokens are good; a reset brings the first back."""
    old, first_id = issue(lasting), lasting.key_id
    lasting.rotate()
    assert lasting.public_jwk()["kid"] == lasting.key_id != first_id
    with pytest.raises(TokenError, match="another key") as refused:
        lasting.verify(old, [ARM], "t")
    assert refused.value.is_foreign
    assert lasting.verify(issue(lasting), [ARM], "t")
    lasting.reset()
    assert lasting.verify(old, [ARM], "t")


def test_tokens_can_be_short_lived(lasting: TokenAuthority) -> None:
    """A lifetime that is set counts for the tokens that are issued afterwards."""
    lasting.lifetime = 5
    claims = lasting.verify(issue(lasting), [ARM], "t")
    assert claims["exp"] - claims["iat"] == 5


def test_the_authoritys_clock_may_differ(tmp_path: Path) -> None:
    """With a skew, tokens are dated and judged by the service's clock: what it issued is good there and then only."""
    clock = ManualClock()
    authority = TokenAuthority.from_folder(tmp_path, lambda: clock.skew)
    clock.set_skew(timedelta(hours=2))
    token = issue(authority)
    assert authority.verify(token, [ARM], "t")
    clock.set_skew(timedelta())
    with pytest.raises(TokenError, match="not valid yet"):
        authority.verify(token, [ARM], "t")
    clock.set_skew(timedelta(hours=4))
    with pytest.raises(TokenError, match="has expired"):
        authority.verify(token, [ARM], "t")

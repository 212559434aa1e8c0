"""Bearer tokens at Resource Manager's door: who is let in, and what Azure says to those who are not."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from aib_emulator.arm.errors import ArmError
from aib_emulator.clock import real_now
from aib_emulator.tokens import ISSUER, TokenError, WrongTenantError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aib_emulator.arm.call import Call
    from aib_emulator.tokens import TokenAuthority

ARM_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")
WRONG_TENANT = (
    "The access token is from the wrong issuer '{issuer}'. It must match the tenant '{own_issuer}' associated with "
    "this subscription. Please use the authority (URL) '{authority}' to get the token. Note, if the subscription is "
    "transferred to another tenant there is no impact to the services, but information about new tenant could take "
    "time to propagate (up to an hour). If you just transferred your subscription and see this error message, please "
    "try back later."
)
WRONG_TENANT_CHALLENGE = (
    'error="invalid_token", error_description="The access token is from the wrong issuer. It must match the tenant '
    'associated with this subscription. Please use correct authority to get the token."'
)


def verified_claims(call: Call, tokens: TokenAuthority, tenant_id: str) -> Mapping[str, object]:
    """Return the claims of the token that a call brings along, or raise Azure's refusal.

    :param tokens: checks them
    :param tenant_id: the tenant of the subscription
    """
    scheme, _, token = call.headers.get("Authorization", "").partition(" ")
    authority = f"{call.base_url}/{tenant_id}"
    sign_in = f'authorization_uri="{authority}"'
    if scheme.lower() != "bearer" or not token:
        message = "Authentication failed. The 'Authorization' header is missing."
        raise _refusal("AuthenticationFailed", message, f'Bearer {sign_in}, error="invalid_token"')
    try:
        return tokens.verify(token.strip(), (*ARM_AUDIENCES, *_own_audiences(call.base_url)), tenant_id)
    except WrongTenantError as error:
        names = {"issuer": error.issuer, "own_issuer": ISSUER.format(tenant_id), "authority": authority}
        challenge = f"Bearer {sign_in}, {WRONG_TENANT_CHALLENGE}"
        raise _refusal("InvalidAuthenticationTokenTenant", WRONG_TENANT.format(**names), challenge) from error
    except TokenError as error:
        code = "InvalidAuthenticationToken"
        challenge = _fresh_token_challenge(sign_in) if error.is_foreign else f'Bearer {sign_in}, error="{code}"'
        raise _refusal(code, str(error), challenge) from error


def _refusal(code: str, message: str, challenge: str) -> ArmError:
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def _own_audiences(base_url: str) -> list[str]:
    # A client may have signed in for one name of this machine and call by another.
    port = base_url.rpartition(":")[2]
    return [base_url, *(f"https://{host}:{port}" for host in ("localhost", "127.0.0.1"))]


def _fresh_token_challenge(sign_in: str) -> str:
    # The only 401 that Azure's clients answer by themselves with a new token and a second try.
    claims = {"access_token": {"nbf": {"essential": True, "value": str(int(real_now().timestamp()))}}}
    encoded = base64.b64encode(json.dumps(claims).encode()).decode()
    return (
        f'Bearer realm="", {sign_in}, client_id="00000003-0000-0000-c000-000000000000", '
        f'error="insufficient_claims", claims="{encoded}"'
    )

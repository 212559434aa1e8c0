"""Sign-in over HTTP: where to find it, tokens, and the endpoints of this cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.route import Route
from aib_emulator.services.identity.directory import directory_routes
from aib_emulator.services.identity.resources import (
    SignInError,
    cloud_endpoints,
    openid_configuration,
    read_token_request,
    refusal_body,
    tenant_of,
)

if TYPE_CHECKING:
    from aib_emulator.world import World


def routes(world: World) -> list[Route]:
    """Return the routes of Entra; every tenant segment is served, `adfs` among them."""
    identity = IdentityRoutes(world)
    configuration = "/.well-known/openid-configuration"
    return [
        *directory_routes(world),
        _open("GET", "/metadata/endpoints", identity.get_endpoints),
        _open("GET", "/{tenant}/v2.0" + configuration, identity.get_configuration),
        _open("GET", "/{tenant}" + configuration, identity.get_configuration),
        _open("GET", "/{tenant}/discovery/v2.0/keys", identity.get_keys),
        _open("POST", "/{tenant}/oauth2/v2.0/token", identity.post_token, is_sign_in=True),
        _open("POST", "/{tenant}/oauth2/token", identity.post_token, is_sign_in=True),
    ]


class IdentityRoutes:
    """Answer the calls of clients that sign in.

    :param world: settings, and the authority that signs tokens
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def get_endpoints(self, call: Call) -> Answer:
        """Name this cloud's endpoints, as `az cloud register` asks for them."""
        blob_host = self._world.blobs.public_url.partition("//")[2]
        return Answer(200, cloud_endpoints(call.base_url, blob_host))

    async def get_configuration(self, call: Call) -> Answer:
        """Name the addresses of a tenant's sign-in."""
        tenant = call.parameters["tenant"]
        try:
            tenant_of(tenant, self._world.settings.tenant_id, "invalid_tenant")
        except SignInError as error:
            return Answer(error.status, error.to_json(self._world.clock.now()))
        return Answer(200, openid_configuration(call.base_url, tenant, call.path))

    async def get_keys(self, _: Call) -> Answer:
        """Show the public key that tokens are checked with."""
        return Answer(200, {"keys": [self._world.tokens.public_jwk()]})

    async def post_token(self, call: Call) -> Answer:
        """Issue a token for client id and secret."""
        settings = self._world.settings
        form = dict(parse_qsl(call.body.decode("utf-8", errors="replace")))
        refusal = self._world.sign_in_refusals.strike()
        if refusal is not None:
            return Answer(refusal.status, refusal_body(refusal, self._world.clock.now()), refusal.headers())
        try:
            tenant_id = tenant_of(call.parameters["tenant"], settings.tenant_id)
            application, audience = read_token_request(form, self._world.applications)
        except SignInError as error:
            return Answer(error.status, error.to_json(self._world.clock.now()))
        token = self._world.tokens.issue(
            tenant_id=tenant_id,
            audience=audience,
            client_id=application.client_id,
            object_id=application.object_id,
        )
        lifetime = dict.fromkeys(("expires_in", "ext_expires_in"), self._world.tokens.lifetime)
        return Answer(200, {"token_type": "Bearer", **lifetime, "access_token": token})


def _open(method: str, path: str, handle: Any, *, is_sign_in: bool = False) -> Route:
    return Route(method, path, handle, needs_token=False, needs_api_version=False, is_sign_in=is_sign_in)

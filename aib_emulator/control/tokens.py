"""Sign-in at the control door: how long tokens live, their end, their key, and sign-ins that are refused."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aib_emulator.arm.call import Answer, Call
from aib_emulator.arm.errors import ArmError
from aib_emulator.control.reading import built, number
from aib_emulator.sign_in import SignInRefusal, SignInRefusalError
from aib_emulator.tokens import LONGEST_LIFETIME

if TYPE_CHECKING:
    from aib_emulator.control.reading import Kinds, Table
    from aib_emulator.world import World

REFUSAL_MEMBERS: Kinds = {
    **dict.fromkeys(("count", "code", "status"), int),
    **dict.fromkeys(("error", "message"), str),
    "retry_after": (int, type(None)),
}


def table(world: World) -> Table:
    """Return what is answered about tokens."""
    door = TokenDoor(world)
    return [
        ("GET", "/tokens", door.get),
        ("PUT", "/tokens", door.put),
        ("POST", "/tokens/expire", door.post_expire),
        ("POST", "/tokens/rotate", door.post_rotate),
        ("POST", "/tokens/refusals", door.post_refusal),
        ("DELETE", "/tokens/refusals", door.delete_refusals),
    ]


class TokenDoor:
    """Answer the calls about tokens.

    :param world: what the services share
    """

    def __init__(self, world: World) -> None:
        self._tokens = world.tokens
        self._refusals = world.sign_in_refusals

    async def get(self, _: Call) -> Answer:
        """Show how long tokens live, which key signs them, and which refusals are to come."""
        return Answer(200, self._state())

    async def put(self, call: Call) -> Answer:
        """Set how long the tokens live that are issued from now on."""
        self._tokens.lifetime = int(number(call.json(), "lifetime", LONGEST_LIFETIME, least=1))
        return Answer(200, self._state())

    async def post_expire(self, _: Call) -> Answer:
        """Let every token that was issued so far be over."""
        self._tokens.expire_all()
        return Answer(200, self._state())

    async def post_rotate(self, _: Call) -> Answer:
        """Sign with a new key from now on."""
        await asyncio.to_thread(self._tokens.rotate)
        return Answer(200, self._state())

    async def post_refusal(self, call: Call) -> Answer:
        """Refuse the next sign-ins."""
        try:
            refusal = built(SignInRefusal, call.json(), REFUSAL_MEMBERS)
        except SignInRefusalError as error:
            raise ArmError(400, "InvalidRefusal", str(error)) from error
        return Answer(201, asdict(self._refusals.plan(refusal)))

    async def delete_refusals(self, _: Call) -> Answer:
        """Refuse no sign-in any more."""
        self._refusals.clear()
        return Answer(204)

    def _state(self) -> dict[str, Any]:
        refusals = [asdict(refusal) for refusal in self._refusals.pending()]
        return {"lifetime": self._tokens.lifetime, "key_id": self._tokens.key_id, "refusals": refusals}

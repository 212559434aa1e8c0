"""The applications of the tenant: who may sign in, and as whom."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Application:
    """Describe an application with its service principal.

    :param client_id: what it signs in as
    :param client_secret: what it proves that with
    :param object_id: of its service principal, which roles are assigned to
    """

    client_id: str
    client_secret: str = field(repr=False)
    object_id: str


class Applications:
    """Keep the applications, found by client id in any casing.

    :param first: the one of the start world
    """

    def __init__(self, first: Application) -> None:
        self._first = first
        self._applications: dict[str, Application] = {}
        self.clear()

    def register(self, client_id: str = "", client_secret: str = "", object_id: str = "") -> Application:
        """Add an application, or replace it; what is not given is made up."""
        made = Application(
            client_id or str(uuid.uuid4()), client_secret or f"emulated~{uuid.uuid4()}", object_id or str(uuid.uuid4())
        )
        self._applications[made.client_id.lower()] = made
        return made

    def registered(self) -> list[Application] | None:
        """Return the applications besides the first; None when there is none."""
        return [known for known in self._applications.values() if known is not self._first] or None

    def restore(self, applications: list[Application]) -> None:
        """Take over applications that were registered before."""
        self._applications.update({known.client_id.lower(): known for known in applications})

    def find(self, client_id: str) -> Application | None:
        """Return the application of that client id."""
        return self._applications.get(client_id.lower())

    def is_principal(self, object_id: str) -> bool:
        """Whether it is the object id of an application's service principal."""
        return any(known.object_id.lower() == object_id.lower() for known in self._applications.values())

    def __iter__(self) -> Iterator[Application]:
        return iter(tuple(self._applications.values()))

    def clear(self) -> None:
        """Forget all but the first."""
        self._applications = {self._first.client_id.lower(): self._first}

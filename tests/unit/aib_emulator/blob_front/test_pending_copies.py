from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, cast

import pytest
from multidict import CIMultiDict

from aib_emulator.blob_front import BlobAccount, PendingCopies, PendingCopy, SourceState, Target
from aib_emulator.clock import ManualClock
from aib_emulator.keeping.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aib_emulator.blob_front import Backend

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
TARGET = Target("/imagestore/images/t")
COPY = PendingCopy("c", TARGET, CIMultiDict(), SourceState(100, '"0x1"'), 10.0, None, START)


class FakeAnswer:
    """Answer what Azurite answers to a copy."""

    ok = True
    status = 202

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Release nothing."""


class FakeBackend:
    """Note what is asked, and call `look` while it is being answered."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.look: Callable[[], object] = bool

    async def send(self, method: str, target: Target, *_: Any, **__: Any) -> FakeAnswer:
        """Answer after a look."""
        self.asked.append(f"{method} {target.raw}")
        self.look()
        return FakeAnswer()


class FakeAccounts:
    """Have every account."""

    def account(self, name: str) -> BlobAccount | None:
        """Return an account of that name."""
        return BlobAccount(name, ("a2V5", "a2V5"))


class World:
    """Hold one copy that ends after ten seconds."""

    def __init__(self) -> None:
        self.backend, self.clock = FakeBackend(), ManualClock(START)
        self.noted: list[Mapping[str, str]] = []
        self.look: Callable[[], object] = bool
        backend = cast("Backend", self.backend)
        self.copies = PendingCopies(backend, FakeAccounts(), self._note, self.clock, Keeper())
        self.copies.restore([COPY])

    async def _note(self, _: Mapping[str, str], state: Mapping[str, str]) -> None:
        self.look()
        self.noted.append(state)

    def is_kept(self) -> bool:
        """Whether the copy would be gone on with after a kill."""
        return self.copies.is_pending(TARGET)


@pytest.fixture
def world() -> World:
    """Make one copy that goes on."""
    return World()


async def test_a_copy_is_kept_until_it_is_carried_out(world: World) -> None:
    """While Azurite carries it out it is still known, and afterwards it is carried out no more."""
    seen: list[bool] = []
    world.backend.look = lambda: seen.append(world.is_kept())
    world.clock.advance(10)
    await world.copies.settle()
    await world.copies.settle()
    assert seen == [True]
    assert not world.is_kept()


async def test_a_copy_that_could_not_be_carried_out_is_tried_again(world: World) -> None:
    """An error on the way to Azurite loses nothing."""

    def fail() -> None:
        raise ConnectionResetError

    world.backend.look = fail
    world.clock.advance(10)
    with pytest.raises(ConnectionResetError):
        await world.copies.settle()
    world.backend.look = bool
    await world.copies.settle()
    assert len(world.backend.asked) == 2
    assert not world.is_kept()


async def test_an_aborted_copy_is_kept_until_that_shows(world: World) -> None:
    """It is forgotten once its target shows that it was aborted."""
    seen: list[bool] = []
    world.look = lambda: seen.append(world.is_kept())
    await world.copies.abort(TARGET)
    assert seen == [True]
    assert [state["status"] for state in world.noted] == ["aborted"]
    assert not world.is_kept()

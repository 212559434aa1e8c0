"""Copy Blob that takes its time: how far each copy is follows from the clock, and nothing runs meanwhile.

Azurite copies in no time. So a copy that is to last makes its target, empty, and is carried out when somebody looks
after its end. Its source must stay as it is until then.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from multidict import CIMultiDict

from aib_emulator.blob_front.access import READING_METHODS
from aib_emulator.blob_front.errors import ERROR_CODE, StorageError, code_of
from aib_emulator.blob_front.source import API_VERSION
from aib_emulator.blob_front.target import Target, target_of_url
from aib_emulator.keeping.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime

    import aiohttp

    from aib_emulator.blob_front.access import Accounts
    from aib_emulator.blob_front.backend import Backend
    from aib_emulator.blob_front.copy_call import CopyCall
    from aib_emulator.blob_front.source import SourceState
    from aib_emulator.clock import Clock

    Place = tuple[str, str, str]
    NoteCopy = Callable[[Mapping[str, str], Mapping[str, str]], Awaitable[None]]

FAMILY = "copy"
COPY_ID, COPY_PENDING = "aib-copy-id", "aib-copy-pending"
"""Headers that tell Azurite which copy this is, and that it only begins; see `blobs/mends/copies.cjs`."""
BROKEN_SOURCE = '500 OperationCancelled "The copy failed when reading the source."'


@dataclass(frozen=True)
class CopyPace:
    """How fast Copy Blob goes.

    :param bytes_per_second: in emulated time; None is done when it is answered
    :param fail_at_bytes: where reading the source fails for good; None is never
    """

    bytes_per_second: float | None = None
    fail_at_bytes: int | None = None


@dataclass(frozen=True)
class PendingCopy:
    """Say what was started, and when.

    :param copy_id: as the caller knows it
    :param target: what it writes, without any signature
    :param headers: of the call that carries it out
    :param source: the source as it was at the start
    :param bytes_per_second: in emulated time
    :param fail_at_bytes: where reading the source fails for good; None is never
    :param started: emulated instant
    """

    copy_id: str
    target: Target
    headers: CIMultiDict[str]
    source: SourceState
    bytes_per_second: float
    fail_at_bytes: int | None
    started: datetime

    @property
    def place(self) -> Place:
        """Account, container and blob that it writes to."""
        return self.target.account, self.target.container, self.target.blob

    @property
    def key(self) -> str:
        """What it is kept under."""
        return _key(self.target)

    @property
    def is_to_fail(self) -> bool:
        """Whether it comes to the byte at which reading fails."""
        return self.fail_at_bytes is not None and self.fail_at_bytes < self.source.length

    @property
    def ends(self) -> datetime:
        """When it is over, well or badly."""
        last = self.fail_at_bytes if self.is_to_fail and self.fail_at_bytes is not None else self.source.length
        return self.started + timedelta(seconds=last / self.bytes_per_second)

    def progress(self, now: datetime) -> str:
        """Return how much is copied, as the service writes it."""
        elapsed = (min(now, self.ends) - self.started).total_seconds()
        copied = min(int(elapsed * self.bytes_per_second), self.source.length)
        return f"{copied}/{self.source.length}"


class PendingCopies:
    """Keep the copies that go on, and carry out those that are over.

    :param backend: Azurite
    :param accounts: the storage accounts there are
    :param note: tells Azurite what is to be seen of a copy
    :param clock: the emulated time
    :param keeper: told of every copy that begins and ends
    """

    def __init__(
        self, backend: Backend, accounts: Accounts, note: NoteCopy, clock: Clock, keeper: Keeper | None = None
    ) -> None:
        self.pace = CopyPace()
        self._backend = backend
        self._accounts = accounts
        self._note = note
        self._clock = clock
        self._pending: dict[str, PendingCopy] = {}
        self._settling = asyncio.Lock()
        self._keeper = keeper or Keeper()
        self._keeper.add(FAMILY, self._pending)

    def restore(self, copies: Iterable[PendingCopy]) -> None:
        """Go on with copies that were kept."""
        self._pending.update({copy.key: copy for copy in copies})

    def clear(self) -> None:
        """Forget all copies, and how fast they go."""
        for key in list(self._pending):
            self._forget(key)
        self.pace = CopyPace()

    async def start(self, call: CopyCall, named: dict[str, str], source: SourceState) -> aiohttp.ClientResponse:
        """Carry out Copy Blob, or begin to.

        :param named: the headers that name the source
        """
        speed = self.pace.bytes_per_second
        if speed is None:
            return await call.put(named)
        copy_id = str(uuid.uuid4())
        answer = await call.put({**named, COPY_ID: copy_id, COPY_PENDING: "true"})
        if answer.ok:
            headers = call.unconditional_headers()
            headers.update({"x-ms-copy-source": named["x-ms-copy-source"], COPY_ID: copy_id})
            headers["x-ms-source-if-match"] = source.etag
            copy = PendingCopy(
                copy_id=copy_id,
                target=Target(call.target.raw_path),
                headers=headers,
                source=source,
                bytes_per_second=speed,
                fail_at_bytes=self.pace.fail_at_bytes,
                started=self._clock.now(),
            )
            self._pending[copy.key] = copy
            self._keep(copy.key)
        return answer

    async def settle(self) -> None:
        """Carry out what is over by now, and show how far the others are; call it before anything else is done."""
        if not self._pending:
            return
        async with self._settling:
            now = self._clock.now()
            for copy in sorted(self._pending.values(), key=lambda copy: copy.ends):
                if copy.ends <= now:
                    await self._end(copy)
                elif reason := await self._lost_source(copy):
                    await self._fail(copy, "failed", reason, now)
                    self._forget(copy.key)
                else:
                    await self._show(copy, {"progress": copy.progress(now)})

    async def _lost_source(self, copy: PendingCopy) -> str:
        """Say why a copy cannot go on; nothing while its source is as it was at the start."""
        source = target_of_url(copy.headers["x-ms-copy-source"])
        account = self._accounts.account(source.account)
        if account is None:
            return _reason(HTTPStatus.NOT_FOUND, "ResourceNotFound")
        plain = Target(source.raw_path)
        snapshot = source.query.get("snapshot")
        if snapshot is not None:
            plain = plain.with_query(f"snapshot={quote(snapshot, safe='')}")
        headers = CIMultiDict({"x-ms-version": API_VERSION})
        async with await self._backend.send("HEAD", plain, headers, key=account.keys[0]) as answer:
            if not answer.ok:
                return _reason(answer.status, answer.headers.get(ERROR_CODE) or code_of(answer.status, b""))
            is_same = answer.headers["ETag"] == copy.source.etag
            return "" if is_same else _reason(HTTPStatus.PRECONDITION_FAILED, "ConditionNotMet")

    def is_pending(self, target: Target) -> bool:
        """Whether a copy to this target goes on."""
        return _key(target) in self._pending

    def demand_none(self, method: str, target: Target) -> None:
        """Refuse to change the target of a copy that goes on."""
        is_abort = target.query.get("comp") == "copy"
        if method not in READING_METHODS and not is_abort and self.is_pending(target):
            raise StorageError(409, "PendingCopyOperation", "There is currently a pending copy operation.")

    async def abort(self, target: Target) -> None:
        """End a copy, once Azurite has found that the caller may; the target stays, empty."""
        async with self._settling:
            copy = self._pending.get(_key(target))
            if copy is None:
                raise StorageError(409, "NoPendingCopyOperation", "There is currently no pending copy operation.")
            await self._fail(copy, "aborted", "", self._clock.now())
            self._forget(copy.key)

    async def _end(self, copy: PendingCopy) -> None:
        await self._carry_out(copy)
        self._forget(copy.key)  # no earlier: when this emulator is killed meanwhile, the next one carries it out

    async def _carry_out(self, copy: PendingCopy) -> None:
        if copy.is_to_fail:
            await self._fail(copy, "failed", BROKEN_SOURCE, copy.ends)
            return
        account = self._accounts.account(copy.target.account)
        if account is None:
            return
        sending = self._backend.send("PUT", copy.target, copy.headers, key=account.keys[0], at=copy.ends)
        async with await sending as answer:
            if not answer.ok or answer.status == HTTPStatus.NOT_MODIFIED:
                code = answer.headers.get(ERROR_CODE) or code_of(answer.status, await answer.read())
                await self._fail(copy, "failed", _reason(answer.status, code), copy.ends)

    def _forget(self, key: str) -> None:
        self._pending.pop(key, None)
        self._keep(key)

    def _keep(self, key: str) -> None:
        self._keeper.touch(FAMILY, key)
        self._keeper.commit()

    async def _fail(self, copy: PendingCopy, status: str, description: str, at: datetime) -> None:
        state = {"status": status, "description": description, "ended": at.isoformat(), "progress": copy.progress(at)}
        await self._show(copy, state)

    async def _show(self, copy: PendingCopy, state: Mapping[str, str]) -> None:
        await self._note(dict(zip(("account", "container", "blob"), copy.place, strict=True)), state)


def _reason(status: int, code: str) -> str:
    return f'{int(status)} {code} "Copy failed when reading the source."'


def _key(target: Target) -> str:
    return f"{target.account}/{target.container}/{target.blob}"

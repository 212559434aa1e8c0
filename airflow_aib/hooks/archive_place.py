"""Where archives go: a container of blob storage, or any place that Airflow's `ObjectStoragePath` reaches."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from airflow_aib.exceptions import ArmRequestError, ImageTemplateError
from airflow_aib.hooks.blob_file import BlobFile
from airflow_aib.hooks.errors import NOT_FOUND
from airflow_aib.hooks.staging import MEBIBYTE
from airflow_aib.hooks.storage_access import StorageAccess
from airflow_aib.masking import mask

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping

    from airflow_aib.hooks.clients import AzureClients
    from airflow_aib.hooks.storage_address import ContainerAddress

PIECE_BYTES = 4 * MEBIBYTE
# An index with a line for each of so many runs would be of no use to anybody.
LARGEST_SMALL = 64 * MEBIBYTE
GZIP_TYPE = "application/gzip"
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class SmallFile:
    """Hold a small file, and which version of it that is.

    :param content: all of it
    :param version: of the file, where the place tells versions apart
    """

    content: bytes
    version: str | None = None


class ArchivePlace(Protocol):
    """Keep files under names."""

    def url(self, name: str) -> str:
        """Give the address of a file or a folder."""
        ...

    async def write(self, name: str, pieces: AsyncIterable[bytes], metadata: Mapping[str, str]) -> None:
        """Write a file of any length; it appears when all of it has arrived."""
        ...

    def read(self, name: str) -> AsyncIterator[bytes]:
        """Read a file piece by piece."""
        ...

    async def read_small(self, name: str) -> SmallFile | None:
        """Read a small file whole; None when there is none."""
        ...

    async def replace_small(self, name: str, content: bytes, *, instead_of: SmallFile | None) -> bool:
        """Write a small file, unless somebody else has written it since it was read; say whether it was written."""
        ...


class BlobPlace:
    """Keep files in a container that the Airflow connection reaches.

    :param clients: how Azure is reached
    :param container: container, and a folder in it
    """

    def __init__(self, clients: AzureClients, container: ContainerAddress) -> None:
        self._container = container
        self._access = StorageAccess(clients, container.account_url)

    def url(self, name: str) -> str:
        """Give the address of a file or a folder."""
        return self._container.blob(name).url

    async def write(self, name: str, pieces: AsyncIterable[bytes], metadata: Mapping[str, str]) -> None:
        """Write a block blob."""
        await self._file(name).write(pieces, metadata, content_type=GZIP_TYPE)

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """Read a blob piece by piece."""
        async for piece in blob_pieces(self._file(name)):
            yield piece

    async def read_small(self, name: str) -> SmallFile | None:
        """Read a blob that fits into memory, in one call: content and version belong together."""
        try:
            part = await self._file(name).read_part(0, LARGEST_SMALL)
        except ArmRequestError as error:
            if error.status == NOT_FOUND and error.code != "ContainerNotFound":
                return None
            raise
        return SmallFile(part.content, part.etag)

    async def replace_small(self, name: str, content: bytes, *, instead_of: SmallFile | None) -> bool:
        """Write a blob, if it is still the one that was read."""
        replacing = instead_of.version if instead_of else None
        return await self._file(name).replace(content, content_type=JSON_TYPE, replacing=replacing)

    def _file(self, name: str) -> BlobFile:
        return BlobFile(self._access, self._container.blob(name))


class ObjectStoragePlace:
    """Keep files wherever Airflow's `ObjectStoragePath` reaches; it takes care of connections and signing in.

    These places tell no versions apart: two writers at once of the same small file are not noticed.

    :param root: such a path
    """

    def __init__(self, root: str) -> None:
        self._root = root

    def url(self, name: str) -> str:
        """Give the address of a file or a folder."""
        return f"{self._root.rstrip('/')}/{name}"

    async def write(self, name: str, pieces: AsyncIterable[bytes], metadata: Mapping[str, str]) -> None:
        """Write a file under another name, and give it its own when it is whole; no metadata is kept with it."""
        del metadata
        path = await self._path(name)
        part = await self._path(f"{name}.{uuid.uuid4().hex}.part")
        await self._tried(name, "write", lambda: path.parent.mkdir(parents=True, exist_ok=True))
        try:
            await self._write_part(name, part, pieces)
            await self._tried(name, "write", lambda: part.move(path))
        except BaseException:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(part.unlink)
            raise

    async def _write_part(self, name: str, part: Any, pieces: AsyncIterable[bytes]) -> None:
        file = await self._tried(name, "write", lambda: part.open("wb"))
        try:
            async for piece in pieces:
                await self._tried(name, "write", lambda piece=piece: file.write(piece))
        finally:
            await self._tried(name, "write", file.close)

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """Read a file piece by piece."""
        path = await self._path(name)
        file = await self._tried(name, "read", lambda: path.open("rb"))
        try:
            while piece := await self._tried(name, "read", lambda: file.read(PIECE_BYTES)):
                yield piece
        finally:
            await asyncio.to_thread(file.close)

    async def read_small(self, name: str) -> SmallFile | None:
        """Read a file that fits into memory."""
        path = await self._path(name)
        try:
            return SmallFile(await asyncio.to_thread(path.read_bytes))
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - libraries for such places have errors of every kind
            raise self._failed(name, "read", error) from None

    async def replace_small(self, name: str, content: bytes, *, instead_of: SmallFile | None) -> bool:
        """Write a file."""
        del instead_of
        await self.write(name, _one_piece(content), {})
        return True

    async def _path(self, name: str) -> Any:
        from airflow.sdk import ObjectStoragePath

        return await self._tried(name, "reach", lambda: ObjectStoragePath(self.url(name)))

    async def _tried(self, name: str, doing: str, work: Any) -> Any:
        """Do something in a thread, since these places block."""
        try:
            return await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 - libraries for such places have errors of every kind
            raise self._failed(name, doing, error) from None

    def _failed(self, name: str, doing: str, error: Exception) -> ArmRequestError:
        # Raised `from None`: Airflow logs the whole chain, and what these libraries say may quote a signature.
        where = mask(self.url(name))
        return ArmRequestError(
            f"Could not {doing} {where}: {type(error).__name__}: {mask(str(error))}",
            hint="Look at the Airflow connection that the path names, and at the package for its scheme.",
            code="ArchivePlaceFailed",
            target=where,
        )


def open_place(clients: AzureClients, destination: str) -> ArchivePlace:
    """Give the place that a destination names.

    :param destination: `account/container[/folder]` or its https address; or a path with another scheme, as
        `s3://aws_default@logs/images`, which Airflow's `ObjectStoragePath` takes
    """
    scheme, separator, rest = destination.strip().partition("://")
    if not separator or scheme.lower() in {"http", "https"}:
        return BlobPlace(clients, clients.settings.cloud.container_address(destination))
    if not rest.strip("/"):
        raise ImageTemplateError(
            f"Destination {destination!r} names no place behind its scheme",
            hint="Write account/container[/folder], or a path such as s3://aws_default@bucket/folder.",
        )
    return ObjectStoragePlace(destination.strip())


async def _one_piece(content: bytes) -> AsyncIterator[bytes]:
    """Give content as one piece."""
    yield content


async def blob_pieces(blob: BlobFile) -> AsyncIterator[bytes]:
    """Read a blob piece by piece."""
    offset = 0
    while piece := await blob.read(offset, PIECE_BYTES):
        offset += len(piece)
        yield piece

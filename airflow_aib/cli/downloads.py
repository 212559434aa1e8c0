"""The files behind addresses: from a folder of this machine, or downloaded."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from urllib.request import OpenerDirector

BYTES_IN_MEGABYTE = 1_000_000
_CHUNK = 65_536


class DownloadError(Exception):
    """Report a file that is not to be had; the message holds no signature of its address."""


@dataclass(frozen=True)
class Downloads:
    """Know where files are, and under which conditions they may be downloaded.

    :param local: beginnings of addresses, or whole ones, each with the folder or file that holds the same
    :param allows_http: whether addresses without TLS may be asked
    :param most_bytes: what a file may have
    :param timeout: of a whole download, in seconds
    """

    local: tuple[tuple[str, Path], ...] = ()
    allows_http: bool = False
    most_bytes: int = 20 * BYTES_IN_MEGABYTE
    timeout: float = 60

    def sha256_of(self, address: str) -> str:
        """Give the SHA-256 of what is behind an address, in hexadecimal digits."""
        file = self._file_for(_without_query(address))
        digest = hashlib.sha256()
        for piece in self.pieces(address) if file is None else _pieces_of(file):
            digest.update(piece)
        return digest.hexdigest()

    def _file_for(self, address: str) -> Path | None:
        """Find the file that stands for an address; of several folders the one with the longest beginning counts."""
        for beginning, path in sorted(self.local, key=lambda pair: len(pair[0]), reverse=True):
            if address == _without_query(beginning):
                return path
            folder = f"{beginning.rstrip('/')}/"
            if address.startswith(folder):
                return _inside(path, unquote(address.removeprefix(folder)))
        return None

    def pieces(self, address: str) -> Iterator[bytes]:
        """Download a file piece by piece."""
        from http.client import HTTPException
        from urllib.error import URLError

        try:
            self._require_allowed(address)
            yield from self._read(address)
        except URLError as error:
            reason = getattr(error, "code", None) or error.reason
            raise DownloadError(f"{shown_address(address)} cannot be downloaded: {reason}") from None
        except (OSError, HTTPException, ValueError) as error:
            # Some of them quote the address, which may be signed.
            raise DownloadError(f"{shown_address(address)} cannot be downloaded: {type(error).__name__}") from None

    def _read(self, address: str) -> Iterator[bytes]:
        begin, size = time.monotonic(), 0
        with self._opener().open(address, timeout=self.timeout) as response:
            while piece := response.read1(_CHUNK):
                size += len(piece)
                if size > self.most_bytes:
                    raise DownloadError(
                        f"{shown_address(address)} has more than {self.most_bytes / BYTES_IN_MEGABYTE:g} MB; "
                        "--max-megabytes allows more"
                    )
                if time.monotonic() - begin > self.timeout:
                    raise DownloadError(f"{shown_address(address)} took more than {self.timeout:g} seconds")
                yield piece

    def _opener(self) -> OpenerDirector:
        import ssl
        from urllib.request import HTTPRedirectHandler, HTTPSHandler, build_opener

        require_allowed = self._require_allowed

        class OnlyAllowed(HTTPRedirectHandler):
            """Follow a redirection only where the first address could have led."""

            def redirect_request(  # noqa: PLR0917 - as urllib calls it
                self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
            ) -> Any:
                require_allowed(newurl)
                return super().redirect_request(req, fp, code, msg, headers, newurl)

        return build_opener(HTTPSHandler(context=ssl.create_default_context()), OnlyAllowed())

    def _require_allowed(self, address: str) -> None:
        scheme = urlsplit(address).scheme.casefold()
        if scheme == "http" and not self.allows_http:
            raise DownloadError(f"{shown_address(address)} is no https address; --allow-http downloads it all the same")
        if scheme not in {"http", "https"}:
            raise DownloadError(f"{shown_address(address)} is no http address")


def local_files(texts: Iterable[str]) -> tuple[tuple[str, Path], ...]:
    """Read `URI=PATH`; an address may hold equals signs itself, so the last one counts.

    :param texts: as typed; a wrong one is a ValueError
    """
    pairs = []
    for text in texts:
        address, _, path = text.rpartition("=")
        if not address or not path:
            raise ValueError("--from takes URI=FILE, or the beginning of addresses and a folder.")
        if not Path(path).exists():
            raise ValueError(f"--from: there is no file or folder {path}.")
        pairs.append((address, Path(path)))
    return tuple(pairs)


def shown_address(address: str) -> str:
    """Give an address without what may be secret in it: a login before the host, and everything behind the path."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "The address"
    query = "..." if parts.query or parts.fragment else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _without_query(address: str) -> str:
    return address.partition("#")[0].partition("?")[0]


def _inside(folder: Path, name: str) -> Path:
    try:
        file = (folder / name).resolve()
    except (ValueError, OSError, RuntimeError):
        raise DownloadError(f"{name!r} is no name of a file") from None
    if not file.is_relative_to(folder.resolve()):
        raise DownloadError(f"{name!r} lies outside {folder}")
    return file


def _pieces_of(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                yield piece
    except OSError as error:
        raise DownloadError(f"{file} cannot be read: {error.strerror}") from error

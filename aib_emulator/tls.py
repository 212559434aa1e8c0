"""The emulator's own certificate authority and the certificate of its two endpoints."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class TlsFiles:
    """Name the files that clients and servers need.

    :param ca_file: the authority's certificate, for clients to trust
    :param certificate_file: the endpoints' certificate with its private key, PEM
    """

    ca_file: Path
    certificate_file: Path

    def server_context(self) -> ssl.SSLContext:
        """Return what a server listens with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_file)
        return context


def tls_files(folder: Path) -> TlsFiles:
    """Return the files in `folder`; the authority is made once and then kept, the certificate is issued anew."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_file, ca_key_file, certificate_file = folder / "ca.pem", folder / "ca.key", folder / "server.pem"
    if ca_key_file.exists() and ca_file.exists():
        authority = trustme.CA.from_pem(ca_file.read_bytes(), ca_key_file.read_bytes())
    else:
        authority = trustme.CA(organization_name="aib-emulator")
        _write_private(ca_key_file, authority.private_key_pem.bytes())
        ca_file.write_bytes(authority.cert_pem.bytes())
    issued = authority.issue_cert(*NAMES, organization_name="aib-emulator")
    _write_private(certificate_file, issued.private_key_and_cert_chain_pem.bytes())
    return TlsFiles(ca_file=ca_file, certificate_file=certificate_file)


def _write_private(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(content)

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from aib_emulator.tls import tls_files

if TYPE_CHECKING:
    from pathlib import Path


def subject_names(certificate_pem: bytes) -> list[str]:
    """Return the names that a certificate is for."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def test_the_authority_outlives_a_restart(tmp_path: Path) -> None:
    """Clients that trust the first start trust the second."""
    first = tls_files(tmp_path).ca_file.read_bytes()
    assert tls_files(tmp_path).ca_file.read_bytes() == first


def test_the_certificate_is_for_loopback_alone(tmp_path: Path) -> None:
    """The endpoints' certificate holds the names of loopback, addresses as addresses."""
    assert subject_names(tls_files(tmp_path).certificate_file.read_bytes()) == ["localhost", "127.0.0.1", "::1"]


def test_keys_are_the_owners_alone(tmp_path: Path) -> None:
    """Nobody else may read a private key."""
    files = tls_files(tmp_path)
    assert files.certificate_file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "ca.key").stat().st_mode & 0o077 == 0

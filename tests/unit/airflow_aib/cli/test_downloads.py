from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from airflow_aib.cli.downloads import DownloadError, Downloads, local_files, shown_address
from tests.unit.airflow_aib.cli.web_server import served

CONTENT = b"#!/bin/sh\n" * 20_000
SUM = hashlib.sha256(CONTENT).hexdigest()
SIGNED = "https://a.blob.core.windows.net/scripts/setup.sh?sv=1&sig=very-secret"


def test_a_download() -> None:
    """The checksum is that of the whole file."""
    with served({"/a.sh": CONTENT}) as address:
        assert Downloads(allows_http=True).sha256_of(f"{address}/a.sh") == SUM


def test_a_download_with_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Certificates count, with those of SSL_CERT_FILE; without its authority a server is not believed."""
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with served({"/a.sh": CONTENT}, tls) as address:
        with pytest.raises(DownloadError, match="CERTIFICATE_VERIFY_FAILED"):
            Downloads().sha256_of(f"{address}/a.sh")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert Downloads().sha256_of(f"{address}/a.sh") == SUM


def test_a_redirection() -> None:
    """A redirection is followed where its target is allowed, and nowhere else."""
    with served({"/a.sh": CONTENT, "/b.sh": "/a.sh", "/c.sh": "ftp://127.0.0.1/a.sh"}) as address:
        assert Downloads(allows_http=True).sha256_of(f"{address}/b.sh") == SUM
        with pytest.raises(DownloadError, match="no http address"):
            Downloads(allows_http=True).sha256_of(f"{address}/c.sh")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://a.example/x", "no https address; --allow-http"),
        ("file:///etc/hostname", "no http address"),
        ("ftp://a.example/x", "no http address"),
        ("/etc/hostname", "no http address"),
        ("https://[/x", "cannot be downloaded"),
        ("https://a example/x", "cannot be downloaded"),
    ],
)
def test_what_is_not_downloaded(address: str, problem: str) -> None:
    """Nothing but https is asked for unless the call allows http, and nothing of this machine ever."""
    with pytest.raises(DownloadError, match=problem):
        Downloads().sha256_of(address)


def test_limits() -> None:
    """A file that is not there, or too large, is an error that says which; no signature is shown."""
    with served({"/a.sh": CONTENT}) as address:
        downloads = Downloads(allows_http=True, most_bytes=100_000)
        with pytest.raises(DownloadError, match=r"/a.sh has more than 0\.1 MB; --max-megabytes"):
            downloads.sha256_of(f"{address}/a.sh")
        with pytest.raises(DownloadError, match=r"b\.sh\?\.\.\. cannot be downloaded: 404") as caught:
            downloads.sha256_of(f"{address}/b.sh?sig=very-secret")
    assert "very-secret" not in str(caught.value)


def test_local_files(tmp_path: Path) -> None:
    """Files and folders of this machine stand for addresses; the longest beginning counts, and queries do not."""
    (tmp_path / "b c.sh").write_bytes(CONTENT)
    downloads = Downloads(
        local_files(
            [
                f"https://a/={tmp_path / 'nowhere'}".replace("nowhere", ""),
                f"https://a/sub={tmp_path}",
                f"https://one/x?sv=1={tmp_path}/b c.sh",
            ]
        )
    )

    assert downloads.sha256_of("https://a/sub/b%20c.sh?sig=x") == SUM
    assert downloads.sha256_of("https://one/x") == SUM
    with pytest.raises(DownloadError, match="cannot be read: No such file"):
        downloads.sha256_of("https://a/subway")


def test_a_path_out_of_the_folder(tmp_path: Path) -> None:
    """An address cannot lead out of the folder that stands for its beginning."""
    with pytest.raises(DownloadError, match="outside"):
        Downloads(local_files([f"https://a/={tmp_path}"])).sha256_of("https://a/%2e%2e/x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [("https://a", "takes URI=FILE"), ("=x", "takes URI=FILE"), ("https://a=/no/such/file", "no file or folder")],
)
def test_wrong_local_files(text: str, problem: str) -> None:
    """What is no pair, or leads nowhere, is said."""
    with pytest.raises(ValueError, match=problem):
        local_files([text])


def test_shown_addresses() -> None:
    """Neither a query nor a login is shown."""
    assert shown_address(SIGNED) == "https://a.blob.core.windows.net/scripts/setup.sh?..."
    assert shown_address("https://user:pass@a/x#y") == "https://a/x?..."
    assert shown_address("https://[") == "The address"


@given(st.text(max_size=20).map("https://{}".format) | st.text(max_size=20))
def test_any_address(address: str) -> None:
    """Whatever the address, what goes wrong is said as such."""
    with pytest.raises(DownloadError):
        Downloads(local=(("https://", Path("/no/such/folder")),)).sha256_of(address)

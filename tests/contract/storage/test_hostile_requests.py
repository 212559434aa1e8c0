from __future__ import annotations

import ssl
from http.client import HTTPSConnection
from typing import TYPE_CHECKING

import hypothesis
import pytest
from hypothesis import strategies as st

from aib_emulator.settings import MEBIBYTE
from tests.contract.raw_arm import RawArm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aib_emulator.server import EmulatorThread

EXAMPLES = 200
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"])
PATHS = st.sampled_from(
    [
        *(
            "/",
            "//",
            "/imagestore",
            "/imagestore/",
            "/imagestore/images",
            "/imagestore/images/",
            "/imagestore/images/b",
        ),
        *(
            "/nobody/images/b",
            "/imagestore-secondary/images/b",
            "/imagestore/%00/%ff",
            "/imagestore/images/%2e%2e/x",
            "/imagestore/images/%zz",
        ),
        *("/imagestore/$root/b", "/imagestore/images/" + "a/" * 500, "/imagestore//b", "/%E2%98%83/x/y"),
    ]
)
QUERIES = st.sampled_from(
    [
        *(
            "",
            "comp=list",
            "restype=container",
            "restype=container&comp=list&maxresults=-1",
            "comp=page",
            "comp=pagelist",
        ),
        *("comp=block&blockid=%00", "comp=blocklist", "comp=appendblock", "comp=copy&copyid=x", "comp=lease", "comp=x"),
        *("restype=service&comp=userdelegationkey", "comp=snapshot", "snapshot=x", "comp=properties", "comp=tier"),
        *("sig=x", "sv=2025-11-05&sr=b&sp=rw&se=x&sig=%ff", "sv=x&ss=b&srt=sco&sp=r&se=9999-99-99&sig=AA%3D%3D"),
        *("comp=batch", "comp=incrementalcopy", "comp=metadata&timeout=x", "&&==%", "marker=%ff&comp=list"),
    ]
)
NAMES = [
    *("x-ms-blob-type", "x-ms-blob-content-length", "x-ms-range", "Range", "x-ms-page-write", "x-ms-copy-source"),
    *("x-ms-source-range", "x-ms-copy-source-authorization", "x-ms-lease-action", "If-Match", "Content-MD5"),
    *("x-ms-blob-sequence-number", "x-ms-access-tier", "x-ms-meta-\u0061", "x-ms-date", "x-ms-blob-public-access"),
    *("x-ms-requires-sync", "x-ms-source-content-crc64", "x-ms-delete-snapshots", "x-ms-lease-duration", "x-ms-tags"),
]
WORDS = [
    *("", "x", "PageBlob", "AppendBlob", "BlockBlob", "512", "-1", "9" * 30, "bytes=0-511", "bytes=511-0", "bytes=x-"),
    *("update", "clear", "https://127.0.0.1:1/a", "file:///x", "http://", "acquire", "break", "*", "\xe9\xff", "true"),
    *("Bearer x", "SharedKey imagestore:AA==", "include", "Hot", "%00"),
]
HEADERS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(WORDS), max_size=4)


@pytest.fixture(scope="module")
def raw(emulator_thread: EmulatorThread) -> Iterator[RawArm]:
    """Sign in once to write blobs; put everything back in the end."""
    emulator_thread.control.reset()
    raw = RawArm(emulator_thread)
    token = raw.sign_in(scope="https://storage.azure.com/.default").json()["access_token"]
    raw.session.headers["Authorization"] = f"Bearer {token}"
    yield raw
    emulator_thread.control.reset()


def answer_of(raw: RawArm, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, str | None]:
    """Send a request that no client would word so, and return the status and the error's code."""
    context = ssl.create_default_context(cafile=str(raw.thread.emulator.ca_file))
    port = int(raw.thread.emulator.blob_url.rpartition(":")[2])
    connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    usual = {"Authorization": str(raw.session.headers["Authorization"]), "x-ms-version": "2025-11-05"}
    try:
        connection.request(method, target, body, {**usual, **headers})
        answer = connection.getresponse()
        return answer.status, answer.getheader("x-ms-error-code")
    finally:
        connection.close()


@hypothesis.settings(max_examples=EXAMPLES, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(method=METHODS, path=PATHS, query=QUERIES, headers=HEADERS, body=st.binary(max_size=20))
def test_no_request_about_a_blob_is_too_much(
    raw: RawArm,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
) -> None:
    """Whatever is asked of the blob endpoint gets an answer, and where Azurite fails the emulator does not."""
    status, _ = answer_of(raw, method, f"{path}?{query}", headers, body)
    assert status < 500
    assert [record.getMessage() for record in caplog.records if record.name.startswith("aib_emulator")] == []


BLOB = "/imagestore/images/readable"


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "code"),
    [
        ("GET", BLOB, {"Range": "bytes=zz"}, b"", "InvalidHeaderValue"),
        ("GET", BLOB, {"x-ms-range": "bytes=zz"}, b"", "InvalidHeaderValue"),
        ("GET", f"{BLOB}?comp=pagelist", {"x-ms-range": "zz"}, b"", "InvalidHeaderValue"),
        ("GET", "/imagestore/images/%zz", {}, b"", "InvalidUri"),
        ("PUT", "/imagestore/images/%f", {"x-ms-blob-type": "BlockBlob"}, b"", "InvalidUri"),
        ("PUT", BLOB, {"x-ms-blob-type": "BlockBlob", "x-ms-tags": "%%%"}, b"", "InvalidHeaderValue"),
        ("PUT", f"{BLOB}?comp=block&blockid=%00", {}, b"x", "InvalidQueryParameterValue"),
        ("PUT", f"{BLOB}?comp=blocklist", {}, b"", "InvalidXmlDocument"),
        ("PUT", f"{BLOB}?comp=blocklist", {}, b"<BlockList>", "InvalidXmlDocument"),
        ("PUT", f"{BLOB}?comp=blocklist", {}, b"<Other/>", "InvalidXmlDocument"),
        ("PUT", f"{BLOB}?comp=blocklist", {}, b"<BlockList>" + bytes(9 * MEBIBYTE), "RequestBodyTooLarge"),
        ("PUT", f"{BLOB}?comp=blocklist", {}, b"<!DOCTYPE BlockList><BlockList/>", "InvalidXmlDocument"),
    ],
)
def test_what_cannot_be_read_is_the_callers_fault(
    raw: RawArm, method: str, target: str, headers: dict[str, str], body: bytes, code: str
) -> None:
    """Where Azurite would fail with 500, the answer is 400, or 413, with a code."""
    status = 413 if code == "RequestBodyTooLarge" else 400
    assert answer_of(raw, method, target, headers, body) == (status, code)


def test_a_list_of_all_blocks_there_may_be_is_read(raw: RawArm) -> None:
    """Fifty thousand blocks take more than a mebibyte; none of these is there."""
    blocks = b"<Latest>QUFBQUFB</Latest>" * 50_000
    answer = answer_of(raw, "PUT", f"{BLOB}?comp=blocklist", {}, b"<BlockList>" + blocks + b"</BlockList>")
    assert answer == (400, "InvalidBlockList")


def test_a_list_of_no_blocks_makes_an_empty_blob(raw: RawArm) -> None:
    """What can be read goes on to Azurite as it came."""
    assert answer_of(raw, "PUT", f"{BLOB}?comp=blocklist", {}, b"<BlockList/>") == (201, None)

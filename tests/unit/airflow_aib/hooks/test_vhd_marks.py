from __future__ import annotations

import pytest

from airflow_aib.hooks.blob_facts import PAGE_BLOB, BlobFacts, CopyState
from airflow_aib.hooks.vhd_marks import DIGEST_KEY, ETAG_KEY, SOURCE_KEY, judge_destination, known_digest, plain_etag

SOURCE = BlobFacts(1024, '"0x1"', PAGE_BLOB)


def present(
    etag: str | None = None, digest: str | None = None, *, kind: str = PAGE_BLOB, size: int = 1024
) -> BlobFacts:
    """Give what is at the destination, with what it says of its source."""
    said = {ETAG_KEY: etag, DIGEST_KEY: digest}
    return BlobFacts(size, '"0x9"', kind, {key: value for key, value in said.items() if value})


@pytest.mark.parametrize(
    ("destination", "found"),
    [
        (None, "nothing"),
        (present("0x1"), "unfinished"),
        (present("0x0"), "outdated"),
        (present("0x1", size=2048), "outdated"),
        (present(), "other"),
        (present("0x1", "digest"), "other"),
        (present("0x0", "digest"), "other"),
        (present("0x1", kind="BlockBlob"), "other"),
    ],
)
def test_the_destination_is_judged_by_what_it_says_of_itself(destination: BlobFacts | None, found: str) -> None:
    """Only our own unfinished copies are continued or replaced; everything else is compared first."""
    assert judge_destination(SOURCE, destination) == found


@pytest.mark.parametrize("etag", ['"0x1"', "0x1", 'W/"0x1"'])
def test_etags_are_compared_without_their_quotes(etag: str) -> None:
    """Metadata keeps the etag plain."""
    assert plain_etag(etag) == "0x1"


@pytest.mark.parametrize(("etag", "found"), [("0x1", "unfinished"), ("0x0", "outdated")])
def test_a_pending_copy_blob_is_continued(etag: str, found: str) -> None:
    """While Copy Blob goes on the length may be any: only the version of the source counts."""
    going_on = BlobFacts(0, '"0x9"', PAGE_BLOB, {ETAG_KEY: etag}, copy=CopyState("id", "pending"))

    assert judge_destination(SOURCE, going_on) == found


def test_a_broken_copy_blob_is_replaced() -> None:
    """A Copy Blob that failed leaves a blob without length, which is of no use."""
    broken = BlobFacts(0, '"0x9"', PAGE_BLOB, {ETAG_KEY: "0x1"}, copy=CopyState("id", "failed"))

    assert judge_destination(SOURCE, broken) == "outdated"


@pytest.mark.parametrize(
    ("etag", "url", "known"),
    [("0x1", "https://a/b", "digest"), ("0x0", "https://a/b", None), ("0x1", "https://c", None)],
)
def test_a_digest_is_known_for_one_version_of_one_source(etag: str, url: str, known: str | None) -> None:
    """What was written down counts for the version of the source that it was computed from, and for no other."""
    copy = BlobFacts(1024, '"0x9"', PAGE_BLOB, {ETAG_KEY: etag, SOURCE_KEY: "https://a/b", DIGEST_KEY: "digest"})

    assert known_digest(url, SOURCE, copy) == known

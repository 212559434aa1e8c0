from __future__ import annotations

import pytest

from airflow_aib.hooks.blob_file import PAGE_BLOB, BlobFacts
from airflow_aib.hooks.vhd_copy import DIGEST_KEY, ETAG_KEY, judge_destination, plain_etag

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

from __future__ import annotations

import pytest

from airflow_aib.hooks.blob_facts import PAGE_BLOB, BlobFacts, CopyState
from airflow_aib.hooks.vhd_marks import (
    DIGEST_KEY,
    ETAG_KEY,
    HIGHEST_SEQUENCE_NUMBER,
    SOURCE_KEY,
    VhdOrigin,
    describe_copy,
    is_copy_from,
    judge_destination,
    known_digest,
    metadata_of,
    plain_etag,
    sequence_number_of,
)
from tests.fakes import IMAGE_TEMPLATE_ID

SIZE = 1024
URL, OTHER_URL = "https://a/vhds/disk_1.vhd", "https://b/vhds/disk_1.vhd"
START = "2026-01-05T03:00:42.169984039Z"
ORIGIN = VhdOrigin(IMAGE_TEMPLATE_ID, START, "disk")
OTHER = VhdOrigin(IMAGE_TEMPLATE_ID.replace("/base", "/other"), START, "disk")


def marks(etag: str = "0x1", digest: str = "", *, origin: VhdOrigin = ORIGIN, url: str = URL) -> dict[str, str]:
    """Write down what a copy says of itself."""
    said = metadata_of(origin, url, BlobFacts(SIZE, f'"{etag}"', PAGE_BLOB))
    return {**said, DIGEST_KEY: digest} if digest else said


def blob(metadata: dict[str, str] | None = None, *, kind: str = PAGE_BLOB, size: int = SIZE) -> BlobFacts:
    """Give what is at the destination."""
    return BlobFacts(size, '"0x9"', kind, metadata or {})


@pytest.mark.parametrize(
    ("destination", "found"),
    [
        (None, "nothing"),
        (blob(marks()), "unfinished"),
        (blob(marks("0x0")), "outdated"),
        (blob(marks(), size=2048), "outdated"),
        (blob(), "other"),
        (blob(marks("0x1", "digest")), "other"),
        (blob(marks("0x0", "digest")), "other"),
        (blob(marks(), kind="BlockBlob"), "other"),
        (blob(marks(origin=VhdOrigin())), "unfinished"),
        (blob(marks(origin=OTHER)), "unfinished"),
        (blob(marks(url=OTHER_URL)), "outdated"),
        (blob(marks("0x0", url=OTHER_URL)), "outdated"),
        (blob(marks("0x0", url=OTHER_URL, origin=VhdOrigin(IMAGE_TEMPLATE_ID.upper(), "", "DISK"))), "outdated"),
        (blob(marks(url=OTHER_URL, origin=OTHER)), "other"),
        (blob(marks("0x0", url=OTHER_URL, origin=OTHER)), "other"),
        (blob(marks("0x0", url=OTHER_URL, origin=VhdOrigin(IMAGE_TEMPLATE_ID, START, "second"))), "other"),
        (blob(marks("0x0", url=OTHER_URL, origin=VhdOrigin(IMAGE_TEMPLATE_ID))), "other"),
        (blob(marks("0x0", url=URL.upper(), origin=OTHER)), "other"),
    ],
)
def test_the_destination_is_judged_by_what_it_says_of_itself(destination: BlobFacts | None, found: str) -> None:
    """Only unfinished copies of the same origin are continued or replaced; all else is left or compared first."""
    assert judge_destination(marks(), SIZE, destination) == found


def test_what_says_nothing_of_its_image_template_has_no_origin_in_common() -> None:
    """Two copies of which neither names an image template are not of the same one."""
    unknown = marks(origin=VhdOrigin())

    assert judge_destination(unknown, SIZE, blob(marks("0x0", url=OTHER_URL, origin=VhdOrigin()))) == "other"


@pytest.mark.parametrize("etag", ['"0x1"', "0x1", 'W/"0x1"'])
def test_etags_are_compared_without_their_quotes(etag: str) -> None:
    """Metadata keeps the etag plain."""
    assert plain_etag(etag) == "0x1"


@pytest.mark.parametrize(
    ("said", "found"),
    [(marks(), "unfinished"), (marks("0x0"), "outdated"), (marks("0x0", url=OTHER_URL, origin=OTHER), "other")],
)
def test_a_pending_copy_blob_is_continued(said: dict[str, str], found: str) -> None:
    """While Copy Blob goes on the length may be any: only the version of the source counts."""
    going_on = BlobFacts(0, '"0x9"', PAGE_BLOB, said, copy=CopyState("id", "pending"))

    assert judge_destination(marks(), SIZE, going_on) == found


@pytest.mark.parametrize(
    ("said", "found"), [(marks(), "outdated"), (marks("0x0", url=OTHER_URL, origin=OTHER), "other")]
)
def test_a_broken_copy_blob_is_replaced(said: dict[str, str], found: str) -> None:
    """A Copy Blob that failed leaves a blob without length, which is of no use, except to whoever has begun it."""
    broken = BlobFacts(0, '"0x9"', PAGE_BLOB, said, copy=CopyState("id", "failed"))

    assert judge_destination(marks(), SIZE, broken) == found


@pytest.mark.parametrize(("wanted", "known"), [(marks(), "digest"), (marks("0x0"), None), (marks(url=OTHER_URL), None)])
def test_a_digest_is_known_for_one_version_of_one_source(wanted: dict[str, str], known: str | None) -> None:
    """What was written down counts for the version of the source that it was computed from, and for no other."""
    assert known_digest(wanted, blob(marks("0x1", "digest"))) == known


@pytest.mark.parametrize(
    ("image_template_id", "url", "is_one"),
    [
        (IMAGE_TEMPLATE_ID, URL, True),
        (IMAGE_TEMPLATE_ID.upper(), URL, True),
        (IMAGE_TEMPLATE_ID, OTHER_URL, False),
        (OTHER.image_template_id, URL, False),
    ],
)
def test_a_copy_is_known_by_image_template_and_source(image_template_id: str, url: str, *, is_one: bool) -> None:
    """Whether it is finished, and of which version, does not matter for where it lies."""
    copies = [blob(marks("0x0")), blob(marks("0x1", "digest"))]

    assert [is_copy_from(image_template_id, url, copy) for copy in copies] == [is_one, is_one]


def test_a_copy_says_whose_it_is() -> None:
    """What is known of it stands in the sentence, in the words of the metadata's owner."""
    whole = f"copy of VHD {URL}, image template {IMAGE_TEMPLATE_ID}, run output disk, run that started {START}"

    assert describe_copy(blob(marks())) == f"an unfinished {whole}"
    assert describe_copy(blob(marks("0x1", "digest"))) == f"a {whole}"
    assert describe_copy(blob(marks(origin=VhdOrigin()))) == f"an unfinished copy of VHD {URL}"
    assert describe_copy(blob({ETAG_KEY: "0x1"})) == ""


def test_every_version_of_every_source_has_a_number_of_its_own() -> None:
    """The sequence number of a copy tells it from the copy of anything else, whoever makes it."""
    numbers = {sequence_number_of(said) for said in (marks(), marks("0x0"), marks(url=OTHER_URL))}

    assert len(numbers) == 3
    assert all(0 <= number <= HIGHEST_SEQUENCE_NUMBER for number in numbers)
    assert sequence_number_of(marks(origin=OTHER)) == sequence_number_of({SOURCE_KEY: URL, ETAG_KEY: "0x1"})

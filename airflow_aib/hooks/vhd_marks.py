"""What a copied VHD says about itself in its metadata, and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airflow_aib.hooks.blob_facts import PAGE_BLOB, BlobFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE_KEY, START_KEY, OUTPUT_KEY = "aib_image_template", "aib_run_start", "aib_run_output"
SOURCE_KEY, ETAG_KEY, DIGEST_KEY = "aib_source", "aib_source_etag", "aib_sha256"

# What is at the destination: nothing; an unfinished copy of this source, or of an older one; something else.
Found = Literal["nothing", "unfinished", "outdated", "other"]


@dataclass(frozen=True)
class VhdOrigin:
    """Say what a VHD is, for its copy's metadata.

    :param image_template_id: resource id
    :param run_start_time: verbatim start time of the run that left it
    :param run_output_name: of the distributor
    """

    image_template_id: str = ""
    run_start_time: str = ""
    run_output_name: str = ""


def metadata_of(origin: VhdOrigin, source_url: str, source: BlobFacts) -> dict[str, str]:
    """Write down what is copied; the digest is added when the copy is found equal."""
    known = {
        TEMPLATE_KEY: origin.image_template_id,
        START_KEY: origin.run_start_time,
        OUTPUT_KEY: origin.run_output_name,
        SOURCE_KEY: source_url,
        ETAG_KEY: plain_etag(source.etag),
    }
    return {key: value for key, value in known.items() if value}


def judge_destination(source: BlobFacts, present: BlobFacts | None) -> Found:
    """Judge what is at the destination by what it says about itself.

    Only a copy of ours that was not yet verified is continued, or replaced when its source has changed since.
    """
    if present is None:
        return "nothing"
    if not is_ours(present) or DIGEST_KEY in present.metadata:
        return "other"
    if present.is_broken_copy or not is_copy_of(source, present):
        return "outdated"
    # While Copy Blob goes on the length may be any.
    return "unfinished" if present.size == source.size or present.is_being_copied else "outdated"


def is_ours(present: BlobFacts) -> bool:
    """Whether a blob says that it is a copy that was made here."""
    return present.kind == PAGE_BLOB and ETAG_KEY in present.metadata


def is_copy_of(source: BlobFacts, present: BlobFacts) -> bool:
    """Whether a blob says that it is a copy of this version of the source."""
    return present.kind == PAGE_BLOB and present.metadata.get(ETAG_KEY) == plain_etag(source.etag)


def known_digest(source_url: str, source: BlobFacts, present: BlobFacts) -> str | None:
    """Give the source's digest, if it was written down when this very version of it was copied."""
    metadata: Mapping[str, str] = present.metadata
    is_known = is_copy_of(source, present) and metadata.get(SOURCE_KEY) == source_url
    return metadata.get(DIGEST_KEY) if is_known else None


def plain_etag(etag: str) -> str:
    """Write an etag without its quotes, which some tools put around it and others do not."""
    return etag.removeprefix("W/").strip('"')

"""What a copied VHD says about itself in its metadata, and what follows from that."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from airflow_aib.hooks.blob_facts import PAGE_BLOB, BlobFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE_KEY, START_KEY, OUTPUT_KEY = "aib_image_template", "aib_run_start", "aib_run_output"
SOURCE_KEY, ETAG_KEY, DIGEST_KEY = "aib_source", "aib_source_etag", "aib_sha256"
HIGHEST_SEQUENCE_NUMBER = 2**63 - 1

# What is at the destination: nothing; an unfinished copy of this very source; one of the same origin, but of no use any
# more; something else.
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


def judge_destination(wanted: Mapping[str, str], size: int, present: BlobFacts | None) -> Found:
    """Judge what is at the destination by what it says about itself.

    Only a copy of the same origin that was not yet verified is continued, or replaced when its source has changed:
    another one is somebody's work.

    :param wanted: metadata of the copy that is to be made
    :param size: bytes of its source
    """
    if present is None:
        return "nothing"
    if not is_unfinished(present) or not has_same_origin(wanted, present):
        return "other"
    if present.is_broken_copy or not is_copy_of(wanted, present):
        return "outdated"
    # While Copy Blob goes on the length may be any.
    return "unfinished" if present.size == size or present.is_being_copied else "outdated"


def is_unfinished(present: BlobFacts) -> bool:
    """Whether a blob says that it is a copy that was begun here, and not that it was verified."""
    return present.kind == PAGE_BLOB and ETAG_KEY in present.metadata and DIGEST_KEY not in present.metadata


def has_same_origin(wanted: Mapping[str, str], present: BlobFacts) -> bool:
    """Whether a blob says that it is a copy of the same blob, or of what the same distributor has left."""
    return _agree(wanted, present, SOURCE_KEY) or _agree(wanted, present, TEMPLATE_KEY, OUTPUT_KEY)


def is_copy_from(image_template_id: str, source_url: str, present: BlobFacts) -> bool:
    """Whether a blob says that it is a copy of this blob, whatever version of it, made for this image template."""
    return _agree({TEMPLATE_KEY: image_template_id, SOURCE_KEY: source_url}, present, TEMPLATE_KEY, SOURCE_KEY)


def is_copy_of(wanted: Mapping[str, str], present: BlobFacts) -> bool:
    """Whether a blob says that it is a copy of this version of the source."""
    return present.kind == PAGE_BLOB and _agree(wanted, present, SOURCE_KEY, ETAG_KEY)


def known_digest(wanted: Mapping[str, str], present: BlobFacts) -> str | None:
    """Give the source's digest, if it was written down when this very version of it was copied."""
    return present.metadata.get(DIGEST_KEY) if is_copy_of(wanted, present) else None


def describe_copy(present: BlobFacts) -> str:
    """Say of what a blob is a copy, by its own word; empty when it does not say so."""
    said = present.metadata
    if SOURCE_KEY not in said:
        return ""
    more = {"image template": TEMPLATE_KEY, "run output": OUTPUT_KEY, "run that started": START_KEY}
    parts = [f"{name} {said[key]}" for name, key in more.items() if key in said]
    return ", ".join([f"{'a' if DIGEST_KEY in said else 'an unfinished'} copy of VHD {said[SOURCE_KEY]}", *parts])


def sequence_number_of(wanted: Mapping[str, str]) -> int:
    """Give the number that marks the pages of a copy: another version, or another source, has another one."""
    marks = f"{wanted[SOURCE_KEY]} {wanted[ETAG_KEY]}"
    return int.from_bytes(hashlib.sha256(marks.encode()).digest()[:8], "big") & HIGHEST_SEQUENCE_NUMBER


def _agree(wanted: Mapping[str, str], present: BlobFacts, *keys: str) -> bool:
    """Whether a blob says the same under all of these keys."""
    return all(key in wanted and _spelt(key, wanted[key]) == _spelt(key, present.metadata.get(key, "")) for key in keys)


def _spelt(key: str, value: str) -> str:
    # Azure's ids have no case of their own, names of blobs do.
    return value.casefold() if key in {TEMPLATE_KEY, OUTPUT_KEY} else value


def plain_etag(etag: str) -> str:
    """Write an etag without its quotes, which some tools put around it and others do not."""
    return etag.removeprefix("W/").strip('"')

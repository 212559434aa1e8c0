"""`airflow-aib diagnose`: say why a build failed."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from airflow_aib.cli.downloads import DownloadError, Downloads, shown_address
from airflow_aib.cli.files import STDIN, source_of
from airflow_aib.cli.running import GOOD, NOT_GOOD, NOT_KNOWN
from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_run.customization_log import LogReading
from airflow_aib.image_run.diagnosing import diagnose
from airflow_aib.image_run.evidence import evidence_of_log
from airflow_aib.image_run.failure_signatures import log_signs
from airflow_aib.image_run.log_bytes import LogBytes, LogUnreadableError
from airflow_aib.image_run.step_failures import UNKNOWN
from airflow_aib.image_template.document import documents_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, BinaryIO

    from airflow_aib.cli.console import Console
    from airflow_aib.image_run.diagnosis import Diagnosis

PIECE_BYTES = 1 << 20
# Seconds: a log of some hundred megabytes over a slow line.
DOWNLOAD_TIME = 600.0


def run(options: argparse.Namespace, console: Console) -> int:
    """Diagnose what the call names."""
    diagnosis = _diagnosis(options, console)
    if options.as_json:
        console.say_json(diagnosis.to_json())
    else:
        console.say("\n".join(diagnosis.lines()))
    if not diagnosis.is_failure:
        return GOOD
    return NOT_KNOWN if diagnosis.failure_class == UNKNOWN.failure_class else NOT_GOOD


def _diagnosis(options: argparse.Namespace, console: Console) -> Diagnosis:
    target: str = options.target
    properties = _properties_of(options.document, console)
    if target == STDIN:
        return _of_log(_pieces_of(console.stdin), target, properties)
    if options.resource_group_name or target.startswith("/subscriptions/"):
        return _through_connection(options, properties)
    scheme = urlsplit(target).scheme
    if scheme == "http":
        raise UnusableCallError(f"{shown_address(target)} is no https address; logs are read over https only.")
    if scheme == "https":
        return _of_address(options, properties)
    return _of_log(_pieces_of_file(Path(target)), target, properties)


def _of_address(options: argparse.Namespace, properties: Mapping[str, Any] | None) -> Diagnosis:
    if "sig" not in parse_qs(urlsplit(options.target).query):
        return _through_connection(options, properties)
    downloads = Downloads(most_bytes=sys.maxsize, timeout=DOWNLOAD_TIME)
    return _of_log(downloads.pieces(options.target), shown_address(options.target), properties)


def _through_connection(options: argparse.Namespace, properties: Mapping[str, Any] | None) -> Diagnosis:
    # Airflow's own log goes to standard output by default, which is for the diagnosis.
    with redirect_stdout(sys.stderr):
        # Loads Airflow and Azure's SDKs, which a log on this machine does not need.
        from airflow_aib.cli.through_connection import diagnose_through_connection

        return diagnose_through_connection(
            options.target, options.resource_group_name, properties, connection_id=options.connection
        )


def _of_log(pieces: Iterable[bytes], name: str, properties: Mapping[str, Any] | None) -> Diagnosis:
    reading = LogReading(log_signs())
    content = LogBytes(reading)
    try:
        for piece in pieces:
            content.feed(piece)
    except LogUnreadableError as error:
        raise UnusableCallError(f"{name} cannot be read: {error}.") from error
    except DownloadError as error:
        raise UnusableCallError(f"{error}.") from error
    content.finish()
    return diagnose(evidence_of_log(reading.result(), PurePosixPath(urlsplit(name).path).name, properties))


def _pieces_of_file(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            yield from _pieces_of(stream)
    except IsADirectoryError:
        raise UnusableCallError(f"{file} is a folder; name one log.") from None
    except FileNotFoundError:
        raise UnusableCallError(
            f"There is no file {file}. Name an image template by its resource id, or its name and --resource-group."
        ) from None
    except OSError as error:
        raise UnusableCallError(f"{file} cannot be read: {error.strerror}.") from None


def _pieces_of(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece


def _properties_of(document: str | None, console: Console) -> Mapping[str, Any] | None:
    """Read the properties of the document that left the log; None where none is named."""
    if document is None:
        return None
    try:
        documents = documents_of(source_of(document, stdin=console.stdin).text())
    except ImageTemplateError as error:
        raise UnusableCallError(str(error)) from error
    if len(documents) != 1:
        raise UnusableCallError(f"{document} holds {len(documents)} image templates; name a file with one.")
    properties = documents[0].body.get("properties")
    return properties if isinstance(properties, dict) else {}

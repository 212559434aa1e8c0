"""`airflow-aib checksum`: compute the checksums of what a build downloads; show, compare or write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_aib.cli.downloads import BYTES_IN_MEGABYTE, DownloadError, Downloads, local_files, shown_address
from airflow_aib.cli.files import sources_in
from airflow_aib.cli.image_templates import rendered_to_check
from airflow_aib.cli.running import GOOD, NOT_GOOD
from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.cli.upgrade import require_file, written
from airflow_aib.cli.values import values_of
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_template.checksums import address_in, checksum_in, download_steps, with_checksums
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.unknown import holds_unknown, shown
from airflow_aib.masking import mask

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues
    from airflow_aib.image_template.checksums import DownloadStep
    from airflow_aib.image_template.document import ImageTemplateDocument
    from airflow_aib.image_template.render import RenderedImageTemplate
    from airflow_aib.image_template.text.source_text import SourceText

_WHAT_TO_DO = "a value is missing; pass it with --set, --parameters, --subscription-id, --resource-group or --location"

MISSING, RIGHT, WRONG = "missing", "right", "wrong"


@dataclass(frozen=True)
class Outcome:
    """Say how a step's checksum stands to what is behind its address.

    :param step: which one
    :param shown: its address for people, without anything secret
    :param actual: the checksum of what is there now; empty where it is not to be had
    :param expected: the checksum that the document has, filled in; None where it has none
    :param problem: why there is no checksum
    """

    step: DownloadStep
    shown: str
    actual: str = ""
    expected: str | None = None
    problem: str = ""

    @property
    def state(self) -> str:
        """Whether the document's checksum is missing, right or wrong."""
        if self.expected is None:
            return MISSING
        return RIGHT if self.expected.casefold() == self.actual else WRONG

    @property
    def may_be_written(self) -> bool:
        """Whether the document holds no expression in its place."""
        return self.state == MISSING or (self.state == WRONG and self.step.checksum == self.expected)


@dataclass
class _Computing:
    """Compute the checksums of one file.

    :param values: the call's
    :param downloads: how files are had
    """

    values: CallValues
    downloads: Downloads
    _known: dict[str, str] = field(default_factory=dict)

    def outcomes(self, text: SourceText) -> Iterator[Outcome]:
        for document in documents_of(text):
            rendered = rendered_to_check(document, self.values)
            for step in download_steps(document):
                yield self._outcome(step, rendered, document)

    def _outcome(self, step: DownloadStep, rendered: RenderedImageTemplate, document: ImageTemplateDocument) -> Outcome:
        address = address_in(rendered.written, step, document) or step.address
        expected = checksum_in(rendered.written, step, document)
        readable = mask(shown_address(shown(address)), rendered.secrets)
        if holds_unknown(address) or holds_unknown(expected):
            return Outcome(step, readable, problem=_WHAT_TO_DO)
        try:
            return Outcome(step, readable, self._sha256_of(address), expected)
        except DownloadError as error:
            return Outcome(step, readable, problem=mask(str(error), rendered.secrets))

    def _sha256_of(self, address: str) -> str:
        if address not in self._known:
            self._known[address] = self.downloads.sha256_of(address)
        return self._known[address]


def run(options: argparse.Namespace, console: Console) -> int:
    """Show, compare or write the checksums of every file that the call names."""
    if options.write and options.verify:
        raise UnusableCallError("--verify changes no file; leave out either it or --write.")
    computing = _Computing(values_of(options), _downloads_of(options))
    codes = (_handle(source, computing, options, console) for source in sources_in(options, console))
    return max(codes, default=GOOD)


def _handle(source: Source, computing: _Computing, options: argparse.Namespace, console: Console) -> int:
    require_file(source, is_written=options.write)
    try:
        text = source.text()
        outcomes = list(computing.outcomes(text))
        problems = sum(bool(outcome.problem) for outcome in outcomes)
        if options.write and not problems:
            return _write(source, text, outcomes, console)
        _show(outcomes, text, console)
        if options.write:
            console.remark(f"{source.name} is unchanged, since {_counted(problems)} could not be had.")
        if problems:
            return NOT_GOOD
    except ImageTemplateError as error:
        console.remark(str(error))
        return NOT_GOOD
    return NOT_GOOD if options.verify and any(outcome.state == WRONG for outcome in outcomes) else GOOD


def _counted(number: int) -> str:
    return "1 checksum" if number == 1 else f"{number} checksums"


def _show(outcomes: list[Outcome], text: SourceText, console: Console, *, is_written: bool = False) -> None:
    if not outcomes:
        console.remark(f"{text.source} downloads nothing.")
    for outcome in outcomes:
        _show_one(outcome, text, console, "written" if is_written and outcome.may_be_written else outcome.state)


def _show_one(outcome: Outcome, text: SourceText, console: Console, state: str) -> None:
    line, _ = text.places.position(text.places.nearest(outcome.step.pointer).start)
    if outcome.problem:
        # What went wrong with a download names its address.
        what = outcome.problem if outcome.shown in outcome.problem else f"{outcome.shown}: {outcome.problem}"
        console.remark(f"{text.source}:{line}: {what}.")
    else:
        console.say(f"{outcome.actual}  {text.source}:{line}: {outcome.shown} ({state})")


def _write(source: Source, text: SourceText, outcomes: list[Outcome], console: Console) -> int:
    checksums = {outcome.step.pointer: outcome.actual for outcome in outcomes if outcome.may_be_written}
    code = written(source, with_checksums(text, checksums), console) if checksums else GOOD
    _show(outcomes, text, console, is_written=bool(checksums) and code == GOOD)
    kept = [outcome for outcome in outcomes if outcome.state == WRONG and not outcome.may_be_written]
    for outcome in kept:
        console.remark(f"{source.name}: the checksum of {outcome.shown} is an expression, and stays as it is.")
    return NOT_GOOD if kept else code


def _downloads_of(options: argparse.Namespace) -> Downloads:
    try:
        local = local_files(options.local)
    except ValueError as error:
        raise UnusableCallError(str(error)) from error
    if options.max_megabytes <= 0 or options.timeout <= 0:
        raise UnusableCallError("--max-megabytes and --timeout take numbers above 0.")
    most_bytes = int(options.max_megabytes * BYTES_IN_MEGABYTE)
    return Downloads(local, allows_http=options.allow_http, most_bytes=most_bytes, timeout=options.timeout)

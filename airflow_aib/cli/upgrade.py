"""`airflow-aib upgrade`: bring files to the current api-version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.cli.files import sources_in
from airflow_aib.cli.running import GOOD, NOT_GOOD
from airflow_aib.cli.unusable import UnusableCallError
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_template.document import documents_of
from airflow_aib.image_template.editing.rewriting import rewrite, unified_diff
from airflow_aib.image_template.upgraded_text import upgraded_text
from airflow_aib.image_template.values.parameters import secure_texts
from airflow_aib.masking import mask
from airflow_aib.secret_patterns import blanked

if TYPE_CHECKING:
    import argparse

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.files import Source
    from airflow_aib.image_template.text.source_text import SourceText


def run(options: argparse.Namespace, console: Console) -> int:
    """Upgrade every file that the call names, or show what would be another."""
    if options.write and options.check:
        raise UnusableCallError("--check changes no file; leave out either it or --write.")
    return max((_upgrade(source, options, console) for source in sources_in(options, console)), default=GOOD)


def _upgrade(source: Source, options: argparse.Namespace, console: Console) -> int:
    require_file(source, is_written=options.write)
    try:
        text = source.text()
        new, changes = upgraded_text(text, target_regions=options.target_regions)
    except ImageTemplateError as error:
        console.remark(str(error))
        return NOT_GOOD
    for change in changes:
        console.remark(f"{source.name}: {change}")
    if not changes:
        console.remark(f"{source.name} is up to date.")
        return GOOD
    if options.write:
        return written(source, new, console)
    # A secret of several lines would not be known again in a piece of it.
    difference = unified_diff(source.name, blanked(text.text), blanked(new))
    console.say(mask(difference, _secrets_in(text)))
    return NOT_GOOD if options.check else GOOD


def require_file(source: Source, *, is_written: bool) -> None:
    """Refuse to write to standard input."""
    if is_written and source.content is not None:
        raise UnusableCallError("--write needs files; standard input cannot be written to.")


def written(source: Source, text: str, console: Console) -> int:
    """Write a file anew, and give the exit code."""
    try:
        rewrite(source.name, text)
    except OSError as error:
        console.remark(f"{source.name} cannot be written: {error.strerror}. It stays as it was.")
        return NOT_GOOD
    console.say(f"{source.name} is written.")
    return GOOD


def _secrets_in(text: SourceText) -> frozenset[str]:
    return frozenset(secret for document in documents_of(text) for secret in secure_texts(document, {}))

"""`airflow-aib fingerprint`: print what is equal for image templates that build the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_aib.cli.exact import chosen_in, label_of, rendered_exactly
from airflow_aib.cli.files import sources_in
from airflow_aib.cli.running import GOOD, NOT_GOOD
from airflow_aib.cli.values import values_of
from airflow_aib.exceptions import ImageTemplateError
from airflow_aib.image_template.fingerprint import fingerprint

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from airflow_aib.cli.console import Console
    from airflow_aib.cli.files import Source
    from airflow_aib.cli.values import CallValues


def run(options: argparse.Namespace, console: Console) -> int:
    """Print a line for each image template; go on with the next file where one cannot be rendered."""
    values = values_of(options)
    code = GOOD
    for source in sources_in(options, console):
        try:
            for line in _lines(source, options.name, values):
                console.say(line)
        except ImageTemplateError as error:
            console.remark(str(error))
            code = NOT_GOOD
    return code


def _lines(source: Source, name: str | None, values: CallValues) -> Iterator[str]:
    documents = chosen_in(source, name)
    for document in documents:
        part = f"#{label_of(document)}" if name or len(documents) > 1 else ""
        yield f"{fingerprint(rendered_exactly(document, values).body)}  {source.name}{part}"
